//! Side writes, killed or lied to at every step: each comment stands once, and no person's status is overwritten.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, retracted, zone};
use crash::fault::{Fault, Mode};
use crash::history::{enumerate, route, violations};
use crash::on_each_platform;
use crash::world::World;
use domain::ids::Provider;
use domain::record::{RecordKind, RecordState};
use jiff::SignedDuration;
use serde_json::json;

on_each_platform!(
    an_observation_is_opened_again_once_when_its_incident_is_retracted,
    a_closing_with_a_lost_answer_is_settled_before_the_retraction_opens_again,
    a_retraction_taken_back_opens_the_incident_once_whatever_step_fails,
    a_status_that_a_person_gave_is_only_commented_on_whatever_step_fails,
    an_observation_that_a_person_opens_again_is_not_closed_twice,
    a_double_of_an_incident_is_closed_once_whatever_step_fails,
    an_incident_is_made_once_with_a_list_that_lags_less_than_the_quiet_time,
    late_doubles_of_a_record_that_a_person_deleted_are_closed_all_the_same,
);

async fn at_rest(on: Provider, histories: Vec<Vec<domain::event::Event>>) -> World {
    let world = World::on(on, 1).await.unwrap();
    for events in histories {
        route(&world, events).await;
        world.rest(&Fault::never()).await.unwrap();
    }
    world
}

fn observation(world: &World) -> (String, Vec<String>) {
    let observations = world.shown(RecordKind::Observation);
    assert_eq!(observations.len(), 1, "{observations:#?}");
    (observations[0].status.clone(), observations[0].comments.clone())
}

fn open(world: &World) -> &'static str {
    world.target.statuses(RecordKind::Observation).open
}

fn comments(logs: &[String], words: &str) -> usize {
    logs.iter().filter(|log| log.contains(words)).count()
}

const JOINED: &str = "Part of the recordable incident";
const RETURNED: &str = "No longer part of a recordable incident";

async fn an_observation_is_opened_again_once_when_its_incident_is_retracted(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || {
            let world = at_rest(on, vec![vec![zone(1), detection(1)], vec![confirmed(incident(2, 1, &[1]))]]).await;
            route(&world, vec![retracted(2, 2)]).await;
            world
        };
        enumerate(mode, begin, async |world, case| {
            let (status, logs) = observation(&world);
            assert_eq!(status, open(&world), "{case}");
            assert_eq!((comments(&logs, JOINED), comments(&logs, RETURNED)), (1, 1), "{case}: {logs:?}");
            violations(&world, &case);
        })
        .await;
    }
}

async fn a_closing_with_a_lost_answer_is_settled_before_the_retraction_opens_again(on: Provider) {
    for mode in Mode::ALL {
        let world = at_rest(on, vec![vec![zone(1), detection(1)]]).await;
        route(&world, vec![confirmed(incident(2, 1, &[1]))]).await;
        world.bell.take();
        world.run_once(&Fault::at_call("side_write", mode)).await;
        route(&world, vec![retracted(2, 2)]).await;
        world.rest(&Fault::never()).await.unwrap();
        let (status, logs) = observation(&world);
        assert_eq!(status, open(&world), "{mode:?}: {logs:?}");
        assert_eq!((comments(&logs, JOINED), comments(&logs, RETURNED)), (1, 1), "{mode:?}: {logs:?}");
        violations(&world, &format!("{mode:?}"));
    }
}

async fn a_retraction_taken_back_opens_the_incident_once_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || {
            let world = at_rest(on, vec![vec![zone(1), confirmed(incident(2, 1, &[]))], vec![retracted(2, 2)]]).await;
            route(&world, vec![confirmed(incident(2, 3, &[]))]).await;
            world
        };
        enumerate(mode, begin, async |world, case| {
            let incidents = world.shown(RecordKind::Incident);
            assert_eq!((incidents.len(), incidents[0].status.as_str()), (1, "open"), "{case}");
            violations(&world, &case);
        })
        .await;
    }
}

fn move_to(world: &World, status: &str) {
    let record = world.shown(RecordKind::Observation)[0].id.clone();
    world.edit(RecordKind::Observation, &record, json!({"status": status})).unwrap();
}

