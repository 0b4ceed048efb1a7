//! One TOML file, checked as a whole before anything starts. `tongguan.example.toml` documents every key.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use crate::lang::Language;

/// The configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The registry's address or folder; empty if lists are only brought by hand.
    pub registry: String,
    /// Where frames come from.
    pub camera: CameraSource,
    /// Scan engines, as further sources of codes.
    pub readers: Vec<Reader>,
    /// Where the guard looks.
    pub screen: ScreenKind,
    /// The language the screen starts in.
    pub language: Language,
    /// The colours of the screen.
    pub theme: Theme,
    /// The lane's name, for the journal and the screen.
    pub lane: String,
    /// Whether a guard stands there.
    pub attended: bool,
    /// The gate's relay.
    pub gate: GateConfig,
    /// A buzzer and lamps beside it.
    pub signals: SignalsConfig,
    /// When to sync.
    pub sync: SyncConfig,
    /// How long events are kept.
    pub journal: JournalConfig,
    /// How far the clock is believed.
    pub clock: ClockConfig,
    /// Where this gate is, as far as a policy asks.
    pub policy: PolicyConfig,
    /// Who works here.
    pub guards: GuardsConfig,
    /// How long things are shown.
    pub show: ShowConfig,
    /// What the queue hears.
    pub sound: SoundConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/tongguan".into(),
            registry: String::new(),
            camera: CameraSource::Camera(Camera::default()),
            readers: Vec::new(),
            screen: ScreenKind::Window,
            language: Language::Zh,
            theme: Theme::Auto,
            lane: "1".into(),
            attended: true,
            gate: GateConfig::default(),
            signals: SignalsConfig::default(),
            sync: SyncConfig::default(),
            journal: JournalConfig::default(),
            clock: ClockConfig::default(),
            policy: PolicyConfig::default(),
            guards: GuardsConfig::default(),
            show: ShowConfig::default(),
            sound: SoundConfig::default(),
        }
    }
}

/// The colours of the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark.
    Night,
    /// Light, for a screen on which the sun stands.
    Day,
    /// Light by day, as far as the time is known.
    #[default]
    Auto,
}

/// The gate's relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GateConfig {
    /// What drives it.
    pub driver: GateDriver,
    /// The gpiochip's path or label, for gpiocdev.
    pub chip: Option<String>,
    /// The GPIO (rppal: BCM number; gpiocdev: line of the chip).
    pub line: u32,
    /// The level that energises the relay.
    pub active: Active,
    /// How it opens.
    pub opens: GateOpens,
    /// How long it opens, milliseconds.
    pub pulse_ms: u64,
    /// The GPIO on which the turnstile says that somebody went through; none if it does not say.
    pub passage_line: Option<u32>,
    /// The level that says so.
    pub passage_active: Active,
    /// How long each person may take to go through, milliseconds.
    pub passage_wait_ms: u64,
    /// Seconds after which a door whose contact stays closed is one that is held open; 0 for never.
    pub door_held_s: u32,
    /// The GPIO on which a fire alarm says that the gate must stand open; none if there is none.
    pub fire_line: Option<u32>,
    /// The level that says so.
    pub fire_active: Active,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            driver: GateDriver::Auto,
            chip: None,
            line: 17,
            active: Active::High,
            opens: GateOpens::Pulse,
            pulse_ms: 500,
            passage_line: None,
            passage_active: Active::Low,
            passage_wait_ms: 8000,
            door_held_s: 30,
            fire_line: None,
            fire_active: Active::High,
        }
    }
}

/// How a gate opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GateOpens {
    /// The relay gives a pulse: an order to a turnstile that knows the rest.
    Pulse,
    /// The relay stays energised until everybody is through, or their time is up: the lock of a door.
    Hold,
}

/// A buzzer and lamps that say each verdict, on lines of the gate's driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignalsConfig {
    /// Whether they say anything.
    pub on: bool,
    /// The level that turns them on.
    pub active: Active,
    /// The buzzer's GPIO; none if there is no buzzer.
    pub buzzer_line: Option<u32>,
    /// The GPIO of the lamp for a pass.
    pub pass_lamp_line: Option<u32>,
    /// The GPIO of the lamp for a deny.
    pub deny_lamp_line: Option<u32>,
    /// The GPIO of a white lamp for the dark.
    pub torch_line: Option<u32>,
}

