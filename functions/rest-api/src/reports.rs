//! A site's days in figures: the report of one date, and a stretch of them by day, shift, zone or kind.
use crate::accept::{self, Form};
use crate::auth::{Caller, Scope};
use crate::problem::{FieldError, Place, Problem};
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use axum::extract::{Path, State};
use axum::http::header::{HeaderValue, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::localtime;
use domain::summary::trend::{self, By, MOST_DAYS, Row};
use jiff::Span;
use jiff::civil::Date;
use serde::Serialize;
use store::reports::{ReportError, Reports};
use utoipa::ToSchema;

const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8; header=present");

pub async fn daily(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(&app, &caller, &site).await?;
    params.only(&["date"])?;
    accept::form(&headers, &[Form::Json])?;
    let reports = Reports::of(app.table(), &site).await?;
    let [date] = dates(&params, ["date"], reports.today(app.now())).map_err(Problem::invalid)?;
    let reported = reports.day(date, app.now()).await?;
    let reported = reported.ok_or_else(|| Problem::not_found("date on the site's clock"))?;
    etag::current_content(&headers, &reported.day.report)
}

#[derive(Serialize, ToSchema)]
pub struct Trend {
    data: Vec<Row>,
}

pub async fn trend(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(&app, &caller, &site).await?;
    params.only(&["from", "to", "by"])?;
    let form = accept::form(&headers, &[Form::Json, Form::Csv])?;
    let reports = Reports::of(app.table(), &site).await?;
    let (from, to, by) = stretch(&params, reports.today(app.now()))?;
    let days = reports.days(from, to, app.now()).await?;
    let data = trend::trend(days.iter().map(|(date, tally)| (*date, tally)), by);
    let mut response = match form {
        Form::Json => etag::current_content(&headers, &Trend { data })?,
        Form::Csv => {
            let text = trend::csv(&data).map_err(|error| Problem::internal("a trend as CSV", &error))?;
            etag::current_bytes(&headers, CSV, text)
        }
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

fn stretch(params: &Params, today: Date) -> Result<(Date, Date, By), Problem> {
    let by = params.get("by").map_or(Some(By::Day), By::read);
    let read = dates(params, ["from", "to"], today);
    let mut errors = match &read {
        Ok([from, to]) => {
            let detail = match from.checked_add(Span::new().days(MOST_DAYS as i64 - 1)) {
                _ if to < from => Some("must not be before `from`".to_owned()),
                Ok(last) if *to > last => Some(format!("must be so that there are at most {MOST_DAYS} days")),
                _ => None,
            };
            detail.map(|detail| FieldError { place: Place::Parameter("to".into()), detail }).into_iter().collect()
        }
        Err(errors) => errors.clone(),
    };
    if by.is_none() {
        let words = By::ALL.map(By::as_str).join(", ");
        errors.push(FieldError { place: Place::Parameter("by".into()), detail: format!("must be one of: {words}") });
    }
    match (read, by) {
        (Ok([from, to]), Some(by)) if errors.is_empty() => Ok((from, to, by)),
        _ => Err(Problem::invalid(errors)),
    }
}

/// Dates that must be given, and whose windows must have begun: of what is to come there is nothing to tell.
fn dates<const N: usize>(params: &Params, names: [&str; N], today: Date) -> Result<[Date; N], Vec<FieldError>> {
    let mut errors = Vec::new();
    let read = names.map(|name| {
        let date = match params.get(name) {
            None => Err("is required: a date, such as 2026-11-24".to_owned()),
            Some(text) => localtime::date(text).ok_or_else(|| "must be a date, such as 2026-11-24".to_owned()),
        };
        let begun = date.and_then(|date| match date > today {
            true => Err(format!("must not be after {today}: that day has not begun on the site's clock")),
            false => Ok(date),
        });
        begun
            .map_err(|detail| errors.push(FieldError { place: Place::Parameter(name.to_owned()), detail }))
            .unwrap_or(today)
    });
    if errors.is_empty() { Ok(read) } else { Err(errors) }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Table(error) => error.into(),
            ReportError::NotSet => Self::invalid(vec![FieldError {
                place: Place::Pointer("/daily_summary/at".into()),
                detail: "must be the hour that is set: so much happened since that the note of another can't be shown"
                    .into(),
            }]),
            ReportError::Counting => {
                let detail =
                    "There is more to count than one request can. What was counted is kept: repeat the request.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                    .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
            }
        }
    }
}
