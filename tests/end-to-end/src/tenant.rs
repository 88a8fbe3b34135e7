//! A contractor with one site, connected to an account of its own in a platform's sandbox.
use crate::eventually;
use crate::http::{self, Answer};
use domain::signature::{SigningKey, sign};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longer than the 70 s after which a run that met somebody else's write is delivered again; what is awaited usually takes well under
/// a second.
pub const SOON: Duration = Duration::from_secs(90);

pub struct Stack {
    pub api: String,
    pub sandbox: String,
    pub acc_sandbox: String,
    /// The receiver of webhooks that stands for a customer's own.
    pub inbox: String,
    pub aws: String,
    pub region: String,
    pub operator_key: String,
}

impl Stack {
    /// The stack named by `HHP_STACK`.
    pub fn named() -> Self {
        let path = std::env::var("HHP_STACK")
            .expect("HHP_STACK names the stack.json of a running stack: `cargo xtask test` sets it (see src/lib.rs)");
        let path = match std::path::Path::new(&path).is_absolute() {
            true => path.into(),
            false => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path),
        };
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let stack: Value = serde_json::from_str(&text).expect("stack.json is JSON");
        let member = |pointer: &str| {
            stack
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("stack.json has no {pointer}"))
                .to_owned()
        };
        Self {
            api: member("/api_url"),
            sandbox: member("/sandbox/procore_url"),
            acc_sandbox: member("/sandbox/acc_url"),
            inbox: member("/sandbox/webhook_inbox_url"),
            aws: member("/aws_endpoint"),
            region: member("/region"),
            operator_key: member("/operator_key"),
        }
    }

    pub fn operator(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call(&self.operator_key, method, path, &body)
    }

    /// A call with a key. Where the key has had its share of the minute, it waits as long as it is told.
    pub fn call(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        loop {
            let answer = http::json(method, &format!("{}{path}", self.api), Some(key), body);
            match answer.header("retry-after").and_then(|seconds| seconds.parse().ok()) {
                Some(seconds) if answer.status == 429 => std::thread::sleep(Duration::from_secs(seconds)),
                _ => return answer,
            }
        }
    }

    /// A fresh link that lets one safety manager in.
    pub fn setup_link(&self, organization: &str) -> String {
        let path = format!("/v1/organizations/{organization}/setup-links");
        text(&self.operator("POST", &path, json!({})).ok("setup link"), "url")
    }

    /// Steers Procore's sandbox.
    pub fn control(&self, path: &str, body: Value) -> Value {
        self.control_of(Platform::Procore, path, body)
    }

    pub fn control_of(&self, platform: Platform, path: &str, body: Value) -> Value {
        http::json("POST", &format!("{}/_control/{path}", self.url(platform)), None, &body).ok(path)
    }

    pub fn state_of(&self, platform: Platform) -> Value {
        http::call("GET", &format!("{}/_control/state", self.url(platform)), &[], b"").json()
    }

    fn url(&self, platform: Platform) -> &str {
        match platform {
            Platform::Procore => &self.sandbox,
            Platform::Acc => &self.acc_sandbox,
        }
    }
}

/// Where a tenant's records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Procore,
    Acc,
}

pub(crate) fn text(value: &Value, member: &str) -> String {
    match &value[member] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => panic!("no {member} in {value}"),
    }
}

pub struct Tenant {
    pub stack: Stack,
    pub platform: Platform,
    pub organization: String,
    /// The organization's own key, so that polling takes nothing of the operator's share.
    pub key: String,
    pub site: String,
    pub edge: String,
    pub secret: String,
    /// The account and its project, by the platform's ids: Procore's are numbers.
    pub company: Value,
    pub project: Value,
    pub connection: String,
}

impl Tenant {
    /// Of Procore: connected, and pushing detections of priority 3 and more of every kind.
    pub fn new() -> Self {
        Self::on(Platform::Procore)
    }

    /// The same of any platform.
    pub fn on(platform: Platform) -> Self {
        Self::made(platform, json!({"min_priority": 3, "kinds": "all"}))
    }

    pub fn with(observations: Value) -> Self {
        Self::made(Platform::Procore, observations)
    }

    fn made(platform: Platform, observations: Value) -> Self {
        let stack = Stack::named();
        let (company, project) = account(&stack, platform);
        let mut tenant = Self {
            platform,
            organization: text(
                &stack.operator("POST", "/v1/organizations", json!({"name": "Contractor"})).ok("organization"),
                "id",
            ),
            key: String::new(),
            site: String::new(),
            edge: String::new(),
            secret: String::new(),
            connection: String::new(),
            company,
            project,
            stack,
        };
        tenant.key = tenant.make_key(&["read"]);
        tenant.make_site();
        tenant.connect(observations);
        tenant
    }

