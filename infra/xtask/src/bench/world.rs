//! What the bench talks to: the stack through its public API, and the counters of the emulator and the sandbox.
use crate::day::random::Random;
use crate::demo::Api;
use crate::error::{Error, Result, unexpected};
use crate::http;
use crate::replay::{self, Sender};
use crate::stack::{Edge, Stack};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub struct World {
    pub stack: Stack,
    procore: String,
    random: RefCell<Random>,
}

/// A site that sends; `project` where its detections of priority 5 are pushed.
pub struct Sending {
    pub organization_id: String,
    pub sender: Sender,
    pub project: Option<i64>,
}

impl World {
    pub fn open(stack: &str) -> Result<Self> {
        let stack: Stack = serde_json::from_str(stack).map_err(|e| unexpected("stack.json", e))?;
        let sandbox = stack.sandbox.as_ref().ok_or_else(|| Error::Usage("The bench needs the sandbox.".into()))?;
        let procore = sandbox.procore_url.clone();
        Ok(Self { stack, procore, random: RefCell::new(Random::new(7)) })
    }

    /// A new contractor with a site; connected, if wanted, to a new company of the sandbox.
    pub fn contractor(&self, pushed: bool) -> Result<Sending> {
        let api = self.api();
        let organization = api.create("/v1/organizations", json!({"name": "Bench"}), "id")?;
        let wanted = json!({"name": "Bench", "time_zone": "America/Chicago"});
        let site_id = api.create(&format!("/v1/organizations/{organization}/sites"), wanted, "id")?;
        let edge = api.call("POST", &format!("/v1/sites/{site_id}/edges"), json!({"name": "Bench"}))?;
        let part = |member| http::text(&edge, member, "the new edge");
        let sender = Sender { site_id, edge: Edge { id: part("id")?, secret: part("secret")? } };
        let project = if pushed { Some(self.connect(&api, &organization, &sender)?) } else { None };
        Ok(Sending { organization_id: organization, sender, project })
    }

    fn connect(&self, api: &Api, organization: &str, sender: &Sender) -> Result<i64> {
        let project = json!({"name": "Bench", "tz_name": "America/Chicago", "time_zone": "Central Time (US & Canada)"});
        let seeded = self.control("seed", &json!({"company": {"name": "Bench", "projects": [project]}}))?;
        let company = http::text(&seeded, "id", "the new company")?;
        let state = self.state()?;
        let projects = state["projects"].as_array().cloned().unwrap_or_default();
        let ours = projects.iter().find(|p| p["company_id"] == seeded["id"]);
        let project = ours.and_then(|p| p["id"].as_i64()).ok_or_else(|| unexpected("the sandbox", "no project"))?;
        let wanted = json!({"organization_id": organization, "provider": "procore", "company_id": company});
        let connection = api.create("/v1/connections", wanted, "id")?;
        let settings = json!({"site_id": sender.site_id, "observations": {"min_priority": 5, "kinds": "all"}});
        api.call("PUT", &format!("/v1/connections/{connection}/projects/{project}"), settings)?;
        Ok(project)
    }

    /// Sends detections in batches of 25; each `every`-th is one that is pushed.
    pub fn send(&self, sending: &Sending, detections: usize, every: usize) -> Result<()> {
        let events = self.detections(sending, detections, every);
        for batch in events.chunks(25) {
            let accepted = replay::post(&self.stack.api_url, &sending.sender, batch)?;
            if accepted != batch.len() {
                return Err(unexpected("a batch", format!("{accepted} of {} events accepted", batch.len())));
            }
        }
        Ok(())
    }

    pub fn detections(&self, sending: &Sending, detections: usize, every: usize) -> Vec<Value> {
        (0..detections).map(|n| self.detection(sending, (n + 1) % every == 0)).collect()
    }

    fn detection(&self, sending: &Sending, pushed: bool) -> Value {
        let now = Timestamp::now();
        let mut id = self.random.borrow_mut();
        let id = id.ulid(now);
        json!({
            "specversion": "1.0", "id": id, "source": format!("/edges/{}", sending.sender.edge.id),
            "subject": sending.sender.site_id, "time": now, "type": "com.hardhatpulse.detection.recorded.v1",
            "data": {"detection_id": id, "detected_at": now, "kind": "zone_breach", "priority": if pushed { 5 } else { 1 },
                     "zone_id": "crane-2", "camera_id": "cam-07", "confidence": 0.93,
                     "worker": {"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"},
                     "frame": {"captured_at": now, "index": 12}},
        })
    }

    pub fn api(&self) -> Api<'_> {
        Api { url: &self.stack.api_url, key: &self.stack.operator_key }
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        let authorization = format!("Bearer {}", self.stack.operator_key);
        let url = format!("{}{path}", self.stack.api_url);
        http::request("GET", &url, &[("authorization", &authorization)], None)?.ok(path)?.json(path)
    }

    /// Where customers' receivers are.
    pub fn inbox(&self) -> Result<&str> {
        let url = self.stack.sandbox.as_ref().and_then(|sandbox| sandbox.webhook_inbox_url.as_deref());
        url.ok_or_else(|| Error::Usage("The bench needs the webhook inbox.".into()))
    }

    /// A receiver with what came in.
    pub fn receiver(&self, name: &str) -> Result<Value> {
        http::request("GET", &format!("{}/{name}", self.inbox()?), &[], None)?.ok(name)?.json(name)
    }

    pub fn change_receiver(&self, name: &str, change: &Value) -> Result<()> {
        let headers = [("content-type", "application/json")];
        let (url, body) = (format!("{}/_control/boxes/{name}", self.inbox()?), change.to_string());
        http::request("POST", &url, &headers, Some(body.as_bytes()))?.ok(name)?;
        Ok(())
    }

    /// AWS requests by operation, and write units, since the emulator started.
    pub fn counts(&self) -> Result<BTreeMap<String, f64>> {
        let what = "the emulator's counts";
        let answer = http::request("GET", &format!("{}/_hhp/counts", self.stack.aws_endpoint), &[], None)?;
        serde_json::from_value(answer.ok(what)?.json(what)?).map_err(|e| unexpected(what, e))
    }

    pub fn state(&self) -> Result<Value> {
        let what = "the sandbox's state";
        http::request("GET", &format!("{}/_control/state", self.procore), &[], None)?.ok(what)?.json(what)
    }

    /// Calls that the sandbox took, oldest first.
    pub fn calls(&self) -> Result<Vec<Value>> {
        Ok(self.state()?["calls"].as_array().cloned().unwrap_or_default())
    }

    pub fn control(&self, path: &str, body: &Value) -> Result<Value> {
        let headers = [("content-type", "application/json")];
        let body = body.to_string();
        let url = format!("{}/_control/{path}", self.procore);
        let answer = http::request("POST", &url, &headers, Some(body.as_bytes()))?.ok(path)?;
        answer.json(path).or(Ok(Value::Null))
    }

    /// How many observations stand in a project.
    pub fn records(&self, project: i64) -> Result<usize> {
        let state = self.state()?;
        let all = state["observations"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(all.iter().filter(|record| record["project_id"] == project).count())
    }

    /// Polls until `done`; says how long it took.
    pub fn wait(&self, what: &str, pause: Duration, mut done: impl FnMut() -> Result<bool>) -> Result<Duration> {
        let since = Instant::now();
        while !done()? {
            if since.elapsed() > Duration::from_secs(900) {
                return Err(unexpected(what, "not within 15 minutes"));
            }
            std::thread::sleep(pause);
        }
        Ok(since.elapsed())
    }
}
