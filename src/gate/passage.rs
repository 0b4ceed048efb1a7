//! Who went through: each opening is ended by as many passages as its code lets in, or by the time allowed for them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Openings that may wait for somebody at a time: a queue of people, not a film of codes.
const MOST: usize = 16;

/// Names one opening of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opening(pub u64);

/// What became of an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub opening: Opening,
    /// How many the code lets in at once.
    pub of: u8,
    /// How many went through.
    pub passed: u8,
}

#[derive(Debug)]
struct Awaited {
    so_far: Ended,
    until: Instant,
}

/// The openings for which somebody may still go through, the oldest first: people go through in the order in which they
/// showed their codes.
#[derive(Debug)]
pub(super) struct Openings {
    wait: Duration,
    awaited: VecDeque<Awaited>,
    ended: Vec<Ended>,
}

impl Openings {
    /// Each person of an opening has `wait` to go through.
    pub(super) fn new(wait: Duration) -> Self {
        Self { wait, awaited: VecDeque::new(), ended: Vec::new() }
    }

    /// The gate has opened for `of` people.
    pub(super) fn begin(&mut self, opening: Opening, of: u8, now: Instant) {
        if self.awaited.len() >= MOST {
            self.end_first();
        }
        self.awaited.push_back(Awaited { so_far: Ended { opening, of, passed: 0 }, until: now + self.wait });
    }

    /// Somebody went through. Says whether the gate must open once more, for the rest of a group.
    pub(super) fn turned(&mut self, now: Instant) -> bool {
        let Some(first) = self.awaited.front_mut() else { return false };
        first.so_far.passed += 1;
        first.until = now + self.wait;
        let more = first.so_far.passed < first.so_far.of;
        if !more {
            self.end_first();
        }
        more
    }

    /// When the first wait is over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.awaited.iter().map(|a| a.until).min()
    }

    /// Ends what has waited long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        let (over, awaited) = self.awaited.drain(..).partition::<VecDeque<_>, _>(|a| a.until <= now);
        self.awaited = awaited;
        self.ended.extend(over.iter().map(|a| a.so_far));
    }

    /// How long each may take.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Whether somebody may still go through.
    pub(super) fn is_awaiting(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// An opening that did not happen.
    pub(super) fn cancel(&mut self, opening: Opening) {
        self.awaited.retain(|a| a.so_far.opening != opening);
    }

    /// The input does not work: nobody can say who went through.
    pub(super) fn forget(&mut self) {
        self.awaited.clear();
    }

    /// What has ended since the last call.
    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    fn end_first(&mut self) {
        self.ended.extend(self.awaited.pop_front().map(|a| a.so_far));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(5);

    fn ended(openings: &mut Openings) -> Vec<(u64, u8, u8)> {
        openings.take_ended().iter().map(|e| (e.opening.0, e.of, e.passed)).collect()
    }

    #[test]
    fn each_passage_is_that_of_the_first_who_waits_and_who_does_not_go_is_counted_as_such() {
        let (mut openings, start) = (Openings::new(WAIT), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        assert!(!openings.turned(at(0)), "nobody was let in");
        openings.begin(Opening(1), 1, at(0));
        openings.begin(Opening(2), 1, at(2));
        assert!(!openings.turned(at(3)));
        assert_eq!(ended(&mut openings), [(1, 1, 1)]);
        assert_eq!(openings.until(), Some(at(7)));
        openings.expire(at(6));
        assert_eq!(ended(&mut openings), []);
        openings.expire(at(7));
        assert_eq!((ended(&mut openings), openings.until()), (vec![(2, 1, 0)], None));
    }

    #[test]
    fn a_group_goes_through_one_by_one_and_each_has_its_time() {
        let (mut openings, start) = (Openings::new(WAIT), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        openings.begin(Opening(1), 3, at(0));
        assert!(openings.turned(at(4)));
        assert!(openings.turned(at(8)));
        openings.expire(at(12));
        assert_eq!(ended(&mut openings), []);
        openings.expire(at(13));
        assert_eq!(ended(&mut openings), [(1, 3, 2)]);
    }

    #[test]
    fn openings_are_bounded_and_a_broken_input_says_nothing_of_anybody() {
        let (mut openings, now) = (Openings::new(WAIT), Instant::now());
        for i in 0..100 {
            openings.begin(Opening(i), 1, now);
        }
        assert_eq!(openings.awaited.len(), MOST);
        assert_eq!(ended(&mut openings).len(), 100 - MOST);
        openings.forget();
        openings.expire(now + WAIT);
        assert_eq!(ended(&mut openings), []);
    }
}
