//! `/setup/{connection}/disconnect`: what stays where and what is erased, before a manager says so; and afterwards how far it is.
use crate::form::{self, Errors};
use crate::layout::{Page, SUPPORT};
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use crate::{connect, consent, words};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{ConnectionId, Provider};
use domain::record::RecordKind;
use grants::Grant;
use maud::{Markup, html};
use people::{Role, Visitor};
use store::directory::Connection;
use store::lanes::{Lane, LaneId, Link};
use store::removal::{self, Removed, Stays};

/// Records that are named; the others are counted.
const NAMED: usize = 50;
/// The box that must be ticked.
const CONFIRM: &str = "confirm";

/// A connection of the visitor's organization, standing or on its way out.
enum Found {
    Standing(Connection),
    Leaving(Connection),
    /// Cleared up; its records still stand at the platform.
    Gone(Removed),
}

/// Why our hooks stay there.
enum HooksStay {
    /// Whose consent has ended, without which they can't be taken away.
    ConsentEnded(String),
    /// In the platform's or our words.
    NotLetIn(String),
    /// So many are left, after all is done.
    Left(usize),
}

/// With the lane, under which records are known also when the connection is gone.
async fn find(app: &AppState, visitor: &Visitor, id: &str) -> Result<(LaneId, Found), Refusal> {
    let connection_id: ConnectionId = id.parse().map_err(|_| Refusal::not_found())?;
    let organization_id = visitor.session.organization_id.clone();
    let standing = app.directory().connection(&organization_id, &connection_id).await?;
    let mut lane = LaneId { organization_id, connection_id, provider: Provider::Procore };
    let found = match standing {
        Some(connection) => Found::Standing(connection),
        None => match app.directory().removal(&lane).await? {
            Some(removal) => Found::Leaving(removal.connection),
            None => Found::Gone(app.directory().removed(&lane).await?.ok_or_else(Refusal::not_found)?),
        },
    };
    lane.provider = match &found {
        Found::Standing(connection) | Found::Leaving(connection) => connection.provider,
        Found::Gone(removed) => removed.provider,
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
            let grant = grants::grant(app.table(), &lane).await?;
            let hooks = hooks_stay(&app, &connection, grant.as_ref()).await?;
            Ok(afterwards(&visitor, &lane, Some(&words::company(&connection)), &stays, hooks.as_ref()))
        }
        Found::Gone(removed) => {
            let stays = removal::stays(app.table(), &lane).await?;
            let hooks = (removed.hooks_left > 0).then_some(HooksStay::Left(removed.hooks_left));
            Ok(afterwards(&visitor, &lane, None, &stays, hooks.as_ref()))
        }
    }
}

/// As far as it can be told now; the lane tries all the same.
async fn hooks_stay(
    app: &AppState,
    connection: &Connection,
    grant: Option<&Grant>,
) -> Result<Option<HooksStay>, Refusal> {
    let lane = connection.lane();
    let hooks = Lane { table: app.table(), id: &lane }.hooks().await?;
    Ok(match (grant.filter(|grant| grant.ended.is_some()), &connection.blocked) {
        _ if hooks.projects.is_empty() => None,
        (Some(grant), _) => Some(HooksStay::ConsentEnded(grant.label.clone())),
        (None, Some(block)) => Some(HooksStay::NotLetIn(block.reason.clone())),
        (None, None) => None,
    })
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
        Found::Leaving(_) | Found::Gone(_) => return Ok(Redirect::to(&after).into_response()),
    };
    if !sees_all(&app, &visitor, &connection).await? {
        return Err(Refusal::forbidden(SEES_SOME));
    }
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

const SEES_SOME: &str = "This company also shows sites whose projects you can't list there, and disconnecting takes all of them away. \
    Ask a manager who sees all of them.";

/// Whether the visitor sees all that the connection is for: what a removal would take away.
pub async fn sees_all(app: &AppState, visitor: &Visitor, connection: &Connection) -> Result<bool, Refusal> {
    let seen = Sites::of(app, visitor).await?;
    Ok(seen.all || removal::sites(app.table(), &connection.lane()).await?.iter().all(|site| seen.sees(site)))
}

