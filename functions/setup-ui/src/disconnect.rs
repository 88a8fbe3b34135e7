//! `/setup/{connection}/disconnect`: what stays where and what is erased, before a manager says so; and afterwards how far it is.
use crate::form::{self, Errors};
use crate::layout::{Page, SUPPORT};
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::words;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{ConnectionId, Provider};
use domain::record::RecordKind;
use maud::{Markup, html};
use people::{Role, Visitor};
use store::directory::Connection;
use store::lanes::{LaneId, Link};
use store::removal::{self, Stays};

/// Records that are named; the others are counted.
const NAMED: usize = 50;
/// The box that must be ticked.
const CONFIRM: &str = "confirm";

/// A connection of the visitor's organization, standing or on its way out.
enum Found {
    Standing(Connection),
    Leaving(Connection),
    /// Cleared up; its records still stand at Procore.
    Gone,
}

/// With the lane, under which records are known also when the connection is gone.
async fn find(app: &AppState, visitor: &Visitor, id: &str) -> Result<(LaneId, Found), Refusal> {
    let connection_id: ConnectionId = id.parse().map_err(|_| Refusal::not_found())?;
    let organization_id = visitor.session.organization_id.clone();
    let standing = app.directory().connection(&organization_id, &connection_id).await?;
    let lane = LaneId { organization_id, connection_id, provider: Provider::Procore };
    let found = match standing {
        Some(connection) => Found::Standing(connection),
        None => match app.directory().removal(&lane).await? {
            Some(removal) => Found::Leaving(removal.connection),
            None => Found::Gone,
        },
    };
    Ok((lane, found))
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(connection): Path<String>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let (lane, found) = find(&app, &visitor, &connection).await?;
    match found {
        Found::Standing(connection) => ask(&app, &visitor, &connection, &Errors::default()).await,
        Found::Leaving(connection) => {
            let stays = removal::stays(app.table(), &lane).await?;
            Ok(afterwards(&visitor, &lane, Some(&words::company(&connection)), &stays))
        }
        Found::Gone => match removal::stays(app.table(), &lane).await? {
            stays if stays.records.is_empty() => Err(Refusal::not_found()),
            stays => Ok(afterwards(&visitor, &lane, None, &stays)),
        },
    }
}

pub async fn save(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(connection): Path<String>,
    form: form::Form,
) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let (lane, found) = find(&app, &visitor, &connection).await?;
    let after = format!("/setup/{}/disconnect", lane.connection_id);
    let connection = match found {
        Found::Standing(connection) => connection,
        // Pressed twice.
        Found::Leaving(_) => return Ok(Redirect::to(&after).into_response()),
        Found::Gone => return Err(Refusal::not_found()),
    };
    if values.get(CONFIRM) != "yes" {
        let mut errors = Errors::default();
        errors.add(CONFIRM, "Confirmation: tick the box if you want to disconnect. Nothing was changed.");
        let page = ask(&app, &visitor, &connection, &errors).await?;
        return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    removal::remove(app.table(), app.bell(), &connection, app.now()).await?;
    tracing::info!(
        organization_id = %lane.organization_id, connection_id = %lane.connection_id, person_id = %visitor.person.id,
        "a connection was removed by a person"
    );
    Ok(Redirect::to(&after).into_response())
}

