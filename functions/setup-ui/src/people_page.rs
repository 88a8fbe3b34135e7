//! `/people`: who has access, by what, with which role; invitations; sessions. A viewer sees and ends their own sessions only.
use crate::form::{self, Form};
use crate::layout::Page;
use crate::passkeys;
use crate::refusal::Refusal;
use crate::sign_in;
use crate::sites::Sites;
use crate::state::AppState;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::PersonId;
use maud::{Markup, html};
use people::links::Made;
use people::passkeys::Passkey;
use people::{Person, Role, Session, Visitor};
use std::collections::BTreeMap;

/// What an inviter may call somebody.
const LONGEST_LABEL: usize = 100;

struct Row {
    person: Person,
    sessions: Vec<Session>,
    passkeys: Vec<Passkey>,
}

/// What a page says of the last thing that was done.
#[derive(Default)]
struct Done<'a> {
    made: Option<&'a Made>,
    problem: Option<&'a str>,
    passkey_added: bool,
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    page(&app, &visitor, Done { passkey_added: asked.contains_key("added"), ..Done::default() }).await
}

async fn page(app: &AppState, visitor: &Visitor, done: Done<'_>) -> Result<Page, Refusal> {
    let manages = visitor.session.role >= Role::Manager;
    let invites = manages && Sites::of(app, visitor).await?.all;
    let mut people = match manages {
        true => app.people().people(&visitor.session.organization_id).await?,
        false => vec![visitor.person.clone()],
    };
    people.sort_by_key(|person| (person.id != visitor.person.id, person.label.to_lowercase()));
    let mut rows = Vec::new();
    for person in people {
        let (sessions, passkeys) = (app.people().sessions(&person).await?, app.people().passkeys(&person).await?);
        rows.push(Row { sessions, passkeys, person });
    }
    let body = html! {
        h1 { "People and sessions" }
        (sign_in::signed_in(visitor))
        @if let Some(made) = done.made { (new_link(made)) }
        @if done.passkey_added {
            div.notice role="status" { p { "The passkey was added. Next time press Sign in with a passkey on the sign-in page." } }
        }
        h2 { @if manages { "Who has access" } @else { "Your access" } }
        ul.cards { @for row in &rows { li { (card(app, visitor, row, manages)) } } }
        @if invites { (invitation(visitor, done.problem)) } @else if manages {
            h2 { "Invite somebody" }
            p { (SEES_SOME) }
        }
    };
    Ok(Page::new("People and sessions", body))
}

fn card(app: &AppState, visitor: &Visitor, Row { person, sessions, passkeys }: &Row, manages: bool) -> Markup {
    let own = person.id == visitor.person.id;
    let other = match person.role {
        Role::Viewer => Role::Manager,
        Role::Manager => Role::Viewer,
    };
    html! {
        h3 { (person.label) @if own { " (you)" } }
        p { (role(person.role)) ". " (by(person)) }
        @if let Some(at) = person.last_seen_at { p.dim { "Last seen " (format!("{at:.0}")) } }
        @if manages && !own {
            form method="post" action={ "/people/" (person.id) "/role" } {
                (form::token_field(visitor))
                input type="hidden" name="role" value=(other.as_str());
                button.quiet type="submit" aria-label={ "Make " (person.label) " a " (other.as_str()) } { "Make a " (other.as_str()) }
            }
            form method="post" action={ "/people/" (person.id) "/remove" } {
                (form::token_field(visitor))
                button.quiet type="submit" aria-label={ "Take all access from " (person.label) } { "Take all access away" }
            }
        }
        (passkeys::list(visitor, person, passkeys))
        @if own { (passkeys::offer(app, visitor)) }
        @if !sessions.is_empty() {
            ul { @for session in sessions { li {
                "Signed in since " (format!("{:.0}", session.created_at)) ", until " (format!("{:.0}", session.expires_at))
                @if session.id == visitor.session.id { " (this browser)" }
                form method="post" action={ "/people/" (person.id) "/sessions/end" } {
                    (form::token_field(visitor))
                    input type="hidden" name="session" value=(session.id);
                    button.quiet type="submit" aria-label={ "End the session of " (person.label) " since " (format!("{:.0}", session.created_at)) } { "End this session" }
                }
            } } }
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Viewer: looks, and changes nothing",
        Role::Manager => "Manager: connects, chooses what is sent, invites",
    }
}

fn by(person: &Person) -> &'static str {
    match (&person.identity, &person.projects) {
        (Some(_), Some(_)) => "Signs in with Procore and sees the sites whose projects they can see there.",
        (Some(_), None) => "Was let in by a link, signs in with Procore, and sees all sites.",
        (None, _) => "Was let in by a link and sees all sites.",
    }
}

