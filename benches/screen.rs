//! What the screen costs a gate, in a real window (an X server or Wayland must be there; `make screen-bench` starts one):
//! the CPU that a live preview takes, and whether a screen that is redrawn all the time delays decoding or the relay.
//! Each part is a process of its own, and both parts of a comparison are measured in one run.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tongguan::clock::{Clock, Linux, Settings, TrustedClock};
use tongguan::config::{CameraSource, Config};
use tongguan::gate::{Gate, Signals, Simulated};
use tongguan::lane::{Lane, Parts};
use tongguan::lang::Text;
use tongguan::screen::{self, Backend, Offer, Options, Outcome, Screen, Shown};
use tongguan::sound::Sound;
use tongguan::store::{DataDir, Journal, TrustStore};
use tongguan::sync::SyncState;

const FRAMES: usize = 150;
const IDLE_FOR: Duration = Duration::from_secs(20);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).filter(|arg| *arg != "--bench").collect();
    match args[..] {
        ["still"] => idle(false),
        ["live"] => idle(true),
        ["quiet", gate, frames] => lane(gate, frames, false),
        ["busy", gate, frames] => lane(gate, frames, true),
        _ => compare(),
    }
}

fn compare() {
    println!("CPU of the idle ready page, 800x480, for {} s each:", IDLE_FOR.as_secs());
    for part in ["still", "live"] {
        again(&[part]);
    }
    let dir = tempfile::tempdir().unwrap();
    let frames = dir.path().join("frames").display().to_string();
    let gates = ["quiet", "busy"].map(|part| (part, dir.path().join(part).display().to_string()));
    prepare(dir.path(), &frames, gates.each_ref().map(|(_, gate)| gate.as_str()));
    println!(
        "\n{FRAMES} codes in frames of 640x480 at 10 fps, microseconds{:>10} {:>8} {:>8} {:>8}",
        "p50", "p90", "p99", "max"
    );
    for (part, gate) in &gates {
        again(&[part, gate, &frames]);
    }
}

/// A part in a process of its own: a process has one screen.
fn again(args: &[&str]) {
    assert!(Command::new(std::env::current_exe().unwrap()).args(args).status().unwrap().success(), "{args:?}");
}

/// Runs a window for as long as `work` takes.
fn window(work: impl FnOnce(&Screen) + Send + 'static) {
    let options = Options { backend: Backend::Window, lane_name: "1".into(), ..Options::default() };
    let worker = screen::run(options, |screen, _| {
        Ok(std::thread::spawn(move || {
            work(&screen);
            screen.quit();
        }))
    });
    worker.unwrap().join().unwrap();
}

fn idle(live: bool) {
    window(move |screen| {
        let mut frame: Vec<u8> = (0..640 * 480).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
        screen.preview(640, 480, &frame, None);
        std::thread::sleep(Duration::from_secs(2));
        let (before, started) = (cpu(), Instant::now());
        while started.elapsed() < IDLE_FOR {
            std::thread::sleep(Duration::from_millis(84));
            if live {
                frame.rotate_left(640);
                screen.preview(640, 480, &frame, None);
            }
        }
        let share = (cpu() - before).as_secs_f64() / started.elapsed().as_secs_f64() * 100.0;
        let what = if live { "live preview, 12 pictures a second" } else { "one picture that stays" };
        println!("  {what:<36} {share:>6.1} % of one core");
    });
}