impl Default for SignalsConfig {
    fn default() -> Self {
        Self {
            on: true,
            active: Active::High,
            buzzer_line: None,
            pass_lamp_line: None,
            deny_lamp_line: None,
            torch_line: None,
        }
    }
}

/// What drives the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GateDriver {
    /// rppal on a Raspberry Pi, else gpiocdev if a chip is configured, else sim.
    Auto,
    /// A Raspberry Pi's pins.
    Rppal,
    /// Any gpiochip.
    Gpiocdev,
    /// No hardware.
    Sim,
}

/// The level that energises the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Active {
    /// High.
    High,
    /// Low.
    Low,
}

/// When to sync.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncConfig {
    /// Seconds between two syncs.
    pub every_s: u64,
    /// Where a USB stick appears; empty for nowhere.
    pub stick: PathBuf,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self { every_s: 60, stick: PathBuf::new() }
    }
}

/// How long events are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalConfig {
    /// Days an event stays after the registry has it; 0 for no longer than it takes.
    pub keep_days: u32,
    /// Megabytes of free space below which the screen says so and what was handed in goes at once; 0 for never.
    pub space_low_mb: u64,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { keep_days: 30, space_low_mb: 200 }
    }
}

/// How far the clock is believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockConfig {
    /// Seconds the system clock may be off while nothing synchronises it; 0 if it is not believed then.
    pub unsynced_error_s: u64,
    /// What the machine's count of seconds may gain or lose, parts in a million: 100 is 8.6 s a day.
    pub drift_ppm: u32,
    /// The battery clock in sysfs; empty for none.
    pub rtc: PathBuf,
    /// What the battery clock may gain or lose, parts in a million.
    pub rtc_drift_ppm: u32,
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self { unsynced_error_s: 0, drift_ppm: 100, rtc: "/sys/class/rtc/rtc0".into(), rtc_drift_ppm: 100 }
    }
}

/// Where this gate is. What is let in there is the registry's policy, or this while it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyConfig {
    /// The communities whose residents are this gate's own; empty for all of the registry.
    pub communities: Vec<u32>,
    /// While the registry has no policy: hours after the lists' expiry from which carried and printed codes need the guard.
    pub stale_lists_confirm_after_h: u32,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self { communities: Vec::new(), stale_lists_confirm_after_h: 168 }
    }
}

/// Who works here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuardsConfig {
    /// Minutes without a touch after which a guard is logged out.
    pub log_out_after_min: u32,
}

impl Default for GuardsConfig {
    fn default() -> Self {
        Self { log_out_after_min: 60 }
    }
}

/// How long things are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowConfig {
    /// Milliseconds a verdict stays on the screen.
    pub verdict_ms: u64,
    /// Seconds a name or a number stays in memory for the screen; 0 for not at all.
    pub person_s: u32,
}

impl Default for ShowConfig {
    fn default() -> Self {
        Self { verdict_ms: 3000, person_s: 60 }
    }
}

/// What the queue hears.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoundConfig {
    /// Whether there is a tone for each verdict.
    pub on: bool,
    /// How loud, 0 to 100.
    pub volume: u8,
}

impl Default for SoundConfig {
    fn default() -> Self {
        Self { on: true, volume: 70 }
    }
}

/// Where frames come from: `nokhwa:0`, `v4l2:/dev/v4l/by-id/...`, `replay:PATH[?fps=15&loop=0]`, `none`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CameraSource {
    /// A camera.
    Camera(Camera),
    /// Recorded frames.
    Replay(Replay),
    /// Nothing.
    None,
}

/// A camera, the driver through which it is read, and what it is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    /// Through what.
    pub driver: CameraDriver,
    /// Which.
    pub place: CameraPlace,
    /// The lens.
    pub focus: Adjusted,
    /// The time a frame is exposed, in the camera's unit (UVC: 100 us).
    pub exposure: Adjusted,
}

