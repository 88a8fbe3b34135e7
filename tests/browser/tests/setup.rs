//! The whole set-up, by somebody who has only the link that they were sent and their Procore account.
use browser::{Newcomer, Person, run};
use end_to_end::eventually;
use end_to_end::tenant::SOON;
use std::time::Instant;

/// Fewer acts than this, from the link to the test record, for one project.
const MOST_ACTS: u32 = 40;
const MOST_SECONDS: f32 = 300.0;
/// A person's pace, on the slow side: adults read some 240 words a minute in silence on average, and find, point at and press a
/// thing in about three seconds.
const WORDS_A_SECOND: f32 = 200.0 / 60.0;
const SECONDS_AN_ACT: f32 = 5.0;

#[test]
fn from_the_setup_link_to_a_test_record() {
    run(async { set_up(&Person::new().await).await });
}

#[test]
fn the_same_by_keyboard_alone() {
    run(async { set_up(&Person::at_the_keyboard().await).await });
}

/// A page that the set-up leads through: how many words they have to read there.
async fn goes_through(person: &Person, page: &str) -> usize {
    let words = person.words().await;
    person.paints_at_once(page).await;
    person.can_use(page).await;
    words
}

async fn set_up(person: &Person) {
    let newcomer = Newcomer::new();
    let (since, mut words) = (Instant::now(), 0);

    person.open(&newcomer.setup_link()).await;
    person.presses("Sign in").await;
    person.sees("No platform is connected yet").await;
    words += goes_through(person, "set-up overview").await;
    person.presses("Set up Procore").await;

    // 1. Connect: sign in there, agree, choose the company by its name.
    person.sees("Sign in with Procore, so that you can choose your company by its name").await;
    words += goes_through(person, "set-up connect").await;
    newcomer.logs_in_at_procore(person).await;
    person.sees("Company in Procore").await;
    words += goes_through(person, "set-up company").await;
    person.ticks(&newcomer.company_name).await;
    person.presses("Connect this company").await;

    // 2. Projects: one is mapped to a new site, whose clock is Procore's.
    person.sees("Bridge D").await;
    words += goes_through(person, "set-up projects").await;
    person.presses("Map Bridge D").await;

    // 3. What is sent, with the last day as an example.
    person.sees("Lowest priority that is sent").await;
    words += goes_through(person, "set-up what is sent").await;
    person.presses("Show what the last day would have sent").await;
    person.sees("The last day, with these settings").await;
    person.presses("Save and go on").await;

    // 4. The hour, on the site's clock.
    person.sees("America/Denver").await;
    words += goes_through(person, "set-up hour").await;
    person.presses("Save and go on").await;

    // 5. A test record.
    person.sees("Send a test record").await;
    words += goes_through(person, "set-up test").await;
    person.presses("Send a test record").await;
    person.sees("It works: the test record stands in Procore").await;
    words += goes_through(person, "set-up test works").await;
    let (acts, machine) = (person.acts(), since.elapsed().as_secs_f32());
    let pace = words as f32 / WORDS_A_SECOND + acts as f32 * SECONDS_AN_ACT;
    eprintln!(
        "from the link to the test record: {acts} acts, {words} words, {pace:.0} s at a person's pace and {machine:.0} s of machine \
         time with all checks"
    );
    assert!(acts < MOST_ACTS, "{acts} acts");
    assert!(pace + machine < MOST_SECONDS, "{acts} acts and {words} words take {pace} s, and the machine {machine} s");
    let made = eventually("the test record in Procore", SOON, || newcomer.observations().pop());
    assert!(made["name"].as_str().unwrap_or_default().contains("TEST - HardHat Pulse"), "{made}");
    assert_eq!(newcomer.observations().len(), 1);

    person.presses("Done: see the status of Bridge D").await;
    person.sees("Bridge D").await;
    person.can_use("set-up status").await;
}
