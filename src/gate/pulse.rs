//! The pulse: energise now, release by a timer that nothing else can hold up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{GateError, Relay};
use crate::lang::Text;

/// How often the timer tries again to release a relay whose driver refuses.
const RETRY: Duration = Duration::from_millis(100);

struct State {
    relay: Box<dyn Relay>,
    /// When to release; `None` while released.
    release_at: Option<Instant>,
    stopping: bool,
    /// Whether the timer is there to release the relay.
    timer_alive: bool,
    /// The last refusal of the driver, in words.
    fault: Option<Text>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked with the lock held must not keep the timer from releasing the relay.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A gate with its timer. Dropping it releases the relay.
pub struct Gate {
    shared: Arc<Shared>,
    timer: Option<JoinHandle<()>>,
    pulse: Duration,
}

impl Gate {
    /// A gate that opens for `pulse`.
    ///
    /// # Errors
    /// [`GateError`] if the relay cannot be released to begin with, or there is no thread to be had for the timer.
    pub fn new(mut relay: Box<dyn Relay>, pulse: Duration) -> Result<Self, GateError> {
        relay.set(false)?;
        let state = State { relay, release_at: None, stopping: false, timer_alive: true, fault: None };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let timer = std::thread::Builder::new()
            .name("gate-timer".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run_timer(&shared)
            })
            .map_err(|_| GateError::TimerDied)?;
        Ok(Self { shared, timer: Some(timer), pulse })
    }

    /// Energises the relay for one pulse; while it is open, opens it anew for a whole pulse. Returns as soon as the
    /// driver has switched.
    ///
    /// # Errors
    /// [`GateError`]; then the relay is released.
    pub fn open(&self) -> Result<(), GateError> {
        let mut state = self.shared.lock();
        if !state.timer_alive {
            return Err(GateError::TimerDied);
        }
        // The deadline stands before the relay is energised: a panic between the two leaves a release to come.
        state.release_at = Some(Instant::now() + self.pulse);
        let switched = state.relay.set(true);
        if let Err(error) = &switched {
            state.fault = Some(error.words());
            state.release_at = Some(Instant::now());
        } else {
            state.fault = None;
        }
        drop(state);
        self.shared.changed.notify_all();
        switched
    }

    /// The driver's last refusal, until it works again.
    pub fn fault(&self) -> Option<Text> {
        let state = self.shared.lock();
        if state.timer_alive { state.fault.clone() } else { Some(GateError::TimerDied.words()) }
    }

    /// What is driven.
    pub fn describe(&self) -> String {
        self.shared.lock().relay.describe()
    }

    /// Waits until the relay is released.
    pub fn wait_closed(&self) {
        let state = self.shared.lock();
        // A relay that does not let go is the timer's business; whoever waits here goes on after a while.
        let wait = self.shared.changed.wait_timeout_while(state, self.pulse * 4, |s| s.release_at.is_some());
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(timer) = self.timer.take() {
            timer.join().ok();
        }
    }
}

/// Releases the relay if the timer thread ends in any way.
struct ReleaseOnExit<'a>(&'a Shared);

impl Drop for ReleaseOnExit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let Err(error) = state.relay.set(false) {
            tracing::error!("the relay does not let go: {error}");
        }
        state.release_at = None;
        state.timer_alive = false;
    }
}

fn run_timer(shared: &Shared) {
    let _release = ReleaseOnExit(shared);
    let mut state = shared.lock();
    while !state.stopping {
        let now = Instant::now();
        state = match state.release_at {
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(at) if at > now => {
                shared.changed.wait_timeout(state, at - now).unwrap_or_else(PoisonError::into_inner).0
            }
            Some(_) => {
                match state.relay.set(false) {
                    Ok(()) => state.release_at = None,
                    Err(error) => {
                        tracing::error!("the relay does not let go, trying again: {error}");
                        state.fault = Some(error.words());
                        state.release_at = Some(now + RETRY);
                    }
                }
                shared.changed.notify_all();
                state
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Simulated;

    const PULSE: Duration = Duration::from_millis(60);

    fn gate() -> (Gate, Simulated) {
        let relay = Simulated::default();
        (Gate::new(Box::new(relay.clone()), PULSE).unwrap(), relay)
    }

    fn energised(relay: &Simulated) -> Vec<bool> {
        relay.history().iter().map(|s| s.energised).collect()
    }

    #[test]
    fn a_pulse_ends_by_itself() {
        let (gate, relay) = gate();
        gate.open().unwrap();
        gate.wait_closed();
        assert_eq!(energised(&relay), [false, true, false]);
        let history = relay.history();
        assert!(history[2].at - history[1].at >= PULSE);
    }

    #[test]
    fn opening_an_open_gate_lengthens_the_pulse() {
        let (gate, relay) = gate();
        gate.open().unwrap();
        std::thread::sleep(PULSE / 2);
        gate.open().unwrap();
        gate.wait_closed();
        let history = relay.history();
        assert_eq!(energised(&relay), [false, true, true, false]);
        assert!(history[3].at - history[2].at >= PULSE);
    }

    #[test]
    fn a_thread_that_dies_after_opening_does_not_leave_the_gate_open() {
        let (gate, relay) = gate();
        let gate = Arc::new(gate);
        let lane = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                gate.open().unwrap();
                panic!("the lane dies (this panic is part of the test)");
            }
        });
        assert!(lane.join().is_err());
        gate.wait_closed();
        assert_eq!(energised(&relay), [false, true, false]);
    }

    #[test]
    fn dropping_the_gate_in_mid_pulse_releases_the_relay() {
        let relay = Simulated::default();
        let gate = Gate::new(Box::new(relay.clone()), Duration::from_secs(3600)).unwrap();
        gate.open().unwrap();
        drop(gate);
        assert_eq!(energised(&relay), [false, true, false]);
    }

    /// Panics or refuses when told to release.
    struct Wicked {
        relay: Simulated,
        panic_on_release: bool,
        refusals: u32,
    }

    impl Relay for Wicked {
        fn set(&mut self, on: bool) -> Result<(), GateError> {
            if !on && self.refusals > 0 && self.relay.history().len() > 1 {
                self.refusals -= 1;
                assert!(!self.panic_on_release, "the timer dies (this panic is part of the test)");
                return Err(GateError::Driver { driver: "wicked", problem: "stuck".into() });
            }
            self.relay.set(on)
        }

        fn describe(&self) -> String {
            "wicked".into()
        }
    }

    fn wicked(panic_on_release: bool) -> (Gate, Simulated) {
        let relay = Simulated::default();
        let wicked = Wicked { relay: relay.clone(), panic_on_release, refusals: 1 };
        (Gate::new(Box::new(wicked), PULSE).unwrap(), relay)
    }

    #[test]
    fn a_timer_that_dies_releases_the_relay_and_the_gate_refuses_to_open_again() {
        let (gate, relay) = wicked(true);
        gate.open().unwrap();
        gate.wait_closed();
        while gate.fault().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(energised(&relay), [false, true, false]);
        assert!(matches!(gate.open(), Err(GateError::TimerDied)));
        assert_eq!(energised(&relay), [false, true, false]);
    }

    #[test]
    fn a_relay_that_refuses_to_let_go_is_told_again_until_it_does() {
        let (gate, relay) = wicked(false);
        gate.open().unwrap();
        gate.wait_closed();
        assert_eq!(energised(&relay), [false, true, false]);
        assert_eq!(gate.fault().unwrap().en, "the relay does not obey; check its wiring (wicked)");
        gate.open().unwrap();
        assert_eq!(gate.fault(), None);
    }
}
