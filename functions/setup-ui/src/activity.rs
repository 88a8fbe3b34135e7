//! A project's records, newest first: by kind and state, by day, zone and site.
mod filter;

use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{form, status, visible};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use filter::Filter;
use maud::html;
use people::{Role, Visitor};
use std::collections::BTreeMap;
use store::conflicts;
use store::lanes::{Lane, Link};

const PER_PAGE: usize = 25;
/// Read for one page at most; the link to older ones goes on from there.
const READ_AT_MOST: usize = 500;

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let filter = Filter::read(&app, &mapped, &asked).await?;
    let (links, older) = match filter.errors.is_empty() {
        true => records(&app, &mapped, &filter).await?,
        false => (Vec::new(), None),
    };
    let path = format!("{}/activity", mapped.path());
    let body = html! {
        p { a href=(mapped.path()) { "Status of " (mapped.site.name) } }
        h1 { "Activity of " (mapped.site.name) }
        (filter.form(&mapped, &path))
        h2 { "Records" }
        @if links.is_empty() { p { "No such record among those looked at." } }
        ul.cards { @for link in &links { li { (status::record(&visitor, &mapped, link)) } } }
        @if let Some(older) = older { p { a #older href={ (path) "?" (filter.query(&older)) } { "Older records" } } }
    };
    let status = if filter.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(Page::new(format!("Activity of {}", mapped.site.name), body).status(status))
}

/// One page, and the id that older ones stand before.
async fn records(
    app: &AppState,
    mapped: &visible::Mapped,
    filter: &Filter<'_>,
) -> Result<(Vec<Link>, Option<String>), Refusal> {
    let id = mapped.connection.lane();
    let lane = Lane { table: app.table(), id: &id };
    let read = lane.links_of(filter.kind, &filter.site.id, filter.before.as_deref(), READ_AT_MOST).await?;
    // One less where the record that the page begins before was read with it.
    let whole = read.len() < READ_AT_MOST.saturating_sub(1);
    let last_read = read.last().map(|link| link.record.fact_id.clone());
    let ended = whole || last_read.as_ref().is_some_and(|last| filter.is_before(last));
    let mut links = filter.matching(app, read).await?;
    links.retain(|link| link.project_id == mapped.project.project_id);
    let older = match links.get(PER_PAGE) {
        Some(_) => links.get(PER_PAGE - 1).map(|link| link.record.fact_id.clone()),
        None => last_read.filter(|_| !ended),
    };
    links.truncate(PER_PAGE);
    Ok((links, older))
}

/// Decides a conflict: ours is sent, or theirs stays.
pub async fn settle(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let (Some(record), Ok(choice)) = (status::named(&mapped, &values), values.get("use").parse()) else {
        return Err(Refusal::not_found());
    };
    let id = mapped.connection.lane();
    // The record of another project may stand at this site: whoever sees only this one decides nothing there.
    let link = Lane { table: app.table(), id: &id }.link(&record).await?;
    if link.is_none_or(|link| link.project_id != mapped.project.project_id) {
        return Err(Refusal::not_found());
    }
    let field = values.get("field");
    let back = format!("{}/activity?kind={}&site={}", mapped.path(), record.kind.as_str(), record.site_id);
    let settled = conflicts::settle(app.table(), app.bell(), &mapped.connection, &record, (field, choice), app.now());
    if settled.await?.is_none() {
        return Err(Refusal::decided_meanwhile(back));
    }
    tracing::info!(
        organization_id = %mapped.connection.organization_id, connection_id = %mapped.connection.id,
        site_id = %record.site_id, record = %record.fact_id, field, choice = ?choice, "a conflict was decided"
    );
    Ok(Redirect::to(&back))
}
