//! A scan engine on a serial line, at a whole gate: a pseudo-terminal is one.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::{Checkpoint, Registry, text};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

/// The far end of a serial line whose near end is linked to `link`.
fn plug(link: &Path) -> File {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    std::fs::remove_file(link).ok();
    std::os::unix::fs::symlink(OsStr::from_bytes(ptsname(&far, Vec::new()).unwrap().as_bytes()), link).unwrap();
    far.into()
}

struct Gate {
    program: Child,
    events: Receiver<Value>,
    said: Receiver<String>,
}

impl Gate {
    fn start(checkpoint: &Checkpoint) -> Self {
        let data = checkpoint.data();
        let args = ["run", "--data", &data, "--camera", "none", "--gate", "sim", "--screen", "none", "--events", "-"];
        let mut program = common::start(&args);
        let ((tell, events), (log, said)) = (channel(), channel());
        let (out, err) = (program.stdout.take().unwrap(), program.stderr.take().unwrap());
        std::thread::spawn(move || {
            BufReader::new(out).lines().try_for_each(|line| tell.send(serde_json::from_str(&line.unwrap()).unwrap()))
        });
        std::thread::spawn(move || BufReader::new(err).lines().try_for_each(|line| log.send(line.unwrap())));
        Self { program, events, said }
    }

    /// Waits until the log says so.
    fn says(&self, what: &str) {
        let mut heard = Vec::new();
        while !heard.last().is_some_and(|line: &String| line.contains(what)) {
            let line = self.said.recv_timeout(Duration::from_secs(30));
            heard.push(line.unwrap_or_else(|_| panic!("no {what:?} in {heard:#?}")));
        }
    }

    fn outcome(&self) -> (String, String) {
        let event = self.events.recv_timeout(Duration::from_secs(30)).unwrap();
        (text(&event["verdict"]), text(&event["reason"]))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.program.kill().ok();
        self.program.wait().ok();
    }
}

#[test]
fn codes_of_a_reader_open_the_gate_whatever_it_sends_between_them_and_after_a_replug() {
    let registry = Registry::new();
    let codes: Vec<String> = ["周某", "李某", "王某"].map(|name| registry.live(&registry.person(name))).into();
    registry.publish();
    let checkpoint = Checkpoint::synced(&registry);
    let link = checkpoint.dir.path().join("reader");
    let mut far = plug(&link);
    checkpoint.set("readers", format!("serial:{}?baud=115200", link.display()));
    let gate = Gate::start(&checkpoint);
    let is_open = || gate.says("reader serial:");
    let pass = || ("pass".to_owned(), "fresh".to_owned());
    is_open();

    write!(far, "\u{2}{}\r\n", codes[0]).unwrap();
    assert_eq!(gate.outcome(), pass());
    // Endless noise without a line's end, and bytes that are no text: answered once, and what comes after is read.
    std::thread::sleep(Duration::from_millis(200));
    far.write_all(&[b'A'; 100_000]).unwrap();
    far.write_all(b"\xff\xfe\x80\n").unwrap();
    assert_eq!(gate.outcome(), ("deny".to_owned(), "not_our_code".to_owned()));
    // In two pieces, and without an end: a pause is one.
    let (first, second) = codes[1].split_at(40);
    std::thread::sleep(Duration::from_millis(200));
    far.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    far.write_all(second.as_bytes()).unwrap();
    assert_eq!(gate.outcome(), pass());

    drop(far);
    gate.says("is it plugged in");
    let mut far = plug(&link);
    is_open();
    writeln!(far, "{}", codes[2]).unwrap();
    assert_eq!(gate.outcome(), pass());
    // The same code again is the same presentation, and a torrent of it keeps nobody waiting.
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..500 {
        writeln!(far, "{}", codes[2]).unwrap();
    }
    assert!(gate.events.recv_timeout(Duration::from_secs(2)).is_err());
}

#[test]
fn doctor_says_what_does_not_work_and_what_to_do_and_leaves_the_devices_of_a_gate_that_runs_alone() {
    let registry = Registry::new();
    registry.publish();
    let checkpoint = Checkpoint::synced(&registry);
    let link = checkpoint.dir.path().join("reader");
    checkpoint.set("readers", format!("serial:{}", link.display()));
    let doctor = || checkpoint.command(&["doctor", "--json"]);
    let found = |name: &str, level: &str| {
        let said = doctor();
        let all = said.json()[0]["checks"].as_array().unwrap().clone();
        let check = all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}"));
        assert_eq!(check["level"], level, "{check}");
        assert_eq!(check["advice"].is_null(), level == "green", "{check}");
        said.code
    };
    assert_eq!(found("reader", "red"), Some(1));
    let far = plug(&link);
    for (name, level) in [("reader", "green"), ("decode", "green"), ("stores", "green"), ("gate", "amber")] {
        found(name, level);
    }
    // No machine that runs this test has that camera.
    checkpoint.set("camera", "v4l2:/dev/v4l/by-id/none".to_owned());
    assert_eq!(found("camera", "red"), Some(1));
    let gate = Gate::start(&checkpoint);
    gate.says("reader serial:");
    found("devices", "green");
    drop((gate, far));

    std::fs::write(Path::new(&checkpoint.data()).join("trust.db"), b"no database at all, but long enough").ok();
    let said = checkpoint.command(&["doctor", "--language", "en"]);
    assert_ne!(said.code, Some(0), "{}", said.out);
}
