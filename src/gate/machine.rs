//! The gate at work: a turnstile with its relay, its contacts, and a timer that nothing else can hold up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::contact::{ASKED, Contact, Steady};
use super::keeper::Keeper;
use super::turnstile::{LONGEST, Opens, Turnstile};
use super::{Ended, GateError, Happened, Opening, Relay, Stands};
use crate::lang::Text;

/// How often the timer tries again to release a relay whose driver refuses.
const RETRY: Duration = Duration::from_millis(100);
/// The pause before a contact that fails is asked again.
const CONTACT_RETRY: Duration = Duration::from_secs(1);

struct State {
    relay: Box<dyn Relay>,
    turnstile: Turnstile,
    /// What the relay was told last.
    energised: bool,
    /// When a relay that did not let go is told again.
    retry_at: Option<Instant>,
    keeper: Option<Keeper>,
    stopping: bool,
    /// Whether the timer is there to release the relay.
    timer_alive: bool,
    /// The last refusal of the driver, in words.
    fault: Option<Text>,
    contact_fault: Option<Text>,
}

impl State {
    /// The next moment at which the timer has something to do.
    fn due(&self) -> Option<Instant> {
        let kept = self.keeper.as_ref().and_then(Keeper::due);
        [self.retry_at, self.turnstile.due(), kept].into_iter().flatten().min()
    }

    /// Brings the relay to what the turnstile says.
    fn drive(&mut self, now: Instant) -> Result<(), GateError> {
        self.drive_to(now, false)
    }

    /// The same; a driver that was told to energise before is told once more if somebody is let in: it may have forgotten.
    fn drive_to(&mut self, now: Instant, once_more: bool) -> Result<(), GateError> {
        self.turnstile.tick(now);
        let wanted = self.turnstile.is_open(now);
        if wanted && !self.timer_alive {
            return Err(GateError::TimerDied);
        }
        // Before the relay is energised, and after it has let go: whoever must let go of it knows of it all the while.
        self.tell_keeper(wanted || self.energised, now);
        if wanted == self.energised && self.retry_at.is_none() && !(wanted && once_more) {
            return Ok(());
        }
        if !once_more && self.retry_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        let switched = self.relay.set(wanted);
        match &switched {
            Ok(()) => {
                (self.energised, self.retry_at) = (wanted, None);
                if wanted {
                    self.fault = None;
                } else {
                    self.tell_keeper(false, now);
                }
            }
            Err(error) => {
                // What it does now nobody knows: it is told to let go until it does, which is said once.
                if self.fault.is_none() {
                    tracing::error!("the relay does not obey: {error}");
                }
                (self.energised, self.retry_at) = (true, Some(now + RETRY));
                self.fault = Some(error.words());
            }
        }
        switched
    }

    fn tell_keeper(&mut self, energised: bool, now: Instant) {
        if let Some(keeper) = &mut self.keeper {
            keeper.tell(energised, now);
        }
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
}

/// The contacts of a gate, as far as it has any.
#[derive(Default)]
pub(super) struct Contacts {
    /// Tells who went through, with the time each may take, and after how long an open door is held.
    pub(super) passage: Option<(Box<dyn Contact>, Duration, Option<Duration>)>,
    /// Opens the gate for as long as it says so.
    pub(super) fire: Option<Box<dyn Contact>>,
}

impl Gate {
    /// A gate that opens for a pulse, with nothing but its relay.
    ///
    /// # Errors
    /// [`GateError`] if the relay cannot be released to begin with, or there is no thread to be had for the timer.
    pub fn new(relay: Box<dyn Relay>, pulse: Duration) -> Result<Self, GateError> {
        Self::with(relay, Opens::Pulse(pulse), Contacts::default(), None)
    }