impl Default for Camera {
    fn default() -> Self {
        let (focus, exposure) = (Adjusted::Auto, Adjusted::Auto);
        Self { driver: CameraDriver::Nokhwa, place: CameraPlace::Index(0), focus, exposure }
    }
}

impl std::fmt::Display for Camera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from(CameraSource::Camera(self.clone())))
    }
}

/// Through what a camera is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraDriver {
    /// nokhwa.
    Nokhwa,
    /// V4L2 itself.
    V4l2,
}

impl CameraDriver {
    fn name(self) -> &'static str {
        match self {
            Self::Nokhwa => "nokhwa",
            Self::V4l2 => "v4l2",
        }
    }
}

/// Which camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraPlace {
    /// The first one that there is.
    First,
    /// `/dev/videoN`.
    Index(u32),
    /// A node or a link to one: those in `/dev/v4l/by-id` know a camera by its serial number, those in `/dev/v4l/by-path` by
    /// its port.
    Path(PathBuf),
}

/// What a camera does by itself, or is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjusted {
    /// By itself.
    Auto,
    /// To that value.
    At(u16),
}

/// Recorded frames: a folder of pictures in name order, a .y4m or a .mjpeg file.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The folder or file.
    pub path: PathBuf,
    /// Frames a second at the most; 0 for as fast as they are judged.
    pub fps: f64,
    /// Whether to start over at the end.
    pub repeat: bool,
}

impl FromStr for CameraSource {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let usage = || {
            format!(
                "{s:?} is not a camera: use nokhwa:0, v4l2:/dev/v4l/by-id/..., replay:PATH, replay:PATH?fps=15&loop=0 or none"
            )
        };
        let (kind, rest) = s.split_once(':').unwrap_or((s, ""));
        match kind {
            "none" if kind == s => Ok(Self::None),
            "nokhwa" => camera(CameraDriver::Nokhwa, rest).map(Self::Camera),
            "v4l2" => camera(CameraDriver::V4l2, rest).map(Self::Camera),
            "replay" if !rest.is_empty() => replay(rest).map(Self::Replay),
            _ => Err(usage()),
        }
    }
}

fn camera(driver: CameraDriver, rest: &str) -> Result<Camera, String> {
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let place = match place {
        "" => CameraPlace::First,
        path if path.starts_with('/') => CameraPlace::Path(path.into()),
        index => CameraPlace::Index(index.parse().map_err(|_| {
            format!(
                "{index:?} is no camera: give its number, its path (/dev/v4l/by-id/...), or nothing for the first one"
            )
        })?),
    };
    let mut camera = Camera { driver, place, ..Camera::default() };
    for option in options.split('&').filter(|o| !o.is_empty()) {
        let usage = || {
            format!(
                "{option:?} is not an option of a camera: use focus=auto, focus=NUMBER, exposure=auto or exposure=NUMBER"
            )
        };
        let (name, value) = option.split_once('=').ok_or_else(usage)?;
        let adjusted = match value {
            "auto" => Adjusted::Auto,
            number => Adjusted::At(number.parse().map_err(|_| usage())?),
        };
        match name {
            "focus" => camera.focus = adjusted,
            "exposure" => camera.exposure = adjusted,
            _ => return Err(usage()),
        }
    }
    Ok(camera)
}

fn replay(rest: &str) -> Result<Replay, String> {
    let (path, options) = rest.rsplit_once('?').unwrap_or((rest, ""));
    let mut replay = Replay { path: path.into(), fps: 15.0, repeat: true };
    for option in options.split('&').filter(|o| !o.is_empty()) {
        match option.split_once('=') {
            Some(("fps", value)) => {
                // A pause longer than any duration is no pace.
                let fps = value.parse().ok().filter(|fps: &f64| *fps == 0.0 || (0.01..=1000.0).contains(fps));
                replay.fps = fps.ok_or_else(|| {
                    format!("fps={value}: give 0 for as fast as they are judged, or a number from 0.01 to 1000")
                })?;
            }
            Some(("loop", "0")) => replay.repeat = false,
            Some(("loop", "1")) => replay.repeat = true,
            _ => return Err(format!("{option:?} is not an option of replay: use fps=15 and loop=0 or loop=1")),
        }
    }
    Ok(replay)
}

