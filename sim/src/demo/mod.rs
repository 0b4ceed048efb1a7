//! `tongguan-sim demo`: a registry, a checkpoint and a simulated phone before its camera, all real but the phone.

mod ending;
mod folder;
mod programs;
mod residents;
mod stream;
mod verdicts;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Deserialize;
use tongguan_sim::Case;

use folder::Folder;
use programs::{Programs, Running, run as run_program};
use residents::{Registry, Residents};
use verdicts::Tally;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Use this webcam (0 is the first) instead of the simulated phone, and name the page with a code to hold up to it.
    #[arg(long, value_name = "N")]
    camera: Option<u32>,
    /// Walk through the cases once, in a window too.
    #[arg(long)]
    once: bool,
    /// Where the checkpoint's screen is: auto is a window where there is a display, else a picture in a PNG file.
    #[arg(long, value_enum, default_value = "auto")]
    screen: Screen,
    /// Keep everything in this folder (new or empty), with its keys, databases and logs. Without it all is thrown away.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Where `tongguan` and `tongguan-registry` are [default: beside this program]
    #[arg(long)]
    bin_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Screen {
    Auto,
    Window,
    Picture,
    None,
}

/// How often the cases are walked through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounds {
    One,
    UntilClosed,
}

/// What the demo's threads tell it.
enum Message {
    /// A visitor comes with this case's code.
    Shows(Case),
    /// The checkpoint printed a line.
    Line(String),
    /// The checkpoint prints no more.
    Silence,
    /// The simulated camera has closed.
    WalkOver(anyhow::Result<()>),
}

#[derive(Deserialize)]
struct Listening {
    listening: String,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    ending::on_signals(&stop)?;
    match show(args, &stop) {
        // What went wrong after Ctrl-C is Ctrl-C: the programs got it too.
        _ if stop.load(Ordering::Relaxed) => Ok(ExitCode::from(130)),
        done => done,
    }
}

