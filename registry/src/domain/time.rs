//! Times as the signed formats carry them: whole Unix seconds in 32 bits.

use jiff::Timestamp;
use jiff::tz::Offset;

/// Seconds of a day.
pub const DAY: u32 = 86_400;

/// RFC 3339 in UTC, as every output shows a time.
pub fn rfc3339(unix_seconds: u32) -> String {
    Timestamp::from_second(i64::from(unix_seconds)).map_or_else(|_| String::new(), |t| t.to_string())
}

/// RFC 3339 in a local time so many minutes ahead of UTC, as people compare it with their own clocks.
pub fn rfc3339_local(unix_seconds: u32, utc_offset: i16) -> String {
    let offset = Offset::from_seconds(i32::from(utc_offset) * 60).unwrap_or(Offset::UTC);
    let at = Timestamp::from_second(i64::from(unix_seconds)).unwrap_or_default();
    at.display_with_offset(offset).to_string()
}

/// RFC 3339 with milliseconds; `None` for a time no calendar shows, which is how an event says "unknown".
pub fn rfc3339_ms(unix_ms: u64) -> Option<String> {
    Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok().map(|t| format!("{t:.3}"))
}

/// The time of day in China, as a page shows it to residents: `08:05`.
pub fn beijing_time(unix_seconds: u32) -> String {
    let at = Timestamp::from_second(i64::from(unix_seconds)).unwrap_or_default();
    Offset::constant(8).to_datetime(at).strftime("%H:%M").to_string()
}

/// Day and time in China, as a page shows them to residents: `2026-01-31 08:05`.
pub fn beijing(unix_seconds: u32) -> String {
    let at = Timestamp::from_second(i64::from(unix_seconds)).unwrap_or_default();
    Offset::constant(8).to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Reads RFC 3339 with its offset from UTC.
///
/// # Errors
/// A sentence saying what is wrong with it.
pub fn parse_rfc3339(text: &str) -> Result<u32, String> {
    let at: Timestamp =
        text.parse().map_err(|_| "not a time such as 2026-01-31T08:00:00+08:00 or 2026-01-31T00:00:00Z".to_owned())?;
    u32::try_from(at.as_second()).map_err(|_| "outside the years 1970 to 2106 that a code can carry".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_offset_and_shown_in_utc() {
        let at = parse_rfc3339("2026-01-31T08:00:00+08:00").expect("is a time");
        assert_eq!(rfc3339(at), "2026-01-31T00:00:00Z");
        assert_eq!((beijing_time(at), beijing(at)), ("08:00".to_owned(), "2026-01-31 08:00".to_owned()));
        assert_eq!(rfc3339_local(at, 480), "2026-01-31T08:00:00+08:00");
        assert_eq!(rfc3339_local(at, -570), "2026-01-30T14:30:00-09:30");
        assert_eq!(rfc3339_ms(u64::from(at) * 1000 + 7).as_deref(), Some("2026-01-31T00:00:00.007Z"));
    }

    #[test]
    fn a_time_no_code_can_carry_is_refused() {
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2106-02-07T06:28:16Z", "2026-01-31"] {
            assert!(parse_rfc3339(text).is_err(), "{text}");
        }
        assert_eq!(rfc3339_ms(u64::MAX), None);
    }
}
