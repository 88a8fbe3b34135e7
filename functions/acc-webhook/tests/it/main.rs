//! Deliveries as Autodesk makes them: signed over the body to the byte, with the hook's secret or the one before it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends")]

use acc_webhook::Autodesk;
use credentials::{MemoryVault, Secret, Vault};
use domain::ids::{OrganizationId, Provider, SiteId};
use domain::record::{RecordKey, RecordKind, RecordState, WorkClass};
use hook_function::Webhook;
use jiff::{SignedDuration, Timestamp};
use lambda_http::Body;
use lambda_http::http::{Method, Request};
use ring::hmac;
use store::bell::MemoryBell;
use store::directory::{Connection, Directory};
use store::hooks::{Hook, Hooks, RemoteRecord};
use store::lanes::{Lane, LaneId, Link};
use store::memory::MemoryTable;
use sync::hooks::secret_context;

const PROJECT: &str = "5a0db0c5-0000-4000-8000-00000000000a";
const OTHER: &str = "5a0db0c5-0000-4000-8000-00000000000b";
const ISSUE: &str = "5a0db0c5-0000-4000-8000-0000000000f1";
const OLD: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const NEW: &str = "0000000000000000000000000000000000000000000000000000000000000002";
const OF_OTHER: &str = "0000000000000000000000000000000000000000000000000000000000000003";

fn now() -> Timestamp {
    "2026-11-24T16:00:10Z".parse().unwrap()
}

struct World {
    table: MemoryTable,
    bell: MemoryBell,
    vault: MemoryVault,
    lane: LaneId,
    record: RecordKey,
}

impl World {
    /// A connection with two projects, whose first hook's secret was changed a moment ago; one issue of ours in the first.
    async fn new() -> Self {
        let organization = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
        let mut connection = Connection::new(organization, Provider::Acc, "account-1", now());
        let record = RecordKey {
            kind: RecordKind::Observation,
            site_id: SiteId::new(ulid::Ulid::from_parts(2, 1)),
            fact_id: ulid::Ulid::from_parts(3, 1).to_string(),
        };
        let (table, bell, vault) = (MemoryTable::default(), MemoryBell::default(), MemoryVault::default());
        Directory(&table).put_connection(&mut connection).await.unwrap();
        let world = Self { table, bell, vault, lane: connection.lane(), record };
        let mut hooks = Hooks::default();
        for (project, secrets) in [(PROJECT, vec![OLD, NEW]), (OTHER, vec![OF_OTHER])] {
            let mut hook = Hook::default();
            for secret in secrets {
                let sealed = world.vault.seal(&secret_context(&world.lane), &Secret::new(secret)).await.unwrap();
                hook.add_secret(sealed);
            }
            hooks.projects.insert(project.into(), hook);
        }
        world.lane().put_hooks(&hooks).await.unwrap();
        let remote = RemoteRecord { record: world.record.clone(), project_id: PROJECT.into() };
        world.lane().put_remote(RecordKind::Observation, ISSUE, &remote).await.unwrap();
        world.link(now() - SignedDuration::from_secs(60)).await;
        world
    }

    fn lane(&self) -> Lane<'_> {
        Lane { table: &self.table, id: &self.lane }
    }

    /// Our last write was answered with this time of change.
    async fn link(&self, answered_at: Timestamp) {
        let standing = self.lane().link(&self.record).await.unwrap();
        let mut link = Link {
            record: self.record.clone(),
            project_id: PROJECT.into(),
            marker: "HHP-7F3K9Q2M".into(),
            state: RecordState::Synced,
            reason: None,
            who: None,
            waits_for_project: false,
            remote_id: Some(ISSUE.into()),
            remote_url: None,
            gave_status: Some("open".into()),
            answered_at: Some(answered_at),
            intent_at: None,
            first_intent_at: None,
            looks: 0,
            looked_at: None,
            sweep_at: None,
            sweeps: 0,
            written: Default::default(),
            conflicts: vec![],
            read: None,
            steps: Default::default(),
            updated_at: now(),
            version: standing.map_or(0, |link| link.version),
        };
        self.lane().put_link(&mut link).await.unwrap();
    }

    async fn post(&self, key: &str, signature: Option<&str>, delivery: &str, body: &[u8]) -> u16 {
        let mut request = Request::builder().method(Method::POST).uri(format!("https://x/hooks/acc/{key}"));
        request = request.header("x-adsk-delivery-id", delivery);
        if let Some(value) = signature {
            request = request.header("x-adsk-signature", value);
        }
        // As API Gateway may hand it over: base64, which the runtime has undone to bytes.
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let announcer = Autodesk { vault: &self.vault };
        let webhook = Webhook { function: "acc-webhook", table: &self.table, bell: &self.bell, announcer: &announcer };
        webhook.handle(&request, now()).await.status().as_u16()
    }

    async fn send(&self, secret: &str, delivery: &str, body: &str) -> u16 {
        let signature = sign(secret, body.as_bytes());
        self.post(self.lane.connection_id.as_str(), Some(&signature), delivery, body.as_bytes()).await
    }

    async fn asked(&self) -> usize {
        self.lane().ready(10).await.unwrap().len()
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let hex: String = hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha1hash={hex}")
}

