//! An endpoint's status: where it stands and why, the test with the receiver's own answer, a new secret, trying again, the way out.
use super::fields::form_of;
use super::new::secret_once;
use super::{log, path, platform, state, visible};
use crate::form;
use crate::hour;
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use credentials::Secret;
use domain::settings::Kinds;
use domain::webhook::Attempt;
use domain::wording::{priority_words, words};
use maud::{Markup, html};
use people::{Visitor, token};
use std::collections::BTreeMap;
use store::endpoints::{Endpoint, EndpointState, Endpoints};
use store::messages::MessageLane;
use ulid::Ulid;
use webhook::endpoints::{EndpointError, test_id};
use webhook::sealed;
use webhook::settings::Change;

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    let tested = match asked.get("test").and_then(|press| press.parse().ok()) {
        Some(press) => tested(&app, &endpoint, press).await?,
        None => None,
    };
    let before = asked.contains_key("made").then(made_before);
    page(&app, &visitor, &endpoint, &sites, tested.as_ref(), before).await
}

/// The form that made it was sent again: what was entered there since went nowhere.
fn made_before() -> Markup {
    html! {
        div.notice role="status" {
            p { "This webhook was made before by the same form, with what was entered then. What you changed in the form since is not kept: enter it \
                 under “Change what is sent, and where to”. Its signing secret was shown when it was made; if you did not copy it, press “Make a new signing secret” below." }
        }
    }
}

/// What came of a test that was pressed.
async fn tested(app: &AppState, endpoint: &Endpoint, press: Ulid) -> Result<Option<Attempt>, Refusal> {
    let lane_id = endpoint.lane();
    let lane = MessageLane { table: app.table(), id: &lane_id };
    let Some(message) = lane.message(&test_id(&endpoint.id, press)).await? else { return Ok(None) };
    let row = lane.deliveries_of([message.sequence]).await?.remove(&message.sequence);
    Ok(row.and_then(|row| row.attempts.last().cloned()))
}

async fn page(
    app: &AppState,
    visitor: &Visitor,
    endpoint: &Endpoint,
    sites: &Sites,
    tested: Option<&Attempt>,
    first: Option<Markup>,
) -> Result<Page, Refusal> {
    let url = sealed::url(app.vault(), endpoint).await.map_err(EndpointError::from)?;
    let press = token::fresh_ulid(app.now())?;
    let log = log::section(app, visitor, endpoint, sites).await?;
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { (endpoint.name) " " (state(endpoint.state)) }
        p.dim { (platform(endpoint.platform)) ". Times are on the clock of " (sites.seen.first().map_or("UTC", |site| site.name.as_str())) "." }
        @if let Some(first) = first { (first) }
        @if let Some(attempt) = tested { (result(attempt)) }
        (standing(visitor, endpoint, sites))
        form method="post" action={ (path(endpoint)) "/test" } {
            (form::token_field(visitor))
            input type="hidden" name="press" value=(press.to_string());
            button #send-test.quiet[tested.is_some()] type="submit" { @if tested.is_some() { "Send another test event" } @else { "Send a test event" } }
        }
        p.dim { "The receiver's own answer is shown here. It may take up to 15 seconds." }
        (facts(endpoint, &url, sites))
        p.links {
            a href={ (path(endpoint)) "/settings" } { "Change what is sent, and where to" }
            a href={ (path(endpoint)) "/preview" } { "See a message as it is sent" }
        }
        (log)
        (ways_out(visitor, endpoint, sites))
    };
    Ok(Page::new(format!("Status of {}", endpoint.name), body))
}

fn standing(visitor: &Visitor, endpoint: &Endpoint, sites: &Sites) -> Markup {
    html! {
        @match (endpoint.state, &endpoint.disabled) {
            (EndpointState::Disabled, Some(disabled)) => div.notice role="status" {
                p { strong { "Nothing is being sent" } }
                p { (disabled.reason) }
                p { "Nothing is lost: detections, incidents and summaries since " (sites.clock(disabled.since)) " are kept here. Mend the \
                     receiver, try again, and then have what was missed sent." }
                form method="post" action={ (path(endpoint)) "/again" } {
                    (form::token_field(visitor))
                    button #endpoint-again type="submit" { "It is mended: try again" }
                }
            },
            (EndpointState::Untested, _) => div.notice role="status" {
                p { "Its receiver has taken no message yet. It becomes active with the first one that it takes; until then all messages are \
                     tried, too." }
            },
            _ => {}
        }
    }
}

fn result(attempt: &Attempt) -> Markup {
    let works = attempt.delivered();
    html! {
        section.notice.good[works] #result aria-labelledby="result-title" role="status" {
            @if works {
                h2 #result-title { "It works: the receiver took the test event" }
            } @else {
                h2 #result-title { "The receiver did not take it" }
            }
            @if let Some(error) = &attempt.error { p { (sentence(error)) } }
            dl {
                dt { "Answer" } dd { @match attempt.status_code { Some(status) => { (status) }, None => "none" } }
                dt { "Took" } dd { (attempt.duration_ms) " ms" }
            }
            @if let Some(excerpt) = attempt.response_excerpt.as_ref().filter(|text| !text.is_empty()) {
                p { "In the receiver's own words:" }
                pre #answer tabindex="0" role="region" aria-label="The receiver's own words" { (excerpt) }
            }
        }
    }
}