    /// A key of the organization.
    pub fn make_key(&self, scopes: &[&str]) -> String {
        let path = format!("/v1/organizations/{}/api-keys", self.organization);
        let wanted = json!({"name": "Tests", "scopes": scopes});
        text(&self.stack.operator("POST", &path, wanted).ok("API key"), "key")
    }

    fn make_site(&mut self) {
        let wanted = json!({"name": "Tower", "time_zone": "America/Chicago"});
        let path = format!("/v1/organizations/{}/sites", self.organization);
        self.site = text(&self.stack.operator("POST", &path, wanted).ok("site"), "id");
        self.keep_summary_away();
        let path = format!("/v1/sites/{}/edges", self.site);
        let edge = self.stack.operator("POST", &path, json!({"name": "Rack"})).ok("edge");
        (self.edge, self.secret) = (text(&edge, "id"), text(&edge, "secret"));
    }

    /// A day that is cut off in the midst of a test puts a note of its own between what the test sends: from an hour before the
    /// default of 17:00 the site has another one.
    fn keep_summary_away(&self) {
        let now = jiff::Timestamp::now().in_tz("America/Chicago").expect("a clock");
        if !(16..18).contains(&now.hour()) {
            return;
        }
        let path = format!("{}/v1/sites/{}/daily-summary", self.stack.api, self.site);
        let authorization = format!("Bearer {}", self.stack.operator_key);
        let headers =
            [("authorization", authorization.as_str()), ("content-type", "application/json"), ("if-match", "*")];
        crate::http::call("PUT", &path, &headers, br#"{"at":"12:00"}"#).ok("the hour");
    }

    fn connect(&mut self, observations: Value) {
        let wanted = match self.platform {
            Platform::Procore => json!({"provider": "procore", "company_id": self.company}),
            Platform::Acc => json!({"provider": "acc", "account_id": self.company, "region": "US"}),
        };
        let mut wanted = wanted;
        wanted["organization_id"] = self.organization.clone().into();
        self.connection = text(&self.stack.operator("POST", "/v1/connections", wanted).ok("connection"), "id");
        let settings = json!({"site_id": self.site, "observations": observations});
        let path = format!("/v1/connections/{}/projects/{}", self.connection, plain(&self.project));
        self.stack.operator("PUT", &path, settings).ok("project settings");
    }

    /// Sends a batch, signed.
    pub fn send(&self, events: &[Value]) -> Answer {
        static WEBHOOKS: AtomicU64 = AtomicU64::new(0);
        let id = format!(
            "msg_{}_{}",
            ulid::Ulid::from_parts(jiff::Timestamp::now().as_millisecond().unsigned_abs(), 0).to_string(),
            WEBHOOKS.fetch_add(1, Ordering::SeqCst)
        );
        self.send_as(&id, Value::from(events.to_vec()).to_string().as_bytes())
    }

    /// Sends a body under a webhook id of the caller's.
    pub fn send_as(&self, id: &str, body: &[u8]) -> Answer {
        self.send_signed(&self.edge, id, jiff::Timestamp::now().as_second(), &self.secret, body)
    }

    pub fn send_signed(&self, edge: &str, id: &str, at: i64, secret: &str, body: &[u8]) -> Answer {
        let key = SigningKey::parse(secret).expect("a secret of the API");
        let headers = [
            ("content-type", "application/cloudevents-batch+json"),
            ("hhp-edge-id", edge),
            ("webhook-id", id),
            ("webhook-timestamp", &at.to_string()),
            ("webhook-signature", &sign(&key, id, at, body)),
        ];
        http::call("POST", &format!("{}/v1/edge/events", self.stack.api), &headers, body)
    }

    /// Sends events that must all be taken.
    pub fn take(&self, events: &[Value]) {
        let answer = self.send(events);
        assert_eq!(answer.status, 202, "{}", answer.text);
        assert_eq!(answer.json(), json!({"accepted": events.len(), "rejected": []}));
    }

    /// Records of this tenant's project in the sandbox: `observations`, `incidents`. Each has `title`, `description`, `status` and
    /// `comments`, whatever the platform calls them.
    pub fn remote(&self, kind: &str) -> Vec<Value> {
        let state = self.state();
        let rows = |name: &str| state[name].as_array().cloned().unwrap_or_default();
        let mut records = match self.platform {
            Platform::Procore => rows(kind),
            Platform::Acc if kind == "forms" => rows(kind),
            Platform::Acc => rows("issues"),
        };
        records.retain(|record| record["project_id"] == self.project && record["deleted"].is_null());
        for record in &mut records {
            match self.platform {
                Platform::Procore if kind == "observations" => record["title"] = record["name"].clone(),
                Platform::Acc if kind != "forms" => {
                    let mut said = rows("comments");
                    said.retain(|comment| comment["issue_id"] == record["id"]);
                    record["comments"] = said.into_iter().map(|comment| comment["body"].clone()).collect();
                    for member in ["title", "description", "status", "published", "locationDetails"] {
                        record[member] = record["fields"][member].clone();
                    }
                }
                Platform::Procore | Platform::Acc => {}
            }
        }
        // Both are issues: an incident's title says so.
        let is_incident =
            |record: &Value| record["title"].as_str().is_some_and(|title| title.starts_with("Recordable"));
        if self.platform == Platform::Acc && kind != "forms" {
            records.retain(|record| is_incident(record) == (kind == "incidents"));
        }
        records
    }

    /// All that stands in the tenant's sandbox, of others too.
    pub fn state(&self) -> Value {
        self.stack.state_of(self.platform)
    }

    /// A person changes members of a record.
    pub fn person_edits(&self, kind: &str, record: &Value, fields: Value) {
        let edit = match self.platform {
            Platform::Procore => json!({"kind": kind, "id": record["id"], "fields": fields}),
            Platform::Acc => json!({"action": "update", "issue_id": record["id"], "fields": fields}),
        };
        self.stack.control_of(self.platform, "person-edit", edit);
    }

    /// Waits for so many records, then makes sure that the lane is at rest and there are no more.
    pub fn settled(&self, kind: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} {kind}"), SOON, || (self.remote(kind).len() >= count).then_some(()));
        self.at_rest();
        let records = self.remote(kind);
        assert_eq!(records.len(), count, "{records:#?}");
        records
    }

