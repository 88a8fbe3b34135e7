//! A project's records, newest first, by kind and state.
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{form, status, visible, words};
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use domain::record::{RecordKey, RecordKind, RecordState};
use maud::html;
use people::{Role, Visitor};
use std::collections::BTreeMap;
use store::conflicts;
use store::lanes::{Lane, Link};

const PER_PAGE: usize = 25;
/// Read for one page at most; the link to older ones goes on from there.
const READ_AT_MOST: usize = 500;
const LONGEST_ID: usize = 128;

const KINDS: [RecordKind; 3] = [RecordKind::Observation, RecordKind::Incident, RecordKind::DailySummary];
const STATES: [RecordState; 4] = [RecordState::Synced, RecordState::Pending, RecordState::Blocked, RecordState::Failed];

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let text = |name: &str| asked.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let kind = text("kind").and_then(|kind| kind.parse().ok()).unwrap_or(RecordKind::Observation);
    let state: Option<RecordState> = text("state").and_then(|state| state.parse().ok());
    let before = text("before").filter(|before| before.len() <= LONGEST_ID);
    let id = mapped.connection.lane();
    let read = Lane { table: app.table(), id: &id }.links_of(kind, &mapped.site.id, before, READ_AT_MOST).await?;
    let whole = read.len() < READ_AT_MOST.saturating_sub(1);
    let last_read = read.last().map(|link| link.record.fact_id.clone());
    let wanted =
        |link: &Link| link.project_id == mapped.project.project_id && state.is_none_or(|state| link.state == state);
    let mut links: Vec<Link> = read.into_iter().filter(wanted).collect();
    let older = match links.get(PER_PAGE) {
        Some(_) => links.get(PER_PAGE - 1).map(|link| link.record.fact_id.clone()),
        None => last_read.filter(|_| !whole),
    };
    links.truncate(PER_PAGE);
    let path = format!("{}/activity", mapped.path());
    let body = html! {
        p { a href=(mapped.path()) { "Status of " (mapped.site.name) } }
        h1 { "Activity of " (mapped.site.name) }
        form.filters method="get" action=(path) {
            div.field {
                label for="kind" { "Kind" }
                select #kind name="kind" { @for each in KINDS {
                    option value=(each.as_str()) selected[each == kind] { (words::kind(each)) }
                } }
            }
            div.field {
                label for="state" { "State" }
                select #state name="state" {
                    option value="" { "Any" }
                    @for each in STATES { option value=(each.as_str()) selected[Some(each) == state] { (words::state(each)) } }
                }
            }
            button type="submit" { "Show" }
        }
        h2 { "Records" }
        @if links.is_empty() { p { "No such record among those looked at." } }
        ul.cards { @for link in &links { li { (status::record(&visitor, &mapped, link)) } } }
        @if let Some(older) = older {
            p { a #older href={
                (path) "?kind=" (kind.as_str()) "&state=" (state.map_or("", RecordState::as_str)) "&before=" (older)
            } { "Older records" } }
        }
    };
    Ok(Page::new(format!("Activity of {}", mapped.site.name), body))
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
    let (Ok(kind), Ok(choice)) = (values.get("kind").parse::<RecordKind>(), values.get("use").parse()) else {
        return Err(Refusal::not_found());
    };
    let fact_id = values.get("id").to_owned();
    if fact_id.is_empty() || fact_id.len() > LONGEST_ID {
        return Err(Refusal::not_found());
    }
    let record = RecordKey { kind, site_id: mapped.site.id.clone(), fact_id };
    let id = mapped.connection.lane();
    // The record of another project may stand at this site: whoever sees only this one decides nothing there.
    let link = Lane { table: app.table(), id: &id }.link(&record).await?;
    if link.is_none_or(|link| link.project_id != mapped.project.project_id) {
        return Err(Refusal::not_found());
    }
    let field = values.get("field");
    conflicts::settle(app.table(), app.bell(), &mapped.connection, &record, (field, choice), app.now()).await?;
    tracing::info!(
        organization_id = %mapped.connection.organization_id, connection_id = %mapped.connection.id,
        site_id = %mapped.site.id, record = %record.fact_id, field, choice = ?choice, "a conflict was decided"
    );
    Ok(Redirect::to(&format!("{}/activity?kind={}", mapped.path(), kind.as_str())))
}
