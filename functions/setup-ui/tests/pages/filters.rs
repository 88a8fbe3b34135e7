//! The activity's filters: by day on the site's clock, by zone.
use crate::world::{DETECTION, World};
use domain::record::{RecordKind, RecordState};
use jiff::Timestamp;
use people::Role;
use ulid::Ulid;

fn id(at: &str) -> String {
    let at: Timestamp = at.parse().unwrap();
    Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap(), 7).to_string()
}

#[tokio::test]
async fn records_are_found_by_their_day_on_the_sites_clock() {
    let world = World::new().await;
    // In Chicago the first is still of the 23rd, and the last of the 24th.
    let ids = ["2026-11-24T05:30:00Z", "2026-11-24T16:00:00Z", "2026-11-25T05:59:59Z"].map(id);
    for id in &ids {
        world.link(&world.ours, id, RecordState::Synced).await;
    }
    for date in ["2026-11-23", "2026-11-24"] {
        world.link_of(&world.ours, RecordKind::DailySummary, date, RecordState::Synced).await;
    }
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let activity = format!("{}/activity", world.ours.project());
    for (asked, shown) in [
        ("from=2026-11-24", vec![1, 2]),
        ("to=2026-11-23", vec![0]),
        ("from=2026-11-24&to=2026-11-24", vec![1, 2]),
        ("from=2026-11-25", vec![]),
        ("from=&to=", vec![0, 1, 2]),
    ] {
        let page = world.get(&viewer, &format!("{activity}?{asked}")).await.body;
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(page.contains(&format!("/detections/{id}")), shown.contains(&at), "{asked} {id}: {page}");
        }
    }
    let summaries = world.get(&viewer, &format!("{activity}?kind=daily_summary&from=2026-11-24")).await.body;
    assert!(summaries.contains("/reports/2026-11-24") && !summaries.contains("/reports/2026-11-23"), "{summaries}");
    let wrong = world.get(&viewer, &format!("{activity}?from=yesterday")).await;
    assert!(wrong.status == 422 && wrong.body.contains("id=\"from-error\""), "{}", wrong.body);
}

#[tokio::test]
async fn older_records_keep_what_was_asked_for_and_end_where_it_does() {
    let world = World::new().await;
    let at = |minute: i64| {
        let from: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        id(&(from + jiff::SignedDuration::from_mins(minute)).to_string())
    };
    for minute in 0..30 {
        world.link(&world.ours, &at(minute), RecordState::Synced).await;
    }
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let activity = format!("{}/activity", world.ours.project());
    let page = world.get(&viewer, &format!("{activity}?state=synced&from=2026-11-24&to=2026-11-24")).await.body;
    let older = page.split("id=\"older\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(older.contains("from=2026-11-24&to=2026-11-24") && older.contains("state=synced"), "{older}");
    let rest = world.get(&viewer, &older).await.body;
    assert!(rest.contains(&at(0)) && !rest.contains(&at(29)) && !rest.contains("id=\"older\""), "{rest}");
}

#[tokio::test]
async fn records_are_found_by_their_zone() {
    let world = World::new().await;
    let other = id("2026-11-24T16:00:00Z");
    world.link(&world.ours, DETECTION, RecordState::Synced).await;
    world.link(&world.ours, &other, RecordState::Synced).await;
    world.zone(&world.ours, "z1", "Level 3 east").await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let activity = format!("{}/activity", world.ours.project());
    let page = world.get(&viewer, &format!("{activity}?zone=z1")).await.body;
    assert!(page.contains("<option value=\"z1\" selected>Level 3 east"), "{page}");
    assert!(page.contains(&format!("/detections/{DETECTION}")) && !page.contains(&other), "{page}");
    assert!(!world.get(&viewer, &format!("{activity}?zone=z2")).await.body.contains(DETECTION));
}
