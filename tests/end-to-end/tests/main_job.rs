//! The main job: from a signed batch to one record at the platform, and no more than one.
use end_to_end::events::{detection, id, incident, retraction, zone};
use end_to_end::tenant::{Platform, SOON, Tenant};
use end_to_end::{eventually, on_each_platform};
use serde_json::{Value, json};

on_each_platform!(
    a_detection_becomes_one_observation_and_an_incident_one_incident_with_what_design_7_names,
    a_batch_sent_twice_and_an_overlapping_one_make_nothing_new,
    revisions_in_the_wrong_order_end_with_the_highest,
    two_organizations_with_equal_ids_each_have_their_own_record,
    a_detection_that_joins_an_incident_is_closed_with_one_comment_and_a_retraction_closes_the_incident,
);

fn text<'a>(record: &'a Value, member: &str) -> &'a str {
    record[member].as_str().unwrap_or_default()
}

fn a_detection_becomes_one_observation_and_an_incident_one_incident_with_what_design_7_names(on: Platform) {
    let tenant = Tenant::on(on);
    tenant.take(&[zone(&tenant), detection(&tenant, 1), incident(&tenant, 2, 1, &[])]);
    let observation = tenant.settled("observations", 1).remove(0);
    let title = text(&observation, "title");
    assert!(title.starts_with("Zone breach - Crane 2 [HHP-"), "{title}");
    for part in ["2026-11-24 10:00:00 CST", "Crane 2", "4 (high)", "cam-7", &id(1), "/detections/"] {
        assert!(text(&observation, "description").contains(part), "{part} in {observation}");
    }
    let incident = tenant.settled("incidents", 1).remove(0);
    for part in ["Rigger", "Ironwork", "Crane 2", "Injury", "2026, case 2026-001", "/incidents/"] {
        assert!(text(&incident, "description").contains(part), "{part} in {incident}");
    }
    assert_eq!(text(&incident, "status"), "open");
    let pages = match on {
        Platform::Procore => {
            assert_eq!((text(&observation, "priority"), &observation["personal"]), ("High", &json!(false)));
            assert_eq!(incident["recordable"], true);
            assert!(incident["location_id"].is_i64(), "{incident}");
            "/tools/"
        }
        Platform::Acc => {
            for issue in [&observation, &incident] {
                assert_eq!(
                    (&issue["published"], text(issue, "locationDetails")),
                    (&json!(true), "Building A > Crane 2")
                );
            }
            "/build/issues/"
        }
    };
    let both = format!("{observation}{incident}");
    assert!(!both.contains("W-4711"), "the worker id went out");
    tenant.no_violations();
    let synced = tenant.records("synced");
    assert_eq!(synced.len(), 2, "{synced:?}");
    assert!(synced.iter().all(|r| r["remote_id"].is_string() && text(r, "remote_url").contains(pages)), "{synced:?}");
}

fn a_batch_sent_twice_and_an_overlapping_one_make_nothing_new(on: Platform) {
    let tenant = Tenant::on(on);
    let events = [zone(&tenant), detection(&tenant, 1), detection(&tenant, 2)];
    let body = Value::from(events.to_vec()).to_string();
    for _ in 0..2 {
        assert_eq!(tenant.send_as("msg_same", body.as_bytes()).status, 202);
    }
    tenant.take(&[events[1].clone(), detection(&tenant, 3)]);
    tenant.settled("observations", 3);
}

fn revisions_in_the_wrong_order_end_with_the_highest(on: Platform) {
    let tenant = Tenant::on(on);
    tenant.take(&[zone(&tenant), incident(&tenant, 2, 3, &[])]);
    tenant.take(&[incident(&tenant, 2, 2, &[])]);
    tenant.take(&[incident(&tenant, 2, 1, &[])]);
    let record = tenant.settled("incidents", 1).remove(0);
    assert!(text(&record, "description").contains("2026-003"), "{record}");
    tenant.take(&[incident(&tenant, 2, 4, &[])]);
    eventually("revision 4", SOON, || {
        text(&tenant.remote("incidents")[0], "description").contains("2026-004").then_some(())
    });
    tenant.settled("incidents", 1);
}

fn two_organizations_with_equal_ids_each_have_their_own_record(on: Platform) {
    let (one, two) = (Tenant::on(on), Tenant::on(on));
    for tenant in [&one, &two] {
        tenant.take(&[zone(tenant), detection(tenant, 1)]);
    }
    let name = |tenant: &Tenant| text(&tenant.settled("observations", 1)[0], "title").to_owned();
    assert_ne!(name(&one), name(&two), "the marker comes from the organization too");
    let foreign = format!("/v1/connections/{}/records", two.connection);
    let key = one.stack.operator(
        "POST",
        &format!("/v1/organizations/{}/api-keys", one.organization),
        json!({"name": "k", "scopes": ["read"]}),
    );
    let key = key.ok("an API key")["key"].as_str().unwrap_or_default().to_owned();
    let answer = end_to_end::http::json("GET", &format!("{}{foreign}", one.stack.api), Some(&key), &Value::Null);
    assert_eq!(answer.status, 404, "{}", answer.text);
}

#[test]
fn only_what_the_settings_ask_for_is_sent() {
    let tenant = Tenant::with(json!({"min_priority": 4, "kinds": ["zone_breach"]}));
    let mut low = detection(&tenant, 1);
    low["data"]["priority"] = 3.into();
    let mut other = detection(&tenant, 2);
    other["data"]["kind"] = "fall".into();
    let mut not_recordable = incident(&tenant, 9, 1, &[]);
    not_recordable["data"]["recordable"] = false.into();
    tenant.take(&[zone(&tenant), low, other, not_recordable, detection(&tenant, 3)]);
    let sent = tenant.settled("observations", 1).remove(0);
    assert!(text(&sent, "description").contains(&id(3)));
    assert!(tenant.remote("incidents").is_empty());
}

fn a_detection_that_joins_an_incident_is_closed_with_one_comment_and_a_retraction_closes_the_incident(on: Platform) {
    let tenant = Tenant::on(on);
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    tenant.settled("observations", 1);
    tenant.take(&[incident(&tenant, 9, 1, &[1, 2])]);
    eventually("a closed observation", SOON, || (tenant.remote("observations")[0]["status"] == "closed").then_some(()));
    // The incident came first: its second detection makes no observation.
    tenant.take(&[detection(&tenant, 2)]);
    tenant.settled("incidents", 1);
    tenant.settled("observations", 1);
    tenant.take(&[retraction(&tenant, 9, 2)]);
    eventually("a closed incident", SOON, || (tenant.remote("incidents")[0]["status"] == "closed").then_some(()));
    let incident = tenant.settled("incidents", 1).remove(0);
    assert!(text(&incident, "description").contains("RETRACTED in HardHat Pulse: Entered twice"), "{incident}");
    // Decided again: the detection that was kept back gets its observation, the other one is opened again.
    let observations = tenant.settled("observations", 2);
    let open = if on == Platform::Procore { "initiated" } else { "open" };
    assert!(observations.iter().all(|o| o["status"] == open), "{observations:#?}");
    tenant.no_violations();
}
