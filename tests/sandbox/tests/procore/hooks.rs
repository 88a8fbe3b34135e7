use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use sandbox::procore::Options;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::{Rig, rig, rig_with};

/// An endpoint that answers what it is told to, in order, and 204 after that.
struct Inbox {
    url: String,
    events: mpsc::UnboundedReceiver<(String, Value)>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

type Shared = (mpsc::UnboundedSender<(String, Value)>, Arc<Mutex<Vec<StatusCode>>>);

async fn receive(State((sender, answers)): State<Shared>, headers: HeaderMap, Json(event): Json<Value>) -> StatusCode {
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().expect("text"));
    sender.send((authorization.to_owned(), event)).expect("the test listens");
    answers.lock().expect("answers").pop().unwrap_or(StatusCode::NO_CONTENT)
}

async fn inbox() -> Inbox {
    let (sender, events) = mpsc::unbounded_channel();
    let answers = Arc::new(Mutex::new(Vec::new()));
    let router = Router::new().route("/hook", post(receive)).with_state((sender, Arc::clone(&answers)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Inbox { url, events, answers }
}

impl Inbox {
    async fn next(&mut self) -> (String, Value) {
        tokio::time::timeout(Duration::from_secs(10), self.events.recv()).await.expect("in time").expect("an event")
    }
}

async fn hook_v2(rig: &Rig, url: &str) -> i64 {
    let base = format!("/rest/v2.0/companies/{}/projects/{}/webhooks/hooks", rig.company, rig.project);
    let body = json!({"payload_version": "v4.0", "namespace": "hardhat-pulse", "destination_url": url,
        "destination_headers": {"Authorization": "Bearer key-12345"}});
    let made = rig.post(&base, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["data"]["destination_headers"]["Authorization"], "*****12345");
    let id: i64 = made.body["data"]["id"].as_str().expect("a string id").parse().expect("a number");
    let triggers = json!([{"resource_name": "Incidents", "event_type": "create"}, {"resource_name": "Incidents", "event_type": "update"}]);
    assert_eq!(rig.post(&format!("{base}/{id}/triggers/bulk"), triggers).await.status, 201);
    id
}

#[tokio::test]
async fn version_two_hooks_deliver_v4_with_the_authorization() {
    let rig = rig().await;
    let mut inbox = inbox().await;
    hook_v2(&rig, &inbox.url).await;
    let id = rig.incident("x").await;
    let (authorization, event) = inbox.next().await;
    assert_eq!(authorization, "Bearer key-12345");
    let expected = [
        ("reason", "create".to_owned()),
        ("resource_type", "Incidents".to_owned()),
        ("resource_id", id.to_string()),
        ("company_id", rig.company.to_string()),
        ("project_id", rig.project.to_string()),
        ("user_id", rig.sandbox.companies()[0].service_user.to_string()),
    ];
    for (member, value) in expected {
        assert_eq!(event[member], json!(value), "{member}");
    }
    assert_eq!(event.get("metadata"), None);
    rig.clean();
}

#[tokio::test]
async fn version_one_hooks_deliver_v2_and_injuries_raise_nothing() {
    let rig = rig().await;
    let mut inbox = inbox().await;
    let hook = json!({"project_id": rig.project, "hook": {"api_version": "v2", "namespace": "hardhat-pulse", "destination_url": inbox.url}});
    let hook = rig.post("/rest/v1.0/webhooks/hooks", hook).await.id();
    let trigger = |name: &str, event: &str| json!({"project_id": rig.project, "api_version": "v2", "trigger": {"resource_name": name, "event_type": event}});
    let triggers = format!("/rest/v1.0/webhooks/hooks/{hook}/triggers");
    assert_eq!(rig.post(&triggers, trigger("Incidents", "update")).await.status, 201);
    assert_eq!(rig.post(&triggers, trigger("Injuries", "update")).await.status, 422);
    let id = rig.incident("x").await;
    let edit = |edit: Value| rig.sandbox.person_edit(&serde_json::from_value(edit).expect("an edit")).expect("done");
    edit(json!({"kind": "injury", "fields": {"incident_id": id, "description": "cut"}}));
    edit(json!({"kind": "incident", "id": id, "fields": {"status": "closed"}}));
    let (_, event) = inbox.next().await;
    assert_eq!((&event["event_type"], &event["resource_id"]), (&json!("update"), &json!(id)));
    assert!(event["id"].as_i64().expect("an integer") > 1 << 53, "beyond what a double holds");
    assert_eq!(event["metadata"]["source_application_id"], Value::Null, "a person used no app");
    assert!(inbox.events.try_recv().is_err());
    rig.clean();
}

#[tokio::test]
async fn a_failure_holds_up_what_follows_until_it_is_taken() {
    let rig = rig_with(Options { hook_retry: Duration::from_millis(20), ..Options::default() }).await;
    let mut inbox = inbox().await;
    inbox.answers.lock().expect("answers").extend([StatusCode::SERVICE_UNAVAILABLE; 2]);
    hook_v2(&rig, &inbox.url).await;
    let (first, second) = (rig.incident("1").await, rig.incident("2").await);
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(inbox.next().await.1["resource_id"].as_str().expect("an id").parse::<i64>().expect("a number"));
    }
    assert_eq!(order, [first, first, first, second]);
    assert_eq!(rig.sandbox.deliveries()[0].attempts, 3);
}

#[tokio::test]
async fn duplicates_come_when_asked_for() {
    let rig = rig().await;
    let mut inbox = inbox().await;
    hook_v2(&rig, &inbox.url).await;
    rig.sandbox.set(|settings| settings.deliveries_per_event = 2);
    rig.incident("x").await;
    let (one, two) = (inbox.next().await, inbox.next().await);
    assert_eq!(one, two);
    rig.sandbox.set(|settings| settings.duplicate_ids_differ = true);
    rig.incident("y").await;
    let ((_, one), (_, two)) = (inbox.next().await, inbox.next().await);
    assert_ne!(one["id"], two["id"]);
    assert_eq!((&one["timestamp"], &one["resource_id"]), (&two["timestamp"], &two["resource_id"]));
}

async fn hook_v1(rig: &Rig, url: &str) -> i64 {
    let hook = json!({"project_id": rig.project, "hook": {"api_version": "v2.0", "destination_url": url}});
    let hook = rig.post("/rest/v1.0/webhooks/hooks", hook).await.id();
    let trigger = |version: &str| {
        json!({"project_id": rig.project, "api_version": version,
            "trigger": {"resource_name": "Incidents", "event_type": "create"}})
    };
    let triggers = format!("/rest/v1.0/webhooks/hooks/{hook}/triggers");
    assert_eq!(rig.post(&triggers, trigger("v4.0")).await.status, 422, "the hook speaks another version");
    assert_eq!(rig.post(&triggers, trigger("v2.0")).await.status, 201);
    hook
}

#[tokio::test]
async fn an_event_names_the_application_unless_it_is_nulled() {
    let rig = rig().await;
    let mut inbox = inbox().await;
    hook_v1(&rig, &inbox.url).await;
    rig.incident("x").await;
    let (_, event) = inbox.next().await;
    assert_eq!(event["metadata"]["source_application_id"], "sandbox-client");
    assert_eq!(event["user_id"], rig.sandbox.companies()[0].service_user);
    rig.sandbox.set(|settings| settings.hide_source_application = true);
    rig.incident("y").await;
    assert_eq!(inbox.next().await.1["metadata"]["source_application_id"], Value::Null);
}

#[tokio::test]
async fn pauses_follow_the_sandbox_clock_and_end_in_discarding() {
    let mut rig = rig_with(Options { hook_retry: Duration::from_secs(1000), ..Options::default() }).await;
    let mut inbox = inbox().await;
    inbox.answers.lock().expect("answers").extend([StatusCode::INTERNAL_SERVER_ERROR; 2]);
    hook_v2(&rig, &inbox.url).await;
    rig.incident("1").await;
    inbox.next().await;
    rig.incident("2").await;
    rig.sandbox.advance(999);
    assert!(inbox.events.try_recv().is_err(), "the pause is not over, and what follows waits too");
    // The pause that began with the first failure ends: the second failure is beyond twelve hours.
    rig.sandbox.advance(12 * 3600);
    inbox.next().await;
    while rig.sandbox.deliveries()[0].status != "discarded" {
        tokio::task::yield_now().await;
    }
    rig.token = rig.service_token().await;
    let third = rig.incident("3").await;
    let (_, event) = inbox.next().await;
    assert_eq!(event["resource_id"], json!(third.to_string()), "the next event starts afresh");
    let states: Vec<String> = rig.sandbox.deliveries().into_iter().map(|delivery| delivery.status).collect();
    assert_eq!(states[..2], ["discarded", "discarded"]);
}

#[tokio::test]
async fn a_hook_can_be_deactivated_or_vanish() {
    let rig = rig().await;
    let mut inbox = inbox().await;
    let hook = hook_v2(&rig, &inbox.url).await;
    assert!(rig.sandbox.deactivate_hook(hook));
    rig.incident("unheard").await;
    let base = format!("/rest/v2.0/companies/{}/projects/{}/webhooks/hooks", rig.company, rig.project);
    let shown = rig.get(&format!("{base}/{hook}")).await.body;
    assert_eq!(shown["data"]["status"], "disabled");
    assert_eq!(rig.patch(&format!("{base}/{hook}"), json!({"status": "active"})).await.status, 200);
    let heard = rig.incident("heard").await;
    assert_eq!(inbox.next().await.1["resource_id"], json!(heard.to_string()));
    assert!(rig.sandbox.remove_hook(hook));
    assert_eq!(rig.get(&format!("{base}/{hook}")).await.status, 404);
    rig.clean();
}
