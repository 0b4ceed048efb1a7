//! A gate's day in minutes: person after person before the camera, as fast as they are judged, while the registry comes and goes, lists
//! change, a stick is plugged in, the program is held up and its reader stalls. Every code is answered, and memory, file
//! descriptors and threads do not grow.
//!
//! `cargo test --test soak` plays a short while; `make soak` eight hours of a busy gate (`MINUTES=480`): one person every 4 s. With
//! `SOAK_PLOT=FILE.svg` the curves are drawn.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::{Checkpoint, Registry, TONGGUAN, text};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tongguan_sim::Phone;

/// A busy gate: somebody every so many seconds.
const EVERY_S: usize = 4;
const PEOPLE: usize = 24;
/// Frames for which a code is held there: on a busy computer the decoder may give up on one.
const FRAMES: usize = 4;
/// Each is shown once, so that none is taken for the one before.
const PAST: i64 = 1_200;
const SIZE: (u32, u32) = (480, 360);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let filtered = args.iter().any(|arg| !arg.starts_with('-') && !"soak".contains(arg.as_str()));
    match () {
        () if args.iter().any(|arg| arg == "--list") => println!("soak: test"),
        () if filtered => {}
        () => {
            let minutes: usize = std::env::var("MINUTES").map_or(24, |minutes| minutes.parse().unwrap());
            soak(minutes * 60 / EVERY_S);
        }
    }
}

/// What is shown, and what must be said to it.
struct Shown {
    code: String,
    verdict: &'static str,
}

fn soak(count: usize) {
    let mut registry = Registry::new();
    let phones: Vec<Phone> = (0..PEOPLE).map(|n| phone(&registry, n)).collect();
    let leaver = registry.person("搬走的");
    let address = registry.serve();
    let checkpoint = Checkpoint::new(&registry, &address);
    let stick = checkpoint.dir.path().join("stick");
    checkpoint.configure("sync", &format!("every_s = 5\nstick = {stick:?}"));
    checkpoint.sync().ok();

    let pipe = checkpoint.dir.path().join("film.y4m");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut gate = start(&checkpoint, &pipe);
    let (tell, told) = sync_channel(64);
    let events = BufReader::new(gate.stdout.take().unwrap());
    let (stall, stalled) = sync_channel::<Duration>(1);
    std::thread::spawn(move || {
        for line in events.lines() {
            if let Ok(pause) = stalled.try_recv() {
                std::thread::sleep(pause);
            }
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if tell.send(event).is_err() {
                return;
            }
        }
    });

    let seed = now().cast_unsigned();
    println!("{count} people, seed {seed}");
    let mut random = rand_chacha(seed);
    let mut camera = BufWriter::new(File::options().write(true).open(&pipe).unwrap());
    tongguan_sim::y4m::header(&mut camera, SIZE.0, SIZE.1, 15).unwrap();
    let (mut samples, mut answered, mut waiting) = (Vec::new(), 0, std::collections::VecDeque::new());
    let (started, each) = (Instant::now(), (count / 160).max(1));
    for n in 0..count {
        // A fault every simulated half hour, each in its turn.
        match n % 450 {
            100 => registry.stop(),
            200 => registry.serve_again(&address),
            250 => {
                registry.command(&["bundle", &stick.display().to_string()]).ok();
            }
            300 => {
                fs::remove_dir_all(&stick).ok();
                stall.send(Duration::from_secs(2)).ok();
            }
            350 => held_up(&gate, Duration::from_millis(1500)),
            400 => {
                registry.command(&["revoke", "--person", &leaver]);
                registry.publish();
            }
            _ => {}
        }
        let shown = code(&phones, n, &mut random);
        let (held, away) = (frame(Some(&shown.code)), frame(None));
        for frame in std::iter::repeat_n(&held, FRAMES).chain([&away]) {
            tongguan_sim::y4m::frame(&mut camera, frame).unwrap();
        }
        camera.flush().unwrap();
        waiting.push_back(shown);
        answered += collect(&told, &mut waiting, 40);
        if n % each == 0 {
            samples.push(Sample::of(gate.id(), n));
        }
        if n % 450 == 449 {
            println!("{:5} people in {:4} s: {}", n + 1, started.elapsed().as_secs(), samples.last().unwrap());
        }
    }
    drop(camera);
    answered += collect(&told, &mut waiting, 0);
    assert!(gate.wait().unwrap().success());
    assert_eq!(answered, count, "every code is answered");

    registry.stop();
    registry.serve_again(&address);
    checkpoint.sync().ok();
    let kept = registry.command(&["events"]).ok().json().len();
    assert_eq!(kept, count, "the registry has every event once");
    println!("{count} people in {} s: {}", started.elapsed().as_secs(), samples.last().unwrap());
    if let Ok(file) = std::env::var("SOAK_PLOT") {
        fs::write(file, plot(&samples)).unwrap();
    }
    judge(&samples);
}

#[expect(clippy::disallowed_methods, reason = "the phones' time is this machine's")]
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

fn rand_chacha(seed: u64) -> impl rand::Rng {
    rand::rngs::ChaCha8Rng::seed_from_u64(seed)
}

fn phone(registry: &Registry, n: usize) -> Phone {
    let mut phone = Phone::new([u8::try_from(n + 1).unwrap(); 32]);
    let person = registry.person(&format!("居民{n}"));
    let certificate = registry.command(&["certificate", "--person", &person, "--holder-key", &phone.holder_key()]);
    phone.keep(&text(&certificate.ok().one()["certificate"])).unwrap();
    phone
}

