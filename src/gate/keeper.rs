//! A second program that lets go of the relay when the first one cannot: the gate's dead man's handle.
//!
//! The gate tells it over a pipe when the relay is energised and when it is released, and again every few seconds. If the pipe
//! breaks, because the gate's program was killed, or if the word stays away while the relay is energised, because it hangs, the
//! keeper kills what is left of the program, releases every output, and ends. It holds no pin while all is well.

use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde::{Deserialize, Serialize};

use super::{GateError, release_all};
use crate::config::{GateConfig, SignalsConfig};
use crate::lang::Text;

/// The name of the command that is the keeper.
pub const COMMAND: &str = "relay-keeper";
/// How often the gate says how it stands.
const WORD: Duration = Duration::from_secs(5);
/// Without a word for so long, an energised relay is released. A computer under load may be late once.
const SILENCE: Duration = Duration::from_secs(15);
/// The pause before a keeper that has died is started anew.
const RESTART: Duration = Duration::from_secs(5);
/// How long a line that the dying program still holds is waited for.
const LETTING_GO: Duration = Duration::from_secs(3);
/// Bytes of the outputs' description.
const LONGEST_LINE: usize = 64 * 1024;

const ENERGISED: u8 = b'E';
const RELEASED: u8 = b'R';
/// The gate's program ends in order: there is nothing to let go.
const QUIT: u8 = b'Q';

/// What a gate drives.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    gate: GateConfig,
    signals: SignalsConfig,
}

impl Outputs {
    /// Those of a configuration.
    pub fn new(gate: &GateConfig, signals: &SignalsConfig) -> Self {
        Self { gate: gate.clone(), signals: signals.clone() }
    }

    /// Those that were kept in a file, if there are any.
    pub fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read(path).ok().filter(|text| text.len() <= LONGEST_LINE)?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps them in a file, unless it has them.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, path: &Path) -> std::io::Result<()> {
        if Self::read(path).as_ref() == Some(self) {
            return Ok(());
        }
        let beside = path.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec(self)?)?;
        std::fs::rename(&beside, path)
    }

    /// Releases them all.
    ///
    /// # Errors
    /// The first [`GateError`]; the others are released all the same.
    pub fn release(&self) -> Result<(), GateError> {
        release_all(&self.gate, &self.signals)
    }
}

/// The gate's end of the pipe.
pub(super) struct Keeper {
    outputs: String,
    running: Option<(Child, ChildStdin)>,
    energised: bool,
    /// When the next word is due, or the next try to start one.
    due: Instant,
}

impl Keeper {
    /// A keeper of these outputs. A gate works without one, so that it cannot be started is only said.
    pub(super) fn start(gate: &GateConfig, signals: &SignalsConfig) -> Self {
        let outputs = serde_json::to_string(&Outputs::new(gate, signals)).unwrap_or_default();
        let now = Instant::now();
        let mut keeper = Self { outputs, running: None, energised: false, due: now };
        keeper.restart(now);
        keeper
    }

    /// When there is something to say.
    pub(super) fn due(&self) -> Option<Instant> {
        Some(self.due)
    }

    /// Says how the relay stands, if that is new or it is time.
    pub(super) fn tell(&mut self, energised: bool, now: Instant) {
        let is_new = std::mem::replace(&mut self.energised, energised) != energised;
        if !is_new && now < self.due {
            return;
        }
        self.due = now + WORD;
        match &mut self.running {
            Some((_, pipe)) => {
                if let Err(error) = pipe.write_all(&[if energised { ENERGISED } else { RELEASED }]) {
                    tracing::error!("the relay's keeper has died: {error}");
                    self.stop();
                    self.due = now;
                }
            }
            // Nobody who waits before the gate waits for this.
            None if !energised => self.restart(now),
            None => {}
        }
    }

    /// What to say of a keeper that is not there.
    pub(super) fn fault(&self) -> Option<Text> {
        self.running.is_none().then(|| {
            Text::new(
                "继电器的看护程序没有运行，请重启检查点",
                "the relay's keeper does not run; restart the checkpoint",
            )
        })
    }

