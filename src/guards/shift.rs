//! A shift: who is on duty, since when, and what was decided meanwhile.

use std::time::{Duration, Instant};

use super::roster::Role;
use crate::decide::Verdict;

/// What was decided during a shift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Codes that the gate let in.
    pub passed: u32,
    /// Codes that the gate turned away.
    pub denied: u32,
    /// People the guard let in where the gate had asked.
    pub let_in: u32,
    /// People the guard turned away where the gate had asked.
    pub turned_away: u32,
    /// People the guard let in against the gate's answer.
    pub overridden: u32,
}

impl Counts {
    /// The gate has answered.
    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.passed += 1,
            Verdict::Deny => self.denied += 1,
            // The guard's ruling counts, not the question.
            Verdict::Confirm => {}
        }
    }
}

/// How a shift ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The guard has logged out, or handed over.
    LoggedOut,
    /// Nobody touched the screen for too long.
    Away,
}

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub guard: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub since: Instant,
    /// What was decided meanwhile.
    pub counts: Counts,
    touched: Instant,
}

impl Shift {
    /// Somebody has logged in.
    pub fn begin(guard: String, role: Role, now: Instant) -> Self {
        Self { guard, role, since: now, counts: Counts::default(), touched: now }
    }

    /// The guard has touched the screen.
    pub fn touch(&mut self, now: Instant) {
        self.touched = now;
    }

    /// Whether nobody has touched the screen for so long.
    pub fn is_away(&self, now: Instant, at_most: Duration) -> bool {
        now.saturating_duration_since(self.touched) >= at_most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_ends_by_itself_when_nobody_touches_the_screen_and_counts_what_was_decided() {
        let (start, away) = (Instant::now(), Duration::from_secs(1800));
        let mut shift = Shift::begin("王".into(), Role::Guard, start);
        assert!(!shift.is_away(start + away - Duration::from_secs(1), away));
        shift.touch(start + Duration::from_secs(1000));
        assert!(!shift.is_away(start + away, away));
        assert!(shift.is_away(start + away + Duration::from_secs(1000), away));
        for verdict in [Verdict::Pass, Verdict::Confirm, Verdict::Deny, Verdict::Pass] {
            shift.counts.count(verdict);
        }
        assert_eq!(shift.counts, Counts { passed: 2, denied: 1, ..Counts::default() });
    }
}