fn show(args: &Args, stop: &Arc<AtomicBool>) -> anyhow::Result<ExitCode> {
    let screen = args.screen.resolved();
    let programs = Programs::find(args.bin_dir.as_deref())?;
    // Made before the programs and so dropped after them: nothing writes into a folder that is being removed.
    let folder = Folder::new(args.dir.as_deref())?;
    say(&format!(
        "文件夹 folder: {}{}",
        folder.path().display(),
        if folder.kept() { "" } else { " (结束时删除 removed at the end)" }
    ));

    let registry = Registry { program: programs.registry.clone(), data: folder.registry() };
    run_program(&mut registry.command(&["init"]))?;
    let places = folder.registry().join("communities.csv");
    std::fs::write(&places, PLACES).with_context(|| format!("cannot write {}", places.display()))?;
    run_program(registry.command(&["community", "import"]).arg(&places))?;
    let listen = format!("{}:0", args.camera.map_or(LOOPBACK, |_| lan_address()));
    let mut serve = registry.command(&["serve", "--listen", &listen]);
    // Whoever else is in the network must not read the messages.
    if args.camera.is_none() {
        serve.arg("--dev");
    }
    let serving = Running::start("the registry", &mut serve, &folder.log("registry"))?;
    let line = serving.first_line(Duration::from_secs(30))?;
    let Listening { listening } = serde_json::from_str(&line).with_context(|| format!("the registry said: {line}"))?;
    let url = format!("http://{listening}");
    let root = folder.registry().join("root.pub");
    let residents = Residents::register(registry)?;
    say(&format!("登记处 registry: {url}"));
    if args.camera.is_none() {
        say(&format!("在浏览器登记 register in a browser: {url}/  （短信 messages: {url}/dev/inbox）"));
    }

    let checkpoint = |words: &[&str]| {
        let mut command = Command::new(&programs.checkpoint);
        command.arg(words[0]).arg("--data").arg(folder.checkpoint()).args(&words[1..]);
        command
    };
    run_program(checkpoint(&["init", "--registry", &url, "--root"]).arg(&root))?;
    run_program(&mut checkpoint(&["sync", "--json"]))?;

    let fifo = folder.checkpoint().join("phone.y4m");
    let camera = match args.camera {
        Some(number) => {
            say(&format!(
                "请用手机打开此页，将码对准摄像头 open this page and hold its code up to the camera:\n    {url}/enter#{}",
                residents.token()
            ));
            format!("nokhwa:{number}")
        }
        None => {
            stream::make_fifo(&fifo)?;
            format!("replay:{}?fps=15&loop=0", fifo.display())
        }
    };
    let picture = folder.checkpoint().join("screen.png");
    let shown_on = match screen {
        Screen::Picture => format!("picture:{}", picture.display()),
        Screen::None => "none".to_owned(),
        _ => "window".to_owned(),
    };
    let mut command =
        checkpoint(&["run", "--camera", &camera, "--gate", "sim", "--screen", &shown_on, "--events", "-"]);
    let mut gate = Running::start("the checkpoint", &mut command, &folder.log("checkpoint"))?;

    let (tell, messages) = channel();
    if let Some(lines) = gate.lines.take() {
        forward(lines, tell.clone());
    }
    let rounds = if args.once || screen != Screen::Window { Rounds::One } else { Rounds::UntilClosed };
    if args.camera.is_none() {
        let pipe = stream::open_fifo(&fifo, &mut gate, stop)?;
        stream::start(pipe, residents, rounds, tell, Arc::clone(stop));
    }
    say("检查点运行中 the checkpoint is running; Ctrl-C 结束 ends it\n");

    let pictures = (screen == Screen::Picture).then(|| (picture, folder.screens()));
    let mut tally = Tally::new(pictures);
    let mut over = None;
    while !stop.load(Ordering::Relaxed) && !NOBODY_READS.load(Ordering::Relaxed) {
        match messages.recv_timeout(Duration::from_millis(50)) {
            Ok(Message::Shows(case)) => tally.shows(case),
            Ok(Message::Line(line)) => tally.answers(&line),
            Ok(Message::WalkOver(result)) => over = Some(result),
            Ok(Message::Silence) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        tally.tick();
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(ExitCode::from(130));
    }
    if NOBODY_READS.load(Ordering::Relaxed) {
        return Ok(ExitCode::SUCCESS);
    }
    // The pipe's two ends close within a moment of each other; the camera's word may come last.
    while args.camera.is_none() && over.is_none() {
        match messages.recv_timeout(Duration::from_secs(2)) {
            Ok(Message::WalkOver(result)) => over = Some(result),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let status = gate.end_within(Duration::from_secs(10));
    if !status.is_some_and(|s| s.success()) {
        let how = status.map_or("did not end after its last frame".to_owned(), |s| format!("ended with {s}"));
        bail!("the checkpoint {how}.\n{}", gate.said());
    }
    if args.camera.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    // The camera's own error says more than the verdicts that are missing because of it.
    match over.context("the simulated camera does not stop")? {
        Err(error) if rounds == Rounds::UntilClosed && window_was_closed(&error) => return Ok(ExitCode::SUCCESS),
        done => done.context("the simulated camera stopped")?,
    }
    tally.tick();
    verdict(&mut tally, &folder, screen)
}

/// The last words of a walk.
fn verdict(tally: &mut Tally, folder: &Folder, screen: Screen) -> anyhow::Result<ExitCode> {
    let wrong = tally.close().to_vec();
    if screen == Screen::Picture {
        say(&format!("\n屏幕图片 pictures of the screen: {}", folder.screens().display()));
    }
    if wrong.is_empty() {
        say(&format!("全部 {0} 项正确 all {0} cases had the right verdict", tally.cases()));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("有误 {} wrong:", wrong.len()));
    for told in wrong {
        say(&format!("  {told}"));
    }
    Ok(ExitCode::from(1))
}

/// Nobody reads the pipe any more: how a walk without an end ends.
fn window_was_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

fn forward(lines: Receiver<String>, tell: Sender<Message>) {
    thread::spawn(move || {
        for line in lines {
            let _ = tell.send(Message::Line(line));
        }
        let _ = tell.send(Message::Silence);
    });
}

impl Screen {
    fn resolved(self) -> Self {
        let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| std::env::var_os(v).is_some_and(|v| !v.is_empty()));
        match self {
            Self::Auto if display => Self::Window,
            Self::Auto => Self::Picture,
            other => other,
        }
    }
}

/// Whoever read the demo's lines has gone (`| head`), which ends it.
static NOBODY_READS: AtomicBool = AtomicBool::new(false);

fn say(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        NOBODY_READS.store(true, Ordering::Relaxed);
    }
}

/// Where residents may live.
const PLACES: &str = include_str!("../../../registry/data/communities-sample.csv");
const LOOPBACK: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// This computer's address as a phone in the same network sees it. Nothing is sent: the system only says which of its
/// addresses it would use.
fn lan_address() -> std::net::IpAddr {
    let ask = || {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
        socket.connect("192.0.2.1:9")?;
        Ok::<_, std::io::Error>(socket.local_addr()?.ip())
    };
    ask().unwrap_or(LOOPBACK)
}
