//! The real programs: found, run for one answer, or kept running and ended for certain.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;

use super::ending;

/// Where the programs are.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) checkpoint: PathBuf,
    pub(super) registry: PathBuf,
}

impl Programs {
    /// Beside this program, or in the folder given.
    pub(super) fn find(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_path_buf(),
            None => std::env::current_exe()?.parent().context("this program is in no folder")?.to_path_buf(),
        };
        let found = |name: &str| {
            let path = folder.join(name);
            if !path.is_file() {
                bail!(
                    "there is no {name} in {}: run `cargo build --workspace`, or name its folder with --bin-dir",
                    folder.display()
                );
            }
            Ok(path)
        };
        Ok(Self { checkpoint: found("tongguan")?, registry: found("tongguan-registry")? })
    }
}

/// A command line as a person would type it, for messages.
fn typed(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs a command to its end; what it said on standard error is the error if it fails.
pub(super) fn run(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.with_context(|| format!("cannot start `{}`", typed(command)))?;
    let pid = Pid::from_child(&child);
    ending::remember_program(pid);
    let output = child.wait_with_output();
    ending::forget_program(pid);
    let output = output.with_context(|| format!("cannot wait for `{}`", typed(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = if said.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { said };
        bail!("`{}` failed ({}):\n{}", typed(command), output.status, last_lines(&said));
    }
    Ok(output.stdout)
}

/// Runs a command and reads the one JSON object it prints.
pub(super) fn ask<T: DeserializeOwned>(command: &mut Command) -> anyhow::Result<T> {
    let answer = run(command)?;
    serde_json::from_slice(&answer)
        .with_context(|| format!("`{}` answered something else: {}", typed(command), String::from_utf8_lossy(&answer)))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(15)..].iter().map(|l| format!("    {l}\n")).collect()
}

/// A program that keeps running. Dropping it ends it.
pub(super) struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// What it prints, line by line; ends when the program ends.
    pub(super) lines: Option<Receiver<String>>,
}

impl Running {
    /// Starts it, with its standard error in a log file.
    pub(super) fn start(name: &'static str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start `{}`", typed(command)))?;
        ending::remember_program(Pid::from_child(&child));
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    // Read on even if nobody listens, or the program would block on a full pipe.
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Self { name, child, log: log.to_path_buf(), lines: Some(lines) })
    }

    /// Its first line on standard output.
    pub(super) fn first_line(&self, patience: Duration) -> anyhow::Result<String> {
        let line = self.lines.as_ref().and_then(|lines| lines.recv_timeout(patience).ok());
        line.with_context(|| format!("{} did not start.\n{}", self.name, self.said()))
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let ended = self.child.try_wait().ok().flatten();
        if ended.is_some() {
            ending::forget_program(Pid::from_child(&self.child));
        }
        ended
    }

    /// Waits for its end.
    pub(super) fn end_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            match self.ended() {
                None if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
                ended => return ended,
            }
        }
    }

    /// The end of its log, for an error message.
    pub(super) fn said(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        if log.trim().is_empty() {
            format!("{} said nothing.", self.name)
        } else {
            format!("{} said:\n{}", self.name, last_lines(&log))
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        // Asked first, so that it can close its files, and made to after that.
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        if self.end_within(Duration::from_secs(2)).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            ending::forget_program(pid);
        }
    }
}
