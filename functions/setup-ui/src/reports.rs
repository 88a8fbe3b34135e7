//! A site's day in figures, for whoever may see the site: the page that a note links to, made to be printed, with the fortnight
//! before it, also as CSV.
mod chart;
mod page;

use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use domain::localtime;
use domain::record::RecordKind;
use domain::summary::tally::Tally;
use domain::summary::trend::{self, By};
use jiff::ToSpan;
use jiff::civil::Date;
use people::Visitor;
use std::collections::BTreeMap;
use store::reports::{ReportError, Reports};

/// So many days before the one that is shown stand beside it.
const FORTNIGHT: i64 = 13;

fn date(text: &str) -> Result<Date, Refusal> {
    localtime::date(text).ok_or_else(Refusal::not_found)
}

async fn fortnight(app: &AppState, reports: &Reports<'_>, date: Date) -> Result<Vec<(Date, Tally)>, ReportError> {
    reports.days(date.saturating_sub(FORTNIGHT.days()), date, app.now()).await
}

/// The last day that is over.
pub async fn latest(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(site): Path<String>,
) -> Result<Redirect, Refusal> {
    let site = visible::site(&app, &visitor, &site).await?;
    let today = Reports::of(app.table(), &site).await?.today(app.now());
    Ok(Redirect::to(&page::path(&site, today.yesterday().unwrap_or(today))))
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((site, day)): Path<(String, String)>,
) -> Result<Page, Refusal> {
    let site = visible::site_of_fact(&app, &visitor, &site, RecordKind::DailySummary, &day).await?;
    let date = date(&day)?;
    let reports = Reports::of(app.table(), &site).await?;
    let today = reports.today(app.now());
    if date > today {
        return Ok(page::not_yet(&site, date, today));
    }
    let reported = reports.day(date, app.now()).await?.ok_or_else(Refusal::not_found)?;
    let days = match fortnight(&app, &reports, date).await {
        Ok(days) => Some(days),
        // The day itself is there: the rest is there at the next look.
        Err(ReportError::Counting) => None,
        Err(error) => return Err(error.into()),
    };
    let shown = page::Shown { site: &site, reported: &reported, days: days.as_deref(), today, now: app.now() };
    Ok(shown.page())
}

/// The fortnight as CSV, by day where the query names nothing else.
pub async fn csv(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((site, day)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let site = visible::site_of_fact(&app, &visitor, &site, RecordKind::DailySummary, &day).await?;
    let date = date(&day)?;
    let by = asked.get("by").map_or(Some(By::Day), |word| By::read(word)).ok_or_else(Refusal::unreadable)?;
    let reports = Reports::of(app.table(), &site).await?;
    if date > reports.today(app.now()) {
        return Err(Refusal::not_found());
    }
    let days = fortnight(&app, &reports, date).await?;
    let rows = trend::trend(days.iter().map(|(date, tally)| (*date, tally)), by);
    let text = trend::csv(&rows).map_err(|error| Refusal::internal("a trend as CSV", &error))?;
    let name = format!("attachment; filename=\"fortnight-to-{date}-by-{}.csv\"", by.as_str());
    let name = HeaderValue::from_str(&name).map_err(|error| Refusal::internal("a file's name", &error))?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)], text).into_response())
}
