//! Which sites a person may see. Who signs in at a platform sees the sites whose projects they can list there; whom a link let
//! in sees all of the organization. A manager also sees sites that go to no project yet: somebody must map them.
use crate::{People, PeopleError, Role, Visitor};
use domain::ids::{ConnectionId, SiteId};
use domain::route::Route;
use std::collections::BTreeSet;
use store::directory::Site;

impl Visitor {
    /// Whether this project, mapped or about to be, is among those that the person can list.
    pub fn sees_project(&self, connection: &ConnectionId, project: &str) -> bool {
        match &self.person.projects {
            None => true,
            Some(projects) => projects.get(connection).is_some_and(|projects| projects.contains(project)),
        }
    }

    fn sees_by(&self, routes: &[Route]) -> bool {
        match routes {
            [] => self.person.projects.is_none() || self.session.role >= Role::Manager,
            routes => routes.iter().any(|route| self.sees_project(&route.connection_id, &route.project_id)),
        }
    }
}

impl People {
    /// A site of the visitor's own organization that they may see; `None` looks like a site that nobody has.
    pub async fn visible_site(&self, visitor: &Visitor, site: &SiteId) -> Result<Option<Site>, PeopleError> {
        let organization = &visitor.session.organization_id;
        let Some(site) = self.directory().site(organization, site).await? else { return Ok(None) };
        let routes = self.directory().routes(organization, &site.id).await?;
        Ok(visitor.sees_by(&routes).then_some(site))
    }

    /// All sites that the visitor may see.
    pub async fn visible_sites(&self, visitor: &Visitor) -> Result<Vec<Site>, PeopleError> {
        let organization = &visitor.session.organization_id;
        let mut sites = Vec::new();
        for site in self.directory().sites(organization).await? {
            let routes = self.directory().routes(organization, &site.id).await?;
            if visitor.sees_by(&routes) {
                sites.push(site);
            }
        }
        Ok(sites)
    }

    /// Notes that the person can list a project: the wizard calls it when they map one.
    pub async fn note_project(
        &self,
        visitor: &Visitor,
        connection: &ConnectionId,
        project: &str,
    ) -> Result<(), PeopleError> {
        self.change_projects(visitor, connection, |listed| _ = listed.insert(project.to_owned())).await
    }

    /// Notes which mapped projects of a connection the person can list, where they just listed them.
    pub async fn list_projects(
        &self,
        visitor: &Visitor,
        connection: &ConnectionId,
        projects: BTreeSet<String>,
    ) -> Result<(), PeopleError> {
        self.change_projects(visitor, connection, |listed| *listed = projects).await
    }

    async fn change_projects(
        &self,
        visitor: &Visitor,
        connection: &ConnectionId,
        change: impl FnOnce(&mut BTreeSet<String>),
    ) -> Result<(), PeopleError> {
        let organization = &visitor.session.organization_id;
        let Some(mut person) = self.person(organization, &visitor.person.id).await? else { return Ok(()) };
        let Some(projects) = &mut person.projects else { return Ok(()) };
        let listed = projects.entry(connection.clone()).or_default();
        let before = listed.clone();
        change(listed);
        if *listed != before {
            self.put(&mut person).await?;
        }
        Ok(())
    }
}
