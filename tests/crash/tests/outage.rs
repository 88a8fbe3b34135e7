//! A platform that is down for hours, and one that asks to wait: few calls, few writes, and the most important first afterwards.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::history::{route, violations};
use crash::world::World;
use domain::ids::Provider;
use domain::record::{RecordKind, RecordState};
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Effect, Rule};
use store::Table;
use store::lanes::Lane;
use sync::clock::Clock;

/// Lets everything work until that moment, as `World::rest` does to the end.
async fn until(world: &World, end: Timestamp) {
    world.rest_until(&Fault::never(), Some(end)).await.unwrap();
}

fn unclear(links: &[store::lanes::Link]) -> usize {
    links.iter().filter(|link| link.intent_at.is_some()).count()
}

#[tokio::test]
async fn six_hours_down_cost_few_calls_and_the_incident_goes_first_afterwards() {
    for effect in [Effect::Down { cut: true, retry_after: None }, Effect::Down { cut: false, retry_after: None }] {
        let mut world = World::new(1).await.unwrap();
        world.at_once = 6;
        let observations = (1..=200).map(detection);
        route(&world, std::iter::once(zone(1)).chain(observations).collect()).await;
        let fault = world.procore.faults().add(Rule::new(effect.clone()));
        until(&world, world.clock.now() + SignedDuration::from_hours(1)).await;
        route(&world, vec![confirmed(incident(900, 1, &[]))]).await;
        until(&world, world.clock.now() + SignedDuration::from_hours(5)).await;
        let calls = world.procore.calls().len();
        assert!(calls <= 60, "{effect:?}: {calls} calls");
        let lane = Lane { table: &world.table, id: &world.lane };
        let links: Vec<_> = lane.links(None, 300).await.unwrap().into_iter().map(|(_, link)| link).collect();
        assert!(unclear(&links) <= 20, "{effect:?}: {} unclear", unclear(&links));
        world.procore.faults().remove(fault);
        world.rest(&Fault::never()).await.unwrap();
        let (incidents, made) =
            (world.procore.incidents(world.project_id), world.procore.observations(world.project_id));
        assert_eq!((incidents.len(), made.len()), (1, 200), "{effect:?}");
        let before = made.iter().filter(|o| o.created_at < incidents[0].created_at).count();
        assert!(before <= 1, "{effect:?}: {before} observations before the incident");
        let link = world.link(RecordKind::Incident, id(900)).await.unwrap().expect("a link");
        assert_eq!(link.state, RecordState::Synced);
        violations(&world, "six hours");
    }
}

#[tokio::test]
async fn one_record_that_the_platform_cannot_stand_holds_the_others_up_for_seconds_only() {
    let world = World::new(1).await.unwrap();
    let effect =
        Effect::Status { status: 500, shape: Default::default(), retry_after: None, message: None, done: false };
    world.procore.faults().add(Rule::new(effect).operation("createIncident"));
    let events = std::iter::once(zone(1)).chain([confirmed(incident(900, 1, &[]))]).chain((1..=30).map(detection));
    route(&world, events.collect()).await;
    until(&world, world.clock.now() + SignedDuration::from_mins(15)).await;
    assert_eq!(world.procore.observations(world.project_id).len(), 30);
}

#[tokio::test]
async fn a_ring_during_a_pause_of_everything_writes_next_to_nothing() {
    let mut world = World::new(1).await.unwrap();
    world.at_once = 6;
    let busy =
        Effect::Status { status: 429, shape: Default::default(), retry_after: Some(600), message: None, done: false };
    world.procore.faults().add(Rule::new(busy).times(1));
    route(&world, std::iter::once(zone(1)).chain((1..=20).map(detection)).collect()).await;
    assert!(world.run_once(&Fault::never()).await);
    let calls = world.procore.calls().len();
    let (fault, before) = (Fault::never(), world.todos().await.unwrap());
    route(&world, vec![detection(99)]).await;
    assert!(world.run_once(&fault).await);
    assert!(fault.writes() <= 2, "{} writes", fault.writes());
    assert_eq!(world.procore.calls().len(), calls);
    assert_eq!(world.todos().await.unwrap().len(), before.len() + 1);
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(world.procore.observations(world.project_id).len(), 21);
}

/// An hour's budget that is used up but for the incidents' share, with more observations waiting than a page holds.
#[tokio::test]
async fn waiting_observations_of_a_held_class_hide_no_waiting_incident() {
    let mut world = World::new(1).await.unwrap();
    world.at_once = 6;
    route(&world, std::iter::once(zone(1)).chain((1..=120).map(detection)).collect()).await;
    let lane = Lane { table: &world.table, id: &world.lane };
    let soon = world.clock.now() + SignedDuration::from_secs(60);
    for todo in lane.ready(200).await.unwrap() {
        lane.put_off(&todo, soon, "later".into(), true).await.unwrap();
    }
    route(&world, vec![confirmed(incident(900, 1, &[]))]).await;
    for todo in lane.ready(200).await.unwrap() {
        lane.put_off(&todo, soon + SignedDuration::from_secs(60), "later".into(), true).await.unwrap();
    }
    world.procore.set_limits(sandbox::limits::Limits { per_hour: 60, per_ten_seconds: 600 });
    until(&world, world.clock.now() + SignedDuration::from_mins(30)).await;
    assert_eq!(world.procore.incidents(world.project_id).len(), 1);
    let made = world.procore.observations(world.project_id).len();
    assert!((30..60).contains(&made), "{made} observations: the class was not held");
}

