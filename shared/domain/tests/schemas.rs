//! The published schemas and the validator give the same verdict: on the demo day, and on what small mutations make of it.
#![expect(clippy::unwrap_used, reason = "a test whose helpers fail must fail")]
use domain::ids::{EdgeId, SiteId};
use domain::validate::{Expected, Refusal, SCHEMAS, validate_event};
use jsonschema::{Registry, Validator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const DEMO_DAY: &str = include_str!("../../../events/demo-day.json");

fn schema(path: &str) -> Value {
    let text = SCHEMAS.iter().find(|(name, _)| *name == path).unwrap().1;
    serde_json::from_str(text).unwrap()
}

fn with_validator(check: impl FnOnce(&Validator)) {
    let resources = SCHEMAS.map(|(path, _)| schema(path));
    let mut registry = Registry::new();
    for resource in &resources {
        registry = registry.add(resource["$id"].as_str().unwrap(), resource).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let event = schema("edge/event.json");
    check(&jsonschema::options().with_registry(&registry).should_validate_formats(true).build(&event).unwrap());
}

fn demo_day() -> Vec<Value> {
    let day: Value = serde_json::from_str(DEMO_DAY).unwrap();
    day["events"].as_array().unwrap().clone()
}

/// The first event of each type, with the members that may be left out.
fn samples() -> Vec<Value> {
    let mut by_type: BTreeMap<String, Value> = BTreeMap::new();
    for event in demo_day() {
        let kind = event["type"].as_str().unwrap().to_owned();
        let best = by_type.entry(kind).or_insert_with(|| event.clone());
        if event["data"].as_object().unwrap().len() > best["data"].as_object().unwrap().len() {
            *best = event;
        }
    }
    assert_eq!(by_type.len(), 7, "the demo day has an event of each type");
    by_type.into_values().collect()
}

fn verdict(event: &Value, sender: &Value) -> Result<(), Refusal> {
    let edge_id: EdgeId = sender["source"].as_str().unwrap().strip_prefix("/edges/").unwrap().parse().unwrap();
    let site_id: SiteId = sender["subject"].as_str().unwrap().parse().unwrap();
    validate_event(event, Expected { edge_id: &edge_id, site_id: &site_id }).map(drop)
}

/// Refused only for what a schema can't say: the order of two members.
fn beyond_schemas(refusal: &Refusal) -> bool {
    refusal
        .errors
        .iter()
        .all(|error| error.detail.contains("must not be before") || error.detail.contains("greater than"))
}

fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| pointers(value, format!("{at}/{i}"), all))
        }
        _ => {}
    }
    all.push(at);
}

fn values() -> Vec<Value> {
    let mut values: Vec<Value> = serde_json::from_str(
        r#"[null, true, -1, 0, 1, 3.0, 1.5, 6, 1970, 2200, 2201, 1e300, 9007199254740991, 9007199254740992, 1000000001,
            "", " ", "x", "a b", "Ab-1:c.d", "_a", "a_b", "\u0001", "a\nb", "é", "fall", "injury", "death", "1.0",
            "application/json; charset=utf-8", "Application/JSON", "text/plain", "com.hardhatpulse.none.v1",
            "01KKAYKRS8Q8BX1F0S352NWDSJ", "81KKAYKRS8Q8BX1F0S352NWDSJ", "01kkaykrs8q8bx1f0s352nwdsj", "01KKAYKRS8Q8BX1F0S352NWDSI",
            "2026-03-10T15:04:36Z", "2026-03-10T15:04:36", "2026-02-30T15:04:36Z", "2026-03-10 15:04:36Z", "1969-03-10T15:04:36Z",
            "2026-03-10T15:04:36.123456789+05:30", "2026-03-10T15:04:36.1234567890Z", "2026-03-10T25:04:36Z",
            [], {}, [1], ["a_b"], ["a b"], ["Level 1"], ["01KKAYKRS8Q8BX1F0S352NWDSJ"], {"name": "x"},
            {"hard_hat": {"checked": 1, "compliant": 1}}, {"hard hat": {"checked": 1, "compliant": 1}}, {"hard_hat": 1}]"#,
    )
    .unwrap();
    values.extend(
        [32, 33, 64, 65, 80, 81, 128, 129, 200, 201, 256, 257, 1024, 1025, 2000, 2001].map(|n| json!("a".repeat(n))),
    );
    values.extend([10, 11, 64, 65].map(|n| json!(vec!["a"; n])));
    values.extend([1000, 1001].map(|n| json!(vec!["01KKAYKRS8Q8BX1F0S352NWDSJ"; n])));
    values
}

fn mutations(sample: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    pointers(sample, String::new(), &mut places);
    let mut all = Vec::new();
    for place in &places {
        let replaced = values().into_iter().map(|value| {
            let mut event = sample.clone();
            *event.pointer_mut(place).unwrap() = value.clone();
            (format!("{place} = {}", value.to_string().chars().take(80).collect::<String>()), event)
        });
        // Who may say what is not in a schema.
        if place != "/source" && place != "/subject" {
            all.extend(replaced);
        }
        let Some((parent, name)) = place.rsplit_once('/') else { continue };
        let mut without = sample.clone();
        if let Some(members) = without.pointer_mut(parent).and_then(Value::as_object_mut) {
            members.remove(name);
            all.push((format!("{place} removed"), without));
        }
        let mut more = sample.clone();
        if let Some(members) = more.pointer_mut(place).and_then(Value::as_object_mut) {
            members.insert("stranger".into(), json!({"name": "x"}));
            all.push((format!("{place}/stranger added"), more));
        }
    }
    all
}

#[test]
fn each_schema_is_one_by_its_own_account() {
    for (path, text) in SCHEMAS {
        let schema: Value = serde_json::from_str(text).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{path}");
        assert!(schema["$id"].as_str().unwrap().ends_with(&format!("/schemas/{path}")), "{path}");
    }
}

#[test]
fn the_whole_demo_day_is_valid_to_both() {
    with_validator(|schema| {
        for event in demo_day() {
            assert_eq!(verdict(&event, &event), Ok(()), "{event}");
            assert!(schema.is_valid(&event), "{event}");
        }
    });
}

#[test]
fn both_give_the_same_verdict_on_every_mutation() {
    with_validator(|schema| {
        let (mut good, mut bad, mut wrong) = (0, 0, Vec::new());
        for sample in samples() {
            for (what, event) in mutations(&sample) {
                let ours = verdict(&event, &sample);
                let ours = ours.is_ok() || ours.as_ref().is_err_and(beyond_schemas);
                if ours != schema.is_valid(&event) {
                    wrong.push(format!("{} {what}: validator says {ours}", sample["type"]));
                }
                if ours { good += 1 } else { bad += 1 }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(good > 200 && bad > 2000, "the mutations must try both: {good} {bad}");
    });
}

#[test]
fn the_types_of_the_envelope_are_those_with_a_schema() {
    let event = schema("edge/event.json");
    let types = event["properties"]["type"]["enum"].as_array().unwrap();
    let files: Map<String, Value> = SCHEMAS.iter().map(|(path, _)| ((*path).to_owned(), json!(1))).collect();
    for kind in types {
        let name = kind.as_str().unwrap().strip_prefix("com.hardhatpulse.").unwrap();
        assert!(files.contains_key(&format!("edge/{name}.json")), "{name}");
    }
    assert_eq!(types.len() + 2, SCHEMAS.len());
}
