//! The lane, killed or lied to at every step of I/O: one remote record in the end, with the right content.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, retracted, zone};
use crash::fault::{Fault, Mode};
use crash::history::{enumerate, route, violations};
use crash::on_each_platform;
use crash::platform::Shown;
use crash::world::World;
use domain::ids::Provider;
use domain::marker::carries;
use domain::record::{RecordKind, RecordState};

on_each_platform!(
    an_observation_is_made_once_whatever_step_fails,
    a_list_that_lags_less_than_the_quiet_time_makes_no_double,
    a_list_that_lags_longer_than_both_looks_leaves_one_open_record,
    an_incident_is_made_once_whatever_step_fails,
    an_incident_is_updated_to_the_latest_revision_whatever_step_fails,
    an_observation_that_joins_an_incident_is_commented_and_closed_once_whatever_step_fails,
    a_retracted_incident_is_closed_and_says_so_whatever_step_fails,
    a_second_runner_makes_no_second_record,
    an_incident_whose_retraction_was_taken_back_stands_again_and_says_nothing_of_it,
    refused_credentials_block_the_connection_and_a_probe_lifts_it_when_they_work_again,
    two_organizations_whose_records_have_equal_remote_ids_do_not_touch_each_other,
);

const OBSERVATION: RecordKind = RecordKind::Observation;
const INCIDENT: RecordKind = RecordKind::Incident;

async fn with_detection(on: Provider) -> World {
    let world = World::on(on, 1).await.unwrap();
    route(&world, vec![zone(1), detection(1)]).await;
    world
}

fn open(world: &World, records: &[Shown], kind: RecordKind) -> Vec<Shown> {
    records.iter().filter(|record| record.status == world.target.statuses(kind).open).cloned().collect()
}

async fn one_observation(world: &World, case: &str) {
    let observations = world.shown(OBSERVATION);
    let open = open(world, &observations, OBSERVATION);
    assert_eq!(open.len(), 1, "{case}: {observations:#?}");
    let link = world.link(OBSERVATION, id(1)).await.unwrap().expect("a link");
    assert_eq!((link.state, link.remote_id), (RecordState::Synced, Some(open[0].id.clone())), "{case}");
    assert!(carries(&open[0].title, &link.marker), "{case}: {}", open[0].title);
    for part in ["2026-11-24 10:00:00 CST", "Crane 2", "cam-7", &id(1), "4 (high)", crash::world::PUBLIC_URL] {
        assert!(open[0].text.contains(part), "{case}: {part} in {}", open[0].text);
    }
    assert!(!open[0].text.contains("W-4711"), "{case}: the worker id went out");
    assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
    violations(world, case);
}

async fn an_observation_is_made_once_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        enumerate(
            mode,
            async || with_detection(on).await,
            async |world, case| {
                one_observation(&world, &case).await;
                assert_eq!(world.shown(OBSERVATION).len(), 1, "{case}");
            },
        )
        .await;
    }
}

async fn a_list_that_lags_less_than_the_quiet_time_makes_no_double(on: Provider) {
    for mode in [Mode::DieAfter, Mode::FailAfter] {
        let begin = async || {
            let world = with_detection(on).await;
            world.lag(100);
            world
        };
        enumerate(mode, begin, async |world, case| {
            one_observation(&world, &case).await;
            assert_eq!(world.shown(OBSERVATION).len(), 1, "{case}");
        })
        .await;
    }
}

async fn a_list_that_lags_longer_than_both_looks_leaves_one_open_record(on: Provider) {
    let mut doubles = 0;
    for mode in [Mode::DieAfter, Mode::FailAfter] {
        let begin = async || {
            let world = with_detection(on).await;
            world.lag(900);
            world
        };
        let counted = std::cell::Cell::new(0);
        enumerate(mode, begin, async |world, case| {
            one_observation(&world, &case).await;
            let observations = world.shown(OBSERVATION);
            counted.set(counted.get() + observations.len() - 1);
            for double in observations.iter().filter(|o| o.status == "closed") {
                assert!(double.comments.iter().any(|said| said.contains("Made twice")), "{case}: {double:?}");
            }
        })
        .await;
        doubles += counted.get();
    }
    assert!(doubles > 0, "the lag was never longer than the looks: the test shows nothing");
}

