//! A site's day in figures: whatever the zone, the hour and the stream of events, each event counts in exactly one day.
use domain::event::PpeCheck;
use domain::localtime;
use domain::settings::Shift;
use domain::summary::count::{Day, Head, count};
use domain::summary::occurrence::{Alert, Confirmed, Occurrence, Sample};
use domain::summary::report::{Previous, PreviousPpe};
use domain::summary::shifts::Shifts;
use domain::summary::window::{Cut, SummaryHour, Window, calendar};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const ZONES: [&str; 9] = [
    "America/Chicago",
    "America/Phoenix",
    "America/St_Johns",
    "America/Nuuk",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Auckland",
];

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn hour() -> impl Strategy<Value = String> {
    (0u8..24, 0u8..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

fn head(date: Date) -> Head<'static> {
    let window = Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH };
    let ppe = PreviousPpe { rate: None };
    let previous =
        Previous { date, window, alerts: 0, confirmed_incidents: 0, recordable_incidents: 0, zone_breaches: 0, ppe };
    Head { date, time_zone: "America/Chicago", previous }
}

/// The windows of a run of days, with the hour or the zone changed after some of them.
fn windows(start: Timestamp, changes: &[(usize, String, u8)]) -> Vec<(Date, Window)> {
    let clock = |zone: usize, at: &str| SummaryHour::new(ZONES[zone], at).expect("a clock");
    let (zone, at, _) = &changes[0];
    let mut last = clock(*zone, at).last_cut(start);
    let mut windows = Vec::new();
    for (zone, at, days) in changes {
        for _ in 0..*days {
            let (date, window) = clock(*zone, at).next(last);
            last = Cut { date, to: window.to };
            windows.push((date, window));
        }
    }
    windows
}

