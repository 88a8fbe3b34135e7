//! Which of a site's shifts an instant lies in, by the site's clock. A shift may cross midnight; its start is inside, its end is
//! not. An hour that comes twice lies twice in its shift, one that is left out not at all.
use crate::localtime::{TimeError, time_of_day};
use crate::settings::Shift;
use jiff::civil::Time;
use jiff::{Timestamp, tz::TimeZone};

/// The time outside every shift.
pub const OTHER: &str = "other";

#[derive(Debug, Clone)]
pub struct Shifts {
    zone: TimeZone,
    spans: Vec<Span>,
}

#[derive(Debug, Clone)]
struct Span {
    name: String,
    start: Time,
    end: Time,
}

impl Span {
    fn holds(&self, time: Time) -> bool {
        match self.start < self.end {
            true => self.start <= time && time < self.end,
            false => self.start <= time || time < self.end,
        }
    }
}

impl Shifts {
    pub fn new(shifts: &[Shift], zone: &TimeZone) -> Result<Self, TimeError> {
        let span = |shift: &Shift| {
            Ok(Span { name: shift.name.clone(), start: time_of_day(&shift.start)?, end: time_of_day(&shift.end)? })
        };
        Ok(Self { zone: zone.clone(), spans: shifts.iter().map(span).collect::<Result<_, TimeError>>()? })
    }

    /// The names, as set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.spans.iter().map(|span| span.name.as_str())
    }

    /// The shift at an instant, or [`OTHER`]. Where shifts that were set before overlaps were refused share an hour, the first
    /// one has it.
    pub fn at(&self, at: Timestamp) -> &str {
        let time = at.to_zoned_datetime(self.zone.clone()).time();
        self.spans.iter().find(|span| span.holds(time)).map_or(OTHER, |span| &span.name)
    }

    /// The hour of the site's clock, 0 to 23.
    pub fn hour(&self, at: Timestamp) -> u8 {
        at.to_zoned_datetime(self.zone.clone()).hour().unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(name: &str, start: &str, end: &str) -> Shift {
        Shift { name: name.into(), start: start.into(), end: end.into() }
    }

    #[test]
    fn shifts_follow_the_sites_clock_also_over_midnight() {
        let zone = crate::localtime::zone("America/Chicago").unwrap();
        let shifts = [shift("Day", "06:00", "14:30"), shift("Night", "22:00", "05:00")];
        let shifts = Shifts::new(&shifts, &zone).unwrap();
        for (at, expected) in [
            ("2026-06-01T11:00:00Z", "Day"),   // 06:00
            ("2026-06-01T19:29:59Z", "Day"),   // 14:29:59
            ("2026-06-01T19:30:00Z", "other"), // 14:30
            ("2026-06-02T03:00:00Z", "Night"), // 22:00
            ("2026-06-02T09:59:00Z", "Night"), // 04:59
            ("2026-06-02T10:00:00Z", "other"), // 05:00
            ("2026-12-01T12:00:00Z", "Day"),   // 06:00 in winter
            ("2026-12-01T11:59:00Z", "other"),
        ] {
            assert_eq!(shifts.at(at.parse().unwrap()), expected, "{at}");
        }
    }
}