    fn restart(&mut self, now: Instant) {
        match spawn(&self.outputs) {
            Ok(running) => {
                self.running = Some(running);
                self.due = now + WORD;
            }
            Err(error) => {
                tracing::error!("the relay's keeper cannot be started: {error}");
                self.due = now + RESTART;
            }
        }
    }

    fn stop(&mut self) {
        let Some((mut child, pipe)) = self.running.take() else { return };
        drop(pipe);
        child.kill().ok();
        child.wait().ok();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let Some((mut child, mut pipe)) = self.running.take() else { return };
        // A relay that did not let go is the keeper's business from here on: the pipe breaks, and it tries on.
        if !self.energised && pipe.write_all(&[QUIT]).is_ok() {
            drop(pipe);
            child.wait().ok();
        }
    }
}

fn spawn(outputs: &str) -> std::io::Result<(Child, ChildStdin)> {
    let mut command = Command::new(std::env::current_exe()?);
    // What systemd is told is for the gate alone to say.
    command.arg(COMMAND).env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_PID");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let Some(mut pipe) = child.stdin.take() else { return Err(std::io::ErrorKind::BrokenPipe.into()) };
    writeln!(pipe, "{outputs}")?;
    // A keeper that does not read must not hold up the gate.
    fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
    Ok((child, pipe))
}

/// The keeper's own program: returns once there is nothing more to keep.
///
/// # Errors
/// [`GateError`] if an output could not be released.
pub fn keep() -> Result<(), GateError> {
    let fail = |problem: String| GateError::Driver { driver: "keeper", problem };
    // Whoever stops the gate, by key or by service manager, stops both at once: this one is the last to go.
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signal_hook::flag::register(signal as i32, Arc::new(AtomicBool::new(false)))
            .map_err(|e| fail(e.to_string()))?;
    }
    let gate = parent_id();
    let line = first_line().map_err(|e| fail(e.to_string()))?;
    let outputs: Outputs = serde_json::from_slice(&line)
        .map_err(|e| fail(format!("this command is started by `tongguan run`, and by nobody else: {e}")))?;
    let ended = watch();
    let said = match ended {
        Ended::InOrder => return Ok(()),
        Ended::Broken => "the checkpoint has died",
        Ended::Silent => {
            // Not whoever took its number meanwhile.
            if let Ok(pid) = i32::try_from(gate)
                && parent_id() == gate
            {
                kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
            }
            "the checkpoint hung with its relay energised, and is killed"
        }
    };
    let released = let_go(&outputs);
    // Only now: whoever reads the log may have gone, or read no more.
    tracing::warn!("{said}: its outputs are released");
    released
}

fn let_go(outputs: &Outputs) -> Result<(), GateError> {
    let end = Instant::now() + LETTING_GO;
    loop {
        match outputs.release() {
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            released => return released,
        }
    }
}

/// Byte by byte: what comes after the line are words, which a buffer would swallow.
fn first_line() -> rustix::io::Result<Vec<u8>> {
    let (pipe, mut line, mut byte) = (std::io::stdin(), Vec::new(), [0]);
    while line.len() < LONGEST_LINE && rustix::io::retry_on_intr(|| rustix::io::read(&pipe, &mut byte))? == 1 {
        if byte[0] == b'\n' {
            break;
        }
        line.push(byte[0]);
    }
    Ok(line)
}

enum Ended {
    InOrder,
    /// The pipe is closed.
    Broken,
    /// The relay is energised, and nobody says so any more.
    Silent,
}

fn watch() -> Ended {
    let pipe = std::io::stdin();
    let mut silent_at: Option<Instant> = None;
    loop {
        let wait = silent_at.map(|at| at.saturating_duration_since(Instant::now()));
        let wait = wait.and_then(|wait| rustix::event::Timespec::try_from(wait).ok());
        match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], wait.as_ref()) {
            Ok(0) => return Ended::Silent,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Ended::Broken,
        }
        let mut words = [0; 512];
        match rustix::io::read(&pipe, &mut words) {
            Ok(0) => return Ended::Broken,
            Ok(length) => match words[length - 1] {
                QUIT => return Ended::InOrder,
                ENERGISED => silent_at = Some(Instant::now() + SILENCE),
                _ => silent_at = None,
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Ended::Broken,
        }
    }
}
