//! A time limit for calls of a driver that knows none.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::Signal;

/// Nobody else uses it, and where nothing handles it, it does nothing.
const SIGNAL: Signal = Signal::SIGURG;
/// A signal that comes just before the call that it is to interrupt is lost, so it is sent again.
const AGAIN: Duration = Duration::from_millis(100);

#[derive(Default)]
struct State {
    /// When the call that is being made must be over.
    until: Option<Instant>,
    /// Whether it was interrupted.
    expired: bool,
    stopping: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Interrupts what the thread that made it waits for in the kernel, once its time is up: a signal ends a `poll` that would
/// wait for ever, and the driver sees an error. It cannot leave its thread.
pub(super) struct Deadline {
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
    _stays_here: std::marker::PhantomData<*const ()>,
}

impl Deadline {
    /// # Errors
    /// If there is no thread or no signal handler to be had.
    pub(super) fn new() -> std::io::Result<Self> {
        handle()?;
        let (shared, caller) = (Arc::new(Shared::default()), pthread_self());
        let watched = Arc::clone(&shared);
        let watch = std::thread::Builder::new().name("camera-limit".into()).spawn(move || watch(&watched, caller))?;
        Ok(Self { shared, watch: Some(watch), _stays_here: std::marker::PhantomData })
    }

    /// Makes a call; whether it took too long comes with what it gave. A call that nothing can interrupt is waited for.
    pub(super) fn within<T>(&self, limit: Duration, call: impl FnOnce() -> T) -> (T, bool) {
        self.set(Some(Instant::now() + limit));
        // A driver that panics must not leave a time limit behind.
        let _over = Over(self);
        let given = call();
        (given, self.set(None))
    }

    /// Whether the call before was interrupted.
    fn set(&self, until: Option<Instant>) -> bool {
        let mut state = self.shared.lock();
        state.until = until;
        let expired = std::mem::take(&mut state.expired);
        drop(state);
        if until.is_some() {
            self.shared.changed.notify_all();
        }
        expired
    }
}

/// Handles the signal, once for all cameras: a signal that is ignored interrupts nothing.
fn handle() -> std::io::Result<()> {
    static HANDLED: OnceLock<signal_hook::SigId> = OnceLock::new();
    if HANDLED.get().is_none() {
        HANDLED.set(signal_hook::flag::register(SIGNAL as i32, Arc::new(AtomicBool::new(false)))?).ok();
    }
    Ok(())
}

struct Over<'a>(&'a Deadline);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.shared.lock().until = None;
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(watch) = self.watch.take() {
            watch.join().ok();
        }
    }
}

fn watch(shared: &Shared, caller: Pthread) {
    let mut state = shared.lock();
    while !state.stopping {
        let now = Instant::now();
        state = match state.until {
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) if until > now => {
                shared.changed.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0
            }
            Some(_) => {
                state.expired = true;
                // The thread is there: it waits for this one before it ends.
                pthread_kill(caller, SIGNAL).ok();
                shared.changed.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    /// Waits for ever, as a camera's driver does.
    fn wait_for(stream: &UnixStream) -> Result<usize, rustix::io::Errno> {
        poll(&mut [PollFd::new(stream, PollFlags::IN)], None)
    }

    #[test]
    fn a_wait_without_end_is_ended_and_the_next_one_has_its_own_time() {
        let deadline = Deadline::new().unwrap();
        let (mut far, mut near) = UnixStream::pair().unwrap();
        for _ in 0..3 {
            let start = Instant::now();
            let (polled, expired) = deadline.within(Duration::from_millis(50), || wait_for(&near));
            assert_eq!((polled, expired), (Err(rustix::io::Errno::INTR), true));
            assert!(start.elapsed() >= Duration::from_millis(50));
            far.write_all(b"x").unwrap();
            assert_eq!(deadline.within(Duration::from_secs(60), || wait_for(&near)), (Ok(1), false));
            near.read_exact(&mut [0]).unwrap();
        }
    }

    #[test]
    fn nothing_is_interrupted_after_its_call_not_even_after_one_that_panics() {
        let deadline = Deadline::new().unwrap();
        let call = || deadline.within(Duration::from_millis(20), || panic!("the driver panics (part of the test)"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
        let (_far, near) = UnixStream::pair().unwrap();
        let waited = poll(
            &mut [PollFd::new(&near, PollFlags::IN)],
            Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 200_000_000 }),
        );
        assert_eq!(waited, Ok(0), "a signal would have ended it");
    }
}
