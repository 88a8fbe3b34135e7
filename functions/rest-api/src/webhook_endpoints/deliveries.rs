//! What came of the messages of an endpoint, for thirty days, as far as they are of sites of the caller's. The list is in the order of
//! their numbers; what is still to be sent for the first time has none yet and stands at the end.
use super::READERS;
use crate::auth::{Caller, Scope};
use crate::cursor::Paging;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::fields::{Checks, Members};
use domain::ids::SiteId;
use domain::webhook::Attempt;
use domain::webhook::message::{Content, MessageType};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use store::messages::{Delivery, DeliveryState, KEPT, MessageLane, Todo};
use utoipa::ToSchema;
use webhook::endpoints::EndpointError;

/// Of what is ready to be sent, so much is looked through: more than a run has in hand.
const LOOKED_AT: usize = 200;
/// Bytes of a page, about: Lambda answers with 6 MB at most, and what receivers answered may be long.
const PAGE_BYTES: usize = 2_500_000;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct View {
    /// The webhook-id.
    id: String,
    #[serde(rename = "type")]
    message_type: MessageType,
    subject_id: String,
    sequence: Option<u64>,
    state: DeliveryState,
    attempts: Vec<Attempt>,
    next_attempt_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<Delivery> for View {
    fn from(row: Delivery) -> Self {
        let Delivery {
            message_id,
            sequence,
            message_type,
            subject_id,
            state,
            attempts,
            next_attempt_at,
            created_at,
            ..
        } = row;
        let sequence = Some(sequence);
        Self { id: message_id, message_type, subject_id, sequence, state, attempts, next_attempt_at, created_at }
    }
}

impl View {
    /// What is still to be sent for the first time.
    fn of_todo(todo: Todo) -> Option<Self> {
        let content = todo.content?;
        Some(Self {
            id: todo.message_id,
            message_type: content.message_type(),
            subject_id: content.subject_id(),
            sequence: None,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            next_attempt_at: Some(todo.asked_at),
            created_at: todo.asked_at,
        })
    }
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_any(&READERS)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    params.only(&["limit", "cursor"])?;
    let paging = Paging::of(&params, format!("{}/{}/deliveries", endpoint.organization_id, endpoint.id))?;
    let after: u64 = paging.after.parse().unwrap_or_default();
    let lane_id = endpoint.lane();
    let lane = MessageLane { table: app.table(), id: &lane_id };
    // Looked for before and after: what was kept meanwhile, and what was answered.
    let before = unsent(&lane).await?;
    let mut rows = lane.deliveries_after(after, paging.limit + 1).await?;
    let limit = fitting(&rows).min(paging.limit);
    rows.truncate(limit + 1);
    let Unsent { todos, first_number } = unsent(&lane).await?;
    let first_number = first_number.into_iter().chain(before.first_number).min();
    // What passed one that is under way stands behind the cursor, and comes again: nobody who follows it misses that one.
    let settled = rows.iter().take_while(|row| first_number.is_none_or(|first| row.sequence < first)).count();
    let passed = rows.split_off(settled);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let end = rows.last().map_or(after, |row| row.sequence);
    if !has_more {
        rows.extend(passed);
    }
    let sees = |site: Option<&SiteId>| site.is_none_or(|site| caller.sees_site(site));
    rows.retain(|row| sees(row.site_id.as_ref()));
    let mut views: Vec<View> = rows.into_iter().map(View::from).collect();
    if !has_more {
        let seen = |todo: &Todo| sees(todo.content.as_ref().and_then(Content::site_id));
        views.extend(todos.into_iter().filter(seen).filter_map(View::of_todo));
        views.truncate(paging.limit);
    }
    etag::current_content(&headers, &paging.page(views, &end.to_string(), has_more))
}

/// How many rows fit a page; one does in any case.
fn fitting(rows: &[Delivery]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&Delivery| {
        bytes += 500 + row.attempts.iter().map(attempt_bytes).sum::<usize>();
        bytes <= PAGE_BYTES
    };
    rows.iter().take_while(fits).count().max(1)
}

fn attempt_bytes(attempt: &Attempt) -> usize {
    // Twice: what JSON escapes.
    let text = |text: &Option<String>| text.as_ref().map_or(0, |text| text.len() * 2);
    200 + text(&attempt.response_excerpt) + text(&attempt.error)
}

/// Of what is ready, what was never tried to its end.
struct Unsent {
    todos: Vec<Todo>,
    /// The lowest number of those that have one.
    first_number: Option<u64>,
}

async fn unsent(lane: &MessageLane<'_>) -> Result<Unsent, Problem> {
    let mut todos = lane.ready(LOOKED_AT).await?;
    let kept = lane.messages(todos.iter().map(|todo| todo.message_id.as_str())).await?;
    let rows = lane.deliveries_of(kept.values().map(|message| message.sequence)).await?;
    let listed: BTreeSet<&str> = rows.values().map(|row| row.message_id.as_str()).collect();
    todos.retain(|todo| !listed.contains(todo.message_id.as_str()));
    let first_number = kept.values().map(|message| message.sequence).filter(|number| !rows.contains_key(number)).min();
    Ok(Unsent { todos, first_number })
}

/// Asks for a message once more: the same, under the same id.
pub async fn retry(
    State(app): State<AppState>,
    caller: Caller,
    Path((endpoint, delivery)): Path<(String, String)>,
) -> Result<(StatusCode, Json<View>), Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    let missing = || Problem::not_found("delivery of this endpoint");
    let row = match app.desk().retry(&endpoint, &delivery).await {
        Err(EndpointError::NotOfSite(site)) if !caller.sees_site(&site) => return Err(missing()),
        row => row?.ok_or_else(missing)?,
    };
    Ok((StatusCode::ACCEPTED, Json(View::from(row))))
}

/// Since when what was not taken is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recovery {
    since: Timestamp,
}

/// Asks for all that failed since a time, and for what is missing since then.
pub async fn recover(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
    body: JsonBody,
) -> Result<(StatusCode, Json<Recovery>), Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    let since = since(&body.value()?, app.now())?;
    app.desk().recover(&endpoint, since).await?;
    tracing::info!(organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, %since, "a recovery was asked for");
    Ok((StatusCode::ACCEPTED, Json(Recovery { since })))
}

/// What was sent longer ago is not known any more.
fn since(body: &Value, now: Timestamp) -> Result<Timestamp, Problem> {
    let mut checks = Checks::default();
    let mut since = now;
    if let Some(members) = Members::of(body, "", &["since"], &mut checks)
        && let Some(text) = members.required_text("since", &mut checks)
    {
        match text.parse::<Timestamp>() {
            Ok(at) if at > now => checks.fail(members.pointer("since"), "must not be in the future"),
            Ok(at) if at < now - KEPT => {
                checks.fail(members.pointer("since"), "must be within the last 30 days: for older facts use the lists");
            }
            Ok(at) => since = at,
            Err(_) => checks.fail(members.pointer("since"), "must be an RFC 3339 time, such as 2027-01-31T17:00:00Z"),
        }
    }
    checks.done()?;
    Ok(since)
}