/// What this process has used, by the kernel's ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// A lane that judges all frames, before a screen that shows its verdicts, or one that is made to redraw all of itself as well.
fn lane(gate: &str, frames: &str, busy: bool) {
    let dir = DataDir::open(Path::new(gate)).unwrap();
    let mut config = Config { camera: format!("replay:{frames}?fps=10&loop=0").parse().unwrap(), ..Config::default() };
    assert!(matches!(config.camera, CameraSource::Replay(_)));
    config.data_dir = gate.into();
    let settings = Settings { drift_ppm: 100, rtc_drift_ppm: 100, unsynced_error: Duration::from_secs(60) };
    let clock: Arc<dyn Clock> = Arc::new(TrustedClock::new(Linux { rtc: None }, settings, None));
    let trust = Arc::new(RwLock::new(TrustStore::open(&dir).unwrap().load().unwrap()));
    let journal = Arc::new(Journal::open(&dir).unwrap());
    let driver = Gate::new(Box::new(Simulated::default()), Duration::from_millis(50)).unwrap();
    let events = dir.path().join("events");
    let out = Box::new(std::fs::File::create(&events).unwrap());
    let (_touch, requests) = crossbeam_channel::unbounded();
    let guards = dir.guards_file();
    let ended = Arc::new(AtomicBool::new(false));
    let redrawn = Arc::new(AtomicU32::new(0));
    let (over, count) = (Arc::clone(&ended), Arc::clone(&redrawn));
    let before = cpu();
    let lane = screen::run(Options { backend: Backend::Window, ..Options::default() }, move |screen, _| {
        let hurried = screen.clone();
        let lane = Lane::start(Parts {
            signals: Signals::new(Vec::new(), true, Duration::ZERO),
            torch: None,
            sound: Sound::default(),
            config,
            trust,
            journal,
            clock,
            gate: driver,
            screen,
            events: Some(out),
            requests,
            guards,
            sync: Arc::new(Mutex::new(SyncState::default())),
            rosters: None,
        });
        if busy {
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let even = count.fetch_add(1, Ordering::Relaxed) % 2 == 0;
                    hurried.verdict(other(if even { Outcome::Deny } else { Outcome::Confirm }));
                    std::thread::sleep(Duration::from_millis(16));
                }
            });
        }
        lane
    });
    lane.unwrap().join().unwrap();
    ended.store(true, Ordering::Relaxed);
    let events: Vec<Value> =
        std::fs::read_to_string(events).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() > FRAMES * 9 / 10, "{} of {FRAMES} codes were judged", events.len());
    let name = if busy { "busy" } else { "quiet" };
    let asked = redrawn.load(Ordering::Relaxed);
    println!(
        "  {name}: {} judged, {asked} further pages asked for, {:.1} s of CPU",
        events.len(),
        (cpu() - before).as_secs_f64()
    );
    let field = |event: &Value, name: &str| event["latency_us"][name].as_u64().unwrap();
    row("capture: frame to decoder", &events, &|e| field(e, "capture"));
    row("decode: frame to text", &events, &|e| field(e, "decode"));
    row("text to relay", &events, &|e| field(e, "decide") + field(e, "relay"));
}

fn row(name: &str, events: &[Value], of: &dyn Fn(&Value) -> u64) {
    let mut all: Vec<u64> = events.iter().map(of).collect();
    all.sort_unstable();
    let at = |percent: usize| all[(all.len() - 1) * percent / 100];
    println!("    {name:<50} {:>8} {:>8} {:>8} {:>8}", at(50), at(90), at(99), at(100));
}

/// A page that differs everywhere from the one before.
fn other(outcome: Outcome) -> Shown {
    let text = || Text::new("屏幕忙", "The screen is kept busy");
    Shown {
        what: None,
        who: None,
        outcome,
        title: text(),
        guard: text(),
        resident: text(),
        reason: "busy".into(),
        gate_open: false,
        offer: Offer::Nothing,
        token: 0,
    }
}

/// A city, a picture of each of its residents' codes, and gates that let them in.
fn prepare(dir: &Path, frames: &str, gates: [&str; 2]) {
    let checkpoint = Path::new(env!("CARGO_BIN_EXE_tongguan"));
    let registry = checkpoint.with_file_name("tongguan-registry");
    assert!(registry.exists(), "build tongguan-registry first (make screen-bench does)");
    let path = |name: &str| dir.join(name).display().to_string();
    let (city, stick) = (path("registry"), path("stick"));
    run(&registry, &["init", "--data", &city, "--json"]);
    std::fs::create_dir(frames).unwrap();
    for i in 0..FRAMES {
        let person = &run(&registry, &["person", "add", "--name", "bench", "--data", &city, "--json"])[0];
        let id = person["person"].as_str().unwrap();
        let code = &run(&registry, &["code", "live", "--person", id, "--data", &city, "--json"])[0];
        let qr =
            qrcode::QrCode::with_error_correction_level(code["code"].as_str().unwrap(), qrcode::EcLevel::M).unwrap();
        let picture: image::GrayImage = qr.render::<image::Luma<u8>>().module_dimensions(6, 6).build();
        let mut frame = image::GrayImage::from_pixel(640, 480, image::Luma([90]));
        image::imageops::replace(&mut frame, &picture, 160, 80);
        frame.save(format!("{frames}/{i:04}.pgm")).unwrap();
    }
    run(&registry, &["bundle", &stick, "--data", &city, "--json"]);
    for gate in gates {
        run(checkpoint, &["init", "--data", gate, "--registry", "", "--root", &format!("{city}/root.pub"), "--json"]);
        run(checkpoint, &["sync", "--data", gate, "--from", &stick, "--json"]);
    }
}

fn run(program: &Path, args: &[&str]) -> Vec<Value> {
    let output = Command::new(program).args(args).env("TONGGUAN_LOG", "warn").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}
