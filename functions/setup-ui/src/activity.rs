//! A project's records, newest first, by kind and state.
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{status, visible, words};
use axum::extract::{Path, Query, State};
use domain::record::{RecordKind, RecordState};
use maud::html;
use people::Visitor;
use std::collections::BTreeMap;
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
