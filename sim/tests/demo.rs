//! The demo ends in order however it is left: nothing hangs, and nothing stays behind.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tongguan-sim");

struct Demo {
    child: Child,
    /// Where its folder is made.
    place: TempDir,
}

impl Demo {
    fn start() -> (Self, BufReader<ChildStdout>) {
        for name in ["tongguan", "tongguan-registry"] {
            let path = Path::new(PROGRAM).with_file_name(name);
            assert!(path.exists(), "{} is missing: run `cargo build --workspace` first", path.display());
        }
        let place = tempfile::tempdir().unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["demo", "--once", "--screen", "none"])
            .env("TMPDIR", place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        (Self { child, place }, lines)
    }

    #[track_caller]
    fn ends_within(&mut self, patience: Duration) -> ExitStatus {
        let until = Instant::now() + patience;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status,
                None if Instant::now() > until => panic!("it hangs"),
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// The programs that work in its folder.
    fn programs(&self) -> Vec<Pid> {
        let place = self.place.path().display().to_string();
        let works_here = |pid: &i32| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains(&place)
        };
        let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
        all.filter(works_here).filter_map(Pid::from_raw).collect()
    }

    #[track_caller]
    fn left_nothing(&self) {
        assert_eq!(fs::read_dir(self.place.path()).unwrap().count(), 0);
        // What was killed may take a moment to go.
        let until = Instant::now() + Duration::from_secs(2);
        while !self.programs().is_empty() {
            assert!(Instant::now() < until, "still there: {:?}", self.programs());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        for pid in self.programs() {
            kill_process(pid, Signal::KILL).ok();
        }
    }
}

/// `tongguan-sim demo --once --screen none | head -1`.
#[test]
fn whoever_reads_the_demo_may_stop_reading() {
    let (mut demo, mut lines) = Demo::start();
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.contains("folder"), "{first}");
    drop(lines);
    let status = demo.ends_within(Duration::from_secs(20));
    let mut said = String::new();
    demo.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.success() && said.is_empty(), "{status}: {said}");
    demo.left_nothing();
}

#[test]
fn a_second_signal_ends_at_once_what_hangs_and_leaves_nothing() {
    let (mut demo, lines) = Demo::start();
    let mut lines = lines.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("the checkpoint is running")));
    // Programs that do not answer: the orderly way out waits two seconds for each.
    let programs = demo.programs();
    assert!(programs.len() >= 2, "the registry and the checkpoint at least: {programs:?}");
    for pid in programs {
        kill_process(pid, Signal::STOP).unwrap();
    }
    let demo_itself = Pid::from_child(&demo.child);
    kill_process(demo_itself, Signal::INT).unwrap();
    thread::sleep(Duration::from_millis(100));
    kill_process(demo_itself, Signal::INT).unwrap();
    let status = demo.ends_within(Duration::from_millis(1500));
    assert_eq!(status.code(), Some(130));
    demo.left_nothing();
}
