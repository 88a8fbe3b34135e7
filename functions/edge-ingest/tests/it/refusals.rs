//! Every refusal of contracts 6.2.
use crate::harness::{BATCH, SINGLE, World, hash, with_header};
use domain::ids::EdgeId;
use domain::signature::{SigningKey, sign};
use edge_ingest::Ingest;
use edge_ingest::aside::MemoryAside;
use edge_ingest::auth::{Edges, KnownEdge, LookupError, TableEdges};
use edge_ingest::queue::MemoryQueue;
use jiff::Timestamp;
use lambda_http::http::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Table, TableError};

#[tokio::test]
async fn a_good_batch_and_a_good_single_event_are_taken() {
    let world = World::new().await;
    let body = serde_json::to_vec(&[world.detection(1), world.detection(2)]).unwrap();
    let answer = world.send(&world.request(BATCH, body.clone())).await;
    assert_eq!((answer.status, answer.body), (202, json!({"accepted": 2, "rejected": []})));
    let single = world.request("Application/CloudEvents+JSON; charset=utf-8", world.detection(3).to_string());
    assert_eq!(world.send(&single).await.body, json!({"accepted": 1, "rejected": []}));
    let queued = world.queued();
    assert_eq!(queued.len(), 2);
    assert_eq!((queued[0].events.len(), queued[1].events.len()), (2, 1));
    assert_eq!(queued[0].organization_id, world.edge.organization_id);
    assert_eq!(queued[0].origin.webhook_id, "msg_1");
    assert_eq!(queued[0].origin.webhook_timestamp, world.now.as_second());
    assert_eq!(queued[0].origin.signature, sign(&world.key, "msg_1", world.now.as_second(), &body));
    assert_eq!(queued[0].origin.body_sha256, hash(&body));
    assert_eq!(world.ingest.queue.messages()[0].group, world.edge.site_id.to_string());
    assert_eq!(world.ingest.queue.messages()[0].deduplication_id, queued[0].id());
    assert!(world.ingest.aside.objects().is_empty());
    assert_eq!(world.send(&world.request(BATCH, "[]")).await.body, json!({"accepted": 0, "rejected": []}));
}

