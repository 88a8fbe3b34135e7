//! Deliveries as Procore sends them, over the table's twin.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use domain::ids::{ConnectionId, OrganizationId, Provider, SiteId};
use domain::record::{RecordKey, RecordKind, WorkClass};
use hook_function::Webhook;
use jiff::Timestamp;
use lambda_http::http::{Method, Request};
use lambda_http::{Body, Response};
use procore_webhook::Procore;
use sha2::{Digest, Sha256};
use store::bell::MemoryBell;
use store::directory::{Connection, Directory};
use store::hooks::{Hook, Hooks, RemoteRecord};
use store::lanes::{Lane, LaneId, Todo};
use store::memory::MemoryTable;

const INCIDENT: &str = "9007199254740993";

struct World {
    table: MemoryTable,
    bell: MemoryBell,
    lane: LaneId,
    record: RecordKey,
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> Timestamp {
    "2026-11-24T16:00:00Z".parse().unwrap()
}

impl World {
    async fn new() -> Self {
        let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
        let connection_id = ConnectionId::derive(&organization_id, Provider::Procore, "42");
        let lane = LaneId { organization_id: organization_id.clone(), connection_id, provider: Provider::Procore };
        let site_id = SiteId::new(ulid::Ulid::from_parts(2, 1));
        let fact_id = ulid::Ulid::from_parts(3, 1).to_string();
        let record = RecordKey { kind: RecordKind::Incident, site_id, fact_id };
        let world = Self { table: MemoryTable::default(), bell: MemoryBell::default(), lane, record };
        let mut connection = Connection::new(organization_id, Provider::Procore, "42", now());
        Directory(&world.table).put_connection(&mut connection).await.unwrap();
        let mut hooks = Hooks { own_user: Some("77".into()), ..Hooks::default() };
        for (project, secret) in [("7", "Bearer seven"), ("8", "Bearer eight")] {
            let mut hook = Hook::default();
            hook.add_secret(sha256(secret));
            hooks.projects.insert(project.into(), hook);
        }
        world.lane().put_hooks(&hooks).await.unwrap();
        let remote = RemoteRecord { record: world.record.clone(), project_id: "7".into() };
        world.lane().put_remote(RecordKind::Incident, INCIDENT, &remote).await.unwrap();
        world
    }

    fn lane(&self) -> Lane<'_> {
        Lane { table: &self.table, id: &self.lane }
    }

    async fn post(&self, key: &str, authorization: Option<&str>, body: &str) -> u16 {
        let mut request = Request::builder().method(Method::POST).uri(format!("https://x/hooks/procore/{key}"));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let webhook =
            Webhook { function: "procore-webhook", table: &self.table, bell: &self.bell, announcer: &Procore };
        let answer: Response<Body> = webhook.handle(&request, now()).await;
        answer.status().as_u16()
    }

    async fn send(&self, body: &str) -> u16 {
        self.post(self.lane.connection_id.as_str(), Some("Bearer seven"), body).await
    }

    async fn todos(&self) -> Vec<Todo> {
        self.lane().ready(10).await.unwrap()
    }
}

fn v2(id: u64, user: u64) -> String {
    format!(
        r#"{{"id": {id}, "timestamp": "2026-11-24T16:00:00Z", "metadata": {{"source_user_id": null}}, "user_id": {user},
        "company_id": 42, "project_id": 7, "api_version": "v2", "event_type": "update", "resource_name": "Incidents",
        "resource_id": {INCIDENT}}}"#
    )
}

fn v4(id: &str, project: &str, resource: &str, incident: &str) -> String {
    format!(
        r#"{{"id": "{id}", "timestamp": "2026-11-24T16:00:00Z", "reason": "update", "resource_type": "{resource}",
        "resource_id": "{incident}", "company_id": "42", "project_id": "{project}", "user_id": "78"}}"#
    )
}

#[tokio::test]
async fn both_payloads_ask_the_lane_to_read_and_ring() {
    for body in [v2(5_899_999_999_999_999_999, 78), v4("01JD", "7", "Incidents", INCIDENT)] {
        let world = World::new().await;
        assert_eq!(world.send(&body).await, 204);
        let todos = world.todos().await;
        assert_eq!(
            (todos.len(), &todos[0].record, todos[0].class, todos[0].read_back),
            (1, &world.record, WorkClass::ReadBack, true)
        );
        assert_eq!(world.bell.take(), std::slice::from_ref(&world.lane));
        let due = store::due::get(&world.table, &world.lane).await.unwrap();
        assert!(due.at().is_some(), "should the ring die, nobody would ring again");
    }
}

#[tokio::test]
async fn a_delivery_that_comes_twice_asks_once() {
    let world = World::new().await;
    let body = v2(5_899_999_999_999_999_999, 78);
    assert_eq!((world.send(&body).await, world.send(&body).await), (204, 204));
    assert_eq!(world.bell.take().len(), 1);
    assert_eq!(world.send(&v2(5_899_999_999_999_999_998, 78)).await, 204);
    assert_eq!(world.bell.take().len(), 1, "one digit makes another event");
}

#[tokio::test]
async fn our_own_and_what_is_not_ours_is_acknowledged_and_asks_nothing() {
    let world = World::new().await;
    for body in [
        v2(1, 77),
        v4("a", "7", "Observation Items", INCIDENT),
        v4("b", "7", "Something New", INCIDENT),
        v4("c", "7", "Incidents", "1"),
        v4("d", "8", "Incidents", INCIDENT),
        "{".into(),
        "[]".into(),
        String::new(),
    ] {
        assert_eq!(world.send(&body).await, 204, "{body}");
    }
    assert!(world.todos().await.is_empty() && world.bell.take().is_empty());
}

#[tokio::test]
async fn a_hook_speaks_for_its_own_project() {
    let world = World::new().await;
    let key = world.lane.connection_id.to_string();
    let body = v4("a", "7", "Incidents", INCIDENT);
    assert_eq!(world.post(&key, Some("Bearer eight"), &body).await, 204);
    assert!(world.todos().await.is_empty());
}

#[tokio::test]
async fn without_the_value_nobody_gets_in_and_all_refusals_look_alike() {
    let world = World::new().await;
    let key = world.lane.connection_id.to_string();
    let stranger = ConnectionId::derive(&world.lane.organization_id, Provider::Procore, "43").to_string();
    let body = v2(1, 78);
    for (key, value) in [
        (key.as_str(), None),
        (&key, Some("Bearer seve")),
        (&key, Some("bearer seven")),
        (&key, Some("")),
        (&stranger, Some("Bearer seven")),
        ("con_x", Some("Bearer seven")),
        ("", Some("Bearer seven")),
    ] {
        assert_eq!(world.post(key, value, &body).await, 401, "{key} {value:?}");
    }
    assert!(world.todos().await.is_empty() && world.bell.take().is_empty());
    assert_eq!(world.post(&key, Some("Bearer seven"), &"x".repeat(70_000)).await, 413);
}
