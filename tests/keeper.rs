//! The program that lets go of the relay when the gate's own cannot. What it does to real pins `make kiosk-pi` and
//! `make hardware-test` show.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use common::TONGGUAN;
use serde_json::json;
use tongguan::config::{GateConfig, GateDriver, SignalsConfig};

fn start() -> Child {
    let mut command = Command::new(TONGGUAN);
    command.arg(tongguan::gate::KEEPER).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A keeper of simulated outputs, and the gate's end of its pipe.
fn keeper() -> (Child, ChildStdin) {
    let mut child = start();
    let mut pipe = child.stdin.take().unwrap();
    let gate = GateConfig { driver: GateDriver::Sim, ..GateConfig::default() };
    writeln!(pipe, "{}", json!({ "gate": gate, "signals": SignalsConfig::default() })).unwrap();
    (child, pipe)
}

/// How it ended, and what it said.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn it_releases_when_the_gate_dies_and_not_when_it_ends_in_order() {
    for words in ["", "E", "ER", "ERE"] {
        let (child, mut pipe) = keeper();
        pipe.write_all(words.as_bytes()).unwrap();
        drop(pipe);
        let (code, said) = end(child);
        assert!(code == Some(0) && said.contains("its outputs are released"), "{words:?}: {code:?} {said}");
    }
    let (child, mut pipe) = keeper();
    pipe.write_all(b"EQ").unwrap();
    assert_eq!(end(child), (Some(0), String::new()));
}

#[test]
fn a_signal_that_ends_the_gate_does_not_end_its_keeper() {
    let (child, mut pipe) = keeper();
    // It has read its outputs, and so has its handlers, once it answers to nothing else than the pipe.
    std::thread::sleep(Duration::from_millis(500));
    for signal in ["-TERM", "-INT", "-HUP"] {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(50));
    }
    pipe.write_all(b"E").unwrap();
    drop(pipe);
    assert!(end(child).1.contains("its outputs are released"));
}

#[test]
fn whether_anybody_reads_its_log_or_not_it_lets_go() {
    // A chip that is not there: that it tries to release is seen by how it ends.
    let gate = GateConfig { driver: GateDriver::Gpiocdev, chip: Some("no such chip".into()), ..GateConfig::default() };
    let outputs = json!({ "gate": gate, "signals": SignalsConfig::default() });
    for stalled in [false, true] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut kept = Some(reader);
        if stalled {
            rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
            while writer.write(&[b'x'; 4096]).is_ok() {}
            rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
        } else {
            kept = None;
        }
        let mut command = Command::new(TONGGUAN);
        let mut child =
            command.arg(tongguan::gate::KEEPER).stdin(Stdio::piped()).stderr(Stdio::from(writer)).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        write!(pipe, "{outputs}\nE").unwrap();
        drop(pipe);
        let end = std::time::Instant::now() + Duration::from_secs(20);
        let ended = loop {
            match child.try_wait().unwrap() {
                None if std::time::Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
                ended => break ended,
            }
        };
        child.kill().ok();
        assert_eq!(ended.and_then(|status| status.code()), Some(2), "stalled: {stalled}");
        drop(kept);
    }
}

#[test]
fn whoever_starts_it_by_hand_is_told() {
    let mut child = start();
    writeln!(child.stdin.take().unwrap(), "hello").unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(said.contains("started by `tongguan run`"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
