//! Days as they are cut off, and what comes late.
use crate::world::{World, at, detection, incident, retraction, sample, zone};
use domain::event::EventBody;
use domain::wording::{Place, summary_note};
use jiff::{SignedDuration, tz::TimeZone};

// 17:00 in Chicago in June is 22:00 UTC.

#[tokio::test]
async fn a_day_is_cut_off_at_its_hour_and_asked_for_once() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.send(vec![zone("Z-1", 1, "Crane pad"), detection(1, at("2026-06-01T14:59:00Z"), "zone_breach", "Z-1")]).await;
    world
        .send(vec![sample(2, at("2026-06-01T14:50:00Z"), 20, 19), incident(3, 1, at("2026-06-01T14:58:00Z"), true)])
        .await;
    let before = world.until("2026-06-01T21:59:59Z").await;
    assert_eq!((before.cut, world.asked().await), (0, vec![]));
    let cut = world.until("2026-06-01T22:01:00Z").await;
    assert_eq!((cut.cut, world.asked().await), (1, vec!["2026-06-01".to_owned()]));
    let report = world.report("2026-06-01").await;
    assert_eq!((report.alerts, report.zone_breaches), (1, 1));
    assert_eq!((report.confirmed_incidents, report.recordable_incidents), (1, 1));
    assert_eq!(report.ppe.rate, Some(0.95));
    assert_eq!((report.by_zone[0].name.as_str(), report.by_zone[0].alerts), ("Crane pad", 1));
    assert_eq!(report.window.from, at("2026-05-31T22:00:00Z"));
    // A doubled tick, and all the looks until the next day, ask for nothing more.
    world.look().await;
    world.until("2026-06-02T21:59:00Z").await;
    assert_eq!(world.asked().await, Vec::<String>::new());
    assert_eq!(world.summary("2026-06-01").await.unwrap().revision, 1);
    world.until("2026-06-02T22:01:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-02"]);
    let next = world.report("2026-06-02").await;
    assert_eq!((next.alerts, next.previous.alerts, next.previous.ppe.rate), (0, 1, Some(0.95)));
    assert_eq!(next.ppe.rate, None, "nothing sampled is no rate");
}

#[tokio::test]
async fn what_comes_late_amends_its_day_for_72_hours_and_no_longer() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.until("2026-06-01T22:00:30Z").await;
    assert_eq!(world.asked().await, ["2026-06-01"]);
    // On its way at the cut-off: amended with the first look.
    world.send(vec![detection(1, at("2026-06-01T21:59:59Z"), "fall", "Z-1")]).await;
    let looked = world.until("2026-06-01T22:16:00Z").await;
    assert_eq!((looked.amended, world.asked().await), (1, vec!["2026-06-01".to_owned()]));
    // From an edge that was offline for two days, after the next day was cut off too: both days' notes change.
    world.until("2026-06-03T10:00:00Z").await;
    world.asked().await;
    world.send(vec![detection(2, at("2026-06-01T12:00:00Z"), "fall", "Z-1")]).await;
    world.until("2026-06-03T11:30:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-01", "2026-06-02"]);
    assert_eq!(world.report("2026-06-01").await.alerts, 2);
    assert_eq!(world.report("2026-06-02").await.previous.alerts, 2);
    // 72 hours after the cut-off is the last moment, however long the look takes to come.
    world.move_to("2026-06-04T22:00:00Z");
    world.send(vec![detection(3, at("2026-06-01T12:00:00Z"), "fall", "Z-1")]).await;
    world.move_to("2026-06-04T22:00:01Z");
    world.send(vec![detection(4, at("2026-06-01T12:00:00Z"), "fall", "Z-1")]).await;
    world.move_to("2026-06-04T23:30:00Z");
    world.tick().await;
    let summary = world.summary("2026-06-01").await.unwrap();
    assert_eq!((summary.day.report.alerts, summary.revision), (3, 4));
    assert_eq!(world.asked().await, ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"]);
}

