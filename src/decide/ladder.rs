//! The trust ladder: how far this gate's lists, clock and keys can be relied on. One value, which the decision, the screen
//! and `tongguan doctor` share.

use tongguan_pass::policy::ListLimits;
use tongguan_pass::{ClockSource, Head, Interval, Keyset, Purpose};

use crate::lang::Text;

/// From here on the clock's width is worth telling, seconds: codes are refused or need the guard for as long at their ends.
const WIDE: i64 = 120;
/// Seconds before the last key's end from which a sync is overdue.
const ENDS_SOON: i64 = 3 * 86_400;

/// One rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In order.
    Green,
    /// Works, but somebody should know.
    Amber,
    /// Decisions cannot be relied on, or the part does not work.
    Red,
}

/// The dates of the lists, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// When they were signed.
    pub issued_at: i64,
    /// Until when they hold.
    pub expires_at: i64,
}

impl From<&Head> for Dates {
    fn from(head: &Head) -> Self {
        Self { issued_at: i64::from(head.issued_at), expires_at: i64::from(head.expires_at) }
    }
}

/// Where this gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// The lists.
    pub lists: Lists,
    /// The clock.
    pub clock: KnownTime,
    /// The registry's keys.
    pub keys: Keys,
}

/// How old the lists are. All figures are seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// There are none.
    Never,
    /// They hold.
    Current {
        /// Since they were signed, at least.
        age: i64,
    },
    /// They may hold; the clock cannot tell.
    Perhaps,
    /// They have expired.
    Expired {
        /// Since they were signed, at least.
        age: i64,
    },
    /// They expired so long ago that what a list could have revoked needs the guard.
    Stale {
        /// Since they were signed, at least.
        age: i64,
        /// Since they expired, at least.
        ago: i64,
    },
    /// They expired so long ago that what a list could have revoked is refused.
    Void {
        /// Since they were signed, at least.
        age: i64,
        /// Since they expired, at least.
        ago: i64,
    },
}

/// How well the time is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownTime {
    /// To well within what a code's ten minutes need.
    Well,
    /// To this many seconds.
    Roughly(i64),
    /// Nobody vouches for the clock, which is believed as configured.
    Unvouched,
    /// Only that a moment has passed.
    NotAtAll,
}

/// How long the registry's keys last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// There are none, as there are no lists.
    None,
    /// Long enough.
    Good,
    /// The last one for live codes ends in so many seconds.
    EndSoon(i64),
    /// It has ended: no code can be good until there are new lists.
    Ended,
}

impl Ladder {
    /// Where a gate stands at a time known from a source, with these lists and keys, and the policy's limits.
    pub fn of(now: Interval, source: ClockSource, lists: Option<Dates>, keys: &Keyset, limits: ListLimits) -> Self {
        let keys = if lists.is_some() { Keys::of(now, keys) } else { Keys::None };
        Self { lists: Lists::of(now, lists, limits), clock: KnownTime::of(now, source), keys }
    }
}

impl Lists {
    fn of(now: Interval, dates: Option<Dates>, limits: ListLimits) -> Self {
        let Some(Dates { issued_at, expires_at }) = dates else { return Self::Never };
        let (age, ago) = ((now.earliest - issued_at).max(0), now.earliest - expires_at);
        match () {
            () if now.latest <= expires_at => Self::Current { age },
            () if ago <= 0 => Self::Perhaps,
            // SY 12.10: "codes that the revocation list may concern need the guard from lists_confirm_after hours".
            () if limits.deny_after != ListLimits::NEVER && ago >= i64::from(limits.deny_after) * 3_600 => {
                Self::Void { age, ago }
            }
            () if limits.confirm_after == ListLimits::NEVER || ago < i64::from(limits.confirm_after) * 3_600 => {
                Self::Expired { age }
            }
            () => Self::Stale { age, ago },
        }
    }

    /// Its colour.
    pub fn level(self) -> Level {
        match self {
            Self::Current { .. } => Level::Green,
            Self::Perhaps | Self::Expired { .. } => Level::Amber,
            Self::Never | Self::Stale { .. } | Self::Void { .. } => Level::Red,
        }
    }

    /// What it means, for the guard.
    pub fn words(self) -> Text {
        // In minutes: a line that changes each second draws the eye for nothing.
        let span = |seconds: i64| Text::span(seconds.max(60));
        match self {
            Self::Never => Text::new("尚未同步：无法识别任何码", "Never synced: no code can be judged"),
            Self::Current { age } => Text::new("名单签发于{age}前", "Lists signed {age} ago").with("age", &span(age)),
            Self::Perhaps => Text::new("名单新旧不明（时间不可信）", "Age of the lists unknown (so is the time)"),
            Self::Expired { age } => {
                Text::new("名单已过期（{age}前签发）", "Lists have expired (signed {age} ago)").with("age", &span(age))
            }
            Self::Stale { age, .. } => Text::new(
                "名单过期太久（{age}前签发）：离线码和纸质码须人工核对",
                "Lists expired long ago (signed {age} ago): carried and printed codes need the guard",
            )
            .with("age", &span(age)),
            Self::Void { age, .. } => Text::new(
                "名单过期太久（{age}前签发）：离线码和纸质码不放行",
                "Lists expired too long ago (signed {age} ago): carried and printed codes are refused",
            )
            .with("age", &span(age)),
        }
    }
}