/// Mostly good codes, each made at another second of the last minutes; old ones, and what is no code of ours.
fn code(phones: &[Phone], n: usize, random: &mut impl rand::Rng) -> Shown {
    let now = now();
    let at = |seconds: i64| u32::try_from(seconds).unwrap();
    let phone = &phones[n % PEOPLE];
    // 24 phones and 480 seconds: no code comes twice within the day's 7,200.
    let second = i64::try_from(n / PEOPLE % 480).unwrap() - 240;
    match random.random_range(0..20) {
        0 => Shown { code: phone.code(at(now - PAST - i64::try_from(n).unwrap() % 600)).unwrap(), verdict: "deny" },
        1 => Shown { code: format!("https://pay.example/{n}"), verdict: "deny" },
        2 => Shown { code: format!("TG1:{}", "A".repeat(20 + n % 300)), verdict: "deny" },
        _ => Shown { code: phone.code(at(now + second)).unwrap(), verdict: "pass" },
    }
}

fn start(checkpoint: &Checkpoint, pipe: &Path) -> Child {
    let picture = checkpoint.dir.path().join("screen.png");
    Command::new(TONGGUAN)
        .args(["run", "--data", &checkpoint.data(), "--gate", "sim", "--events", "-"])
        .args(["--camera", &format!("replay:{}?fps=0&loop=0", pipe.display())])
        .args(["--screen", &format!("picture:{}", picture.display())])
        .env("TONGGUAN_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn frame(code: Option<&str>) -> image::GrayImage {
    let mut frame = image::GrayImage::from_pixel(SIZE.0, SIZE.1, image::Luma([200]));
    if let Some(code) = code {
        let code = qrcode::QrCode::with_error_correction_level(code, qrcode::EcLevel::M).unwrap();
        let drawn: image::GrayImage = code.render::<image::Luma<u8>>().module_dimensions(4, 4).build();
        let left = (SIZE.0 - drawn.width()) / 2;
        image::imageops::overlay(&mut frame, &drawn, left.into(), i64::from((SIZE.1 - drawn.height()) / 2));
    }
    frame
}

/// Takes answers until no more than so many are waited for; how many were taken.
fn collect(told: &Receiver<Value>, waiting: &mut std::collections::VecDeque<Shown>, left: usize) -> usize {
    let before = waiting.len();
    while waiting.len() > left {
        let event = told.recv_timeout(Duration::from_secs(120)).expect("an answer to each code");
        let shown = waiting.pop_front().unwrap();
        assert_eq!(text(&event["verdict"]), shown.verdict, "{event} to {}", shown.code);
    }
    before - waiting.len()
}

/// The computer is busy with something else for a while.
fn held_up(gate: &Child, time: Duration) {
    let signal = |name: &str| Command::new("kill").args([name, &gate.id().to_string()]).status().unwrap();
    signal("-STOP");
    std::thread::sleep(time);
    signal("-CONT");
}

/// What the program holds after so many people.
struct Sample {
    people: usize,
    memory_kb: u64,
    threads: u64,
    files: u64,
}

impl Sample {
    fn of(program: u32, people: usize) -> Self {
        let status = fs::read_to_string(format!("/proc/{program}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let files = fs::read_dir(format!("/proc/{program}/fd")).unwrap().count() as u64;
        Self { people, memory_kb: field("VmRSS:"), threads: field("Threads:"), files }
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { memory_kb, threads, files, .. } = self;
        write!(f, "{} MB, {threads} threads, {files} files", memory_kb / 1000)
    }
}

/// Most of the last third against most of the second: the first is warming up.
fn judge(samples: &[Sample]) {
    let third = samples.len() / 3;
    let typical = |part: &[Sample], of: fn(&Sample) -> u64| {
        let mut all: Vec<u64> = part.iter().map(of).collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    let (before, after) = (&samples[third..2 * third], &samples[2 * third..]);
    for (name, of, slack) in [
        // What it must remember of the codes it let in in the last ten minutes is here a whole day's.
        ("kB of memory", (|s| s.memory_kb) as fn(&Sample) -> u64, 4_000),
        ("threads", |s| s.threads, 1),
        ("file descriptors", |s| s.files, 2),
    ] {
        let (before, after) = (typical(before, of), typical(after, of));
        println!("{name}: {before} in the second third, {after} in the last");
        assert!(after <= before + slack, "{name} grow");
    }
}

/// The three curves, each from 0 to a little more than its most.
fn plot(samples: &[Sample]) -> String {
    let (wide, high, left) = (720.0, 120.0, 60.0);
    let last = samples.last().map_or(1, |s| s.people.max(1)) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        left + wide + 20.0,
        3.0 * (high + 50.0) + 10.0,
    );
    type Of = fn(&Sample) -> f64;
    let curves: [(&str, Of); 3] = [
        ("memory (resident), MB", |s| s.memory_kb as f64 / 1000.0),
        ("threads", |s| s.threads as f64),
        ("file descriptors", |s| s.files as f64),
    ];
    for (i, (name, of)) in curves.into_iter().enumerate() {
        let top = 30.0 + i as f64 * (high + 50.0);
        let most = samples.iter().map(of).fold(1.0, f64::max) * 1.15;
        let at = |s: &Sample| (left + s.people as f64 / last * wide, top + high * (1.0 - of(s) / most));
        let line: Vec<String> = samples.iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        write!(
            svg,
            "<text x=\"{left}\" y=\"{}\">{name}</text>\n\
             <path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#888\"/>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most:.0}</text>\n<text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\n\
             <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{last:.0} people</text>\n\
             <polyline points=\"{}\" fill=\"none\" stroke=\"#0a58ca\" stroke-width=\"1.5\"/>\n",
            top - 8.0,
            left - 6.0,
            top + 10.0,
            left - 6.0,
            top + high + 16.0,
            line.join(" "),
            bottom = top + high,
            right = left + wide,
        )
        .unwrap();
    }
    svg + "</svg>\n"
}
