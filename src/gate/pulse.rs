//! The pulse: energise now, release by a timer that nothing else can hold up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::passage::{Ended, Opening, Openings};
use super::{GateError, Relay, Sensor};
use crate::lang::Text;

/// The longest a pulse may be, also for a large group.
const LONGEST: Duration = Duration::from_secs(60);
/// How long the sensor's thread waits at a time, so that it notices when it is to stop.
const LISTEN: Duration = Duration::from_millis(200);
/// The pause before a sensor that fails is asked again.
const SENSOR_RETRY: Duration = Duration::from_secs(1);
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
    opened: u64,
    /// Who may still go through; `None` if nothing tells.
    openings: Option<Openings>,
    sensor_fault: Option<Text>,
    /// The input's level, and how often somebody went through, for whoever looks after it.
    passage: Option<(bool, u64)>,
}

impl State {
    /// The next moment at which the timer has something to do.
    fn due(&self) -> Option<Instant> {
        let until = self.openings.as_ref().and_then(Openings::until);
        [self.release_at, until].into_iter().flatten().min()
    }

    /// Energises the relay until `release_at`.
    fn energise(&mut self, pulse: Duration) -> Result<(), GateError> {
        if !self.timer_alive {
            return Err(GateError::TimerDied);
        }
        // The deadline stands before the relay is energised: a panic between the two leaves a release to come.
        self.release_at = Some(Instant::now() + pulse);
        let switched = self.relay.set(true);
        if let Err(error) = &switched {
            self.fault = Some(error.words());
            self.release_at = Some(Instant::now());
        } else {
            self.fault = None;
        }
        switched
    }
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
    threads: Vec<JoinHandle<()>>,
    pulse: Duration,
}

impl Gate {
    /// A gate that opens for `pulse`.
    ///
    /// # Errors
    /// [`GateError`] if the relay cannot be released to begin with, or there is no thread to be had for the timer.
    pub fn new(mut relay: Box<dyn Relay>, pulse: Duration) -> Result<Self, GateError> {
        relay.set(false)?;
        let state = State {
            relay,
            release_at: None,
            stopping: false,
            timer_alive: true,
            fault: None,
            opened: 0,
            openings: None,
            sensor_fault: None,
            passage: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let timer = spawn("gate-timer", &shared, run_timer)?;
        Ok(Self { shared, threads: vec![timer], pulse })
    }

    /// The same with an input that tells who went through; each has `wait` to do so.
    ///
    /// # Errors
    /// [`GateError`] if there is no thread to be had for the input.
    pub fn with_sensor(mut self, sensor: Box<dyn Sensor>, wait: Duration) -> Result<Self, GateError> {
        self.shared.lock().openings = Some(Openings::new(wait));
        let pulse = self.pulse;
        self.threads.push(spawn("gate-sensor", &self.shared, move |shared| watch(shared, sensor, pulse))?);
        Ok(self)
    }

    /// Energises the relay for one pulse; while it is open, opens it anew for a whole pulse. Returns as soon as the
    /// driver has switched. For a group a gate that can tell who went through opens again for each of them; one that
    /// cannot stays open for as many pulses.
    ///
    /// # Errors
    /// [`GateError`]; then the relay is released.
    pub fn open(&self, people: u8) -> Result<Opening, GateError> {
        let mut state = self.shared.lock();
        let pulses = if state.openings.is_some() { 1 } else { u32::from(people.max(1)) };
        let switched = state.energise((self.pulse * pulses).min(LONGEST.max(self.pulse)));
        state.opened += 1;
        let opening = Opening(state.opened);
        if switched.is_ok()
            && let Some(openings) = &mut state.openings
        {
            openings.begin(opening, people.max(1), Instant::now());
        }
        drop(state);
        self.shared.changed.notify_all();
        switched.map(|()| opening)
    }

    /// The openings that have ended since the last call; none if nothing tells who went through.
    pub fn take_ended(&self) -> Vec<Ended> {
        self.shared.lock().openings.as_mut().map(Openings::take_ended).unwrap_or_default()
    }

    /// The driver's last refusal, until it works again.
    pub fn fault(&self) -> Option<Text> {
        let state = self.shared.lock();
        if !state.timer_alive {
            return Some(GateError::TimerDied.words());
        }
        state.fault.clone().or_else(|| state.sensor_fault.clone())
    }

    /// Whether the input says at this moment that somebody goes through, and how often it said so; `None` without one.
    pub fn passage(&self) -> Option<(bool, u64)> {
        self.shared.lock().passage
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
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Shared) + Send + 'static,
) -> Result<JoinHandle<()>, GateError> {
    let shared = Arc::clone(shared);
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || run(&shared));
    thread.map_err(|_| GateError::TimerDied)
}

