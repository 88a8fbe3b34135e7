//! The hour of a site, set, changed and switched off while its days go by.
use crate::world::{World, at, detection};
use store::due::{self, Reason};
use store::summaries;

async fn alarm(world: &World) -> Option<String> {
    let due = due::get(&world.table, &world.site).await.expect("a due item");
    due.reasons.get(&Reason::Summary).map(ToString::to_string)
}

#[tokio::test]
async fn the_alarm_is_set_moved_and_taken_back_with_the_settings() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-01T22:00:00Z"));
    world.map("7", "18:30", true).await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-01T23:30:00Z"));
    world.map("7", "18:30", false).await;
    assert_eq!(alarm(&world).await, None);
    assert_eq!(due::get(&world.table, &world.site).await.unwrap().at(), None);
    world.map("7", "18:30", true).await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-01T23:30:00Z"));
}

#[tokio::test]
async fn a_changed_hour_neither_loses_nor_doubles_an_event() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    let detected = ["2026-06-01T21:00:00Z", "2026-06-02T10:00:00Z", "2026-06-02T12:00:00Z", "2026-06-03T23:00:00Z"];
    for (n, text) in (1u128..).zip(detected) {
        if at(text) > world.now() {
            world.until(text).await;
        }
        world.send(vec![detection(n, at(text), "fall", "Z-1")]).await;
    }
    world.map("7", "06:00", true).await;
    world.until("2026-06-05T00:00:00Z").await;
    let mut alerts = Vec::new();
    for date in ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"] {
        alerts.push(world.report(date).await.alerts);
    }
    // The hour was changed in the evening of the 3rd: that day was cut at five, the 4th at six in the morning.
    assert_eq!(alerts, [1, 2, 0, 1]);
    let fourth = world.report("2026-06-04").await.window;
    assert_eq!((fourth.from, fourth.to), (at("2026-06-03T22:00:00Z"), at("2026-06-04T11:00:00Z")));
}

#[tokio::test]
async fn who_sets_up_in_the_evening_gets_todays_summary_at_an_hour_still_to_come() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T23:10:00Z").await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-02T22:00:00Z"));
    // Switched off between, too.
    world.map("7", "17:00", false).await;
    world.map("7", "19:00", true).await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-02T00:00:00Z"));
    world.until("2026-06-02T00:01:00Z").await;
    let first = world.report("2026-06-01").await.window;
    assert_eq!((first.from, first.to), (at("2026-06-01T00:00:00Z"), at("2026-06-02T00:00:00Z")));
    // That day is cut: another hour is tomorrow's.
    world.map("7", "20:00", true).await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-03T01:00:00Z"));
    // Switched off and on, and set back and forth: no hour counts twice.
    world.map("7", "20:00", false).await;
    world.until("2026-06-03T21:00:00Z").await;
    world.map("7", "15:00", true).await;
    world.map("7", "17:00", true).await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-03T22:00:00Z"));
    world.until("2026-06-03T22:01:00Z").await;
    assert_eq!(world.report("2026-06-03").await.window.from, at("2026-06-02T22:00:00Z"));
}

#[tokio::test]
async fn an_hour_set_by_itself_begins_today_too_and_what_was_cut_before_stays_cut() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.until("2026-06-01T22:01:00Z").await;
    world.map("7", "17:00", false).await;
    world.move_to("2026-06-02T22:30:00Z");
    world.map("7", "17:00", true).await;
    summaries::set_hour(&world.table, &world.site().await, "18:00", world.now()).await.expect("an hour");
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-02T23:00:00Z"));
    world.until("2026-06-02T23:01:00Z").await;
    // The first of June was cut at five, by another hour: the second goes on from there.
    assert_eq!(world.report("2026-06-01").await.window.to, at("2026-06-01T22:00:00Z"));
    assert_eq!(world.report("2026-06-02").await.window.from, at("2026-06-01T22:00:00Z"));
}

#[tokio::test]
async fn an_earlier_hour_cuts_the_day_that_is_under_way_at_once() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.until("2026-06-02T17:00:00Z").await;
    world.map("7", "06:00", true).await;
    world.until("2026-06-02T17:01:00Z").await;
    assert_eq!(world.report("2026-06-02").await.window.to, at("2026-06-02T11:00:00Z"));
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-03T11:00:00Z"));
}

#[tokio::test]
async fn a_site_that_moves_its_clock_is_cut_by_the_new_one() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.change_site(|site| site.time_zone = "America/Denver".into()).await;
    assert_eq!(alarm(&world).await.as_deref(), Some("2026-06-01T23:00:00Z"));
    world.until("2026-06-01T23:01:00Z").await;
    assert_eq!(world.report("2026-06-01").await.time_zone, "America/Denver");
}

#[tokio::test]
async fn a_clock_that_was_moved_far_to_the_east_while_nobody_took_the_summary_counts_no_hour_twice() {
    let world = World::new("America/Los_Angeles", "23:00", "2026-06-01T13:00:00Z").await;
    world.send(vec![detection(1, at("2026-06-01T12:59:00Z"), "fall", "Z-1")]).await;
    world.until("2026-06-02T06:01:00Z").await;
    assert_eq!(world.report("2026-06-01").await.alerts, 1);
    world.map("7", "23:00", false).await;
    world.change_site(|site| site.time_zone = "Pacific/Auckland".into()).await;
    // By that clock 2 June ended before 1 June did by the other one.
    world.map("7", "00:00", true).await;
    world.until("2026-06-02T12:01:00Z").await;
    let next = world.report("2026-06-03").await;
    assert_eq!((next.alerts, next.window.from), (0, at("2026-06-02T06:00:00Z")));
}

#[tokio::test]
async fn what_nobody_takes_is_not_counted_and_switching_on_begins_at_the_last_hour() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.until("2026-06-01T22:01:00Z").await;
    world.map("7", "17:00", false).await;
    world.until("2026-06-05T23:00:00Z").await;
    assert!(world.summary("2026-06-03").await.is_none());
    world.map("7", "17:00", true).await;
    world.until("2026-06-06T22:01:00Z").await;
    assert!(world.summary("2026-06-05").await.is_none());
    assert_eq!(world.report("2026-06-06").await.window.from, at("2026-06-05T22:00:00Z"));
    assert_eq!(world.asked().await, ["2026-06-01", "2026-06-06"]);
}

#[tokio::test]
async fn a_project_that_is_mapped_after_the_cut_off_never_had_that_day() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T22:00:30Z").await;
    world.until("2026-06-02T22:01:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-02"]);
    assert!(world.summary("2026-06-01").await.is_none());
}

#[tokio::test]
async fn five_oclock_stays_five_through_a_change_of_the_clocks() {
    let world = World::new("Australia/Lord_Howe", "17:00", "2026-10-02T00:00:00Z").await;
    world.until("2026-10-06T00:00:00Z").await;
    assert_eq!(world.report("2026-10-03").await.window.to, at("2026-10-03T06:30:00Z"));
    assert_eq!(world.report("2026-10-04").await.window.to, at("2026-10-04T06:00:00Z"));
}
