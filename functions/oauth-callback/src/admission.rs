//! Which organizations a person may enter: what Procore lets them list decides, not what they say. Who was let in by a link
//! enters that link's organization. Else an organization is open that has a connection to a company of theirs, if they can
//! list one of its mapped projects there, or are known in it as a manager or by a link.
use crate::refusal::{Nowhere, Refusal};
use crate::state::AppState;
use credentials::Secret;
use domain::ids::{ConnectionId, OrganizationId, Provider};
use people::sign_in::Projects;
use people::{Identity, Person, Role};
use procore::lists::ListError;
use std::collections::{BTreeMap, BTreeSet};
use sync::clock::SystemClock;
use sync::visit::PageMeter;

pub enum Admission {
    One(OrganizationId, Projects),
    Several(Vec<(OrganizationId, Projects)>),
    Nowhere(Nowhere),
}

pub async fn of(
    app: &AppState,
    token: &Secret,
    identity: &Identity,
    by_link: Option<&Person>,
) -> Result<Admission, Refusal> {
    let mut found = listed(app, token).await?;
    if let Some(person) = by_link {
        let projects = found.remove(&person.organization_id).unwrap_or_default();
        return Ok(Admission::One(person.organization_id.clone(), projects));
    }
    let connected = !found.is_empty();
    let mut open = Vec::new();
    for (organization, projects) in found {
        if projects.values().any(|mapped| !mapped.is_empty()) || is_known(app, &organization, identity).await? {
            open.push((organization, projects));
        }
    }
    for organization in app.people().organizations_of(identity).await? {
        let unseen = !open.iter().any(|(open, _)| *open == organization);
        // Before anything is connected nobody's company can be compared; afterwards who has left the company stays out.
        if unseen && !has_procore(app, &organization).await? && is_known(app, &organization, identity).await? {
            open.push((organization, Projects::new()));
        }
    }
    Ok(match (open.len(), open.pop()) {
        (1, Some((organization, projects))) => Admission::One(organization, projects),
        (_, Some(last)) => {
            open.push(last);
            Admission::Several(open)
        }
        (_, None) if connected => Admission::Nowhere(Nowhere::NoProject),
        (_, None) => Admission::Nowhere(Nowhere::NoCompany),
    })
}

/// By organization with a connection to a company of the person's: the mapped projects that they can list.
async fn listed(app: &AppState, token: &Secret) -> Result<BTreeMap<OrganizationId, Projects>, Refusal> {
    let mut found: BTreeMap<OrganizationId, Projects> = BTreeMap::new();
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    let lists = app.lists(&meter);
    for company in lists.companies(token).await?.into_iter().filter(|company| company.active) {
        let account = company.id;
        let organizations = app.directory().organizations_of(Provider::Procore, &account).await?;
        if organizations.is_empty() {
            continue;
        }
        let theirs = match lists.project_ids(&account, token).await {
            Ok(projects) => projects,
            // Nobody lists projects through an app that is not installed; a manager must get in to mend it.
            Err(ListError::NotInstalled(_) | ListError::Refused(_)) => BTreeSet::new(),
            Err(error) => return Err(error.into()),
        };
        for organization in organizations {
            let id = ConnectionId::derive(&organization, Provider::Procore, &account);
            let Some(connection) = app.directory().connection(&organization, &id).await? else { continue };
            let mapped = app.directory().projects(&connection.lane()).await?;
            let mapped = mapped.into_iter().map(|project| project.project_id).filter(|id| theirs.contains(id));
            found.entry(organization).or_default().insert(id, mapped.collect());
        }
    }
    Ok(found)
}

async fn is_known(app: &AppState, organization: &OrganizationId, identity: &Identity) -> Result<bool, Refusal> {
    let known = app.people().by_identity(organization, identity).await?;
    Ok(known.is_some_and(|person| person.role >= Role::Manager || person.projects.is_none()))
}

async fn has_procore(app: &AppState, organization: &OrganizationId) -> Result<bool, Refusal> {
    let connections = app.directory().connections(organization).await?;
    Ok(connections.iter().any(|connection| connection.provider == Provider::Procore))
}