/// The account before the decision, with the one button.
async fn ask(app: &AppState, visitor: &Visitor, connection: &Connection, errors: &Errors) -> Result<Page, Refusal> {
    let lane = connection.lane();
    let stays = removal::stays(app.table(), &lane).await?;
    let grant = grants::grant(app.table(), &lane).await?;
    let name = words::company(connection);
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { "Disconnect " (name) }
        (errors.summary())
        p { "From the moment you disconnect, nothing is sent to this company in Procore and nothing is read from it." }
        h2 { "What stays in Procore" }
        (staying(visitor, &lane, &stays))
        h2 { "What stays in HardHat Pulse" }
        p {
            "All detections and incidents as your sites told them, records that still wait to be sent (they are not sent any more), \
             people and their access. For each record that stands in Procore we keep which one it is and what we wrote, so that \
             nothing is made twice should you connect again."
        }
        h2 { "What is erased in HardHat Pulse" }
        p {
            "Everything that came from Procore: injuries, treatment, days away, status, and values that people edited there. Of each \
             field that we wrote, a hash stays, by which an edit made in Procore is known should you connect again: a fingerprint, \
             from which the value can't be read. Erased as well: which projects show which site, what each of them sends, and its \
             hours."
        }
        h2 { "What is taken back" }
        ul {
            li { "Our hooks in Procore, by which it tells us of changes, are removed." }
            @if let Some(grant) = &grant {
                li { "The consent of " (grant.label) " is revoked at Procore, and its keys are erased here." }
            }
            li { "The app stays installed until an admin of your company removes it under App Management in Procore." }
        }
        p { "Should Procore not answer, this is tried again for a day; then its keys are erased here all the same." }
        h2 { "How to come back" }
        (coming_back())
        form method="post" action={ "/setup/" (connection.id) "/disconnect" } novalidate {
            (form::token_field(visitor))
            (errors.at(CONFIRM))
            label.check {
                input #confirm type="checkbox" name=(CONFIRM) value="yes" required
                    aria-describedby=[errors.described(CONFIRM)] aria-invalid=[errors.has(CONFIRM).then_some("true")];
                "Yes, disconnect " (name) " and erase what came from Procore"
            }
            button #disconnect type="submit" { "Disconnect " (name) }
        }
    };
    Ok(Page::new(format!("Disconnect {name}"), body))
}

/// `leaving`: the company, while its lane still clears up.
fn afterwards(visitor: &Visitor, lane: &LaneId, leaving: Option<&str>, stays: &Stays) -> Page {
    let title = if leaving.is_some() { "Being disconnected" } else { "Disconnected" };
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { (title) }
        div.notice role="status" {
            @match leaving {
                Some(name) => {
                    p { strong { (name) " is disconnected." } " Nothing is sent there and nothing is read any more." }
                    p {
                        "What came from Procore is being erased here, and our hooks and the consent are taken back. That takes a \
                         minute; where Procore does not answer it is tried again for up to a day. It goes on by itself: you can close \
                         this page, or load it again to see how far it is. Until it is done, the company can't be connected again."
                    }
                }
                None => p { strong { "Everything is cleared up." } " What came from Procore is erased here." },
            }
        }
        h2 { "What stays in Procore" }
        (staying(visitor, lane, stays))
        h2 { "How to come back" }
        (coming_back())
        p { a.button href="/setup/connect" { "Connect Procore" } }
    };
    Page::new(title, body)
}

fn coming_back() -> Markup {
    html! {
        p {
            "Connect the same company again under “Connect Procore”, and choose its projects and what they send anew. It is the same \
             connection then: it knows its records in Procore, goes on with them, keeps what people edited there, and reads injuries \
             back. Questions: " a href={ "mailto:" (SUPPORT) } { (SUPPORT) }
        }
    }
}

/// All are counted; named are the newest of projects that the visitor can see.
fn staying(visitor: &Visitor, lane: &LaneId, stays: &Stays) -> Markup {
    let total = stays.records.len();
    if total == 0 {
        return html! { p { "Nothing: no record of ours stands there." } };
    }
    let of = |kind: RecordKind| stays.records.iter().filter(|link| link.record.kind == kind).count();
    let counts = [
        (of(RecordKind::Incident), "incident", "incidents"),
        (of(RecordKind::Observation), "observation", "observations"),
        (of(RecordKind::DailySummary), "daily summary", "daily summaries"),
    ];
    let counted = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counted: Vec<String> =
        counted.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many })).collect();
    let seen = |link: &&Link| visitor.sees_project(&lane.connection_id, &link.project_id);
    let named: Vec<&Link> = stays.records.iter().filter(seen).take(NAMED).collect();
    html! {
        p #stays {
            @if stays.more { "At least " }
            (counted.join(", "))
            ". They are your company's records: we delete none of them and change none of them any more. Their links to HardHat Pulse \
             keep working for who has access here."
        }
        @if !named.is_empty() {
            details {
                summary { @if named.len() < total { "The newest " (named.len()) " by name" } @else { "All of them by name" } }
                ul { @for link in named { li {
                    (words::kind(link.record.kind)) " " (link.marker)
                    @if let Some(url) = &link.remote_url {
                        " " a href=(url) rel="noopener" target="_blank" aria-label={ "Open " (link.marker) " in Procore (opens a new tab)" } { "Open in Procore" }
                    }
                } } }
            }
        }
    }
}