fn new_link(made: &Made) -> Markup {
    html! {
        div.notice role="status" {
            p { strong { "The invitation for " (made.link.label) } }
            p { code #new-link { (made.url) } }
            p {
                "Send it to " (made.link.label) " over a channel that only they read: it lets one person in, once, until "
                (format!("{:.0}", made.link.ends_at)) ". It is shown this once."
            }
        }
    }
}

fn invitation(visitor: &Visitor, problem: Option<&str>) -> Markup {
    html! {
        h2 { "Invite somebody" }
        p { "People who can see your projects in Procore need no invitation: they sign in with Procore, as viewers." }
        form method="post" action="/people/invite" {
            (form::token_field(visitor))
            div.field {
                label for="label" { "Whom" }
                input #label type="text" name="label" required maxlength=(LONGEST_LABEL) autocomplete="off"
                    aria-describedby=[problem.map(|_| "label-error")] aria-invalid=[problem.map(|_| "true")];
                @if let Some(problem) = problem { p.error #label-error { (problem) } }
            }
            div.field {
                label for="role" { "Role" }
                select #role name="role" { @for each in Role::ALL { option value=(each.as_str()) { (role(each)) } } }
            }
            button type="submit" { "Make an invitation" }
        }
    }
}

const SEES_SOME: &str = "An invitation opens all sites of your organization, and you see those whose projects you can list in Procore. Ask a manager who sees \
     all.";

/// The link stands in this answer alone: a redirect would need it in an address or in the table.
pub async fn invite(State(app): State<AppState>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    if !Sites::of(&app, &visitor).await?.all {
        return Err(Refusal::forbidden(SEES_SOME));
    }
    let (label, role) = (values.get("label"), Role::parse(values.get("role")).ok_or_else(Refusal::unreadable)?);
    if label.is_empty() || label.chars().count() > LONGEST_LABEL || label.contains(char::is_control) {
        let problem = "Say whom it is for, in up to 100 characters, so that you tell people apart later.";
        return Ok(page(&app, &visitor, Done { problem: Some(problem), ..Done::default() }).await?.into_response());
    }
    let organization = &visitor.session.organization_id;
    let made = app.people().make_link(organization, role, label, Some(&visitor.person.id)).await?;
    Ok(page(&app, &visitor, Done { made: Some(&made), ..Done::default() }).await?.into_response())
}

/// Somebody else of the visitor's own organization: nobody locks themselves out, so one manager always stays.
async fn somebody_else(app: &AppState, visitor: &Visitor, id: &str) -> Result<Person, Refusal> {
    let id: PersonId = id.parse().map_err(|_| Refusal::not_found())?;
    let person = app.people().person(&visitor.session.organization_id, &id).await?.ok_or_else(Refusal::not_found)?;
    match person.id == visitor.person.id {
        true => Err(Refusal::forbidden(
            "Another manager must do this for you, so that your organization is never without one.",
        )),
        false => Ok(person),
    }
}

pub async fn change_role(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(person): Path<String>,
    form: Form,
) -> Result<Redirect, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let role = Role::parse(values.get("role")).ok_or_else(Refusal::unreadable)?;
    let person = somebody_else(&app, &visitor, &person).await?;
    app.people().change_role(&visitor.session.organization_id, &person.id, role).await?;
    Ok(Redirect::to("/people"))
}

pub async fn remove(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(person): Path<String>,
    form: Form,
) -> Result<Redirect, Refusal> {
    visitor.require(Role::Manager)?;
    form.verified(&visitor)?;
    let person = somebody_else(&app, &visitor, &person).await?;
    app.people().remove(&visitor.session.organization_id, &person.id).await?;
    Ok(Redirect::to("/people"))
}

/// Oneself, or, for a manager, anybody of the organization.
pub async fn oneself_or_managed(app: &AppState, visitor: &Visitor, id: &str) -> Result<Person, Refusal> {
    let id: PersonId = id.parse().map_err(|_| Refusal::not_found())?;
    if id != visitor.person.id {
        visitor.require(Role::Manager)?;
    }
    app.people().person(&visitor.session.organization_id, &id).await?.ok_or_else(Refusal::not_found)
}

/// One's own session, or, for a manager, anybody's of the organization.
pub async fn end_session(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(person): Path<String>,
    form: Form,
) -> Result<Redirect, Refusal> {
    let values = form.verified(&visitor)?;
    let person = oneself_or_managed(&app, &visitor, &person).await?;
    let sessions = app.people().sessions(&person).await?;
    let session = sessions.into_iter().find(|session| session.id == values.get("session"));
    app.people().close(&session.ok_or_else(Refusal::not_found)?).await?;
    Ok(Redirect::to("/people"))
}
