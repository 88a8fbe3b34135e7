//! A day in a few lines, for a narrow column of plain text: what a project manager reads at the end of the day.
use super::{Place, words};
use crate::localtime;
use crate::summary::count::{Day, incidents_counted};
use crate::summary::report::{Rate, Report};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Lists in a note are no longer than this; the page that it links to has all.
const ZONES: usize = 5;
const INCIDENTS: usize = 10;

/// One line for lists of messages, in which a site has no column of its own.
pub fn summary_title(day: &Day, site_name: &str, place: &Place) -> String {
    format!("Safety summary - {site_name}, {} [{}]", on(&day.report), place.marker)
}

/// The note of a day, the marker in its last line. No worker and no free text is in it.
pub fn summary_note(day: &Day, place: &Place) -> String {
    let (report, before) = (&day.report, &day.report.previous);
    let mut lines = vec![
        format!("Safety summary for {}", on(report)),
        span(report, localtime::zone(&report.time_zone).as_ref().unwrap_or(place.time_zone)),
        String::new(),
        format!("Alerts: {}{} from the day before)", report.alerts, change(report.alerts, before.alerts)),
        format!("Zone breaches: {}{})", report.zone_breaches, change(report.zone_breaches, before.zone_breaches)),
        format!(
            "Confirmed incidents: {}{})",
            incidents_counted(report.confirmed_incidents),
            change(report.confirmed_incidents, before.confirmed_incidents)
        ),
    ];
    for incident in day.recordable.iter().take(INCIDENTS) {
        lines.push(format!("- Recordable: {}, {}", words(&incident.incident_type), incident.zone_name));
    }
    if let Some(more) = report.recordable_incidents.checked_sub(INCIDENTS as u64).filter(|more| *more > 0) {
        lines.push(format!("- and {more} more recordable ones"));
    }
    lines.push(format!("PPE compliance: {}{}", percent(report.ppe.rate), points(report.ppe.rate, before.ppe.rate)));
    for shift in &report.ppe.by_shift {
        let name = if shift.shift == crate::summary::shifts::OTHER { "Outside shifts" } else { &shift.shift };
        lines.push(format!("- {name}: {}", percent(shift.rate)));
    }
    if !report.by_zone.is_empty() {
        lines.push("Top zones by alerts:".to_owned());
        lines.extend(report.by_zone.iter().take(ZONES).map(|zone| format!("- {}: {}", zone.name, zone.alerts)));
    }
    lines.extend([String::new(), format!("HardHat Pulse: {}", place.link), format!("[{}]", place.marker)]);
    lines.join("\n")
}

fn on(report: &Report) -> String {
    report.date.strftime("%a, %b %-d, %Y").to_string()
}

fn span(report: &Report, zone: &TimeZone) -> String {
    let local = |at: Timestamp| at.to_zoned_datetime(zone.clone());
    let (from, to) = (local(report.window.from), local(report.window.to));
    format!("{} to {}", from.strftime("%a %H:%M"), to.strftime("%a %H:%M %Z"))
}

/// An opened bracket with the change.
fn change(now: u64, before: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!(" (+{}", now - before),
        std::cmp::Ordering::Less => format!(" (-{}", before - now),
        std::cmp::Ordering::Equal => " (no change".to_owned(),
    }
}

fn tenths(rate: f64) -> i64 {
    (rate * 1_000.0).floor() as i64
}

/// Rounded down, so that only what is wholly compliant reads 100 %; never a number where nothing was sampled.
pub fn percent(rate: Rate) -> String {
    match rate {
        Some(rate) => format!("{}.{}%", tenths(rate) / 10, tenths(rate) % 10),
        None => "no data".to_owned(),
    }
}