    /// Waits until nothing is pending.
    pub fn at_rest(&self) {
        eventually("nothing pending", SOON, || self.records("pending").is_empty().then_some(()));
    }

    pub fn records(&self, state: &str) -> Vec<Value> {
        let path = format!("/v1/connections/{}/records?state={state}", self.connection);
        let list = self.get(&path).ok("records");
        list["data"].as_array().cloned().unwrap_or_default()
    }

    /// Reads with the organization's own key.
    pub fn get(&self, path: &str) -> Answer {
        self.stack.call(&self.key, "GET", path, &Value::Null)
    }

    /// A fault of this tenant's calls only.
    pub fn fault(&self, rule: Value) {
        let mut rule = rule;
        match self.platform {
            Platform::Procore => rule["company"] = self.company.clone(),
            Platform::Acc => rule["path"] = self.project.clone(),
        }
        self.stack.control_of(self.platform, "faults", rule);
    }

    /// Calls of this tenant that the sandbox answered, by operation.
    pub fn calls(&self, operation: &str) -> Vec<Value> {
        let all = self.state()["calls"].as_array().cloned().unwrap_or_default();
        let ours = |call: &Value| match self.platform {
            Platform::Procore => call["company"] == self.company || call["company_id"] == self.company,
            Platform::Acc => call["path"].as_str().is_some_and(|path| path.contains(&plain(&self.project))),
        };
        all.into_iter().filter(|call| ours(call) && call["operation_id"] == operation).collect()
    }

    pub fn no_violations(&self) {
        let state = self.state();
        assert_eq!(state["violations"], json!([]));
    }
}

/// A new account of the platform with one project.
fn account(stack: &Stack, platform: Platform) -> (Value, Value) {
    match platform {
        Platform::Procore => {
            let zone =
                json!({"name": "Tower", "tz_name": "America/Chicago", "time_zone": "Central Time (US & Canada)"});
            let seed = json!({"company": {"name": "Contractor", "projects": [zone]}});
            let company = stack.control("seed", seed)["id"].clone();
            let state = stack.state_of(platform);
            let projects = state["projects"].as_array().expect("projects");
            let ours = projects.iter().find(|p| p["company_id"] == company).expect("the new company's project");
            (company, ours["id"].clone())
        }
        Platform::Acc => {
            let project = json!({"name": "Tower", "timezone": "America/Chicago"});
            let seed = json!({"account": {"name": "Contractor", "region": "US", "projects": [project]}});
            let made = stack.control_of(platform, "seed", seed);
            (made["id"].clone(), made["projects"][0]["id"].clone())
        }
    }
}

/// An id as it stands in an address.
fn plain(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

impl Default for Tenant {
    fn default() -> Self {
        Self::new()
    }
}