proptest! {
    /// Also while someone changes hour and zone.
    #[test]
    fn any_stream_of_events_is_partitioned(
        day in 0i32..9_000,
        changes in prop::collection::vec((0..ZONES.len(), hour(), 1u8..5), 1..5),
        events in prop::collection::vec(0.0f64..1.0, 0..60),
    ) {
        let start = date("2006-01-01").checked_add(day.days()).unwrap();
        let start = start.to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let windows = windows(start, &changes);
        let (first, last) = (windows[0].1.from, windows[windows.len() - 1].1.to);
        for pair in windows.windows(2) {
            prop_assert_eq!(pair[0].1.to, pair[1].1.from);
            prop_assert!(pair[0].0 < pair[1].0, "one summary a date");
        }
        prop_assert!(windows.iter().all(|(_, window)| window.from < window.to));
        let span = last.duration_since(first).as_millis() as f64;
        for place in events {
            let event = first + SignedDuration::from_millis((span * place) as i64);
            prop_assert_eq!(windows.iter().filter(|(_, window)| window.holds(event)).count(), usize::from(event < last));
        }
    }

    /// With the hour left alone, the sequence is the calendar's: what a report says of a date is what its note said.
    #[test]
    fn an_unchanged_hour_gives_each_date_its_own_window(zone in 0..ZONES.len(), of_day in hour(), day in 0i32..9_000, second in 0i64..86_400) {
        let hour = SummaryHour::new(ZONES[zone], &of_day).unwrap();
        let day = date("2006-01-01").checked_add(day.days()).unwrap();
        let now = day.to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap().timestamp() + SignedDuration::from_secs(second);
        let of = hour.date_of(now);
        prop_assert!(hour.window(of).holds(now));
        let last = hour.last_cut(now);
        prop_assert!(last.to <= now);
        let (date, window) = hour.next(last);
        prop_assert!(window.holds(now));
        // But for the one day that Samoa left out.
        prop_assert!(date == of || ZONES[zone] == "Pacific/Apia");
        prop_assert!(window == hour.window(date) || ZONES[zone] == "Pacific/Apia");
    }

    /// Whichever of the days were cut while nobody changed anything: the others lie between them without a gap.
    #[test]
    fn days_that_were_cut_stand_and_the_others_fill_what_is_left(
        changes in prop::collection::vec((0..1usize, hour(), 1u8..5), 2..5),
        cut in prop::collection::vec(any::<bool>(), 20),
        now_at in hour(),
    ) {
        let start = at("2026-10-25T12:00:00Z");
        let all = windows(start, &changes);
        let cut: BTreeMap<Date, Window> =
            all.iter().zip(cut).filter(|(_, cut)| *cut).map(|((date, window), _)| (*date, *window)).collect();
        let hour = SummaryHour::new(ZONES[0], &now_at).unwrap();
        let earlier = all[0].0.checked_sub(3.days()).unwrap();
        let first = Cut { date: earlier, to: hour.cut_off(earlier) };
        let days = calendar(&hour, first, &cut, all[all.len() - 1].0);
        prop_assert!(days.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1.to == pair[1].1.from));
        prop_assert!(days.iter().all(|(_, window)| window.from < window.to));
        for (date, window) in &cut {
            prop_assert!(days.contains(&(*date, *window)), "{date}");
        }
    }

    #[test]
    fn the_days_add_up_to_the_stream(occurrences in prop::collection::vec(occurrence(), 0..80), of_day in hour(), zone in 0..ZONES.len()) {
        let clock = SummaryHour::new(ZONES[zone], &of_day).unwrap();
        let shifts = shifts();
        let mut last = clock.last_cut(at(BEGIN));
        let mut days: Vec<Day> = Vec::new();
        while last.to < at(END) {
            let (date, window) = clock.next(last);
            last = Cut { date, to: window.to };
            days.push(count(&occurrences, window, &shifts, head(date), &BTreeMap::new()));
        }
        let sum = |of: &dyn Fn(&Day) -> u64| days.iter().map(of).sum::<u64>();
        let many = |what: &dyn Fn(&Occurrence) -> bool| occurrences.iter().filter(|o| what(o)).count() as u64;
        prop_assert_eq!(sum(&|d| d.report.alerts), many(&|o| matches!(o, Occurrence::Alert(_))));
        prop_assert_eq!(sum(&|d| d.report.zone_breaches), many(&|o| matches!(o, Occurrence::Alert(a) if a.kind == "zone_breach")));
        prop_assert_eq!(sum(&|d| d.report.confirmed_incidents), many(&|o| matches!(o, Occurrence::Incident(_))));
        prop_assert_eq!(sum(&|d| d.report.recordable_incidents), many(&|o| matches!(o, Occurrence::Incident(i) if i.recordable)));
        prop_assert_eq!(sum(&|d| d.recordable.len() as u64), sum(&|d| d.report.recordable_incidents));
        let checked = |d: &Day| d.report.ppe.by_shift.iter().flat_map(|s| s.items.values()).map(|i| i.checked).sum::<u64>();
        let expected = |o: &Occurrence| match o {
            Occurrence::Sample(sample) => sample.checks.values().map(|c| c.checked).sum(),
            _ => 0,
        };
        prop_assert_eq!(sum(&checked), occurrences.iter().map(expected).sum::<u64>());
        for day in &days {
            prop_assert_eq!(day.report.by_kind.values().sum::<u64>(), day.report.alerts);
            prop_assert_eq!(day.report.by_zone.iter().map(|z| z.alerts).sum::<u64>(), day.report.alerts);
            prop_assert_eq!(day.report.ppe.rate.is_none(), checked(day) == 0);
        }
    }
}

// Around a change to summer time in Chicago.
const BEGIN: &str = "2026-03-05T00:00:00Z";
const END: &str = "2026-03-12T00:00:00Z";

fn occurrence() -> impl Strategy<Value = Occurrence> {
    let seconds = (at(END) - at(BEGIN)).as_secs();
    let moment = (0..seconds).prop_map(|s| at(BEGIN) + SignedDuration::from_secs(s));
    let zone = prop::sample::select(vec!["Z-1", "Z-2"]).prop_map(str::to_owned);
    let kind = prop::sample::select(vec!["zone_breach", "fall"]).prop_map(str::to_owned);
    (moment, zone, kind, 0u8..3, 0u64..9, any::<bool>()).prop_map(|(at, zone_id, kind, which, n, yes)| match which {
        0 => Occurrence::Alert(Alert { at, kind, zone_id }),
        1 => Occurrence::Incident(Confirmed {
            at,
            incident_id: format!("{at}"),
            incident_type: kind,
            zone_id,
            recordable: yes,
        }),
        _ => {
            let check = PpeCheck { checked: n, compliant: n / 2 };
            Occurrence::Sample(Sample { from: at, zone_id, checks: BTreeMap::from([("hard_hat".to_owned(), check)]) })
        }
    })
}