#[tokio::test]
async fn a_record_that_kills_runs_goes_behind_the_others_and_is_given_up_at_last() {
    let world = World::new(1).await.unwrap();
    route(&world, vec![zone(1), confirmed(incident(900, 1, &[])), detection(1)]).await;
    // Each run dies over the incident, before anything is noted of it.
    for run in 1..=2 {
        assert!(!world.run_once(&Fault::at_call("find", Mode::DieBefore)).await, "run {run}");
        assert!(world.procore.observations(world.project_id).is_empty());
        world.clock.advance(SignedDuration::from_secs(70));
    }
    assert!(world.run_once(&Fault::never()).await, "the third run puts it behind");
    assert_eq!(world.procore.observations(world.project_id).len(), 1, "and goes on with the others");
    assert!(world.procore.incidents(world.project_id).is_empty());
    world.clock.advance(SignedDuration::from_mins(6));
    assert!(!world.run_once(&Fault::at_call("create", Mode::DieBefore)).await, "it kills a third run");
    world.clock.advance(SignedDuration::from_secs(70));
    assert!(world.run_once(&Fault::never()).await);
    let link = world.link(RecordKind::Incident, id(900)).await.unwrap().expect("a link");
    assert_eq!(link.state, RecordState::Failed);
    assert!(link.reason.unwrap_or_default().contains("failed three times"));
    // A person presses retry: it is found not to be there, and made.
    world.again(RecordKind::Incident, id(900)).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(world.procore.incidents(world.project_id).len(), 1);
}

#[tokio::test]
async fn a_bus_that_is_down_blocks_the_connection_all_the_same() {
    let world = World::new(1).await.unwrap();
    route(&world, vec![zone(1), detection(1)]).await;
    world.procore.set_client(sandbox::procore::Client { secret: "another".into(), ..Default::default() });
    assert!(world.run_once(&Fault::at_call("publish", Mode::FailBefore)).await);
    let directory = store::directory::Directory(&world.table);
    let connection = directory.connection(&world.lane.organization_id, &world.lane.connection_id).await.unwrap();
    assert!(connection.unwrap().blocked.is_some());
}

#[tokio::test]
async fn an_incident_from_before_the_mapping_is_not_sent_when_it_is_revised() {
    let world = World::unmapped(1).await.unwrap();
    route(&world, vec![zone(1), confirmed(incident(900, 1, &[]))]).await;
    world.clock.advance(SignedDuration::from_hours(1));
    world.map().await.unwrap();
    route(&world, vec![confirmed(incident(900, 2, &[])), confirmed(incident(901, 1, &[]))]).await;
    world.rest(&Fault::never()).await.unwrap();
    let incidents = world.procore.incidents(world.project_id);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert!(world.link(RecordKind::Incident, id(900)).await.unwrap().is_none());
    assert!(world.link(RecordKind::Incident, id(901)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_due_item_that_does_not_read_holds_no_other_lane_up() {
    let world = World::new(1).await.unwrap();
    route(&world, vec![zone(1), detection(1)]).await;
    world.bell.take();
    for shard in store::due::shards() {
        let item = serde_json::json!({"pk": format!("ORG#{shard}"), "sk": "DUE", "due_shard": shard,
            "due_at": "2020-01-01T00:00:00.000Z"});
        let item = item.as_object().cloned().unwrap();
        world.table.put(item, store::Condition::Always).await.unwrap();
    }
    world.clock.advance(SignedDuration::from_mins(11));
    let error = clock::tick(&world.table, &world.bell, &world.bus, world.clock.now()).await.unwrap_err();
    let unread = store::due::shards().count();
    assert!(error.to_string().contains(&format!("{unread} of {}", unread + 1)), "{error}");
    assert_eq!(world.bell.take().len(), 1);
}

#[tokio::test]
async fn locations_that_are_away_hold_no_issue_up() {
    let world = World::unmapped_on(Provider::Acc, 1).await.unwrap();
    world.map().await.unwrap();
    let away =
        Effect::Status { status: 503, shape: Default::default(), retry_after: Some(900), message: None, done: false };
    world.faults().add(Rule::new(away).operation("listLocationNodes"));
    for n in 1..=3 {
        route(&world, vec![zone(1), confirmed(incident(n, 1, &[]))]).await;
        until(&world, world.clock.now() + SignedDuration::from_mins(1)).await;
        let link = world.link(RecordKind::Incident, id(n)).await.unwrap().expect("a link");
        assert_eq!(link.state, RecordState::Synced, "{n}: it waits for locations");
        world.clock.advance(SignedDuration::from_mins(14));
    }
    let asked = world.calls().iter().filter(|call| call.operation_id.as_deref() == Some("listLocationNodes")).count();
    assert_eq!(asked, 3, "again after ten minutes");
}

#[tokio::test]
async fn six_hours_without_autodesk_cost_few_calls_too() {
    for retry_after in [None, Some(300)] {
        let world = World::unmapped_on(Provider::Acc, 1).await.unwrap();
        world.map().await.unwrap();
        let fault = world.faults().add(Rule::new(Effect::Down { cut: false, retry_after }));
        route(&world, vec![zone(1), confirmed(incident(1, 1, &[]))]).await;
        until(&world, world.clock.now() + SignedDuration::from_hours(6)).await;
        let calls = world.calls().len();
        assert!(calls <= 80, "{retry_after:?}: {calls} calls");
        world.faults().remove(fault);
        world.rest(&Fault::never()).await.unwrap();
        let link = world.link(RecordKind::Incident, id(1)).await.unwrap().expect("a link");
        assert_eq!(link.state, RecordState::Synced);
        violations(&world, "six hours");
    }
}
