//! Updates whose answer is lost, with newer news before it is known what became of them.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::history::{route, violations};
use crash::on_each_platform;
use crash::world::World;
use domain::event::{Event, EventBody};
use domain::ids::Provider;
use domain::record::{RecordKind, RecordState};

on_each_platform!(
    a_privacy_case_after_an_update_with_a_lost_answer_takes_role_and_trade_back,
    a_revision_that_goes_back_overtakes_an_update_with_a_lost_answer,
    an_observation_keeps_up_with_its_zone_though_an_answer_is_lost,
    a_persons_edit_in_the_meantime_stands,
);

/// A world at rest with one incident and, beside it, one observation.
async fn synced(on: Provider) -> World {
    let world = World::on(on, 1).await.unwrap();
    route(&world, vec![zone(1), detection(1), confirmed(incident(2, 1, &[]))]).await;
    world.rest(&Fault::never()).await.unwrap();
    world
}

/// Runs once into the fault at step 0, 1, 2, …; what `later` does comes before anything is mended.
async fn overtaken(
    on: Provider,
    mode: Mode,
    first: impl AsyncFn(&World),
    later: impl AsyncFn(&World),
    check: impl AsyncFn(&World, &str),
) {
    for at in 0.. {
        let world = synced(on).await;
        first(&world).await;
        world.bell.take();
        let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
        world.run_once(&fault).await;
        later(&world).await;
        world.rest(&Fault::never()).await.unwrap_or_else(|e| panic!("{case}: {e}"));
        check(&world, &case).await;
        assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
        violations(&world, &case);
        if !fault.struck() {
            assert!(at > 5, "only {at} steps: the work was not done");
            return;
        }
    }
}

async fn without_conflict(world: &World, kind: RecordKind, fact: u128, case: &str) {
    let link = world.link(kind, id(fact)).await.unwrap().expect("a link");
    assert_eq!((link.state, &link.conflicts), (RecordState::Synced, &vec![]), "{case}");
    assert!(link.written.values().all(|written| written.sending.is_empty()), "{case}: in doubt for ever: {link:?}");
}

async fn a_privacy_case_after_an_update_with_a_lost_answer_takes_role_and_trade_back(on: Provider) {
    for mode in Mode::ALL {
        let first = async |world: &World| route(world, vec![confirmed(incident(2, 2, &[]))]).await;
        let later = async |world: &World| {
            let mut private = incident(2, 3, &[]);
            private.privacy_case = true;
            route(world, vec![confirmed(private)]).await;
        };
        overtaken(on, mode, first, later, async |world, case| {
            let description = world.shown(RecordKind::Incident)[0].text.clone();
            assert!(!description.contains("Rigger") && !description.contains("Ironwork"), "{case}: {description}");
            assert!(description.contains("2026-003"), "{case}: {description}");
            without_conflict(world, RecordKind::Incident, 2, case).await;
        })
        .await;
    }
}

async fn a_revision_that_goes_back_overtakes_an_update_with_a_lost_answer(on: Provider) {
    for mode in Mode::ALL {
        let first = async |world: &World| route(world, vec![confirmed(incident(2, 2, &[]))]).await;
        let later = async |world: &World| {
            let mut back = incident(2, 3, &[]);
            back.osha_log.case_number = "2026-001".into();
            route(world, vec![confirmed(back)]).await;
        };
        overtaken(on, mode, first, later, async |world, case| {
            let description = world.shown(RecordKind::Incident)[0].text.clone();
            assert!(description.contains("2026-001"), "{case}: {description}");
            without_conflict(world, RecordKind::Incident, 2, case).await;
        })
        .await;
    }
}

fn renamed(revision: u64, name: &str) -> Event {
    let mut event = zone(revision);
    if let EventBody::Zone(zone) = &mut event.body {
        zone.name = name.into();
    }
    event
}

async fn an_observation_keeps_up_with_its_zone_though_an_answer_is_lost(on: Provider) {
    for mode in Mode::ALL {
        let rename = async |world: &World, revision, name| {
            route(world, vec![renamed(revision, name)]).await;
            world.ask(RecordKind::Observation, id(1)).await.unwrap();
        };
        let first = async |world: &World| rename(world, 2, "Crane 2 east").await;
        let later = async |world: &World| rename(world, 3, "Crane 2 west").await;
        overtaken(on, mode, first, later, async |world, case| {
            let observations = world.shown(RecordKind::Observation);
            assert_eq!(observations.len(), 1, "{case}");
            assert!(observations[0].title.contains("Crane 2 west"), "{case}: {}", observations[0].title);
            without_conflict(world, RecordKind::Observation, 1, case).await;
        })
        .await;
    }
}

async fn a_persons_edit_in_the_meantime_stands(on: Provider) {
    for mode in [Mode::DieAfter, Mode::FailAfter] {
        let first = async |world: &World| route(world, vec![confirmed(incident(2, 2, &[]))]).await;
        let later = async |world: &World| {
            let record = world.shown(RecordKind::Incident)[0].id.clone();
            world.edit(RecordKind::Incident, &record, serde_json::json!({"description": "Seen by the crew"})).unwrap();
            route(world, vec![confirmed(incident(2, 3, &[]))]).await;
        };
        overtaken(on, mode, first, later, async |world, case| {
            let description = world.shown(RecordKind::Incident)[0].text.clone();
            let link = world.link(RecordKind::Incident, id(2)).await.unwrap().expect("a link");
            // Where the fault let the update through late, a person saw our words before editing: theirs stand all the same.
            assert_eq!(description, "Seen by the crew", "{case}");
            assert_eq!(link.conflicts.len(), 1, "{case}: {link:?}");
        })
        .await;
    }
}