impl KnownTime {
    fn of(now: Interval, source: ClockSource) -> Self {
        let width = now.latest.saturating_sub(now.earliest);
        match source {
            _ if now.latest == i64::MAX => Self::NotAtAll,
            ClockSource::System => Self::Unvouched,
            _ if width > WIDE => Self::Roughly(width),
            _ => Self::Well,
        }
    }

    /// Its colour.
    pub fn level(self) -> Level {
        match self {
            Self::Well => Level::Green,
            Self::Roughly(_) | Self::Unvouched => Level::Amber,
            Self::NotAtAll => Level::Red,
        }
    }

    /// What it means, for the guard.
    pub fn words(self) -> Text {
        match self {
            Self::Well => Text::new("时间已校准", "Clock synchronised"),
            Self::Roughly(width) => {
                Text::new("时间误差约{width}：请联网", "Clock known to {width} only: connect it to a network")
                    .with("width", &Text::span(width))
            }
            Self::Unvouched => {
                Text::new("时间未校准：请联网对时", "Clock not synchronised: connect it to network time")
            }
            Self::NotAtAll => {
                Text::new("时间不可信：无法判断是否过期", "Clock unknown: cannot tell fresh from expired")
            }
        }
    }
}

impl Keys {
    fn of(now: Interval, keys: &Keyset) -> Self {
        let live = keys.keys().iter().filter(|k| k.purpose == Purpose::Live);
        match live.map(|k| i64::from(k.not_after) - now.earliest).max() {
            Some(left) if left > ENDS_SOON => Self::Good,
            Some(left) if left > 0 => Self::EndSoon(left),
            _ => Self::Ended,
        }
    }

    /// Its colour.
    pub fn level(self) -> Level {
        match self {
            Self::None | Self::Good => Level::Green,
            Self::EndSoon(_) => Level::Amber,
            Self::Ended => Level::Red,
        }
    }

    /// What it means, for the guard; `None` if there is nothing to say.
    pub fn words(self) -> Option<Text> {
        match self {
            Self::None | Self::Good => None,
            Self::EndSoon(left) => Some(
                Text::new("密钥将在{left}后到期：请尽快同步", "Keys end in {left}: sync soon")
                    .with("left", &Text::span(left)),
            ),
            Self::Ended => {
                Some(Text::new("密钥已到期：同步前无法识别新码", "Keys have ended: no new code is known until a sync"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tongguan_pass::{KeyId, RegistryKey, SigningKey};

    use super::*;

    const NOW: u32 = 1_800_000_000;

    fn keys(not_after: u32) -> Keyset {
        let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
        let key = RegistryKey { id: KeyId(1), purpose: Purpose::Live, not_before: 1, not_after, key };
        Keyset::new(1, 1, vec![key]).unwrap()
    }

    fn ladder(earliest: i64, latest: i64, source: ClockSource) -> Ladder {
        let limits = ListLimits { confirm_after: 24, deny_after: 72 };
        let dates = Dates { issued_at: i64::from(NOW), expires_at: i64::from(NOW) + 3_600 };
        Ladder::of(Interval { earliest, latest }, source, Some(dates), &keys(NOW + 4 * 86_400), limits)
    }

    #[test]
    fn each_rung_goes_from_green_to_red_as_time_passes() {
        let at = |after: i64| {
            let now = i64::from(NOW) + after;
            let ladder = ladder(now, now, ClockSource::Synced);
            (ladder.lists.level(), ladder.keys.level())
        };
        assert_eq!(at(60), (Level::Green, Level::Green));
        assert_eq!(at(3_601), (Level::Amber, Level::Green));
        assert_eq!(at(2 * 86_400), (Level::Red, Level::Amber));
        assert_eq!(at(5 * 86_400), (Level::Red, Level::Red));
    }

    #[test]
    fn lists_ask_the_guard_and_then_refuse_to_the_second() {
        let at = |after: i64| {
            let now = i64::from(NOW) + 3_600 + after;
            ladder(now, now, ClockSource::Synced).lists
        };
        assert!(matches!(at(86_399), Lists::Expired { .. }));
        assert!(matches!(at(86_400), Lists::Stale { ago: 86_400, .. }));
        assert!(matches!(at(3 * 86_400 - 1), Lists::Stale { .. }));
        assert!(matches!(at(3 * 86_400), Lists::Void { ago: 259_200, .. }));
    }

    #[test]
    fn a_clock_that_cannot_tell_makes_the_lists_doubtful_but_not_what_is_certain() {
        let now = i64::from(NOW);
        let known = ladder(now, i64::MAX, ClockSource::Floor);
        assert_eq!((known.lists, known.clock), (Lists::Perhaps, KnownTime::NotAtAll));
        assert!(matches!(ladder(now + 9_000, i64::MAX, ClockSource::Floor).lists, Lists::Expired { .. }));
        assert_eq!(ladder(now, now + 300, ClockSource::Holdover).clock, KnownTime::Roughly(300));
        assert_eq!(ladder(now, now + 5, ClockSource::System).clock, KnownTime::Unvouched);
    }
}
