//! The way back: somebody in Procore adds an injury with its treatment, and the safety manager finds it on the incident.
use browser::{Person, run};
use end_to_end::events::{id, incident, zone};
use end_to_end::tenant::{SOON, Tenant};
use end_to_end::{eventually, http};
use std::time::{Duration, Instant};

/// Procore rings, and the lane reads.
const SECONDS: Duration = Duration::from_secs(15);

#[test]
fn an_injury_added_in_procore_stands_on_the_incidents_page() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), incident(&tenant, 9, 1, &[])]);
        let record = tenant.settled("incidents", 1).remove(0);
        let state = format!("{}/_control/state", tenant.stack.sandbox);
        eventually("a hook", SOON, || {
            let hooks = http::call("GET", &state, &[], b"").json()["hooks"].as_array().cloned().unwrap_or_default();
            hooks.iter().any(|hook| hook["project_id"] == tenant.project).then_some(())
        });
        let person = Person::new().await;
        person.open(&tenant.stack.setup_link(&tenant.organization)).await;
        person.presses("Sign in").await;
        person.sees("Signed in as").await;
        let page = format!("{}/sites/{}/incidents/{}", tenant.stack.api, tenant.site, id(9));
        person.open(&page).await;
        person.sees("None so far").await;

        person
            .open(&format!(
                "{}/webclients/host/companies/{}/projects/{}/tools/incidents/{}",
                tenant.stack.sandbox, tenant.company, tenant.project, record["id"]
            ))
            .await;
        person.chooses("Filing type", "lost time").await;
        person.fills("Treatment facility", "Mercy Clinic").await;
        person.fills("Work days absent", "3").await;
        person.ticks("Treated in an emergency room").await;
        person.presses("Add the injury").await;
        person.sees("Mercy Clinic").await;
        // What is changed in an injury rings only where it moves its incident.
        person.chooses("Status", "closed").await;
        let since = Instant::now();
        person.presses("Save").await;
        while !person.text().await.contains("Mercy Clinic") || !person.at().await.starts_with(&page) {
            assert!(since.elapsed() < SECONDS, "{}", person.text().await);
            person.open(&page).await;
        }
        for shown in ["Days away from work (column H)", "Injury 1, from Procore", "Lost time", "Status there: Closed"] {
            person.sees(shown).await;
        }
        person.presses("What was changed, and when").await;
        person.sees("from Procore: days away").await;
        person.can_use("incident with an injury").await;
    });
}