#[tokio::test]
async fn incidents_count_by_confirmation_and_as_they_stand() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    let confirmed = at("2026-06-01T15:00:00Z");
    world.send(vec![incident(1, 1, confirmed, true), incident(2, 1, confirmed, false)]).await;
    world.until("2026-06-01T22:01:00Z").await;
    let day = world.summary("2026-06-01").await.unwrap().day;
    assert_eq!((day.report.confirmed_incidents, day.report.recordable_incidents, day.recordable.len()), (2, 1, 1));
    // One is retracted, the other one found to have been confirmed a day later and recordable.
    world.until("2026-06-02T12:00:00Z").await;
    world.send(vec![retraction(1, 2), incident(2, 2, confirmed + SignedDuration::from_hours(20), true)]).await;
    world.until("2026-06-02T13:01:00Z").await;
    assert_eq!(world.report("2026-06-01").await.confirmed_incidents, 0);
    world.until("2026-06-02T22:01:00Z").await;
    let next = world.report("2026-06-02").await;
    assert_eq!((next.confirmed_incidents, next.recordable_incidents, next.previous.confirmed_incidents), (1, 1, 0));
}

#[tokio::test]
async fn zones_are_called_what_they_were_called_on_the_day() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.send(vec![zone("Z-1", 1, "Pit"), detection(1, at("2026-06-01T14:59:00Z"), "fall", "Z-1")]).await;
    world.until("2026-06-01T22:01:00Z").await;
    world.send(vec![zone("Z-1", 2, "Garage")]).await;
    world.send(vec![detection(2, at("2026-06-01T14:59:00Z"), "fall", "Z-1")]).await;
    world.until("2026-06-01T22:20:00Z").await;
    let zones = world.report("2026-06-01").await.by_zone;
    assert_eq!((zones[0].name.as_str(), zones[0].alerts), ("Pit", 2));
}

#[tokio::test]
async fn a_clock_ahead_of_ours_counts_on_the_day_that_it_says() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.send(vec![detection(1, at("2026-06-02T12:00:00Z"), "fall", "Z-1")]).await;
    world.until("2026-06-02T22:01:00Z").await;
    assert_eq!((world.report("2026-06-01").await.alerts, world.report("2026-06-02").await.alerts), (0, 1));
}

#[tokio::test]
async fn days_that_were_missed_get_a_summary_each() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    for day in 1..=9 {
        let noon = at("2026-06-01T17:00:00Z") + SignedDuration::from_hours(24 * (day - 1));
        world.move_to(&noon.to_string());
        world.send(vec![detection(day as u128, noon, "fall", "Z-1")]).await;
    }
    // Nothing ran for nine days.
    world.move_to("2026-06-09T23:00:00Z");
    world.tick().await;
    world.until("2026-06-10T00:00:00Z").await;
    let dates: Vec<String> = (1..=9).map(|day| format!("2026-06-{day:02}")).collect();
    assert_eq!(world.asked().await, dates);
    for date in dates {
        assert_eq!(world.report(&date).await.alerts, 1, "{date}");
    }
}

#[tokio::test]
async fn the_report_that_a_note_links_to_is_the_notes_whatever_became_of_the_site() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.send(vec![zone("Z-1", 1, "Pit"), detection(1, at("2026-06-01T14:59:00Z"), "fall", "Z-1")]).await;
    world.send(vec![sample(2, at("2026-06-01T14:50:00Z"), 20, 19)]).await;
    world.until("2026-06-02T15:00:00Z").await;
    let night = at("2026-06-02T04:30:00Z");
    world.send(vec![detection(3, night, "fall", "Z-1"), incident(4, 1, night, true), sample(5, night, 10, 9)]).await;
    world.until("2026-06-02T23:00:00Z").await;
    world
        .change_site(|site| {
            site.shifts.remove(0);
            site.shifts[0].name = "Late".into();
            site.time_zone = "America/New_York".into();
        })
        .await;
    world.send(vec![zone("Z-1", 2, "Garage")]).await;
    // At once, and long after the note can change.
    for now in ["2026-06-02T23:30:00Z", "2026-06-09T12:00:00Z"] {
        world.until(now).await;
        assert_eq!(world.reported("2026-06-02").await, world.summary("2026-06-02").await.unwrap().day, "at {now}");
    }
    let note = world.summary("2026-06-02").await.unwrap().day;
    let shifts: Vec<&str> = note.report.ppe.by_shift.iter().map(|shift| shift.shift.as_str()).collect();
    assert_eq!((shifts, note.report.by_zone[0].name.as_str()), (vec!["Day", "Night"], "Pit"));
    assert_eq!(note.recordable[0].zone_name, "Pit");
}

