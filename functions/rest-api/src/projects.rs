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
use domain::ids::SiteId;
use domain::route::Route;
use domain::settings::ProjectSettings;
use domain::settings::check::{self, is_platform_id};
use serde_json::Value;
use store::directory::{Connection, Project};
use store::lanes::LaneId;
use store::table::read;
use store::{Key, TableError, again, keys};

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, project)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let missing = || Problem::not_found("project: it is not mapped here");
    if !is_platform_id(&project) {
        return Err(missing());
    }
    let project = app.directory().project(&connection.lane(), &project).await?;
    let project = project.filter(|project| caller.sees_site(&project.settings.site_id)).ok_or_else(missing)?;
    Ok(etag::current(&headers, project.version, project.settings))
}

/// Maps a project to a site, or changes how it is mapped.
pub async fn put(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, project_id)): Path<(String, String)>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    if !is_platform_id(&project_id) {
        return Err(Problem::invalid_parameter("project_id", "must be the project's id at Procore: digits only"));
    }
    let standing = app.directory().project(&connection.lane(), &project_id).await?;
    if standing.as_ref().is_some_and(|project| !caller.sees_site(&project.settings.site_id)) {
        return Err(Problem::not_found("project: it is not mapped here"));
    }
    match &standing {
        Some(project) => etag::require_match(&headers, project.version)?,
        None => etag::require_absent(&headers)?,
    }
    let body = body.value()?;
    let settings = read_settings(&app, &caller, &connection, &body).await?;
    let change = Change { app: &app, connection: &connection, lane: connection.lane() };
    let project = change.apply(project_id, standing, settings).await?;
    let status = if project.version == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(etag::tagged(status, project.version, project.settings))
}

/// Settings from a body; the site that they name must exist for the caller.
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
    Ok(check::read(body, site.map(|site| site.id))?)
}

struct Change<'a> {
    app: &'a AppState,
    connection: &'a Connection,
    lane: LaneId,
}

impl Change<'_> {
    async fn apply(
        &self,
        project_id: String,
        standing: Option<Project>,
        settings: ProjectSettings,
    ) -> Result<Project, Problem> {
        let directory = self.app.directory();
        self.require_free(&settings.site_id, &project_id).await?;
        if !directory.claim_project(self.connection, &project_id).await? {
            return Err(Problem::conflict("Another organization has mapped this project already."));
        }
        let kept = standing.as_ref().filter(|project| project.settings.site_id == settings.site_id);
        let mapped_at = kept.map_or_else(|| self.app.now(), |project| project.mapped_at);
        let version = standing.map_or(0, |project| project.version);
        let mut project = Project { project_id, settings, mapped_at, version };
        match directory.put_project(&self.lane, &mut project).await {
            Err(TableError::Condition(Some(item))) if item.get("sk").and_then(Value::as_str).is_some_and(is_route) => {
                return Err(taken(&read::<Route>("a route", item)?.project_id));
            }
            Err(TableError::Condition(_)) => return Err(Problem::stale()),
            outcome => outcome?,
        }
        self.leave_other_sites(&project).await?;
        directory.share_hour(&self.lane, &project).await?;
        again::wake(self.app.table(), self.app.bell(), &self.lane, self.app.now()).await?;
        tracing::info!(
            organization_id = %self.lane.organization_id, connection_id = %self.lane.connection_id,
            site_id = %project.settings.site_id, "a project was mapped"
        );
        Ok(project)
    }

    /// Two projects on one site in one connection are refused: a fact would be shown twice. A route that its project has left
    /// behind, when a process died, counts for nothing.
    async fn require_free(&self, site: &SiteId, project_id: &str) -> Result<(), Problem> {
        let Some(route) = self.app.directory().route(&self.lane, site).await? else { return Ok(()) };
        if route.project_id == project_id {
            return Ok(());
        }
        let other = self.app.directory().project(&self.lane, &route.project_id).await?;
        match other.is_some_and(|project| project.settings.site_id == *site) {
            false => Ok(()),
            true => Err(taken(&route.project_id)),
        }
    }

    /// Takes away the routes of other sites to this project. All sites are looked at, so that a repeat mends what a process
    /// that died left behind.
    async fn leave_other_sites(&self, project: &Project) -> Result<(), Problem> {
        let directory = self.app.directory();
        let (organization, connection) = (&self.lane.organization_id, &self.lane.connection_id);
        let mut sites = directory.sites(organization).await?;
        sites.retain(|site| site.id != project.settings.site_id);
        let keys: Vec<Key> = sites.iter().map(|site| keys::route(organization, &site.id, connection)).collect();
        let found = match keys.is_empty() {
            true => Vec::new(),
            false => self.app.table().get_many(&keys).await?,
        };
        for item in found {
            let route: Route = read("a route", item)?;
            if route.project_id == project.project_id {
                directory.delete_route(&self.lane, &route.settings.site_id).await?;
            }
        }
        Ok(())
    }
}

fn is_route(sort_key: &str) -> bool {
    sort_key.starts_with(keys::ROUTE)
}

fn taken(project_id: &str) -> Problem {
    Problem::conflict(format!(
        "The site goes to project {project_id} of this connection already: map that project to another site first."
    ))
}
