//! Organizations, sites, edges, API keys.
use crate::world::{OPERATOR, World, id};
use domain::ids::EdgeId;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::directory::Directory;

#[tokio::test]
async fn an_organization_and_its_site_are_made() {
    let world = World::new();
    let organization = world.made("/v1/organizations", json!({"name": "Acme Concrete"})).await;
    assert!(id(&organization).starts_with("org_"));
    assert_eq!(organization["name"], "Acme Concrete");
    let shifts =
        json!([{"name": "day", "start": "06:00", "end": "14:30"}, {"name": "night", "start": "22:00", "end": "06:00"}]);
    let path = format!("/v1/organizations/{}/sites", id(&organization));
    let body = json!({"name": "North Tower", "time_zone": "America/Chicago", "shifts": shifts});
    let site = world.made(&path, body).await;
    let expected = json!({
        "id": id(&site), "organization_id": id(&organization), "name": "North Tower", "time_zone": "America/Chicago",
        "shifts": shifts, "created_at": world.now().to_string(),
    });
    assert_eq!(site, expected);
    let read = world.get(OPERATOR, &format!("/v1/sites/{}", id(&site))).await;
    assert_eq!((read.status.as_u16(), read.body), (200, expected));
}

#[tokio::test]
async fn a_site_is_changed_only_by_who_has_seen_it() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/sites/{}", tenant.site);
    let first = world.get(&tenant.key, &path).await.header("etag");
    let patch = async |etag: Option<&str>, body: Value| {
        let headers: Vec<(&str, &str)> = etag.map(|etag| ("if-match", etag)).into_iter().collect();
        world.call_with(&tenant.key, "PATCH", &path, Some(body), &headers).await
    };
    patch(None, json!({"name": "South"})).await.refused(428);
    patch(Some("\"v999\""), json!({"name": "South"})).await.refused(412);
    patch(Some(&format!("W/{first}")), json!({"name": "South"})).await.refused(412);
    let changed = patch(Some(&format!("\"other\", {first}")), json!({"name": "South"})).await;
    assert_eq!((changed.status.as_u16(), &changed.body["name"]), (200, &json!("South")));
    assert_eq!(changed.body["time_zone"], "America/Chicago");
    patch(Some(&first), json!({"name": "West"})).await.refused(412);
    assert_eq!(patch(Some("*"), json!({"time_zone": "America/Denver"})).await.body["time_zone"], "America/Denver");
    let read = world.get(&tenant.key, &path).await;
    assert_eq!((&read.body["name"], &read.body["time_zone"]), (&json!("South"), &json!("America/Denver")));
}

#[tokio::test]
async fn an_unchanged_site_is_not_sent_again() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/sites/{}", tenant.site);
    let etag = world.get(&tenant.key, &path).await.header("etag");
    let again = world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), &again.body), (304, &Value::Null));
    assert_eq!(again.header("etag"), etag);
    let other = world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", "\"v9\"")]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn every_fault_of_a_site_is_named_at_once() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/organizations/{}/sites", tenant.organization);
    let body = json!({
        "name": "a\u{7}b", "time_zone": "CST", "zone": 1,
        "shifts": [
            {"name": "day", "start": "6:00", "end": "14:30"},
            {"name": "late", "start": "14:30", "end": "14:30"},
            {"name": "other", "start": "22:00", "end": "06:00"},
            {"name": "twice", "start": "07:00", "end": "08:00"},
            {"name": "twice", "start": "03:00"},
            "night",
        ],
    });
    let places = world.post(OPERATOR, &path, body).await.refused(422);
    let expected = [
        "/zone",
        "/name",
        "/time_zone",
        "/shifts/0/start",
        "/shifts/1/end",
        "/shifts/2/name",
        "/shifts/4/end",
        "/shifts/5",
    ];
    assert_eq!(places, expected);
    let twice = json!({"name": "n", "time_zone": "UTC", "shifts": [
        {"name": "a", "start": "01:00", "end": "02:00"}, {"name": "a", "start": "03:00", "end": "04:00"}]});
    assert_eq!(world.post(OPERATOR, &path, twice).await.refused(422), ["/shifts/1/name"]);
    let overlapping = json!({"name": "n", "time_zone": "UTC", "shifts": [
        {"name": "a", "start": "22:00", "end": "06:00"}, {"name": "b", "start": "05:00", "end": "09:00"}]});
    assert_eq!(world.post(OPERATOR, &path, overlapping).await.refused(422), ["/shifts/1/start"]);
}

