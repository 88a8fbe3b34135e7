//! People and sessions: an invitation, a role, a session that is ended, access that is taken away. By keyboard alone.
use browser::{Person, run};
use end_to_end::tenant::Tenant;
use serde_json::json;

#[test]
fn a_manager_invites_raises_and_sends_away() {
    run(async {
        let tenant = Tenant::new();
        let manager = Person::at_the_keyboard().await;
        manager.open(&tenant.stack.setup_link(&tenant.organization)).await;
        manager.presses("Sign in").await;
        manager.presses("People and sessions").await;
        manager.sees("Invite somebody").await;
        manager.can_use("people").await;

        // The invitation stands there once; who opens it is in.
        manager.fills("Whom", "Foreman of the night shift").await;
        manager.chooses("Role", "Viewer").await;
        manager.presses("Make an invitation").await;
        manager.sees("The invitation for Foreman of the night shift").await;
        manager.can_use("people with an invitation").await;
        let link = manager.script("return document.getElementById('new-link').textContent").await;
        let link = link.as_str().expect("a link").to_owned();
        manager.presses("People and sessions").await;
        manager.does_not_see(&link).await;
        let foreman = Person::new().await;
        foreman.open(&link).await;
        foreman.sees("You can look at everything and change nothing").await;
        foreman.presses("Sign in").await;
        foreman.sees("(viewer)").await;
        foreman.does_not_see("Disconnect").await;
        foreman.presses("People and sessions").await;
        foreman.sees("Your access").await;
        foreman.does_not_see("Invite somebody").await;
        foreman.can_use("people as a viewer sees them").await;

        // The role counts at once, both ways.
        manager.presses("People and sessions").await;
        manager.presses("Make Foreman of the night shift a manager").await;
        manager.sees("Make a viewer").await;
        foreman.presses("Overview").await;
        foreman.sees("(manager)").await;
        manager.presses("Make Foreman of the night shift a viewer").await;
        manager.sees("Make a manager").await;
        foreman.presses("Overview").await;
        foreman.sees("(viewer)").await;

        // A session ends, and with it what that browser may see. The link does not let in a second time.
        let end = "return document.querySelectorAll('button[aria-label^=\"End the session of Foreman\"]').length";
        manager.becomes(end, &json!(1)).await;
        let label = "return document.querySelector('button[aria-label^=\"End the session of Foreman\"]').ariaLabel";
        let label = manager.script(label).await.as_str().expect("a label").to_owned();
        manager.presses(&label).await;
        manager.becomes(end, &json!(0)).await;
        foreman.presses("Overview").await;
        foreman.sees("Sign in with Procore").await;
        foreman.open(&link).await;
        foreman.sees("This link was used").await;

        manager.presses("Take all access from Foreman of the night shift").await;
        let access = "return document.querySelectorAll('button[aria-label^=\"Take all access from Foreman\"]').length";
        manager.becomes(access, &json!(0)).await;
        manager.sees("Who has access").await;
        manager.does_not_see("Foreman of the night shift").await;
    });
}
