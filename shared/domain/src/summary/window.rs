//! Which window an instant counts in: from the last cut-off to this one, both computed on the site's IANA clock. An hour that a
//! change to summer time leaves out is taken as long after the gap; of one that comes twice, the first is taken.
//!
//! Cut-offs form a strictly increasing sequence, whatever is done to hour and zone: each summary begins where the one before it
//! was cut, so that no event counts twice and none is left out.
use crate::localtime::{self, TimeError};
use jiff::civil::{Date, Time};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `from` is inside, `to` outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// A summary's end: the local date it is for, and the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    pub date: Date,
    pub to: Timestamp,
}

/// The hour of a site's summary on its clock.
#[derive(Debug, Clone)]
pub struct SummaryHour {
    zone: TimeZone,
    at: Time,
}

impl SummaryHour {
    /// `zone` by its IANA name, `at` as `HH:MM`.
    pub fn new(zone: &str, at: &str) -> Result<Self, TimeError> {
        Ok(Self { zone: localtime::zone(zone)?, at: localtime::time_of_day(at)? })
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The instant at which a date is cut off.
    pub fn cut_off(&self, date: Date) -> Timestamp {
        let instant = self.zone.to_ambiguous_timestamp(date.to_datetime(self.at)).compatible();
        // Only at the calendar's ends, some 8,000 years from now, is there no such instant.
        instant.unwrap_or(if date.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }

    /// A date's window where the hour was always this one.
    pub fn window(&self, date: Date) -> Window {
        Window { from: self.cut_off(before(date)), to: self.cut_off(date) }
    }

    /// The date in whose window an instant lies.
    pub fn date_of(&self, at: Timestamp) -> Date {
        let mut date = before(at.to_zoned_datetime(self.zone.clone()).date());
        while self.cut_off(date) <= at && date < Date::MAX {
            date = after(date);
        }
        date
    }

    /// The last cut-off that is not after an instant.
    pub fn last_cut(&self, now: Timestamp) -> Cut {
        let date = before(self.date_of(now));
        Cut { date, to: self.cut_off(date) }
    }

    /// The summary that follows what was cut last. Each date has one summary at most; a date that comes without its hour having
    /// passed since (the zone was changed, or left a day out) has none.
    pub fn next(&self, last: Cut) -> (Date, Window) {
        let mut date = after(last.date);
        loop {
            let to = self.cut_off(date);
            if (to > last.to && self.cut_off(after(date)) != to) || date == Date::MAX {
                return (date, Window { from: last.to, to });
            }
            date = after(date);
        }
    }
}

/// The windows that follow a cut, up to a date: as they were cut where they were (`cut`), by the hour elsewhere. Each begins where
/// the one before it ends, whatever became of the hour in between; a date for which no time is left has none.
pub fn calendar(hour: &SummaryHour, mut last: Cut, cut: &BTreeMap<Date, Window>, to: Date) -> Vec<(Date, Window)> {
    let mut windows = Vec::new();
    while last.date < to {
        let (mut date, mut window) = hour.next(last);
        match cut.range(after(last.date)..).next() {
            Some((next, as_cut)) if *next <= date => (date, window) = (*next, *as_cut),
            Some((next, as_cut)) if *next == after(date) || as_cut.from < window.to => window.to = as_cut.from,
            _ => {}
        }
        if date <= last.date {
            break;
        }
        last = Cut { date, to: window.to.max(last.to) };
        if window.from < window.to {
            windows.push((date, window));
        }
    }
    windows.retain(|(date, _)| *date <= to);
    windows
}

fn before(date: Date) -> Date {
    date.yesterday().unwrap_or(Date::MIN)
}

fn after(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(zone: &str, at: &str, first: &str, days: usize) -> Vec<String> {
        let hour = SummaryHour::new(zone, at).unwrap();
        let mut date: Date = first.parse().unwrap();
        let mut instants = Vec::new();
        for _ in 0..days {
            instants.push(hour.cut_off(date).to_string());
            date = after(date);
        }
        instants
    }

    #[test]
    fn five_in_the_afternoon_stays_five_through_both_changes() {
        let spring = ["2026-03-07T23:00:00Z", "2026-03-08T22:00:00Z"];
        assert_eq!(cuts("America/Chicago", "17:00", "2026-03-07", 2), spring);
        let autumn = ["2026-10-31T22:00:00Z", "2026-11-01T23:00:00Z"];
        assert_eq!(cuts("America/Chicago", "17:00", "2026-10-31", 2), autumn);
    }

    #[test]
    fn an_hour_in_the_gap_goes_forward_and_one_in_the_fold_is_the_first() {
        // 02:30 is left out on 8 March: 03:30 CDT. 01:30 comes twice on 1 November: the first, CDT.
        assert_eq!(cuts("America/Chicago", "02:30", "2026-03-08", 1), ["2026-03-08T08:30:00Z"]);
        assert_eq!(cuts("America/Chicago", "01:30", "2026-11-01", 1), ["2026-11-01T06:30:00Z"]);
    }

    #[test]
    fn unusual_clocks() {
        // Lord Howe changes by half an hour: 2:00 to 2:30 on 4 October.
        assert_eq!(cuts("Australia/Lord_Howe", "02:15", "2026-10-04", 1), ["2026-10-03T15:45:00Z"]);
        assert_eq!(
            cuts("Australia/Lord_Howe", "17:00", "2026-10-03", 2),
            ["2026-10-03T06:30:00Z", "2026-10-04T06:00:00Z"]
        );
        assert_eq!(cuts("Asia/Kathmandu", "17:00", "2026-07-01", 1), ["2026-07-01T11:15:00Z"]);
        assert_eq!(cuts("America/Phoenix", "17:00", "2026-03-07", 2), ["2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z"]);
    }

    #[test]
    fn an_earlier_hour_cuts_today_at_once_and_a_later_one_is_a_longer_day() {
        let cut = |date: &str, to: &str| Cut { date: date.parse().unwrap(), to: to.parse().unwrap() };
        let last = cut("2026-06-01", "2026-06-01T22:00:00Z");
        let (date, window) = SummaryHour::new("America/Chicago", "06:00").unwrap().next(last);
        assert_eq!((date.to_string(), window.to.to_string()), ("2026-06-02".into(), "2026-06-02T11:00:00Z".into()));
        let (date, window) = SummaryHour::new("America/Chicago", "23:00").unwrap().next(last);
        assert_eq!((date.to_string(), window.to.to_string()), ("2026-06-02".into(), "2026-06-03T04:00:00Z".into()));
        assert_eq!(window.from, last.to);
    }

    #[test]
    fn a_zone_far_to_the_east_skips_the_date_that_would_end_before_it_began() {
        let late = SummaryHour::new("America/Los_Angeles", "23:00").unwrap();
        let last = Cut { date: "2026-06-01".parse().unwrap(), to: late.cut_off("2026-06-01".parse().unwrap()) };
        let (date, window) = SummaryHour::new("Pacific/Auckland", "00:00").unwrap().next(last);
        assert_eq!(date.to_string(), "2026-06-03");
        assert!(window.from < window.to);
    }

    #[test]
    fn a_day_that_a_zone_left_out_has_no_summary() {
        // Samoa went from 29 to 31 December 2011.
        let hour = SummaryHour::new("Pacific/Apia", "17:00").unwrap();
        let last = Cut { date: "2011-12-29".parse().unwrap(), to: hour.cut_off("2011-12-29".parse().unwrap()) };
        assert_eq!(hour.next(last).0.to_string(), "2011-12-31");
    }
}