#[tokio::test]
async fn an_edges_secret_is_shown_once_and_kept_sealed() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = world.made(&format!("/v1/sites/{}/edges", tenant.site), json!({"name": "edge 1"})).await;
    let secret = edge["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let kept = Directory(world.table.as_ref()).edge(&id(&edge).parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.site_id.as_str(), tenant.site);
    assert_eq!(world.open_edge_secret(&tenant.organization, &id(&edge), &kept.secrets[0].sealed).await, secret);
    let dump = serde_json::to_string(&world.table.dump()).unwrap();
    assert!(!dump.contains(secret) && !dump.contains(&tenant.key));
}

#[tokio::test]
async fn after_a_rotation_both_secrets_are_good_for_a_day() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = world.made(&format!("/v1/sites/{}/edges", tenant.site), json!({"name": "edge 1"})).await;
    let path = format!("/v1/sites/{}/edges/{}/rotate-secret", tenant.site, id(&edge));
    let rotate = async || world.call_with(OPERATOR, "POST", &path, None, &[]).await;
    let edge_id: EdgeId = id(&edge).parse().unwrap();
    let kept = async || Directory(world.table.as_ref()).edge(&edge_id).await.unwrap().unwrap().secrets;

    let rotated = rotate().await;
    assert_eq!((rotated.status.as_u16(), id(&rotated.body)), (201, id(&edge)));
    assert_ne!(rotated.body["secret"], edge["secret"]);
    let secrets = kept().await;
    let open = async |at: usize| world.open_edge_secret(&tenant.organization, &id(&edge), &secrets[at].sealed).await;
    assert_eq!(secrets.len(), 2);
    assert_eq!((json!(open(0).await), json!(open(1).await)), (rotated.body["secret"].clone(), edge["secret"].clone()));
    let in_a_day = world.now() + SignedDuration::from_hours(24);
    assert_eq!((secrets[0].expires_at, secrets[1].expires_at), (None, Some(in_a_day)));
    assert_eq!(rotated.body["previous_secret_expires_at"], in_a_day.to_string().as_str());

    world.pass(SignedDuration::from_hours(1));
    rotate().await;
    let secrets = kept().await;
    let later = Some(in_a_day + SignedDuration::from_hours(1));
    assert_eq!(secrets.iter().map(|s| s.expires_at).collect::<Vec<_>>(), [None, later, Some(in_a_day)]);
    world.pass(SignedDuration::from_hours(30));
    rotate().await;
    assert_eq!(kept().await.len(), 2, "what has ended is forgotten");
}

#[tokio::test]
async fn an_edge_is_found_at_its_own_site_only() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let other = world.site(&tenant.organization, "South").await;
    let edge = world.made(&format!("/v1/sites/{}/edges", tenant.site), json!({"name": "edge 1"})).await;
    let path = format!("/v1/sites/{other}/edges/{}/rotate-secret", id(&edge));
    world.call_with(OPERATOR, "POST", &path, None, &[]).await.refused(404);
}

#[tokio::test]
async fn a_key_is_shown_once_and_listed_without() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/organizations/{}/api-keys", tenant.organization);
    let body = json!({"name": "BI tool", "scopes": ["read", "read"], "site_ids": [tenant.site], "expires_at": "2027-01-31T17:00:00-06:00"});
    let made = world.made(&path, body).await;
    assert!(made["key"].as_str().unwrap().starts_with("hhp_") && !made["key"].as_str().unwrap().starts_with("hhp_op_"));
    let listed = world.get(OPERATOR, &path).await;
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("key");
    assert!(listed.body["data"].as_array().unwrap().contains(&shown), "{}", listed.body);
    assert_eq!((&shown["scopes"], &shown["site_ids"]), (&json!(["read"]), &json!([tenant.site])));
    assert_eq!(shown["expires_at"], "2027-01-31T23:00:00Z");
    assert!(!listed.body.to_string().contains("sha256"));
}

