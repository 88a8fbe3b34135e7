//! Treatment through the API: told under If-Match, shown at once to whoever reads the incident, taken in by the router.
use crate::edge::{Edge, incident};
use crate::world::{Answer, OPERATOR, Tenant, World};
use event_router::route::Router;
use serde_json::{Value, json};
use store::bus::MemoryBus;

fn id(number: usize) -> String {
    format!("01JDN9Z4WQ{number:016}")
}

struct Case {
    world: World,
    tenant: Tenant,
}

impl Case {
    async fn new() -> Self {
        let world = World::new();
        let tenant = world.tenant("Acme").await;
        let edge = Edge { world: &world, organization: tenant.organization.clone(), site: tenant.site.clone() };
        edge.send(&[incident(1, 1, world.now(), true, &[])]).await;
        Self { world, tenant }
    }

    fn path(&self) -> String {
        format!("/v1/sites/{}/incidents/{}", self.tenant.site, id(1))
    }

    async fn read(&self) -> Answer {
        self.world.get(&self.tenant.key, &self.path()).await
    }

    async fn tell(&self, etag: &str, body: Value) -> Answer {
        let path = format!("{}/treatment", self.path());
        self.world.call_with(&self.tenant.key, "PATCH", &path, Some(body), &[("if-match", etag)]).await
    }

    /// Hands what was sent to the router. Gives how many messages there were.
    async fn take_in(&self) -> usize {
        let bus = MemoryBus::default();
        let (table, bell) = (self.world.table.as_ref(), self.world.bell.as_ref());
        let router = Router { table, bell, bus: &bus, detection_retention_days: 400 };
        let messages = self.world.outbox.take();
        for message in &messages {
            router.update(message, self.world.now()).await.unwrap();
        }
        messages.len()
    }
}

#[tokio::test]
async fn an_injury_is_told_and_shown_with_its_source_and_the_outcome() {
    let case = Case::new().await;
    let before = case.read().await;
    let none = json!({"revision": 0, "injuries": [], "outcome": null, "days_away": null, "days_restricted_or_transferred": null, "history": []});
    assert_eq!(before.body["treatment"], none);
    let body = json!({"filing_type": "lost_time", "treatment_facility": "Mercy Clinic", "treated_in_er": true,
        "days_away": 200, "date_returned_to_work": "2027-01-15"});
    let told = case.tell(&before.header("etag"), body).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let treatment = &told.body["treatment"];
    assert_eq!((&treatment["outcome"], &treatment["days_away"]), (&json!("days_away"), &json!(180)));
    let injury = &treatment["injuries"][0];
    assert_eq!((&injury["source"], &injury["remote_id"]), (&json!("api:a tool"), &json!("1")));
    assert_eq!((&injury["days_away"], &injury["disposition"]), (&json!(200), &json!("days_away")));
    assert_eq!(injury["hospitalized_overnight"], Value::Null);
    // Read at once, and again when the router has taken it in: the same content, the same ETag.
    let pending = case.read().await;
    assert_eq!((&pending.body, pending.header("etag")), (&told.body, told.header("etag")));
    assert_eq!(case.take_in().await, 1);
    let kept = case.read().await;
    assert_eq!((&kept.body, kept.header("etag")), (&told.body, told.header("etag")));
}

#[tokio::test]
async fn the_change_feed_shows_the_incident_again() {
    let case = Case::new().await;
    let list = format!("/v1/sites/{}/incidents", case.tenant.site);
    let cursor = case.world.get(&case.tenant.key, &list).await.body["next_cursor"].as_str().unwrap().to_owned();
    case.tell("*", json!({"days_away": 3})).await;
    case.take_in().await;
    let since = case.world.get(&case.tenant.key, &format!("{list}?cursor={cursor}")).await;
    assert_eq!(since.body["data"][0]["treatment"]["days_away"], 3, "{}", since.body);
}