async fn with_incident(on: Provider) -> World {
    let world = World::on(on, 1).await.unwrap();
    route(&world, vec![zone(1), confirmed(incident(2, 1, &[]))]).await;
    world
}

async fn one_incident(world: &World, revision: u64, case: &str) {
    let incidents = world.shown(INCIDENT);
    assert_eq!(incidents.len(), 1, "{case}: {incidents:#?}");
    let link = world.link(INCIDENT, id(2)).await.unwrap().expect("a link");
    assert_eq!((link.state, link.remote_id), (RecordState::Synced, Some(incidents[0].id.clone())), "{case}");
    assert!(carries(&incidents[0].title, &link.marker), "{case}");
    for part in ["Rigger", "Ironwork", "Crane 2", "Injury", &format!("2026-{revision:03}")] {
        assert!(incidents[0].text.contains(part), "{case}: {part} in {}", incidents[0].text);
    }
    assert!(!incidents[0].text.contains("W-4711"), "{case}: the worker id went out");
    assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
    violations(world, case);
}

async fn an_incident_is_made_once_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        enumerate(mode, async || with_incident(on).await, async |world, case| one_incident(&world, 1, &case).await)
            .await;
    }
}

async fn an_incident_is_updated_to_the_latest_revision_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || {
            let world = with_incident(on).await;
            world.rest(&Fault::never()).await.unwrap();
            route(&world, vec![confirmed(incident(2, 3, &[]))]).await;
            route(&world, vec![confirmed(incident(2, 2, &[]))]).await;
            world
        };
        enumerate(mode, begin, async |world, case| one_incident(&world, 3, &case).await).await;
    }
}

async fn an_observation_that_joins_an_incident_is_commented_and_closed_once_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || {
            let world = with_detection(on).await;
            world.rest(&Fault::never()).await.unwrap();
            route(&world, vec![confirmed(incident(2, 1, &[1]))]).await;
            world
        };
        enumerate(mode, begin, async |world, case| {
            let observations = world.shown(OBSERVATION);
            assert_eq!(observations.len(), 1, "{case}");
            assert_eq!(observations[0].status, "closed", "{case}");
            let said = &observations[0].comments;
            assert_eq!(said.len(), 1, "{case}: {said:?}");
            let incident = world.link(INCIDENT, id(2)).await.unwrap().expect("a link");
            assert!(said[0].contains(&incident.marker), "{case}: {said:?}");
            one_incident(&world, 1, &case).await;
        })
        .await;
    }
}

async fn a_retracted_incident_is_closed_and_says_so_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || {
            let world = with_incident(on).await;
            world.rest(&Fault::never()).await.unwrap();
            route(&world, vec![retracted(2, 2)]).await;
            world
        };
        enumerate(mode, begin, async |world, case| {
            one_incident(&world, 1, &case).await;
            let incident = &world.shown(INCIDENT)[0];
            assert_eq!(incident.status, "closed", "{case}");
            let text = &incident.text;
            assert!(text.contains("RETRACTED") && text.contains("Entered twice"), "{case}: {text}");
            let said = incident.comments.iter().filter(|comment| comment.starts_with("Retracted")).count();
            // Procore's incidents have no comments.
            assert_eq!(said, usize::from(on == Provider::Acc), "{case}: {:?}", incident.comments);
        })
        .await;
    }
}

