//! A safety manager sets a webhook up for a relay of theirs, sees its answers, mends it, and gives a developer an API key.
use browser::{Person, run};
use end_to_end::events::{detection, zone};
use end_to_end::eventually;
use end_to_end::http;
use end_to_end::tenant::{SOON, Tenant};
use serde_json::{Value, json};
use std::time::Instant;

const TOKEN: &str = "T0ken-of-the-relay";
/// What is promised: from the overview to a test event that was taken, with reading, a mistake and a receiver that fails first.
const MOST_SECONDS: f32 = 600.0;
/// A person's pace, on the slow side, as in the set-up of Procore.
const WORDS_A_SECOND: f32 = 200.0 / 60.0;
const SECONDS_AN_ACT: f32 = 5.0;

/// The customer's relay: a box of the sandbox's inbox.
struct Relay<'a> {
    tenant: &'a Tenant,
    name: String,
}

impl Relay<'_> {
    fn url(&self) -> String {
        format!("{}/{}", self.tenant.stack.inbox, self.name)
    }

    fn set(&self, change: Value) {
        http::json("POST", &format!("{}/_control/boxes/{}", self.tenant.stack.inbox, self.name), None, &change)
            .ok("box");
    }

    fn says(&self, status: u16, words: &str) {
        self.set(json!({"answer": {"kind": "status", "status": status, "body": words}}));
    }

    fn takes(&self) {
        self.set(json!({"answer": {"kind": "take"}}));
    }

    fn arrivals(&self) -> Vec<Value> {
        let answer = http::call("GET", &self.url(), &[], b"");
        match answer.status {
            404 => Vec::new(),
            _ => answer.ok("the box")["arrivals"].as_array().cloned().unwrap_or_default(),
        }
    }

    /// Waits until so many of a type were answered with this status.
    fn waits_for(&self, kind: &str, status: u16, count: usize) -> Vec<Value> {
        let wanted = format!("com.hardhatpulse.{kind}.v1");
        eventually(&format!("{count} of {kind} answered {status}"), SOON, || {
            let all =
                self.arrivals().into_iter().filter(|one| one["type"] == wanted.as_str() && one["status"] == status);
            Some(all.collect::<Vec<_>>()).filter(|found| found.len() >= count)
        })
    }
}

async fn signs_in(person: &Person, tenant: &Tenant) {
    person.open(&tenant.stack.setup_link(&tenant.organization)).await;
    person.presses("Sign in").await;
    person.sees("Overview").await;
}

async fn secret(person: &Person) -> String {
    let shown = person.script("return document.querySelector('#secret').textContent;").await;
    shown.as_str().expect("a secret on the page").to_owned()
}