impl TryFrom<String> for CameraSource {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<CameraSource> for String {
    fn from(source: CameraSource) -> Self {
        match source {
            CameraSource::None => "none".into(),
            CameraSource::Camera(camera) => {
                let place = match &camera.place {
                    CameraPlace::First => String::new(),
                    CameraPlace::Index(index) => format!(":{index}"),
                    CameraPlace::Path(path) => format!(":{}", path.display()),
                };
                let option = |name: &str, adjusted| match adjusted {
                    Adjusted::Auto => None,
                    Adjusted::At(value) => Some(format!("{name}={value}")),
                };
                let options: Vec<_> = [option("focus", camera.focus), option("exposure", camera.exposure)]
                    .into_iter()
                    .flatten()
                    .collect();
                let mark = if options.is_empty() {
                    ""
                } else if place.is_empty() {
                    ":?"
                } else {
                    "?"
                };
                format!("{}{place}{mark}{}", camera.driver.name(), options.join("&"))
            }
            CameraSource::Replay(r) => {
                format!("replay:{}?fps={}&loop={}", r.path.display(), r.fps, u8::from(r.repeat))
            }
        }
    }
}

/// A scan engine: `hid:/dev/input/by-id/...` or `serial:/dev/ttyACM0?baud=9600`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reader {
    /// A keyboard.
    Hid(PathBuf),
    /// A serial line.
    Serial {
        /// Its device.
        path: PathBuf,
        /// Bits a second; USB does not ask.
        baud: u32,
    },
}

/// What most engines are set to.
const BAUD: u32 = 9600;

impl FromStr for Reader {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let usage = || {
            format!(
                "{s:?} is not a reader: use hid:/dev/input/by-id/... or serial:/dev/ttyACM0?baud={BAUD} (300 to 4000000)"
            )
        };
        match s.split_once(':') {
            Some(("hid", path)) if path.starts_with('/') => Ok(Self::Hid(path.into())),
            Some(("serial", rest)) if rest.starts_with('/') => {
                let (path, option) = rest.split_once('?').unwrap_or((rest, ""));
                let baud = match option.split_once('=') {
                    None if option.is_empty() => BAUD,
                    Some(("baud", baud)) => {
                        baud.parse().ok().filter(|baud| (300..=4_000_000).contains(baud)).ok_or_else(usage)?
                    }
                    _ => return Err(usage()),
                };
                Ok(Self::Serial { path: path.into(), baud })
            }
            _ => Err(usage()),
        }
    }
}

impl Reader {
    /// Its device.
    pub fn path(&self) -> &Path {
        match self {
            Self::Hid(path) | Self::Serial { path, .. } => path,
        }
    }
}

impl std::fmt::Display for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hid(path) => write!(f, "hid:{}", path.display()),
            Self::Serial { path, baud } => write!(f, "serial:{}?baud={baud}", path.display()),
        }
    }
}

impl TryFrom<String> for Reader {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<Reader> for String {
    fn from(reader: Reader) -> Self {
        reader.to_string()
    }
}

/// Where the guard looks: `window`, `linuxkms`, `none`, or `picture:FILE` for a PNG of what would be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScreenKind {
    /// A desktop window.
    Window,
    /// The whole screen, with no desktop.
    LinuxKms,
    /// A PNG file, written anew with each change.
    Picture(PathBuf),
    /// Nowhere.
    None,
}

impl FromStr for ScreenKind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "window" => Ok(Self::Window),
            "linuxkms" => Ok(Self::LinuxKms),
            "none" => Ok(Self::None),
            _ => match s.strip_prefix("picture:") {
                Some(path) if !path.is_empty() => Ok(Self::Picture(path.into())),
                _ => Err(format!("{s:?} is not a screen: use window, linuxkms, picture:FILE or none")),
            },
        }
    }
}

