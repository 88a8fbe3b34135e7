//! A POST whose answer is lost at any write, repeated with its `Idempotency-Key`, makes one thing and not two.
use crate::world::{OPERATOR, World};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use store::bell::MemoryBell;
use store::memory::MemoryTable;
use store::table::{Condition, Item, Key, Query, Table, TableError};

/// A process that dies at a write, before it takes effect or after: nothing is written from then on.
struct Faulty {
    table: Arc<MemoryTable>,
    /// Writes until the one that fails.
    left: AtomicIsize,
    takes_effect: bool,
}

const ALIVE: isize = isize::MAX;
const DOWN: fn() -> TableError = || TableError::Unavailable("cut".into());

impl Faulty {
    async fn write<T>(&self, write: impl Future<Output = Result<T, TableError>>) -> Result<T, TableError> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1.. => write.await,
            0 if self.takes_effect => write.await.and(Err(DOWN())),
            _ => Err(DOWN()),
        }
    }
}

#[async_trait]
impl Table for Faulty {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.table.get(key).await
    }
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys).await
    }
    async fn put(&self, item: Item, condition: Condition) -> Result<(), TableError> {
        self.write(self.table.put(item, condition)).await
    }
    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError> {
        self.write(self.table.put_together(puts)).await
    }
    async fn put_many(&self, items: Vec<Item>) -> Result<(), TableError> {
        self.write(self.table.put_many(items)).await
    }
    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError> {
        self.write(self.table.delete(key, condition)).await
    }
    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError> {
        self.table.query(query).await
    }
    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError> {
        self.table.due(shard, until, limit).await
    }
}

fn count(world: &World, pk: &str, sk: &str) -> usize {
    let starts = |item: &Item, name: &str, with: &str| item[name].as_str().unwrap().starts_with(with);
    world.table.dump().iter().filter(|item| starts(item, "pk", pk) && starts(item, "sk", sk)).count()
}

/// Cuts the request at each of its writes in turn, then repeats it until it is answered.
async fn cut_everywhere(
    path: impl Fn(&str, &str) -> String,
    body: impl Fn(&str) -> Value,
    check: impl Fn(&World, &Value),
) {
    let mut cuts = 0;
    for takes_effect in [false, true] {
        for at in 0..12 {
            let table = Arc::new(MemoryTable::default());
            let faulty = Arc::new(Faulty { table: table.clone(), left: AtomicIsize::new(ALIVE), takes_effect });
            let bell = Arc::new(MemoryBell::default());
            let world = World::over(faulty.clone(), table, bell.clone(), bell);
            let organization = world.organization("Acme").await;
            let site = world.site(&organization, "North").await;
            let (path, body) = (path(&organization, &site), body(&organization));
            let send = async || {
                world.call_with(OPERATOR, "POST", &path, Some(body.clone()), &[("idempotency-key", "1")]).await
            };
            faulty.left.store(at, Ordering::SeqCst);
            let first = send().await;
            let was_cut = faulty.left.swap(ALIVE, Ordering::SeqCst) < 0;
            cuts += usize::from(was_cut && first.status == 503);
            // Where only the answer could not be kept, it still goes out.
            if first.status != 201 {
                first.refused(503);
            }
            // The process is gone; what it had begun is free again after a minute.
            world.pass(SignedDuration::from_secs(61));
            let again = send().await;
            assert_eq!(again.status, 201, "cut at {at}, takes effect: {takes_effect}: {}", again.body);
            check(&world, &again.body);
        }
    }
    assert!(cuts >= 2, "the cuts hit nothing");
}

#[tokio::test]
async fn an_organization() {
    let check = |world: &World, _: &Value| assert_eq!(count(world, "ORG#", "ORG"), 2);
    cut_everywhere(|_, _| "/v1/organizations".into(), |_| json!({"name": "Bolt"}), check).await;
}

#[tokio::test]
async fn a_site() {
    let check = |world: &World, _: &Value| {
        assert_eq!((count(world, "ORG#", "SITE#"), count(world, "SITE#", "OWNER")), (2, 2));
    };
    let body = |_: &str| json!({"name": "South", "time_zone": "UTC"});
    cut_everywhere(|organization, _| format!("/v1/organizations/{organization}/sites"), body, check).await;
}

#[tokio::test]
async fn an_edge() {
    let check = |world: &World, _: &Value| assert_eq!(count(world, "EDGE#", "EDGE"), 1);
    cut_everywhere(|_, site| format!("/v1/sites/{site}/edges"), |_| json!({"name": "edge 1"}), check).await;
}

#[tokio::test]
async fn an_api_key() {
    let check = |world: &World, made: &Value| {
        assert_eq!((count(world, "ORG#", "KEY#"), count(world, "KEY#", "KEY")), (1, 1));
        let hash = credentials::operator_key_hash(made["key"].as_str().unwrap());
        assert_eq!(count(world, &format!("KEY#{hash}"), "KEY"), 1, "the key that was shown is the one that counts");
    };
    let body = |_: &str| json!({"name": "tool", "scopes": ["read"]});
    cut_everywhere(|organization, _| format!("/v1/organizations/{organization}/api-keys"), body, check).await;
}

#[tokio::test]
async fn a_connection() {
    let check = |world: &World, made: &Value| {
        assert_eq!((count(world, "ORG#", "CONNECTION"), count(world, "CONN#", "OWNER")), (1, 1));
        assert_eq!(made["state"], "active");
    };
    let body = |organization: &str| json!({"organization_id": organization, "provider": "procore", "company_id": "42"});
    cut_everywhere(|_, _| "/v1/connections".into(), body, check).await;
}

#[tokio::test]
async fn a_connection_is_found_even_if_its_maker_died() {
    for takes_effect in [false, true] {
        for at in 0..3 {
            let table = Arc::new(MemoryTable::default());
            let faulty = Arc::new(Faulty { table: table.clone(), left: AtomicIsize::new(ALIVE), takes_effect });
            let bell = Arc::new(MemoryBell::default());
            let world = World::over(faulty.clone(), table, bell.clone(), bell);
            let organization = world.organization("Acme").await;
            let body = json!({"organization_id": organization, "provider": "procore", "company_id": "42"});
            faulty.left.store(at, Ordering::SeqCst);
            world.post(OPERATOR, "/v1/connections", body.clone()).await.refused(503);
            faulty.left.store(ALIVE, Ordering::SeqCst);
            let again = world.post(OPERATOR, "/v1/connections", body).await;
            assert!([201, 409].contains(&again.status.as_u16()), "{}", again.body);
            let list = world.get(OPERATOR, &format!("/v1/connections?organization_id={organization}")).await;
            let connections = list.body["data"].as_array().unwrap();
            assert_eq!(connections.len(), 1);
            let path = format!("/v1/connections/{}", connections[0]["id"].as_str().unwrap());
            assert_eq!(world.get(OPERATOR, &path).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_table_that_is_down_is_said_so() {
    let table = Arc::new(MemoryTable::default());
    let faulty = Arc::new(Faulty { table: table.clone(), left: AtomicIsize::new(0), takes_effect: false });
    let bell = Arc::new(MemoryBell::default());
    let world = World::over(faulty, table, bell.clone(), bell);
    let answer = world.post(OPERATOR, "/v1/organizations", json!({"name": "Acme"})).await;
    answer.refused(503);
    assert_eq!(answer.header("retry-after"), "2");
    assert!(!answer.body.to_string().contains("cut"), "what the log gets is not for the caller");
}
