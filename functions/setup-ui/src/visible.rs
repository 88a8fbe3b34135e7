//! What exists for a visitor: things of their own organization whose project they can list. All else is 404, in the same words.
use crate::refusal::Refusal;
use crate::state::AppState;
use domain::ids::{ConnectionId, SiteId};
use jiff::{Timestamp, tz::TimeZone};
use people::Visitor;
use store::directory::{Connection, Project, Site};

pub async fn site(app: &AppState, visitor: &Visitor, id: &str) -> Result<Site, Refusal> {
    let id: SiteId = id.parse().map_err(|_| Refusal::not_found())?;
    app.people().visible_site(visitor, &id).await?.ok_or_else(Refusal::not_found)
}

pub async fn connection(app: &AppState, visitor: &Visitor, id: &str) -> Result<Connection, Refusal> {
    let id: ConnectionId = id.parse().map_err(|_| Refusal::not_found())?;
    let found = app.directory().connection(&visitor.session.organization_id, &id).await?;
    found.ok_or_else(Refusal::not_found)
}

/// A mapped project with its connection and site.
pub struct Mapped {
    pub connection: Connection,
    pub project: Project,
    pub site: Site,
}

impl Mapped {
    pub fn path(&self) -> String {
        format!("/setup/{}/projects/{}", self.connection.id, self.project.project_id)
    }
}

pub async fn project(app: &AppState, visitor: &Visitor, connection: &str, project: &str) -> Result<Mapped, Refusal> {
    let connection = self::connection(app, visitor, connection).await?;
    if !visitor.sees_project(&connection.id, project) {
        return Err(Refusal::not_found());
    }
    let project = app.directory().project(&connection.lane(), project).await?.ok_or_else(Refusal::not_found)?;
    let site = app.directory().site(&connection.organization_id, &project.settings.site_id).await?;
    Ok(Mapped { connection, project, site: site.ok_or_else(Refusal::not_found)? })
}

/// An instant on the site's clock.
pub fn on_clock(at: Timestamp, site: &Site) -> String {
    let zone = domain::localtime::zone(&site.time_zone).unwrap_or(TimeZone::UTC);
    domain::localtime::on_site(at, &zone)
}
