//! The router, killed or lied to at every step of I/O: each fact stands once in the log, and no record is forgotten.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::world::World;
use domain::message::SiteMessage;
use std::collections::BTreeMap;
use store::facts::SiteFacts;

async fn log(world: &World) -> Vec<domain::arrival::ArrivalEntry> {
    facts(world).arrivals(0, 100).await.unwrap()
}

fn facts(world: &World) -> SiteFacts<'_> {
    SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id }
}

/// Each line of the log stands once, unless the fact names the later entry.
async fn each_fact_once(world: &World, expected: usize, case: &str) {
    let mut places: BTreeMap<(domain::fact::FactKind, String), Vec<u64>> = BTreeMap::new();
    for entry in log(world).await {
        for line in entry.lines {
            places.entry((line.fact, line.id)).or_default().push(entry.number);
        }
    }
    assert_eq!(places.len(), expected, "{case}: {places:?}");
    for ((kind, id), numbers) in places {
        let fact = facts(world).get(kind, &id).await.unwrap().expect("a fact");
        let current = numbers.iter().filter(|n| **n == fact.arrival).count();
        assert_eq!(current, 1, "{case}: {kind:?} {id} names {} and stands at {numbers:?}", fact.arrival);
    }
    let numbers: Vec<u64> = log(world).await.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{case}: gaps in the log");
}

fn messages(world: &World) -> Vec<SiteMessage> {
    vec![
        world.message(vec![zone(1), detection(1), detection(2)]),
        world.message(vec![detection(2), detection(3), confirmed(incident(9, 1, &[1]))]),
        world.message(vec![confirmed(incident(9, 3, &[1, 2])), confirmed(incident(9, 2, &[1]))]),
    ]
}

#[tokio::test]
async fn every_fact_stands_once_in_the_log_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let world = World::new(1).await.unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            for message in messages(&world) {
                world.route(&message, &fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            }
            each_fact_once(&world, 5, &case).await;
            let todos = world.todos().await.unwrap();
            assert_eq!(todos.len(), 4, "{case}: three observations and an incident are asked for: {todos:?}");
            let due = store::due::get(&world.table, &world.lane).await.unwrap();
            assert!(due.at().is_some(), "{case}: nobody would ring again");
            if !fault.struck() {
                assert!(at > 20, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_died_half_done_and_comes_back_after_others_is_counted_once() {
    for mode in [Mode::DieBefore, Mode::DieAfter] {
        for at in 0.. {
            let world = World::new(1).await.unwrap();
            let fault = Fault::new(at, mode);
            let all = messages(&world);
            // The first message dies and goes to the dead-letter queue; an operator sends it again after the others.
            let died = !world.route_once(&all[0], &fault).await;
            for message in all[1..].iter().chain(&all[..1]) {
                world.route(message, &Fault::never()).await.unwrap();
            }
            each_fact_once(&world, 5, &format!("{mode:?} at step {at}")).await;
            if !died {
                break;
            }
        }
    }
}

#[tokio::test]
async fn of_two_contents_the_one_that_is_committed_first_stands_whatever_died_before() {
    for mode in [Mode::DieBefore, Mode::DieAfter] {
        for at in 0.. {
            let (world, case) = (World::new(1).await.unwrap(), format!("{mode:?} at step {at}"));
            world.route(&world.message(vec![detection(1)]), &Fault::never()).await.unwrap();
            let first = world.message(vec![detection(9)]);
            let died = !world.route_once(&first, &Fault::new(at, mode)).await;
            let mut other = detection(9);
            if let domain::event::EventBody::Detection(d) = &mut other.body {
                d.camera_id = "cam-2".into();
            }
            world.route(&world.message(vec![other]), &Fault::never()).await.unwrap();
            world.route(&first, &Fault::never()).await.unwrap();
            each_fact_once(&world, 2, &case).await;
            let (dump, log) = (world.table.dump(), log(&world).await);
            let aside = dump.iter().filter(|item| item["pk"].as_str().is_some_and(|pk| pk.ends_with("#ASIDE")));
            assert_eq!(aside.count(), 1, "{case}");
            assert_eq!(log.len(), 2, "{case}");
            assert_eq!(world.todos().await.unwrap().len(), 2, "{case}");
            if !died {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_duplicate_makes_nothing_new_and_a_contradiction_is_kept_aside() {
    let world = World::new(1).await.unwrap();
    let never = Fault::never();
    world.route(&world.message(vec![zone(1), detection(1)]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    let mut other = detection(1);
    if let domain::event::EventBody::Detection(d) = &mut other.body {
        d.priority = 1;
    }
    world.route(&world.message(vec![detection(1)]), &never).await.unwrap();
    world.route(&world.message(vec![other]), &never).await.unwrap();
    assert_eq!(log(&world).await.len(), 1);
    assert!(world.todos().await.unwrap().is_empty());
    assert!(world.bell.take().is_empty());
    let items = world.table.dump();
    let aside: Vec<_> =
        items.iter().filter(|item| item["pk"].as_str().is_some_and(|pk| pk.ends_with("#ASIDE"))).collect();
    let detection = items.iter().find(|item| item["sk"].as_str().is_some_and(|sk| sk.starts_with("DET#"))).unwrap();
    assert_eq!(aside.len(), 1);
    let days = |item: &store::table::Item| item["expires_at"].as_i64().unwrap() / 86_400;
    assert_eq!(days(aside[0]), days(detection), "it goes when detections go");
}

#[tokio::test]
async fn every_incident_that_names_a_detection_is_known_to() {
    let world = World::new(1).await.unwrap();
    let incidents = (100..220).map(|n| confirmed(incident(n, 1, &[1])));
    let events = std::iter::once(detection(1)).chain(incidents).collect();
    world.route(&world.message(events), &Fault::never()).await.unwrap();
    assert_eq!(facts(&world).incidents_of(&id(1)).await.unwrap().len(), 120);
}
