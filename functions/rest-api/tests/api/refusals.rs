//! Refusals that every route shares.
use crate::world::{OPERATOR, World};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;

fn post(body: impl Into<Body>, content_type: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/v1/organizations").header("authorization", format!("Bearer {OPERATOR}"));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn a_body_that_is_not_json_is_told_from_one_that_is_wrong() {
    let world = World::new();
    let json = Some("application/json");
    for body in ["", "{", "{\"name\": nope}", "[1,]"] {
        world.send(post(body, json)).await.refused(400);
    }
    for body in ["null", "[]", "\"Acme\"", "7"] {
        assert_eq!(world.send(post(body, json)).await.refused(422), [""]);
    }
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json")] {
        world.send(post("{\"name\":\"Acme\"}", content_type)).await.refused(415);
    }
    for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"] {
        assert_eq!(world.send(post("{\"name\":\"Acme\"}", Some(content_type))).await.status, 201, "{content_type}");
    }
}

#[tokio::test]
async fn a_body_has_an_end() {
    let world = World::new();
    let name = "x".repeat(256 * 1024);
    world.send(post(json!({"name": name}).to_string(), Some("application/json"))).await.refused(413);
    let mut request = post(json!({"name": name}).to_string(), Some("application/json"));
    request.headers_mut().insert("idempotency-key", "1".parse().unwrap());
    world.send(request).await.refused(413);
}

#[tokio::test]
async fn a_refused_value_is_not_repeated() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let secret = "whsec_hunter2";
    let sites = format!("/v1/organizations/{}/sites", tenant.organization);
    let keys = format!("/v1/organizations/{}/api-keys", tenant.organization);
    let project = format!("/v1/connections/{connection}/projects/7");
    for (method, path, body) in [
        ("POST", "/v1/organizations", json!({"name": format!("{secret}\n")})),
        ("POST", "/v1/organizations", json!(secret)),
        ("POST", &sites, json!({"name": secret, "time_zone": secret, "shifts": secret})),
        ("POST", &keys, json!({"name": "n", "scopes": [secret], "site_ids": [secret], "expires_at": secret})),
        ("POST", "/v1/connections", json!({"organization_id": secret, "provider": "procore", "company_id": secret})),
        ("POST", "/v1/connections", json!({"provider": secret})),
        (
            "PUT",
            &project,
            json!({"site_id": secret, "observations": {"kinds": [secret], "min_priority": secret},
                                 "daily_summary": {"at": secret}, "mapping": {"hazards": {"fall": secret}}}),
        ),
    ] {
        let answer = world.call_with(OPERATOR, method, path, Some(body), &[]).await;
        assert!(!answer.refused(422).is_empty());
        assert!(!answer.body.to_string().contains("hunter2"), "{}", answer.body);
    }
    let answer = world.get(OPERATOR, &format!("/v1/sites/{secret}")).await;
    answer.refused(404);
    assert!(!answer.body.to_string().contains("hunter2"));
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let world = World::new();
    let refused = world.get("hhp_x", "/v1/sites").await;
    assert_eq!(refused.body["request_id"], refused.header("x-request-id").as_str());
    let made = world.post(OPERATOR, "/v1/organizations", json!({"name": "Acme"})).await;
    assert_ne!(made.header("x-request-id"), refused.header("x-request-id"));
}

#[tokio::test]
async fn an_unknown_path_and_an_unknown_method_are_told_apart() {
    let world = World::new();
    world.get(OPERATOR, "/v1/organisations").await.refused(404);
    world.get(OPERATOR, "/").await.refused(404);
    let answer = world.call_with(OPERATOR, "DELETE", "/v1/connections", None, &[]).await;
    answer.refused(405);
    let mut allowed: Vec<String> = answer.header("allow").split(',').map(|m| m.trim().to_owned()).collect();
    allowed.sort();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn no_other_origin_is_let_in() {
    let world = World::new();
    let headers = [("origin", "https://example.com"), ("access-control-request-method", "POST")];
    let answer = world.call_with(OPERATOR, "OPTIONS", "/v1/sites", None, &headers).await;
    answer.refused(405);
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn an_unknown_query_parameter_is_refused_and_not_ignored() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let answer = world.get(&tenant.key, "/v1/sites?limits=5&limit=1&limit=2").await;
    assert_eq!(answer.refused(422), ["limits", "limit"]);
}

#[tokio::test]
async fn the_schemas_are_for_anyone_at_the_addresses_of_their_ids() {
    let world = World::new();
    for (path, _) in domain::validate::SCHEMAS {
        let answer = world.send(Request::get(format!("/schemas/{path}")).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/schema+json");
        assert_eq!(answer.body["$id"], format!("https://hardhatpulse.com/schemas/{path}"));
    }
    world.send(Request::get("/schemas/edge/none.json").body(Body::empty()).unwrap()).await.refused(404);
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_no_other() {
    let world = World::new();
    let answer = world.send(Request::get("/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["openapi"]), (200, &json!("3.1.0")));
    let mut named: Vec<(String, String)> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in answer.body["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            named.push((method.clone(), path.clone()));
            assert!(ids.insert(operation["operationId"].to_string()), "{operation}");
            let content = |part: &serde_json::Value| part["content"]["application/json"].clone();
            let body = &operation["requestBody"];
            assert!(body.is_null() || content(body)["example"].is_object(), "{method} {path}");
            let made = operation["responses"].as_object().unwrap();
            let good = made.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
            assert!(content(good)["example"].is_object() || made.contains_key("204"), "{method} {path}");
        }
    }
    named.sort();
    let mut routes: Vec<(String, String)> =
        rest_api::ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    routes.sort();
    assert_eq!(named, routes);
}
