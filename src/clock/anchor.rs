//! A moment that was known, and what is left of it later.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// From one moment to another; the true time lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Not before this.
    pub earliest: Timestamp,
    /// Not after this.
    pub latest: Timestamp,
}

impl Span {
    /// So much to both sides of a moment.
    pub(super) fn around(at: Timestamp, error: Duration) -> Self {
        Self { earliest: at, latest: at }.wider(error)
    }

    /// So much more to both sides.
    pub(super) fn wider(self, error: Duration) -> Self {
        Self { earliest: shift(self.earliest, error, -1), latest: shift(self.latest, error, 1) }
    }

    pub(super) fn later(self, by: Duration) -> Self {
        Self { earliest: shift(self.earliest, by, 1), latest: shift(self.latest, by, 1) }
    }

    /// What both say; `None` if they contradict each other.
    pub(super) fn meet(self, other: Self) -> Option<Self> {
        let both = Self { earliest: self.earliest.max(other.earliest), latest: self.latest.min(other.latest) };
        (both.earliest <= both.latest).then_some(both)
    }

    /// How far apart both ends are.
    pub fn width(self) -> Duration {
        self.latest.duration_since(self.earliest).unsigned_abs()
    }
}

/// Beyond the calendar's ends there is nothing to tell apart.
fn shift(at: Timestamp, by: Duration, sign: i32) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    let shifted = if sign < 0 { at.saturating_sub(by) } else { at.saturating_add(by) };
    shifted.unwrap_or(at)
}

/// A moment of this run of the machine at which the time was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    /// What was known then.
    pub(super) span: Span,
    /// When that was, since the machine started.
    pub(super) elapsed: Duration,
}

impl Anchor {
    /// What is known of a later moment: the machine's clock may have gained or lost so many parts in a million.
    pub(super) fn at(&self, elapsed: Duration, drift_ppm: u32) -> Option<Span> {
        let age = elapsed.checked_sub(self.elapsed)?;
        Some(self.span.later(age).wider(drift(age, drift_ppm)))
    }
}

/// What a clock of so many parts in a million may be off after a while.
pub(super) fn drift(age: Duration, ppm: u32) -> Duration {
    Duration::from_micros(age.as_secs().saturating_mul(u64::from(ppm)))
        + Duration::from_nanos(u64::from(age.subsec_micros()) * u64::from(ppm) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_anchor_moves_with_the_machines_clock_and_widens_by_its_drift() {
        let anchor = Anchor { span: Span { earliest: at(1_000), latest: at(1_002) }, elapsed: Duration::from_secs(50) };
        assert_eq!(anchor.at(Duration::from_secs(50), 50), Some(anchor.span));
        // A day: 86,400 s at 50 ppm are 4.32 s.
        let later = anchor.at(Duration::from_secs(50 + 86_400), 50).unwrap();
        assert_eq!(later.earliest.as_millisecond(), (1_000 + 86_400) * 1_000 - 4_320);
        assert_eq!(later.latest.as_millisecond(), (1_002 + 86_400) * 1_000 + 4_320);
        assert_eq!(anchor.at(Duration::from_secs(49), 50), None, "before it was known");
    }

    #[test]
    fn nothing_overflows_at_the_ends_of_the_calendar() {
        let all = Span { earliest: Timestamp::MIN, latest: Timestamp::MAX };
        assert_eq!(all.wider(Duration::MAX), all);
        assert!(drift(Duration::MAX, u32::MAX).as_secs() >= u64::MAX / 1_000_000);
    }
}
