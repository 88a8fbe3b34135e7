//! The whole set-up, by somebody who has only the link that they were sent and their Procore account.
use browser::{Newcomer, Person, run};
use end_to_end::eventually;
use end_to_end::tenant::SOON;
use std::time::Instant;

/// What the issue asks for: fewer acts than this, from the link to the test record, for one project.
const MOST_ACTS: u32 = 40;

#[test]
fn from_the_setup_link_to_a_test_record() {
    run(async { set_up(&Person::new().await).await });
}

#[test]
fn the_same_by_keyboard_alone() {
    run(async { set_up(&Person::at_the_keyboard().await).await });
}

async fn set_up(person: &Person) {
    let newcomer = Newcomer::new();
    let since = Instant::now();

    person.open(&newcomer.setup_link()).await;
    person.presses("Sign in").await;
    person.sees("No platform is connected yet").await;
    person.can_use("set-up overview").await;
    person.presses("Set up Procore").await;

    // 1. Connect: sign in there, agree, choose the company by its name.
    person.sees("Sign in with Procore, so that you can choose your company by its name").await;
    person.can_use("set-up connect").await;
    newcomer.logs_in_at_procore(person).await;
    person.sees("Company in Procore").await;
    person.can_use("set-up company").await;
    person.ticks(&newcomer.company_name).await;
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
    let made = eventually("the test record in Procore", SOON, || newcomer.observations().pop());
    assert!(made["name"].as_str().unwrap_or_default().contains("TEST - HardHat Pulse"), "{made}");
    assert_eq!(newcomer.observations().len(), 1);

    person.presses("Done: see the status of Bridge D").await;
    person.sees("Bridge D").await;
    person.can_use("set-up status").await;
}
