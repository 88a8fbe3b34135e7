use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::{Rig, rig};

const SECRET: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const NEXT: &str = "zyxwvutsrqponmlkjihgfedcba9876543210";

type Events = mpsc::UnboundedReceiver<(Option<String>, String)>;
type Sender = mpsc::UnboundedSender<(Option<String>, String)>;

async fn inbox(status: StatusCode) -> (String, Events) {
    let (sender, events) = mpsc::unbounded_channel();
    let receive = move |State(sender): State<Sender>, headers: HeaderMap, body: String| async move {
        let signature = headers.get("x-adsk-signature").map(|value| value.to_str().expect("text").to_owned());
        sender.send((signature, body)).expect("the test listens");
        status
    };
    let router = Router::new().route("/hook", post(receive)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, events)
}

async fn next(events: &mut Events) -> (Option<String>, Value) {
    let event = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.expect("in time").expect("an event");
    (event.0, serde_json::from_str(&event.1).expect("JSON"))
}

fn hooks(event: &str) -> String {
    format!("/webhooks/v1/systems/autodesk.construction.issues/events/issue.{event}-1.0/hooks")
}

async fn hook(rig: &Rig, event: &str, url: &str) -> String {
    let body = json!({"callbackUrl": url, "scope": {"project": rig.project}});
    let made = rig.call(Method::POST, &hooks(event), Some(body)).await;
    assert_eq!((made.status, &made.body), (201, &json!("")), "no body at all");
    made.headers["location"].to_str().expect("text").rsplit('/').next().expect("an id").to_owned()
}

fn signed(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let hex: String = hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha1hash={hex}")
}

#[tokio::test]
async fn hooks_are_made_listed_and_doubled_only_once() {
    let mut rig = rig().await;
    assert_eq!(rig.get(&hooks("updated")).await.status, 204, "an empty list is nothing");
    let id = hook(&rig, "updated", "http://127.0.0.1:9/x").await;
    assert_eq!(rig.get(&hooks("updated")).await.body["data"][0]["hookId"], json!(id));
    let abroad = format!("{}?region=EMEA", hooks("updated"));
    assert_eq!(rig.get(&abroad).await.status, 204, "each region has its own");
    let body = json!({"callbackUrl": "http://127.0.0.1:9/x", "scope": {"project": rig.project}});
    assert_eq!(rig.call(Method::POST, &hooks("updated"), Some(body.clone())).await.status, 409);
    let gone = rig.call(Method::DELETE, &format!("{}/{id}", hooks("updated")), None).await;
    assert_eq!(gone.status, 204);
    rig.sign_in("superintendent@example.com").await;
    assert_eq!(rig.call(Method::POST, &hooks("updated"), Some(body)).await.status, 403, "not a Project Admin");
    rig.clean();
}

#[tokio::test]
async fn events_are_thin_and_signed_once_there_is_a_secret() {
    let rig = rig().await;
    let (url, mut events) = inbox(StatusCode::NO_CONTENT).await;
    hook(&rig, "created", &url).await;
    hook(&rig, "updated", &url).await;
    let id = rig.issue(rig.body("x")).await;
    let (signature, event) = next(&mut events).await;
    assert_eq!((signature, &event["payload"]["id"]), (None, &json!(id)), "unsigned as long as there is no secret");
    assert_eq!(event["payload"].get("title"), None);
    let secret =
        async |method: Method, path: &str, token: &str| rig.call(method, path, Some(json!({"token": token}))).await;
    assert_eq!(secret(Method::POST, "/webhooks/v1/tokens", SECRET).await.status, 200);
    assert_eq!(secret(Method::POST, "/webhooks/v1/tokens", NEXT).await.status, 400, "there is one already");
    let at = rig.issues(&format!("/{id}"));
    let patch = || rig.call(Method::PATCH, &at, Some(json!({"status": "in_review"})));
    patch().await;
    let (signature, body) = events.recv().await.expect("an event");
    assert_eq!(signature, Some(signed(SECRET, &body)));
    assert!(body.contains("\"changedAttributes\":[\"status\"]"), "{body}");
    assert_eq!(secret(Method::PUT, "/webhooks/v1/tokens/@me", NEXT).await.status, 204);
    patch().await;
    let (signature, body) = events.recv().await.expect("an event");
    assert_eq!(signature, Some(signed(SECRET, &body)), "a new secret takes its time");
    rig.sandbox.advance(601);
    patch().await;
    let (signature, body) = events.recv().await.expect("an event");
    assert_eq!(signature, Some(signed(NEXT, &body)));
    rig.clean();
}

#[tokio::test]
async fn an_event_is_retried_for_two_days_and_then_lost() {
    let rig = rig().await;
    let (url, mut events) = inbox(StatusCode::SERVICE_UNAVAILABLE).await;
    hook(&rig, "created", &url).await;
    rig.issue(rig.body("x")).await;
    for _ in 0..9 {
        next(&mut events).await;
        // The retry may not have begun to wait yet: time goes on until it is sent.
        while events.is_empty() && rig.sandbox.deliveries()[0].status == "waiting" {
            rig.sandbox.advance(3600);
            tokio::task::yield_now().await;
        }
    }
    assert_eq!((rig.sandbox.deliveries()[0].attempts, rig.sandbox.deliveries()[0].status.as_str()), (9, "lost"));
}