    pub(super) fn with(
        mut relay: Box<dyn Relay>,
        opens: Opens,
        contacts: Contacts,
        keeper: Option<Keeper>,
    ) -> Result<Self, GateError> {
        relay.set(false)?;
        let mut turnstile = Turnstile::new(opens);
        let Contacts { passage, fire } = contacts;
        let passage = passage.map(|(contact, wait, held_after)| {
            turnstile.told_of_passages(wait, held_after);
            turnstile.passage_unknown();
            Steady::new(contact)
        });
        let fire = fire.map(Steady::new);
        let state = State {
            relay,
            turnstile,
            energised: false,
            retry_at: None,
            keeper,
            stopping: false,
            timer_alive: true,
            fault: None,
            contact_fault: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let mut gate = Self { shared, threads: Vec::new() };
        gate.spawn("gate-timer", run_timer)?;
        if passage.is_some() || fire.is_some() {
            gate.spawn("gate-contacts", move |shared| watch(shared, passage, fire))?;
        }
        Ok(gate)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce(&Shared) + Send + 'static) -> Result<(), GateError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || run(&shared));
        self.threads.push(thread.map_err(|_| GateError::TimerDied)?);
        Ok(())
    }

    /// Opens for so many people, or longer if it is open. Returns as soon as the driver has switched.
    ///
    /// # Errors
    /// [`GateError`]; then the relay is released.
    pub fn open(&self, people: u8) -> Result<Opening, GateError> {
        let now = Instant::now();
        let mut state = self.shared.lock();
        let opening = state.turnstile.open(people, now);
        let switched = state.drive_to(now, true);
        if switched.is_err() {
            state.turnstile.give_up(opening);
        }
        drop(state);
        self.shared.changed.notify_all();
        switched.map(|()| opening)
    }

    /// A guard holds the gate open, or lets it close.
    ///
    /// # Errors
    /// [`GateError`]; then the gate is not held open.
    pub fn hold(&self, held: bool) -> Result<(), GateError> {
        let now = Instant::now();
        let mut state = self.shared.lock();
        state.turnstile.hold(held);
        let switched = state.drive_to(now, held);
        if held && switched.is_err() {
            state.turnstile.hold(false);
        }
        drop(state);
        self.shared.changed.notify_all();
        switched
    }

    /// The openings that have ended since the last call; none if nothing tells who went through.
    pub fn take_ended(&self) -> Vec<Ended> {
        self.shared.lock().turnstile.take_ended()
    }

    /// What has happened since the last call.
    pub fn take_happened(&self) -> Vec<Happened> {
        self.shared.lock().turnstile.take_happened()
    }

    /// How it stands.
    pub fn stands(&self) -> Stands {
        self.shared.lock().turnstile.stands(Instant::now())
    }

    /// What does not work: the driver's last refusal, until it works again; a contact; whoever keeps the relay.
    pub fn fault(&self) -> Option<Text> {
        let state = self.shared.lock();
        if !state.timer_alive {
            return Some(GateError::TimerDied.words());
        }
        let kept = || state.keeper.as_ref().and_then(Keeper::fault);
        state.fault.clone().or_else(|| state.contact_fault.clone()).or_else(kept)
    }

    /// Whether the passage contact says at this moment that somebody goes through, and how often it said so; `None` without one.
    pub fn passage(&self) -> Option<(bool, u64)> {
        self.shared.lock().turnstile.contact()
    }

    /// What is driven.
    pub fn describe(&self) -> String {
        self.shared.lock().relay.describe()
    }

    /// Waits until the relay is released, for as long as one opening may be: a relay that does not let go is the timer's business, and
    /// a gate that stands open ends with the program.
    pub fn wait_closed(&self) {
        let closing = |s: &mut State| s.energised && s.retry_at.is_none() && !s.turnstile.stands_open();
        let wait = self.shared.changed.wait_timeout_while(self.shared.lock(), LONGEST, closing);
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

/// A contact that is asked, with a pause after each time it did not answer.
struct Asked {
    contact: Steady,
    /// What it is called, for people.
    name: Text,
    again: Option<Instant>,
    fault: Option<Text>,
}

impl Asked {
    fn new(contact: Steady, name: Text) -> Self {
        Self { contact, name, again: None, fault: None }
    }

    /// What it says now; `None` while it does not answer.
    fn ask(&mut self) -> Option<bool> {
        let now = Instant::now();
        if self.again.is_some_and(|at| at > now) {
            return None;
        }
        match self.contact.ask() {
            Ok(active) => {
                (self.again, self.fault) = (None, None);
                Some(active)
            }
            Err(error) => {
                if self.fault.is_none() {
                    tracing::error!("{} does not answer: {error}", self.name.en);
                }
                let (zh, en) = (&self.name.zh, &self.name.en);
                self.fault = Some(Text::new(
                    format!("{zh}没有应答，请检查接线（{error}）"),
                    format!("{en} does not answer; check its wiring ({error})"),
                ));
                self.again = Some(now + CONTACT_RETRY);
                None
            }
        }
    }
}

/// Says so if the contacts' thread ends while the gate is at work.
struct SayOnExit<'a>(&'a Shared);

impl Drop for SayOnExit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if !state.stopping {
            state.contact_fault = Some(Text::new(
                "闸机触点不再被查询，请重启检查点",
                "the gate's contacts are not asked any more; restart the checkpoint",
            ));
        }
    }
}

/// The contacts' thread.
fn watch(shared: &Shared, passage: Option<Steady>, fire: Option<Steady>) {
    let _say = SayOnExit(shared);
    let mut passage = passage.map(|contact| Asked::new(contact, Text::new("通行触点", "the passage contact")));
    let mut fire = fire.map(|contact| Asked::new(contact, Text::new("消防触点", "the fire contact")));
    loop {
        let heard = passage.as_mut().map(Asked::ask);
        let alarm = fire.as_mut().and_then(Asked::ask);
        let now = Instant::now();
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        state.contact_fault = [&passage, &fire].into_iter().flatten().find_map(|asked| asked.fault.clone());
        match heard {
            Some(Some(active)) => state.turnstile.passage(active, now),
            Some(None) => state.turnstile.passage_unknown(),
            None => {}
        }
        // A fire alarm that does not answer changes nothing: it is said, and a fire contact acts on the lock itself as well.
        if let Some(active) = alarm {
            state.turnstile.fire(active);
        }
        // What the driver refuses is said where it is tried.
        state.drive(now).ok();
        drop(state);
        shared.changed.notify_all();
        std::thread::sleep(ASKED);
    }
}

/// Releases the relay if the timer thread ends in any way.
struct ReleaseOnExit<'a>(&'a Shared);

