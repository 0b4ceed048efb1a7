//! What a gate does when: the relay's state from verdicts, contacts and the time. No thread, no pin: whoever turns it hands in
//! what happens and when.
//!
//! `Closed -> Open -> Passed or NotPassed -> Closed`, and two ways to stand open: a fire, and a guard who says so.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::passage::{Ended, Opening, Openings};

/// The longest one opening may be, also for a large group.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
/// A contact that still says so after somebody went through in order is not somebody else.
const SAME_PERSON: Duration = Duration::from_millis(500);
/// Things that have happened and were not asked for yet, at most.
const MOST: usize = 32;

/// How a gate opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// For a pulse, which a turnstile's own control takes as its order.
    Pulse(Duration),
    /// Until everybody is through, or their time is up: a door whose lock is held.
    Hold,
}

/// What there is to know of a gate beside verdicts. Each has a reason of its own in the journal (SY 6.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// Somebody went through without being let in.
    Tailgate,
    /// The door has stood open for too long.
    DoorHeld,
    /// And is closed again.
    DoorClosed,
    /// The fire contact has opened the gate.
    Fire,
    /// And lets it close again.
    FireOver,
}

/// How a gate stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stands {
    /// Open because of a fire.
    pub fire: bool,
    /// Held open by a guard.
    pub held: bool,
    /// The door has been open for too long.
    pub ajar: bool,
    /// Somebody went through without being let in, a moment ago.
    pub tailgated: bool,
}

pub(super) struct Turnstile {
    opens: Opens,
    /// After how long an open door is one that is held; none if nobody asks.
    held_after: Option<Duration>,
    open_until: Option<Instant>,
    fire: bool,
    held: bool,
    opened: u64,
    /// Who may still go through; `None` if nothing tells.
    openings: Option<Openings>,
    /// Since when the passage contact says so.
    passing: Option<Instant>,
    /// Whether it has been heard, since the start or since it did not answer.
    contact_known: bool,
    ajar: bool,
    passed_at: Option<Instant>,
    tailgated_at: Option<Instant>,
    turns: u64,
    happened: VecDeque<Happened>,
}

/// How long a tailgate is said.
const SAID: Duration = Duration::from_secs(10);

impl Turnstile {
    pub(super) fn new(opens: Opens) -> Self {
        Self {
            opens,
            held_after: None,
            open_until: None,
            fire: false,
            held: false,
            opened: 0,
            openings: None,
            passing: None,
            contact_known: true,
            ajar: false,
            passed_at: None,
            tailgated_at: None,
            turns: 0,
            happened: VecDeque::new(),
        }
    }

    /// There is a contact that tells who went through; each has `wait` to do so.
    pub(super) fn told_of_passages(&mut self, wait: Duration, held_after: Option<Duration>) {
        (self.openings, self.held_after) = (Some(Openings::new(wait)), held_after);
    }

