//! A webhook endpoint of a tenant, and the box of the sandbox's inbox that it leads to.
use crate::eventually;
use crate::http::{self, Answer};
use crate::tenant::{SOON, Tenant, text};
use serde_json::{Value, json};

pub const TOKEN: &str = "T0ken-of-the-relay";

pub struct Receiver<'a> {
    pub tenant: &'a Tenant,
    pub id: String,
    pub secret: String,
    key: String,
    name: String,
}

impl<'a> Receiver<'a> {
    /// Makes an endpoint that wants all, waits for its ping, and tells the box its secret.
    pub fn new(tenant: &'a Tenant, platform: &str) -> Self {
        let key = tenant.make_key(&["read", "webhooks:write"]);
        let name = format!("{}-{platform}", tenant.site);
        let mut this = Self { tenant, id: String::new(), secret: String::new(), key, name };
        let wanted = json!({"platform": platform, "name": "Relay", "url": format!("{}/{}", tenant.stack.inbox, this.name),
            "token": TOKEN, "min_priority": 1, "kinds": "all"});
        this.set(json!({"token": TOKEN}));
        let made = tenant.stack.call(&this.key, "POST", "/v1/webhook-endpoints", &wanted).ok("endpoint");
        (this.id, this.secret) = (text(&made, "id"), text(&made, "secret"));
        assert_eq!(made["state"], "untested", "{made}");
        eventually("a ping", SOON, || (!this.arrivals("ping").is_empty()).then_some(()));
        eventually("an active endpoint", SOON, || (this.endpoint()["state"] == "active").then_some(()));
        this.set(json!({"secrets": [this.secret]}));
        this
    }

    /// Changes the box: its secrets, its token, how it answers.
    pub fn set(&self, change: Value) {
        let url = format!("{}/_control/boxes/{}", self.tenant.stack.inbox, self.name);
        http::json("POST", &url, None, &change).ok("the box");
    }

    pub fn answers(&self, answer: Value) {
        self.set(json!({"answer": answer}));
    }

    /// All that came in.
    pub fn all(&self) -> Vec<Value> {
        let answer = http::call("GET", &format!("{}/{}", self.tenant.stack.inbox, self.name), &[], b"");
        match answer.status {
            404 => Vec::new(),
            _ => answer.ok("the box")["arrivals"].as_array().cloned().unwrap_or_default(),
        }
    }

    /// What came in of a type, such as `detection.recorded`.
    pub fn arrivals(&self, kind: &str) -> Vec<Value> {
        let wanted = format!("com.hardhatpulse.{kind}.v1");
        self.all().into_iter().filter(|arrival| arrival["type"] == wanted.as_str()).collect()
    }

    /// Webhook-ids that the box has answered with 2xx for, of a type.
    pub fn taken(&self, kind: &str) -> Vec<String> {
        let taken = self.arrivals(kind).into_iter().filter(|arrival| arrival["status"] == 200);
        let mut ids: Vec<String> = taken.map(|arrival| text(&arrival, "id")).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    pub fn wait_for(&self, kind: &str, count: usize) -> Vec<String> {
        eventually(&format!("{count} {kind}"), SOON, || Some(self.taken(kind)).filter(|ids| ids.len() >= count))
    }

    pub fn call(&self, method: &str, rest: &str, body: Value) -> Answer {
        let path = format!("/v1/webhook-endpoints/{}{rest}", self.id);
        self.tenant.stack.call(&self.key, method, &path, &body)
    }

    pub fn endpoint(&self) -> Value {
        self.call("GET", "", Value::Null).ok("the endpoint")
    }

    /// Changes the endpoint as it stands.
    pub fn change(&self, body: Value) -> Value {
        let etag = self.call("GET", "", Value::Null).header("etag").expect("an ETag").to_owned();
        let url = format!("{}/v1/webhook-endpoints/{}", self.tenant.stack.api, self.id);
        let authorization = format!("Bearer {}", self.key);
        let headers =
            [("content-type", "application/json"), ("authorization", &authorization), ("if-match", etag.as_str())];
        http::call("PATCH", &url, &headers, body.to_string().as_bytes()).ok("the change")
    }

    /// Rows of the delivery log, of a type.
    pub fn deliveries(&self, kind: &str) -> Vec<Value> {
        let rows = self.call("GET", "/deliveries?limit=500", Value::Null).ok("deliveries")["data"].clone();
        let wanted = format!("com.hardhatpulse.{kind}.v1");
        rows.as_array().into_iter().flatten().filter(|row| row["type"] == wanted.as_str()).cloned().collect()
    }

    /// Nothing that came in was wrong in any way.
    pub fn no_problems(&self) {
        for kind in [
            "detection.recorded",
            "incident.confirmed",
            "incident.updated",
            "incident.retracted",
            "summary.daily",
            "ping",
        ] {
            for arrival in self.arrivals(kind) {
                assert_eq!(arrival["problems"], json!([]), "{arrival:#}");
                assert!(!arrival["body"].to_string().contains("W-4711"), "a worker's id left the house: {arrival:#}");
            }
        }
    }
}