#[test]
fn a_webhook_is_set_up_tested_followed_and_mended() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
        tenant.settled("observations", 1);
        let relay = Relay { tenant: &tenant, name: format!("{}-pages", tenant.site) };
        relay.set(json!({"token": TOKEN}));
        let person = Person::new().await;
        signs_in(&person, &tenant).await;
        let (since, mut words) = (Instant::now(), 0);

        // Choose a platform.
        person.presses("Set up a webhook").await;
        person.sees("Where shall it go?").await;
        words += person.words().await;
        person.can_use("webhook platforms").await;
        person.presses("Choose Fieldwire").await;
        person.sees("A webhook for Fieldwire").await;
        person.presses("How this is done, step by step").await;
        words += person.words().await;
        person.can_use("webhook form").await;

        // A mistake is told at its field; then what would be sent is shown with the last event of their own.
        person.fills("Name, for yourself", "Relay of the tower").await;
        person.presses("Make the webhook").await;
        person.sees("Not saved yet").await;
        person.can_use("webhook form with a mistake").await;
        person.fills("Web address that takes the messages", &relay.url()).await;
        person.fills("Token (optional)", TOKEN).await;
        person.ticks("Only these:").await;
        person.ticks("Zone breach").await;
        person.chooses("Lowest priority that is sent", "4 (high)").await;
        person.presses("Show what would be sent").await;
        person.sees("The last event of Tower that it wants").await;
        person.sees("Zone breach").await;
        person.does_not_see("W-4711").await;
        words += person.words().await;
        person.can_use("webhook form with a preview").await;

        // Made: the secret stands there this once.
        person.presses("Make the webhook").await;
        person.sees("Relay of the tower is made").await;
        words += person.words().await;
        person.can_use("webhook made").await;
        let first = secret(&person).await;
        assert!(first.starts_with("whsec_"), "{first}");
        relay.waits_for("ping", 200, 1);
        relay.set(json!({"secrets": [first]}));
        person.presses("Go on: test it and see its status").await;
        person.sees("What came of the messages").await;
        person.does_not_see(&first).await;
        person.does_not_see(TOKEN).await;

        // The test event, with the receiver's own answer, good and bad.
        relay.says(503, "The flow Safety is switched off");
        person.presses("Send a test event").await;
        person.sees("The receiver did not take it").await;
        person.sees("The flow Safety is switched off").await;
        person.can_use("webhook test failed").await;
        relay.takes();
        person.presses("Send another test event").await;
        person.sees("It works: the receiver took the test event").await;
        words += person.words().await;
        let (acts, machine) = (person.acts(), since.elapsed().as_secs_f32());
        let pace = words as f32 / WORDS_A_SECOND + acts as f32 * SECONDS_AN_ACT;
        eprintln!(
            "to a test event that was taken: {acts} acts, {words} words, {pace:.0} s at a person's pace, {machine:.0} s of machine time"
        );
        assert!(
            pace + machine < MOST_SECONDS,
            "{acts} acts and {words} words take {pace} s, and the machine {machine} s"
        );
        person.can_use("webhook test works").await;
        let status = person.at().await.split('?').next().unwrap_or_default().to_owned();

        // What is detected arrives; what is not taken is sent again by a press.
        tenant.take(&[detection(&tenant, 2)]);
        relay.waits_for("detection.recorded", 200, 1);
        relay.says(500, "Try later");
        tenant.take(&[detection(&tenant, 3)]);
        relay.waits_for("detection.recorded", 500, 1);
        relay.takes();
        comes_to_show(&person, &status, "Try later").await;
        person.can_use("webhook status").await;
        let again = person
            .script("return [...document.querySelectorAll('li')].find(row => row.textContent.includes('Answered 500')).querySelector('form button').getAttribute('aria-label');")
            .await;
        person.presses(again.as_str().expect("a button's words")).await;
        relay.waits_for("detection.recorded", 200, 2);
        comes_to_show(&person, &status, "at attempt 2").await;

        // The preview of what stands.
        person.presses("See a message as it is sent").await;
        person.sees("The last event of Tower that it wants").await;
        person.can_use("webhook preview").await;

        // Another secret: the one before signs along, and the receiver takes the new one.
        person.open(&status).await;
        person.presses("Make a new signing secret").await;
        person.sees("This is the new signing secret").await;
        person.can_use("webhook secret rotated").await;
        let second = secret(&person).await;
        assert_ne!(first, second);
        relay.set(json!({"secrets": [second]}));
        person.presses("Send a test event").await;
        person.sees("It works: the receiver took the test event").await;

        // What was missed while the webhook was switched off is sent on a press.
        relay.says(410, "Gone");
        tenant.take(&[detection(&tenant, 4)]);
        relay.waits_for("detection.recorded", 410, 1);
        comes_to_show(&person, &status, "Nothing is being sent").await;
        person.can_use("webhook switched off").await;
        relay.takes();
        tenant.take(&[detection(&tenant, 5)]);
        tenant.settled("observations", 5);
        person.open(&status).await;
        person.presses("It is mended: try again").await;
        // That stands there again only where something is being sent.
        person.sees("Sends again what was not taken").await;
        person.does_not_see("Nothing is being sent").await;
        person.presses("Send what was missed").await;
        relay.waits_for("detection.recorded", 200, 4);
        // Whatever came after a secret was known was signed and shaped as it should be.
        for arrival in relay.arrivals() {
            assert_eq!(arrival["problems"], json!([]), "{arrival:#}");
        }

        // And the way out.
        person.open(&status).await;
        person.presses("Remove this webhook").await;
        person.presses("Remove Relay of the tower").await;
        person.sees("Set up a webhook").await;
        person.does_not_see("Relay of the tower").await;
    });
}

/// Looks again until it stands there: what an attempt came to is written after the receiver has answered.
async fn comes_to_show(person: &Person, url: &str, words: &str) {
    let since = Instant::now();
    loop {
        person.open(url).await;
        let shown = person.script("return document.body.textContent;").await;
        if shown.as_str().unwrap_or_default().contains(words) {
            return;
        }
        assert!(since.elapsed() < SOON, "{words:?} did not come to stand on {url}: {shown}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[test]
fn a_manager_gives_a_developer_an_api_key_and_takes_it_back() {
    run(async {
        let tenant = Tenant::new();
        let person = Person::new().await;
        signs_in(&person, &tenant).await;
        person.presses("API keys").await;
        person.sees("The REST API").await;
        person.can_use("api keys").await;
        person.fills("Name, for yourself", "").await;
        person.presses("Make the key").await;
        person.sees("Not saved yet").await;
        person.can_use("api keys with a mistake").await;
        person.fills("Name, for yourself", "Dashboard").await;
        person.ticks("Read facts and reports").await;
        person.presses("Make the key").await;
        person.sees("This is the key").await;
        person.can_use("api key made").await;
        let key = secret(&person).await;
        let sites = || tenant.stack.call(&key, "GET", "/v1/sites", &Value::Null);
        let listed = sites().ok("the sites");
        assert_eq!(listed["data"][0]["id"], tenant.site.as_str(), "{listed}");
        person.open(&format!("{}/setup/api-keys", tenant.stack.api)).await;
        person.sees("Last used").await;
        person.does_not_see(&key).await;
        person.presses("Revoke Dashboard").await;
        person.sees("The key was revoked").await;
        assert_eq!(sites().status, 401);

        // What they read: the reference, which is for anyone, and what each platform can show.
        person.presses("its reference").await;
        person.sees("The HardHat Pulse API").await;
        person.presses("Messages to your receiver").await;
        person.can_use("api reference").await;
        person.open(&format!("{}/setup", tenant.stack.api)).await;
        person.presses("What each platform can show").await;
        person.sees("Injuries and treatment come back").await;
        person.can_use("capabilities").await;
    });
}
