//! Times of the policy as people say them: "06:00", "tomorrow 06:00", in the city's local time.

use tongguan_pass::policy::Surge;

use crate::lang::Text;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// When somebody is let in next, as said at a gate at `now`; both in Unix seconds.
pub(super) fn opening(at: i64, now: i64, utc_offset: i16) -> Text {
    let local = |at: i64| at.saturating_add(i64::from(utc_offset) * 60);
    let days = local(at).div_euclid(DAY) - local(now).div_euclid(DAY);
    let time = clock_time(at, utc_offset);
    // 1970-01-01 was a Thursday.
    let weekday = usize::try_from((local(at).div_euclid(DAY) + 3).rem_euclid(7)).unwrap_or(0);
    let (zh, en) = match days {
        ..=0 => ("", ""),
        1 => ("明天", "tomorrow "),
        _ => WEEKDAYS[weekday],
    };
    Text::new(format!("{zh}{time}"), format!("{en}{time}"))
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Monday "),
    ("周二", "Tuesday "),
    ("周三", "Wednesday "),
    ("周四", "Thursday "),
    ("周五", "Friday "),
    ("周六", "Saturday "),
    ("周日", "Sunday "),
];

/// The time of day, such as 08:05.
pub fn clock_time(at: i64, utc_offset: i16) -> String {
    let minute = (at.div_euclid(60) + i64::from(utc_offset)).rem_euclid(1_440);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// What the guard should know of a surge in force.
pub fn surge_words(surge: &Surge, now: i64, utc_offset: i16) -> Text {
    Text::new(
        "登记处繁忙：电子码{minutes}分钟内有效，至{until}",
        "The registry is overloaded: codes are good for {minutes} minutes until {until}",
    )
    .with("minutes", &Text::new(surge.minutes.to_string(), surge.minutes.to_string()))
    .with("until", &opening(i64::from(surge.until), now, utc_offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_as_from_here_in_the_citys_own_time() {
        // Monday 2026-09-21 22:13:20 in UTC+8.
        let now = 1_790_000_000;
        for (ahead, zh, en) in [
            (60, "22:14", "22:14"),
            (6_400, "明天00:00", "tomorrow 00:00"),
            (28_000, "明天06:00", "tomorrow 06:00"),
            (114_400, "周三06:00", "Wednesday 06:00"),
        ] {
            assert_eq!(opening(now + ahead, now, 480), Text::new(zh, en));
        }
        assert_eq!(clock_time(-1, 0), "23:59");
    }

    #[test]
    fn a_surge_is_said_with_its_end() {
        let surge = Surge { from: 1_790_000_000, until: 1_790_006_399, minutes: 60 };
        let said = surge_words(&surge, 1_790_000_000, 480);
        assert_eq!(said.en, "The registry is overloaded: codes are good for 60 minutes until 23:59");
        assert_eq!(said.zh, "登记处繁忙：电子码60分钟内有效，至23:59");
    }
}
