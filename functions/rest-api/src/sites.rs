//! Sites of an organization: name, clock, shifts.
use crate::auth::{Caller, Scope};
use crate::cursor::Paging;
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::fields::{Checks, Members};
use domain::ids::{OrganizationId, SiteId};
use domain::localtime;
use domain::settings::{Shift, shifts};
use jiff::Timestamp;
use serde::Serialize;
use store::TableError;
use store::directory::Site;
use store::summaries;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub struct View {
    id: SiteId,
    organization_id: OrganizationId,
    name: String,
    time_zone: String,
    shifts: Vec<Shift>,
    created_at: Timestamp,
}

impl From<Site> for View {
    fn from(site: Site) -> Self {
        let Site { id, organization_id, name, time_zone, shifts, created_at, version: _ } = site;
        Self { id, organization_id, name, time_zone, shifts, created_at }
    }
}

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Path(organization): Path<String>,
    seed: FreshId,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.operator_only()?;
    let organization = visible::organization(&app, &caller, &organization).await?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let (mut name, mut time_zone, mut shifts) = (None, None, Vec::new());
    if let Some(members) = members(&body, &mut checks) {
        name = members.required_name("name", &mut checks);
        time_zone = zone(&members, &mut checks);
        shifts = shifts::read(&members, &mut checks);
    }
    checks.done()?;
    let (name, time_zone) = (name.unwrap_or_default(), time_zone.unwrap_or_default());
    let (id, organization_id) = (SiteId::new(seed.0), organization.id);
    let mut site = Site { id, organization_id, name, time_zone, shifts, created_at: app.now(), version: 0 };
    put_new(&app, &mut site).await?;
    tracing::info!(organization_id = %site.organization_id, site_id = %site.id, "a site was made");
    Ok(etag::tagged(StatusCode::CREATED, site.version, View::from(site)))
}

/// A repeat after a lost answer finds its own site half made, and makes it whole.
async fn put_new(app: &AppState, site: &mut Site) -> Result<(), Problem> {
    let mut first = site.clone();
    match app.directory().put_site(&mut first).await {
        Err(TableError::Condition(Some(standing))) => {
            let standing: Site = store::table::read("a site", standing)?;
            first = Site { version: standing.version, ..site.clone() };
            app.directory().put_site(&mut first).await?;
        }
        outcome => outcome?,
    }
    *site = first;
    Ok(())
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    params.only(&["organization_id", "limit", "cursor"])?;
    let organization = visible::listed_organization(&app, &caller, &params).await?;
    let paging = Paging::of(&params, format!("{organization}/sites"))?;
    let mut sites = app.directory().sites(&organization).await?;
    sites.retain(|site| caller.sees_site(&site.id));
    etag::current_content(&headers, &paging.slice(sites, |site| site.id.to_string(), View::from))
}

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(&app, &caller, &site).await?;
    Ok(etag::current(&headers, site.version, View::from(site)))
}

/// Changes what the body names, and leaves the rest.
pub async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let mut site = visible::site(&app, &caller, &site).await?;
    etag::require_match(&headers, site.version)?;
    let body = body.value()?;
    let mut checks = Checks::default();
    if let Some(members) = members(&body, &mut checks) {
        if members.get("name").is_some() {
            site.name = members.required_name("name", &mut checks).unwrap_or_default();
        }
        if members.get("time_zone").is_some() {
            site.time_zone = zone(&members, &mut checks).unwrap_or_default();
        }
        if members.get("shifts").is_some() {
            site.shifts = shifts::read(&members, &mut checks);
        }
    }
    checks.done()?;
    match app.directory().put_site(&mut site).await {
        Err(TableError::Condition(_)) => Err(Problem::stale()),
        outcome => {
            outcome?;
            // Should this be missed, the old clock's alarm sets the new one.
            summaries::rearrange(app.table(), &site).await?;
            Ok(etag::tagged(StatusCode::OK, site.version, View::from(site)))
        }
    }
}

fn members<'a>(body: &'a serde_json::Value, checks: &mut Checks) -> Option<Members<'a>> {
    Members::of(body, "", &["name", "time_zone", "shifts"], checks)
}

fn zone(members: &Members<'_>, checks: &mut Checks) -> Option<String> {
    let name = members.required_text("time_zone", checks)?;
    match localtime::zone(name) {
        Ok(_) => Some(name.to_owned()),
        Err(error) => {
            checks.fail(members.pointer("time_zone"), error.to_string());
            None
        }
    }
}
