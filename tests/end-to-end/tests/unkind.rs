//! The platform at its worst.
use end_to_end::events::{detection, incident, zone};
use end_to_end::tenant::{Platform, SOON, Tenant};
use end_to_end::{eventually, http, on_each_platform};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_each_platform!(
    a_create_whose_answer_is_lost_makes_one_record,
    a_refused_record_shows_the_platforms_words_and_a_retry_mends_it,
    a_persons_edit_survives_a_later_revision,
    a_storm_of_429_loses_nothing,
);

/// The call that makes an observation.
fn create(on: Platform) -> &'static str {
    match on {
        Platform::Procore => "createObservationItem",
        Platform::Acc => "createIssue",
    }
}

fn a_create_whose_answer_is_lost_makes_one_record(on: Platform) {
    let tenant = Tenant::on(on);
    tenant.fault(json!({"operation_id": create(on), "times": 1, "effect": {"kind": "lost_after"}}));
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    // The clock rings at full minutes: the quiet time is short, the ring may be a minute away.
    eventually("synced", Duration::from_secs(150), || (tenant.records("synced").len() == 1).then_some(()));
    tenant.settled("observations", 1);
    assert_eq!(tenant.calls(create(on)).len(), 1, "it was found, not made again");
}

fn a_refused_record_shows_the_platforms_words_and_a_retry_mends_it(on: Platform) {
    let tenant = Tenant::on(on);
    let refuse = json!({"kind": "status", "status": 422, "shape": "fields", "message": "Trade is required"});
    tenant.fault(json!({"operation_id": create(on), "times": 1, "effect": refuse}));
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    let failed = eventually("failed", SOON, || tenant.records("failed").pop());
    assert!(failed["reason"].as_str().unwrap_or_default().contains("Trade is required"), "{failed}");
    assert!(failed["who"].is_string(), "{failed}");
    let path = format!(
        "/v1/connections/{}/records/observation/{}/retry",
        tenant.connection,
        failed["id"].as_str().unwrap_or_default()
    );
    assert_eq!(tenant.stack.operator("POST", &path, json!({})).status, 202);
    tenant.settled("observations", 1);
    assert_eq!(tenant.records("synced").len(), 1);
}

#[test]
fn a_disconnected_app_blocks_the_connection_calmly_and_a_retry_lifts_it() {
    let tenant = Tenant::new();
    let company = format!("companies/{}", tenant.company);
    tenant.stack.control(&format!("{company}/disconnect"), json!({}));
    tenant.take(&[zone(&tenant), detection(&tenant, 1), detection(&tenant, 2), detection(&tenant, 3)]);
    let path = format!("/v1/connections/{}", tenant.connection);
    let blocked = eventually("blocked", SOON, || {
        let connection = tenant.get(&path).ok("connection");
        (connection["state"] == "blocked").then_some(connection)
    });
    for member in ["reason", "who", "what_to_do"] {
        assert!(blocked[member].is_string(), "{member} in {blocked}");
    }
    let state = http::call("GET", &format!("{}/_control/state", tenant.stack.sandbox), &[], b"").json();
    let of_company = |c: &&Value| c["company"] == tenant.company || c["company_id"] == tenant.company;
    let calls = state["calls"].as_array().map_or(0, |calls| calls.iter().filter(of_company).count());
    assert!(calls <= 12, "{calls} calls of a disconnected company");
    assert_eq!(tenant.records("pending").len(), 3, "nothing is dropped");
    tenant.stack.control(&format!("{company}/connect"), json!({}));
    let pending = tenant.records("pending").remove(0);
    let retry = format!("{path}/records/observation/{}/retry", pending["id"].as_str().unwrap_or_default());
    assert_eq!(tenant.stack.operator("POST", &retry, json!({})).status, 202);
    tenant.settled("observations", 3);
}

fn a_persons_edit_survives_a_later_revision(on: Platform) {
    let tenant = Tenant::on(on);
    tenant.take(&[zone(&tenant), incident(&tenant, 2, 1, &[])]);
    let record = tenant.settled("incidents", 1).remove(0);
    tenant.person_edits("incident", &record, json!({"title": "Recordable: struck by a load, crew 4"}));
    tenant.take(&[incident(&tenant, 2, 2, &[])]);
    let has_news = |r: &Value| r["description"].as_str().is_some_and(|text| text.contains("2026-002"));
    let record = eventually("the revision", SOON, || tenant.remote("incidents").pop().filter(has_news));
    assert_eq!(record["title"], "Recordable: struck by a load, crew 4");
    tenant.settled("incidents", 1);
}

#[test]
fn a_slow_tenant_holds_up_nobody_else() {
    let (slow, quick) = (Tenant::new(), Tenant::new());
    slow.fault(json!({"operation_id": "createObservationItem", "effect": {"kind": "delay_before", "ms": 3_000}}));
    let many = |tenant: &Tenant, count: u128| {
        let events: Vec<Value> =
            std::iter::once(zone(tenant)).chain((1..=count).map(|n| detection(tenant, n))).collect();
        tenant.take(&events);
    };
    many(&slow, 24);
    eventually("the slow lane at work", SOON, || (!slow.calls("findOrCreateLocation").is_empty()).then_some(()));
    let since = Instant::now();
    many(&quick, 5);
    quick.settled("observations", 5);
    let took = since.elapsed();
    assert!(slow.remote("observations").len() < 24, "the slow lane was not slow: the test shows nothing");
    assert!(took < Duration::from_secs(9), "{took:?}");
    slow.settled("observations", 24);
}

fn a_storm_of_429_loses_nothing(on: Platform) {
    let tenant = Tenant::on(on);
    let effect = json!({"kind": "status", "status": 429, "retry_after": 2});
    tenant.fault(json!({"operation_id": create(on), "times": 4, "effect": effect}));
    let events: Vec<Value> = std::iter::once(zone(&tenant)).chain((1..=20).map(|n| detection(&tenant, n))).collect();
    tenant.take(&events);
    tenant.settled("observations", 20);
}
