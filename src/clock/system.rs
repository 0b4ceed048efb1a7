//! The system clock, with the kernel's word on how good it is, and a floor under it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Clock, ClockSource, Reading};

/// A code's freshness is counted by the registry's clock, which is itself good to this. Without it a gate whose clock is a
/// blink behind would refuse a code that was issued just now.
const REGISTRY_ERROR: Duration = Duration::from_secs(2);
/// No time before this version was released can be true (2026-11-23T00:00:00Z).
const RELEASED: i64 = 1_795_392_000;

/// The system clock as the kernel vouches for it.
#[derive(Debug)]
pub struct SystemClock {
    /// How far the clock may be off when nobody synchronises it.
    unsynced_error: Duration,
    /// Unix seconds.
    floor: AtomicI64,
}

impl SystemClock {
    /// A clock that is believed to `unsynced_error` while the kernel calls it unsynchronised.
    pub fn new(unsynced_error: Duration) -> Self {
        Self { unsynced_error, floor: AtomicI64::new(RELEASED) }
    }

    fn judge(&self, at: Timestamp, kernel_error: Option<Duration>) -> Reading {
        let (error, source) = match kernel_error {
            Some(error) => (error + REGISTRY_ERROR, ClockSource::Synced),
            None => (self.unsynced_error, ClockSource::System),
        };
        let error = SignedDuration::try_from(error).unwrap_or(SignedDuration::MAX);
        let floor = Timestamp::from_second(self.floor.load(Ordering::Relaxed)).unwrap_or(Timestamp::MIN);
        let latest = at.saturating_add(error).unwrap_or(Timestamp::MAX);
        // The clock claims a time that has certainly passed: it is wrong by an unknown amount, and only the floor is left.
        if latest < floor {
            return Reading { earliest: floor, latest: None, shows: at, source: ClockSource::Floor };
        }
        let earliest = at.saturating_sub(error).unwrap_or(Timestamp::MIN).max(floor);
        Reading { earliest, latest: Some(latest), shows: at, source }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where time comes in")]
    fn now(&self) -> Reading {
        self.judge(Timestamp::now(), kernel_error())
    }

    fn raise_floor(&self, at: Timestamp) {
        self.floor.fetch_max(at.as_second(), Ordering::Relaxed);
    }
}

/// The kernel's bound on the clock's error, if something synchronises it (adjtimex(2)).
fn kernel_error() -> Option<Duration> {
    // All zero is a valid timex: modes 0 only reads, which needs no privilege.
    #[expect(unsafe_code, reason = "adjtimex has no safe wrapper")]
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    let synced = state >= 0 && state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0;
    let error = u64::try_from(timex.maxerror).ok().map(Duration::from_micros);
    if synced { error } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn clock() -> SystemClock {
        SystemClock::new(Duration::from_secs(60))
    }

    #[test]
    fn a_synchronised_clock_is_as_good_as_the_kernels_and_the_registrys() {
        let reading = clock().judge(at(RELEASED + 1000), Some(Duration::from_secs(1)));
        assert_eq!(reading.interval(), tongguan_pass::Interval { earliest: RELEASED + 997, latest: RELEASED + 1003 });
        assert_eq!(reading.source, ClockSource::Synced);
    }

    #[test]
    fn an_unsynchronised_clock_is_believed_to_its_bound() {
        let reading = clock().judge(at(RELEASED + 1000), None);
        assert_eq!(reading.interval(), tongguan_pass::Interval { earliest: RELEASED + 940, latest: RELEASED + 1060 });
        assert_eq!(reading.source, ClockSource::System);
    }

    #[test]
    fn a_clock_behind_what_the_registry_signed_leaves_only_the_floor() {
        let clock = clock();
        clock.raise_floor(at(RELEASED + 5000));
        let reading = clock.judge(at(0), Some(Duration::ZERO));
        assert_eq!(reading.interval(), tongguan_pass::Interval { earliest: RELEASED + 5000, latest: i64::MAX });
        assert_eq!(reading.source, ClockSource::Floor);
    }

    #[test]
    fn the_best_guess_is_what_the_clock_shows_as_far_as_that_can_be_true() {
        let clock = clock();
        assert_eq!(clock.judge(at(RELEASED + 1000), None).best_guess(), at(RELEASED + 1000));
        // A fresh sync: the floor is just behind, and the middle of what is left would lie in the future.
        clock.raise_floor(at(RELEASED + 999));
        assert_eq!(clock.judge(at(RELEASED + 1000), None).best_guess(), at(RELEASED + 1000));
        assert_eq!(clock.judge(at(RELEASED + 990), None).best_guess(), at(RELEASED + 999));
        assert_eq!(clock.judge(at(0), None).best_guess(), at(RELEASED + 999));
    }

    #[test]
    fn the_floor_never_goes_down() {
        let clock = clock();
        clock.raise_floor(at(RELEASED + 5000));
        clock.raise_floor(at(RELEASED + 10));
        assert_eq!(clock.judge(at(RELEASED + 4990), None).earliest, at(RELEASED + 5000));
    }
}
