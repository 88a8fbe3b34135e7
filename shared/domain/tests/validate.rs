//! What is told of an event that is refused.
#![expect(clippy::unwrap_used, reason = "a test whose helpers fail must fail")]
use domain::event::EventBody;
use domain::ids::{EdgeId, SiteId};
use domain::validate::{Expected, Refusal, validate_event};
use proptest::prelude::*;
use serde_json::{Value, json};

const EDGE: &str = "edge_00000000000000000000000001";
const SITE: &str = "site_00000000000000000000000001";

fn check(event: &Value) -> Result<domain::event::Event, Refusal> {
    let (edge_id, site_id): (EdgeId, SiteId) = (EDGE.parse().unwrap(), SITE.parse().unwrap());
    validate_event(event, Expected { edge_id: &edge_id, site_id: &site_id })
}

fn event(kind: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "id": "e-1", "source": format!("/edges/{EDGE}"), "subject": SITE,
           "time": "2026-11-24T16:03:06-06:00", "type": format!("com.hardhatpulse.{kind}"), "data": data})
}

fn incident() -> Value {
    event(
        "incident.confirmed.v1",
        json!({"incident_id": "01KKC50VV0MKQBVPVMM8542865", "revision": 1, "occurred_at": "2026-11-24T15:00:00Z",
               "confirmed_at": "2026-11-24T16:00:00Z", "recordable": true, "incident_type": "struck_by",
               "classification": "injury", "osha_log": {"year": 2026, "case_number": "2026-017"}, "zone_id": "z1",
               "worker": {"worker_id": "W-1", "role": "Rigger", "trade": "Ironwork"}, "detection_ids": []}),
    )
}

fn pointers(refusal: &Refusal) -> Vec<&str> {
    refusal.errors.iter().map(|error| error.pointer.as_str()).collect()
}

#[test]
fn an_event_is_read_with_its_instants_and_without_what_is_unknown() {
    let mut sent = incident();
    sent["data"]["stranger"] = json!("x");
    let event = check(&sent).unwrap();
    assert_eq!(event.time.to_string(), "2026-11-24T22:03:06Z");
    let EventBody::IncidentConfirmed(incident) = &event.body else { panic!("{event:?}") };
    assert!(!incident.privacy_case && incident.summary.is_none());
    assert!(!serde_json::to_string(&event).unwrap().contains("stranger"));
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let refusal = check(&json!({"type": "com.hardhatpulse.incident.confirmed.v1", "data": {}})).unwrap_err();
    let told = pointers(&refusal);
    for name in
        ["/specversion", "/id", "/source", "/subject", "/time", "/data/incident_id", "/data/osha_log", "/data/worker"]
    {
        assert!(told.contains(&name), "{name} in {told:?}");
    }
    assert!(!told.contains(&""), "nothing is left untold: {told:?}");
    assert!(refusal.errors.iter().all(|error| error.detail.contains("is missing")));
}

#[test]
fn each_detail_names_field_and_remedy() {
    let mut sent = incident();
    sent["data"]["osha_log"]["year"] = json!(1900);
    sent["data"]["detection_ids"] = json!(["01KKC50VV0MKQBVPVMM8542865", "no ulid"]);
    let refusal = check(&sent).unwrap_err();
    assert_eq!(pointers(&refusal), ["/data/osha_log/year", "/data/detection_ids/1"]);
    assert_eq!(refusal.errors[0].detail, "`year` must be a year from 1971 to 2200.");
    assert!(refusal.errors[1].detail.starts_with("Each item of `detection_ids` must be a ULID"));
    assert_eq!(refusal.id.as_deref(), Some("e-1"));
    assert_eq!(refusal.known["/data/incident_type"], "struck_by");
    for pointer in ["/data/osha_log/year", "/data/detection_ids", "/data/worker/role", "/data/worker/worker_id"] {
        assert!(!refusal.known.contains_key(pointer), "{pointer}");
    }
}

#[test]
fn what_one_member_says_of_another_is_checked() {
    let sample = |from: &str, compliant: u64| {
        event(
            "ppe.sampled.v1",
            json!({"sample_id": "s1", "sampled_from": from, "sampled_to": "2026-11-24T11:00:00+01:00", "zone_id": "z1",
                   "checks": {"hard_hat": {"checked": 3, "compliant": compliant}}}),
        )
    };
    assert!(check(&sample("2026-11-24T10:00:00Z", 3)).is_ok());
    assert_eq!(pointers(&check(&sample("2026-11-24T10:00:01Z", 3)).unwrap_err()), ["/data/sampled_to"]);
    assert_eq!(pointers(&check(&sample("2026-11-24T10:00:00Z", 4)).unwrap_err()), ["/data/checks/hard_hat/compliant"]);
    let assigned = |to: &str| {
        event(
            "worker.assigned.v1",
            json!({"worker_id": "W-1", "revision": 1, "role": "Rigger", "trade": "Ironwork", "active": true,
                   "from": "2026-11-24T10:00:00Z", "to": to}),
        )
    };
    assert!(check(&assigned("2026-11-24T10:00:00Z")).is_ok());
    assert_eq!(pointers(&check(&assigned("2026-11-24T09:59:59Z")).unwrap_err()), ["/data/to"]);
}

#[test]
fn a_flood_of_violations_is_cut_short() {
    let mut sent = incident();
    sent["data"]["detection_ids"] = json!(vec![0; 1000]);
    let refusal = check(&sent).unwrap_err();
    assert_eq!(refusal.errors.len(), 25);
    assert!(refusal.errors[24].detail.starts_with("More is wrong"));
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..8).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_json_is_refused_and_never_panics(value in arbitrary_json()) {
        prop_assert!(check(&value).is_err());
    }

    /// Whatever stands in one place: a refusal points to where there is something, or should be, and repeats no text.
    #[test]
    fn no_refusal_repeats_what_was_sent(
        place in proptest::sample::select(vec!["id", "time", "type", "data"]),
        inner in proptest::sample::select(vec!["worker", "zone_id", "summary", "osha_log", "recordable"]),
        secret in "[A-Z][a-z]{6,12}Q7x [A-Z][a-z]{6,12}Q7x",
    ) {
        let mut sent = incident();
        sent[place] = json!([secret]);
        let mut nested = incident();
        nested["data"][inner] = json!({ secret.as_str(): secret });
        for refusal in [check(&sent).unwrap_err(), check(&nested).unwrap_err()] {
            prop_assert!(!format!("{refusal:?}").contains("Q7x"), "{:?}", refusal);
        }
    }
}
