//! What came of each message: the latest, with the receiver's own answers, and the buttons that send one again, or what was missed.
use super::endpoint::sentence;
use super::{path, visible};
use crate::form;
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::ids::SiteId;
use domain::webhook::message::{Content, MessageType};
use jiff::SignedDuration;
use maud::{Markup, html};
use people::Visitor;
use store::endpoints::Endpoint;
use store::messages::{Delivery, DeliveryState, MessageLane, Todo};
use webhook::endpoints::EndpointError;

const SHOWN: usize = 50;
/// Messages that wait for their first turn are counted this far.
const COUNTED: usize = 1_000;
const HOUR: i64 = 1;
const DAY: i64 = 24;

/// How far back a recovery may go, with its words.
const SINCE: [(i64, &str); 4] =
    [(HOUR, "the last hour"), (DAY, "the last day"), (7 * DAY, "the last week"), (30 * DAY, "the last 30 days")];

pub async fn section(app: &AppState, visitor: &Visitor, endpoint: &Endpoint, sites: &Sites) -> Result<Markup, Refusal> {
    let lane_id = endpoint.lane();
    let lane = MessageLane { table: app.table(), id: &lane_id };
    let sees = |site: Option<&SiteId>| site.is_none_or(|site| sites.sees(site));
    let mut rows = lane.deliveries_down_from(u64::MAX, SHOWN).await?;
    rows.retain(|row| sees(row.site_id.as_ref()));
    let seen = |todo: &&Todo| sees(todo.content.as_ref().and_then(Content::site_id));
    let waiting = lane.ready(COUNTED).await?.iter().filter(seen).count();
    let recovering = lane.recovery().await?;
    Ok(html! {
        h2 #log { "What came of the messages" }
        @if waiting > 0 {
            p { @if waiting == COUNTED { "At least " } (waiting) " " @if waiting == 1 { "message waits" } @else { "messages wait" } " to be sent." }
        }
        @if let Some(recovery) = recovering {
            p role="status" { "What was missed since " (sites.clock(recovery.since)) " is being sent." }
        }
        @if rows.is_empty() { p { "No message was sent yet." } } @else {
            p.dim { "The latest " (rows.len()) ", for 30 days, the newest first." }
            ul.cards { @for row in &rows { li { (shown(visitor, endpoint, sites, row)) } } }
        }
        @if !endpoint.is_disabled() { (recover_form(visitor, endpoint)) }
    })
}

fn shown(visitor: &Visitor, endpoint: &Endpoint, sites: &Sites, row: &Delivery) -> Markup {
    let last = row.attempts.last();
    html! {
        h3 { (words(row.message_type)) " " (tag(row.state)) }
        p.dim { "Number " (row.sequence) ", made " (sites.clock(row.created_at)) ", " code { (row.message_id) } }
        p { a href={ (path(endpoint)) "/deliveries/" (row.message_id) } { "What is sent as message " (row.sequence) ", and each attempt" } }
        @if let Some(address) = about(row) { p { a href=(address) { "What message " (row.sequence) " is about" } } }
        @match last {
            Some(attempt) => p {
                @match attempt.status_code { Some(status) => { "Answered " (status) }, None => "Not answered" }
                " after " (attempt.duration_ms) " ms, " (sites.clock(attempt.at))
                @if row.attempts.len() > 1 { ", at attempt " (row.attempts.len()) } "."
                @if let Some(error) = &attempt.error { " " (sentence(error)) }
            },
            None => p { "Under way." },
        }
        @if let Some(at) = row.next_attempt_at { p { "Tried again by itself at " (sites.clock(at)) "." } }
        @if let Some(excerpt) = last.and_then(|attempt| attempt.response_excerpt.as_ref()).filter(|text| !text.is_empty()) {
            details { summary { "The receiver's own words" } pre tabindex="0" role="region" aria-label={ "Answer to message " (row.sequence) } { (excerpt) } }
        }
        @if (row.state != DeliveryState::Pending || row.next_attempt_at.is_some()) && sites_of(endpoint, row) {
            form method="post" action={ (path(endpoint)) "/deliveries/" (row.message_id) "/retry" } {
                (form::token_field(visitor))
                button.quiet type="submit" aria-label={ "Send message " (row.sequence) " again" } { "Send it again" }
            }
        }
    }
}

/// What is of another site is not sent any more.
fn sites_of(endpoint: &Endpoint, row: &Delivery) -> bool {
    row.site_id.as_ref().is_none_or(|site| endpoint.wants.site(site))
}

fn about(row: &Delivery) -> Option<String> {
    let kind = match row.message_type {
        MessageType::DetectionRecorded => "detections",
        MessageType::IncidentConfirmed | MessageType::IncidentUpdated | MessageType::IncidentRetracted => "incidents",
        MessageType::DailySummary => "reports",
        MessageType::Ping => return None,
    };
    Some(format!("/sites/{}/{kind}/{}", row.site_id.as_ref()?, row.subject_id))
}

pub fn words(of: MessageType) -> &'static str {
    match of {
        MessageType::DetectionRecorded => "Detection",
        MessageType::IncidentConfirmed => "Incident, confirmed",
        MessageType::IncidentUpdated => "Incident, changed",
        MessageType::IncidentRetracted => "Incident, retracted",
        MessageType::DailySummary => "Daily summary",
        MessageType::Ping => "Test event",
    }
}

pub fn tag(state: DeliveryState) -> Markup {
    let (class, words) = match state {
        DeliveryState::Pending => ("tag", "Waiting"),
        DeliveryState::Delivered => ("tag synced", "Delivered"),
        DeliveryState::Failed => ("tag failed", "Not taken"),
    };
    html! { span class=(class) { (words) } }
}

fn recover_form(visitor: &Visitor, endpoint: &Endpoint) -> Markup {
    html! {
        h3 { "Send what was missed" }
        p { "Sends again what was not taken, at once what waits for its next try, and makes what is missing, such as from while the webhook was switched off. What was taken is not \
             sent twice." }
        form.filters method="post" action={ (path(endpoint)) "/recover" } {
            (form::token_field(visitor))
            div.field {
                label for="since" { "Of" }
                select #since name="since" { @for (hours, words) in SINCE { option value=(hours) { (words) } } }
            }
            button #recover.quiet type="submit" { "Send what was missed" }
        }
    }
}

/// The same message, under the same id, once more.
pub async fn retry(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((endpoint, delivery)): Path<(String, String)>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    form.verified(&visitor)?;
    match app.desk().retry(&endpoint, &delivery).await {
        Err(EndpointError::NotOfSite(site)) if !sites.sees(&site) => return Err(Refusal::not_found()),
        row => row?.ok_or_else(Refusal::not_found)?,
    };
    Ok(Redirect::to(&format!("{}#log", path(&endpoint))))
}

pub async fn recover(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    let (endpoint, _) = visible(&app, &visitor, &endpoint).await?;
    let values = form.verified(&visitor)?;
    let hours = SINCE.into_iter().map(|(hours, _)| hours).find(|hours| hours.to_string() == values.get("since"));
    let since = app.now() - SignedDuration::from_hours(hours.ok_or_else(Refusal::unreadable)?);
    app.desk().recover(&endpoint, since).await?;
    tracing::info!(
        organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, %since, "a recovery was asked for by a person"
    );
    Ok(Redirect::to(&format!("{}#log", path(&endpoint))))
}
