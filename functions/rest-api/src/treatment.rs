//! Treatment of an incident, told by a contractor's own tools: one injury at a time, by the caller's id of it.
//!
//! The injury's row is kept here under If-Match; the fact has one writer, so that the change goes there through the site queue
//! before it is answered. Until the router has taken it in, whoever reads the incident gets the row laid over it: a caller reads
//! what it wrote, and the ETag follows at once.
use crate::auth::{Caller, Scope};
use crate::facts::view::{View, Viewer};
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;
use crate::{etag, facts, visible};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::fact::{Fact, FactKind};
use domain::fields::{Checks, Members};
use domain::message::UpdateMessage;
use domain::treatment::change::{MEMBERS, change, remote_id};
use domain::treatment::{Injury, MOST_INJURIES, Source, Told, Update};
use jiff::Timestamp;
use store::TableError;
use store::directory::Site;
use store::injuries::{InjuryRow, InjuryRows};

pub async fn write(
    State(app): State<AppState>,
    caller: Caller,
    Path((site, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::TreatmentWrite)?;
    let site = visible::site(&app, &caller, &site).await?;
    let missing = || Problem::not_found("incident at this site");
    let fact = facts::find(&app, &site, FactKind::Incident, &id).await?.ok_or_else(missing)?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let members = Members::of(&body, "", &MEMBERS, &mut checks);
    let key = members.as_ref().map(|members| remote_id(members, &mut checks)).unwrap_or_default();
    let source = Source::Api { key_name: name(&caller) };
    let rows = rows(&app, &site, &id);
    let standing = rows.get(&source, &key).await?;
    let blank = Injury { remote_id: key.clone(), ..Injury::default() };
    let mut injury = standing.as_ref().map_or(blank, |row| row.injury.clone());
    if let Some(members) = &members {
        change(&mut injury, members, &mut checks);
    }
    let fresh = standing.is_none();
    if fresh && rows.list().await?.len() >= MOST_INJURIES {
        checks.fail(
            "/remote_id",
            format!("an incident takes {MOST_INJURIES} injuries through the API; change one of them"),
        );
    }
    checks.done()?;
    let shown = show(&app, &site, fact.clone()).await?;
    let version = standing.as_ref().map_or(0, |row| row.version);
    let row = match standing.filter(|row| is_repeat(row, &headers, &injury)) {
        Some(row) => row,
        None => {
            etag::require_match_content(&headers, &shown)?;
            let based_on = etag::of_content(&shown)?;
            keep(&rows, &source, injury, (version, based_on), app.now()).await?
        }
    };
    let message = message(&site, &id, &source, &row);
    app.outbox().send(&message).await?;
    tracing::info!(organization_id = %site.organization_id, site_id = %site.id, record = %id, "treatment was told through the API");
    let answer = show(&app, &site, fact).await?;
    Ok(etag::tagged(StatusCode::OK, etag::of_content(&answer)?, answer))
}

/// The incident with what was told and is not taken in yet.
pub async fn show(app: &AppState, site: &Site, mut fact: Fact) -> Result<View, Problem> {
    let id = fact.body.id().to_owned();
    for row in rows(app, site, &id).list().await? {
        fact.treatment.apply(&update(&row.source, &row));
    }
    let viewer = Viewer { table: app.table(), site };
    viewer.show(vec![fact]).await?.pop().ok_or_else(|| Problem::not_found("incident at this site"))
}

fn rows<'a>(app: &'a AppState, site: &'a Site, incident: &'a str) -> InjuryRows<'a> {
    let (organization_id, site_id) = (&site.organization_id, &site.id);
    InjuryRows { table: app.table(), organization_id, site_id, incident_id: incident }
}

fn name(caller: &Caller) -> String {
    match caller {
        Caller::Operator => "operator".into(),
        Caller::Key(key) => key.name.clone(),
    }
}

/// Whether this very change was kept before: its answer was lost, or the queue did not take it.
fn is_repeat(row: &InjuryRow, headers: &HeaderMap, injury: &Injury) -> bool {
    let same = Injury { updated_at: None, ..row.injury.clone() } == Injury { updated_at: None, ..injury.clone() };
    same && etag::names_exactly(headers, row.based_on)
}

async fn keep(
    rows: &InjuryRows<'_>,
    source: &Source,
    injury: Injury,
    (version, based_on): (u64, u64),
    now: Timestamp,
) -> Result<InjuryRow, Problem> {
    let injury = Injury { updated_at: Some(now), ..injury };
    let mut row = InjuryRow { source: source.clone(), injury, based_on, at: now, version };
    match rows.put(&mut row).await {
        Ok(()) => Ok(row),
        Err(TableError::Condition(_)) => Err(Problem::stale()),
        Err(error) => Err(error.into()),
    }
}

fn update(source: &Source, row: &InjuryRow) -> Update {
    Update { source: source.clone(), told: Told::One(Box::new(row.injury.clone())), order: row.version, at: row.at }
}

fn message(site: &Site, id: &str, source: &Source, row: &InjuryRow) -> UpdateMessage {
    UpdateMessage {
        organization_id: site.organization_id.clone(),
        site_id: site.id.clone(),
        fact: FactKind::Incident,
        fact_id: id.to_owned(),
        update: update(source, row),
    }
}