/// With the blanks and the order of members that Autodesk happens to choose.
fn event(project: &str, issue: &str, at: &str) -> String {
    format!(
        r#"{{"version" : "1.0","resourceUrn":"urn:adsk.issues:issues.issue:{issue}",
            "hook":{{"hookId":"5a0db0c5-0000-4000-8000-0000000000aa","event":"issue.updated-1.0"}},
            "payload":{{"status":"closed","id":"{issue}","projectId":"{project}","updatedAt":"{at}","changedAttributes":["status"]}}}}"#
    )
}

const LATER: &str = "2026-11-24T16:00:05.120Z";

#[tokio::test]
async fn either_secret_asks_the_lane_to_read_and_rings_it() {
    for secret in [OLD, NEW] {
        let world = World::new().await;
        assert_eq!(world.send(secret, "d-1", &event(PROJECT, ISSUE, LATER)).await, 204);
        let todos = world.lane().ready(10).await.unwrap();
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
async fn what_is_not_signed_to_the_byte_by_the_projects_own_hook_is_refused() {
    let world = World::new().await;
    let body = event(PROJECT, ISSUE, LATER);
    let key = world.lane.connection_id.to_string();
    let good = sign(NEW, body.as_bytes());
    let compact = serde_json::from_str::<serde_json::Value>(&body).unwrap().to_string();
    for (what, key, signature, body) in [
        ("unsigned", key.as_str(), None, body.as_str()),
        ("serialized again", &key, Some(good.clone()), &compact),
        ("another project's secret", &key, Some(sign(OF_OTHER, body.as_bytes())), &body),
        ("another scheme", &key, Some(good.replace("sha1hash", "sha256")), &body),
        ("a project without hooks", &key, Some(sign(NEW, b"{}")), "{}"),
        ("no such connection", "con_01ARZ3NDEKTSV4RRFFQ69G5FAV", Some(good.clone()), &body),
        ("no key", "", Some(good.clone()), &body),
    ] {
        assert_eq!(world.post(key, signature.as_deref(), "d-1", body.as_bytes()).await, 401, "{what}");
    }
    assert_eq!(world.post(&key, Some(&good), "d-1", &[b' '; 70_000]).await, 413);
    assert_eq!((world.asked().await, world.bell.take().len()), (0, 0));
}

#[tokio::test]
async fn our_own_writes_and_what_is_not_ours_ask_nothing() {
    let world = World::new().await;
    world.link(LATER.parse().unwrap()).await;
    for body in [
        event(PROJECT, ISSUE, LATER),
        event(PROJECT, ISSUE, "2026-11-24T16:00:05Z"),
        event(PROJECT, "5a0db0c5-0000-4000-8000-0000000000f2", LATER),
    ] {
        assert_eq!(world.send(NEW, "d-1", &body).await, 204, "{body}");
    }
    assert_eq!(world.send(OF_OTHER, "d-2", &event(OTHER, ISSUE, "2026-11-24T16:00:09Z")).await, 204);
    assert_eq!((world.asked().await, world.bell.take().len()), (0, 0));
    assert_eq!(world.send(NEW, "d-3", &event(PROJECT, ISSUE, "2026-11-24T16:00:05.121Z")).await, 204);
    assert_eq!(world.asked().await, 1);
}

#[tokio::test]
async fn a_delivery_that_comes_twice_asks_once() {
    let world = World::new().await;
    for delivery in ["d-1", "d-1", "d-2"] {
        assert_eq!(world.send(NEW, delivery, &event(PROJECT, ISSUE, LATER)).await, 204);
    }
    assert_eq!(world.bell.take().len(), 2);
}
