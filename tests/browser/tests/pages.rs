//! A safety manager on the pages of a project that is set up: signing in by the link, seeing what arrived, changing what is sent.
use browser::{Person, run};
use end_to_end::events::{AT, detection, id, incident, zone};
use end_to_end::http;
use end_to_end::tenant::Tenant;
use serde_json::json;

#[test]
fn a_manager_signs_in_by_the_link_and_finds_what_arrived() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), detection(&tenant, 1), incident(&tenant, 9, 1, &[])]);
        tenant.settled("observations", 1);
        tenant.settled("incidents", 1);
        let person = Person::new().await;

        // A page asks for a login, and the link leads in, once.
        person.open(&format!("{}/sites/{}/detections/{}", tenant.stack.api, tenant.site, id(1))).await;
        person.sees("Sign in").await;
        person.can_use("sign-in").await;
        let link = tenant.stack.setup_link(&tenant.organization);
        person.open(&link).await;
        person.can_use("setup link").await;
        person.presses("Sign in").await;
        person.sees("Overview").await;
        person.can_use("overview").await;

        // What arrived, and where.
        person.open(&format!("{}/setup/{}/projects/{}", tenant.stack.api, tenant.connection, tenant.project)).await;
        person.sees("Tower").await;
        person.can_use("status").await;
        person
            .open(&format!("{}/setup/{}/projects/{}/activity", tenant.stack.api, tenant.connection, tenant.project))
            .await;
        person.can_use("activity").await;
        person.open(&format!("{}/sites/{}/detections/{}", tenant.stack.api, tenant.site, id(1))).await;
        person.sees("cam-7").await;
        person.does_not_see("W-4711").await;
        person.can_use("detection").await;
        person.open(&format!("{}/sites/{}/incidents/{}", tenant.stack.api, tenant.site, id(9))).await;
        person.sees("2026-001").await;
        person.can_use("incident").await;

        // The days in figures: the last one that is over, on to the one that is under way, and the one of the detection.
        person.open(&format!("{}/setup/{}/projects/{}", tenant.stack.api, tenant.connection, tenant.project)).await;
        person.presses("Daily reports of Tower").await;
        person.sees("The last 14 days").await;
        person.can_use("report of a quiet day").await;
        person.presses("Next day").await;
        person.sees("This day is under way").await;
        let day = &AT[..10];
        person.open(&format!("{}/sites/{}/reports/{day}", tenant.stack.api, tenant.site)).await;
        person.sees("Alerts by hour").await;
        person.can_use("report").await;
        person
            .open(&format!("{}/setup/{}/projects/{}/settings", tenant.stack.api, tenant.connection, tenant.project))
            .await;
        person.can_use("settings").await;
        person.fills("Another kind (optional)", "Gas leak!").await;
        person.presses("Save").await;
        person.sees("use the name that the edge sends").await;
        person.can_use("settings with a mistake").await;
        person
            .open(&format!("{}/setup/{}/projects/{}/schedule", tenant.stack.api, tenant.connection, tenant.project))
            .await;
        person.can_use("schedule").await;
        person.presses("Show today's note").await;
        person.sees("Safety summary for").await;
        person.can_use("schedule with today's note").await;
        person.fills("Shift 1: name", "Early").await;
        person.presses("Save").await;
        person.sees("Not saved yet").await;
        person.can_use("schedule with mistakes").await;
        person.open(&format!("{}/setup/nothing-of-ours", tenant.stack.api)).await;
        person.can_use("not found").await;

        // The same link again lets nobody else in, and signing out ends it.
        person.open(&format!("{}/setup", tenant.stack.api)).await;
        person.presses("Sign out").await;
        person.sees("You are signed out").await;
        person.open(&link).await;
        person.sees("This link was used").await;
        person.can_use("used link").await;
    });
}

