//! The hour of a site's daily summary, also of one that webhook endpoints alone take. Project settings name the same hour.
use crate::auth::{Caller, Scope};
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;
use crate::{etag, visible};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::fields::{Checks, Members};
use domain::settings::check;
use serde::Serialize;
use store::directory::Site;
use store::summaries;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = SummaryHour)]
pub struct Hour {
    at: String,
}

async fn standing(app: &AppState, site: &Site) -> Result<Hour, Problem> {
    Ok(Hour { at: summaries::hour_of(app.table(), &site.organization_id, &site.id).await? })
}

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(&app, &caller, &site).await?;
    etag::current_content(&headers, &standing(&app, &site).await?)
}

/// Sets it for all who take the site's summary.
pub async fn put(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let site = visible::site(&app, &caller, &site).await?;
    etag::require_match_content(&headers, &standing(&app, &site).await?)?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let members = Members::of(&body, "", &["at"], &mut checks);
    let at = members.and_then(|members| check::hour(&members, &mut checks)).unwrap_or_default();
    checks.done()?;
    summaries::set_hour(app.table(), &site, &at, app.now()).await?;
    tracing::info!(organization_id = %site.organization_id, site_id = %site.id, "a site's hour was changed");
    let hour = Hour { at };
    Ok(etag::tagged(StatusCode::OK, etag::of_content(&hour)?, hour))
}
