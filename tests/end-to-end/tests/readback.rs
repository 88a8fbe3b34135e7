//! What people do at a platform comes back: in seconds when it rings, and without any ring by the timed re-read.
use end_to_end::events::{id, incident, zone};
use end_to_end::tenant::{Platform, SOON, Tenant};
use end_to_end::{eventually, http};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// The stack under test reads again each minute; the clock rings at full minutes.
const ONE_POLL: Duration = Duration::from_secs(200);

fn path(tenant: &Tenant) -> String {
    format!("/v1/sites/{}/incidents/{}", tenant.site, id(2))
}

fn told(tenant: &Tenant) -> Value {
    tenant.stack.operator("GET", &path(tenant), Value::Null).ok("incident")
}

/// Entries of this tenant's project.
fn of_project(tenant: &Tenant, kind: &str) -> Vec<Value> {
    let all = tenant.state()[kind].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|each| each["project_id"] == tenant.project).collect()
}

/// An incident at the platform, and the last hook that the lane made for its project.
fn begun(on: Platform) -> (Tenant, Value, Value) {
    let tenant = Tenant::on(on);
    tenant.take(&[zone(&tenant), incident(&tenant, 2, 1, &[])]);
    let record = tenant.settled("incidents", 1).remove(0);
    let hooks = if on == Platform::Acc { 3 } else { 1 };
    let hook =
        eventually("a hook", SOON, || Some(of_project(&tenant, "hooks")).filter(|made| made.len() == hooks)?.pop());
    (tenant, record, hook)
}

fn injure(tenant: &Tenant, record: &Value, days: u32) -> Value {
    let fields = json!({"incident_id": record["id"], "filing_type": "lost_time", "work_days_absent": days,
        "treated_in_er": true, "treatment_facility": "Mercy Clinic"});
    tenant.stack.control("person-edit", json!({"kind": "injury", "project_id": tenant.project, "fields": fields}))
}

#[test]
fn an_injury_comes_back_in_seconds_when_procore_rings() {
    let (tenant, record, hook) = begun(Platform::Procore);
    assert_eq!(hook["namespace"], "hardhat-pulse");
    // What is changed in an injury rings only where it moves its incident: here a person changes that as well.
    let etag = || tenant.stack.operator("GET", &path(&tenant), Value::Null).header("etag").expect("an ETag").to_owned();
    let before = etag();
    injure(&tenant, &record, 3);
    let edit = json!({"kind": "incident", "id": record["id"], "fields": {"status": "closed"}});
    tenant.stack.control("person-edit", edit);
    let shown = eventually("the treatment", Duration::from_secs(15), || {
        let incident = told(&tenant);
        (incident["treatment"]["days_away"] == 3).then_some(incident)
    });
    assert_eq!(shown["treatment"]["outcome"], "days_away", "{shown}");
    assert_ne!(etag(), before, "who looks by ETag is told");
    assert_eq!(shown["treatment"]["injuries"][0]["source"], "procore");
    assert_eq!(shown["treatment"]["injuries"][0]["treatment_facility"], "Mercy Clinic");
    assert_eq!(shown["platforms"][0]["status"], "closed", "{shown}");
    let delivered = |each: &&Value| each["hook_id"] == hook["id"] && each["status"] == "delivered";
    let deliveries = tenant.state()["deliveries"].as_array().cloned().unwrap_or_default();
    assert!(deliveries.iter().any(|each| delivered(&each)), "no delivery of {hook}");
    tenant.at_rest();
    assert_eq!(tenant.calls("updateIncident").len(), 0, "nothing went back");
    tenant.no_violations();
}

#[test]
fn an_injury_comes_back_by_the_timed_re_read_without_any_ring() {
    let (tenant, record, hook) = begun(Platform::Procore);
    let address = format!("{}/_control/hooks/{}", tenant.stack.sandbox, hook["id"]);
    http::call("DELETE", &address, &[], b"");
    injure(&tenant, &record, 4);
    eventually("the treatment", ONE_POLL, || (told(&tenant)["treatment"]["days_away"] == 4).then_some(()));
    assert_eq!(tenant.calls("updateIncident").len(), 0, "nothing went back");
}

/// The status at Autodesk, as the incident tells it.
fn status(tenant: &Tenant) -> Value {
    told(tenant)["platforms"][0]["status"].clone()
}

fn close(tenant: &Tenant, record: &Value) {
    tenant.person_edits("incident", record, json!({"status": "closed"}));
}

#[test]
fn a_status_comes_back_in_seconds_when_autodesk_rings() {
    let (tenant, record, _) = begun(Platform::Acc);
    // Events name no actor, and the sandbox stamps whole seconds: what changes within the second of our write counts as ours.
    let written = Timestamp::now().as_second();
    eventually("the next second", SOON, || (Timestamp::now().as_second() > written).then_some(()));
    close(&tenant, &record);
    eventually("the status", Duration::from_secs(15), || (status(&tenant) == "closed").then_some(()));
    let hooks = of_project(&tenant, "hooks");
    let delivered =
        |each: &Value| each["status"] == "delivered" && hooks.iter().any(|hook| hook["id"] == each["hook_id"]);
    let deliveries = tenant.state()["deliveries"].as_array().cloned().unwrap_or_default();
    assert!(deliveries.iter().any(delivered), "no delivery of {hooks:?}");
    tenant.at_rest();
    assert_eq!(tenant.calls("patchIssue").len(), 0, "nothing went back");
    tenant.no_violations();
}

#[test]
fn a_status_comes_back_by_the_timed_re_read_without_any_ring_of_autodesk() {
    let (tenant, record, _) = begun(Platform::Acc);
    for hook in of_project(&tenant, "hooks") {
        let address =
            format!("{}/_control/hooks/{}", tenant.stack.acc_sandbox, hook["id"].as_str().unwrap_or_default());
        assert!(http::call("DELETE", &address, &[], b"").status < 300);
    }
    close(&tenant, &record);
    eventually("the status", ONE_POLL, || (status(&tenant) == "closed").then_some(()));
    assert_eq!(tenant.calls("patchIssue").len(), 0, "nothing went back");
}
