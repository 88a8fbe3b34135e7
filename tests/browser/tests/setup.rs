//! The whole set-up, by somebody who has only the link that they were sent and their Procore account.
use browser::{Person, run};
use end_to_end::eventually;
use end_to_end::http;
use end_to_end::tenant::{SOON, Stack};
use serde_json::{Value, json};
use std::time::Instant;

/// What the issue asks for: fewer acts than this, from the link to the test record, for one project.
const MOST_ACTS: u32 = 40;

struct World {
    stack: Stack,
    organization: String,
    company: i64,
    company_name: String,
    login: String,
}

/// A contractor whom HardHat Pulse has just made, with a company, two projects and a person in Procore.
fn world() -> World {
    let stack = Stack::named();
    let unique = format!("{}", jiff::Timestamp::now().as_nanosecond());
    let company_name = "Sandbox Builders".to_owned();
    let project =
        |name: &str| json!({"name": name, "tz_name": "America/Denver", "time_zone": "Mountain Time (US & Canada)"});
    let seed = json!({"company": {"name": company_name, "projects": [project("Bridge D"), project("Depot E")]}});
    let company = stack.control("seed", seed)["id"].as_i64().expect("the company's id");
    let login = format!("manager.{unique}");
    let person = json!({"login": login, "name": "Site Safety Manager", "companies": [company]});
    stack.control("seed", json!({"person": person}));
    let made = stack.operator("POST", "/v1/organizations", json!({"name": "Contractor"})).ok("organization");
    let organization = made["id"].as_str().expect("an id").to_owned();
    World { stack, organization, company, company_name, login }
}

fn setup_link(world: &World) -> String {
    let path = format!("/v1/organizations/{}/setup-links", world.organization);
    let made = world.stack.operator("POST", &path, json!({})).ok("setup link");
    made["url"].as_str().expect("the link's address").to_owned()
}

fn observations(world: &World) -> Vec<Value> {
    let state = http::call("GET", &format!("{}/_control/state", world.stack.sandbox), &[], b"").json();
    let projects: Vec<i64> = state["projects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|project| project["company_id"] == world.company)
        .filter_map(|project| project["id"].as_i64())
        .collect();
    let all = state["observations"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|one| one["project_id"].as_i64().is_some_and(|id| projects.contains(&id))).collect()
}

#[test]
fn from_the_setup_link_to_a_test_record() {
    run(async { set_up(&Person::new().await).await });
}

#[test]
fn the_same_by_keyboard_alone() {
    run(async { set_up(&Person::at_the_keyboard().await).await });
}

async fn set_up(person: &Person) {
    let world = world();
    let since = Instant::now();

    person.open(&setup_link(&world)).await;
    person.presses("Sign in").await;
    person.sees("No platform is connected yet").await;
    person.can_use("set-up overview").await;
    person.presses("Set up Procore").await;

    // 1. Connect: sign in there, agree, choose the company by its name.
    person.sees("Sign in with Procore, so that you can choose your company by its name").await;
    person.can_use("set-up connect").await;
    person.presses("Sign in with Procore").await;
    person.sees("Log in").await;
    person.chooses("Person", &format!("Site Safety Manager, {} ({})", world.company_name, world.login)).await;
    person.presses("Log in").await;
    person.presses("Allow").await;
    person.sees("Company in Procore").await;
    person.can_use("set-up company").await;
    person.ticks(&world.company_name).await;
    person.presses("Connect this company").await;

    // 2. Projects: one is mapped to a new site, whose clock is Procore's.
    person.sees("Bridge D").await;
    person.can_use("set-up projects").await;
    person.presses("Map Bridge D").await;

    // 3. What is sent, with the last day as an example.
    person.sees("Lowest priority that is sent").await;
    person.can_use("set-up what is sent").await;
    person.presses("Show what the last day would have sent").await;
    person.sees("The last day, with these settings").await;
    person.presses("Save and go on").await;

    // 4. The hour, on the site's clock.
    person.sees("America/Denver").await;
    person.can_use("set-up hour").await;
    person.presses("Save and go on").await;

    // 5. A test record.
    person.sees("Send a test record").await;
    person.can_use("set-up test").await;
    person.presses("Send a test record").await;
    person.sees("It works: the test record stands in Procore").await;
    person.can_use("set-up test works").await;
    let (acts, seconds) = (person.acts(), since.elapsed().as_secs_f32());
    eprintln!("from the link to the test record: {acts} acts, {seconds:.0} s of machine time");
    assert!(acts < MOST_ACTS, "{acts} acts");
    let made = eventually("the test record in Procore", SOON, || observations(&world).pop());
    assert!(made["name"].as_str().unwrap_or_default().contains("TEST - HardHat Pulse"), "{made}");
    assert_eq!(observations(&world).len(), 1);

    person.presses("Done: see the status of Bridge D").await;
    person.sees("Bridge D").await;
    person.can_use("set-up status").await;
}
