//! What describes the API, for anyone: the webhooks section, the reference page; and what each answer of the API has about it.
use crate::edge::{Edge, incident};
use crate::world::{OPERATOR, World, id};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tower::ServiceExt;

async fn document(world: &World) -> Value {
    world.send(Request::get("/openapi.json").body(Body::empty()).unwrap()).await.body
}

#[tokio::test]
async fn each_message_has_examples_that_are_valid_by_the_schema_they_name() {
    let world = World::new();
    let document = document(&world).await;
    let webhooks = document["webhooks"].as_object().unwrap();
    let mut tried = 0;
    for (name, item) in webhooks {
        let content = &item["post"]["requestBody"]["content"]["application/cloudevents+json"];
        let examples = content["examples"].as_object().unwrap();
        assert_eq!(examples.len(), 3, "{name}");
        for (platform, example) in examples {
            let body = &example["value"];
            assert_eq!(body["type"], name.as_str());
            let at = body["dataschema"].as_str().unwrap().split_once("/schemas/").unwrap().1;
            let schema = world.send(Request::get(format!("/schemas/{at}")).body(Body::empty()).unwrap()).await;
            assert_eq!(schema.status, 200, "{at}");
            let validator = jsonschema::validator_for(&schema.body).unwrap();
            let wrong: Vec<String> = validator.iter_errors(&body["data"]).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name} {platform}: {wrong:?}");
            assert_eq!(
                body["data"].get("ready").is_some(),
                platform != "own" && !name.contains("ping"),
                "{name} {platform}"
            );
            assert!(body["data"]["worker"].get("worker_id").is_none(), "{body}");
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried}");
}

#[tokio::test]
async fn a_parameter_is_described_by_type_and_bounds() {
    let document = document(&World::new()).await;
    let list = &document["paths"]["/v1/sites/{site}/detections"]["get"]["parameters"];
    let limit = list.as_array().unwrap().iter().find(|each| each["name"] == "limit").unwrap();
    assert_eq!(limit["schema"], json!({"type": "integer", "minimum": 1, "maximum": 500}));
}

#[tokio::test]
async fn an_answer_is_described_to_its_last_member_and_its_example_is_valid() {
    let document = document(&World::new()).await;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap().clone() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let Some(content) = answer["content"].get("application/json") else { continue };
                let (of, example) = (format!("{method} {path} {status}"), &content["example"]);
                assert_eq!(undescribed(&document, &content["schema"], example, ""), Vec::<String>::new(), "{of}");
                let validator = validator(&document, &content["schema"]);
                let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{of}: {wrong:?}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 35, "{tried}");
}

/// A schema of the document, with the document round it, so that its references lead somewhere.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = document.clone();
    whole["allOf"] = json!([schema]);
    jsonschema::validator_for(&whole).unwrap()
}

fn body_of(document: &Value, method: &str, path: &str) -> Value {
    document["paths"][path][method]["requestBody"]["content"]["application/json"].clone()
}

/// The members of a body that an operation says it knows, when asked with one that it does not know.
async fn known(world: &World, key: &str, method: &str, path: &str, mut body: Value) -> BTreeSet<String> {
    body["zz"] = json!(1);
    let headers: &[(&str, &str)] = if method == "post" { &[] } else { &[("if-match", "*")] };
    let answer = world.call_with(key, &method.to_uppercase(), path, Some(body), headers).await;
    assert_eq!(answer.status, 422, "{method} {path}: {}", answer.body);
    let errors = answer.body["errors"].as_array().unwrap();
    let unknown = errors.iter().find(|error| error["pointer"] == "/zz").unwrap();
    let (_, names) = unknown["detail"].as_str().unwrap().split_once("known are: ").unwrap();
    names.split(", ").map(str::to_owned).collect()
}