impl TryFrom<String> for ScreenKind {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<ScreenKind> for String {
    fn from(kind: ScreenKind) -> Self {
        match kind {
            ScreenKind::Window => "window".into(),
            ScreenKind::LinuxKms => "linuxkms".into(),
            ScreenKind::Picture(path) => format!("picture:{}", path.display()),
            ScreenKind::None => "none".into(),
        }
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// Not TOML, or a value of the wrong type.
    #[error("{0}: {1}")]
    Parse(PathBuf, toml::de::Error),
    /// Keys that do not exist.
    #[error("{}: {}", .0.display(), .1.join("; "))]
    UnknownKeys(PathBuf, Vec<String>),
    /// A value that makes no sense.
    #[error("{0}: {1}")]
    Value(PathBuf, String),
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::Read(path.to_owned(), e))?;
        Self::parse(path, &text)
    }

    /// The defaults, with what a faulty file still says of where, and in which language, its fault is to be shown.
    pub fn glance(path: &Path) -> Self {
        let text = std::fs::read(path).unwrap_or_default();
        Self::glimpse(&String::from_utf8_lossy(&text))
    }

    fn glimpse(text: &str) -> Self {
        let (table, _) = toml::de::DeTable::parse_recoverable(text);
        let said = |key: &str| table.get_ref().get(key).and_then(|value| value.get_ref().as_str());
        let default = Self::default();
        Self {
            screen: said("screen").and_then(|s| s.parse().ok()).unwrap_or(default.screen),
            language: said("language").and_then(|s| Language::from_str(s, false).ok()).unwrap_or(default.language),
            lane: said("lane").map_or(default.lane, str::to_owned),
            ..default
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let parse_error = |e| ConfigError::Parse(path.to_owned(), e);
        let given: toml::Table = toml::from_str(text).map_err(parse_error)?;
        let known = known_keys();
        let unknown: Vec<String> =
            keys(&given).into_iter().filter(|key| !known.contains(key)).map(|key| complain(&key, &known)).collect();
        if !unknown.is_empty() {
            return Err(ConfigError::UnknownKeys(path.to_owned(), unknown));
        }
        let config: Self = toml::from_str(text).map_err(parse_error)?;
        config.check().map_err(|problem| ConfigError::Value(path.to_owned(), problem))?;
        Ok(config)
    }

    /// What the types alone do not forbid.
    fn check(&self) -> Result<(), String> {
        let lane = self.lane.len();
        if lane == 0 || lane > 64 || self.lane.chars().any(char::is_control) {
            return Err("lane must have 1 to 64 bytes and no control characters".into());
        }
        if !(50..=60_000).contains(&self.gate.pulse_ms) {
            return Err("gate.pulse_ms must be from 50 to 60000".into());
        }
        if !(500..=60_000).contains(&self.gate.passage_wait_ms) {
            return Err("gate.passage_wait_ms must be from 500 to 60000".into());
        }
        if self.gate.opens == GateOpens::Hold && self.gate.passage_line.is_none() {
            return Err(
                "gate.opens is hold, so gate.passage_line must name the contact that tells who went through".into()
            );
        }
        if self.gate.door_held_s > 3600 {
            return Err("gate.door_held_s must be at most 3600".into());
        }
        self.check_lines()?;
        let readers: Vec<_> = self.readers.iter().map(Reader::path).collect();
        if let Some((_, twice)) = readers.iter().enumerate().find(|(at, path)| readers[..*at].contains(path)) {
            return Err(format!("readers has {} twice; each reader is one entry", twice.display()));
        }
        if let Some((scheme, _)) = self.registry.split_once("://")
            && !matches!(scheme, "http" | "https")
        {
            return Err("registry must be an address with http or https, a folder, or empty".into());
        }
        if !(5..=86_400).contains(&self.sync.every_s) {
            return Err("sync.every_s must be from 5 to 86400".into());
        }
        if !(1..=1440).contains(&self.guards.log_out_after_min) {
            return Err("guards.log_out_after_min must be from 1 to 1440".into());
        }
        if self.journal.keep_days > 3_650 {
            return Err("journal.keep_days must be at most 3650".into());
        }
        if self.journal.space_low_mb > 1_000_000 {
            return Err("journal.space_low_mb must be at most 1000000".into());
        }
        if self.sync.stick.is_relative() && !self.sync.stick.as_os_str().is_empty() {
            return Err("sync.stick must be a whole path, such as /run/tongguan/stick, or empty".into());
        }
        if !(500..=60_000).contains(&self.show.verdict_ms) {
            return Err("show.verdict_ms must be from 500 to 60000".into());
        }
        if self.show.person_s > 3600 {
            return Err("show.person_s must be at most 3600".into());
        }
        if self.sound.volume > 100 {
            return Err("sound.volume must be from 0 to 100".into());
        }
        if self.clock.unsynced_error_s > 86_400 {
            return Err("clock.unsynced_error_s must be at most 86400".into());
        }
        for (name, ppm) in [("drift_ppm", self.clock.drift_ppm), ("rtc_drift_ppm", self.clock.rtc_drift_ppm)] {
            if !(1..=10_000).contains(&ppm) {
                return Err(format!("clock.{name} must be from 1 to 10000"));
            }
        }
        if self.gate.driver == GateDriver::Gpiocdev && self.gate.chip.is_none() {
            return Err("gate.driver is gpiocdev, so gate.chip must name the chip (its path or its label)".into());
        }
        Ok(())
    }

    /// No line is used for two things.
    fn check_lines(&self) -> Result<(), String> {
        let lines = [
            ("gate.line, which drives the relay", Some(self.gate.line)),
            ("gate.passage_line", self.gate.passage_line),
            ("gate.fire_line", self.gate.fire_line),
            ("signals.buzzer_line", self.signals.buzzer_line),
            ("signals.pass_lamp_line", self.signals.pass_lamp_line),
            ("signals.deny_lamp_line", self.signals.deny_lamp_line),
            ("signals.torch_line", self.signals.torch_line),
        ];
        for (i, (name, line)) in lines.iter().enumerate() {
            if let Some((other, _)) = lines[..i].iter().find(|(_, earlier)| line.is_some() && earlier == line) {
                return Err(format!("{name} must be another line than {other}"));
            }
        }
        Ok(())
    }
}

/// Every key there is, as `section.key`.
fn known_keys() -> Vec<String> {
    let mut full = Config::default();
    // An absent option would be a missing key.
    full.gate.chip = Some(String::new());
    full.gate.passage_line = Some(0);
    full.gate.fire_line = Some(0);
    let SignalsConfig { buzzer_line, pass_lamp_line, deny_lamp_line, torch_line, .. } = &mut full.signals;
    for line in [buzzer_line, pass_lamp_line, deny_lamp_line, torch_line] {
        *line = Some(0);
    }
    toml::Table::try_from(&full).map(|table| keys(&table)).unwrap_or_default()
}

fn keys(table: &toml::Table) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        all.push(key.clone());
        if let toml::Value::Table(inner) = value {
            all.extend(keys(inner).into_iter().map(|k| format!("{key}.{k}")));
        }
    }
    all
}