/// The sensor's thread: counts who goes through, and opens again for the rest of a group.
fn watch(shared: &Shared, mut sensor: Box<dyn Sensor>, pulse: Duration) {
    loop {
        let turned = sensor.wait(LISTEN);
        let active = sensor.is_active().unwrap_or(false);
        let mut state = shared.lock();
        let turns = state.passage.map_or(0, |(_, turns)| turns) + u64::from(matches!(turned, Ok(true)));
        state.passage = Some((active, turns));
        if state.stopping {
            return;
        }
        let Some(openings) = &mut state.openings else { return };
        match turned {
            Ok(turned) => {
                let again = turned && openings.turned(Instant::now());
                state.sensor_fault = None;
                if again && let Err(error) = state.energise(pulse) {
                    tracing::error!("the gate does not open for the rest of a group: {error}");
                }
                drop(state);
                shared.changed.notify_all();
            }
            Err(error) => {
                openings.forget();
                if state.sensor_fault.is_none() {
                    tracing::error!("nobody can tell who goes through: {error}");
                }
                state.sensor_fault = Some(error.words());
                drop(state);
                std::thread::sleep(SENSOR_RETRY);
            }
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
        state = match state.due() {
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(at) if at > now => {
                shared.changed.wait_timeout(state, at - now).unwrap_or_else(PoisonError::into_inner).0
            }
            Some(_) => {
                if state.release_at.is_some_and(|at| at <= now) {
                    release(&mut state, now);
                }
                if let Some(openings) = &mut state.openings {
                    openings.expire(now);
                }
                shared.changed.notify_all();
                state
            }
        };
    }
}

fn release(state: &mut State, now: Instant) {
    match state.relay.set(false) {
        Ok(()) => state.release_at = None,
        Err(error) => {
            tracing::error!("the relay does not let go, trying again: {error}");
            state.fault = Some(error.words());
            state.release_at = Some(now + RETRY);
        }
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
        gate.open(1).unwrap();
        gate.wait_closed();
        assert_eq!(energised(&relay), [false, true, false]);
        let history = relay.history();
        assert!(history[2].at - history[1].at >= PULSE);
    }

    #[test]
    fn opening_an_open_gate_lengthens_the_pulse() {
        let (gate, relay) = gate();
        gate.open(1).unwrap();
        std::thread::sleep(PULSE / 2);
        gate.open(1).unwrap();
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
                gate.open(1).unwrap();
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
        gate.open(1).unwrap();
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
        gate.open(1).unwrap();
        gate.wait_closed();
        while gate.fault().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(energised(&relay), [false, true, false]);
        assert!(matches!(gate.open(1), Err(GateError::TimerDied)));
        assert_eq!(energised(&relay), [false, true, false]);
    }

    #[test]
    fn a_relay_that_refuses_to_let_go_is_told_again_until_it_does() {
        let (gate, relay) = wicked(false);
        gate.open(1).unwrap();
        gate.wait_closed();
        assert_eq!(energised(&relay), [false, true, false]);
        assert_eq!(gate.fault().unwrap().en, "the relay does not obey; check its wiring (wicked)");
        gate.open(1).unwrap();
        assert_eq!(gate.fault(), None);
    }

    #[test]
    fn a_turnstile_opens_once_for_each_of_a_group_and_says_who_did_not_go() {
        const WAIT: Duration = Duration::from_millis(300);
        let (relay, sensor) = (Simulated::default(), crate::gate::SimulatedSensor::default());
        let gate = Gate::new(Box::new(relay.clone()), PULSE).unwrap();
        let gate = gate.with_sensor(Box::new(sensor.clone()), WAIT).unwrap();
        let wait_for = |what: &dyn Fn() -> bool| {
            let end = Instant::now() + Duration::from_secs(10);
            while !what() {
                assert!(Instant::now() < end, "{:?}", energised(&relay));
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        let pulses = || energised(&relay).iter().filter(|on| **on).count();
        let group = gate.open(3).unwrap();
        for turn in 1..=2 {
            sensor.turn();
            wait_for(&|| pulses() == turn + 1);
        }
        let ended = std::cell::RefCell::new(Vec::new());
        let collect = || {
            ended.borrow_mut().extend(gate.take_ended());
            !ended.borrow().is_empty()
        };
        wait_for(&collect);
        assert_eq!(*ended.borrow(), [Ended { opening: group, of: 3, passed: 2 }]);
        ended.borrow_mut().clear();
        let one = gate.open(1).unwrap();
        sensor.turn();
        wait_for(&collect);
        assert_eq!(*ended.borrow(), [Ended { opening: one, of: 1, passed: 1 }]);
        assert_eq!(gate.passage(), Some((false, 3)));
        gate.wait_closed();
        assert_eq!(pulses(), 4);
    }

    #[test]
    fn a_gate_that_cannot_tell_stays_open_as_long_as_a_group_needs_and_tells_nothing() {
        let (gate, relay) = gate();
        gate.open(3).unwrap();
        gate.wait_closed();
        let history = relay.history();
        assert_eq!(energised(&relay), [false, true, false]);
        assert!(history[2].at - history[1].at >= PULSE * 3);
        assert_eq!(gate.take_ended(), []);
    }

    /// An input that is not there.
    struct Broken;

    impl Sensor for Broken {
        fn wait(&mut self, _: Duration) -> Result<bool, GateError> {
            Err(GateError::Driver { driver: "broken", problem: "no such line".into() })
        }

        fn is_active(&self) -> Result<bool, GateError> {
            Err(GateError::Driver { driver: "broken", problem: "no such line".into() })
        }
    }

    #[test]
    fn an_input_that_fails_is_said_and_gives_no_use_back() {
        let relay = Simulated::default();
        let gate = Gate::new(Box::new(relay), PULSE).unwrap().with_sensor(Box::new(Broken), PULSE).unwrap();
        while gate.fault().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        gate.wait_closed();
        assert!(gate.fault().unwrap().en.contains("broken"));
        assert_eq!(gate.take_ended(), []);
    }
}
