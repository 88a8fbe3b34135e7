//! What exists for a visitor: things of their own organization whose project they can list. All else is 404, in the same words.
use crate::refusal::Refusal;
use crate::state::AppState;
use domain::ids::{ConnectionId, SiteId};
use domain::record::{RecordKey, RecordKind};
use jiff::{Timestamp, tz::TimeZone};
use people::Visitor;
use store::directory::{Connection, Project, Site};
use store::facts::SiteFacts;
use store::lanes::Lane;

/// No fact's id is longer.
pub const LONGEST_ID: usize = 128;

pub async fn site(app: &AppState, visitor: &Visitor, id: &str) -> Result<Site, Refusal> {
    let id: SiteId = id.parse().map_err(|_| Refusal::not_found())?;
    app.people().visible_site(visitor, &id).await?.ok_or_else(Refusal::not_found)
}

pub async fn connection(app: &AppState, visitor: &Visitor, id: &str) -> Result<Connection, Refusal> {
    let id: ConnectionId = id.parse().map_err(|_| Refusal::not_found())?;
    let found = app.directory().connection(&visitor.session.organization_id, &id).await?;
    found.ok_or_else(Refusal::not_found)
}

/// The site of a fact. Whoever sees a project may see what its records are about, though the site goes elsewhere by now.
pub async fn site_of_fact(
    app: &AppState,
    visitor: &Visitor,
    site: &str,
    kind: RecordKind,
    fact_id: &str,
) -> Result<Site, Refusal> {
    let id: SiteId = site.parse().map_err(|_| Refusal::not_found())?;
    if fact_id.len() > LONGEST_ID {
        return Err(Refusal::not_found());
    }
    if let Some(site) = app.people().visible_site(visitor, &id).await? {
        return Ok(site);
    }
    let organization_id = &visitor.session.organization_id;
    let site = app.directory().site(organization_id, &id).await?.ok_or_else(Refusal::not_found)?;
    let record = |kind, fact_id: &str| RecordKey { kind, site_id: id.clone(), fact_id: fact_id.to_owned() };
    let mut records = vec![record(kind, fact_id)];
    if kind == RecordKind::Observation {
        // An incident's detections have no records of their own.
        let facts = SiteFacts { table: app.table(), organization_id, site_id: &id };
        let incidents = facts.incidents_of(fact_id).await?;
        records.extend(incidents.iter().map(|fact| record(RecordKind::Incident, fact.body.id())));
    }
    for connection in app.directory().connections(organization_id).await? {
        for record in &records {
            let link = Lane { table: app.table(), id: &connection.lane() }.link(record).await?;
            if link.is_some_and(|link| visitor.sees_project(&connection.id, &link.project_id)) {
                return Ok(site);
            }
        }
    }
    Err(Refusal::not_found())
}

/// A mapped project with its connection and site.
pub struct Mapped {
    pub connection: Connection,
    pub project: Project,
    pub site: Site,
    /// Sites that it was mapped to before: their records are still its own.
    pub former: Vec<Site>,
}

impl Mapped {
    /// The site, then those before it.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        std::iter::once(&self.site).chain(&self.former)
    }

    /// One of them by its id; the present one where none is named.
    pub fn site_named(&self, id: &str) -> Option<&Site> {
        match id {
            "" => Some(&self.site),
            id => self.sites().find(|site| site.id.as_str() == id),
        }
    }

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
    let site = site.ok_or_else(Refusal::not_found)?;
    let mut former = Vec::new();
    for id in &project.former_sites {
        former.extend(app.directory().site(&connection.organization_id, id).await?);
    }
    Ok(Mapped { connection, project, site, former })
}

/// An instant on the site's clock.
pub fn on_clock(at: Timestamp, site: &Site) -> String {
    let zone = domain::localtime::zone(&site.time_zone).unwrap_or(TimeZone::UTC);
    domain::localtime::on_site(at, &zone)
}