/// The account before the decision, with the one button.
async fn ask(app: &AppState, visitor: &Visitor, connection: &Connection, errors: &Errors) -> Result<Page, Refusal> {
    let lane = connection.lane();
    let stays = removal::stays(app.table(), &lane).await?;
    let grant = grants::grant(app.table(), &lane).await?;
    let hooks = hooks_stay(app, connection, grant.as_ref()).await?;
    let (name, platform) = (words::company(connection), words::platform(connection.provider));
    let sees_all = sees_all(app, visitor, connection).await?;
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { "Disconnect " (name) }
        @if !sees_all { div.notice role="status" { p { (SEES_SOME) } } }
        (errors.summary())
        p { "From the moment you disconnect, nothing is sent there and nothing is read from it." }
        h2 { "What stays in " (platform) }
        (staying(visitor, &lane, &stays))
        @if let Some(hooks) = &hooks { (staying_hooks(platform, hooks, Some(connection))) }
        h2 { "What stays in HardHat Pulse" }
        p {
            "All detections and incidents as your sites told them, records that still wait to be sent (they are not sent any more), \
             people and their access. For each record that stands there we keep which one it is and what we wrote, so that \
             nothing is made twice should you connect again."
        }
        h2 { "What is erased in HardHat Pulse" }
        p {
            "Everything that came from " (platform) ": injuries, treatment, days away, status, and values that people edited there. Of each \
             field that we wrote, a hash stays, by which an edit made there is known should you connect again: a fingerprint, \
             from which the value can't be read. Erased as well: which projects show which site, what each of them sends, and its \
             hours."
        }
        h2 { "What is taken back" }
        ul {
            @if hooks.is_none() { li { "Our hooks in " (platform) ", by which it tells us of changes, are removed." } }
            @match &grant {
                Some(grant) if grant.ended.is_some() => {
                    li { "The consent of " (grant.label) " has ended already. Its keys are erased here." }
                }
                Some(grant) => li { "The consent of " (grant.label) " is revoked at " (platform) ", and its keys are erased here." },
                None => {}
            }
            @match connection.provider {
                Provider::Acc if grant.is_some() => li { "HardHat Pulse stays a custom integration of the account until an admin removes it in Autodesk." },
                Provider::Acc => li { "HardHat Pulse stays a custom integration of the account, and its service account a member of your projects, until an admin removes both in Autodesk." },
                _ => li { "The app stays installed until an admin of your company removes it under App Management in Procore." },
            }
        }
        p { "Should " (platform) " not answer, this is tried again for a day; then its keys are erased here all the same." }
        h2 { "How to come back" }
        (coming_back(platform))
        @if sees_all {
            form method="post" action={ "/setup/" (connection.id) "/disconnect" } novalidate {
                (form::token_field(visitor))
                (errors.at(CONFIRM))
                label.check {
                    input #confirm type="checkbox" name=(CONFIRM) value="yes" required
                        aria-describedby=[errors.described(CONFIRM)] aria-invalid=[errors.has(CONFIRM).then_some("true")];
                    "Yes, disconnect " (name) " and erase what came from " (platform)
                }
                button #disconnect type="submit" { "Disconnect " (name) }
            }
        }
    };
    Ok(Page::new(format!("Disconnect {name}"), body))
}

/// `leaving`: the company, while its lane still clears up.
fn afterwards(
    visitor: &Visitor,
    lane: &LaneId,
    leaving: Option<&str>,
    stays: &Stays,
    hooks: Option<&HooksStay>,
) -> Page {
    let platform = words::platform(lane.provider);
    let title = if leaving.is_some() { "Being disconnected" } else { "Disconnected" };
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { (title) }
        div.notice role="status" {
            @match leaving {
                Some(name) => {
                    p { strong { (name) " is disconnected." } " Nothing is sent there and nothing is read any more." }
                    p {
                        "What came from " (platform) " is being erased here, and our hooks and a consent are taken back. That takes a \
                         minute; where " (platform) " does not answer it is tried again for up to a day. It goes on by itself: you can close \
                         this page, or load it again to see how far it is. Until it is done, the company can't be connected again."
                    }
                }
                None => p { strong { "Everything is cleared up." } " What came from " (platform) " is erased here." },
            }
        }
        h2 { "What stays in " (platform) }
        (staying(visitor, lane, stays))
        @if let Some(hooks) = hooks { (staying_hooks(platform, hooks, None)) }
        h2 { "How to come back" }
        (coming_back(platform))
        p { a.button href=(connect::path(lane.provider)) { "Connect " (platform) } }
    };
    Page::new(title, body)
}

fn coming_back(platform: &str) -> Markup {
    html! {
        p {
            "Connect the same one again under “Connect " (platform) "”, and choose its projects and what they send anew. It is the same \
             connection then: it knows its records there, goes on with them, keeps what people edited, and reads back what people added. Questions: " a href={ "mailto:" (SUPPORT) } { (SUPPORT) }
        }
    }
}

/// `still`: the connection, while something can be done about it first.
fn staying_hooks(platform: &str, hooks: &HooksStay, still: Option<&Connection>) -> Markup {
    html! {
        div.notice #hooks-stay {
            p {
                @match hooks {
                    HooksStay::ConsentEnded(label) => {
                        "Our hooks stay there, too: the consent of " (label) " has ended, and without it we can't take them away."
                    }
                    HooksStay::NotLetIn(reason) => {
                        "Our hooks stay there, too, unless " (platform) " lets us in again at once: " (reason)
                    }
                    HooksStay::Left(1) => { "One of our hooks stays there, too: " (platform) " did not let us take it away." },
                    HooksStay::Left(count) => {
                        (count) " of our hooks stay there, too: " (platform) " did not let us take them away."
                    }
                }
                " What they send is turned away here unread. An admin of your company can delete them in " (platform) "."
            }
            @if let (HooksStay::ConsentEnded(_), Some(connection)) = (hooks, still) {
                p { "To have them taken away, let a manager sign in with " (platform) " first, and disconnect then." }
                p { a.button.quiet href=(consent::ask_for(connection, &format!("/setup/{}/disconnect", connection.id))) {
                    "Sign in with " (platform) " again"
                } }
            }
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
                        " " a href=(url) rel="noopener" target="_blank" aria-label={ "Open " (link.marker) " in " (words::platform(lane.provider)) " (opens a new tab)" } { "Open in " (words::platform(lane.provider)) }
                    }
                } } }
            }
        }
    }
}
