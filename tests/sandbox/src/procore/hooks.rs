//! Webhooks: hooks with triggers, and the events that wait to be delivered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::access::Editor;
use super::state::World;

const KEPT_DELIVERIES: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    Create,
    Update,
    Delete,
}

impl EventKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What can be subscribed, by scope. Injuries are not among it.
pub(crate) const PROJECT_RESOURCES: [(&str, &[EventKind]); 8] = [
    ("Incidents", &ALL),
    ("Observation Items", &ALL),
    ("Observation Item Response Logs", &[EventKind::Create]),
    ("Accident Logs", &ALL),
    ("Safety Violation Logs", &ALL),
    ("Notes Logs", &ALL),
    ("Locations", &ALL),
    ("Project Users", &ALL),
];
pub(crate) const COMPANY_RESOURCES: [(&str, &[EventKind]); 2] =
    [("Projects", &[EventKind::Create, EventKind::Update]), ("Trades", &[EventKind::Create, EventKind::Delete])];
const ALL: [EventKind; 3] = [EventKind::Create, EventKind::Update, EventKind::Delete];

#[derive(Clone, Debug, Serialize)]
pub struct Hook {
    pub id: i64,
    pub company_id: i64,
    pub project_id: Option<i64>,
    /// `v2.0` or `v4.0`; v1 hooks say `v2`.
    pub payload_version: String,
    pub namespace: Option<String>,
    pub destination_url: String,
    #[serde(skip)]
    pub authorization: Option<String>,
    pub active: bool,
    pub created_at: Timestamp,
    #[serde(skip)]
    pub(crate) triggers: BTreeMap<i64, (String, EventKind)>,
}

/// One event on its way to one hook.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub id: i64,
    pub hook_id: i64,
    pub destination_url: String,
    pub payload: Value,
    /// `enqueued`, `retrying`, `delivered`, `discarded`
    pub status: String,
    pub attempts: u32,
    pub response_status: Option<u16>,
    pub error: Option<String>,
    pub at: Timestamp,
}

#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) hooks: BTreeMap<i64, Hook>,
    pub(crate) deliveries: BTreeMap<i64, Delivery>,
    /// Not yet delivered, in their order, by destination: one failure holds up all that follows.
    pub(crate) queues: BTreeMap<String, VecDeque<i64>>,
    /// Destinations that are being worked on.
    pub(crate) busy: BTreeSet<String>,
    /// Grows with each reset: who works for an older one stops.
    pub(crate) era: u64,
}

impl World {
    /// Says that a record changed: to every hook that asked for it.
    pub(crate) fn raise(&mut self, editor: &Editor, project_id: i64, resource: &str, id: i64, kind: EventKind) {
        let wants = |hook: &&Hook| {
            hook.active
                && hook.company_id == editor.company_id
                && hook.project_id.is_none_or(|project| project == project_id)
                && hook.triggers.values().any(|(name, event)| name == resource && *event == kind)
        };
        let hooks: Vec<Hook> = self.hooks.hooks.values().filter(wants).cloned().collect();
        for hook in hooks {
            let application = editor.client_id.as_deref().filter(|_| !self.settings.hide_source_application);
            let event = || payload(&hook, editor, application, project_id, resource, id, kind);
            let first = event();
            for copy in 0..self.settings.deliveries_per_event {
                let another = copy > 0 && self.settings.duplicate_ids_differ;
                let payload = if another { event() } else { first.clone() };
                let delivery_id = self.id();
                self.hooks.enqueue(delivery_id, &hook, payload, editor.now);
            }
        }
    }
}

impl Hooks {
    fn enqueue(&mut self, id: i64, hook: &Hook, payload: Value, at: Timestamp) {
        let destination_url = hook.destination_url.clone();
        self.queues.entry(destination_url.clone()).or_default().push_back(id);
        let status = "enqueued".to_owned();
        let delivery = Delivery {
            id,
            hook_id: hook.id,
            destination_url,
            payload,
            status,
            attempts: 0,
            response_status: None,
            error: None,
            at,
        };
        self.deliveries.insert(id, delivery);
        while self.deliveries.len() > KEPT_DELIVERIES {
            self.deliveries.pop_first();
        }
    }
}

fn payload(
    hook: &Hook,
    editor: &Editor,
    application: Option<&str>,
    project_id: i64,
    resource: &str,
    id: i64,
    kind: EventKind,
) -> Value {
    let ulid = ulid::Ulid::generate().to_string();
    let timestamp = editor.now.to_string();
    if hook.payload_version == "v4.0" {
        return json!({"id": ulid, "timestamp": timestamp, "reason": kind.as_str(), "resource_type": resource,
            "resource_id": id.to_string(), "company_id": editor.company_id.to_string(),
            "project_id": project_id.to_string(), "user_id": editor.user_id.to_string()});
    }
    // Nineteen digits: what goes through a double comes back as another number.
    let event_id = 5_000_000_000_000_000_000 + rand::random_range(0..900_000_000_000_000_000_i64);
    let mut event = json!({"id": event_id, "ulid": ulid, "timestamp": timestamp, "user_id": editor.user_id,
        "company_id": editor.company_id, "project_id": project_id, "api_version": hook.payload_version,
        "event_type": kind.as_str(), "resource_name": resource, "resource_id": id,
        // What repeats the outer members is nulled.
        "metadata": {"source_user_id": null, "source_company_id": null, "source_project_id": null,
            "source_application_id": application, "source_operation_id": null}});
    if hook.payload_version == "v3.0" {
        event["related_resources"] = json!([]);
    }
    event
}

/// The Authorization value as the platform gives it back.
pub(crate) fn masked(value: &str) -> String {
    let last: String = value.chars().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect();
    format!("*****{last}")
}
