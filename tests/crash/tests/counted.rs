//! The router killed or lied to at every step, also of taking in what people added to a detection: reports count each detection
//! once, in time or late.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::world::World;
use domain::fact::FactKind;
use domain::message::{QueueMessage, UpdateMessage};
use domain::treatment::Injury;
use jiff::SignedDuration;
use store::directory::Directory;
use store::reports::Reports;
use sync::clock::Clock;

/// News about the first detection, as from a platform whose comments are read back.
fn news(world: &World, order: u64) -> QueueMessage {
    let injuries = vec![Injury { remote_id: "1".into(), days_away: u32::try_from(order).ok(), ..Injury::default() }];
    QueueMessage::Update(UpdateMessage { fact: FactKind::Detection, fact_id: id(1), ..world.news(1, order, injuries) })
}

/// Alerts and incidents of the day.
async fn counted(world: &World) -> (u64, u64) {
    let site = Directory(&world.table).site(&world.lane.organization_id, &world.site_id).await.unwrap().unwrap();
    let reports = Reports::of(&world.table, &site).await.unwrap();
    let date = "2026-11-24".parse().unwrap();
    let report = reports.day(date, world.clock.now()).await.unwrap().unwrap().day.report;
    (report.alerts, report.confirmed_incidents)
}

#[tokio::test]
async fn each_detection_counts_once_whatever_step_fails() {
    for late in [SignedDuration::ZERO, SignedDuration::from_hours(100)] {
        for mode in Mode::ALL {
            for step in 0.. {
                let world = World::new(1).await.unwrap();
                world.clock.advance(late);
                let (fault, case) = (Fault::new(step, mode), format!("{late:?} late, {mode:?} at step {step}"));
                let messages = [
                    QueueMessage::Events(world.message(vec![zone(1), detection(1), detection(2)])),
                    news(&world, 1),
                    QueueMessage::Events(world.message(vec![
                        confirmed(incident(9, 1, &[])),
                        detection(2),
                        detection(3),
                    ])),
                    news(&world, 2),
                ];
                for message in messages {
                    world.hand_over(&message, &fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
                    counted(&world).await;
                }
                assert_eq!(counted(&world).await, (3, 1), "{case}");
                if !fault.struck() {
                    assert!(step > 15, "only {step} steps");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn nor_does_one_count_twice_or_never_that_came_back_from_the_dead_letters_after_its_own_news() {
    for first in 0.. {
        let mut died_at_all = false;
        for second in 0.. {
            let (world, never) = (World::new(1).await.unwrap(), Fault::never());
            let case = format!("the detection died at step {first}, its news at step {second}");
            let came = QueueMessage::Events(world.message(vec![detection(1), detection(2)]));
            died_at_all = !world.hand_over_once(&came, &Fault::new(first, Mode::DieAfter)).await;
            let died = !world.hand_over_once(&news(&world, 1), &Fault::new(second, Mode::DieAfter)).await;
            world.hand_over(&QueueMessage::Events(world.message(vec![detection(3)])), &never).await.unwrap();
            for message in [news(&world, 1), news(&world, 2), came] {
                world.hand_over(&message, &never).await.unwrap();
            }
            assert_eq!(counted(&world).await.0, 3, "{case}");
            if !died {
                break;
            }
        }
        if !died_at_all {
            assert!(first > 4, "only {first} steps");
            break;
        }
    }
}
