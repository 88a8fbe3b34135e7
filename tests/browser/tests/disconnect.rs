//! The way out: what stays and what is erased, said before and held afterwards. By keyboard alone.
use browser::{Newcomer, Person, run};
use end_to_end::events::{detection, id, incident, zone};
use end_to_end::tenant::{SOON, Stack, Tenant};
use end_to_end::{eventually, http};
use serde_json::{Value, json};

fn hooks_of(stack: &Stack, theirs: impl Fn(&Value) -> bool) -> usize {
    let state = http::call("GET", &format!("{}/_control/state", stack.sandbox), &[], b"").json();
    state["hooks"].as_array().into_iter().flatten().filter(|hook| theirs(hook)).count()
}

fn hooks(tenant: &Tenant) -> usize {
    hooks_of(&tenant.stack, |hook| hook["project_id"] == tenant.project)
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
        person.finds_at(&here, "Everything is cleared up").await;
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

#[test]
fn hooks_that_would_stay_with_an_ended_consent_are_named_and_a_new_one_takes_them_away() {
    run(async {
        let newcomer = Newcomer::new();
        let login = &newcomer.login;
        let person = Person::new().await;
        newcomer.chooses_its_company(&person).await;
        person.presses("My company wants no account for the app: connect with my own access").await;
        person.presses("Connect with my own access").await;
        person.presses("Allow").await;
        person.presses("Map Bridge D").await;
        person.sees("Lowest priority that is sent").await;
        person.presses("Save and go on").await;
        person.sees("America/Denver").await;
        person.presses("Save and go on").await;
        person.presses("Send a test record").await;
        person.sees("It works: the test record stands in Procore").await;
        let hooks = || hooks_of(&newcomer.stack, |hook| hook["company_id"] == newcomer.company);
        eventually("a hook", SOON, || (hooks() == 1).then_some(()));

        // The consent ends there, and the lane finds out.
        newcomer.stack.control("tokens/take-back", json!({"login": login}));
        person.presses("Send another test record").await;
        person.finds_at(&format!("{}/setup", newcomer.stack.api), "Nothing is being sent").await;
        person.can_use("a consent that ended").await;
        let button = format!("Disconnect {}", newcomer.company_name);
        person.presses(&button).await;
        person.sees(&format!("Our hooks stay there, too: the consent of {login} has ended")).await;
        person.sees("An admin of your company can delete them in Procore").await;
        person.can_use("disconnect with hooks that stay").await;

        person.presses("Sign in with Procore again").await;
        person.presses("Allow").await;
        person.sees("Our hooks in Procore, by which it tells us of changes, are removed").await;
        person.does_not_see("Our hooks stay there").await;
        person.ticks("Yes, disconnect").await;
        person.presses(&button).await;
        person.sees("is disconnected").await;
        eventually("no hook of ours there", SOON, || (hooks() == 0).then_some(()));
    });
}
