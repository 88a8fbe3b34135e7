//! Invariant 3: a worker's name is never accepted, kept, logged, echoed or sent on.
use crate::harness::World;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};

const NAME: &str = "Maria Lopez";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

#[tokio::test]
async fn a_name_in_any_worker_field_leaves_no_trace() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let world = World::new().await;
    let event = || world.detection(1);
    let mut assigned = event();
    assigned["type"] = json!("com.hardhatpulse.worker.assigned.v1");
    assigned["data"] = json!({"worker_id": "W-1", "revision": 1, "role": "Rigger", "trade": "Ironwork", "active": true,
                              "from": "2026-11-24T06:00:00Z", "contact": {"who": NAME}});
    let refused = [
        with(event(), "/data/worker/name", json!(NAME)),
        with(event(), "/data/worker/full_name", json!({"deep": [NAME]})),
        with(event(), &format!("/data/worker/{NAME}"), json!(true)),
        with(event(), "/data/worker/worker_id", json!(NAME)),
        with(event(), "/data/worker/role", json!([NAME])),
        with(event(), "/data/worker", json!(NAME)),
        with(event(), "/data/zone_id", json!(NAME)),
        with(event(), "/id", json!(NAME)),
        with(event(), "/type", json!(NAME)),
        with(event(), "/data", json!({NAME: NAME})),
        json!({NAME: NAME}),
        json!([NAME]),
        json!(NAME),
        assigned,
    ];
    // Unknown members elsewhere are dropped; the event goes on.
    let dropped = [
        with(event(), "/data/worker_name", json!(NAME)),
        with(event(), "/data/frame/who", json!(NAME)),
        with(event(), "/extension", json!(NAME)),
    ];
    let events: Vec<Value> = refused.iter().chain(&dropped).cloned().collect();
    let answer = world.send_batch(&events).await;
    assert_eq!(answer.body["accepted"], dropped.len());
    assert_eq!(answer.body["rejected"].as_array().unwrap().len(), refused.len());
    assert_eq!(answer.body["rejected"][0]["errors"][0]["pointer"], "/data/worker/name");
    assert_eq!(answer.body["rejected"][2]["errors"][0]["pointer"], "/data/worker");

    let queue: String = world.ingest.queue.messages().into_iter().map(|entry| entry.body).collect();
    let bucket: Vec<u8> = world
        .ingest
        .aside
        .objects()
        .into_iter()
        .flat_map(|(key, object)| [key.into_bytes(), object])
        .flatten()
        .collect();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("events taken") && !bucket.is_empty() && !queue.is_empty());
    for (place, text) in [
        ("answer", answer.body.to_string()),
        ("queue", queue),
        ("bucket", String::from_utf8(bucket).unwrap()),
        ("log", log),
    ] {
        for part in NAME.split(' ') {
            assert!(!text.contains(part), "{part} stands in the {place}");
        }
    }
}

#[tokio::test]
async fn of_duplicate_members_the_last_counts_and_the_first_is_gone() {
    let world = World::new().await;
    let event = world.detection(1).to_string();
    let smuggled = event.replacen(r#""worker":"#, &format!(r#""worker":{{"name":"{NAME}"}},"worker":"#), 1);
    assert_ne!(event, smuggled);
    let answer = world.send(&world.request(crate::harness::SINGLE, smuggled)).await;
    assert_eq!(answer.body["accepted"], 1);
    assert!(!world.ingest.queue.messages()[0].body.contains(NAME));
}
