//! What a service manager hears of a running gate: the real program, and a socket in the place of systemd's.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Checkpoint, Registry, TONGGUAN, picture};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A part may stay away for half of it; it is looked at four times in it.
const WATCHDOG: Duration = Duration::from_secs(4);

/// A gate under somebody who listens.
struct Watched {
    gate: Child,
    heard: UnixDatagram,
    checkpoint: Checkpoint,
    folder: TempDir,
}

impl Watched {
    /// Before the camera are the frames of a pipe, to which nobody writes, or of a folder.
    fn start(pictures: bool) -> Self {
        let checkpoint = Checkpoint::synced(&Registry::new());
        let folder = tempfile::tempdir().unwrap();
        let (socket, film) = (folder.path().join("notify"), folder.path().join("film.y4m"));
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let camera = if pictures {
            picture("https://example", &folder.path().join("0.png"));
            folder.path().to_owned()
        } else {
            assert!(Command::new("mkfifo").arg(&film).status().unwrap().success());
            film
        };
        let gate = Command::new(TONGGUAN)
            .args(["run", "--data", &checkpoint.data(), "--gate", "sim", "--screen", "none", "--events", "-"])
            .args(["--camera", &format!("replay:{}?fps=10", camera.display())])
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())
            // Nobody reads the printed events.
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { gate, heard, checkpoint, folder }
    }

    fn hear(&self) -> String {
        let mut said = [0; 4096];
        let length = self.heard.recv(&mut said).unwrap();
        String::from_utf8_lossy(&said[..length]).into_owned()
    }

    /// What is heard for so long.
    fn hear_for(&self, time: Duration) -> Vec<String> {
        let end = Instant::now() + time;
        let mut all = Vec::new();
        while Instant::now() < end {
            all.push(self.hear());
        }
        all
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.gate.id().try_into().unwrap())
    }

    /// The thread of that name.
    fn thread(&self, name: &str) -> Pid {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.gate.id())).unwrap().flatten();
        let named = |task: &fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap().trim() == name;
        let task = tasks.into_iter().find(named).unwrap_or_else(|| panic!("no thread {name}"));
        Pid::from_raw(task.file_name().to_str().unwrap().parse().unwrap())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.gate.kill().ok();
        self.gate.wait().ok();
    }
}

fn feeds(said: &[String]) -> usize {
    said.iter().filter(|line| line.starts_with("WATCHDOG=1")).count()
}

#[test]
fn it_says_that_it_is_ready_is_fed_while_nobody_sends_frames_or_reads_events_and_says_that_it_ends() {
    let mut watched = Watched::start(false);
    let first = watched.hear();
    assert!(first.starts_with("READY=1\nSTATUS=lane 1"), "{first}");
    let said = watched.hear_for(WATCHDOG * 2);
    assert!(feeds(&said) >= 6 && feeds(&said) == said.len(), "{said:?}");
    kill(watched.pid(), Signal::SIGTERM).unwrap();
    let last = std::iter::repeat_with(|| watched.hear()).find(|line| !line.starts_with("WATCHDOG"));
    assert_eq!(last.unwrap().trim(), "STOPPING=1");
    assert!(watched.gate.wait().unwrap().success());
}

/// Stopping one thread of many is what a debugger does.
#[test]
fn one_part_that_hangs_is_named_and_the_feeding_stops_until_it_goes_on() {
    for (thread, name) in [("decode", "decode"), ("judge", "judge"), ("tongguan", "screen")] {
        let watched = Watched::start(true);
        assert!(watched.hear().starts_with("READY=1"));
        assert!(feeds(&[watched.hear()]) == 1, "{name}");
        let thread = watched.thread(thread);
        ptrace::attach(thread).unwrap();
        waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
        let problem = std::iter::repeat_with(|| watched.hear()).find(|line| !line.starts_with("WATCHDOG")).unwrap();
        assert!(problem.starts_with(&format!("STATUS={name} has not turned for")), "{problem}");
        // Longer than systemd would wait.
        let said = watched.hear_for(WATCHDOG);
        assert_eq!(feeds(&said), 0, "{name}: {said:?}");
        ptrace::detach(thread, None).unwrap();
        std::iter::repeat_with(|| watched.hear()).find(|line| line.starts_with("WATCHDOG=1")).unwrap();
        assert!(feeds(&watched.hear_for(WATCHDOG)) >= 3, "{name}");
    }
}

#[test]
fn a_gate_that_cannot_start_says_why_and_never_that_it_is_ready() {
    let watched = Watched::start(false);
    assert!(watched.hear().starts_with("READY=1"));
    let socket = watched.folder.path().join("second");
    let heard = UnixDatagram::bind(&socket).unwrap();
    let second = Command::new(TONGGUAN)
        .args(["run", "--data", &watched.checkpoint.data(), "--gate", "sim", "--screen", "none", "--camera", "none"])
        .env("NOTIFY_SOCKET", &socket)
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    let mut said = [0; 4096];
    let length = heard.recv(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..length]);
    assert!(said.starts_with("STATUS=another `tongguan run` is using"), "{said}");
    heard.set_nonblocking(true).unwrap();
    assert!(heard.recv(&mut [0; 4096]).is_err(), "nothing more is said");
}