async fn a_second_runner_makes_no_second_record(on: Provider) {
    let world = with_detection(on).await;
    // Each lets the other in between any two steps.
    let (first, second) = (Fault::yielding(), Fault::yielding());
    let (one, two) = tokio::join!(world.run_once(&first), world.run_once(&second));
    assert!(one || two);
    world.rest(&Fault::never()).await.unwrap();
    one_observation(&world, "two runners").await;
    assert_eq!(world.shown(OBSERVATION).len(), 1);
}

#[tokio::test]
async fn many_records_handled_at_once_are_each_made_once_within_the_limits() {
    let mut world = World::new(1).await.unwrap();
    world.at_once = 6;
    world.procore.set_limits(sandbox::limits::Limits { per_hour: 3600, per_ten_seconds: 20 });
    let detections: Vec<_> = std::iter::once(zone(1)).chain((1..=60).map(detection)).collect();
    route(&world, detections).await;
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(world.procore.observations(world.project_id).len(), 60);
    let refused = world.procore.calls().iter().filter(|call| call.status == Some(429)).count();
    assert!(refused <= 1, "{refused} calls were refused");
    violations(&world, "many");
}

async fn an_incident_whose_retraction_was_taken_back_stands_again_and_says_nothing_of_it(on: Provider) {
    let world = with_incident(on).await;
    let never = Fault::never();
    for events in [vec![], vec![retracted(2, 2)], vec![confirmed(incident(2, 3, &[]))]] {
        if !events.is_empty() {
            route(&world, events).await;
        }
        world.rest(&never).await.unwrap();
    }
    one_incident(&world, 3, "taken back").await;
    let incident = &world.shown(INCIDENT)[0];
    assert_eq!(incident.status, "open");
    assert!(!incident.text.contains("RETRACTED"), "{incident:?}");
}

async fn refused_credentials_block_the_connection_and_a_probe_lifts_it_when_they_work_again(on: Provider) {
    let world = with_detection(on).await;
    world.change_secret(true);
    let never = Fault::never();
    assert!(world.run_once(&never).await);
    let blocked = connection(&world).await.blocked.expect("blocked");
    assert_eq!(blocked.who, domain::record::Mender::HardhatPulse);
    let due = store::due::get(&world.table, &world.lane).await.unwrap().at().expect("a time for the probe");
    assert_eq!(due.duration_since(blocked.since).as_mins(), 15);
    world.change_secret(false);
    world.rest(&never).await.unwrap();
    assert!(connection(&world).await.blocked.is_none());
    one_observation(&world, "after the probe").await;
}

async fn connection(world: &World) -> store::directory::Connection {
    let directory = store::directory::Directory(&world.table);
    let found = directory.connection(&world.lane.organization_id, &world.lane.connection_id).await.unwrap();
    found.expect("the connection")
}

/// Two sandboxes number alike: what each company's records are called is the same.
async fn two_organizations_whose_records_have_equal_remote_ids_do_not_touch_each_other(on: Provider) {
    let (one, two) = World::beside(on, 1, 2).await.unwrap();
    for (world, name) in [(&one, "one"), (&two, "two")] {
        route(world, vec![zone(1), detection(1), confirmed(incident(2, 1, &[]))]).await;
        world.rest(&Fault::never()).await.unwrap();
        one_incident(world, 1, name).await;
    }
    let ids = async |world: &World| {
        let incident = world.link(INCIDENT, id(2)).await.unwrap().expect("a link");
        let observation = world.link(OBSERVATION, id(1)).await.unwrap().expect("a link");
        (incident.remote_id, observation.remote_id)
    };
    assert_eq!(ids(&one).await, ids(&two).await, "the ids are not equal: the test shows nothing");
    route(&one, vec![confirmed(incident(2, 2, &[1]))]).await;
    one.rest(&Fault::never()).await.unwrap();
    one_incident(&one, 2, "one").await;
    one_incident(&two, 1, "two").await;
    assert_eq!(one.shown(OBSERVATION)[0].status, "closed");
    assert_eq!(two.shown(OBSERVATION)[0].status, two.target.statuses(OBSERVATION).open);
}
