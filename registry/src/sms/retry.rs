//! When a message that was not taken is handed on again.

use crate::domain::time::DAY;

/// Seconds until the next try, after the first, the second and every later one that failed.
const PAUSES: [u32; 4] = [5, 15, 60, 300];

/// When to try again, in Unix seconds, after `attempts` have failed by `now`; `None` if the message is to be given up, since what
/// it says, asked for at `asked_at` and good for `life` seconds, or a day at most, is of no use then. The caller adds a second or
/// two at random, so that all that failed together do not come together again.
pub fn next_try(attempts: u32, now: u32, asked_at: u32, life: u32) -> Option<u32> {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let next = now.saturating_add(PAUSES[index]);
    (next < asked_at.saturating_add(life.min(DAY))).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_after_5_15_and_60_seconds_and_then_each_5_minutes_until_it_is_of_no_use() {
        const CODE: u32 = 600;
        for (attempts, now, life, next) in [
            (0, 1000, CODE, Some(1005)),
            (1, 1000, CODE, Some(1005)),
            (2, 1005, CODE, Some(1020)),
            (3, 1020, CODE, Some(1080)),
            (4, 1080, CODE, Some(1380)),
            (5, 1380, CODE, None), // at 1680 a code of 1000 to 1600 is none
            (1, 1594, CODE, Some(1599)),
            (1, 1595, CODE, None),
            (1, 9999, CODE, None),
            (100, 50_000, u32::MAX, Some(50_300)),
            (u32::MAX, 87_099, u32::MAX, Some(87_399)),
            (u32::MAX, 87_100, u32::MAX, None), // a day after it was asked for
            (1, 900, CODE, Some(905)),          // a clock that was set back
            (1, u32::MAX, u32::MAX, None),
        ] {
            assert_eq!(next_try(attempts, now, 1000, life), next, "{attempts} {now} {life}");
        }
    }

    #[test]
    fn a_code_is_tried_five_times_and_something_else_all_day() {
        let tries = |life| {
            std::iter::successors(Some((1, 1000)), |(n, now)| next_try(*n, *now, 1000, life).map(|next| (n + 1, next)))
                .count()
        };
        assert_eq!((tries(600), tries(DAY)), (5, 291));
    }
}
