//! The end by a signal. The first one asks for an orderly end; the second, should that one hang, ends everything here and
//! now: the programs are killed and the folder is removed all the same.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, TERM_SIGNALS};
use signal_hook::iterator::Signals;

use super::folder;

/// What a sudden end must not leave behind.
struct Left {
    programs: Vec<Pid>,
    folder: Option<PathBuf>,
}

static LEFT: Mutex<Left> = Mutex::new(Left { programs: Vec::new(), folder: None });

fn left() -> MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program has been started.
pub(super) fn remember_program(pid: Pid) {
    left().programs.push(pid);
}

/// A program has ended: its number may soon be another's.
pub(super) fn forget_program(pid: Pid) {
    left().programs.retain(|p| *p != pid);
}

/// The folder is to be removed.
pub(super) fn remember_folder(path: PathBuf) {
    left().folder = Some(path);
}

/// Sets `stop` at the first signal, and ends the program at the second.
pub(super) fn on_signals(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let mut signals = Signals::new(TERM_SIGNALS.iter().chain([&SIGHUP])).context("cannot wait for signals")?;
    let stop = Arc::clone(stop);
    thread::Builder::new().name("signals".into()).spawn(move || {
        for _ in signals.forever() {
            if stop.swap(true, Ordering::Relaxed) {
                at_once();
            }
        }
    })?;
    Ok(())
}

fn at_once() -> ! {
    let left = left();
    for program in &left.programs {
        let _ = kill_process(*program, Signal::KILL);
    }
    // What was killed may take a moment to stop writing.
    for _ in 0..20 {
        if left.folder.as_ref().is_none_or(|path| folder::remove(path)) {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    std::process::exit(130)
}