async fn a_status_that_a_person_gave_is_only_commented_on_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || {
            let world = at_rest(on, vec![vec![zone(1), detection(1)]]).await;
            move_to(&world, world.between());
            route(&world, vec![confirmed(incident(2, 1, &[1]))]).await;
            world
        };
        enumerate(mode, begin, async |world, case| {
            let (status, logs) = observation(&world);
            assert_eq!((status.as_str(), comments(&logs, JOINED)), (world.between(), 1), "{case}: {logs:?}");
            violations(&world, &case);
        })
        .await;
    }
}

async fn an_observation_that_a_person_opens_again_is_not_closed_twice(on: Provider) {
    for mode in [Mode::DieAfter, Mode::FailAfter] {
        let world = at_rest(on, vec![vec![zone(1), detection(1)]]).await;
        route(&world, vec![confirmed(incident(2, 1, &[1]))]).await;
        world.bell.take();
        // At the platform no two changes are at one time.
        world.clock.advance(SignedDuration::from_secs(5));
        world.run_once(&Fault::at_call("side_write", mode)).await;
        assert_eq!(observation(&world).0, "closed", "{mode:?}: the closing took effect");
        world.clock.advance(SignedDuration::from_secs(5));
        move_to(&world, open(&world));
        world.rest(&Fault::never()).await.unwrap();
        let (status, logs) = observation(&world);
        assert_eq!((status.as_str(), comments(&logs, JOINED)), (open(&world), 1), "{mode:?}: {logs:?}");
    }
}

/// A world in which the first create was lost, two looks found nothing, and the record was made again.
async fn made_twice(on: Provider, kind: RecordKind) -> World {
    let world = World::on(on, 1).await.unwrap();
    let event = if kind == RecordKind::Incident { confirmed(incident(1, 1, &[])) } else { detection(1) };
    route(&world, vec![zone(1), event]).await;
    world.lag(900);
    world.run_once(&Fault::at_call("create", Mode::FailAfter)).await;
    let soon = world.clock_now() + SignedDuration::from_mins(20);
    world.rest_until(&Fault::never(), Some(soon)).await.unwrap();
    world
}

async fn a_double_of_an_incident_is_closed_once_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        let begin = async || made_twice(on, RecordKind::Incident).await;
        enumerate(mode, begin, async |world, case| {
            let incidents = world.shown(RecordKind::Incident);
            let open = incidents.iter().filter(|i| i.status == "open").count();
            assert_eq!((incidents.len(), open), (2, 1), "{case}");
            let notes = |i: &crash::platform::Shown| {
                let said: Vec<&str> = i.comments.iter().map(String::as_str).chain([i.text.as_str()]).collect();
                said.join("\n").matches("Made twice").count()
            };
            assert_eq!(incidents.iter().map(notes).sum::<usize>(), 1, "{case}: {incidents:#?}");
            violations(&world, &case);
        })
        .await;
    }
}

async fn an_incident_is_made_once_with_a_list_that_lags_less_than_the_quiet_time(on: Provider) {
    for mode in [Mode::DieAfter, Mode::FailAfter] {
        let begin = async || {
            let world = World::on(on, 1).await.unwrap();
            route(&world, vec![zone(1), confirmed(incident(1, 1, &[]))]).await;
            world.lag(100);
            world
        };
        enumerate(mode, begin, async |world, case| {
            assert_eq!(world.shown(RecordKind::Incident).len(), 1, "{case}");
            violations(&world, &case);
        })
        .await;
    }
}

async fn late_doubles_of_a_record_that_a_person_deleted_are_closed_all_the_same(on: Provider) {
    let world = made_twice(on, RecordKind::Observation).await;
    let link = world.link(RecordKind::Observation, id(1)).await.unwrap().expect("a link");
    world.delete(RecordKind::Observation, &link.remote_id.unwrap()).unwrap();
    world.again(RecordKind::Observation, id(1)).await.unwrap();
    // It is seen to be gone, before its sweep is due.
    let soon = world.clock_now() + SignedDuration::from_mins(1);
    world.rest_until(&Fault::never(), Some(soon)).await.unwrap();
    world.ask_back(RecordKind::Observation, id(1)).await.unwrap();
    world.rest_until(&Fault::never(), Some(soon)).await.unwrap();
    let link = world.link(RecordKind::Observation, id(1)).await.unwrap().expect("a link");
    assert_eq!(link.state, RecordState::Blocked);
    world.rest(&Fault::never()).await.unwrap();
    let left = world.shown(RecordKind::Observation);
    assert_eq!(left.iter().map(|o| o.status.as_str()).collect::<Vec<_>>(), ["closed"]);
}