#[tokio::test]
async fn members_left_out_stay_null_clears_and_injuries_are_told_apart() {
    let case = Case::new().await;
    let first = case.tell("*", json!({"days_away": 3, "description": "Sprain"})).await;
    case.take_in().await;
    let second = case.tell(&first.header("etag"), json!({"days_away": null, "days_restricted": 4})).await;
    let injury = &second.body["treatment"]["injuries"][0];
    assert_eq!((&injury["days_away"], &injury["days_restricted"]), (&Value::Null, &json!(4)));
    assert_eq!(injury["description"], "Sprain");
    let third = case.tell(&second.header("etag"), json!({"remote_id": "wrist", "days_restricted": 6})).await;
    let treatment = &third.body["treatment"];
    assert_eq!(treatment["injuries"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&treatment["outcome"], &treatment["days_restricted_or_transferred"]),
        (&json!("job_transfer_or_restriction"), &json!(10))
    );
    assert_eq!(case.take_in().await, 2);
    assert_eq!(case.read().await.body, third.body);
    let last = treatment["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["source"], &last["changed"]),
        (&json!("api:a tool"), &json!(["injuries/wrist/days_restricted", "injuries/wrist/remote_id"]))
    );
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen_and_a_repeat_sends_again() {
    let case = Case::new().await;
    let seen = case.read().await.header("etag");
    let path = format!("{}/treatment", case.path());
    let bare = case.world.call_with(&case.tenant.key, "PATCH", &path, Some(json!({"days_away": 1})), &[]).await;
    bare.refused(428);
    assert_eq!(case.tell(&seen, json!({"days_away": 1})).await.status, 200);
    case.tell(&seen, json!({"days_away": 2})).await.refused(412);
    case.tell("\"v1\"", json!({"days_away": 2})).await.refused(412);
    // The same change against the same state: its answer was lost.
    let again = case.tell(&seen, json!({"days_away": 1})).await;
    assert_eq!((again.status.as_u16(), &again.body["treatment"]["revision"]), (200, &json!(1)), "{}", again.body);
    assert_eq!(case.take_in().await, 2);
    assert_eq!(case.read().await.body["treatment"]["revision"], 1);
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer() {
    let case = Case::new().await;
    let etag = case.read().await.header("etag");
    let path = format!("{}/treatment", case.path());
    let headers = [("if-match", etag.as_str()), ("idempotency-key", "k-1")];
    let body = json!({"days_away": 1});
    let first = case.world.call_with(&case.tenant.key, "PATCH", &path, Some(body.clone()), &headers).await;
    let again = case.world.call_with(&case.tenant.key, "PATCH", &path, Some(body), &headers).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_a_name_has_no_place() {
    let case = Case::new().await;
    let body = json!({"remote_id": "", "filing_type": "hurt", "treated_in_er": "yes", "days_away": -1, "days_restricted": 1.5,
        "date_of_death": "24.11.2026", "description": "x".repeat(2001), "affected_person": "hunter2"});
    let refused = case.tell("*", body).await;
    let mut places = refused.refused(422);
    places.sort();
    let expected = [
        "/affected_person",
        "/date_of_death",
        "/days_away",
        "/days_restricted",
        "/description",
        "/filing_type",
        "/remote_id",
        "/treated_in_er",
    ];
    assert_eq!(places, expected);
    assert!(!refused.body.to_string().contains("hunter2"));
    assert_eq!(case.world.outbox.take().len(), 0);
}

#[tokio::test]
async fn the_scope_is_needed_and_the_incident() {
    let case = Case::new().await;
    let (reader, _) = case.world.key(&case.tenant.organization, &["read"], None).await;
    let path = format!("{}/treatment", case.path());
    let body = || Some(json!({"days_away": 1}));
    case.world.call_with(&reader, "PATCH", &path, body(), &[("if-match", "*")]).await.refused(403);
    let missing = format!("/v1/sites/{}/incidents/{}/treatment", case.tenant.site, id(2));
    case.world.call_with(&case.tenant.key, "PATCH", &missing, body(), &[("if-match", "*")]).await.refused(404);
    let by_operator = case.world.call_with(OPERATOR, "PATCH", &path, body(), &[("if-match", "*")]).await;
    assert_eq!(by_operator.body["treatment"]["injuries"][0]["source"], "api:operator");
}

#[tokio::test]
async fn a_long_answer_is_given_and_a_repeat_gets_it_again() {
    // Too long for the table, it is made anew.
    for (letter, kept) in [("x", true), ("\u{1F9BA}", false)] {
        let case = Case::new().await;
        let path = format!("{}/treatment", case.path());
        let mut etag = case.read().await.header("etag");
        for number in 1..=50 {
            let remote_id = number.to_string();
            let body = json!({"remote_id": remote_id, "days_away": 1, "description": letter.repeat(2_000)});
            let tell = || {
                let headers = [("if-match", etag.as_str()), ("idempotency-key", remote_id.as_str())];
                let (world, key, path, body) = (&case.world, &case.tenant.key, &path, body.clone());
                async move { world.call_with(key, "PATCH", path, Some(body), &headers).await }
            };
            let told = tell().await;
            assert_eq!(told.status, 200, "{number}: {}", told.body);
            if number == 50 {
                assert!(told.body.to_string().len() > 64 * 1024);
                let again = tell().await;
                assert_eq!((again.status.as_u16(), &again.body), (200, &told.body));
                assert_eq!(again.headers.contains_key("idempotent-replayed"), kept);
            }
            etag = told.header("etag");
        }
    }
}
