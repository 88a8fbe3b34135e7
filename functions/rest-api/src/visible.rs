//! What exists for a caller. What belongs to another organization, or to a site that a key is not for, does not: 404, in the
//! same words as for an id that nobody has.
use crate::auth::Caller;
use crate::problem::{FieldError, Place, Problem};
use crate::query::Params;
use crate::state::AppState;
use domain::ids::{ConnectionId, EndpointId, OrganizationId, SiteId};
use store::directory::{Connection, Organization, Site};
use store::endpoints::{Endpoint, Endpoints};

/// An organization by the text of its id.
pub async fn organization(app: &AppState, caller: &Caller, id: &str) -> Result<Organization, Problem> {
    let missing = || Problem::not_found("organization");
    let id: OrganizationId = id.parse().map_err(|_| missing())?;
    match caller.sees(&id) {
        true => app.directory().organization(&id).await?.ok_or_else(missing),
        false => Err(missing()),
    }
}

pub async fn site(app: &AppState, caller: &Caller, id: &str) -> Result<Site, Problem> {
    let missing = || Problem::not_found("site");
    let id: SiteId = id.parse().map_err(|_| missing())?;
    let owner = app.directory().site_owner(&id).await?.ok_or_else(missing)?;
    match caller.sees(&owner) && caller.sees_site(&id) {
        true => app.directory().site(&owner, &id).await?.ok_or_else(missing),
        false => Err(missing()),
    }
}

/// A site named in a body, of a known organization. `None`: it does not exist there for this caller.
pub async fn site_of(
    app: &AppState,
    caller: &Caller,
    organization: &OrganizationId,
    id: &SiteId,
) -> Result<Option<Site>, Problem> {
    match caller.sees(organization) && caller.sees_site(id) {
        true => Ok(app.directory().site(organization, id).await?),
        false => Ok(None),
    }
}

pub async fn connection(app: &AppState, caller: &Caller, id: &str) -> Result<Connection, Problem> {
    let missing = || Problem::not_found("connection");
    let id: ConnectionId = id.parse().map_err(|_| missing())?;
    let owner = app.directory().connection_owner(&id).await?.ok_or_else(missing)?;
    match caller.sees(&owner) {
        true => app.directory().connection(&owner, &id).await?.ok_or_else(missing),
        false => Err(missing()),
    }
}

/// A webhook endpoint. For a key of some sites only those exist that are sent nothing of others.
pub async fn endpoint(app: &AppState, caller: &Caller, id: &str) -> Result<Endpoint, Problem> {
    let missing = || Problem::not_found("webhook endpoint");
    let id: EndpointId = id.parse().map_err(|_| missing())?;
    let owner = Endpoints(app.table()).owner(&id).await?.ok_or_else(missing)?;
    if !caller.sees(&owner) {
        return Err(missing());
    }
    let found = Endpoints(app.table()).get(&owner, &id).await?;
    found.filter(|endpoint| sees_endpoint(caller, endpoint)).ok_or_else(missing)
}

pub fn sees_endpoint(caller: &Caller, endpoint: &Endpoint) -> bool {
    match (caller, &endpoint.wants.site_ids) {
        (Caller::Key(key), None) => key.site_ids.is_none(),
        (_, Some(sites)) => sites.iter().all(|site| caller.sees_site(site)),
        (Caller::Operator, None) => true,
    }
}

/// Whose things a list shows: the key's organization, or the one that the operator names.
pub async fn listed_organization(app: &AppState, caller: &Caller, params: &Params) -> Result<OrganizationId, Problem> {
    match (caller, params.get("organization_id")) {
        (Caller::Key(key), None) => Ok(key.organization_id.clone()),
        (_, Some(id)) => Ok(organization(app, caller, id).await?.id),
        (Caller::Operator, None) => {
            let detail = "is required with the operator key: name the organization".to_owned();
            Err(Problem::invalid(vec![FieldError { place: Place::Parameter("organization_id".into()), detail }]))
        }
    }
}