fn points(now: Rate, before: Rate) -> String {
    let (Some(now), Some(before)) = (now, before) else { return String::new() };
    let moved = tenths(now) - tenths(before);
    match moved {
        0 => " (no change)".to_owned(),
        _ => {
            let sign = if moved > 0 { '+' } else { '-' };
            format!(" ({sign}{}.{} points)", moved.abs() / 10, moved.abs() % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::count::Recordable;
    use crate::summary::report::{Ppe, Previous, PreviousPpe, ShiftPpe, ZoneAlerts};
    use crate::summary::window::Window;

    fn day() -> Day {
        let window =
            Window { from: "2026-11-23T23:00:00Z".parse().unwrap(), to: "2026-11-24T23:00:00Z".parse().unwrap() };
        let shift = |name: &str, rate: Rate| ShiftPpe { shift: name.into(), rate, items: Default::default() };
        let previous = Previous {
            ppe: PreviousPpe { rate: Some(0.952) },
            alerts: 37,
            zone_breaches: 12,
            ..Previous::nothing("2026-11-23".parse().unwrap(), window)
        };
        let report = Report {
            date: "2026-11-24".parse().unwrap(),
            time_zone: "America/Chicago".into(),
            window,
            alerts: 42,
            confirmed_incidents: 1,
            recordable_incidents: 1,
            zone_breaches: 9,
            ppe: Ppe {
                rate: Some(0.9999),
                by_shift: vec![shift("Day", Some(1.0)), shift("Night", None), shift("other", Some(0.5))],
            },
            by_kind: Default::default(),
            by_zone: vec![ZoneAlerts { zone_id: "Z-1".into(), name: "Crane pad".into(), alerts: 30 }],
            previous,
        };
        let recordable = Recordable {
            incident_id: "01JD0000000000000000000001".into(),
            incident_type: "struck_by".into(),
            zone_id: "Z-1".into(),
            zone_name: "Crane pad".into(),
        };
        Day { report, recordable: vec![recordable] }
    }

    #[test]
    fn a_note_reads_in_a_narrow_column_and_says_no_data_where_there_is_none() {
        let zone = crate::localtime::zone("America/Chicago").unwrap();
        let place = Place { zone_name: "", time_zone: &zone, marker: "HHP-7F3K9Q2M", link: "https://x/reports/1" };
        let text = "Safety summary for Tue, Nov 24, 2026\n\
            Mon 17:00 to Tue 17:00 CST\n\
            \n\
            Alerts: 42 (+5 from the day before)\n\
            Zone breaches: 9 (-3)\n\
            Confirmed incidents: 1 (+1)\n\
            - Recordable: Struck by, Crane pad\n\
            PPE compliance: 99.9% (+4.7 points)\n\
            - Day: 100.0%\n\
            - Night: no data\n\
            - Outside shifts: 50.0%\n\
            Top zones by alerts:\n\
            - Crane pad: 30\n\
            \n\
            HardHat Pulse: https://x/reports/1\n\
            [HHP-7F3K9Q2M]";
        assert_eq!(summary_note(&day(), &place), text);
    }

    #[test]
    fn a_days_hours_are_on_the_clock_that_it_was_cut_by() {
        let moved = crate::localtime::zone("America/Denver").unwrap();
        let place = Place { zone_name: "", time_zone: &moved, marker: "HHP-7F3K9Q2M", link: "https://x" };
        assert!(summary_note(&day(), &place).contains("\nMon 17:00 to Tue 17:00 CST\n"));
    }

    #[test]
    fn a_quiet_day_is_said_in_as_few_lines() {
        let zone = crate::localtime::zone("America/Chicago").unwrap();
        let place = Place { zone_name: "", time_zone: &zone, marker: "HHP-7F3K9Q2M", link: "https://x" };
        let mut quiet = day();
        (quiet.recordable, quiet.report.by_zone) = (vec![], vec![]);
        quiet.report.ppe = Ppe::default();
        (quiet.report.alerts, quiet.report.previous.alerts) = (0, 0);
        let text = summary_note(&quiet, &place);
        assert!(text.contains("Alerts: 0 (no change from the day before)\n"), "{text}");
        assert!(text.contains("PPE compliance: no data\n\nHardHat Pulse"), "{text}");
    }
}
