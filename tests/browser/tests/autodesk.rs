//! The whole set-up for Autodesk, by somebody who has only the link that they were sent and their Autodesk account.
use browser::{Person, run};
use end_to_end::eventually;
use end_to_end::tenant::{Platform, SOON, Stack};
use serde_json::{Value, json};

/// Issues of a project.
fn issues(stack: &Stack, project: &Value) -> Vec<Value> {
    let all = stack.state_of(Platform::Acc)["issues"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|issue| issue["project_id"] == *project).collect()
}

#[test]
fn from_the_setup_link_to_a_test_record_in_autodesk() {
    run(async { set_up(&Person::new().await).await });
}

#[test]
fn with_ones_own_access_where_the_company_wants_no_service_account() {
    run(async {
        let person = &Person::new().await;
        let stack = Stack::named();
        let (account, _) = begin(person, &stack, "Own Access").await;
        allow(person).await;
        person.sees("Account in Autodesk").await;
        person.ticks(&format!("{account} (US)")).await;
        person.presses("My company wants no account for the app: connect with my own access").await;
        person.can_use("acc own access").await;
        person.presses("Connect with my own access").await;
        person.sees("Let this application act for you?").await;
        person.chooses("Person", PERSON).await;
        person.presses("Allow").await;
        person.sees("Bridge D").await;
        person.presses("Map Bridge D").await;
        person.presses("Overview").await;
        person.sees("Works with the consent of safety.manager@example.com.").await;
    });
}

const PERSON: &str = "Safety Manager (safety.manager@example.com)";

/// The first page of the set-up, for an account of this name, and one of its projects.
async fn begin(person: &Person, stack: &Stack, name: &str) -> (String, Value) {
    let account = format!("{name} {}", jiff::Timestamp::now().as_millisecond());
    let projects = json!([{"name": "Bridge D", "timezone": "America/Denver"}, {"name": "Depot E"}]);
    let seed = json!({"account": {"name": account, "region": "US", "projects": projects}});
    let project = stack.control_of(Platform::Acc, "seed", seed)["projects"][0]["id"].clone();
    let made = stack.operator("POST", "/v1/organizations", json!({"name": "Contractor"})).ok("organization");
    let organization = made["id"].as_str().expect("an id");
    person.open(&stack.setup_link(organization)).await;
    person.presses("Sign in").await;
    person.presses("Set up Autodesk Construction Cloud").await;
    (account, project)
}

async fn allow(person: &Person) {
    person.presses("Sign in with Autodesk").await;
    person.sees("Let this application act for you?").await;
    person.chooses("Person", PERSON).await;
    person.presses("Allow").await;
}

async fn set_up(person: &Person) {
    let stack = Stack::named();
    let (account, project) = begin(person, &stack, "Harbour Builders").await;

    // 1. Connect: sign in there, agree, choose the account by its name.
    person.sees("Sign in with Autodesk, so that you can choose your account").await;
    person.sees("an issue has no place for them").await;
    person.can_use("acc connect").await;
    allow(person).await;
    person.sees("Account in Autodesk").await;
    person.can_use("acc account").await;
    person.ticks(&format!("{account} (US)")).await;
    person.presses("Connect this account").await;

    // 2. Projects: one is mapped to a new site, whose clock is Autodesk's.
    person.sees("Bridge D").await;
    person.can_use("acc projects").await;
    person.presses("Map Bridge D").await;

    // 3. What is sent, and as which type of issue.
    person.sees("Lowest priority that is sent").await;
    person.sees("Suggested (Safety Hazard)").await;
    person.can_use("acc what is sent").await;
    person.presses("Show what the last day would have sent").await;
    person.sees("The last day, with these settings").await;
    person.presses("Save and go on").await;

    // 4. The hour, on the site's clock, and the form that the day is put into.
    person.sees("America/Denver").await;
    person.ticks("Make one form a day").await;
    person.chooses("Form template", "HardHat Pulse daily").await;
    person.can_use("acc hour").await;
    person.presses("Save and go on").await;

    // 5. A test record.
    person.sees("Send a test record").await;
    person.presses("Send a test record").await;
    person.sees("It works: the test record stands in Autodesk").await;
    person.can_use("acc test works").await;
    let made = eventually("the test record in Autodesk", SOON, || issues(&stack, &project).pop());
    assert!(made["fields"]["title"].as_str().unwrap_or_default().contains("TEST - HardHat Pulse"), "{made}");
    person.presses("Done: see the status of Bridge D").await;
    person.sees("In Autodesk: Bridge D").await;
    person.can_use("acc status").await;
    person.presses("Hour and shifts").await;
    person.sees("Filled in beside the notes: Alerts, Summary.").await;
}
