//! Working days of China: Monday to Friday, but for the public holidays and the weekend days that are worked instead (调休).
//!
//! The State Council announces each year's in the November before it (`registry/data/holidays.csv`). A year that was not
//! announced to this program is Monday to Friday, and [`Calendar::known_years`] says which years are more than that.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use crate::domain::time::DAY;

/// Minutes that the time of China is ahead of UTC.
pub const CHINA: i16 = 480;

const ANNOUNCED: &str = include_str!("../../data/holidays.csv");

/// Which days are worked. The default is Monday to Friday.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days since 1970 that are not as their day of the week says, and whether they are worked.
    exceptions: BTreeMap<i64, bool>,
}

/// A table of holidays that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the holidays {wrong}; write lines such as 2026-10-01,off or 2026-10-10,work")]
pub struct HolidaysError {
    /// From 1.
    line: usize,
    wrong: &'static str,
}

impl Calendar {
    /// What the State Council has announced.
    pub fn announced() -> Self {
        // A test reads the table, and counts its days.
        Self::default().with(ANNOUNCED).unwrap_or_default()
    }

    /// With the days of another table of `date,kind` (`off` or `work`), which go before those that are here: years announced
    /// later, or days that a city has changed. Lines that are empty, begin with # or are the heading are left aside.
    ///
    /// # Errors
    /// [`HolidaysError`] naming the line.
    pub fn with(mut self, table: &str) -> Result<Self, HolidaysError> {
        // Spreadsheets begin a file with a mark of its encoding.
        for (index, line) in table.trim_start_matches('\u{feff}').lines().enumerate() {
            let line_error = |wrong| HolidaysError { line: index + 1, wrong };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line == "date,kind" {
                continue;
            }
            let (day, kind) = line.split_once(',').ok_or(line_error("has no comma"))?;
            let day: Date = day.trim().parse().map_err(|_| line_error("begins with no date"))?;
            let worked = match kind.trim() {
                "off" => false,
                "work" => true,
                _ => return Err(line_error("is neither off nor work")),
            };
            self.exceptions.insert(day_number(day), worked);
        }
        Ok(self)
    }

    /// The years whose holidays are known, in order; any other is taken to be Monday to Friday. A year is known by its National
    /// Day: a day in December may belong to the announcement of the next.
    pub fn known_years(&self) -> Vec<i16> {
        let days = self.exceptions.iter().filter(|(_, worked)| !**worked).map(|(day, _)| date_of(*day));
        days.filter(|day| (day.month(), day.day()) == (10, 1)).map(Date::year).collect()
    }

    /// Whether the holidays of every year from the one moment (Unix seconds) to the other are known, in a local time so many
    /// minutes ahead of UTC. If not, a [`Calendar::due`] between them may be too early.
    pub fn knows(&self, from: u32, until: u32, utc_offset: i16) -> bool {
        let year = |at| date_of(local_day(at, utc_offset)).year();
        let known = self.known_years();
        (year(from)..=year(until)).all(|year| known.contains(&year))
    }

    /// Whether a local day is worked.
    pub fn is_worked(&self, day: Date) -> bool {
        self.worked(day_number(day))
    }

    /// The last second (Unix) of the `days`-th working day after the day of `from`, in a local time so many minutes ahead of
    /// UTC ([`CHINA`]). The day of `from` does not count (Civil Code, article 201); with no `days` it is the end of that day.
    pub fn due(&self, from: u32, days: u32, utc_offset: i16) -> u32 {
        let last = local_day(u32::MAX, utc_offset);
        let first = local_day(from, utc_offset);
        let day = match days {
            0 => first,
            // The end of the time that a code can carry bounds the walk.
            _ => (first + 1..last).filter(|day| self.worked(*day)).nth(days as usize - 1).unwrap_or(last),
        };
        moment(day + 1, -1, utc_offset)
    }

    fn worked(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3).rem_euclid(7) < 5;
        self.exceptions.get(&day).copied().unwrap_or(weekday)
    }
}

