//! Deliveries that fail: how long each stays hidden, so that its site's order stands and an outage is waited out.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use async_trait::async_trait;
use domain::event::Event;
use domain::message::{Origin, SiteMessage};
use event_router::handle::handle;
use event_router::patience::{PauseError, Source};
use event_router::route::Router;
use jiff::Timestamp;
use runtime::sqs::SqsEvent;
use serde_json::json;
use std::sync::Mutex;
use std::time::Duration;
use store::Table;
use store::bell::MemoryBell;
use store::bus::MemoryBus;
use store::memory::MemoryTable;
use store::table::{Condition, Item, Key, Query, TableError};

/// The queue's side: which delivery was hidden for how long.
#[derive(Default)]
struct Hidden(Mutex<Vec<(String, Duration)>>);

#[async_trait]
impl Source for Hidden {
    async fn hide(&self, receipt_handle: &str, pause: Duration) -> Result<(), PauseError> {
        self.0.lock().unwrap().push((receipt_handle.to_owned(), pause));
        Ok(())
    }
}

/// A table that answers nothing.
struct Down;

fn down<T>() -> Result<T, TableError> {
    Err(TableError::Unavailable("down".into()))
}

#[async_trait]
impl Table for Down {
    async fn get(&self, _: &Key) -> Result<Option<Item>, TableError> {
        down()
    }
    async fn get_many(&self, _: &[Key]) -> Result<Vec<Item>, TableError> {
        down()
    }
    async fn put(&self, _: Item, _: Condition) -> Result<(), TableError> {
        down()
    }
    async fn put_together(&self, _: Vec<(Item, Condition)>) -> Result<(), TableError> {
        down()
    }
    async fn put_many(&self, _: Vec<Item>) -> Result<(), TableError> {
        down()
    }
    async fn delete(&self, _: &Key, _: Condition) -> Result<(), TableError> {
        down()
    }
    async fn query(&self, _: Query) -> Result<Vec<Item>, TableError> {
        down()
    }
    async fn due(&self, _: &str, _: Timestamp, _: usize) -> Result<Vec<Key>, TableError> {
        down()
    }
}

fn message(events: Vec<Event>) -> String {
    let origin = Origin {
        edge_id: "edge_00000000000000000000000003".parse().unwrap(),
        webhook_id: "msg_1".into(),
        webhook_timestamp: 0,
        signature: "v1,".into(),
        body_sha256: String::new(),
    };
    let message = SiteMessage {
        organization_id: "org_00000000000000000000000001".parse().unwrap(),
        site_id: "site_00000000000000000000000002".parse().unwrap(),
        origin,
        part: 0,
        received_at: Timestamp::UNIX_EPOCH,
        digest: String::new(),
        events,
    };
    serde_json::to_string(&message).unwrap()
}

/// As Lambda hands a message over at its n-th delivery.
fn delivery(body: &str, n: u32) -> SqsEvent {
    let attributes = json!({"ApproximateReceiveCount": n.to_string(), "MessageGroupId": "site"});
    let record = json!({"messageId": "m", "receiptHandle": format!("r{n}"), "body": body, "attributes": attributes});
    serde_json::from_value(json!({"Records": [record]})).unwrap()
}

async fn hidden(table: &dyn Table, body: &str, n: u32) -> Vec<(String, Duration)> {
    let (bell, bus, source) = (MemoryBell::default(), MemoryBus::default(), Hidden::default());
    let router = Router { table, bell: &bell, bus: &bus, detection_retention_days: 400 };
    let handled = handle(&router, &source, delivery(body, n), Timestamp::UNIX_EPOCH).await;
    let hidden = source.0.into_inner().unwrap();
    assert_eq!(
        handled.is_err(),
        !hidden.is_empty(),
        "an error leaves the message in the queue, and only that hides it"
    );
    hidden
}

#[tokio::test]
async fn while_the_table_is_down_a_message_is_tried_ever_more_rarely() {
    let body = message(vec![]);
    let mut last = Duration::ZERO;
    for n in [1, 2, 4, 30, 999] {
        let hidden = hidden(&Down, &body, n).await;
        assert_eq!(hidden[0].0, format!("r{n}"));
        assert!(hidden[0].1 >= last, "{n}: {hidden:?}");
        last = hidden[0].1;
    }
    assert_eq!(last, Duration::from_secs(900));
}

#[tokio::test]
async fn what_does_not_read_is_tried_as_soon_at_the_last_as_at_the_first() {
    for n in [1, 999] {
        let hidden = hidden(&MemoryTable::default(), r#"{"kind":"of another age"}"#, n).await;
        assert!(hidden[0].1 < Duration::from_secs(60), "{hidden:?}");
    }
}

#[tokio::test]
async fn what_is_handled_is_not_hidden() {
    assert!(hidden(&MemoryTable::default(), &message(vec![]), 1).await.is_empty());
}