fn complain(key: &str, known: &[String]) -> String {
    let likeness = |k: &&String| {
        // `pulse_ms` at the top level means `gate.pulse_ms`.
        let last = |s: &str| s.rsplit('.').next().unwrap_or(s).to_owned();
        strsim::jaro_winkler(key, k).max(strsim::jaro_winkler(&last(key), &last(k)) * 0.98)
    };
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest {
        Some(nearest) if likeness(&nearest) > 0.6 => format!("there is no key {key:?}; did you mean {nearest:?}?"),
        _ => format!("there is no key {key:?}; the keys are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("t.toml"), text)
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn the_documented_example_is_the_defaults_and_names_every_key() {
        let text = include_str!("../tongguan.example.toml");
        let example = parse(text).unwrap();
        assert_eq!(
            Config { gate: GateConfig { chip: None, passage_line: None, ..example.gate.clone() }, ..example },
            Config::default()
        );
        for key in known_keys() {
            let last = key.rsplit('.').next().unwrap();
            assert!(text.contains(&format!("{last} =")) || text.contains(&format!("[{last}]")), "{key}");
        }
    }

    #[test]
    fn a_wrong_key_is_named_with_the_nearest_right_one() {
        for (text, wrong, right) in [
            ("camrea = \"none\"", "camrea", "camera"),
            ("[gate]\npulse = 300", "gate.pulse", "gate.pulse_ms"),
            ("pulse_ms = 300", "pulse_ms", "gate.pulse_ms"),
            ("[gaet]\nline = 4", "gaet", "gate"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("no key {wrong:?}; did you mean {right:?}?")), "{error}");
        }
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (text, hint) in [
            ("[gate]\npulse_ms = 0", "gate.pulse_ms"),
            ("[gate]\npulse_ms = \"long\"", "pulse_ms"),
            ("[gate]\ndriver = \"gpiocdev\"", "gate.chip"),
            ("camera = \"webcam\"", "nokhwa:0"),
            ("screen = \"tv\"", "linuxkms"),
            ("readers = [\"usb:1\"]", "hid:/dev/input/by-id"),
            ("readers = [\"serial:/dev/ttyS0?baud=1\"]", "serial:/dev/ttyACM0"),
            (
                "readers = [\"serial:/dev/ttyACM0\", \"serial:/dev/ttyACM0?baud=19200\"]",
                "readers has /dev/ttyACM0 twice",
            ),
            ("registry = \"ftp://x\"", "http or https"),
            ("lane = \"\"", "lane"),
            ("theme = \"dawn\"", "theme"),
            ("[show]\nperson_s = 3601", "show.person_s"),
            ("[sound]\nvolume = 101", "sound.volume"),
            ("[gate]\nopens = \"hold\"", "gate.passage_line must name the contact"),
            ("[gate]\nfire_line = 17", "gate.fire_line must be another line than gate.line"),
            ("[gate]\npassage_line = 17", "gate.passage_line must be another line than gate.line"),
            ("[signals]\nbuzzer_line = 17", "signals.buzzer_line must be another line than gate.line"),
            (
                "[signals]\nbuzzer_line = 5\ndeny_lamp_line = 5",
                "signals.deny_lamp_line must be another line than signals.buzzer_line",
            ),
            ("not toml", "t.toml"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn a_faulty_file_still_says_where_its_fault_is_to_be_shown() {
        for fault in ["camera = \"webcam\"", "camrea = 1", "pulse_ms = = 3", "[gate", "lane = 7", "half = \"a"] {
            let text = format!("screen = \"linuxkms\"\nlanguage = \"en\"\n{fault}\n");
            assert!(parse(&text).is_err());
            let seen = Config::glimpse(&text);
            assert_eq!((seen.screen, seen.language), (ScreenKind::LinuxKms, Language::En), "{fault}");
        }
        assert_eq!(Config::glimpse("screen = \"tv\"\n\0 ="), Config::default());
    }

    #[test]
    fn cameras_are_read_as_they_are_written() {
        for text in [
            "none",
            "nokhwa",
            "nokhwa:2",
            "v4l2:/dev/v4l/by-id/usb-A_B-video-index0?focus=30&exposure=200",
            "v4l2:?focus=30",
            "replay:/a/b?fps=7.5&loop=0",
            "replay:C?x.y4m?fps=15&loop=1",
        ] {
            let source: CameraSource = text.parse().unwrap();
            assert_eq!(String::from(source), text);
        }
        for wrong in [
            "",
            "none:",
            "nokhwa:x",
            "v4l2:-1",
            "v4l2:0?focus=near",
            "v4l2:0?iris=3",
            "replay:",
            "replay:/a?speed=2",
            "replay:/a?fps=-1",
            "replay:/a?fps=1e-300",
            "replay:/a?fps=NaN",
            "replay:/a?loop=2",
        ] {
            assert!(wrong.parse::<CameraSource>().is_err(), "{wrong}");
        }
    }
}