    /// Whether the relay is to be energised.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.stands_open() || self.open_until.is_some_and(|until| until > now)
    }

    /// Whether it is open until somebody says otherwise.
    pub(super) fn stands_open(&self) -> bool {
        self.fire || self.held
    }

    /// The next moment at which something changes by itself.
    pub(super) fn due(&self) -> Option<Instant> {
        let waits = self.openings.as_ref().and_then(Openings::until);
        let ajar = self.passing.zip(self.held_after).filter(|_| !self.ajar).map(|(since, after)| since + after);
        [self.open_until, waits, ajar].into_iter().flatten().min()
    }

    /// Somebody is let in, or a group. A gate that can tell who went through opens again for each of a group, or is held for
    /// them; one that cannot stays open for as many pulses.
    pub(super) fn open(&mut self, people: u8, now: Instant) -> Opening {
        let people = people.max(1);
        self.opened += 1;
        let opening = Opening(self.opened);
        self.open_for(if self.openings.is_some() { 1 } else { people }, now);
        if let Some(openings) = &mut self.openings {
            openings.begin(opening, people, now);
        }
        opening
    }

    fn open_for(&mut self, people: u8, now: Instant) {
        let time = match (self.opens, &self.openings) {
            (Opens::Pulse(pulse), _) => (pulse * u32::from(people)).min(LONGEST.max(pulse)),
            (Opens::Hold, Some(openings)) => openings.wait(),
            (Opens::Hold, None) => LONGEST,
        };
        self.open_until = Some(self.open_until.map_or(now + time, |until| until.max(now + time)));
    }

    /// An opening that the driver refused.
    pub(super) fn give_up(&mut self, opening: Opening) {
        self.open_until = None;
        if let Some(openings) = &mut self.openings {
            openings.cancel(opening);
        }
    }

    /// What the passage contact says now.
    pub(super) fn passage(&mut self, active: bool, now: Instant) {
        let was_known = std::mem::replace(&mut self.contact_known, true);
        match (active, self.passing) {
            (true, None) => {
                self.passing = Some(now);
                // A door that stands open when it is first heard of: nobody was seen to go through.
                if was_known {
                    self.turned(now);
                }
            }
            (false, Some(_)) => {
                self.passing = None;
                if std::mem::take(&mut self.ajar) {
                    self.tell(Happened::DoorClosed);
                }
            }
            _ => {}
        }
    }

    fn turned(&mut self, now: Instant) {
        self.turns += 1;
        let Some(openings) = &mut self.openings else { return };
        if openings.is_awaiting() {
            let more = openings.turned(now);
            self.passed_at = Some(now);
            match self.opens {
                _ if more => self.open_for(1, now),
                // A lock that is held longer lets the next one in, too.
                Opens::Hold if !openings.is_awaiting() => self.open_until = None,
                _ => {}
            }
            return;
        }
        let bounced = self.passed_at.is_some_and(|at| now.saturating_duration_since(at) < SAME_PERSON);
        if !bounced && !self.fire && !self.held {
            self.tailgated_at = Some(now);
            self.tell(Happened::Tailgate);
        }
    }

    /// The contact does not work: nobody can say who went through.
    pub(super) fn passage_unknown(&mut self) {
        (self.passing, self.contact_known) = (None, false);
        if let Some(openings) = &mut self.openings {
            openings.forget();
        }
    }

    /// What the fire contact says now.
    pub(super) fn fire(&mut self, active: bool) {
        if std::mem::replace(&mut self.fire, active) != active {
            self.tell(if active { Happened::Fire } else { Happened::FireOver });
        }
    }

    /// A guard holds the gate open, or lets it close.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
        if !held {
            self.open_until = None;
        }
    }

    /// The time has come to `now`.
    pub(super) fn tick(&mut self, now: Instant) {
        self.open_until.take_if(|until| *until <= now);
        if let Some(openings) = &mut self.openings {
            openings.expire(now);
        }
        if let Some((since, after)) = self.passing.zip(self.held_after)
            && !self.ajar
            && now.saturating_duration_since(since) >= after
        {
            self.ajar = true;
            self.tell(Happened::DoorHeld);
        }
    }

    pub(super) fn stands(&self, now: Instant) -> Stands {
        let tailgated = self.tailgated_at.is_some_and(|at| now.saturating_duration_since(at) < SAID);
        Stands { fire: self.fire, held: self.held, ajar: self.ajar, tailgated }
    }

    /// Whether the passage contact says so now, and how often it said so; `None` without one.
    pub(super) fn contact(&self) -> Option<(bool, u64)> {
        self.openings.as_ref().map(|_| (self.passing.is_some(), self.turns))
    }

    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        self.openings.as_mut().map(Openings::take_ended).unwrap_or_default()
    }

    pub(super) fn take_happened(&mut self) -> Vec<Happened> {
        self.happened.drain(..).collect()
    }

    fn tell(&mut self, what: Happened) {
        if self.happened.len() >= MOST {
            // A contact that rattles says nothing new.
            self.happened.pop_front();
        }
        self.happened.push_back(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PULSE: Duration = Duration::from_millis(500);
    const WAIT: Duration = Duration::from_secs(5);
    const AJAR: Duration = Duration::from_secs(20);

    struct Day {
        gate: Turnstile,
        start: Instant,
        now: Instant,
    }

    impl Day {
        fn new(opens: Opens, told: bool) -> Self {
            let mut gate = Turnstile::new(opens);
            if told {
                gate.told_of_passages(WAIT, Some(AJAR));
            }
            let start = Instant::now();
            Self { gate, start, now: start }
        }

        /// Lets the time come, stopping wherever something is due, as the gate's thread does.
        fn until(&mut self, ms: u64) -> &mut Turnstile {
            let end = self.start + Duration::from_millis(ms);
            while let Some(due) = self.gate.due().filter(|due| *due <= end) {
                self.now = due;
                self.gate.tick(due);
            }
            self.now = end;
            self.gate.tick(end);
            &mut self.gate
        }

        fn open(&mut self, people: u8) -> Opening {
            self.gate.open(people, self.now)
        }

        /// Somebody goes through.
        fn turn(&mut self) {
            self.gate.passage(true, self.now);
            self.gate.passage(false, self.now);
        }

        fn is_open(&self) -> bool {
            self.gate.is_open(self.now)
        }
    }

    #[test]
    fn a_pulse_ends_by_itself_and_another_opening_lengthens_it() {
        let mut day = Day::new(Opens::Pulse(PULSE), false);
        day.open(1);
        day.until(499);
        assert!(day.is_open());
        day.open(1);
        day.until(998);
        assert!(day.is_open());
        day.until(999);
        assert!(!day.is_open() && day.gate.due().is_none());
        day.open(255);
        day.until(999 + 60_000);
        assert!(!day.is_open(), "no group holds it for longer than a minute");
    }

    #[test]
    fn a_lock_is_held_until_everybody_is_through_or_their_time_is_up() {
        let mut day = Day::new(Opens::Hold, true);
        day.open(2);
        day.until(3_000);
        day.turn();
        day.until(6_000);
        assert!(day.is_open(), "the second has a time of their own");
        day.turn();
        assert!(!day.is_open());
        assert_eq!(day.gate.take_ended(), [Ended { opening: Opening(1), of: 2, passed: 2 }]);
        day.open(1);
        day.until(10_999);
        assert!(day.is_open());
        day.until(11_000);
        assert!(!day.is_open());
        assert_eq!(day.gate.take_ended(), [Ended { opening: Opening(2), of: 1, passed: 0 }]);
        assert_eq!(day.gate.take_happened(), []);
    }

    #[test]
    fn who_goes_through_behind_somebody_is_a_tailgater_but_a_contact_that_bounces_is_nobody() {
        let mut day = Day::new(Opens::Pulse(PULSE), true);
        day.open(1);
        day.until(1_000);
        day.turn();
        day.until(1_200);
        day.turn();
        assert_eq!(day.gate.take_happened(), []);
        day.until(2_000);
        day.turn();
        assert_eq!(day.gate.take_happened(), [Happened::Tailgate]);
        assert!(day.gate.stands(day.now).tailgated);
        day.until(13_000);
        assert!(!day.gate.stands(day.now).tailgated);
    }

    #[test]
    fn a_door_that_stays_open_is_said_once_and_its_closing_too() {
        let mut day = Day::new(Opens::Pulse(PULSE), true);
        day.open(1);
        day.until(1_000);
        day.gate.passage(true, day.now);
        day.until(20_999);
        assert_eq!(day.gate.take_happened(), []);
        day.until(60_000);
        assert_eq!(day.gate.take_happened(), [Happened::DoorHeld]);
        assert!(day.gate.stands(day.now).ajar);
        day.gate.passage(false, day.now);
        assert_eq!(day.gate.take_happened(), [Happened::DoorClosed]);
        assert!(!day.gate.stands(day.now).ajar);
    }

    #[test]
    fn fire_goes_before_everything_and_nobody_is_a_tailgater_in_it() {
        let mut day = Day::new(Opens::Pulse(PULSE), true);
        day.gate.fire(true);
        day.gate.fire(true);
        day.until(3_600_000);
        assert!(day.is_open());
        day.turn();
        day.gate.hold(false);
        assert!(day.is_open(), "no guard closes it");
        day.gate.fire(false);
        assert!(!day.is_open());
        assert_eq!(day.gate.take_happened(), [Happened::Fire, Happened::FireOver]);
    }

    #[test]
    fn a_guard_holds_it_open_and_lets_it_close_also_in_the_middle_of_an_opening() {
        let mut day = Day::new(Opens::Pulse(PULSE), true);
        day.gate.hold(true);
        day.until(600_000);
        assert!(day.is_open() && day.gate.stands(day.now).held);
        day.open(1);
        day.gate.hold(false);
        assert!(!day.is_open());
    }

    #[test]
    fn a_refused_opening_waits_for_nobody_and_what_rattles_is_bounded() {
        let mut day = Day::new(Opens::Pulse(PULSE), true);
        let opening = day.open(1);
        day.gate.give_up(opening);
        assert!(!day.is_open());
        day.until(10_000);
        assert_eq!(day.gate.take_ended(), []);
        for _ in 0..1000 {
            day.turn();
        }
        assert_eq!(day.gate.take_happened().len(), MOST);
    }
}
