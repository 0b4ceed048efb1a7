//! Camera, pins, scan engines and screen: whether they are there, and obey.

use std::time::{Duration, Instant};

use super::Check;
use crate::capture::{self, CaptureError, Luma};
use crate::config::{CameraSource, Config, ScreenKind};
use crate::decide::Level;
use crate::gate;
use crate::lang::Text;
use crate::scan;

/// For how long frames are counted.
const COUNTED: Duration = Duration::from_millis(1500);
/// Frames a second below which people wait for the camera.
const SLOW: u32 = 10;

pub(super) fn camera(config: &Config) -> Vec<Check> {
    let name = "camera";
    let CameraSource::Camera(camera) = &config.camera else {
        let (zh, en) = match &config.camera {
            CameraSource::Replay(_) if capture::open(&config.camera).is_err() => {
                let text =
                    Text::new("摄像头：录像打不开（camera）", "Camera: the recorded frames do not open (camera)");
                let advice = Text::new("请更正 camera 的路径", "Correct the path in camera");
                return vec![Check::red(name, text, advice)];
            }
            CameraSource::Replay(_) => ("摄像头：播放录像（camera）", "Camera: recorded frames (camera)"),
            _ => ("摄像头：未配置", "Camera: none is configured"),
        };
        let text = Text::new(zh, en);
        let advice = Text::new("请设置 camera 或 readers", "Set camera or readers in the configuration");
        return vec![match (&config.camera, config.readers.is_empty()) {
            (CameraSource::Replay(_), _) => Check::amber(name, text, advice),
            // It reads nothing.
            (_, true) => Check::red(name, text, advice),
            (_, false) => Check::well(name, text),
        }];
    };
    let failed = |problem: String| {
        let text = Text::new(format!("摄像头：{problem}"), format!("Camera: {problem}"));
        let advice = Text::new(
            "请检查插头和连线；再看 /dev/v4l/by-id 里有哪些摄像头，并更正 camera",
            "Check plug and cable; see which cameras are in /dev/v4l/by-id, and correct camera",
        );
        vec![Check::red(name, text, advice)]
    };
    let offers = match capture::offers(&camera.place) {
        Ok((_, offers)) => offers,
        Err(problem) => return failed(problem),
    };
    let mut checks = vec![Check::well(
        "formats",
        Text::new(
            format!("摄像头格式：{} 种", offers.len()),
            format!("Camera formats: {} that can be read", offers.len()),
        ),
    )];
    checks.extend(match frames(config) {
        Ok((size, rate, damaged)) => {
            let level = match rate {
                _ if damaged == rate => Level::Red,
                _ if rate < SLOW || damaged > 0 => Level::Amber,
                _ => Level::Green,
            };
            let (width, height) = size;
            let text = Text::new(
                format!("摄像头：{width}x{height}，每秒 {rate} 帧，损坏 {damaged} 帧"),
                format!("Camera: {width}x{height}, {rate} frames a second, {damaged} of them damaged"),
            );
            let advice = Text::new(
                "请改善照明；换一个 USB 口或短一些的线",
                "Give it more light; use another USB port or a shorter cable",
            );
            vec![Check { name, level, text, advice: (level != Level::Green).then_some(advice) }]
        }
        Err(problem) => failed(problem),
    });
    checks
}

/// Size, frames a second, and how many were damaged.
fn frames(config: &Config) -> Result<((usize, usize), u32, u32), String> {
    let mut source = capture::open(&config.camera).map_err(|e| e.to_string())?.ok_or("there is none")?;
    let mut luma = Luma::default();
    let (mut whole, mut damaged) = (0, 0);
    let mut started = None;
    while started.is_none_or(|at: Instant| at.elapsed() < COUNTED) {
        match source.next(&mut luma) {
            Ok(true) => whole += 1,
            Ok(false) => break,
            Err(CaptureError::Picture { .. }) => damaged += 1,
            Err(gone) => return Err(gone.to_string()),
        }
        // From the first frame on: opening takes its time.
        if started.is_none() {
            (started, whole, damaged) = (Some(Instant::now()), 0, 0);
        }
    }
    let ms = u32::try_from(COUNTED.as_millis()).unwrap_or(1000);
    let a_second = |count: u32| count * 1000 / ms;
    Ok(((luma.width(), luma.height()), a_second(whole + damaged), a_second(damaged)))
}