#[test]
fn nobody_signed_in_elsewhere_sees_another_organizations_project() {
    run(async {
        let (ours, theirs) = (Tenant::new(), Tenant::new());
        let person = Person::new().await;
        person.open(&ours.stack.setup_link(&ours.organization)).await;
        person.presses("Sign in").await;
        person.sees("Overview").await;
        for path in [
            format!("setup/{}/projects/{}", theirs.connection, theirs.project),
            format!("setup/{}/projects/{}/settings", theirs.connection, theirs.project),
            format!("sites/{}/detections/{}", theirs.site, id(1)),
            format!("sites/{}/reports", theirs.site),
        ] {
            person.open(&format!("{}/{path}", ours.stack.api)).await;
            person.sees("There is no such page").await;
        }
    });
}

#[test]
fn who_belongs_to_two_organizations_chooses_one_at_sign_in() {
    run(async {
        let tenants = (Tenant::new(), Tenant::new());
        let login = format!("regional.{}", tenants.0.company);
        let companies = [tenants.0.company, tenants.1.company];
        let wanted = json!({"person": {"login": login, "name": "Regional Safety", "companies": companies}});
        tenants.0.stack.control("seed", wanted);
        let person = Person::new().await;
        person.open(&format!("{}/sign-in", tenants.0.stack.api)).await;
        person.presses("Sign in with Procore").await;
        person.sees("Log in").await;
        person.chooses("Person", &format!("Regional Safety, Contractor and Contractor ({login})")).await;
        person.presses("Log in").await;
        person.presses("Allow").await;
        person.sees("belongs to several organizations here").await;
        person.can_use("choose an organization").await;
        person.presses("Contractor").await;
        person.sees(&format!("Signed in as {login} (viewer)")).await;
    });
}

#[test]
fn footage_is_seen_by_who_may_see_the_site_through_a_link_of_minutes() {
    run(async {
        let tenant = Tenant::new();
        let key = format!("footage/{}/{}/cam-7/1600.txt", tenant.organization, tenant.site);
        let words = "As if it were a film of the crane.";
        put_into_the_bucket(&tenant, &key, words);
        let mut event = detection(&tenant, 1);
        event["data"]["footage"] = json!({"s3_key": key, "edge_path": "/footage/cam-7/1600.mp4"});
        tenant.take(&[zone(&tenant), event]);
        tenant.settled("observations", 1);
        let person = Person::new().await;
        person.open(&tenant.stack.setup_link(&tenant.organization)).await;
        person.presses("Sign in").await;
        person.sees("Signed in as").await;
        // The short address, as it stands in a message, leads to the page.
        person.open(&format!("{}/detections/{}", tenant.stack.api, id(1))).await;
        person.sees("number 12").await;
        assert!(person.at().await.contains(&tenant.site), "{}", person.at().await);
        person.can_use("detection with footage").await;
        person.presses("Watch the footage").await;
        person.sees(words).await;
        let link = person.at().await;
        assert!(link.starts_with(&tenant.stack.aws) && link.contains("X-Amz-Expires="), "{link}");
        person.open(&format!("{}/setup", tenant.stack.api)).await;
        person.presses("Sign out").await;
        person.sees("You are signed out").await;
        person.open(&format!("{}/sites/{}/detections/{}/footage", tenant.stack.api, tenant.site, id(1))).await;
        person.sees("Sign in with Procore").await;
    });
}

/// As an edge uploads it.
fn put_into_the_bucket(tenant: &Tenant, key: &str, text: &str) {
    let buckets = http::call("GET", &tenant.stack.aws, &[], b"").text;
    let mut names = buckets.split("<Name>").filter_map(|rest| rest.split("</Name>").next());
    let bucket = names.find(|name| name.starts_with("hardhat-pulse-bucket-")).expect("the stack's bucket");
    let url = format!("{}/{bucket}/{key}", tenant.stack.aws);
    let put = http::call("PUT", &url, &[("content-type", "text/plain")], text.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text);
}
