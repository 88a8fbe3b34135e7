//! Few messages, each small, and the same ones whenever the same body comes again.
use crate::harness::World;
use domain::message::SiteMessage;
use edge_ingest::pack::{EVENTS_MAX, MESSAGE_MAX};
use serde_json::json;

#[tokio::test]
async fn a_thousand_events_need_two_requests() {
    let world = World::new().await;
    let events: Vec<_> = (0..1000).map(|n| world.detection(n)).collect();
    assert_eq!(world.send_batch(&events).await.body["accepted"], 1000);
    assert!(world.ingest.queue.requests() <= 2, "{}", world.ingest.queue.requests());
    let queued = world.queued();
    assert!(queued.iter().all(|message| message.events.len() <= EVENTS_MAX));
    assert_eq!(
        queued.iter().map(|message| message.part).collect::<Vec<_>>(),
        (0..queued.len() as u32).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn large_events_are_split_by_size() {
    let world = World::new().await;
    let event = |n: u128| {
        let mut event = world.detection(n);
        event["type"] = json!("com.hardhatpulse.incident.retracted.v1");
        let id = event["data"]["detection_id"].clone();
        event["data"] = json!({"incident_id": id, "revision": 1, "reason": "\"".repeat(2000)});
        event
    };
    let events: Vec<_> = (0..200).map(event).collect();
    assert_eq!(world.send_batch(&events).await.body["accepted"], 200);
    let messages = world.ingest.queue.messages();
    assert!(messages.len() > 200 * 4000 / MESSAGE_MAX);
    assert!(messages.iter().all(|message| message.body.len() <= MESSAGE_MAX));
    assert_eq!(world.queued().iter().map(|message| message.events.len()).sum::<usize>(), 200);
}

#[tokio::test]
async fn an_attempt_at_another_time_makes_the_same_parts() {
    let mut world = World::new().await;
    let events: Vec<_> = (0..700).map(|n| world.detection(n)).collect();
    let parts = |messages: Vec<SiteMessage>| messages.into_iter().map(|m| (m.id(), m.events)).collect::<Vec<_>>();
    world.send_batch(&events).await;
    let first = parts(world.queued());
    world.later(3600);
    world.now += jiff::SignedDuration::from_nanos(123_456_789);
    world.send_batch(&events).await;
    assert_eq!(parts(world.queued()), first, "the queue takes nothing new, and would have taken the same");
}
