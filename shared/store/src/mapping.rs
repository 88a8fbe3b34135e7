//! Mapping a platform's project to a site, for the API and the pages alike: one project per site and connection, one
//! organization per project.
use crate::again;
use crate::bell::Bell;
use crate::directory::{Connection, Directory, Project};
use crate::due::SiteRef;
use crate::keys;
use crate::lanes::LaneId;
use crate::summaries;
use crate::table::{Condition, Key, Table, TableError, read};
use domain::ids::SiteId;
use domain::route::Route;
use domain::settings::ProjectSettings;
use jiff::Timestamp;
use serde_json::Value;

#[derive(Debug, thiserror::Error)]
pub enum MapError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("The site goes to project {0} of this connection already: map that project to another site first.")]
    SiteTaken(String),
    #[error("Another organization has mapped this project already.")]
    ProjectTaken,
    #[error("It changed since you read it: read it again and repeat your change.")]
    Stale,
}

/// What is to be kept of a project.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub project_id: String,
    /// What it is called at the platform, where that was looked up.
    pub name: Option<String>,
    pub settings: ProjectSettings,
    /// As read before; the change is made to no other.
    pub standing: Option<Project>,
}

/// Keeps a project's settings, moves its route, shares the hour of its site, and wakes the lane.
pub async fn apply(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Project, MapError> {
    let (directory, lane) = (Directory(table), connection.lane());
    let Wanted { project_id, name, settings, standing } = wanted;
    require_free(&directory, &lane, &settings.site_id, &project_id).await?;
    if !directory.claim_project(connection, &project_id).await? {
        return Err(MapError::ProjectTaken);
    }
    let kept = standing.as_ref().filter(|project| project.settings.site_id == settings.site_id);
    let mapped_at = kept.map_or(now, |project| project.mapped_at);
    let name = name.or_else(|| standing.as_ref().and_then(|project| project.name.clone()));
    let version = standing.as_ref().map_or(0, |project| project.version);
    let former_sites = former_sites(standing, &settings.site_id);
    let mut project = Project { project_id, name, settings, mapped_at, former_sites, version };
    match directory.put_project_settled(&lane, &mut project, now).await {
        Err(TableError::Condition(Some(item))) if item.get("sk").and_then(Value::as_str).is_some_and(is_route) => {
            return Err(MapError::SiteTaken(read::<Route>("a route", item)?.project_id));
        }
        Err(TableError::Condition(_)) => return Err(MapError::Stale),
        outcome => outcome?,
    }
    // A connection that was removed meanwhile keeps no project from anybody: whoever clears up behind it may be done by now.
    if directory.connection(&lane.organization_id, &lane.connection_id).await?.is_none() {
        directory.release_project(connection, &project).await?;
        table
            .delete(&keys::project(&lane.organization_id, &lane.connection_id, &project.project_id), Condition::Always)
            .await?;
        return Err(MapError::Stale);
    }
    leave_other_sites(&directory, &lane, &project).await?;
    let site = SiteRef { organization_id: lane.organization_id.clone(), site_id: project.settings.site_id.clone() };
    summaries::share_hour(table, &site, &project.settings.daily_summary.at).await?;
    again::wake(table, bell, &lane, now).await?;
    tracing::info!(
        organization_id = %lane.organization_id, connection_id = %lane.connection_id,
        site_id = %project.settings.site_id, "a project was mapped"
    );
    Ok(project)
}

fn former_sites(standing: Option<Project>, site: &SiteId) -> Vec<SiteId> {
    let Some(standing) = standing else { return Vec::new() };
    let mut former = standing.former_sites;
    former.push(standing.settings.site_id);
    former.retain(|former| former != site);
    former.dedup();
    former
}

/// Two projects on one site in one connection are refused: a fact would be shown twice. A route that its project has left
/// behind, when a process died, counts for nothing.
async fn require_free(
    directory: &Directory<'_>,
    lane: &LaneId,
    site: &SiteId,
    project_id: &str,
) -> Result<(), MapError> {
    let Some(route) = directory.route(lane, site).await? else { return Ok(()) };
    if route.project_id == project_id {
        return Ok(());
    }
    let other = directory.project(lane, &route.project_id).await?;
    match other.is_some_and(|project| project.settings.site_id == *site) {
        false => Ok(()),
        true => Err(MapError::SiteTaken(route.project_id)),
    }
}

/// Takes away the routes of other sites to this project. All sites are looked at, so that a repeat mends what a process that
/// died left behind.
async fn leave_other_sites(directory: &Directory<'_>, lane: &LaneId, project: &Project) -> Result<(), MapError> {
    let (organization, connection) = (&lane.organization_id, &lane.connection_id);
    let mut sites = directory.sites(organization).await?;
    sites.retain(|site| site.id != project.settings.site_id);
    let keys: Vec<Key> = sites.iter().map(|site| keys::route(organization, &site.id, connection)).collect();
    let found = match keys.is_empty() {
        true => Vec::new(),
        false => directory.0.get_many(&keys).await?,
    };
    for item in found {
        let route: Route = read("a route", item)?;
        if route.project_id == project.project_id {
            directory.delete_route(lane, &route.settings.site_id).await?;
        }
    }
    Ok(())
}

fn is_route(sort_key: &str) -> bool {
    sort_key.starts_with(keys::ROUTE)
}
