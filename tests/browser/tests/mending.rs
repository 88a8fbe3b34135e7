//! What waits for a person, and what persons changed on both sides: the buttons that decide it, by keyboard alone.
use browser::{Person, run};
use end_to_end::events::{detection, id, incident, zone};
use end_to_end::eventually;
use end_to_end::tenant::{SOON, Tenant};
use serde_json::{Value, json};

async fn signs_in(tenant: &Tenant) -> Person {
    let person = Person::at_the_keyboard().await;
    person.open(&tenant.stack.setup_link(&tenant.organization)).await;
    person.presses("Sign in").await;
    person.sees("Overview").await;
    person
}

/// A revision that is news to the title: another kind of accident.
fn news(tenant: &Tenant, n: u128) -> Value {
    let mut event = incident(tenant, n, 2, &[]);
    event["data"]["incident_type"] = json!("fall");
    event
}

/// The record's marker, and what it is called in Procore now.
fn titles(tenant: &Tenant) -> Vec<(i64, String)> {
    let mut all: Vec<_> = tenant
        .remote("incidents")
        .iter()
        .map(|one| (one["id"].as_i64().expect("an id"), one["title"].as_str().unwrap_or_default().to_owned()))
        .collect();
    all.sort();
    all
}

fn marker(title: &str) -> String {
    let at = title.find("HHP-").unwrap_or_else(|| panic!("no marker in {title:?}"));
    title[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

#[test]
fn a_title_that_both_sides_changed_is_shown_with_both_and_decided() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), incident(&tenant, 9, 1, &[])]);
        tenant.settled("incidents", 1);
        tenant.take(&[incident(&tenant, 10, 1, &[])]);
        tenant.settled("incidents", 2);
        let before = titles(&tenant);
        let (ours, theirs) = (before[0].0, before[1].0);
        let markers: Vec<String> = before.iter().map(|(_, title)| marker(title)).collect();
        let person = signs_in(&tenant).await;

        // Somebody edits both titles on Procore's pages.
        let tools = format!(
            "{}/webclients/host/companies/{}/projects/{}/tools",
            tenant.stack.sandbox, tenant.company, tenant.project
        );
        for (record, words) in [(ours, "Wording of the site office"), (theirs, "Wording of the crane crew")] {
            let marker = &markers[usize::from(record == theirs)];
            person.open(&format!("{tools}/incidents/{record}")).await;
            person.fills("Title", &format!("{words} {marker}")).await;
            person.presses("Save").await;
            person.sees(words).await;
        }
        // Then there is news of both.
        tenant.take(&[news(&tenant, 9), news(&tenant, 10)]);
        let status = format!("{}/setup/{}/projects/{}", tenant.stack.api, tenant.connection, tenant.project);
        let activity = format!("{status}/activity?kind=incident");
        for words in ["Wording of the site office", "Wording of the crane crew"] {
            eventually("both conflicts", SOON, || (conflicts(&tenant) == 2).then_some(()));
            person.open(&activity).await;
            person.sees("The value of Procore stands").await;
            person.sees(words).await;
        }
        person.sees("Fall - Crane 2").await;
        person.can_use("activity with conflicts").await;

        person.open(&status).await;
        person.sees("Changed on both sides").await;
        person.can_use("status with conflicts").await;
        person.presses(&format!("Use our title in {}", markers[0])).await;
        let sent = eventually("our title", SOON, || {
            let title = titles(&tenant).into_iter().find(|(record, _)| *record == ours)?.1;
            (!title.contains("Wording")).then_some(title)
        });
        assert!(sent.contains("Fall") && sent.contains(&markers[0]), "{sent}");
        person.presses(&format!("Keep their title in {}", markers[1])).await;
        eventually("no conflict", SOON, || (conflicts(&tenant) == 0).then_some(()));
        person.open(&activity).await;
        person.sees(&markers[1]).await;
        person.does_not_see("The value of Procore stands").await;
        tenant.at_rest();
        let after = titles(&tenant).into_iter().find(|(record, _)| *record == theirs).expect("theirs").1;
        assert!(after.starts_with("Wording of the crane crew"), "{after}");
        assert_eq!(titles(&tenant).len(), 2);
        tenant.no_violations();
    });
}

