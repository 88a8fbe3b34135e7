//! Webhook endpoints: made, shown, changed, tried, followed.
use crate::edge::{Edge, detection};
use crate::world::{Answer, OPERATOR, Tenant, World, id};
use domain::ids::EndpointId;
use domain::webhook::Attempt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::messages::{Delivery, Message, MessageLane, Todo};

const PATH: &str = "/v1/webhook-endpoints";

fn wanted() -> Value {
    json!({"platform": "fieldwire", "name": "Relay", "url": "https://hooks.example.com/x?sig=5ecret", "token": "T0ken-1"})
}

pub struct Endpoints {
    pub world: World,
    pub tenant: Tenant,
    made: Value,
}

impl Endpoints {
    async fn new() -> Self {
        Self::of(World::new()).await
    }

    pub async fn of(world: World) -> Self {
        let tenant = world.tenant("Acme").await;
        world.bell.take();
        let made = world.post(&tenant.key, PATH, wanted()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        Self { world, tenant, made: made.body }
    }

    pub fn id(&self) -> EndpointId {
        id(&self.made).parse().unwrap()
    }

    fn path(&self, rest: &str) -> String {
        format!("{PATH}/{}{rest}", self.id())
    }

    pub async fn get(&self, rest: &str) -> Answer {
        self.world.get(&self.tenant.key, &self.path(rest)).await
    }

    async fn post(&self, rest: &str, body: Option<Value>) -> Answer {
        self.world.call_with(&self.tenant.key, "POST", &self.path(rest), body, &[]).await
    }

    async fn patch(&self, body: Value, etag: &str) -> Answer {
        self.world.call_with(&self.tenant.key, "PATCH", &self.path(""), Some(body), &[("if-match", etag)]).await
    }

    pub async fn todos(&self) -> Vec<Todo> {
        let lane = store::endpoints::lane(&self.tenant.organization.parse().unwrap(), &self.id());
        MessageLane { table: self.world.table.as_ref(), id: &lane }.ready(100).await.unwrap()
    }

    /// Does what the lane does before a first attempt.
    pub async fn keep(&self, todo: &Todo) -> Message {
        let lane = store::endpoints::lane(&self.tenant.organization.parse().unwrap(), &self.id());
        let lane = MessageLane { table: self.world.table.as_ref(), id: &lane };
        if let Some(kept) = lane.message(&todo.message_id).await.unwrap() {
            return kept;
        }
        let content = todo.content.clone().unwrap();
        let number = lane.reserve(1).await.unwrap();
        let format = domain::webhook::Format::Cloudevents;
        lane.keep(Message::new(todo, &content, number, format, "{}".into(), self.world.now())).await.unwrap()
    }

    /// Does what the lane would do with what is asked for: tries it once, with this status.
    pub async fn lane_tries(&self, status: u16) {
        let id = self.id();
        let lane = store::endpoints::lane(&self.tenant.organization.parse().unwrap(), &id);
        let lane = MessageLane { table: self.world.table.as_ref(), id: &lane };
        for todo in lane.ready(100).await.unwrap() {
            let mut row = Delivery::of(&self.keep(&todo).await);
            let error = (status >= 300).then(|| "no".to_owned());
            let at = self.world.now();
            row.note(Attempt { at, status_code: Some(status), duration_ms: 1, response_excerpt: None, error });
            row.state = match status {
                200..300 => store::messages::DeliveryState::Delivered,
                _ => store::messages::DeliveryState::Failed,
            };
            lane.put_delivery(&row).await.unwrap();
            lane.finish(&todo).await.unwrap();
        }
    }

    async fn disable(&self) {
        let endpoints = store::endpoints::Endpoints(self.world.table.as_ref());
        let organization = self.tenant.organization.parse().unwrap();
        let reason = "It answered 410 Gone.".to_owned();
        let id = self.id();
        let changed = endpoints.change(&organization, &id, |endpoint| {
            endpoint.state = store::endpoints::EndpointState::Disabled;
            endpoint.disabled =
                Some(store::endpoints::Disabled { reason: reason.clone(), since: Timestamp::UNIX_EPOCH, told: true });
            true
        });
        changed.await.unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_is_made_with_a_secret_shown_once_and_a_ping_on_its_way() {
    let endpoints = Endpoints::new().await;
    let Endpoints { world, tenant, made } = &endpoints;
    let secret = made["secret"].as_str().unwrap();
    assert!(domain::signature::SigningKey::parse(secret).is_ok());
    let expected = json!({
        "id": id(made), "organization_id": tenant.organization, "platform": "fieldwire", "name": "Relay",
        "url": "https://hooks.example.com/x?sig=5ecret", "has_token": true, "site_ids": null, "min_priority": 3,
        "kinds": "all", "daily_summary": true, "format": "cloudevents", "state": "untested", "disabled_reason": null,
        "created_at": world.now().to_string(),
    });
    let read = endpoints.get("").await;
    assert_eq!(read.body, expected);
    assert_eq!(world.get(&tenant.key, PATH).await.body["data"], json!([expected]));
    assert_eq!(world.bell.take().len(), 1);
    let todos = endpoints.todos().await;
    assert_eq!((todos.len(), todos[0].content.as_ref().unwrap().message_type().short()), (1, "ping.v1"));
    // Nothing of it lies open in the table.
    let kept = serde_json::to_string(&world.table.dump()).unwrap();
    for secret in ["5ecret", "T0ken-1", secret, secret.strip_prefix("whsec_").unwrap()] {
        assert!(!kept.contains(secret), "{secret} is kept in plain text");
    }
    let etag = read.header("etag");
    let again = world.call_with(&tenant.key, "GET", &endpoints.path(""), None, &[("if-none-match", &etag)]).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn every_fault_is_named_and_no_value_is_repeated() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let body =
        json!({"platform": "x", "url": "https://10.0.0.1/", "token": "hunter 2", "kinds": 1, "secret": "hunter2"});
    let answer = world.post(&tenant.key, PATH, body).await;
    let mut pointers = answer.refused(422);
    pointers.sort();
    assert_eq!(pointers, ["/kinds", "/name", "/platform", "/secret", "/token", "/url"]);
    assert!(!answer.body.to_string().contains("hunter"), "{}", answer.body);
    for url in
        ["http://hooks.example.com/", "https://inside.example.com/", "https://pulse.example/x", "https://nowhere.net/"]
    {
        let body = json!({"platform": "own", "name": "x", "url": url});
        assert_eq!(world.post(&tenant.key, PATH, body).await.refused(422), ["/url"], "{url}");
    }
    let (reader, _) = world.key(&tenant.organization, &["read"], None).await;
    world.post(&reader, PATH, wanted()).await.refused(403);
}

#[tokio::test]
async fn the_operator_names_the_organization() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    assert_eq!(world.post(OPERATOR, PATH, wanted()).await.refused(422), ["/organization_id"]);
    let mut body = wanted();
    body["organization_id"] = tenant.organization.as_str().into();
    assert_eq!(world.post(OPERATOR, PATH, body.clone()).await.status, 201);
    assert_eq!(world.post(&tenant.key, PATH, body).await.status, 201);
    let list = world.get(OPERATOR, &format!("{PATH}?organization_id={}", tenant.organization)).await;
    assert_eq!(list.body["data"].as_array().unwrap().len(), 2);
    let page = world.get(&tenant.key, &format!("{PATH}?limit=1")).await;
    assert_eq!(page.body["has_more"], true);
    let next = format!("{PATH}?cursor={}", page.body["next_cursor"].as_str().unwrap());
    assert_eq!(world.get(&tenant.key, &next).await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_only_reads_does_not_see_the_secret_part_of_an_address() {
    let endpoints = Endpoints::new().await;
    let (reader, _) = endpoints.world.key(&endpoints.tenant.organization, &["read"], None).await;
    let read = endpoints.world.get(&reader, &endpoints.path("")).await;
    assert_eq!(read.body["url"], "https://hooks.example.com/…");
    let (writer, _) = endpoints.world.key(&endpoints.tenant.organization, &["webhooks:write"], None).await;
    assert_eq!(endpoints.world.get(&writer, &endpoints.path("")).await.body["url"], wanted()["url"]);
    for (method, rest) in [("DELETE", ""), ("POST", "/test"), ("POST", "/rotate-secret"), ("POST", "/recover")] {
        endpoints.world.call_with(&reader, method, &endpoints.path(rest), None, &[]).await.refused(403);
    }
}

#[tokio::test]
async fn a_key_of_one_site_makes_and_sees_endpoints_of_that_site_only() {
    let endpoints = Endpoints::new().await;
    let Endpoints { world, tenant, .. } = &endpoints;
    let south = world.site(&tenant.organization, "South").await;
    let (key, _) = world.key(&tenant.organization, &["webhooks:write", "read"], Some(&[&south])).await;
    world.get(&key, &endpoints.path("")).await.refused(404);
    let made = world.post(&key, PATH, wanted()).await;
    assert_eq!((made.status.as_u16(), &made.body["site_ids"]), (201, &json!([south])));
    let body = json!({"platform": "own", "name": "x", "url": "https://hooks.example.com/", "site_ids": [tenant.site]});
    assert_eq!(world.post(&key, PATH, body).await.refused(422), ["/site_ids/0"]);
    let list = world.get(&key, PATH).await;
    assert_eq!(list.body["data"].as_array().unwrap().len(), 1);
    let path = format!("{PATH}/{}", id(&made.body));
    let widened = world.call_with(&key, "PATCH", &path, Some(json!({"site_ids": null})), &[("if-match", "*")]).await;
    assert_eq!((widened.status.as_u16(), &widened.body["site_ids"]), (200, &json!([south])));
}

#[tokio::test]
async fn a_change_needs_the_etag_of_what_was_read_and_the_state_is_nobodys_change() {
    let endpoints = Endpoints::new().await;
    let path = endpoints.path("");
    let body = Some(json!({"min_priority": 5}));
    endpoints.world.call_with(&endpoints.tenant.key, "PATCH", &path, body, &[]).await.refused(428);
    let etag = endpoints.get("").await.header("etag");
    // It becomes active by itself: what a person read before is still what they change.
    assert_eq!(endpoints.post("/test", None).await.body["delivered"], true);
    let active = endpoints.get("").await;
    assert_eq!(active.body["state"], "active");
    assert_ne!(active.header("etag"), etag);
    let changed = endpoints.patch(json!({"min_priority": 5, "token": null, "kinds": ["fall"]}), &etag).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let shown = ["min_priority", "has_token", "kinds", "state"].map(|name| changed.body[name].clone());
    assert_eq!(shown, [json!(5), json!(false), json!(["fall"]), json!("active")]);
    endpoints.patch(json!({"min_priority": 4}), &etag).await.refused(412);
    let pointers = endpoints.patch(json!({"state": "disabled", "platform": "own"}), "*").await.refused(422);
    assert_eq!(pointers, ["/platform", "/state"]);
}

#[tokio::test]
async fn a_new_address_is_untested_and_gets_a_ping() {
    let endpoints = Endpoints::new().await;
    endpoints.lane_tries(204).await;
    endpoints.post("/test", None).await;
    let etag = endpoints.get("").await.header("etag");
    let same = endpoints.patch(json!({"url": wanted()["url"]}), &etag).await;
    assert_eq!(same.body["state"], "active", "the same address stays as it is");
    endpoints.world.bell.take();
    let elsewhere = json!({"url": "https://other.example.com/", "token": "T0ken-2"});
    let moved = endpoints.patch(elsewhere, &same.header("etag")).await;
    assert_eq!(moved.body["state"], "untested");
    assert_eq!((endpoints.todos().await.len(), endpoints.world.bell.take().len()), (1, 1));
}

#[tokio::test]
async fn a_token_goes_to_no_other_host_than_it_was_entered_for() {
    let endpoints = Endpoints::new().await;
    endpoints.world.bell.take();
    let standing = endpoints.get("").await;
    for url in ["https://other.example.com/x", "https://hooks.example.com:8443/x"] {
        assert_eq!(endpoints.patch(json!({"url": url}), "*").await.refused(422), ["/token"], "{url}");
    }
    assert_eq!(endpoints.get("").await.body, standing.body);
    assert!(endpoints.world.bell.take().is_empty(), "nothing is sent there");
    let same_host = endpoints.patch(json!({"url": "https://hooks.example.com/y"}), "*").await;
    assert_eq!((same_host.status.as_u16(), &same_host.body["has_token"]), (200, &json!(true)));
    for (token, has) in [(Value::Null, false), (json!("another"), true)] {
        let moved = endpoints.patch(json!({"url": format!("https://{has}.example.com/"), "token": token}), "*").await;
        assert_eq!((moved.status.as_u16(), &moved.body["has_token"]), (200, &json!(has)));
    }
}

#[tokio::test]
async fn what_an_endpoint_was_sent_of_a_site_is_seen_by_keys_of_that_site_alone() {
    let endpoints = Endpoints::new().await;
    let Endpoints { world, tenant, .. } = &endpoints;
    let south = world.site(&tenant.organization, "South").await;
    endpoints.lane_tries(204).await;
    let edge_of = |site: &str| Edge { world, organization: tenant.organization.clone(), site: site.to_owned() };
    for site in [&tenant.site, &south] {
        let edge = edge_of(site);
        edge.send(&[detection(1, world.now(), "fall", 4)]).await;
        endpoints.lane_tries(500).await;
        edge.send(&[detection(2, world.now(), "fall", 4)]).await;
    }
    edge_of(&tenant.site).send(&[detection(3, world.now(), "fall", 4)]).await;
    let narrowed = endpoints.patch(json!({"site_ids": [south]}), "*").await;
    assert_eq!(narrowed.status, 200, "{}", narrowed.body);
    let (key, _) = world.key(&tenant.organization, &["webhooks:write"], Some(&[&south])).await;
    let rows = |answer: Answer| answer.body["data"].as_array().unwrap().clone();
    let all = rows(endpoints.get("/deliveries").await);
    let seen = rows(world.get(&key, &endpoints.path("/deliveries")).await);
    assert_eq!((all.len(), seen.len()), (6, 3), "the ping, one that was tried, one that waits");
    assert_eq!([&seen[0], &seen[1]], [&all[0], &all[2]]);
    assert!(all[4..].contains(&seen[2]), "{seen:?}");
    // Of the other site nothing is sent again: for the key there is nothing, for who sees the site there are words.
    let retry = endpoints.path(&format!("/deliveries/{}/retry", id(&all[1])));
    world.call_with(&key, "POST", &retry, None, &[]).await.refused(404);
    let refused = world.call_with(&tenant.key, "POST", &retry, None, &[]).await;
    refused.refused(409);
    assert!(refused.body["detail"].as_str().unwrap().contains("`site_ids`"), "{}", refused.body);
    let retry = endpoints.path(&format!("/deliveries/{}/retry", id(&all[2])));
    assert_eq!(world.call_with(&key, "POST", &retry, None, &[]).await.status, 202);
}

#[tokio::test]
async fn who_follows_the_cursor_misses_no_message_that_others_passed() {
    let endpoints = Endpoints::new().await;
    let Endpoints { world, tenant, .. } = &endpoints;
    endpoints.lane_tries(204).await;
    let edge = Edge { world, organization: tenant.organization.clone(), site: tenant.site.clone() };
    edge.send(&(1..=4).map(|n| detection(n, world.now(), "fall", 4)).collect::<Vec<_>>()).await;
    // The second hangs while those after it are taken.
    let hanging = endpoints.todos().await.remove(1);
    let lane_id = store::endpoints::lane(&tenant.organization.parse().unwrap(), &endpoints.id());
    let lane = MessageLane { table: world.table.as_ref(), id: &lane_id };
    let first = endpoints.todos().await.remove(0);
    for todo in [&first, &hanging] {
        endpoints.keep(todo).await;
    }
    lane.finish(&hanging).await.unwrap();
    endpoints.lane_tries(204).await;
    lane.ask(std::slice::from_ref(&hanging)).await.unwrap();
    let numbers = |answer: &Answer| -> Vec<Value> {
        answer.body["data"].as_array().unwrap().iter().map(|row| row["sequence"].clone()).collect()
    };
    let seen = endpoints.get("/deliveries").await;
    assert_eq!(numbers(&seen), [json!(1), json!(2), json!(4), json!(5), Value::Null], "all are shown");
    endpoints.lane_tries(204).await;
    let next = endpoints.get(&format!("/deliveries?cursor={}", seen.body["next_cursor"].as_str().unwrap())).await;
    assert_eq!(numbers(&next), [3, 4, 5].map(|n| json!(n)), "nothing is missed");
    let next = endpoints.get(&format!("/deliveries?cursor={}", next.body["next_cursor"].as_str().unwrap())).await;
    assert_eq!(numbers(&next), Vec::<Value>::new());
}

#[tokio::test]
async fn a_page_of_long_answers_ends_before_lambdas_limit_and_nothing_is_missed() {
    let endpoints = Endpoints::new().await;
    endpoints.lane_tries(204).await;
    let organization = endpoints.tenant.organization.parse().unwrap();
    let lane = store::endpoints::lane(&organization, &endpoints.id());
    let lane = MessageLane { table: endpoints.world.table.as_ref(), id: &lane };
    let ping = lane.deliveries_after(0, 1).await.unwrap().remove(0);
    let answer =
        Attempt { status_code: Some(500), response_excerpt: Some("\"".repeat(1_000)), ..ping.attempts[0].clone() };
    for sequence in 2..=600 {
        let attempts = vec![answer.clone(); 10];
        let message_id = format!("msg_{sequence:026}");
        lane.put_delivery(&Delivery { message_id, sequence, attempts, ..ping.clone() }).await.unwrap();
    }
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = endpoints.get(&format!("/deliveries?limit=500{cursor}")).await;
        assert!(page.body.to_string().len() < 6_000_000, "{}", page.body.to_string().len());
        let rows = page.body["data"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| row["sequence"].as_u64().unwrap()));
        cursor = format!("&cursor={}", page.body["next_cursor"].as_str().unwrap());
        if page.body["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, (1..=600).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_test_waits_for_the_receivers_own_answer_and_stands_among_the_deliveries() {
    let endpoints = Endpoints::new().await;
    let tested = endpoints.post("/test", None).await;
    assert_eq!(tested.status, 200);
    assert_eq!(
        tested.body,
        json!({"delivered": true, "status_code": 202, "duration_ms": 1, "response_excerpt": "", "error": null})
    );
    let got = endpoints.world.post.got().remove(0);
    let event: Value = serde_json::from_str(&got.body).unwrap();
    assert_eq!((&event["type"], &event["id"]), (&json!("com.hardhatpulse.ping.v1"), &json!(got.id)));
    let etag = endpoints.get("").await.header("etag");
    endpoints.patch(json!({"token": "wrong-token"}), &etag).await;
    let tested = endpoints.post("/test", None).await;
    assert_eq!((&tested.body["delivered"], &tested.body["status_code"]), (&json!(false), &json!(401)));
    assert!(tested.body["error"].as_str().unwrap().contains("does not accept the token"));
    let list = endpoints.get("/deliveries").await.body["data"].clone();
    let states: Vec<&Value> = list.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["delivered", "failed", "pending"], "and the ping of its making is still to be sent");
    assert_eq!(
        (&list[1]["sequence"], &list[2]["sequence"], &list[2]["attempts"]),
        (&json!(2), &Value::Null, &json!([]))
    );
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_secret_again() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let key = [("idempotency-key", "once")];
    let first = world.call_with(&tenant.key, "POST", PATH, Some(wanted()), &key).await;
    let again = world.call_with(&tenant.key, "POST", PATH, Some(wanted()), &key).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    assert_eq!(world.get(&tenant.key, PATH).await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rotated_secret_is_another_and_the_one_before_has_a_day() {
    let endpoints = Endpoints::new().await;
    let rotated = endpoints.post("/rotate-secret", None).await;
    assert_eq!(rotated.status, 201);
    assert_ne!(rotated.body["secret"], endpoints.made["secret"]);
    let until = (endpoints.world.now() + SignedDuration::from_hours(24)).to_string();
    assert_eq!(rotated.body["previous_secret_expires_at"], until);
    endpoints.post("/test", None).await;
    endpoints.world.pass(SignedDuration::from_hours(25));
    endpoints.post("/test", None).await;
    let got = endpoints.world.post.got();
    assert_eq!(got.iter().map(|got| got.signatures.split(' ').count()).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn deliveries_come_in_pages_and_a_failed_one_is_sent_again() {
    let endpoints = Endpoints::new().await;
    let Endpoints { world, tenant, .. } = &endpoints;
    let edge = Edge { world, organization: tenant.organization.clone(), site: tenant.site.clone() };
    let events: Vec<Value> = (1..=4).map(|n| detection(n, world.now(), "fall", 4)).collect();
    edge.send(&events).await;
    assert_eq!(endpoints.get("/deliveries").await.body["data"].as_array().unwrap().len(), 5, "asked for, not yet sent");
    endpoints.lane_tries(500).await;
    let page = endpoints.get("/deliveries?limit=3").await.body;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (3, &json!(true)));
    let next = format!("/deliveries?cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = endpoints.get(&next).await.body;
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (2, &json!(false)));
    let row = &rest["data"][0];
    assert_eq!((&row["state"], &row["type"]), (&json!("failed"), &json!("com.hardhatpulse.detection.recorded.v1")));
    world.bell.take();
    let retried = endpoints.post(&format!("/deliveries/{}/retry", id(row)), None).await;
    assert_eq!((retried.status.as_u16(), &retried.body["state"]), (202, &json!("pending")));
    let todos = endpoints.todos().await;
    assert!(todos.len() == 1 && todos[0].again && todos[0].message_id == id(row));
    assert_eq!(world.bell.take().len(), 1);
    for unknown in ["msg_00000000000000000000000000", "x", "msg_..%2F..%2F", &"x".repeat(2_000)] {
        endpoints.post(&format!("/deliveries/{unknown}/retry"), None).await.refused(404);
    }
}

#[tokio::test]
async fn a_recovery_is_asked_of_the_lane_within_thirty_days() {
    let endpoints = Endpoints::new().await;
    let since = endpoints.world.now() - SignedDuration::from_hours(24);
    endpoints.world.bell.take();
    let asked = endpoints.post("/recover", Some(json!({"since": since}))).await;
    assert_eq!((asked.status.as_u16(), &asked.body), (202, &json!({"since": since})));
    assert_eq!(endpoints.world.bell.take().len(), 1);
    for wrong in [
        json!({}),
        json!({"since": "yesterday"}),
        json!({"since": endpoints.world.now() + SignedDuration::from_hours(1)}),
        json!({"since": endpoints.world.now() - SignedDuration::from_hours(31 * 24)}),
    ] {
        assert_eq!(endpoints.post("/recover", Some(wrong)).await.refused(422), ["/since"]);
    }
}

#[tokio::test]
async fn a_disabled_endpoint_says_why_and_is_tried_again_by_its_state() {
    let endpoints = Endpoints::new().await;
    endpoints.lane_tries(500).await;
    endpoints.disable().await;
    let read = endpoints.get("").await;
    assert_eq!(
        (&read.body["state"], &read.body["disabled_reason"]),
        (&json!("disabled"), &json!("It answered 410 Gone."))
    );
    let failed = id(&endpoints.get("/deliveries").await.body["data"][0]);
    let refused = endpoints.post(&format!("/deliveries/{failed}/retry"), None).await;
    refused.refused(409);
    assert!(refused.body["detail"].as_str().unwrap().contains("`active`"), "{}", refused.body);
    endpoints.post("/recover", Some(json!({"since": endpoints.world.now()}))).await.refused(409);
    endpoints.world.bell.take();
    let active = endpoints.patch(json!({"state": "active"}), &read.header("etag")).await;
    assert_eq!((&active.body["state"], &active.body["disabled_reason"]), (&json!("active"), &Value::Null));
    assert_eq!(endpoints.world.bell.take().len(), 1, "its lane goes on with what waits");
}

#[tokio::test]
async fn a_removed_endpoint_is_gone() {
    let endpoints = Endpoints::new().await;
    endpoints.world.bell.take();
    let path = endpoints.path("");
    let removed = endpoints.world.call_with(&endpoints.tenant.key, "DELETE", &path, None, &[]).await;
    assert_eq!(removed.status, 204);
    endpoints.get("").await.refused(404);
    assert_eq!(endpoints.world.get(&endpoints.tenant.key, PATH).await.body["data"], json!([]));
    assert_eq!(endpoints.world.bell.take().len(), 1, "its lane clears up");
}