#[tokio::test]
async fn a_setup_link_stands_in_the_answer_alone() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let made = world.made(&format!("/v1/organizations/{}/setup-links", tenant.organization), Value::Null).await;
    let url = made["url"].as_str().unwrap();
    let secret = url.strip_prefix("https://pulse.example/sign-in/link/").unwrap();
    assert_eq!((&made["role"], &made["organization_id"]), (&json!("manager"), &json!(tenant.organization)));
    let in_a_week = world.now() + SignedDuration::from_hours(7 * 24);
    assert_eq!(made["expires_at"], in_a_week.to_string().as_str());
    assert!(!serde_json::to_string(&world.table.dump()).unwrap().contains(secret));
    let again = world.made(&format!("/v1/organizations/{}/setup-links", tenant.organization), Value::Null).await;
    assert_ne!(again["url"], made["url"], "each is for one person");
}

#[tokio::test]
async fn every_fault_of_a_key_is_named_at_once() {
    let world = World::new();
    let (tenant, other) = (world.tenant("Acme").await, world.tenant("Bolt").await);
    let path = format!("/v1/organizations/{}/api-keys", tenant.organization);
    let body = json!({"name": "", "scopes": ["read", "admin"], "site_ids": [tenant.site, other.site, 7], "expires_at": "2020-01-01T00:00:00Z"});
    let places = world.post(OPERATOR, &path, body).await.refused(422);
    assert_eq!(places, ["/name", "/scopes/1", "/site_ids/1", "/site_ids/2", "/expires_at"]);
    let body = json!({"name": "n", "scopes": [], "site_ids": [], "expires_at": "tomorrow"});
    assert_eq!(world.post(OPERATOR, &path, body).await.refused(422), ["/scopes", "/site_ids", "/expires_at"]);
    assert_eq!(world.post(OPERATOR, &path, json!({"name": "n"})).await.refused(422), ["/scopes"]);
}

#[tokio::test]
async fn what_nobody_has_is_not_there() {
    let world = World::new();
    let site = json!({"name": "n", "time_zone": "UTC"});
    for organization in ["org_00000000000000000000000000", "org_x", "site_00000000000000000000000000", "%20"] {
        world.post(OPERATOR, &format!("/v1/organizations/{organization}/sites"), site.clone()).await.refused(404);
        world.get(OPERATOR, &format!("/v1/organizations/{organization}/api-keys")).await.refused(404);
    }
    world.get(OPERATOR, "/v1/sites/site_00000000000000000000000000").await.refused(404);
    world.get(OPERATOR, "/v1/connections/con_00000000000000000000000000").await.refused(404);
}

#[tokio::test]
async fn a_list_that_did_not_change_is_304() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let endpoint = json!({"platform": "own", "name": "Relay", "url": "https://hooks.example.com/x"});
    let made = world.post(&tenant.key, "/v1/webhook-endpoints", endpoint.clone()).await.body;
    let lists = [
        ("/v1/sites".to_owned(), tenant.key.as_str()),
        ("/v1/connections".to_owned(), &tenant.key),
        (format!("/v1/connections/{connection}/records"), &tenant.key),
        ("/v1/webhook-endpoints".to_owned(), &tenant.key),
        (format!("/v1/webhook-endpoints/{}/deliveries", id(&made)), &tenant.key),
        (format!("/v1/organizations/{}/api-keys", tenant.organization), OPERATOR),
    ];
    for (path, key) in &lists {
        let read = world.get(key, path).await;
        assert_eq!(read.status, 200, "{path}: {}", read.body);
        let known = read.header("etag");
        let again = world.call_with(key, "GET", path, None, &[("if-none-match", &known)]).await;
        assert_eq!((again.status.as_u16(), again.header("etag")), (304, known), "{path}");
    }
    let known = world.get(&tenant.key, "/v1/webhook-endpoints").await.header("etag");
    world.post(&tenant.key, "/v1/webhook-endpoints", endpoint).await;
    let path = "/v1/webhook-endpoints";
    assert_eq!(world.call_with(&tenant.key, "GET", path, None, &[("if-none-match", &known)]).await.status, 200);
}