#[tokio::test]
async fn unknown_edge_bad_signature_and_stale_time_get_one_and_the_same_401() {
    let mut world = World::new().await;
    let good = || world.request(BATCH, world.detection(1).to_string());
    let mut unsigned = good();
    unsigned.headers_mut().remove("webhook-signature");
    let mut nobody = good();
    nobody.headers_mut().remove("hhp-edge-id");
    let other = SigningKey::of_bytes(&[2; 32]).unwrap();
    let forged = sign(&other, "msg_1", world.now.as_second(), b"x");
    let stale = good();
    let requests = vec![
        with_header(good(), "hhp-edge-id", "edge_00000000000000000000000009"),
        with_header(good(), "hhp-edge-id", "no edge"),
        nobody,
        unsigned,
        with_header(good(), "webhook-signature", &forged),
        with_header(good(), "webhook-signature", "v1,%%"),
        with_header(good(), "webhook-id", "msg_2"),
        with_header(good(), "webhook-timestamp", "soon"),
    ];
    let mut answers = Vec::new();
    for request in &requests {
        answers.push(world.send(request).await);
    }
    world.later(301);
    answers.push(world.send(&stale).await);
    for answer in &answers {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    assert!(world.queued().is_empty());
}

/// Edges that count how often they are looked up.
struct Watched(TableEdges, AtomicUsize);

#[async_trait::async_trait]
impl Edges for Watched {
    async fn find(
        &self,
        id: &EdgeId,
        not_before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Arc<KnownEdge>>, LookupError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.find(id, not_before, now).await
    }
}

#[tokio::test]
async fn an_unknown_edge_is_looked_up_as_often_as_one_whose_signature_is_bad() {
    let world = World::new().await;
    let ingest = Ingest {
        edges: Watched(world.edges(), AtomicUsize::new(0)),
        queue: MemoryQueue::default(),
        aside: MemoryAside::default(),
    };
    let good = || world.request(BATCH, world.detection(1).to_string());
    let looks = async |request| {
        ingest.edges.1.store(0, Ordering::SeqCst);
        let handled = ingest.handle(&request, world.now).await;
        (handled.response.status(), ingest.edges.1.load(Ordering::SeqCst))
    };
    let unknown = || with_header(good(), "hhp-edge-id", "edge_00000000000000000000000009");
    let forged = || with_header(good(), "webhook-id", "msg_2");
    assert_eq!(looks(unknown()).await, looks(forged()).await);
    assert_eq!(looks(unknown()).await, looks(forged()).await, "also when both are remembered");
}

#[tokio::test]
async fn an_edge_that_was_asked_for_before_it_was_made_is_taken_soon_after() {
    let mut world = World::new().await;
    world.table.delete(&store::keys::edge(&world.edge.id), store::table::Condition::Always).await.unwrap();
    let event = world.detection(1).to_string();
    assert_eq!(world.send(&world.request(SINGLE, event.clone())).await.status, 401);
    world.edge.version = 0;
    let key = world.key.clone();
    world.set_secrets(&[(&key, None)]).await;
    world.later(6);
    assert_eq!(world.send(&world.request(SINGLE, event)).await.status, 202);
}

#[tokio::test]
async fn both_secrets_are_good_while_one_rotates_and_the_old_one_ends() {
    let mut world = World::new().await;
    let (old, new) = (world.key.clone(), SigningKey::of_bytes(&[2; 32]).unwrap());
    let event = world.detection(1).to_string();
    assert_eq!(world.send(&world.request(SINGLE, event.clone())).await.status, 202);
    let end = world.now + jiff::SignedDuration::from_hours(24);
    world.set_secrets(&[(&new, None), (&old, Some(end))]).await;
    // The edge may sign with its new secret at once, although this process still remembers the old one.
    world.later(6);
    world.key = new;
    assert_eq!(world.send(&world.request(SINGLE, event.clone())).await.status, 202);
    world.key = old;
    assert_eq!(world.send(&world.request(SINGLE, event.clone())).await.status, 202);
    world.later(24 * 3600 - 6);
    assert_eq!(world.send(&world.request(SINGLE, event)).await.status, 401);
}

#[tokio::test]
async fn what_is_not_the_json_it_says_is_400() {
    let world = World::new().await;
    let event = world.detection(1).to_string();
    let array = format!("[{event}]");
    for (content_type, body) in [
        (BATCH, ""),
        (BATCH, "[{]"),
        (BATCH, event.as_str()),
        (BATCH, "[] []"),
        (BATCH, "null"),
        (SINGLE, array.as_str()),
        (SINGLE, "{\"a\":"),
        (SINGLE, "7"),
    ] {
        let answer = world.send(&world.request(content_type, body)).await;
        assert_eq!(answer.status, 400, "{content_type} {body}");
        assert_eq!(answer.body["status"], 400);
        assert!(answer.body["detail"].as_str().unwrap().contains("JSON"));
    }
    assert_eq!(world.send(&world.request(BATCH, b"[\"\xff\"]".to_vec())).await.status, 400);
}

#[tokio::test]
async fn too_many_events_too_large_a_body_and_other_content_types_are_refused() {
    let world = World::new().await;
    let events = vec![json!(1); 1001];
    assert_eq!(world.send_batch(&events).await.status, 413);
    assert_eq!(world.send_batch(&events[..1000]).await.status, 202);
    let mut body = b"[]".to_vec();
    body.resize(1 << 20, b' ');
    assert_eq!(world.send(&world.request(BATCH, body.clone())).await.status, 202);
    body.push(b' ');
    assert_eq!(world.send(&world.request(BATCH, body)).await.status, 413);
    for content_type in ["application/json", "text/plain", "application/cloudevents", ""] {
        assert_eq!(world.send(&world.request(content_type, "[]")).await.status, 415, "{content_type}");
    }
    assert_eq!(world.send(&with_header(world.request(BATCH, "[]"), "content-encoding", "gzip")).await.status, 415);
    let mut get = world.request(BATCH, "[]");
    *get.method_mut() = Method::GET;
    assert_eq!(world.send(&get).await.status, 405);
}

#[tokio::test]
async fn a_queue_or_a_bucket_that_fails_is_503_and_a_repeat_takes_everything_once() {
    let world = World::new().await;
    let mut events: Vec<_> = (0..1000).map(|n| world.detection(n)).collect();
    events.push(json!("no event"));
    events.remove(0);
    world.ingest.queue.set_room(Some(4));
    let answer = world.send_batch(&events).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "5");
    assert!(!answer.body["detail"].as_str().unwrap().is_empty());
    world.ingest.queue.set_room(None);
    world.ingest.aside.set_down(true);
    assert_eq!(world.send_batch(&events).await.status, 503);
    world.ingest.aside.set_down(false);
    assert_eq!(world.send_batch(&events).await.body["accepted"], 999);
    let ids: Vec<_> = world.queued().into_iter().flat_map(|message| message.events).map(|event| event.id).collect();
    let expected: Vec<_> = (1..1000).map(|n| format!("e-{n}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(world.ingest.aside.objects().len(), 1);
}

#[tokio::test]
async fn malformed_events_are_told_apart_and_good_neighbours_go_on() {
    let world = World::new().await;
    let mut priority = world.detection(2);
    priority["data"]["priority"] = json!(9);
    let mut elsewhere = world.detection(3);
    elsewhere["subject"] = json!("site_00000000000000000000000009");
    elsewhere["source"] = json!("/edges/edge_00000000000000000000000009");
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let good: Vec<String> = [1, 4].map(|n| world.detection(n).to_string()).into();
    let body = format!("[{},{priority},{elsewhere},{deep},{{\"id\":1e999}},{}]", good[0], good[1]);
    let answer = world.send(&world.request(BATCH, body)).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (202, &json!(2)));
    let rejected = answer.body["rejected"].as_array().unwrap();
    let indexes: Vec<_> = rejected.iter().map(|r| r["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, [1, 2, 3, 4]);
    assert_eq!(rejected[0]["id"], "e-2");
    assert_eq!(rejected[0]["errors"][0]["pointer"], "/data/priority");
    assert_eq!(rejected[0]["errors"][0]["detail"], "`priority` must be an integer from 1 to 5, 5 being the worst.");
    let pointers: Vec<_> = rejected[1]["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["/source", "/subject"]);
    assert_eq!((&rejected[2]["id"], &rejected[3]["id"]), (&json!(null), &json!(null)));
    let objects = world.ingest.aside.objects();
    assert_eq!(objects.len(), 1);
    let (key, object) = &objects[0];
    let place = format!("rejected/{}/{}/2026/11/24/", world.edge.organization_id, world.edge.site_id);
    assert!(key.starts_with(&place) && key.ends_with(".json"), "{key}");
    let object: serde_json::Value = serde_json::from_slice(object).unwrap();
    assert_eq!(object["events"][0]["known"]["/data/zone_id"], "z1");
    assert_eq!(object["events"][0]["known"].get("/data/priority"), None);
    assert_eq!(object["events"][0]["sha256"], hash(priority.to_string().as_bytes()));
}

/// A table that is down.
struct NoEdges;

#[async_trait::async_trait]
impl Edges for NoEdges {
    async fn find(&self, _: &EdgeId, _: Timestamp, _: Timestamp) -> Result<Option<Arc<KnownEdge>>, LookupError> {
        Err(TableError::Unavailable("down".into()).into())
    }
}

#[tokio::test]
async fn a_table_that_is_down_is_503_and_not_401() {
    let world = World::new().await;
    let ingest = Ingest { edges: NoEdges, queue: MemoryQueue::default(), aside: MemoryAside::default() };
    let request = world.request(SINGLE, world.detection(1).to_string());
    let handled = ingest.handle(&request, world.now).await;
    assert_eq!(handled.response.status(), 503);
    assert!(handled.response.headers().contains_key("retry-after"));
    assert!(handled.metrics.is_none());
}
