//! `tongguan run`: the parts opened, wired and ended in order.

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use crossbeam_channel::Receiver;
use tongguan::clock::Clock;
use tongguan::config::{CameraSource, Config, ConfigError, GateDriver, ScreenKind};
use tongguan::gate::{self, GateError, Outputs, Signals};
use tongguan::lane::{Lane, Parts};
use tongguan::lang::{Language, Text};
use tongguan::roster::StoredRosters;
use tongguan::scan::Readers;
use tongguan::screen::{self, Backend, Offer, Outcome, Request, Screen, Shown};
use tongguan::sound::Sound;
use tongguan::store::{DataDir, DeviceKey, Journal, StoreError, Trust, TrustStore, keep_reserve, use_reserve};
use tongguan::sync::{self, Housekeeping, Limits, Schedule, StickWatch, SyncState, Syncer};
use tongguan::watchdog::{self, Watchdog};

use super::{Answer, Place, clock, in_words};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    place: Place,
    /// Where frames come from: nokhwa:INDEX or v4l2:INDEX (or a path of /dev/v4l/by-id), replay:PATH (a folder of pictures, a .y4m
    /// or .mjpeg file; `?fps=15&loop=0`), none
    #[arg(long, value_name = "SOURCE")]
    camera: Option<CameraSource>,
    /// What drives the relay; auto is rppal on a Raspberry Pi, else gpiocdev if a chip is configured, else sim
    #[arg(long, value_name = "DRIVER")]
    gate: Option<GateDriver>,
    /// Where the guard looks: window, linuxkms, picture:FILE, none
    #[arg(long, value_name = "SCREEN")]
    screen: Option<ScreenKind>,
    /// Print each event as a JSON object as it is journaled: - for standard output
    #[arg(long, value_name = "-|FILE")]
    events: Option<PathBuf>,
}

impl RunArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        // A gate whose configuration is faulty has a screen all the same, and somebody before it.
        let (mut config, mut fault) = match self.place.config() {
            Ok(config) => (config, None),
            Err(fault) => (self.place.file().map_or_else(Config::default, |path| Config::glance(&path)), Some(fault)),
        };
        config.camera = self.camera.clone().unwrap_or(config.camera);
        config.gate.driver = self.gate.unwrap_or(config.gate.driver);
        config.screen = self.screen.clone().unwrap_or(config.screen);
        let options = screen::Options {
            backend: match &config.screen {
                ScreenKind::Window => Backend::Window,
                ScreenKind::LinuxKms => Backend::LinuxKms,
                ScreenKind::Picture(path) => Backend::Picture(path.clone()),
                ScreenKind::None => Backend::None,
            },
            theme: config.theme,
            // What a technician chose on the service page goes before what was configured.
            language: chosen_language(&config).unwrap_or(config.language),
            lane_name: config.lane.clone(),
            attended: config.attended,
            verdict_for: Duration::from_millis(config.show.verdict_ms),
            ..screen::Options::default()
        };
        let times = if config.screen == ScreenKind::None { 0 } else { FAILURE_SHOWN };
        let shown = screen::run(options, |screen, requests| {
            let running = match fault.take() {
                Some(fault) => Err(fault),
                None => self.events().and_then(|events| Running::start(config, screen.clone(), requests, events)),
            };
            if let Err(error) = &running {
                show_failure(&screen, error, times)?;
            }
            Ok(running)
        });
        if let (Err(no_screen), Some(fault)) = (&shown, fault) {
            tracing::warn!("there is no screen to show it on: {}", in_words(no_screen));
            return Err(fault);
        }
        shown??.end()?;
        Ok(Answer::Yes)
    }

    /// Where events are printed.
    fn events(&self) -> anyhow::Result<Option<Box<dyn Write + Send>>> {
        Ok(match &self.events {
            None => None,
            Some(path) if path.as_os_str() == "-" => Some(Box::new(std::io::stdout())),
            Some(path) => {
                let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
                Some(Box::new(file.with_context(|| format!("cannot write events to {}", path.display()))?))
            }
        })
    }
}