/// Errors are parts of sentences in the log of the API.
pub fn sentence(error: &str) -> String {
    let mut letters = error.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn facts(endpoint: &Endpoint, url: &Secret, sites: &Sites) -> Markup {
    let wants = &endpoint.wants;
    let kinds = match &wants.kinds {
        Kinds::All(_) => "All kinds".to_owned(),
        Kinds::Only(kinds) => kinds.iter().map(|kind| words(kind)).collect::<Vec<_>>().join(", "),
    };
    html! {
        h2 { "What is sent, and where to" }
        dl {
            dt { "Web address" } dd { (sealed::masked(url)) }
            dt { "Token" } dd { @if endpoint.token.is_some() { "Sent with each message" } @else { "None" } }
            dt { "Sites" } dd { (sites.names(&wants.site_ids)) }
            dt { "Incidents" } dd { "All" }
            dt { "Detections" } dd { (kinds) ", from priority " (priority_words(wants.min_priority)) }
            dt { "Daily summary" } dd { @if wants.daily_summary { "Sent at each site's hour" (hours(endpoint, sites)) } @else { "Not sent" } }
            dt { "Form" } dd { (form_of(endpoint.format)) }
        }
    }
}

/// Where each site's hour is seen and changed.
fn hours(endpoint: &Endpoint, sites: &Sites) -> Markup {
    let wanted =
        sites.seen.iter().filter(|site| endpoint.wants.site_ids.as_ref().is_none_or(|ids| ids.contains(&site.id)));
    html! {
        details {
            summary { "See or change an hour" }
            ul { @for site in wanted { li { a href=(hour::path(site)) { "Hour of " (site.name) } } } }
        }
    }
}

fn ways_out(visitor: &Visitor, endpoint: &Endpoint, sites: &Sites) -> Markup {
    let made = endpoint.secrets.first().map(|secret| sites.clock(secret.created_at)).unwrap_or_default();
    html! {
        h2 { "Signing secret" }
        p { "Made " (made) ". A new one is shown once; the one before is valid for another day, so that the receiver can change over." }
        form method="post" action={ (path(endpoint)) "/rotate-secret" } {
            (form::token_field(visitor))
            button #rotate.quiet type="submit" { "Make a new signing secret" }
        }
        h2 { "Remove" }
        details {
            summary { "Remove this webhook" }
            p { "Nothing more is sent to it, from that moment. What was sent stays where it is." }
            form method="post" action={ (path(endpoint)) "/remove" } {
                (form::token_field(visitor))
                button #remove type="submit" { "Remove " (endpoint.name) }
            }
        }
    }
}

/// Waits for the receiver's answer, and shows it.
pub async fn test(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    let (endpoint, _) = visible(&app, &visitor, &endpoint).await?;
    let values = form.verified(&visitor)?;
    let press: Ulid = values.get("press").parse().map_err(|_| Refusal::unreadable())?;
    app.desk().test(&endpoint, app.post(), app.people().url().as_str(), press).await?;
    Ok(Redirect::to(&format!("{}?test={press}", path(&endpoint))))
}

/// A person says that what switched it off is mended.
pub async fn again(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    let (endpoint, _) = visible(&app, &visitor, &endpoint).await?;
    form.verified(&visitor)?;
    let change = Change { activate: true, ..Change::default() };
    app.desk().change(&endpoint, endpoint.edition, &change).await?;
    Ok(Redirect::to(&path(&endpoint)))
}

/// The secret stands in this answer alone.
pub async fn rotate_secret(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    form: form::Form,
) -> Result<Page, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    form.verified(&visitor)?;
    let (endpoint, secret, until) = app.desk().rotate_secret(&endpoint).await?;
    tracing::info!(
        organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, person_id = %visitor.person.id,
        "a webhook endpoint's secret was rotated by a person"
    );
    let shown = html! {
        (secret_once(&secret, "This is the new signing secret"))
        @if let Some(until) = until { p { "Until " (sites.clock(until)) " messages are signed with the one before, too." } }
    };
    page(&app, &visitor, &endpoint, &sites, None, Some(shown)).await
}

pub async fn remove(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    let (endpoint, _) = visible(&app, &visitor, &endpoint).await?;
    form.verified(&visitor)?;
    // As it stands now: nobody removes what was made anew meanwhile.
    let standing = Endpoints(app.table()).get(&endpoint.organization_id, &endpoint.id).await?;
    app.desk().remove(&standing.ok_or_else(Refusal::not_found)?).await?;
    tracing::info!(
        organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, person_id = %visitor.person.id,
        "a webhook endpoint was removed by a person"
    );
    Ok(Redirect::to("/setup"))
}