pub(super) fn gate(config: &Config) -> Vec<Check> {
    let name = "gate";
    vec![match gate::probe(&config.gate, &config.signals) {
        Ok(relay) if relay.is_simulated => Check::amber(
            name,
            Text::new("闸机：模拟的，不动任何硬件", "Gate: simulated, no hardware is moved"),
            Text::new("请设置 gate.driver", "Set gate.driver in the configuration"),
        ),
        Ok(relay) => Check::well(
            name,
            Text::new(format!("闸机：{}，引脚可用", relay.name), format!("Gate: {}, all pins can be had", relay.name)),
        ),
        Err(error) => Check::red(
            name,
            Text::new(format!("闸机：{}（{error}）", error.words().zh), format!("Gate: {error}")),
            Text::new(
                "请检查 [gate] 和 [signals] 的引脚号，以及用户是否属于 gpio 组",
                "Check the pins in [gate] and [signals], and that the user is in the group gpio",
            ),
        ),
    }]
}

pub(super) fn readers(config: &Config) -> Vec<Check> {
    let check = |reader: &crate::config::Reader| match scan::probe(reader) {
        Ok(()) => Check::well("reader", Text::new(format!("扫码器：{reader}"), format!("Reader: {reader}"))),
        Err(error) => Check::red(
            "reader",
            Text::new(
                format!("扫码器：{reader} 打不开（{error}）"),
                format!("Reader: {reader} does not open: {error}"),
            ),
            Text::new(
                "请检查插头，以及用户是否属于 input 和 dialout 组",
                "Check its plug, and that the user is in the groups input and dialout",
            ),
        ),
    };
    config.readers.iter().map(check).collect()
}

pub(super) fn screen(config: &Config) -> Vec<Check> {
    let name = "screen";
    let there = |zh: &str, en: &str| Check::well(name, Text::new(format!("屏幕：{zh}"), format!("Screen: {en}")));
    vec![match &config.screen {
        ScreenKind::None => there("无", "none is configured"),
        ScreenKind::Picture(_) => there("写入图片", "a picture"),
        ScreenKind::Window if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|key| std::env::var_os(key).is_some()) => {
            there("桌面窗口", "a window on this desktop")
        }
        ScreenKind::Window => Check::red(
            name,
            Text::new("屏幕：这里没有桌面", "Screen: there is no desktop here"),
            Text::new("没有桌面时请设 screen = \"linuxkms\"", "Without a desktop set screen = \"linuxkms\""),
        ),
        ScreenKind::LinuxKms => match devices() {
            Some(device) => there(&device, &device),
            None => Check::red(
                name,
                Text::new("屏幕：没有可用的显示设备", "Screen: no display can be opened"),
                Text::new(
                    "请检查显示屏连线，以及用户是否属于 video 组（/dev/dri、/dev/fb0）",
                    "Check the display's cable, and that the user is in the group video (/dev/dri, /dev/fb0)",
                ),
            ),
        },
    }]
}

/// The first display that can be opened.
fn devices() -> Option<String> {
    let cards = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten().map(|entry| entry.path());
    let cards = cards.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"card")));
    let mut all: Vec<_> = cards.chain(["/dev/fb0".into()]).collect();
    all.sort();
    let opens = |path: &std::path::PathBuf| std::fs::OpenOptions::new().read(true).write(true).open(path).is_ok();
    all.into_iter().find(opens).map(|path| path.display().to_string())
}
