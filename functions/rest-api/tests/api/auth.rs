//! Who gets in, and what they may do.
use crate::world::{OPERATOR, World};
use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use serde_json::json;

#[tokio::test]
async fn nobody_gets_in_without_a_valid_key_and_all_are_told_the_same() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let mut bodies = Vec::new();
    for value in [
        None,
        Some("Bearer hhp_op_wrong"),
        Some("Bearer hhp_0000"),
        Some("Bearer whsec_0000"),
        Some("Basic aGhwXw=="),
        Some("Bearer"),
        Some(tenant.key.as_str()),
        Some(&format!("Bearer {OPERATOR}x")),
    ] {
        let mut request = Request::get("/v1/sites");
        if let Some(value) = value {
            request = request.header("authorization", value);
        }
        let mut answer = world.send(request.body(Body::empty()).unwrap()).await;
        answer.refused(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        answer.body["request_id"] = "".into();
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let request = Request::get("/v1/sites").header("authorization", format!("bearer {}", tenant.key));
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_rotated_operator_key_counts_and_an_unreadable_one_lets_nobody_in() {
    let world = World::new();
    world.parameters.set("/test/operator-key-sha256", &credentials::operator_key_hash("hhp_op_new"));
    world.post(OPERATOR, "/v1/organizations", json!({"name": "x"})).await.refused(401);
    assert_eq!(world.post("hhp_op_new", "/v1/organizations", json!({"name": "x"})).await.status, 201);

    world.parameters.set("/test/operator-key-sha256", "");
    world.post("hhp_op_new", "/v1/organizations", json!({"name": "x"})).await.refused(401);
}

#[tokio::test]
async fn a_key_ends_when_it_expires_and_when_it_is_revoked() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let keys = format!("/v1/organizations/{}/api-keys", tenant.organization);
    let expires_at = (world.now() + SignedDuration::from_hours(2)).to_string();
    let made = world.made(&keys, json!({"name": "two hours", "scopes": ["read"], "expires_at": expires_at})).await;
    let short = made["key"].as_str().unwrap();
    assert_eq!(world.get(short, "/v1/sites").await.status, 200);
    world.pass(SignedDuration::from_hours(2));
    world.get(short, "/v1/sites").await.refused(401);

    assert_eq!(world.get(&tenant.key, "/v1/sites").await.status, 200);
    let path = format!("{keys}/{}", tenant.key_id);
    let revoked = world.call_with(OPERATOR, "DELETE", &path, None, &[]).await;
    assert_eq!(revoked.status, 204);
    world.get(&tenant.key, "/v1/sites").await.refused(401);
    world.call_with(OPERATOR, "DELETE", &path, None, &[]).await.refused(404);
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let (reader, _) = world.key(&tenant.organization, &["read"], None).await;
    let (writer, _) = world.key(&tenant.organization, &["connections:write"], None).await;
    let project = format!("/v1/connections/{connection}/projects/7");
    let retry = format!("/v1/connections/{connection}/records/incident/x/retry");
    let site = format!("/v1/sites/{}", tenant.site);
    for (key, method, path, scope) in [
        (&reader, "PUT", project.as_str(), "connections:write"),
        (&reader, "POST", &retry, "connections:write"),
        (&reader, "PATCH", &site, "connections:write"),
        (&writer, "GET", "/v1/sites", "read"),
        (&writer, "GET", &site, "read"),
        (&writer, "GET", "/v1/connections", "read"),
        (&writer, "GET", &format!("/v1/connections/{connection}"), "read"),
        (&writer, "GET", &project, "read"),
        (&writer, "GET", &format!("/v1/connections/{connection}/records"), "read"),
    ] {
        // Even where the body could not be read: what the caller may not do is not looked at.
        let answer = world.call_with(key, method, path, None, &[]).await;
        answer.refused(403);
        assert!(answer.body["detail"].as_str().unwrap().contains(scope), "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_once_an_hour_and_never_brings_a_revoked_key_back() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let keys = format!("/v1/organizations/{}/api-keys", tenant.organization);
    let last_used = async || world.get(OPERATOR, &keys).await.body["data"][0]["last_used_at"].clone();
    assert!(last_used().await.is_null());
    let first = world.now().to_string();
    for minutes in [0, 30, 29] {
        world.pass(SignedDuration::from_mins(minutes));
        world.get(&tenant.key, "/v1/sites").await;
        assert_eq!(last_used().await, first.as_str());
    }
    world.pass(SignedDuration::from_mins(1));
    world.get(&tenant.key, "/v1/sites").await;
    assert_eq!(last_used().await, world.now().to_string().as_str());

    // The request that is under way when the key is revoked writes its note late.
    let directory = store::directory::Directory(world.table.as_ref());
    let kept = directory.api_keys(&tenant.organization.parse().unwrap()).await.unwrap().remove(0);
    directory.delete_api_key(&kept).await.unwrap();
    directory.touch_api_key(&kept).await.unwrap();
    world.get(&tenant.key, "/v1/sites").await.refused(401);
    assert_eq!(world.get(OPERATOR, &keys).await.body["data"], json!([]));
}
