//! Somebody without a login at Procore: let in by a link, they add a passkey and sign in with it. Chromium's own passkey store
//! stands in for a device's; it confirms each question by itself.
use browser::{Person, run};
use end_to_end::tenant::Tenant;
use serde_json::json;

async fn has_a_passkey_store(person: &Person) {
    person.browser.devtools("WebAuthn.enable", json!({})).await;
    let options = json!({"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": true,
    }});
    person.browser.devtools("WebAuthn.addVirtualAuthenticator", options).await;
}

#[test]
fn who_came_by_a_link_signs_in_again_with_a_passkey() {
    run(async {
        let tenant = Tenant::new();
        let person = Person::new().await;
        has_a_passkey_store(&person).await;

        person.open(&tenant.stack.setup_link(&tenant.organization)).await;
        person.presses("Sign in").await;
        person.sees("How you sign in next time").await;
        person.can_use("overview with a reminder").await;
        person.presses("Add a passkey to this account").await;
        person.sees("The passkey was added").await;
        person.can_use("people with a passkey").await;

        // The device has one already, and says so.
        person.presses("Add a passkey to this account").await;
        person.sees("This device has a passkey for this account already").await;

        person.open(&format!("{}/setup", tenant.stack.api)).await;
        person.does_not_see("How you sign in next time").await;
        person.presses("Sign out").await;
        person.sees("You are signed out").await;
        person.open(&format!("{}/sign-in?next=%2Fpeople", tenant.stack.api)).await;
        person.can_use("sign-in with passkeys").await;
        person.presses("Sign in with a passkey").await;
        person.sees("Who has access").await;
        person.sees("last used").await;

        // Removed, it lets nobody in, and the page says what to do.
        person.presses("Remove this passkey").await;
        person.sees("Who has access").await;
        person.does_not_see("last used").await;
        person.open(&format!("{}/setup", tenant.stack.api)).await;
        person.presses("Sign out").await;
        person.sees("You are signed out").await;
        person.presses("Sign in with a passkey").await;
        person.sees("This passkey is not known here").await;
    });
}
