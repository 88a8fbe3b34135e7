//! The site's clock: IANA time zones, never offsets (invariant 9).
use jiff::{Timestamp, tz::TimeZone};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TimeError {
    #[error("is not a time zone name of the IANA database, such as America/Chicago")]
    UnknownZone,
    #[error("must be a time of day as HH:MM, from 00:00 to 23:59")]
    NotATimeOfDay,
}

/// A zone by its IANA name; offsets such as `+01:00` and the word `UTC` in other spellings are refused.
pub fn zone(name: &str) -> Result<TimeZone, TimeError> {
    let known = name == "UTC" || name.contains('/');
    TimeZone::get(name).ok().filter(|_| known).ok_or(TimeError::UnknownZone)
}

/// `HH:MM`.
pub fn time_of_day(text: &str) -> Result<jiff::civil::Time, TimeError> {
    let parts: Option<(i8, i8)> = match text.as_bytes() {
        [a, b, b':', c, d] if [a, b, c, d].iter().all(|d| d.is_ascii_digit()) => {
            Some((((a - b'0') * 10 + b - b'0') as i8, ((c - b'0') * 10 + d - b'0') as i8))
        }
        _ => None,
    };
    let (hour, minute) = parts.ok_or(TimeError::NotATimeOfDay)?;
    jiff::civil::Time::new(hour, minute, 0, 0).map_err(|_| TimeError::NotATimeOfDay)
}

/// `YYYY-MM-DD`, and no other way to write a date: each day has one address.
pub fn date(text: &str) -> Option<jiff::civil::Date> {
    let date: jiff::civil::Date = text.parse().ok()?;
    (date.to_string() == text && date.year() > 0).then_some(date)
}

/// An instant as people on the site read it: `2026-11-24 16:03:05 CST`.
pub fn on_site(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_iana_names_are_zones() {
        for name in ["America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"] {
            assert!(zone(name).is_ok(), "{name}");
        }
        for name in ["CST", "+01:00", "Central Time (US & Canada)", "", "America/Nowhere"] {
            assert_eq!(zone(name).unwrap_err(), TimeError::UnknownZone, "{name}");
        }
    }

    #[test]
    fn a_time_of_day_has_four_digits() {
        assert!(time_of_day("17:00").is_ok());
        for bad in ["24:00", "7:00", "17:60", "1700", "17:0a", ""] {
            assert!(time_of_day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_has_one_spelling() {
        assert_eq!(date("2026-11-24").map(|date| date.to_string()).as_deref(), Some("2026-11-24"));
        for bad in ["2026-02-30", "20261124", "2026-11-24T00:00", "+002026-11-24", "-000001-11-24", "0000-01-01", ""] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_same_instant_reads_as_local_time_on_both_sides_of_a_change() {
        let chicago = zone("America/Chicago").unwrap();
        let at = |text: &str| on_site(text.parse().unwrap(), &chicago);
        assert_eq!(at("2026-11-01T06:30:00Z"), "2026-11-01 01:30:00 CDT");
        assert_eq!(at("2026-11-01T07:30:00Z"), "2026-11-01 01:30:00 CST");
    }
}