#[tokio::test]
async fn an_amendment_tells_the_day_by_the_clock_and_the_shifts_that_it_was_cut_by() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.until("2026-06-01T22:01:00Z").await;
    world
        .change_site(|site| {
            site.time_zone = "America/Denver".into();
            site.shifts.clear();
        })
        .await;
    world.send(vec![sample(1, at("2026-06-01T19:15:00Z"), 10, 9)]).await;
    world.until("2026-06-02T01:00:00Z").await;
    let summary = world.summary("2026-06-01").await.unwrap();
    assert_eq!((summary.revision, summary.day.report.time_zone.as_str()), (2, "America/Chicago"));
    let shifts = summary.day.report.ppe.by_shift.iter();
    assert_eq!(
        shifts.map(|shift| (shift.shift.as_str(), shift.rate)).collect::<Vec<_>>(),
        [("Day", Some(0.9)), ("Night", None)]
    );
}

#[tokio::test]
async fn an_edge_that_makes_up_ids_makes_no_day_that_cannot_be_kept() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    let happened = at("2026-06-01T14:59:00Z");
    for batch in 0..50u128 {
        let made_up = (0..100).map(|n| batch * 100 + n).map(|n| {
            let id = format!("{n:04}-{}", "x".repeat(123));
            detection(n, happened, &format!("kind_{n}"), &id)
        });
        world.send(made_up.collect()).await;
    }
    let wide = "\u{1F3D7}".repeat(200);
    for batch in 0..5u128 {
        let named = (0..100).map(|n| zone(&format!("{:04}-{}", batch * 100 + n, "x".repeat(123)), 1, &wide));
        world.send(named.collect()).await;
    }
    for batch in 0..35u128 {
        let made_up = (0..100).map(|n| {
            let EventBody::IncidentUpdated(mut made_up) = incident(n, 1, happened, true) else { unreachable!() };
            made_up.incident_id = format!("{:04}-{}", batch * 100 + n, "x".repeat(123));
            EventBody::IncidentUpdated(made_up)
        });
        world.send(made_up.collect()).await;
    }
    world.until("2026-06-02T22:01:00Z").await;
    let report = world.report("2026-06-01").await;
    assert_eq!((report.alerts, report.confirmed_incidents), (5_000, 1_000));
    let place = Place { zone_name: "", time_zone: &TimeZone::UTC, marker: "HHP-1", link: "https://pulse.example.com" };
    let note = summary_note(&world.summary("2026-06-01").await.unwrap().day, &place);
    assert!(note.contains("Confirmed incidents: 1000 or more"), "{note}");
    assert_eq!(report.by_zone.len(), 501);
    assert_eq!((report.by_zone[0].name.as_str(), report.by_zone[0].alerts), ("Other zones", 4_500));
    assert_eq!(report.by_kind.values().sum::<u64>(), 5_000);
    assert_eq!(world.report("2026-06-02").await.alerts, 0, "the days after it come");
    // DynamoDB takes 400 KB.
    let kept = world.table.dump().into_iter().map(|item| serde_json::to_string(&item).unwrap().len());
    assert!(kept.max().unwrap() < 400_000);
}
