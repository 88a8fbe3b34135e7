//! Project settings: what one platform project does with one site. The body's checks stand in [`domain::settings::check`].
pub mod preview;

use crate::auth::{Caller, Scope};
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;
use crate::{etag, visible};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::ids::Provider;
use domain::settings::ProjectSettings;
use domain::settings::check::{self, project_id};
use serde_json::Value;
use store::directory::Connection;
use store::mapping::{self, MapError, Wanted};
use store::summaries;

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, named)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let missing = || Problem::not_found("project: it is not mapped here");
    let project = project_id(connection.provider, &named).ok_or_else(missing)?;
    let project = app.directory().project(&connection.lane(), &project).await?;
    let project = project.filter(|project| caller.sees_site(&project.settings.site_id)).ok_or_else(missing)?;
    Ok(etag::current(&headers, project.version, project.settings.as_given(connection.provider)))
}

/// The account that we work as may see other customers' projects, too, and a key shows nobody's list.
const FIRST_ON_A_PAGE: &str = "A person connected this account, so a person who can list the project there maps it first, on the set-up \
    page. From then on this request changes it.";

/// Maps a project to a site, or changes how it is mapped.
pub async fn put(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, named)): Path<(String, String)>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let project_id = named_project(&connection, &named)?;
    let standing = app.directory().project(&connection.lane(), &project_id).await?;
    if standing.as_ref().is_some_and(|project| !caller.sees_site(&project.settings.site_id)) {
        return Err(Problem::not_found("project: it is not mapped here"));
    }
    if standing.is_none() && matches!(caller, Caller::Key(_)) && connection.made_on_a_page() {
        return Err(Problem::forbidden(FIRST_ON_A_PAGE));
    }
    match &standing {
        Some(project) => etag::require_match(&headers, project.version)?,
        None => etag::require_absent(&headers)?,
    }
    let body = body.value()?;
    let settings = read_settings(&app, &caller, &connection, &body).await?;
    let wanted = Wanted { project_id, name: None, settings, standing };
    let project = mapping::apply(app.table(), app.bell(), &connection, wanted, app.now()).await?;
    let status = if project.version == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(etag::tagged(status, project.version, project.settings.as_given(connection.provider)))
}

/// The project that a path names, in the one form that is kept.
pub(crate) fn named_project(connection: &Connection, named: &str) -> Result<String, Problem> {
    project_id(connection.provider, named).ok_or_else(|| {
        let form = match connection.provider {
            Provider::Procore => "must be the project's id at Procore: digits only",
            Provider::Webhook => "a webhook endpoint has no projects",
            Provider::Acc => "must be the project's id at Autodesk, such as 5a0db0c5-0000-4000-8000-000000000001",
        };
        Problem::invalid_parameter("project_id", form)
    })
}

/// Settings from a body; the site that they name must exist for the caller, and has an hour of its summary where they name none.
async fn read_settings(
    app: &AppState,
    caller: &Caller,
    connection: &Connection,
    body: &Value,
) -> Result<ProjectSettings, Problem> {
    let site = match check::named_site(body) {
        Some(id) => visible::site_of(app, caller, &connection.organization_id, &id).await?,
        None => None,
    };
    let mut settings = check::read(body, connection.provider, site.map(|site| site.id))?;
    if body.pointer("/daily_summary/at").is_none_or(Value::is_null) {
        let organization = &connection.organization_id;
        settings.daily_summary.at = summaries::hour_of(app.table(), organization, &settings.site_id).await?;
    }
    Ok(settings)
}

impl From<MapError> for Problem {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Table(error) => error.into(),
            MapError::Stale => Self::stale(),
            MapError::SiteTaken(_) | MapError::ProjectTaken => Self::conflict(error.to_string()),
        }
    }
}