fn shifts() -> Shifts {
    let shift = |name: &str, start: &str, end: &str| Shift { name: name.into(), start: start.into(), end: end.into() };
    let zone = localtime::zone("America/Chicago").expect("a zone");
    Shifts::new(&[shift("Day", "06:00", "14:30"), shift("Night", "22:00", "05:00")], &zone).expect("shifts")
}

fn sample(from: &str, item: &str, checked: u64, compliant: u64) -> Occurrence {
    let checks = BTreeMap::from([(item.to_owned(), PpeCheck { checked, compliant })]);
    Occurrence::Sample(Sample { from: at(from), zone_id: "Z-1".into(), checks })
}

#[test]
fn rates_are_weighted_by_checks_and_nothing_sampled_is_no_rate() {
    let window = Window { from: at("2026-06-01T22:00:00Z"), to: at("2026-06-02T22:00:00Z") };
    let occurrences = [
        sample("2026-06-02T12:00:00Z", "hard_hat", 90, 90),
        sample("2026-06-02T13:00:00Z", "hard_hat", 10, 0),
        sample("2026-06-02T13:00:00Z", "vest", 0, 0),
        // Began in the night shift, before the end of the one before the window's.
        sample("2026-06-02T20:00:00Z", "hard_hat", 4, 1),
        sample("2026-06-02T22:00:00Z", "hard_hat", 100, 0),
    ];
    let day = count(&occurrences, window, &shifts(), head(date("2026-06-02")), &BTreeMap::new());
    let ppe = serde_json::to_value(&day.report.ppe).unwrap();
    let rate = 91.0 / 104.0;
    assert_eq!(
        ppe,
        serde_json::json!({"rate": rate, "by_shift": [
            {"shift": "Day", "rate": 0.9, "items": {
                "hard_hat": {"checked": 100, "compliant": 90, "rate": 0.9},
                "vest": {"checked": 0, "compliant": 0, "rate": null}}},
            {"shift": "Night", "rate": null, "items": {}},
            {"shift": "other", "rate": 0.25, "items": {"hard_hat": {"checked": 4, "compliant": 1, "rate": 0.25}}},
        ]})
    );
}

#[test]
fn a_report_has_the_members_of_the_contract() {
    let window = Window { from: at("2026-06-01T22:00:00Z"), to: at("2026-06-02T22:00:00Z") };
    let alert = |zone: &str, kind: &str| {
        Occurrence::Alert(Alert { at: at("2026-06-02T12:00:00Z"), kind: kind.into(), zone_id: zone.into() })
    };
    let occurrences = [alert("Z-2", "zone_breach"), alert("Z-1", "fall"), alert("Z-1", "fall")];
    let names = BTreeMap::from([("Z-1".to_owned(), "Crane pad".to_owned())]);
    let day = count(&occurrences, window, &shifts(), head(date("2026-06-02")), &names);
    let report = serde_json::to_value(&day.report).unwrap();
    let members: BTreeSet<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        BTreeSet::from([
            "alerts",
            "by_kind",
            "by_zone",
            "confirmed_incidents",
            "date",
            "ppe",
            "previous",
            "recordable_incidents",
            "time_zone",
            "window",
            "zone_breaches"
        ])
    );
    assert_eq!(report["window"], serde_json::json!({"from": "2026-06-01T22:00:00Z", "to": "2026-06-02T22:00:00Z"}));
    assert_eq!(
        report["by_zone"],
        serde_json::json!([{"zone_id": "Z-1", "name": "Crane pad", "alerts": 2}, {"zone_id": "Z-2", "name": "Z-2", "alerts": 1}])
    );
    assert_eq!(report["by_kind"], serde_json::json!({"fall": 2, "zone_breach": 1}));
    assert_eq!(serde_json::from_value::<domain::summary::report::Report>(report).unwrap(), day.report);
}