/// When a decision takes force: at 06:00 of the next morning in China (Unix seconds), so that gates have it by then.
pub fn in_force(decided_at: u32) -> u32 {
    moment(local_day(decided_at, CHINA) + 1, 6 * 3600, CHINA)
}

fn local_day(at: u32, utc_offset: i16) -> i64 {
    (i64::from(at) + i64::from(utc_offset) * 60).div_euclid(i64::from(DAY))
}

/// So many seconds after the beginning of a local day, or the nearest that a code can carry.
fn moment(day: i64, seconds: i64, utc_offset: i16) -> u32 {
    let at = day * i64::from(DAY) + seconds - i64::from(utc_offset) * 60;
    u32::try_from(at.max(0)).unwrap_or(u32::MAX)
}

fn day_number(day: Date) -> i64 {
    let since = day.since(date(1970, 1, 1)).map(|span| span.get_days()).unwrap_or_default();
    i64::from(since)
}

fn date_of(day: i64) -> Date {
    let days = jiff::Span::new().try_days(day).unwrap_or_default();
    date(1970, 1, 1).saturating_add(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{parse_rfc3339, rfc3339_local};

    fn at(text: &str) -> u32 {
        parse_rfc3339(&format!("{text}+08:00")).expect("a time")
    }

    #[test]
    fn the_announced_table_has_the_days_of_the_notices_and_no_others() {
        let calendar = Calendar::announced();
        assert_eq!(calendar.known_years(), [2025, 2026]);
        // Counted in the notices: days off in all, and weekend days that are worked.
        for (year, off, worked) in [(2025, 1 + 8 + 3 + 5 + 3 + 8, 5), (2026, 3 + 9 + 3 + 5 + 3 + 3 + 7, 6)] {
            let of_year = calendar.exceptions.iter().filter(|(day, _)| date_of(**day).year() == year);
            let (is_worked, is_off): (Vec<_>, Vec<_>) = of_year.partition(|(_, worked)| **worked);
            assert_eq!((is_off.len(), is_worked.len()), (off, worked), "{year}");
            assert!(
                is_worked.iter().all(|(day, _)| (**day + 3).rem_euclid(7) >= 5),
                "{year}: only weekends are worked instead"
            );
        }
    }

    #[test]
    fn a_day_is_worked_as_the_state_council_says() {
        let calendar = Calendar::announced();
        for (day, worked) in [
            (date(2026, 1, 4), true),   // a Sunday that is worked
            (date(2026, 2, 13), true),  // the Friday before Spring Festival
            (date(2026, 2, 14), true),  // a Saturday that is worked
            (date(2026, 2, 15), false), // Spring Festival, a Sunday
            (date(2026, 2, 23), false), // its last day, a Monday
            (date(2026, 2, 24), true),
            (date(2026, 2, 28), true),  // a Saturday that is worked
            (date(2026, 3, 1), false),  // a Sunday
            (date(2026, 10, 10), true), // a Saturday that is worked
            (date(2025, 10, 8), false), // National Day with Mid-Autumn
            (date(2025, 10, 9), true),
            (date(2024, 10, 1), true), // a Tuesday of a year that is not known
            (date(2030, 6, 1), false), // a Saturday of one
        ] {
            assert_eq!(calendar.is_worked(day), worked, "{day}");
        }
    }

    #[test]
    fn something_is_due_at_the_end_of_the_nth_working_day_after_its_day() {
        let calendar = Calendar::announced();
        for (from, days, due) in [
            ("2026-03-02T09:00:00", 1, "2026-03-03T23:59:59"),
            ("2026-03-02T00:00:00", 0, "2026-03-02T23:59:59"),
            ("2026-03-06T23:59:59", 1, "2026-03-09T23:59:59"), // Friday night to Monday
            ("2026-02-13T10:00:00", 1, "2026-02-14T23:59:59"), // the next day is a Saturday that is worked
            ("2026-02-13T10:00:00", 2, "2026-02-24T23:59:59"), // over Spring Festival
            ("2026-02-18T12:00:00", 1, "2026-02-24T23:59:59"), // from within it
            ("2026-02-18T12:00:00", 5, "2026-02-28T23:59:59"), // to the Saturday worked for it
            ("2026-02-27T12:00:00", 2, "2026-03-02T23:59:59"),
            ("2025-01-24T18:00:00", 2, "2025-01-27T23:59:59"), // a Sunday that is worked, and Monday
            ("2025-01-24T18:00:00", 3, "2025-02-05T23:59:59"),
            ("2025-12-30T12:00:00", 2, "2026-01-04T23:59:59"), // over the end of a year, to a Sunday that is worked
            ("2025-12-31T23:59:59", 1, "2026-01-04T23:59:59"),
            ("2026-12-31T12:00:00", 1, "2027-01-01T23:59:59"), // a Friday, as far as is known
        ] {
            assert_eq!(
                rfc3339_local(calendar.due(at(from), days, CHINA), CHINA),
                format!("{due}+08:00"),
                "{from} {days}"
            );
        }
        // The same moment is another day elsewhere: 23:30 of Thursday in China is 15:30 in UTC.
        assert_eq!(
            calendar.due(at("2026-03-05T23:30:00"), 1, 0),
            calendar.due(at("2026-03-05T23:30:00"), 1, CHINA) + 8 * 3600
        );
        // Nothing ends the walk too late or panics.
        assert_eq!(calendar.due(u32::MAX, 3, CHINA), u32::MAX);
        assert_eq!(calendar.due(0, u32::MAX, -720), u32::MAX);
        assert_eq!(calendar.due(0, 0, -720), 12 * 3600 - 1);
    }

    #[test]
    fn it_is_told_where_only_monday_to_friday_is_known() {
        let calendar = Calendar::announced();
        for (from, until, known) in [
            ("2026-01-01T00:00:00", "2026-12-31T23:59:59", true),
            ("2025-06-01T00:00:00", "2026-06-01T00:00:00", true),
            ("2026-12-31T12:00:00", "2027-01-01T00:00:00", false),
            ("2024-12-31T23:59:59", "2025-01-01T00:00:00", false),
        ] {
            assert_eq!(calendar.knows(at(from), at(until), CHINA), known, "{from} {until}");
        }
    }

    #[test]
    fn the_operators_table_adds_years_and_goes_before_the_announced_one() {
        let own = "\u{feff}date,kind\r\n# ours\n\n2026-12-30,off\n2027-10-01, off\n2026-02-14 ,off\n";
        let calendar = Calendar::announced().with(own).expect("a table");
        assert_eq!(calendar.known_years(), [2025, 2026, 2027]);
        assert!(!calendar.is_worked(date(2026, 2, 14)) && !calendar.is_worked(date(2026, 12, 30)));
        // A day of a December alone makes no year known.
        assert_eq!(Calendar::announced().with("2027-12-31,off").expect("a table").known_years(), [2025, 2026]);
        for (table, line) in [
            ("2026-02-30,off", 1),
            ("date,kind\n2026-10-01", 2),
            ("\n2026-10-01,holiday", 2),
            ("2026-10-01,off,x", 1),
            ("x,off", 1),
        ] {
            assert_eq!(Calendar::announced().with(table).map_err(|e| e.line), Err(line), "{table}");
        }
        let said = Calendar::announced().with("x,off").expect_err("no date").to_string();
        assert_eq!(
            said,
            "line 1 of the holidays begins with no date; write lines such as 2026-10-01,off or 2026-10-10,work"
        );
    }

    #[test]
    fn a_decision_takes_force_at_six_of_the_next_morning_in_china() {
        for (decided, force) in [
            ("2026-03-02T00:00:00", "2026-03-03T06:00:00"),
            ("2026-03-02T05:59:59", "2026-03-03T06:00:00"),
            ("2026-03-02T23:59:59", "2026-03-03T06:00:00"),
            ("2026-12-31T12:00:00", "2027-01-01T06:00:00"),
        ] {
            assert_eq!(rfc3339_local(in_force(at(decided)), CHINA), format!("{force}+08:00"), "{decided}");
        }
        assert_eq!(in_force(u32::MAX), u32::MAX);
    }
}
