//! A set-up that is left and gone on with, one with a person's own access, and a connection that is connected again.
use browser::{Newcomer, Person, run};
use end_to_end::events::{detection, zone};
use end_to_end::http;
use end_to_end::tenant::Tenant;
use serde_json::{Value, json};

#[test]
fn a_page_that_was_closed_is_gone_on_with_where_it_was_left() {
    run(async {
        let newcomer = Newcomer::new();
        let (setup, person) = (format!("{}/setup", newcomer.stack.api), Person::new().await);
        newcomer.chooses_its_company(&person).await;
        person.presses("Connect this company").await;
        person.sees("Bridge D").await;

        // Each time the page is closed, and opened by its address.
        person.open("about:blank").await;
        person.open(&setup).await;
        person.presses("Go on with the set-up: choose projects").await;
        person.presses("Map Bridge D").await;
        person.sees("Lowest priority that is sent").await;
        person.open("about:blank").await;
        person.open(&setup).await;
        person.can_use("overview with a set-up that was left").await;
        person.presses("Go on with the set-up: What is sent").await;
        person.presses("Save and go on").await;
        person.sees("Hour and shifts of Bridge D").await;
        drop(person);

        // Another day, another browser: the login at Procore is the way back.
        let person = Person::new().await;
        person.open(&setup).await;
        newcomer.logs_in_at_procore(&person).await;
        person.presses("Go on with the set-up: Hour and shifts").await;
        person.presses("Save and go on").await;
        person.sees("Send a test record").await;
        person.open(&setup).await;
        person.presses("Go on with the set-up: Test record").await;
        person.presses("Send a test record").await;
        person.sees("It works: the test record stands in Procore").await;
        person.open(&setup).await;
        person.sees("Status of Bridge D").await;
        person.does_not_see("Go on with the set-up").await;

        // It was the wrong site: the same page puts it right.
        person.presses(&format!("Projects of {}", newcomer.company_name)).await;
        person.presses("Map Bridge D to another site").await;
        person.sees("nothing new of Bridge D").await;
        person.can_use("projects, one to be moved").await;
        person.fills("Name of the new site for Bridge D", "Pier 4").await;
        person.presses("Change the site of Bridge D").await;
        person.sees("What Pier 4 sends").await;
    });
}

#[test]
fn a_manager_whose_company_wants_no_account_for_the_app_connects_with_their_own_access() {
    run(async {
        let newcomer = Newcomer::new();
        newcomer
            .stack
            .control(&format!("companies/{}/permitted-projects", newcomer.company), json!({"project_ids": []}));
        let person = Person::new().await;
        newcomer.chooses_its_company(&person).await;
        person.presses("My company wants no account for the app: connect with my own access").await;
        person.sees("your name stands at each record").await;
        person.can_use("set-up company own access").await;
        person.presses("Connect with my own access").await;

        // Procore asks once more, for the service this time. Who does not agree changes nothing.
        person.presses("Deny").await;
        person.sees("Nothing was changed").await;
        person.can_use("consent that was not given").await;
        person.presses("Go on").await;
        person.sees("No project can be chosen").await;
        person.can_use("no project can be chosen").await;
        person.presses("What this connection works with").await;
        person.presses("Let it work with my own access").await;
        person.presses("Allow").await;
        person.sees(&format!("Works with the consent of {}", newcomer.login)).await;
        person.can_use("connection with a consent").await;
        person.presses(&format!("Choose projects of {}", newcomer.company_name)).await;
        person.presses("Map Bridge D").await;
        person.sees("Lowest priority that is sent").await;
        person.presses("Save and go on").await;
        person.sees("America/Denver").await;
        person.presses("Save and go on").await;
        person.presses("Send a test record").await;
        person.sees("It works: the test record stands in Procore").await;
        let made = newcomer.observations().pop().expect("the test record");
        assert_eq!(person_of(&newcomer, &made["created_by"]), json!("Site Safety Manager"), "{made}");

        // The app's own account can't take over before it may use the project.
        person.presses("Overview").await;
        person.sees(&format!("Works with the consent of {}", newcomer.login)).await;
        person.open(&format!("{}/setup/connect", newcomer.stack.api)).await;
        person.presses("What this connection works with").await;
        person.presses("Let it work with the app's own account").await;
        person.sees("The app's own account may not use Bridge D yet").await;
        person.can_use("the app's account can not take over").await;
        newcomer
            .stack
            .control(&format!("companies/{}/permitted-projects", newcomer.company), json!({"project_ids": null}));
        person.presses("Back").await;
        person.presses("What this connection works with").await;
        person.presses("Let it work with the app's own account").await;
        person.presses("What this connection works with").await;
        person.sees("It works with the app's own account now").await;
    });
}

fn state(stack: &end_to_end::tenant::Stack) -> Value {
    http::call("GET", &format!("{}/_control/state", stack.sandbox), &[], b"").json()
}

fn person_of(newcomer: &Newcomer, id: &Value) -> Value {
    let people = state(&newcomer.stack)["people"].as_array().cloned().unwrap_or_default();
    people.into_iter().find(|person| person["id"] == *id).map_or(Value::Null, |person| person["name"].clone())
}

#[test]
fn an_app_that_was_uninstalled_is_installed_again_and_goes_on() {
    run(async {
        let tenant = Tenant::new();
        tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
        tenant.settled("observations", 1);
        let person = Person::new().await;
        let apps = format!("{}/webclients/host/companies/{}/tools/apps", tenant.stack.sandbox, tenant.company);
        person.open(&apps).await;
        person.presses("Uninstall").await;
        person.sees("not installed").await;
        tenant.take(&[detection(&tenant, 2)]);

        person.open(&tenant.stack.setup_link(&tenant.organization)).await;
        person.presses("Sign in").await;
        person.sees("Signed in as").await;
        let setup = format!("{}/setup", tenant.stack.api);
        person.finds_at(&setup, "Nothing is being sent").await;
        person.sees("An admin of your company in Procore").await;
        person.can_use("a connection that is blocked").await;

        // The step goes to an admin by mail, or is done here by the same link.
        person.presses("Connect it again").await;
        person.sees("Send this step to my Procore admin").await;
        person.can_use("connect again").await;
        let mail = "return document.querySelector('a[href^=\"mailto:?\"]').href";
        let mail = person.script(mail).await.as_str().unwrap_or_default().to_owned();
        assert!(mail.contains("permitted%20projects") && mail.contains(&tenant.company.to_string()), "{mail}");
        person.presses("Install HardHat Pulse in Procore (opens a new tab)").await;
        let here = person.turns_to_the_new_window().await;
        person.presses("Install").await;
        person.ticks("Tower").await;
        person.presses("Save the permitted projects").await;
        person.sees("installed").await;
        person.closes_this_window_for(&here).await;
        person.presses("It is mended: try again").await;
        person.sees("Connected").await;
        assert_eq!(tenant.settled("observations", 2).len(), 2, "what waited arrives, once");
    });
}
