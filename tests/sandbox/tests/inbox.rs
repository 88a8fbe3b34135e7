//! The webhook inbox from outside: it takes what is right, refuses what is not, and is as unkind as it is told.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::header::ACCEPT;
use reqwest::{Client, RequestBuilder};
use ring::hmac;
use sandbox::inbox::{Inbox, Options, Running};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Rig {
    inbox: Running,
    http: Client,
}

async fn rig() -> Rig {
    let inbox = Inbox::start(Options::default()).await.expect("the inbox starts");
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_millis(400));
    Rig { inbox, http: http.build().expect("a client") }
}

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/sites/1", "type": "com.example.thing.v1",
        "time": "2026-11-24T16:00:00Z", "data": {"title": "A thing"}})
}

impl Rig {
    fn signed(&self, name: &str, id: &str, body: &Value, secret: &str) -> RequestBuilder {
        let (body, at) = (body.to_string(), Timestamp::now().as_second());
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{at}.{body}").as_bytes());
        self.http
            .post(format!("{}/{name}", self.inbox.url()))
            .header("content-type", "application/cloudevents+json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)))
            .body(body)
    }

    async fn send(&self, name: &str, id: &str, body: &Value) -> u16 {
        self.signed(name, id, body, SECRET).send().await.expect("answered").status().as_u16()
    }
}

#[tokio::test]
async fn a_signed_message_is_taken_once_and_shown() {
    let rig = rig().await;
    // Before its secret is known, a box takes what it can't verify, and says so.
    assert_eq!(rig.send("site", "msg_0", &event("msg_0")).await, 200);
    rig.inbox.set_secrets("site", &[SECRET]);
    for _ in 0..2 {
        assert_eq!(rig.send("site", "msg_1", &event("msg_1")).await, 200);
    }
    let arrivals = rig.inbox.arrivals("site");
    let verified: Vec<Option<bool>> = arrivals.iter().map(|arrival| arrival.verified).collect();
    assert_eq!(verified, [None, Some(true), Some(true)]);
    assert!(arrivals.iter().all(|arrival| arrival.problems.is_empty()), "{arrivals:?}");
    let at = format!("{}/site", rig.inbox.url());
    let told: Value = rig.http.get(&at).send().await.expect("answered").json().await.expect("JSON");
    assert_eq!(told["box"]["taken"], json!(["msg_0", "msg_1"]));
    assert_eq!(told["arrivals"][1]["body"]["data"]["title"], "A thing");
    let page = rig.http.get(&at).header(ACCEPT, "text/html").send().await.expect("answered").text().await;
    let page = page.expect("a page");
    assert!(page.contains("signature verified") && page.contains("A thing"), "{page}");
    assert!(!page.contains("Nothing yet"));
}

#[tokio::test]
async fn what_is_not_right_is_refused() {
    let rig = rig().await;
    rig.inbox.set_secrets("site", &["whsec_AAAA", SECRET]);
    rig.inbox.set_token("site", Some("T0ken"));
    let send = async |request: RequestBuilder| request.send().await.expect("answered").status().as_u16();
    let good = |id: &str| rig.signed("site", id, &event(id), SECRET).bearer_auth("T0ken");
    assert_eq!(send(good("msg_1")).await, 200);
    assert_eq!(send(rig.signed("site", "msg_2", &event("msg_2"), SECRET)).await, 401, "no token");
    assert_eq!(send(rig.signed("site", "msg_2", &event("msg_2"), "whsec_BBBB").bearer_auth("T0ken")).await, 401);
    let mut other = event("msg_1");
    other["data"]["title"] = "Another thing".into();
    assert_eq!(send(rig.signed("site", "msg_1", &other, SECRET).bearer_auth("T0ken")).await, 409);
    let bare = json!({"title": "no event"});
    assert_eq!(send(rig.signed("site", "msg_3", &bare, SECRET).bearer_auth("T0ken")).await, 400, "no event");
    assert_eq!(send(rig.signed("site", "msg_4", &event("msg_5"), SECRET).bearer_auth("T0ken")).await, 400);
    assert_eq!(send(rig.http.put(format!("{}/site", rig.inbox.url()))).await, 405);
    let state: Value = rig.http.get(rig.inbox.url()).send().await.expect("answered").json().await.expect("JSON");
    assert_eq!(state["boxes"][0]["taken"], json!(["msg_1"]));
}

#[tokio::test]
async fn a_schema_that_is_named_is_held_to() {
    let rig = rig().await;
    let schema = json!({"type": "object", "required": ["title", "url"]});
    let mut body = event("msg_1");
    body["dataschema"] = json!(format!("{}/_control/nothing", rig.inbox.url()));
    assert_eq!(rig.send("site", "msg_1", &body).await, 422, "a schema that is not there");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served =
        axum::Router::new().route("/schema.json", axum::routing::get(move || async move { axum::Json(schema) }));
    tokio::spawn(async move { axum::serve(listener, served).await });
    let mut body = event("msg_2");
    body["dataschema"] = json!(format!("http://{address}/schema.json"));
    assert_eq!(rig.send("site", "msg_2", &body).await, 422);
    let problems = rig.inbox.arrivals("site")[1].problems.clone();
    assert!(problems[0].contains("url"), "{problems:?}");
    body["id"] = "msg_3".into();
    body["data"]["url"] = "https://example.com".into();
    assert_eq!(rig.send("site", "msg_3", &body).await, 200);
}

#[tokio::test]
async fn it_is_as_unkind_as_it_is_told() {
    let rig = rig().await;
    let told = async |answer: Value| {
        let at = format!("{}/_control/boxes/site", rig.inbox.url());
        let done = rig.http.post(at).json(&json!({"answer": answer})).send().await.expect("answered");
        assert_eq!(done.status(), 200, "{:?}", done.text().await);
    };
    let sent = async |id: &str| rig.signed("site", id, &event(id), SECRET).send().await;
    told(json!({"kind": "status", "status": 429, "retry_after": 90, "times": 1})).await;
    let answer = sent("msg_1").await.expect("answered");
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().expect("text")), (429, "90"));
    assert_eq!(sent("msg_1").await.expect("answered").status(), 200, "once only");
    told(json!({"kind": "redirect"})).await;
    let answer = sent("msg_2").await.expect("answered");
    assert_eq!(answer.headers()["location"].to_str().expect("text"), format!("{}/site-elsewhere", rig.inbox.url()));
    told(json!({"kind": "status", "status": 410})).await;
    assert_eq!(sent("msg_2").await.expect("answered").status(), 410);
    told(json!({"kind": "hang"})).await;
    assert!(sent("msg_2").await.is_err_and(|error| error.is_timeout()));
    told(json!({"kind": "cut"})).await;
    assert!(sent("msg_2").await.is_err_and(|error| !error.is_timeout()));
    let statuses: Vec<Option<u16>> = rig.inbox.arrivals("site").into_iter().map(|arrival| arrival.status).collect();
    assert_eq!(statuses, [Some(429), Some(200), Some(302), Some(410), None, None]);
    assert!(rig.inbox.arrivals("site-elsewhere").is_empty());
}

#[tokio::test]
async fn a_person_sets_a_box_on_its_page() {
    let rig = rig().await;
    let form = json!({"secrets": SECRET, "token": "", "answer": "gone"});
    let saved = rig.http.post(format!("{}/_page/change/site", rig.inbox.url())).form(&form).send().await;
    assert_eq!(saved.expect("answered").headers()["location"], "/site");
    assert_eq!(rig.send("site", "msg_1", &event("msg_1")).await, 410);
    assert_eq!(rig.inbox.arrivals("site")[0].verified, Some(true));
    let page = rig.http.get(rig.inbox.url()).header(ACCEPT, "text/html").send().await.expect("answered");
    assert!(page.text().await.expect("a page").contains("want no more (410)"));
}
