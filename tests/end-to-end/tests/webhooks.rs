//! Webhooks to a customer's own receiver: a strict one, and receivers as they are.
use end_to_end::events::{detection, id, incident, retraction, zone};
use end_to_end::eventually;
use end_to_end::receiver::{Receiver, TOKEN};
use end_to_end::tenant::{SOON, Tenant};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DETECTION: &str = "detection.recorded";

#[test]
fn a_detection_is_a_signed_message_in_seconds_with_a_task_ready_for_the_platform() {
    let tenant = Tenant::new();
    let (fieldwire, trimble) = (Receiver::new(&tenant, "fieldwire"), Receiver::new(&tenant, "trimble_connect"));
    tenant.take(&[zone(&tenant)]);
    let sent = Timestamp::now();
    tenant.take(&[detection(&tenant, 1)]);
    for receiver in [&fieldwire, &trimble] {
        receiver.wait_for(DETECTION, 1);
        let arrival = receiver.arrivals(DETECTION).remove(0);
        assert_eq!((&arrival["verified"], &arrival["signatures"]), (&json!(true), &json!(1)), "{arrival:#}");
        let at: Timestamp = arrival["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let took = at.duration_since(sent);
        assert!(took.as_secs() < 10, "{took}");
        let data = &arrival["body"]["data"];
        assert_eq!(data["detection_id"], id(1).as_str());
        assert!(
            data["title"].as_str().is_some_and(|title| title.starts_with("Zone breach - Crane 2 [HHP-")),
            "{data:#}"
        );
    }
    let data = |receiver: &Receiver<'_>| receiver.arrivals(DETECTION)[0]["body"]["data"].clone();
    let task = &data(&fieldwire)["ready"];
    assert_eq!(
        (&task["category"], &task["task"]["priority"], &task["bubble"]["kind"]),
        (&json!("Safety"), &json!(1), &json!(1))
    );
    assert_eq!(data(&trimble)["ready"]["topic"]["topic_status"], "Open");
    tenant.take(&[incident(&tenant, 9, 1, &[1])]);
    fieldwire.wait_for("incident.confirmed", 1);
    tenant.take(&[incident(&tenant, 9, 2, &[1])]);
    fieldwire.wait_for("incident.updated", 1);
    tenant.take(&[retraction(&tenant, 9, 3)]);
    for receiver in [&fieldwire, &trimble] {
        for kind in ["incident.confirmed", "incident.updated", "incident.retracted"] {
            assert_eq!(receiver.wait_for(kind, 1).len(), 1);
        }
        receiver.no_problems();
        assert_eq!(receiver.deliveries(DETECTION)[0]["state"], "delivered");
    }
}

#[test]
fn a_flow_without_code_gets_the_same_message_as_plain_json_and_a_channel_gets_a_card() {
    let tenant = Tenant::new();
    let (plain, channel) = (Receiver::new(&tenant, "trimble_connect"), Receiver::new(&tenant, "own"));
    assert_eq!(plain.arrivals("ping")[0]["content_type"], "application/cloudevents+json");
    assert_eq!(plain.change(json!({"format": "json"}))["format"], "json");
    channel.change(json!({"format": "teams"}));
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    plain.wait_for(DETECTION, 1);
    let arrival = plain.arrivals(DETECTION).remove(0);
    assert_eq!((&arrival["content_type"], &arrival["verified"]), (&json!("application/json"), &json!(true)));
    assert_eq!((&arrival["problems"], &arrival["body"]["specversion"]), (&json!([]), &json!("1.0")), "{arrival:#}");
    assert_eq!(arrival["body"]["data"]["ready"]["topic"]["topic_status"], "Open");
    let card =
        eventually("a card", SOON, || channel.all().into_iter().find(|arrival| arrival["type"] == "adaptive card"));
    assert_eq!((&card["problems"], &card["verified"]), (&json!([]), &json!(true)), "{card:#}");
    assert!(card["body"].to_string().contains("Zone breach - Crane 2"), "{card:#}");
    plain.no_problems();
}

#[test]
fn a_receiver_that_hangs_delays_no_other_and_gets_its_messages_when_it_is_well() {
    let tenant = Tenant::new();
    let (hanging, well) = (Receiver::new(&tenant, "fieldwire"), Receiver::new(&tenant, "own"));
    hanging.answers(json!({"kind": "hang"}));
    let since = Instant::now();
    let events: Vec<Value> = std::iter::once(zone(&tenant)).chain((1..=12).map(|n| detection(&tenant, n))).collect();
    tenant.take(&events);
    well.wait_for(DETECTION, 12);
    let took = since.elapsed();
    assert!(took < Duration::from_secs(12), "{took:?}: one attempt of the hanging one takes 15 s");
    eventually("an attempt that hangs", SOON, || (!hanging.arrivals(DETECTION).is_empty()).then_some(()));
    assert_eq!(hanging.taken(DETECTION).len(), 0, "it was not hanging: the test shows nothing");
    hanging.answers(json!({"kind": "take"}));
    // The first tries end after 15 s, the next follows after 5.
    let ids = eventually("what hung", Duration::from_secs(150), || {
        Some(hanging.taken(DETECTION)).filter(|ids| ids.len() == 12)
    });
    assert_eq!(ids.len(), 12);
    let row = eventually("a row with both attempts", SOON, || {
        let mut rows = hanging.deliveries(DETECTION).into_iter();
        rows.find(|row| row["state"] == "delivered" && row["attempts"].as_array().is_some_and(|all| all.len() > 1))
    });
    let words = row["attempts"][0]["error"].as_str().unwrap_or_default();
    assert!(words.contains("did not answer within 15 seconds"), "{row:#}");
    well.no_problems();
}

#[test]
fn gone_disables_and_what_was_missed_can_be_recovered_and_each_message_retried() {
    let tenant = Tenant::new();
    let receiver = Receiver::new(&tenant, "fieldwire");
    let since = Timestamp::now();
    receiver.answers(json!({"kind": "status", "status": 410, "body": "moved out", "times": 1}));
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    let endpoint = eventually("a disabled endpoint", SOON, || {
        Some(receiver.endpoint()).filter(|endpoint| endpoint["state"] == "disabled")
    });
    assert!(endpoint["disabled_reason"].as_str().is_some_and(|reason| reason.contains("410")), "{endpoint}");
    let failed = receiver.deliveries(DETECTION).remove(0);
    assert_eq!((&failed["state"], &failed["attempts"][0]["response_excerpt"]), (&json!("failed"), &json!("moved out")));
    // Meanwhile something happens; nobody is told.
    tenant.take(&[detection(&tenant, 2)]);
    tenant.settled("observations", 2);
    assert!(receiver.taken(DETECTION).is_empty());
    assert_eq!(receiver.call("POST", "/recover", json!({"since": since})).status, 409, "it is still disabled");

    assert_eq!(receiver.change(json!({"state": "active"}))["state"], "active");
    assert_eq!(receiver.call("POST", "/recover", json!({"since": since})).status, 202);
    let ids = receiver.wait_for(DETECTION, 2);
    let first = failed["id"].as_str().expect("a webhook-id").to_owned();
    assert!(ids.contains(&first), "the same message under the same id");

    let tries = |id: &str| receiver.arrivals(DETECTION).iter().filter(|arrival| arrival["id"] == id).count();
    let before = tries(&first);
    assert_eq!(receiver.call("POST", &format!("/deliveries/{first}/retry"), json!({})).status, 202);
    eventually("the retry", SOON, || (tries(&first) > before).then_some(()));
    assert_eq!(receiver.taken(DETECTION).len(), 2, "it is the same message");
    receiver.no_problems();
}

#[test]
fn while_a_secret_is_rotated_the_old_one_and_the_new_one_both_verify() {
    let tenant = Tenant::new();
    let receiver = Receiver::new(&tenant, "own");
    let made = receiver.call("POST", "/rotate-secret", json!({})).ok("a new secret");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(secret, receiver.secret);
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    receiver.wait_for(DETECTION, 1);
    receiver.set(json!({"secrets": [secret]}));
    tenant.take(&[detection(&tenant, 2)]);
    receiver.wait_for(DETECTION, 2);
    for arrival in receiver.arrivals(DETECTION) {
        assert_eq!((&arrival["verified"], &arrival["signatures"]), (&json!(true), &json!(2)), "{arrival:#}");
    }
    receiver.no_problems();
}

#[test]
fn a_test_shows_the_receivers_own_answer_and_never_the_token() {
    let tenant = Tenant::new();
    let receiver = Receiver::new(&tenant, "fieldwire");
    receiver.answers(json!({"kind": "status", "status": 401, "body": format!("who is {TOKEN}?"), "times": 1}));
    let refused = receiver.call("POST", "/test", json!({})).ok("a test");
    assert_eq!((&refused["delivered"], &refused["status_code"]), (&json!(false), &json!(401)), "{refused}");
    let excerpt = refused["response_excerpt"].as_str().unwrap_or_default();
    assert!(excerpt.starts_with("who is ") && !excerpt.contains(TOKEN), "{excerpt}");
    let taken = receiver.call("POST", "/test", json!({})).ok("a test");
    assert_eq!((&taken["delivered"], &taken["status_code"]), (&json!(true), &json!(200)), "{taken}");
    assert!(taken["response_excerpt"].as_str().is_some_and(|text| text.contains("taken")), "{taken}");
    // A redirect is not followed.
    receiver.answers(json!({"kind": "redirect", "times": 1}));
    let elsewhere = receiver.call("POST", "/test", json!({})).ok("a test");
    assert_eq!((&elsewhere["delivered"], &elsewhere["status_code"]), (&json!(false), &json!(302)), "{elsewhere}");
    assert!(elsewhere["error"].as_str().is_some_and(|error| error.contains("redirect")), "{elsewhere}");
    let body = receiver.call("GET", "/deliveries", Value::Null).text;
    assert!(!body.contains(TOKEN) && !body.contains(&receiver.secret), "{body}");
}
