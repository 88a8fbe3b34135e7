//! A person says "try again": a record's todo is put anew, and what held it is lifted.
use crate::auth::{Caller, Scope};
use crate::problem::Problem;
use crate::query::Params;
use crate::records::View;
use crate::state::AppState;
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::ids::SiteId;
use domain::record::{RecordKey, RecordKind};
use store::again::{self, AgainError};
use store::lanes::{Lane, LaneId, Link, Todo};
use store::table::read;
use store::{TableError, keys};

/// No fact has a longer id, and a table key has its limit.
const LONGEST_ID: usize = 128;
/// Waiting todos among which a record without a link is looked for.
const WAITING: usize = 1_000;

pub async fn retry(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, kind, id)): Path<(String, String, String)>,
    params: Params,
) -> Result<(StatusCode, Json<View>), Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    params.only(&["site_id"])?;
    if id.len() > LONGEST_ID {
        return Err(Problem::not_found("record in this connection"));
    }
    let kind: RecordKind = kind.parse().map_err(|()| Problem::not_found("kind of record"))?;
    let lane = connection.lane();
    let found = find(&app, &caller, &lane, kind, &id, params.get("site_id")).await?;
    let record = found.record().clone();
    let (link, todo) = again::record(app.table(), app.bell(), &connection, &record, app.now()).await.map_err(busy)?;
    let view = match link {
        Some(link) => View::of_link(link),
        None => View::of_todo(&lane, todo),
    };
    tracing::info!(
        organization_id = %lane.organization_id, connection_id = %lane.connection_id, site_id = %record.site_id,
        record = %record.fact_id, "a record is tried again"
    );
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// A record that this connection knows of.
pub enum Found {
    Linked(Box<Link>),
    /// Asked for, no link yet.
    Asked(RecordKey),
}

impl Found {
    pub fn record(&self) -> &RecordKey {
        match self {
            Found::Linked(link) => &link.record,
            Found::Asked(record) => record,
        }
    }
}

/// A fact's id is unique in its site only, so two sites may have it; then the caller says which.
pub async fn find(
    app: &AppState,
    caller: &Caller,
    lane: &LaneId,
    kind: RecordKind,
    id: &str,
    site: Option<&str>,
) -> Result<Found, Problem> {
    let mut sites: Vec<SiteId> =
        app.directory().sites(&lane.organization_id).await?.into_iter().map(|s| s.id).collect();
    sites.retain(|known| caller.sees_site(known) && site.is_none_or(|site| known.as_str() == site));
    let candidates: Vec<RecordKey> =
        sites.into_iter().map(|site_id| RecordKey { kind, site_id, fact_id: id.to_owned() }).collect();
    let mut found = links(app, lane, &candidates).await?;
    for record in asked(app, lane, &candidates).await? {
        if !found.iter().any(|known| *known.record() == record) {
            found.push(Found::Asked(record));
        }
    }
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Problem::not_found("record in this connection")),
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(Problem::conflict(
            "Several sites have a record of this id: say which as the query parameter `site_id`.",
        )),
    }
}

async fn links(app: &AppState, lane: &LaneId, candidates: &[RecordKey]) -> Result<Vec<Found>, TableError> {
    let keys: Vec<_> = candidates.iter().map(|record| keys::link(&lane.pk(), record)).collect();
    let items = match keys.is_empty() {
        true => Vec::new(),
        false => app.table().get_many(&keys).await?,
    };
    items.into_iter().map(|item| Ok(Found::Linked(Box::new(read("a link", item)?)))).collect()
}

async fn asked(app: &AppState, lane: &LaneId, candidates: &[RecordKey]) -> Result<Vec<RecordKey>, TableError> {
    let ready: Vec<_> = candidates
        .iter()
        .map(|record| keys::ready_todo(&lane.pk(), record.kind.class(), record, record.at()))
        .collect();
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    let mut todos = Vec::new();
    for item in app.table().get_many(&ready).await? {
        todos.push(read::<Todo>("a todo", item)?);
    }
    todos.extend(Lane { table: app.table(), id: lane }.waiting(WAITING).await?);
    let mut records: Vec<RecordKey> =
        todos.into_iter().map(|todo| todo.record).filter(|r| candidates.contains(r)).collect();
    records.sort();
    records.dedup();
    Ok(records)
}

pub fn busy(error: AgainError) -> Problem {
    match error {
        AgainError::Table(error) => error.into(),
        AgainError::Busy => Problem::conflict(
            "The record is being written at this moment: look again, and repeat if it is still not there.",
        ),
        AgainError::Gone => Problem::not_found("record in this connection"),
    }
}