#[tokio::test]
async fn a_body_is_described_by_all_its_members_and_no_other() {
    let world = World::new();
    let document = document(&world).await;
    let tenant = world.tenant("Acme").await;
    let edge = Edge { world: &world, organization: tenant.organization.clone(), site: tenant.site.clone() };
    edge.send(&[incident(1, 1, world.now(), true, &[])]).await;
    let connection = world.connection(&tenant.organization, "77001").await;
    world.project(&tenant.key, &connection, "7", &tenant.site).await;
    let endpoint = json!({"platform": "own", "name": "Relay", "url": "https://hooks.example.com/x"});
    let endpoint = id(&world.post(&tenant.key, "/v1/webhook-endpoints", endpoint).await.body);
    let mut tried = 0;
    for (method, path) in rest_api::ROUTES {
        let schema = body_of(&document, method, path)["schema"].clone();
        if schema.is_null() || path.contains("/conflicts/") {
            continue;
        }
        let place = path
            .replace("{organization}", &tenant.organization)
            .replace("{site}", &tenant.site)
            .replace("{connection}", &connection)
            .replace("{project}", "7")
            .replace("{endpoint}", &endpoint)
            .replace("{id}", "01JDN9Z4WQ0000000000000001");
        let key = if document["paths"][path][method]["tags"][0] == "operator" { OPERATOR } else { &tenant.key };
        let bodies = match *path {
            "/v1/connections" => vec![json!({"provider": "procore"}), json!({"provider": "acc"})],
            _ => vec![json!({})],
        };
        let mut taken = BTreeSet::new();
        for body in bodies {
            taken.extend(known(&world, key, method, &place, body).await);
        }
        let described: BTreeSet<String> = parts(&document, &schema)
            .iter()
            .flat_map(|part| part["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()))
            .collect();
        assert_eq!(described, taken, "{method} {path}");
        tried += 1;
    }
    assert_eq!(tried, 13);
}

#[tokio::test]
async fn a_body_is_valid_by_its_description_as_the_api_takes_it() {
    let document = document(&World::new()).await;
    for (method, path) in rest_api::ROUTES {
        let body = body_of(&document, method, path);
        if !body.is_null() {
            let wrong: Vec<String> =
                validator(&document, &body["schema"]).iter_errors(&body["example"]).map(|e| e.to_string()).collect();
            assert!(wrong.is_empty(), "{method} {path}: {wrong:?}");
        }
    }
    let made = validator(&document, &body_of(&document, "post", "/v1/webhook-endpoints")["schema"]);
    let endpoint = |change: Value| {
        let mut body = json!({"platform": "own", "name": "Relay", "url": "https://hooks.example.com/x"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        made.is_valid(&body)
    };
    for good in [
        json!({}),
        json!({"kinds": "all"}),
        json!({"kinds": ["fall"]}),
        json!({"site_ids": null}),
        json!({"format": "teams"}),
    ] {
        assert!(endpoint(good.clone()), "{good}");
    }
    for bad in [
        json!({"kinds": "some"}),
        json!({"platform": "procore"}),
        json!({"min_priority": 6}),
        json!({"name": null}),
        json!({"nmae": "x"}),
        json!({"format": "xml"}),
        json!({"site_ids": []}),
    ] {
        assert!(!endpoint(bad.clone()), "{bad}");
    }
    let mapped =
        validator(&document, &body_of(&document, "put", "/v1/connections/{connection}/projects/{project}")["schema"]);
    for kinds in [json!("all"), json!(["fall"])] {
        assert!(mapped.is_valid(
            &json!({"site_id": "site_01JDN3Z4WQ0000000000000001", "observations": {"min_priority": 1, "kinds": kinds}})
        ));
    }
}

#[tokio::test]
async fn the_reference_page_says_what_each_body_has() {
    let page = World::new().send(Request::get("/docs").body(Body::empty()).unwrap()).await;
    let text = page.body.as_str().unwrap();
    let (_, made) = text.split_once("id=\"makeEndpoint\"").unwrap();
    let (made, _) = made.split_once("</article>").unwrap();
    assert!(made.contains("<code>trimble_connect</code>") && made.contains("Incidents are always sent"), "{made}");
    assert!(made.contains("<code>platform</code> <small>required</small>"), "{made}");
}

/// Members of a value that its schema has no word of.
fn undescribed(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let all = parts(document, schema);
            let free = all.iter().any(|part| part.get("additionalProperties").is_some());
            let member = |(name, value): (&String, &Value)| {
                let at = format!("{at}/{name}");
                match all.iter().find_map(|part| part["properties"].get(name)) {
                    Some(found) => undescribed(document, found, value, &at),
                    None if free => Vec::new(),
                    None => vec![at],
                }
            };
            members.iter().flat_map(member).collect()
        }
        Value::Array(items) => {
            let all = parts(document, schema);
            let of = all.iter().find_map(|part| part.get("items")).cloned().unwrap_or_default();
            items.iter().flat_map(|item| undescribed(document, &of, item, at)).collect()
        }
        _ => Vec::new(),
    }
}

/// A schema and all that it is made of.
fn parts(document: &Value, schema: &Value) -> Vec<Value> {
    let mut found = vec![schema.clone()];
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not there"));
        found.extend(parts(document, target));
    }
    for of in ["allOf", "oneOf", "anyOf"] {
        found.extend(schema[of].as_array().into_iter().flatten().flat_map(|part| parts(document, part)));
    }
    found
}

#[tokio::test]
async fn the_reference_page_names_every_operation_and_loads_nothing() {
    let world = World::new();
    let page = world.send(Request::get("/docs").body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, 200);
    let text = page.body.as_str().unwrap();
    for (method, path) in rest_api::ROUTES {
        assert!(text.contains(&format!("<b>{}</b> {path}", method.to_uppercase())), "{method} {path}");
    }
    for name in document(&world).await["webhooks"].as_object().unwrap().keys() {
        assert!(text.contains(name), "{name}");
    }
    assert!(!text.contains("<script") && !text.contains("src=") && !text.contains("<link rel=\"stylesheet\""));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(text.contains("Nothing goes away at present") && text.contains("Sunset"));
}

#[tokio::test]
async fn answers_come_compressed_to_who_takes_that_and_are_the_same() {
    let world = World::new();
    let plain = to_bytes(get(&world, None).await.into_body(), usize::MAX).await.unwrap();
    let response = get(&world, Some("gzip")).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.headers()["vary"].to_str().unwrap().contains("accept-encoding"));
    let packed = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert_eq!(&packed[..2], [0x1f, 0x8b]);
    assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
}

async fn get(world: &World, encoding: Option<&str>) -> axum::response::Response {
    let mut request = Request::get("/openapi.json");
    if let Some(encoding) = encoding {
        request = request.header("accept-encoding", encoding);
    }
    world.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_told_before_its_headers_are_read() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let headers = [("idempotency-key", "")];
    let answer = world.call_with(&tenant.key, "PATCH", "/v1/organizations", Some(json!({})), &headers).await;
    answer.refused(405);
    let answer = world.call_with(&tenant.key, "POST", "/v1/webhook-endpoints", Some(json!({})), &headers).await;
    answer.refused(422);
}