impl Drop for ReleaseOnExit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        match state.relay.set(false) {
            Ok(()) => {
                state.energised = false;
                state.tell_keeper(false, Instant::now());
            }
            Err(error) => tracing::error!("the relay does not let go: {error}"),
        }
        state.retry_at = None;
        state.timer_alive = false;
        self.0.changed.notify_all();
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
                // What the driver refuses is said where it is tried.
                state.drive(now).ok();
                shared.changed.notify_all();
                state
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Simulated, SimulatedContact};

    const PULSE: Duration = Duration::from_millis(60);

    fn gate() -> (Gate, Simulated) {
        let relay = Simulated::default();
        (Gate::new(Box::new(relay.clone()), PULSE).unwrap(), relay)
    }

    fn energised(relay: &Simulated) -> Vec<bool> {
        relay.history().iter().map(|s| s.energised).collect()
    }

    fn until(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !what() {
            assert!(Instant::now() < end);
            std::thread::sleep(Duration::from_millis(5));
        }
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
        let again = Instant::now();
        gate.open(1).unwrap();
        gate.wait_closed();
        assert_eq!(energised(&relay), [false, true, true, false]);
        assert!(relay.history()[3].at - again >= PULSE);
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
    fn dropping_the_gate_in_mid_pulse_or_held_open_releases_the_relay() {
        for held in [false, true] {
            let relay = Simulated::default();
            let gate = Gate::new(Box::new(relay.clone()), Duration::from_secs(3600)).unwrap();
            if held { gate.hold(true) } else { gate.open(1).map(drop) }.unwrap();
            drop(gate);
            assert_eq!(energised(&relay), [false, true, false]);
        }
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
        until(|| gate.fault().is_some());
        assert_eq!(energised(&relay), [false, true, false]);
        assert!(matches!(gate.open(1), Err(GateError::TimerDied)));
        assert!(matches!(gate.hold(true), Err(GateError::TimerDied)));
        assert_eq!(energised(&relay), [false, true, false]);
    }

    #[test]
    fn a_relay_that_refuses_to_let_go_is_told_again_until_it_does() {
        let (gate, relay) = wicked(false);
        gate.open(1).unwrap();
        until(|| energised(&relay) == [false, true, false]);
        assert_eq!(gate.fault().unwrap().en, "the relay does not obey; check its wiring (wicked)");
        gate.open(1).unwrap();
        assert_eq!(gate.fault(), None);
    }

    fn with_contacts(passage: &SimulatedContact, fire: &SimulatedContact, wait: Duration) -> (Gate, Simulated) {
        let relay = Simulated::default();
        let contacts =
            Contacts { passage: Some((Box::new(passage.clone()), wait, None)), fire: Some(Box::new(fire.clone())) };
        (Gate::with(Box::new(relay.clone()), Opens::Pulse(PULSE), contacts, None).unwrap(), relay)
    }

    #[test]
    fn a_turnstile_opens_once_for_each_of_a_group_and_says_who_did_not_go() {
        let (passage, fire) = (SimulatedContact::default(), SimulatedContact::default());
        let (gate, relay) = with_contacts(&passage, &fire, Duration::from_millis(600));
        let pulses = || energised(&relay).iter().filter(|on| **on).count();
        let group = gate.open(3).unwrap();
        for turn in 1..=2 {
            until(|| !gate.shared.lock().energised);
            passage.turn();
            until(|| pulses() == turn + 1 && !gate.passage().unwrap().0);
        }
        let ended = std::cell::RefCell::new(Vec::new());
        let collect = || {
            ended.borrow_mut().extend(gate.take_ended());
            !ended.borrow().is_empty()
        };
        until(collect);
        assert_eq!(*ended.borrow(), [Ended { opening: group, of: 3, passed: 2 }]);
        ended.borrow_mut().clear();
        let one = gate.open(1).unwrap();
        passage.turn();
        until(collect);
        assert_eq!(*ended.borrow(), [Ended { opening: one, of: 1, passed: 1 }]);
        assert_eq!(gate.passage().unwrap().1, 3);
        gate.wait_closed();
        assert_eq!(pulses(), 4);
    }

    #[test]
    fn a_fire_opens_the_gate_for_as_long_as_it_burns() {
        let (passage, fire) = (SimulatedContact::default(), SimulatedContact::default());
        let (gate, relay) = with_contacts(&passage, &fire, PULSE);
        fire.set(true);
        until(|| energised(&relay) == [false, true]);
        assert!(gate.stands().fire);
        std::thread::sleep(PULSE * 2);
        fire.set(false);
        until(|| energised(&relay) == [false, true, false]);
        assert_eq!(gate.take_happened(), [Happened::Fire, Happened::FireOver]);
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

    #[test]
    fn a_door_that_stands_open_at_the_start_is_nobody_who_slipped_through() {
        let (passage, fire) = (SimulatedContact::default(), SimulatedContact::default());
        passage.set(true);
        let (gate, _relay) = with_contacts(&passage, &fire, PULSE);
        until(|| gate.passage().unwrap().0);
        assert_eq!((gate.passage().unwrap().1, gate.take_happened()), (0, vec![]));
        passage.set(false);
        until(|| !gate.passage().unwrap().0);
        passage.set(true);
        until(|| gate.passage().unwrap().1 == 1);
        assert_eq!(gate.take_happened(), [Happened::Tailgate]);
    }

    /// An input that is not there.
    struct Broken;

    impl Contact for Broken {
        fn is_active(&self) -> Result<bool, GateError> {
            Err(GateError::Driver { driver: "broken", problem: "no such line".into() })
        }
    }

    #[test]
    fn an_input_that_fails_is_said_and_gives_no_use_back() {
        let contacts = Contacts { passage: Some((Box::new(Broken), PULSE, None)), fire: None };
        let gate = Gate::with(Box::new(Simulated::default()), Opens::Pulse(PULSE), contacts, None).unwrap();
        gate.open(1).unwrap();
        until(|| gate.fault().is_some());
        gate.wait_closed();
        assert!(gate.fault().unwrap().en.contains("broken"));
        assert_eq!(gate.take_ended(), []);
    }
}
