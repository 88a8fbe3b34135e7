//! The list of deliveries while the lane keeps and sends messages between its reads.
use crate::edge::{Edge, detection};
use crate::webhook_endpoints::Endpoints;
use crate::world::{Answer, World};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use store::bell::MemoryBell;
use store::keys;
use store::memory::MemoryTable;
use store::messages::{MessageLane, Todo};
use store::table::{Condition, Item, Key, Query, Table, TableError};
use tokio::sync::Notify;

/// Holds up a request until a test has done something.
#[derive(Default)]
struct Gate {
    reached: Notify,
    go_on: Notify,
}

impl Gate {
    async fn pass(&self) {
        self.reached.notify_one();
        self.go_on.notified().await;
    }

    async fn open_after(&self, work: impl Future<Output = ()>) {
        self.reached.notified().await;
        work.await;
        self.go_on.notify_one();
    }
}

/// A gate before the rows of deliveries are read, and one behind.
#[derive(Default)]
struct Gated {
    table: Arc<MemoryTable>,
    before: Gate,
    after: Gate,
}

#[async_trait]
impl Table for Gated {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.table.get(key).await
    }
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys).await
    }
    async fn put(&self, item: Item, condition: Condition) -> Result<(), TableError> {
        self.table.put(item, condition).await
    }
    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError> {
        self.table.put_together(puts).await
    }
    async fn put_many(&self, items: Vec<Item>) -> Result<(), TableError> {
        self.table.put_many(items).await
    }
    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError> {
        self.table.delete(key, condition).await
    }
    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError> {
        if !query.from.starts_with(keys::DELIVERY) {
            return self.table.query(query).await;
        }
        self.before.pass().await;
        let rows = self.table.query(query).await;
        self.after.pass().await;
        rows
    }
    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError> {
        self.table.due(shard, until, limit).await
    }
}

/// An endpoint whose ping was taken as number 1, and two messages that wait for their first turn.
async fn with_two_waiting() -> (Arc<Gated>, Endpoints, [Todo; 2]) {
    let (gated, bell) = (Arc::new(Gated::default()), Arc::new(MemoryBell::default()));
    let endpoints = Endpoints::of(World::over(gated.clone(), gated.table.clone(), bell.clone(), bell)).await;
    endpoints.lane_tries(204).await;
    let Endpoints { world, tenant, .. } = &endpoints;
    let edge = Edge { world, organization: tenant.organization.clone(), site: tenant.site.clone() };
    edge.send(&[detection(1, world.now(), "fall", 4), detection(2, world.now(), "fall", 4)]).await;
    let todos = endpoints.todos().await.try_into().unwrap();
    (gated, endpoints, todos)
}

/// Both get their numbers, and the second is taken while the first hangs.
async fn the_second_passes(endpoints: &Endpoints, [first, second]: &[Todo; 2]) {
    let lane_id = store::endpoints::lane(&endpoints.tenant.organization.parse().unwrap(), &endpoints.id());
    let lane = MessageLane { table: endpoints.world.table.as_ref(), id: &lane_id };
    for todo in [first, second] {
        endpoints.keep(todo).await;
    }
    lane.finish(first).await.unwrap();
    endpoints.lane_tries(204).await;
    lane.ask(std::slice::from_ref(first)).await.unwrap();
}

fn numbers(answer: &Answer) -> Vec<&Value> {
    answer.body["data"].as_array().unwrap().iter().map(|row| &row["sequence"]).collect()
}

/// The list as it is read while something happens before its rows are, and after.
async fn listed(
    (gated, endpoints): (&Gated, &Endpoints),
    cursor: Option<&str>,
    before: impl Future<Output = ()>,
    after: impl Future<Output = ()>,
) -> Answer {
    let path = cursor.map_or("/deliveries".to_owned(), |cursor| format!("/deliveries?cursor={cursor}"));
    let meanwhile = async {
        gated.before.open_after(before).await;
        gated.after.open_after(after).await;
    };
    tokio::join!(endpoints.get(&path), meanwhile).0
}

#[tokio::test]
async fn what_is_answered_after_the_rows_were_read_is_not_missed() {
    let (gated, endpoints, todos) = with_two_waiting().await;
    the_second_passes(&endpoints, &todos).await;
    let list = (gated.as_ref(), &endpoints);
    let seen = listed(list, None, async {}, endpoints.lane_tries(204)).await;
    assert_eq!(numbers(&seen), [1, 3]);
    let next = listed(list, seen.body["next_cursor"].as_str(), async {}, async {}).await;
    assert_eq!(numbers(&next), [&json!(2), &json!(3)], "nothing is missed");
}

#[tokio::test]
async fn what_is_passed_before_the_rows_are_read_is_not_missed() {
    let (gated, endpoints, todos) = with_two_waiting().await;
    let list = (gated.as_ref(), &endpoints);
    let seen = listed(list, None, the_second_passes(&endpoints, &todos), async {}).await;
    assert_eq!(numbers(&seen), [&json!(1), &json!(3), &Value::Null]);
    endpoints.lane_tries(204).await;
    let next = listed(list, seen.body["next_cursor"].as_str(), async {}, async {}).await;
    assert_eq!(numbers(&next), [&json!(2), &json!(3)], "nothing is missed");
}
