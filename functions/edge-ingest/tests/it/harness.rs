//! One site with one edge, and what came of a request.
use credentials::{Context, MemoryVault, Secret, Vault};
use domain::ids::{EdgeId, OrganizationId, SiteId};
use domain::message::SiteMessage;
use domain::signature::{SigningKey, sign};
use edge_ingest::aside::MemoryAside;
use edge_ingest::auth::TableEdges;
use edge_ingest::queue::MemoryQueue;
use edge_ingest::{Ingest, request};
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request};
use serde_json::{Value, json};
use std::sync::Arc;
use store::directory::{Directory, Edge, SealedSecret};
use store::memory::MemoryTable;

pub const BATCH: &str = "application/cloudevents-batch+json";
pub const SINGLE: &str = "application/cloudevents+json";

pub struct World {
    pub ingest: Ingest<TableEdges, MemoryQueue, MemoryAside>,
    pub table: Arc<MemoryTable>,
    vault: Arc<MemoryVault>,
    pub edge: Edge,
    pub key: SigningKey,
    pub now: Timestamp,
}

pub struct Answer {
    pub status: u16,
    pub headers: lambda_http::http::HeaderMap,
    pub body: Value,
}

impl World {
    pub async fn new() -> Self {
        let (table, vault) = (Arc::new(MemoryTable::default()), Arc::new(MemoryVault::default()));
        let now: Timestamp = "2026-11-24T16:05:00Z".parse().unwrap();
        let edge = Edge {
            id: EdgeId::new(ulid::Ulid::from_parts(3, 3)),
            organization_id: OrganizationId::new(ulid::Ulid::from_parts(1, 1)),
            site_id: SiteId::new(ulid::Ulid::from_parts(2, 2)),
            name: "Gate".into(),
            secrets: vec![],
            created_at: now,
            version: 0,
        };
        let ingest = Ingest {
            edges: TableEdges::new(table.clone(), vault.clone()),
            queue: MemoryQueue::default(),
            aside: MemoryAside::default(),
        };
        let key = SigningKey::of_bytes(&[1; 32]).unwrap();
        let mut world = Self { ingest, table, vault, edge, key: key.clone(), now };
        world.set_secrets(&[(&key, None)]).await;
        world
    }

    pub async fn set_secrets(&mut self, keys: &[(&SigningKey, Option<Timestamp>)]) {
        let context = Context::new(&self.edge.organization_id, "edge-secret").with("edge_id", &self.edge.id);
        self.edge.secrets.clear();
        for (key, expires_at) in keys {
            let sealed = self.vault.seal(&context, &Secret::new(key.secret())).await.unwrap();
            self.edge.secrets.push(SealedSecret { sealed, created_at: self.now, expires_at: *expires_at });
        }
        Directory(self.table.as_ref()).put_edge(&mut self.edge).await.unwrap();
    }

    /// The edges of the table as another process knows them.
    pub fn edges(&self) -> TableEdges {
        TableEdges::new(self.table.clone(), self.vault.clone())
    }

    pub fn detection(&self, n: u128) -> Value {
        json!({
            "specversion": "1.0", "id": format!("e-{n}"), "source": format!("/edges/{}", self.edge.id),
            "subject": self.edge.site_id.as_str(), "time": "2026-11-24T16:03:06Z",
            "type": "com.hardhatpulse.detection.recorded.v1",
            "data": {
                "detection_id": ulid::Ulid::from_parts(1_763_999_000_000, n).to_string(),
                "detected_at": "2026-11-24T16:03:05Z", "kind": "zone_breach", "priority": 4, "zone_id": "z1",
                "camera_id": "cam-1", "worker": {"worker_id": "W-1", "role": "Rigger", "trade": "Ironwork"},
                "frame": {"captured_at": "2026-11-24T16:03:05Z"}
            }
        })
    }

    /// A request with a good signature.
    pub fn request(&self, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        let body = body.into();
        let (second, id) = (self.now.as_second(), "msg_1");
        lambda_http::http::Request::post("/v1/edge/events")
            .header("content-type", content_type)
            .header("hhp-edge-id", self.edge.id.as_str())
            .header("webhook-id", id)
            .header("webhook-timestamp", second.to_string())
            .header("webhook-signature", sign(&self.key, id, second, &body))
            .body(Body::Binary(body))
            .unwrap()
    }

    pub async fn send(&self, request: &Request) -> Answer {
        let handled = self.ingest.handle(request, self.now).await;
        let (parts, body) = handled.response.into_parts();
        let body = serde_json::from_slice(&body).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn send_batch(&self, events: &[Value]) -> Answer {
        self.send(&self.request(BATCH, serde_json::to_vec(events).unwrap())).await
    }

    pub fn queued(&self) -> Vec<SiteMessage> {
        self.ingest.queue.messages().iter().map(|m| serde_json::from_str(&m.body).unwrap()).collect()
    }

    pub fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }
}

pub fn with_header(mut request: Request, name: &'static str, value: &str) -> Request {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

pub fn hash(body: &[u8]) -> String {
    request::sha256(body)
}