fn chosen_language(config: &Config) -> Option<Language> {
    Language::kept(&DataDir::open(&config.data_dir).ok()?.language_file())
}

/// How often a failure is shown anew before the program ends and whoever started it tries again: verdicts fade.
const FAILURE_SHOWN: u32 = 20;

/// Fills the screen with why the gate cannot start.
fn show_failure(screen: &Screen, error: &anyhow::Error, times: u32) -> anyhow::Result<()> {
    let (screen, why) = (screen.clone(), in_words(error));
    watchdog::cannot_start(&why);
    if times > 0 {
        tracing::warn!("cannot start, which the screen says for {} s: {why}", times / 2);
    }
    let shown = Shown {
        outcome: Outcome::Deny,
        title: Text::new("无法启动", "Cannot start"),
        guard: Text::new(format!("{}：{why}", cause(error)), why),
        resident: Text::new("请联系值班人员", "Please ask the guard"),
        what: None,
        who: None,
        reason: "not_started".to_owned(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    };
    std::thread::Builder::new().name("failure".into()).spawn(move || {
        for _ in 0..times {
            screen.verdict(shown.clone());
            std::thread::sleep(Duration::from_millis(500));
        }
        screen.quit();
    })?;
    Ok(())
}

/// What is wrong, in Chinese; the detail that follows is technical, and in English.
fn cause(error: &anyhow::Error) -> String {
    let of = |cause: &(dyn std::error::Error + 'static)| {
        let store = cause.downcast_ref::<StoreError>().map(|e| e.words().zh);
        let gate = || cause.downcast_ref::<GateError>().map(|e| e.words().zh);
        let config = || cause.is::<ConfigError>().then(|| "配置文件有误，请改正后再启动".to_owned());
        store.or_else(gate).or_else(config)
    };
    error.chain().find_map(of).unwrap_or_else(|| "启动出错，请通知管理员".to_owned())
}

/// Everything that runs beside the screen.
struct Running {
    /// Taken when it is joined.
    lane: Option<Lane>,
    stop_lane: Box<dyn Fn() + Send>,
    /// Dropped to stop the threads that sync.
    _stop_sync: Vec<Sender<()>>,
    /// Dropped when the gate begins to end.
    watchdog: Option<Watchdog>,
    /// No second gate on this data folder.
    _lock: std::fs::File,
}

impl Running {
    fn start(
        config: Config,
        screen: Screen,
        requests: Receiver<Request>,
        events: Option<Box<dyn Write + Send>>,
    ) -> anyhow::Result<Self> {
        let dir = &DataDir::open(&config.data_dir)?;
        let lock = dir.lock()?;
        let (store, loaded, journal) = match open_stores(dir) {
            Err(error) if use_reserve(dir.path()) => {
                tracing::error!("{error}; the gate starts in the room that was kept for this: free some space now");
                open_stores(dir)?
            }
            opened => opened?,
        };
        keep_reserve(dir.path());
        let journal = Arc::new(journal);
        for taken in journal.take_over()? {
            tracing::warn!(
                seq = taken.seq,
                "the last run ended while it opened the gate; the event is now in the journal"
            );
        }
        let clock: Arc<dyn Clock> = Arc::new(clock(&config, dir));
        match loaded.head.as_ref().zip(loaded.issued_at()) {
            None => tracing::warn!("never synced: no code can be judged until the lists are here"),
            Some((head, issued_at)) => {
                clock.raise_floor(issued_at);
                let revoked = loaded.revocations.entries().len();
                tracing::info!(version = head.version, %issued_at, revoked, "lists");
            }
        }
        let trust = Arc::new(RwLock::new(loaded));
        // Before anything is driven: whoever must let go of it may find another configuration.
        if let Err(error) = Outputs::new(&config.gate, &config.signals).keep(&dir.outputs_file()) {
            tracing::warn!("what this gate drives cannot be kept for `tongguan release`: {error}");
        }
        let gate = gate::open(&config.gate, &config.signals)?;
        tracing::info!("gate: {}", gate.describe());
        let signals = Signals::open(&config.gate, &config.signals, Duration::from_millis(config.show.verdict_ms));
        let readers = Readers::start(&config.readers)?;
        let torch = gate::torch(&config.gate, &config.signals);

        let state = Arc::new(Mutex::new(SyncState::default()));
        let syncer = Syncer {
            transport: (!config.registry.is_empty()).then(|| sync::open(&config.registry, dir.partial_file())),
            store: store.serving(&config.policy.communities),
            journal: Arc::clone(&journal),
            device: DeviceKey::open(dir)?,
            clock: Arc::clone(&clock),
            trust: Arc::clone(&trust),
            state: Arc::clone(&state),
            schedule: Schedule { every: Duration::from_secs(config.sync.every_s) },
            housekeeping: Housekeeping::new(Arc::clone(&journal), dir.path().to_owned(), limits(&config)),
        };
        let (stop_sync, stopped) = channel();
        std::thread::Builder::new().name("sync".into()).spawn(move || syncer.run(&stopped))?;
        let mut stop_sync = vec![stop_sync];
        if !config.sync.stick.as_os_str().is_empty() {
            let watch = StickWatch {
                folder: config.sync.stick.clone(),
                store: TrustStore::open(dir)?.serving(&config.policy.communities),
                journal: Arc::clone(&journal),
                device: DeviceKey::open(dir)?,
                clock: Arc::clone(&clock),
                state: Arc::clone(&state),
            };
            let (stop, stopped) = channel();
            std::thread::Builder::new().name("stick".into()).spawn(move || watch.run(&stopped))?;
            stop_sync.push(stop);
        }

        let (lane_name, pinged) = (config.lane.clone(), screen.clone());
        let (guards, sound) = (dir.guards_file(), Sound::start(&config.sound)?);
        let rosters = StoredRosters::open(dir).inspect_err(|e| tracing::warn!("nobody can be looked up: {e}")).ok();
        let parts = Parts {
            config,
            trust,
            journal,
            clock,
            gate,
            screen,
            signals,
            torch,
            readers,
            sound,
            events,
            requests,
            guards,
            sync: state,
            rosters,
        };
        let lane = Lane::start(parts)?;
        let stop_lane = Box::new(lane.stopper());
        stop_on_signals(lane.stopper())?;
        let (hearts, asked) = (lane.hearts(), lane.hearts());
        let watchdog = Watchdog::start(&lane_name, hearts, move || pinged.ping(&asked))?;
        Ok(Self { lane: Some(lane), watchdog: Some(watchdog), stop_lane, _stop_sync: stop_sync, _lock: lock })
    }

    fn end(mut self) -> anyhow::Result<()> {
        self.watchdog.take();
        (self.stop_lane)();
        let ended = self.lane.take().map_or(Ok(()), Lane::join);
        // A sync in mid-air is not waited for: it writes in one transaction or not at all.
        ended
    }
}

fn limits(config: &Config) -> Limits {
    let keep = Duration::from_secs(u64::from(config.journal.keep_days) * 86_400);
    Limits { keep, space_low_mb: config.journal.space_low_mb }
}

fn open_stores(dir: &DataDir) -> Result<(TrustStore, Arc<Trust>, Journal), StoreError> {
    let store = TrustStore::open(dir)?;
    let loaded = store.load()?;
    Ok((store, loaded, Journal::open(dir)?))
}

/// A screen that fails must not take the process down in mid-pulse.
impl Drop for Running {
    fn drop(&mut self) {
        (self.stop_lane)();
        if let Some(Err(error)) = self.lane.take().map(Lane::join) {
            tracing::error!("{error:#}");
        }
    }
}

/// SIGINT and SIGTERM end the lane, which ends the screen, which ends the program, with the relay released.
fn stop_on_signals(stop: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for _ in signals.forever() {
            tracing::info!("stopping");
            stop();
        }
    })?;
    Ok(())
}
