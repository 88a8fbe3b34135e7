//! What a connection works with: the app's own account, which is what we recommend, or the consent of a person.
use crate::form;
use crate::platform;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{connect, disconnect, visible, words};
use ::platform::lists::ListError;
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::autodesk::Region;
use domain::ids::Provider;
use grants::Grant;
use maud::{Markup, html};
use people::{Role, Visitor};
use store::again;
use store::directory::Connection;

/// The button of step 1 that chooses a person's consent.
pub const WAY: &str = "way";
pub const BY_CONSENT: &str = "consent";

/// Where a manager agrees at the platform that a connection works with their access, and comes back to `next`.
pub fn ask_for(connection: &Connection, next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("connection", connection.id.as_str())
        .append_pair("next", next)
        .finish();
    let platform = if connection.provider == Provider::Acc { "autodesk" } else { "procore" };
    format!("/sign-in/{platform}?{query}")
}

/// What the two ways mean, for who decides between them.
fn difference(provider: Provider) -> Markup {
    let (platform, acc) = (words::platform(provider), provider == Provider::Acc);
    html! {
        p {
            strong { (account(provider)) } " (what we recommend): HardHat Pulse sees and writes only in the projects that "
            @if acc { "an admin adds it to" } @else { "your Procore admin permits to it" }
            ". Records carry its name, and it goes on whoever leaves your company."
        }
        p {
            strong { "With your own access" } ": for companies that give apps no account. HardHat Pulse sees and writes in the projects \
             that you can use, in your name: your name stands at each record, and what you may not do in " (platform) ", it can't do. \
             When you leave the company or take your consent back, records wait until another manager agrees. "
            @if acc { "HardHat Pulse must stand under Custom Integrations for this, too." } @else { "The app must be installed for this, too." }
        }
    }
}

fn account(provider: Provider) -> &'static str {
    if provider == Provider::Acc { "By a service account" } else { "By the app's own account" }
}

/// Beside the button that connects.
pub fn offer(provider: Provider) -> Markup {
    html! {
        details #my-own-access {
            summary { "My company wants no account for the app: connect with my own access" }
            (difference(provider))
            button.quiet #connect-by-consent type="submit" name=(WAY) value=(BY_CONSENT) { "Connect with my own access" }
        }
    }
}

/// Whose consent a connection works with, where it has no account of the app's; and the way back when it ended.
pub fn whose(visitor: &Visitor, connection: &Connection, grant: Option<&Grant>, next: &str) -> Markup {
    let Some(grant) = grant else { return html! {} };
    html! {
        p.dim { "Works with the consent of " (grant.label) "." }
        @if visitor.session.role >= Role::Manager && grant.ended.is_some() {
            p { a.button href=(ask_for(connection, next)) { "Sign in with " (words::platform(connection.provider)) " again" } }
        }
    }
}

/// For a manager: the other way, for a connection that stands.
pub fn change(visitor: &Visitor, connection: &Connection, grant: Option<&Grant>) -> Markup {
    html! {
        details {
            summary { "What this connection works with" }
            (difference(connection.provider))
            @match grant {
                None => {
                    p { @if connection.provider == Provider::Acc { "It works with a service account now." } @else { "It works with the app's own account now." } }
                    p { a.button.quiet href=(ask_for(connection, connect::path(connection.provider))) { "Let it work with my own access" } }
                }
                Some(grant) => {
                    p { "It works with the consent of " (grant.label) " now." }
                    form method="post" action={ "/setup/" (connection.id) "/consent/end" } {
                        (form::token_field(visitor))
                        button.quiet type="submit" {
                            @if connection.provider == Provider::Acc { "Let it work with a service account" } @else { "Let it work with the app's own account" }
                        }
                    }
                }
            }
        }
    }
}

/// Takes a person's consent back, where the app's own account can go on.
pub async fn end(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(connection): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    visitor.require(Role::Manager)?;
    form.verified(&visitor)?;
    let connection = visible::connection(&app, &visitor, &connection).await?;
    if !disconnect::sees_all(&app, &visitor, &connection).await? {
        return Err(Refusal::forbidden(
            "This connection also serves projects that you can't list there. A manager who sees all of them decides what it works with.",
        ));
    }
    let back = connect::path(connection.provider);
    if let Some(missing) = missing(&app, &connection).await? {
        return Err(Refusal::not_now(missing, back));
    }
    platform::revoke(&app, &connection).await?;
    again::connection(app.table(), app.bell(), &connection, app.now()).await?;
    tracing::info!(
        organization_id = %connection.organization_id, connection_id = %connection.id, person_id = %visitor.person.id,
        "a connection works with the app's own account again"
    );
    Ok(Redirect::to(back))
}

/// What keeps the app's own account from going on: a sentence.
async fn missing(app: &AppState, connection: &Connection) -> Result<Option<String>, Refusal> {
    const THEN: &str = "Nothing was changed: the connection works with the consent as before.";
    if connection.provider == Provider::Acc {
        // Which projects it is a member of, its lane says project by project.
        let region = connection.region.unwrap_or(Region::Us);
        let has_one = connection.service_account.is_some() || platform::invited(app, region).await?.is_some();
        let none = format!("HardHat Pulse has no service account in Autodesk's region {}. {THEN}", region.as_str());
        return Ok((!has_one).then_some(none));
    }
    let permitted = match platform::permitted(app, &connection.account).await {
        Ok(permitted) => permitted,
        Err(ListError::NotInstalled(block) | ListError::Refused(block)) => {
            return Ok(Some(format!("{} {} {THEN}", block.reason, block.what_to_do)));
        }
        Err(error) => {
            return Ok(Some(format!("Procore does not say what the app's own account may use: {error} {THEN}")));
        }
    };
    let mapped = app.directory().projects(&connection.lane()).await?;
    let not_yet: Vec<String> = mapped
        .iter()
        .filter(|project| !permitted.iter().any(|each| each.id == project.project_id))
        .map(crate::words::project)
        .collect();
    Ok((!not_yet.is_empty()).then(|| {
        format!(
            "The app's own account may not use {} yet. A Procore admin adds them to the app's permitted projects in App Management \
             first. {THEN}",
            not_yet.join(", ")
        )
    }))
}
