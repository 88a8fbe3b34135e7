//! `Idempotency-Key`.
use crate::world::{Answer, OPERATOR, World, id};
use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;
use store::bell::{Bell, BellError, MemoryBell};
use store::lanes::LaneId;
use store::memory::MemoryTable;
use tokio::sync::Notify;

async fn post(world: &World, key: &str, path: &str, idempotency: &str, body: Value) -> Answer {
    world.call_with(key, "POST", path, Some(body), &[("idempotency-key", idempotency)]).await
}

#[tokio::test]
async fn a_repeat_gets_the_whole_first_answer_secrets_included() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edges = format!("/v1/sites/{}/edges", tenant.site);
    let keys = format!("/v1/organizations/{}/api-keys", tenant.organization);
    for (path, body, secret) in
        [(&edges, json!({"name": "edge 1"}), "secret"), (&keys, json!({"name": "tool", "scopes": ["read"]}), "key")]
    {
        let first = post(&world, OPERATOR, path, "abc", body.clone()).await;
        assert_eq!(first.status, 201);
        world.pass(SignedDuration::from_hours(23));
        let again = post(&world, OPERATOR, path, "abc", body.clone()).await;
        assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
        assert_eq!(again.header("content-type"), "application/json");
        assert_eq!(again.header("idempotent-replayed"), "true");
        let dump = serde_json::to_string(&world.table.dump()).unwrap();
        assert!(!dump.contains(first.body[secret].as_str().unwrap()), "the kept answer is sealed");
        let other = post(&world, OPERATOR, path, "other", body.clone()).await;
        assert_ne!(other.body["id"], first.body["id"]);
        world.pass(SignedDuration::from_hours(1));
        let next_day = post(&world, OPERATOR, path, "abc", body).await;
        assert_ne!(next_day.body["id"], first.body["id"]);
        world.pass(SignedDuration::from_hours(25));
    }
}

#[tokio::test]
async fn a_site_that_is_answered_again_has_its_etag() {
    let world = World::new();
    let organization = world.organization("Acme").await;
    let path = format!("/v1/organizations/{organization}/sites");
    let body = json!({"name": "North", "time_zone": "UTC"});
    let first = post(&world, OPERATOR, &path, "1", body.clone()).await;
    assert_eq!(post(&world, OPERATOR, &path, "1", body).await.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let world = World::new();
    post(&world, OPERATOR, "/v1/organizations", "k", json!({"name": "Acme"})).await;
    let other = post(&world, OPERATOR, "/v1/organizations", "k", json!({"name": "Bolt"})).await;
    assert_eq!(other.refused(422), ["Idempotency-Key"]);
    let elsewhere = post(&world, OPERATOR, "/v1/connections", "k", json!({"name": "Acme"})).await;
    assert_eq!(elsewhere.refused(422), ["Idempotency-Key"]);
    for bad in ["", &"x".repeat(256)] {
        let answer = post(&world, OPERATOR, "/v1/organizations", bad, json!({"name": "Acme"})).await;
        assert_eq!(answer.refused(422), ["Idempotency-Key"]);
    }
}

#[tokio::test]
async fn a_refusal_is_judged_anew_and_holds_nothing() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let body = json!({"organization_id": tenant.organization, "provider": "procore", "company_id": "42"});
    let connection = world.made("/v1/connections", body.clone()).await;
    let retry = format!("/v1/connections/{}/records/incident/x/retry", id(&connection));
    for _ in 0..2 {
        post(&world, &tenant.key, &retry, "1", Value::Null).await.refused(404);
        post(&world, OPERATOR, "/v1/connections", "2", body.clone()).await.refused(409);
    }
}

#[tokio::test]
async fn two_callers_with_one_key_do_not_meet() {
    let world = World::new();
    let (acme, bolt) = (world.tenant("Acme").await, world.tenant("Bolt").await);
    let connection = world.connection(&acme.organization, "42").await;
    let path = format!("/v1/connections/{connection}/records/incident/x/retry");
    post(&world, &acme.key, &path, "same", json!({})).await.refused(404);
    let theirs = post(&world, &bolt.key, "/v1/connections", "same", json!({"provider": "procore"})).await;
    theirs.refused(403);
}

/// A bell that lets a test stand in the middle of a request.
#[derive(Default)]
struct SlowBell {
    reached: Notify,
    go_on: Notify,
}

#[async_trait]
impl Bell for SlowBell {
    async fn ring(&self, _: &LaneId) -> Result<(), BellError> {
        self.reached.notify_one();
        self.go_on.notified().await;
        Ok(())
    }
}

#[tokio::test]
async fn a_repeat_while_the_first_is_running_is_told_so() {
    let (table, bell) = (Arc::new(MemoryTable::default()), Arc::new(SlowBell::default()));
    let world = World::over(table.clone(), table, bell.clone(), Arc::new(MemoryBell::default()));
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let put = async {
        bell.reached.notified().await;
        bell.go_on.notify_one();
    };
    tokio::join!(world.project(&tenant.key, &connection, "7", &tenant.site), put);
    let lane = LaneId {
        organization_id: tenant.organization.parse().unwrap(),
        connection_id: connection.parse().unwrap(),
        provider: domain::ids::Provider::Procore,
    };
    let record = domain::record::RecordKey {
        kind: domain::record::RecordKind::Incident,
        site_id: tenant.site.parse().unwrap(),
        fact_id: "01JDN3Z4WQ0000000000000001".into(),
    };
    let todo = store::lanes::Todo::new(record, world.now(), store::bell::fresh_token());
    store::lanes::Lane { table: world.table.as_ref(), id: &lane }.ask(&[todo]).await.unwrap();

    let path = format!("/v1/connections/{connection}/records/incident/01JDN3Z4WQ0000000000000001/retry");
    let meanwhile = async {
        bell.reached.notified().await;
        let second = post(&world, &tenant.key, &path, "1", json!({})).await;
        bell.go_on.notify_one();
        second
    };
    let both = async { tokio::join!(post(&world, &tenant.key, &path, "1", json!({})), meanwhile) };
    let patience = std::time::Duration::from_secs(20);
    let (first, second) =
        tokio::time::timeout(patience, both).await.expect("the repeat ran beside the first, and waits");
    assert_eq!(first.status, 202);
    second.refused(409);
    assert_eq!(second.header("retry-after"), "2");
    assert_eq!(post(&world, &tenant.key, &path, "1", json!({})).await.body, first.body);
}
