//! What describes the API, for anyone: the webhooks section, the reference page; and what each answer of the API has about it.
use crate::world::World;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
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
async fn a_body_and_a_parameter_are_described_by_type_and_bounds() {
    let document = document(&World::new()).await;
    let list = &document["paths"]["/v1/sites/{site}/detections"]["get"]["parameters"];
    let limit = list.as_array().unwrap().iter().find(|each| each["name"] == "limit").unwrap();
    assert_eq!(limit["schema"], json!({"type": "integer", "minimum": 1, "maximum": 500}));
    let body =
        &document["paths"]["/v1/webhook-endpoints"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["properties"]["url"], json!({"type": "string"}));
    assert_eq!(body["properties"]["daily_summary"], json!({"type": "boolean"}));
}

#[tokio::test]
async fn an_answer_is_described_to_its_last_member_and_its_example_is_valid() {
    let mut document = document(&World::new()).await;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap().clone() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let Some(content) = answer["content"].get("application/json") else { continue };
                let (of, example) = (format!("{method} {path} {status}"), &content["example"]);
                assert_eq!(undescribed(&document, &content["schema"], example, ""), Vec::<String>::new(), "{of}");
                // The schema with the document round it, so that its references lead somewhere.
                document["allOf"] = json!([content["schema"]]);
                let validator = jsonschema::validator_for(&document).unwrap();
                let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{of}: {wrong:?}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 35, "{tried}");
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
