//! What came back from a platform, and the router killed or lied to at every step of taking it in: it is merged once, shown at a
//! new place of the feed, and causes no work for any lane.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, retracted, zone};
use crash::fault::{Fault, Mode};
use crash::world::World;
use domain::fact::{Fact, FactBody, FactKind};
use domain::message::QueueMessage;
use domain::treatment::Injury;
use store::facts::SiteFacts;

fn facts(world: &World) -> SiteFacts<'_> {
    SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id }
}

fn away(days: u32) -> Vec<Injury> {
    vec![Injury { remote_id: "8600000001".into(), days_away: Some(days), ..Injury::default() }]
}

fn messages(world: &World) -> Vec<QueueMessage> {
    vec![
        QueueMessage::Events(world.message(vec![zone(1), detection(1), confirmed(incident(9, 1, &[1]))])),
        QueueMessage::Update(world.news(9, 1, away(3))),
        QueueMessage::Events(world.message(vec![confirmed(incident(9, 2, &[1])), detection(2)])),
        QueueMessage::Update(world.news(9, 2, away(5))),
    ]
}

async fn standing(world: &World) -> Fact {
    facts(world).get(FactKind::Incident, &id(9)).await.unwrap().unwrap()
}

/// The fact stands once in the log, at the entry that it names, and the log has no gap.
async fn stands_once(world: &World, fact: &Fact, case: &str) {
    let entries = facts(world).arrivals(0, 100).await.unwrap();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{case}: gaps in the log");
    let named = entries.iter().filter(|entry| entry.number == fact.arrival);
    let lines = named.flat_map(|entry| &entry.lines).filter(|line| line.id == id(9)).count();
    assert_eq!(lines, 1, "{case}: the incident names {} of {entries:?}", fact.arrival);
}

fn revision(fact: &Fact) -> u64 {
    match &fact.body {
        FactBody::Incident(incident) => incident.revision,
        _ => 0,
    }
}

#[tokio::test]
async fn what_came_back_is_merged_once_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let world = World::new(1).await.unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            for message in messages(&world) {
                world.hand_over(&message, &fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            }
            let fact = standing(&world).await;
            assert_eq!(
                (revision(&fact), fact.treatment.days_away(), fact.treatment.revision),
                (2, Some(5), 2),
                "{case}"
            );
            stands_once(&world, &fact, &case).await;
            assert_eq!(world.todos().await.unwrap().len(), 3, "{case}: an incident and two observations");
            if !fault.struck() {
                assert!(at > 25, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_died_half_done_and_comes_back_after_the_others_neither_wins_nor_is_lost() {
    for which in 0..4 {
        for at in 0.. {
            let world = World::new(1).await.unwrap();
            let (fault, case) = (Fault::new(at, Mode::DieAfter), format!("message {which} at step {at}"));
            let all = messages(&world);
            let mut died = true;
            for (n, message) in all.iter().enumerate() {
                match n == which {
                    true => died = !world.hand_over_once(message, &fault).await,
                    false => world.hand_over(message, &Fault::never()).await.unwrap(),
                }
            }
            // The first message makes the incident: news of what is not there says nothing, so it is sent again as the lane would.
            world.hand_over(&all[which], &Fault::never()).await.unwrap();
            if which == 0 {
                world.hand_over(&all[3], &Fault::never()).await.unwrap();
            }
            let fact = standing(&world).await;
            assert_eq!((revision(&fact), fact.treatment.days_away()), (2, Some(5)), "{case}");
            stands_once(&world, &fact, &case).await;
            assert_eq!(world.todos().await.unwrap().len(), 3, "{case}: an incident and two observations");
            if !died {
                break;
            }
        }
    }
}

#[tokio::test]
async fn news_cause_no_work_for_a_lane_and_show_at_a_new_place() {
    let (world, never) = (World::new(1).await.unwrap(), Fault::never());
    world.route(&world.message(vec![confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    let before = standing(&world).await;
    world.hand_over(&QueueMessage::Update(world.news(9, 1, away(3))), &never).await.unwrap();
    let after = standing(&world).await;
    assert_eq!((before.arrival, after.arrival), (1, 2));
    assert_eq!(
        (&before.origin, before.digest.as_str()),
        (&after.origin, after.digest.as_str()),
        "still traced to its edge"
    );
    assert!(world.todos().await.unwrap().is_empty() && world.bell.take().is_empty());
    // The same again, and something older, change nothing.
    for order in [1, 3, 2] {
        world.hand_over(&QueueMessage::Update(world.news(9, order, away(3))), &never).await.unwrap();
    }
    world.hand_over(&QueueMessage::Update(world.news(9, 2, away(99))), &never).await.unwrap();
    let last = standing(&world).await;
    assert_eq!((last.arrival, last.treatment.days_away(), last.treatment.revision), (2, Some(3), 1));
}

#[tokio::test]
async fn the_bus_hears_of_a_confirmation_once_and_of_each_change_by_its_name() {
    let (world, never) = (World::new(1).await.unwrap(), Fault::never());
    world.route(&world.message(vec![confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
    world.route(&world.message(vec![confirmed(incident(9, 2, &[]))]), &never).await.unwrap();
    world.hand_over(&QueueMessage::Update(world.news(9, 1, away(3))), &never).await.unwrap();
    world.route(&world.message(vec![confirmed(incident(9, 3, &[]))]), &never).await.unwrap();
    world.route(&world.message(vec![retracted(9, 4)]), &never).await.unwrap();
    let published = world.bus.published();
    let names: Vec<&str> = published.iter().map(|(name, _)| *name).collect();
    let expected = [
        "Incident Confirmed",
        "Incident Updated",
        "Incident Updated From Platform",
        "Incident Updated",
        "Incident Retracted",
    ];
    assert_eq!(names, expected);
    assert_eq!(published[2].1["outcome"], "days_away");
    assert_eq!(published[2].1["source"], "procore");
}
