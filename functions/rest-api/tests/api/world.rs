//! A running API over in-memory twins, and a client that speaks to it.
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use credentials::{MemoryParameters, MemoryVault, Vault, operator_key_hash};
use jiff::{SignedDuration, Timestamp};
use people::PublicUrl;
use rest_api::{AppState, Services, app};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::Table;
use store::bell::{Bell, MemoryBell};
use store::memory::MemoryTable;
use store::outbox::MemoryOutbox;
use tower::ServiceExt;
use webhook::Guard;
use webhook::names::MemoryNames;
use webhook::post::{MemoryPost, Reply};

pub const OPERATOR: &str = "hhp_op_0123456789abcdef0123456789abcdef";

pub struct World {
    pub app: Router,
    pub table: Arc<MemoryTable>,
    pub bell: Arc<MemoryBell>,
    pub outbox: Arc<MemoryOutbox>,
    pub vault: Arc<MemoryVault>,
    pub parameters: Arc<MemoryParameters>,
    /// Where tests of webhook endpoints arrive.
    pub post: Arc<MemoryPost>,
    now: Arc<Mutex<Timestamp>>,
}

/// What came back: JSON, or a text.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

/// An organization with a site and a key of all scopes.
pub struct Tenant {
    pub organization: String,
    pub site: String,
    pub key: String,
    pub key_id: String,
}

impl World {
    pub fn new() -> Self {
        let (table, bell) = (Arc::new(MemoryTable::default()), Arc::new(MemoryBell::default()));
        Self::over(table.clone(), table, bell.clone(), bell)
    }

    /// With stand-ins before the table and the bell.
    pub fn over(used: Arc<dyn Table>, table: Arc<MemoryTable>, rung: Arc<dyn Bell>, bell: Arc<MemoryBell>) -> Self {
        let now = Arc::new(Mutex::new("2026-11-24T16:03:05Z".parse::<Timestamp>().unwrap()));
        let vault = Arc::new(MemoryVault::default());
        let name = "/test/operator-key-sha256";
        let parameters = Arc::new(MemoryParameters::of([(name, operator_key_hash(OPERATOR).as_str())]));
        let outbox = Arc::new(MemoryOutbox::default());
        let post = Arc::new(MemoryPost::answering(|got| {
            let refused = got.token.as_deref() == Some("wrong-token");
            Reply { status: Some(if refused { 401 } else { 202 }), retry_after: None }
        }));
        let clock = now.clone();
        let services = Services {
            table: used,
            bell: rung,
            outbox: outbox.clone(),
            vault: vault.clone(),
            parameters: parameters.clone(),
            footage: Arc::new(store::footage::MemoryFootage),
            guard: Guard::new(false, &["https://pulse.example"]),
            names: Arc::new(MemoryNames),
            post: post.clone(),
            clock: Arc::new(move || *clock.lock().unwrap()),
            stack: "test".into(),
            public_url: PublicUrl::new("https://pulse.example").unwrap(),
        };
        Self { app: app(AppState::new(services)), table, bell, outbox, vault, parameters, post, now }
    }

    pub fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    pub fn pass(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let json = |kind: &HeaderValue| kind.to_str().unwrap().contains("json");
        let body = match parts.headers.get("content-type") {
            Some(kind) if !bytes.is_empty() && json(kind) => serde_json::from_slice(&bytes).unwrap(),
            _ if bytes.is_empty() => Value::Null,
            _ => Value::String(String::from_utf8(bytes.to_vec()).unwrap()),
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn call_with(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, key: &str, path: &str) -> Answer {
        self.call_with(key, "GET", path, None, &[]).await
    }

    pub async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.call_with(key, "POST", path, Some(body), &[]).await
    }

    /// POST that must succeed.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.post(OPERATOR, path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.body
    }

    pub async fn organization(&self, name: &str) -> String {
        id(&self.made("/v1/organizations", json!({"name": name})).await)
    }

    pub async fn site(&self, organization: &str, name: &str) -> String {
        let path = format!("/v1/organizations/{organization}/sites");
        id(&self.made(&path, json!({"name": name, "time_zone": "America/Chicago"})).await)
    }

    pub async fn key(&self, organization: &str, scopes: &[&str], sites: Option<&[&str]>) -> (String, String) {
        let path = format!("/v1/organizations/{organization}/api-keys");
        let made = self.made(&path, json!({"name": "a tool", "scopes": scopes, "site_ids": sites})).await;
        (made["key"].as_str().unwrap().to_owned(), id(&made))
    }

    pub async fn tenant(&self, name: &str) -> Tenant {
        let organization = self.organization(name).await;
        let site = self.site(&organization, "North Tower").await;
        let scopes = ["read", "treatment:write", "webhooks:write", "connections:write"];
        let (key, key_id) = self.key(&organization, &scopes, None).await;
        Tenant { organization, site, key, key_id }
    }

    pub async fn connection(&self, organization: &str, company: &str) -> String {
        let body = json!({"organization_id": organization, "provider": "procore", "company_id": company});
        id(&self.made("/v1/connections", body).await)
    }

    /// Maps a project and gives its ETag.
    pub async fn project(&self, key: &str, connection: &str, project: &str, site: &str) -> String {
        let path = format!("/v1/connections/{connection}/projects/{project}");
        let answer = self.call_with(key, "PUT", &path, Some(json!({"site_id": site})), &[]).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.header("etag")
    }

    pub async fn open_edge_secret(&self, organization: &str, edge: &str, sealed: &str) -> String {
        let context = credentials::Context::new(organization, "edge-secret").with("edge_id", edge);
        self.vault.open(&context, sealed).await.unwrap().expose().to_owned()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} header")).to_str().unwrap().to_owned()
    }

    /// Asserts a well-formed refusal and gives where it points.
    #[track_caller]
    pub fn refused(&self, status: u16) -> Vec<String> {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.body);
        assert!(self.body["request_id"].as_str().unwrap().starts_with("req_"));
        let place = |e: &Value| e.get("pointer").or(e.get("parameter")).unwrap().as_str().unwrap().to_owned();
        self.body["errors"].as_array().expect("errors, if only none").iter().map(place).collect()
    }
}

pub fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}
