//! Days that nothing changes any more, where a project's forms are to be submitted then.
use crate::world::{World, at, detection};
use domain::settings::Mapping;

async fn submitting() -> World {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.map_with("7", "17:00", true, Mapping { submit_form: true, ..Mapping::default() }).await;
    world
}

#[tokio::test]
async fn its_lane_is_asked_once_more_an_hour_after_its_amendments_are_over() {
    let world = submitting().await;
    world.until("2026-06-01T22:01:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-01"]);
    world.until("2026-06-04T21:59:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-02", "2026-06-03"]);
    // The last that can change it, in its 72nd hour.
    world.send(vec![detection(1, at("2026-06-01T21:00:00Z"), "fall", "Z-1")]).await;
    world.until("2026-06-04T22:50:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-01", "2026-06-02", "2026-06-04"], "it, the one after it, and the next");
    assert_eq!(world.report("2026-06-01").await.alerts, 1);
    world.until("2026-06-05T00:01:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-01"]);
    world.until("2026-06-05T21:59:00Z").await;
    assert_eq!(world.asked().await, Vec::<String>::new(), "once");
    world.until("2026-06-06T21:59:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-02", "2026-06-05"]);
}

#[tokio::test]
async fn nobody_is_asked_where_people_submit() {
    let world = World::new("America/Chicago", "17:00", "2026-06-01T15:00:00Z").await;
    world.until("2026-06-05T21:59:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"]);
    world.until("2026-06-06T21:59:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-05"]);
    // Of the days that stand, those of the last six are caught up with.
    world.map_with("7", "17:00", true, Mapping { submit_form: true, ..Mapping::default() }).await;
    world.until("2026-06-07T00:01:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-06"]);
    // The same where it was not wanted for a while: what people left open longer is theirs.
    world.map("7", "17:00", true).await;
    world.until("2026-06-20T22:30:00Z").await;
    world.asked().await;
    world.map_with("7", "17:00", true, Mapping { submit_form: true, ..Mapping::default() }).await;
    world.until("2026-06-21T00:01:00Z").await;
    assert_eq!(world.asked().await, ["2026-06-14", "2026-06-15", "2026-06-16", "2026-06-17"]);
}