/// Of this tenant, as the API counts them.
fn conflicts(tenant: &Tenant) -> usize {
    let path = format!("/v1/connections/{}/records", tenant.connection);
    let records = tenant.get(&path).ok("records");
    let all = records["data"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|record| record["conflicts"].as_array()).map(Vec::len).sum()
}

#[test]
fn what_procore_refused_says_why_and_is_tried_again() {
    run(async {
        let tenant = Tenant::new();
        let words = "Trade must be chosen";
        tenant.fault(json!({"operation_id": "createObservationItem", "times": 2, "effect": {
            "kind": "status", "status": 422, "shape": "fields", "message": words}}));
        tenant.take(&[zone(&tenant), detection(&tenant, 1), detection(&tenant, 2)]);
        eventually("two refusals", SOON, || (tenant.records("failed").len() == 2).then_some(()));
        let markers: Vec<String> = tenant
            .records("failed")
            .iter()
            .map(|record| record["marker"].as_str().unwrap_or_default().to_owned())
            .collect();
        let person = signs_in(&tenant).await;
        person.open(&format!("{}/setup/{}/projects/{}", tenant.stack.api, tenant.connection, tenant.project)).await;
        person.sees(words).await;
        person.sees("Who can mend it: ").await;
        person.can_use("status with refused records").await;

        // One of them, then all that are left.
        person.presses(&format!("Try {} again", markers[0])).await;
        let made = tenant_settles(&tenant, 1);
        assert!(made.iter().any(|name| name.contains(&markers[0])), "{made:?}");
        person.sees("Needs someone").await;
        person.presses("Try all of these again").await;
        let made = tenant_settles(&tenant, 2);
        assert!(made.iter().any(|name| name.contains(&markers[1])), "{made:?}");
        person.presses("Overview").await;
        person.presses(&format!("Status of Tower in project {}", tenant.project)).await;
        person.sees("no record waits for a person").await;
        person.open(&format!("{}/sites/{}/detections/{}", tenant.stack.api, tenant.site, id(1))).await;
        person.sees("In Procore").await;
    });
}

#[test]
fn a_project_that_procore_does_not_permit_any_more_says_so_and_goes_on() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
        tenant.settled("observations", 1);
        let permitted = format!("companies/{}/permitted-projects", tenant.company);
        tenant.stack.control(&permitted, json!({"project_ids": []}));
        tenant.take(&[detection(&tenant, 2)]);
        eventually("a blocked record", SOON, || (tenant.records("blocked").len() == 1).then_some(()));
        let marker = tenant.records("blocked")[0]["marker"].as_str().unwrap_or_default().to_owned();
        let person = signs_in(&tenant).await;
        person.sees("Connected").await;
        person.presses(&format!("Status of Tower in project {}", tenant.project)).await;
        person.sees("Observations of this project wait").await;
        person.sees("An admin of your company in Procore").await;
        person.can_use("status of a project that is not permitted").await;
        tenant.stack.control(&permitted, json!({"project_ids": null}));
        person.presses(&format!("Try {marker} again")).await;
        tenant.settled("observations", 2);
        person.presses("Overview").await;
        person.presses(&format!("Status of Tower in project {}", tenant.project)).await;
        person.sees("no record waits for a person").await;
        person.does_not_see("Observations of this project wait").await;
    });
}

fn tenant_settles(tenant: &Tenant, count: usize) -> Vec<String> {
    let names = |record: &Value| record["name"].as_str().unwrap_or_default().to_owned();
    tenant.settled("observations", count).iter().map(names).collect()
}
