//! The way out: what stays and what is erased, said before and held afterwards. By keyboard alone.
use browser::{Person, run};
use end_to_end::events::{detection, id, incident, zone};
use end_to_end::tenant::{SOON, Tenant};
use end_to_end::{eventually, http};
use serde_json::{Value, json};

fn hooks(tenant: &Tenant) -> usize {
    let state = http::call("GET", &format!("{}/_control/state", tenant.stack.sandbox), &[], b"").json();
    let all = state["hooks"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|hook| hook["project_id"] == tenant.project).count()
}

fn injuries(tenant: &Tenant) -> usize {
    let told = tenant.stack.operator("GET", &format!("/v1/sites/{}/incidents/{}", tenant.site, id(9)), Value::Null);
    told.ok("incident")["treatment"]["injuries"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_manager_disconnects_and_what_was_said_holds() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), detection(&tenant, 1), incident(&tenant, 9, 1, &[])]);
        tenant.settled("observations", 1);
        let record = tenant.settled("incidents", 1).remove(0);
        eventually("a hook", SOON, || (hooks(&tenant) == 1).then_some(()));
        let injury = json!({"incident_id": record["id"], "filing_type": "lost_time", "work_days_absent": 3});
        let edit = json!({"kind": "injury", "project_id": tenant.project, "fields": injury});
        tenant.stack.control("person-edit", edit);
        let closed = json!({"kind": "incident", "id": record["id"], "fields": {"status": "closed"}});
        tenant.stack.control("person-edit", closed);
        eventually("the injury", SOON, || (injuries(&tenant) == 1).then_some(()));
        let person = Person::at_the_keyboard().await;
        person.open(&tenant.stack.setup_link(&tenant.organization)).await;
        person.presses("Sign in").await;

        // Said before anything is done; without the tick nothing is.
        let button = format!("Disconnect company {}", tenant.company);
        person.presses(&button).await;
        for said in [
            "1 incident, 1 observation",
            "What stays in HardHat Pulse",
            "injuries, treatment, days away",
            "a hash stays",
            "Our hooks in Procore, by which it tells us of changes, are removed",
            "the same connection then",
        ] {
            person.sees(said).await;
        }
        person.can_use("disconnect").await;
        person.presses(&button).await;
        person.sees("tick the box if you want to disconnect. Nothing was changed").await;
        person.can_use("disconnect not confirmed").await;
        assert_eq!(injuries(&tenant), 1);
        person.ticks("Yes, disconnect").await;
        person.presses(&button).await;
        person.sees("Nothing is sent there and nothing is read any more").await;
        person.can_use("being disconnected").await;

        // And so it is.
        eventually("nothing of Procore's here, no hook of ours there", SOON, || {
            (injuries(&tenant) == 0 && hooks(&tenant) == 0).then_some(())
        });
        let here = person.at().await;
        let since = std::time::Instant::now();
        while !person.text().await.contains("Everything is cleared up") {
            assert!(since.elapsed() < SOON, "{}", person.text().await);
            person.open(&here).await;
        }
        person.sees("1 incident, 1 observation").await;
        person.can_use("disconnected").await;
        assert_eq!(
            (tenant.remote("observations").len(), tenant.remote("incidents").len()),
            (1, 1),
            "theirs, and left there"
        );
        tenant.take(&[detection(&tenant, 2)]);
        person.presses("Overview").await;
        person.sees("No platform is connected yet").await;
        assert_eq!(tenant.remote("observations").len(), 1);
        tenant.no_violations();
    });
}
