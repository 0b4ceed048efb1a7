//! Trusted time, as an interval in which the true time certainly lies.
//!
//! A gate's computer has no battery clock, and ten-minute freshness is only as good as its clock. So nothing here says
//! "it is 12:00"; it says "it is between 11:59:58 and 12:00:02, and this is how I know".
//!
//! `machine` (what the computer's clocks show) -> `anchor` (a moment that was known, and how it ages) -> `trusted` (which of
//! them to believe) -> [`Reading`]. What must outlive a restart is in `kept`.

mod anchor;
mod kept;
mod machine;
mod trusted;

pub use anchor::Span;
pub use machine::{Linux, Machine};
pub use tongguan_pass::ClockSource;
pub use trusted::{Believed, By, Settings, TrustedClock, Witness, Witnesses};

use std::time::Duration;

use jiff::Timestamp;
use tongguan_pass::Interval;

/// What a clock says: the true time lies from `earliest` to `latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Not before this.
    pub earliest: Timestamp,
    /// Not after this; `None` if only a lower bound is known.
    pub latest: Option<Timestamp>,
    /// What the clock itself shows, which may lie outside.
    pub shows: Timestamp,
    /// How this is known.
    pub source: ClockSource,
}

impl Reading {
    /// The interval in whole seconds, as the code format counts.
    pub fn interval(&self) -> Interval {
        Interval { earliest: self.earliest.as_second(), latest: self.latest.map_or(i64::MAX, Timestamp::as_second) }
    }

    /// The best single guess, for showing to people: what the clock shows, as far as it can be true. Not the middle: the
    /// floor cuts off the interval's lower part only, and its middle then lies in the future.
    pub fn best_guess(&self) -> Timestamp {
        let shows = self.shows.max(self.earliest);
        self.latest.map_or(shows, |latest| shows.min(latest))
    }

    /// How far apart both ends are; `None` if only a lower bound is known.
    pub fn width(&self) -> Option<Duration> {
        self.latest.map(|latest| latest.duration_since(self.earliest).unsigned_abs())
    }
}

/// Something that knows the time, more or less.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Reading;

    /// The registry has signed that this moment has passed.
    fn raise_floor(&self, at: Timestamp);

    /// Asked before the registry is asked for its time: `None` if that would not make this clock better, else the moment at
    /// which the question goes out.
    fn begin_to_ask(&self) -> Option<Asked>;

    /// The registry has signed `at` in its answer (SY 7.3).
    fn hear(&self, at: Timestamp, asked: Asked);

    /// Writes down what must outlive a restart, if it is time to.
    fn keep(&self);
}

/// When a question went out, by a clock that only runs forward: since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked(Duration);

/// A time that a person states: "would this code have been good then?"
#[derive(Debug, Clone, Copy)]
pub struct Stated(pub Timestamp);

impl Clock for Stated {
    fn now(&self) -> Reading {
        Reading { earliest: self.0, latest: Some(self.0), shows: self.0, source: ClockSource::Stated }
    }

    fn raise_floor(&self, _: Timestamp) {}

    fn begin_to_ask(&self) -> Option<Asked> {
        None
    }

    fn hear(&self, _: Timestamp, _: Asked) {}

    fn keep(&self) {}
}
