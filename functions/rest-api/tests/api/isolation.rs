//! No organization sees or touches another's things: every route is tried with the other's ids. A route that is not tried here
//! fails the first test.
use crate::edge::{Edge, detection, incident, zone};
use crate::world::{Answer, OPERATOR, Tenant, World, id};
use rest_api::ROUTES;
use serde_json::{Value, json};
use store::Item;

const FACT: &str = "01JDN3Z4WQ0000000000000001";

/// What the other organization's key must get.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// Only the operator may.
    Forbidden,
    /// It does not exist for them.
    Missing,
    /// A list of their own things.
    OwnOnly,
    /// What the body names does not exist for them.
    Invalid,
}
use Expected::{Forbidden, Invalid, Missing, OwnOnly};

/// Each route with a body (of a GET: a query) that would do something, were the caller let in.
const CASES: &[(&str, &str, Expected, &str)] = &[
    ("post", "/v1/organizations", Forbidden, r#"{"name": "x"}"#),
    ("post", "/v1/organizations/{organization}/sites", Forbidden, r#"{"name": "x", "time_zone": "UTC"}"#),
    ("post", "/v1/organizations/{organization}/api-keys", Forbidden, r#"{"name": "x", "scopes": ["read"]}"#),
    ("get", "/v1/organizations/{organization}/api-keys", Forbidden, ""),
    ("delete", "/v1/organizations/{organization}/api-keys/{id}", Forbidden, ""),
    ("post", "/v1/organizations/{organization}/setup-links", Forbidden, ""),
    ("get", "/v1/sites", OwnOnly, ""),
    ("get", "/v1/sites/{site}", Missing, ""),
    ("patch", "/v1/sites/{site}", Missing, r#"{"name": "x"}"#),
    ("get", "/v1/sites/{site}/daily-summary", Missing, ""),
    ("put", "/v1/sites/{site}/daily-summary", Missing, r#"{"at": "15:30"}"#),
    ("post", "/v1/sites/{site}/edges", Forbidden, r#"{"name": "x"}"#),
    ("post", "/v1/sites/{site}/edges/{edge}/rotate-secret", Forbidden, ""),
    ("get", "/v1/sites/{site}/detections", Missing, ""),
    ("get", "/v1/sites/{site}/detections/{id}", Missing, ""),
    ("get", "/v1/sites/{site}/detections/{id}/footage", Missing, ""),
    ("get", "/v1/sites/{site}/incidents", Missing, ""),
    ("get", "/v1/sites/{site}/incidents/{id}", Missing, ""),
    ("patch", "/v1/sites/{site}/incidents/{id}/treatment", Missing, r#"{"days_away": 3}"#),
    ("get", "/v1/sites/{site}/zones", Missing, ""),
    ("get", "/v1/sites/{site}/zones/{id}", Missing, ""),
    ("get", "/v1/sites/{site}/workers", Missing, ""),
    ("get", "/v1/sites/{site}/workers/{id}", Missing, ""),
    ("get", "/v1/sites/{site}/ppe-samples", Missing, ""),
    ("get", "/v1/sites/{site}/ppe-samples/{id}", Missing, ""),
    ("get", "/v1/sites/{site}/reports/daily", Missing, "date=2026-11-24"),
    ("get", "/v1/sites/{site}/reports/trend", Missing, "from=2026-11-23&to=2026-11-24&by=zone"),
    (
        "post",
        "/v1/webhook-endpoints",
        Invalid,
        r#"{"organization_id": "{organization}", "platform": "own", "name": "x", "url": "https://hooks.example.com/"}"#,
    ),
    ("get", "/v1/webhook-endpoints", OwnOnly, ""),
    ("get", "/v1/webhook-endpoints/{endpoint}", Missing, ""),
    ("patch", "/v1/webhook-endpoints/{endpoint}", Missing, r#"{"name": "x"}"#),
    ("post", "/v1/webhook-endpoints/{endpoint}/test", Missing, ""),
    ("post", "/v1/webhook-endpoints/{endpoint}/rotate-secret", Missing, ""),
    ("get", "/v1/webhook-endpoints/{endpoint}/deliveries", Missing, ""),
    ("post", "/v1/webhook-endpoints/{endpoint}/deliveries/{delivery}/retry", Missing, ""),
    ("post", "/v1/webhook-endpoints/{endpoint}/recover", Missing, r#"{"since": "2026-11-24T00:00:00Z"}"#),
    ("delete", "/v1/webhook-endpoints/{endpoint}", Missing, ""),
    (
        "post",
        "/v1/connections",
        Forbidden,
        r#"{"organization_id": "{organization}", "provider": "procore", "company_id": "1"}"#,
    ),
    ("get", "/v1/connections", OwnOnly, ""),
    ("get", "/v1/connections/{connection}", Missing, ""),
    ("get", "/v1/connections/{connection}/projects/{project}", Missing, ""),
    ("put", "/v1/connections/{connection}/projects/{project}", Missing, r#"{"site_id": "{site}"}"#),
    ("post", "/v1/connections/{connection}/projects/{project}/preview", Missing, r#"{"site_id": "{site}"}"#),
    ("get", "/v1/connections/{connection}/records", Missing, ""),
    ("post", "/v1/connections/{connection}/records/{kind}/{id}/retry", Missing, ""),
    ("post", "/v1/connections/{connection}/records/{kind}/{id}/conflicts/{field}", Missing, r#"{"use": "ours"}"#),
    // Last: after it the connection is not there any more.
    ("delete", "/v1/connections/{connection}", Missing, ""),
];

/// One organization with one of everything. Both have the same company, project number, fact id.
struct Everything {
    tenant: Tenant,
    edge: String,
    connection: String,
    endpoint: String,
    delivery: String,
}

impl Everything {
    async fn new(world: &World, name: &str, project: Option<&str>) -> Self {
        let tenant = world.tenant(name).await;
        let edge = id(&world.made(&format!("/v1/sites/{}/edges", tenant.site), json!({"name": "edge"})).await);
        let connection = world.connection(&tenant.organization, "42").await;
        if let Some(project) = project {
            world.project(&tenant.key, &connection, project, &tenant.site).await;
        }
        let url = "https://hooks.example.com/";
        let endpoint = json!({"platform": "own", "name": "Receiver", "url": url});
        let endpoint = id(&world.post(&tenant.key, "/v1/webhook-endpoints", endpoint).await.body);
        let path = format!("/v1/webhook-endpoints/{endpoint}");
        world.call_with(&tenant.key, "POST", &format!("{path}/test"), None, &[]).await;
        let deliveries = world.get(&tenant.key, &format!("{path}/deliveries")).await;
        let delivery = id(&deliveries.body["data"][0]);
        let this = Self { tenant, edge, connection, endpoint, delivery };
        this.keep_facts(world).await;
        world.bell.take();
        this.ask(world).await;
        this
    }

    /// One of each kind, with the same id.
    async fn keep_facts(&self, world: &World) {
        let at = world.now();
        let mut events = [
            detection(1, at, "fall", 1),
            incident(1, 1, at, false, &[]),
            zone(FACT, 1, "Crane 2"),
            json!({"type": "com.hardhatpulse.worker.assigned.v1", "data": {
                "worker_id": FACT, "revision": 1, "role": "Rigger", "trade": "Ironwork", "active": true, "from": at}}),
            json!({"type": "com.hardhatpulse.ppe.sampled.v1", "data": {
                "sample_id": FACT, "sampled_from": at, "sampled_to": at, "zone_id": "z", "checks": {}}}),
        ];
        events[0]["data"]["detection_id"] = FACT.into();
        events[1]["data"]["incident_id"] = FACT.into();
        let (organization, site) = (self.tenant.organization.clone(), self.tenant.site.clone());
        Edge { world, organization, site }.send(&events).await;
    }

    async fn ask(&self, world: &World) {
        let lane = store::lanes::LaneId {
            organization_id: self.tenant.organization.parse().unwrap(),
            connection_id: self.connection.parse().unwrap(),
            provider: domain::ids::Provider::Procore,
        };
        let record = domain::record::RecordKey {
            kind: domain::record::RecordKind::Observation,
            site_id: self.tenant.site.parse().unwrap(),
            fact_id: FACT.into(),
        };
        let mut link: store::lanes::Link = serde_json::from_value(json!({
            "record": record, "project_id": "7", "marker": "HHP-00000000", "state": "synced", "updated_at": world.now(),
            "conflicts": [{"field": "title", "ours": "A", "theirs": "B"}],
        }))
        .unwrap();
        store::lanes::Lane { table: world.table.as_ref(), id: &lane }.put_link(&mut link).await.unwrap();
        let todo = store::lanes::Todo::new(record, world.now(), store::bell::fresh_token());
        store::lanes::Lane { table: world.table.as_ref(), id: &lane }.ask(&[todo]).await.unwrap();
    }

    fn fill(&self, template: &str) -> String {
        let id = if template.contains("api-keys") { self.tenant.key_id.as_str() } else { FACT };
        [
            ("{organization}", self.tenant.organization.as_str()),
            ("{site}", &self.tenant.site),
            ("{edge}", &self.edge),
            ("{connection}", &self.connection),
            ("{endpoint}", &self.endpoint),
            ("{delivery}", &self.delivery),
            ("{project}", "7"),
            ("{kind}", "observation"),
            ("{field}", "title"),
            ("{id}", id),
        ]
        .into_iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn ids(&self) -> [&str; 7] {
        let Tenant { organization, site, key_id, key: _ } = &self.tenant;
        [organization, site, key_id, &self.edge, &self.connection, &self.endpoint, &self.delivery]
    }

    async fn send(&self, world: &World, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let (path, body) = match method {
            "get" if !body.is_empty() => (format!("{path}?{body}"), ""),
            _ => (path.to_owned(), body),
        };
        let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(&self.fill(body)).unwrap());
        let headers: &[(&str, &str)] = if method == "patch" { &[("if-match", "*")] } else { &[] };
        let headers = if method == "put" { &[("if-match", "*")] } else { headers };
        world.call_with(key, &method.to_uppercase(), &self.fill(&path), body, headers).await
    }

    /// All that is kept of this organization.
    fn kept(&self, world: &World) -> Vec<Item> {
        let ours = |item: &Item| {
            let text = Value::Object(item.clone()).to_string();
            self.ids().iter().any(|id| text.contains(id))
        };
        world.table.dump().into_iter().filter(ours).collect()
    }
}

#[test]
fn every_route_is_tried() {
    let tried: Vec<(&str, &str)> = CASES.iter().map(|(method, path, ..)| (*method, *path)).collect();
    assert_eq!(tried, ROUTES, "each route of the table stands in CASES, in the same order");
}

#[tokio::test]
async fn another_organizations_key_gets_nowhere_on_any_route() {
    let world = World::new();
    let ours = Everything::new(&world, "Acme", Some("7")).await;
    let theirs = Everything::new(&world, "Bolt", None).await;
    world.bell.take();
    let before = ours.kept(&world);
    for (method, path, expected, body) in CASES {
        let answer = ours.send(&world, &theirs.tenant.key, method, path, body).await;
        match expected {
            Forbidden => _ = answer.refused(403),
            Missing => _ = answer.refused(404),
            Invalid => _ = answer.refused(422),
            OwnOnly => assert_eq!(answer.status, 200),
        }
        let text = answer.body.to_string();
        for id in ours.ids() {
            assert!(!text.contains(id), "{method} {path} names {id}: {text}");
        }
        let own = *expected == OwnOnly;
        assert_eq!(
            own,
            [&theirs.tenant.site, &theirs.connection, &theirs.endpoint].iter().any(|id| text.contains(*id)),
            "{method} {path}: {text}"
        );
    }
    assert_eq!(ours.kept(&world), before, "something of the other organization was changed");
    assert!(world.bell.take().is_empty(), "the other organization's lane was rung");
}

#[tokio::test]
async fn another_organizations_thing_looks_like_one_that_nobody_has() {
    let world = World::new();
    let ours = Everything::new(&world, "Acme", Some("7")).await;
    let theirs = Everything::new(&world, "Bolt", None).await;
    for (method, path, expected, body) in CASES {
        if *expected != Missing {
            continue;
        }
        let mut real = ours.send(&world, &theirs.tenant.key, method, path, body).await;
        let nobodys = ours.fill(path).replace(&ours.tenant.site, "site_00000000000000000000000000");
        let nobodys = nobodys.replace(&ours.connection, "con_00000000000000000000000000");
        let nobodys = nobodys.replace(&ours.endpoint, "whe_00000000000000000000000000");
        let mut unreal = ours.send(&world, &theirs.tenant.key, method, &nobodys, body).await;
        real.body["request_id"] = Value::Null;
        unreal.body["request_id"] = Value::Null;
        assert_eq!((real.status, &real.body), (unreal.status, &unreal.body), "{method} {path}");
    }
}

#[tokio::test]
async fn the_operator_gets_in_on_every_route() {
    let world = World::new();
    let ours = Everything::new(&world, "Acme", Some("7")).await;
    for (method, path, expected, body) in CASES {
        let path = match expected {
            OwnOnly => format!("{path}?organization_id={}", ours.tenant.organization),
            _ => (*path).to_owned(),
        };
        let answer = ours.send(&world, OPERATOR, method, &path, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn another_organizations_site_can_not_be_named_in_a_body_or_a_query() {
    let world = World::new();
    let ours = Everything::new(&world, "Acme", Some("7")).await;
    let theirs = Everything::new(&world, "Bolt", None).await;
    let key = &theirs.tenant.key;
    let project = format!("/v1/connections/{}/projects/8", theirs.connection);
    let body = Some(json!({"site_id": ours.tenant.site}));
    assert_eq!(world.call_with(key, "PUT", &project, body.clone(), &[]).await.refused(422), ["/site_id"]);
    assert_eq!(world.call_with(OPERATOR, "PUT", &project, body, &[]).await.refused(422), ["/site_id"]);
    let endpoint =
        json!({"platform": "own", "name": "x", "url": "https://hooks.example.com/", "site_ids": [ours.tenant.site]});
    assert_eq!(world.post(key, "/v1/webhook-endpoints", endpoint).await.refused(422), ["/site_ids/0"]);
    let delivery = format!("/v1/webhook-endpoints/{}/deliveries/{}/retry", theirs.endpoint, ours.delivery);
    world.call_with(key, "POST", &delivery, None, &[]).await.refused(404);
    for list in ["/v1/sites", "/v1/connections", "/v1/webhook-endpoints"] {
        world.get(key, &format!("{list}?organization_id={}", ours.tenant.organization)).await.refused(404);
    }
    let retry = format!("/v1/connections/{}/records/observation/{FACT}/retry", theirs.connection);
    world.call_with(key, "POST", &format!("{retry}?site_id={}", ours.tenant.site), None, &[]).await.refused(404);
    let revoke = format!("/v1/organizations/{}/api-keys/{}", theirs.tenant.organization, ours.tenant.key_id);
    world.call_with(OPERATOR, "DELETE", &revoke, None, &[]).await.refused(404);
    assert_eq!(world.get(&ours.tenant.key, "/v1/sites").await.status, 200);
}

#[tokio::test]
async fn a_key_of_some_sites_removes_no_connection_that_serves_others() {
    let world = World::new();
    let ours = Everything::new(&world, "Acme", Some("7")).await;
    let (organization, connection) = (ours.tenant.organization.as_str(), ours.connection.as_str());
    let other = world.site(organization, "South Tower").await;
    world.project(&ours.tenant.key, connection, "8", &other).await;
    for site in [&ours.tenant.site, &other] {
        let lane = store::lanes::LaneId {
            organization_id: organization.parse().unwrap(),
            connection_id: connection.parse().unwrap(),
            provider: domain::ids::Provider::Procore,
        };
        let mut link: store::lanes::Link = serde_json::from_value(json!({
            "record": {"kind": "incident", "site_id": site, "fact_id": FACT}, "project_id": "7", "marker": format!("HHP-{site}"),
            "state": "synced", "remote_id": "1", "updated_at": world.now(),
        }))
        .unwrap();
        store::lanes::Lane { table: world.table.as_ref(), id: &lane }.put_link(&mut link).await.unwrap();
    }
    let path = format!("/v1/connections/{connection}");
    let (some, _) = world.key(organization, &["read", "connections:write"], Some(&[other.as_str()])).await;
    let refused = world.call_with(&some, "DELETE", &path, None, &[]).await;
    refused.refused(403);
    assert!(!refused.body.to_string().contains(&ours.tenant.site), "{}", refused.body);
    assert_eq!(world.get(&some, &path).await.status, 200, "it stands");

    // Nor where what stays is of a site that it showed formerly.
    let project = format!("{path}/projects/7");
    let moved =
        world.call_with(&ours.tenant.key, "PUT", &project, Some(json!({"site_id": other})), &[("if-match", "*")]).await;
    assert_eq!(moved.status, 409, "one project of a connection shows a site: {}", moved.body);
    let third = world.site(organization, "West Tower").await;
    let moved =
        world.call_with(&ours.tenant.key, "PUT", &project, Some(json!({"site_id": third})), &[("if-match", "*")]).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let (today, former) = ([other.as_str(), third.as_str()], ours.tenant.site.as_str());
    let (some, _) = world.key(organization, &["connections:write"], Some(&today)).await;
    world.call_with(&some, "DELETE", &path, None, &[]).await.refused(403);
    let (all, _) = world.key(organization, &["connections:write"], Some(&[today[0], today[1], former])).await;
    let removed = world.call_with(&all, "DELETE", &path, None, &[]).await;
    assert_eq!((removed.status.as_u16(), &removed.body["stays_total"]), (200, &json!(2)), "{}", removed.body);
}
