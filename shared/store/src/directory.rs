//! Organizations, sites, edges, API keys, connections, project settings and the routes that follow from them.
use crate::keys;
use crate::lanes::LaneId;
use crate::summaries;
use crate::table::{Condition, Item, Query, Table, TableError, get_as, item, read};
use domain::autodesk::Region;
use domain::ids::{ApiKeyId, ConnectionId, EdgeId, OrganizationId, Provider, SiteId};
use domain::record::Mender;
use domain::route::Route;
use domain::settings::{ProjectSettings, Shift};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A site's route is taken in so many tries, or not now.
const ROUTE_TRIES: usize = 4;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub id: SiteId,
    pub organization_id: OrganizationId,
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    #[serde(default)]
    pub shifts: Vec<Shift>,
    pub created_at: Timestamp,
    #[serde(default)]
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    pub id: EdgeId,
    pub organization_id: OrganizationId,
    pub site_id: SiteId,
    pub name: String,
    /// Newest first; while a secret rotates, two are valid.
    pub secrets: Vec<SealedSecret>,
    pub created_at: Timestamp,
    #[serde(default)]
    pub version: u64,
}

/// A secret under KMS envelope encryption (`credentials`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedSecret {
    pub sealed: String,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// How long whoever signs may go on with the secret before.
const ROTATION: SignedDuration = SignedDuration::from_hours(24);
/// Secrets of one thing that are valid at once at most.
const SECRETS: usize = 4;

/// Puts a new secret first. Those before get their end, a day from now at most; those that have passed it go. Says when the
/// newest of them ends.
pub fn rotate(secrets: &mut Vec<SealedSecret>, new: SealedSecret, now: Timestamp) -> Option<Timestamp> {
    for secret in secrets.iter_mut() {
        let end = secret.expires_at.map_or(now + ROTATION, |at| at.min(now + ROTATION));
        secret.expires_at = Some(end);
    }
    secrets.retain(|secret| secret.is_valid(now));
    secrets.truncate(SECRETS - 1);
    let until = secrets.first().and_then(|secret| secret.expires_at);
    secrets.insert(0, new);
    until
}

impl SealedSecret {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub scopes: Vec<String>,
    /// `None`: all sites.
    #[serde(default)]
    pub site_ids: Option<Vec<SiteId>>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// SHA-256 of the key, hexadecimal.
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub id: ConnectionId,
    pub organization_id: OrganizationId,
    pub provider: Provider,
    /// Procore: the company's id. Autodesk: the account's, without a prefix.
    pub account: String,
    /// Autodesk: where the account's data is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// What the account is called there, where that was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Autodesk: a service account of the customer's own. Without, the app's works for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<OwnServiceAccount>,
    /// Why nothing is sent, when so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    pub created_at: Timestamp,
    /// The request of the API that made it: a repeat of that one is answered as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    #[serde(default)]
    pub version: u64,
}

/// A service account that a customer brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnServiceAccount {
    pub id: String,
    pub key_id: String,
    /// Under KMS envelope encryption (`credentials`).
    pub sealed_private_key: String,
}

impl Connection {
    /// By somebody who showed that the account is theirs to look at, but not that all of it is.
    pub fn made_on_a_page(&self) -> bool {
        self.made_by.is_none() && self.service_account.is_none()
    }

    /// A new one; its id comes from what it links.
    pub fn new(
        organization_id: OrganizationId,
        provider: Provider,
        account: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        let account = account.into();
        Self {
            id: ConnectionId::derive(&organization_id, provider, &account),
            organization_id,
            provider,
            account,
            region: None,
            name: None,
            service_account: None,
            blocked: None,
            created_at,
            made_by: None,
            version: 0,
        }
    }

    pub fn lane(&self) -> LaneId {
        LaneId {
            organization_id: self.organization_id.clone(),
            connection_id: self.id.clone(),
            provider: self.provider,
        }
    }
}

/// A connection that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    pub reason: String,
    pub who: Mender,
    pub what_to_do: String,
    pub since: Timestamp,
}

/// A platform project as mapped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    pub project_id: String,
    /// What it is called at the platform, where that was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub settings: ProjectSettings,
    /// Facts that arrived before are not sent.
    pub mapped_at: Timestamp,
    /// Sites that it was mapped to before: their records stand there still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_sites: Vec<SiteId>,
    #[serde(default)]
    pub version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) organization_id: OrganizationId,
}

fn route_of(lane: &LaneId, project: &Project) -> Result<Item, TableError> {
    let route = Route {
        connection_id: lane.connection_id.clone(),
        provider: lane.provider,
        project_id: project.project_id.clone(),
        settings: project.settings.clone(),
        since: project.mapped_at,
    };
    item(&keys::route(&lane.organization_id, &project.settings.site_id, &lane.connection_id), &route)
}

/// Access to the directory.
#[derive(Clone, Copy)]
pub struct Directory<'a>(pub &'a dyn Table);

pub(crate) fn at_version(version: u64) -> Condition {
    match version {
        0 => Condition::Absent,
        version => Condition::Equals("version", version.into()),
    }
}

impl Directory<'_> {
    pub async fn put_organization(&self, new: &Organization) -> Result<(), TableError> {
        self.0.put(item(&keys::organization(&new.id), new)?, Condition::Absent).await
    }

    pub async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, TableError> {
        get_as(self.0, "an organization", &keys::organization(id)).await
    }

    /// Creates or changes a site; conditional on the version read.
    pub async fn put_site(&self, site: &mut Site) -> Result<(), TableError> {
        let condition = at_version(site.version);
        let new = site.version == 0;
        site.version += 1;
        if new {
            // Before, so that no crash leaves it out; after, for an endpoint that is made at this moment.
            summaries::take_up_new(self.0, site).await?;
        }
        self.0.put(item(&keys::site(&site.organization_id, &site.id), site)?, condition).await?;
        let owner = Owner { organization_id: site.organization_id.clone() };
        self.0.put(item(&keys::site_owner(&site.id), &owner)?, Condition::Always).await?;
        match new {
            true => summaries::take_up_new(self.0, site).await,
            false => Ok(()),
        }
    }

    pub async fn site(&self, organization: &OrganizationId, id: &SiteId) -> Result<Option<Site>, TableError> {
        get_as(self.0, "a site", &keys::site(organization, id)).await
    }

    pub async fn site_owner(&self, id: &SiteId) -> Result<Option<OrganizationId>, TableError> {
        Ok(get_as::<Owner>(self.0, "a site's owner", &keys::site_owner(id)).await?.map(|owner| owner.organization_id))
    }

    pub async fn sites(&self, organization: &OrganizationId) -> Result<Vec<Site>, TableError> {
        let (pk, prefix) = keys::sites(organization);
        let items = self.0.query(Query::prefix(pk, prefix, 10_000)).await?;
        items.into_iter().map(|item| read("a site", item)).collect()
    }

    pub async fn put_edge(&self, edge: &mut Edge) -> Result<(), TableError> {
        let condition = at_version(edge.version);
        edge.version += 1;
        self.0.put(item(&keys::edge(&edge.id), edge)?, condition).await
    }

    pub async fn edge(&self, id: &EdgeId) -> Result<Option<Edge>, TableError> {
        get_as(self.0, "an edge", &keys::edge(id)).await
    }

    pub async fn put_api_key(&self, key: &ApiKey) -> Result<(), TableError> {
        self.0.put(item(&keys::api_key_listing(&key.organization_id, &key.id), key)?, Condition::Always).await?;
        self.0.put(item(&keys::api_key(&key.sha256), key)?, Condition::Always).await
    }

    pub async fn api_key(&self, sha256: &str) -> Result<Option<ApiKey>, TableError> {
        get_as(self.0, "an API key", &keys::api_key(sha256)).await
    }

    pub async fn api_key_by_id(
        &self,
        organization: &OrganizationId,
        id: &ApiKeyId,
    ) -> Result<Option<ApiKey>, TableError> {
        get_as(self.0, "an API key", &keys::api_key_listing(organization, id)).await
    }

    /// Notes a key's use, unless it was revoked meanwhile: a note must not bring it back.
    pub async fn touch_api_key(&self, key: &ApiKey) -> Result<(), TableError> {
        let standing = || Condition::Equals("sha256", key.sha256.clone().into());
        for place in [keys::api_key(&key.sha256), keys::api_key_listing(&key.organization_id, &key.id)] {
            match self.0.put(item(&place, key)?, standing()).await {
                Ok(()) | Err(TableError::Condition(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub async fn api_keys(&self, organization: &OrganizationId) -> Result<Vec<ApiKey>, TableError> {
        let (pk, prefix) = keys::api_key_listings(organization);
        let items = self.0.query(Query::prefix(pk, prefix, 1_000)).await?;
        items.into_iter().map(|item| read("an API key", item)).collect()
    }

    /// Revokes a key: what authenticates goes first.
    pub async fn delete_api_key(&self, key: &ApiKey) -> Result<(), TableError> {
        self.0.delete(&keys::api_key(&key.sha256), Condition::Always).await?;
        self.0.delete(&keys::api_key_listing(&key.organization_id, &key.id), Condition::Always).await
    }

    /// Creates or changes a connection; conditional on the version read.
    pub async fn put_connection(&self, connection: &mut Connection) -> Result<(), TableError> {
        let condition = at_version(connection.version);
        connection.version += 1;
        let (organization, id) = (&connection.organization_id, &connection.id);
        // What a consent left that a removal overtook: a new connection works with nobody's access but its own.
        if connection.version == 1 && self.connection(organization, id).await?.is_none() {
            self.0.delete(&keys::connection_grant(organization, id), Condition::Always).await?;
        }
        self.0.put(item(&keys::connection(organization, id), connection)?, condition).await?;
        match connection.version {
            1 => self.point_to_connection(connection).await,
            _ => Ok(()),
        }
    }

    /// Writes what a connection is found by; again, where a process died before it did.
    pub async fn point_to_connection(&self, connection: &Connection) -> Result<(), TableError> {
        let (organization, id) = (&connection.organization_id, &connection.id);
        let owner = Owner { organization_id: organization.clone() };
        self.0.put(item(&keys::connection_owner(id), &owner)?, Condition::Always).await?;
        let listing = serde_json::json!({"connection_id": id});
        self.0.put(item(&keys::connection_listing(organization, id), &listing)?, Condition::Always).await?;
        let key = keys::account_organization(connection.provider, &connection.account, organization);
        self.0.put(item(&key, &owner)?, Condition::Always).await
    }

    /// The organizations that have a connection to a platform's account: several may share one.
    pub async fn organizations_of(&self, provider: Provider, account: &str) -> Result<Vec<OrganizationId>, TableError> {
        let (pk, prefix) = keys::account_organizations(provider, account);
        let found = self.0.query(Query::prefix(pk, prefix, 100)).await?;
        let owners = found.into_iter().map(|item| read::<Owner>("an account's organization", item));
        owners.map(|owner| owner.map(|owner| owner.organization_id)).collect()
    }

    pub async fn connection(
        &self,
        organization: &OrganizationId,
        id: &ConnectionId,
    ) -> Result<Option<Connection>, TableError> {
        get_as(self.0, "a connection", &keys::connection(organization, id)).await
    }

    pub async fn connection_owner(&self, id: &ConnectionId) -> Result<Option<OrganizationId>, TableError> {
        let owner = get_as::<Owner>(self.0, "a connection's owner", &keys::connection_owner(id)).await?;
        Ok(owner.map(|owner| owner.organization_id))
    }

    pub async fn connections(&self, organization: &OrganizationId) -> Result<Vec<Connection>, TableError> {
        #[derive(Deserialize)]
        struct Listing {
            connection_id: ConnectionId,
        }
        let (pk, prefix) = keys::connection_listings(organization);
        let mut connections = Vec::new();
        for found in self.0.query(Query::prefix(pk, prefix, 1_000)).await? {
            let listing: Listing = read("a connection's listing", found)?;
            connections.extend(self.connection(organization, &listing.connection_id).await?);
        }
        Ok(connections)
    }

    pub async fn project(&self, lane: &LaneId, project: &str) -> Result<Option<Project>, TableError> {
        get_as(self.0, "project settings", &keys::project(&lane.organization_id, &lane.connection_id, project)).await
    }

    /// All projects of a connection that were ever mapped.
    pub async fn projects(&self, lane: &LaneId) -> Result<Vec<Project>, TableError> {
        let (pk, prefix) = keys::projects(&lane.organization_id, &lane.connection_id);
        let items = self.0.query(Query::prefix(pk, prefix, 1_000)).await?;
        items.into_iter().map(|item| read("project settings", item)).collect()
    }

    /// Claims a platform project for an organization. `false`: another organization has it.
    pub async fn claim_project(&self, connection: &Connection, project: &str) -> Result<bool, TableError> {
        let key = keys::project_claim(connection.provider, &connection.account, project);
        let owner = Owner { organization_id: connection.organization_id.clone() };
        match self.0.put(item(&key, &owner)?, Condition::Absent).await {
            Ok(()) => Ok(true),
            Err(TableError::Condition(Some(standing))) => {
                let standing: Owner = read("a project's claim", standing)?;
                Ok(standing.organization_id == connection.organization_id)
            }
            Err(error) => Err(error),
        }
    }

    /// Which organization has a platform's project.
    pub async fn claimant(&self, connection: &Connection, project: &str) -> Result<Option<OrganizationId>, TableError> {
        let key = keys::project_claim(connection.provider, &connection.account, project);
        Ok(get_as::<Owner>(self.0, "a project's claim", &key).await?.map(|owner| owner.organization_id))
    }

    /// Keeps a project's settings (conditional on the version read) and the route that the router follows, both or neither. Where
    /// another project that stands for the site has the route, nothing is kept, and the error carries that route.
    pub async fn put_project(&self, lane: &LaneId, project: &mut Project) -> Result<(), TableError> {
        self.keep_project(lane, project, None).await
    }

    /// The same, with what its settings mean for the summary of its site.
    pub async fn put_project_settled(
        &self,
        lane: &LaneId,
        project: &mut Project,
        now: Timestamp,
    ) -> Result<(), TableError> {
        self.keep_project(lane, project, Some(now)).await
    }

    async fn keep_project(
        &self,
        lane: &LaneId,
        project: &mut Project,
        settled_at: Option<Timestamp>,
    ) -> Result<(), TableError> {
        let key = keys::project(&lane.organization_id, &lane.connection_id, &project.project_id);
        let read_at = project.version;
        project.version += 1;
        let hour = project.settings.daily_summary.at.clone();
        for _ in 0..ROUTE_TRIES {
            let free = self.free_route(lane, project).await?;
            project.settings.daily_summary.at.clone_from(&hour);
            let mut puts = match settled_at {
                Some(now) => summaries::settled(self.0, lane, project, now).await?,
                None => Vec::new(),
            };
            puts.extend([(item(&key, project)?, at_version(read_at)), (route_of(lane, project)?, free)]);
            match self.0.put_together(puts).await {
                Err(TableError::Condition(_)) => {}
                outcome => return outcome,
            }
            let standing = self.0.get(&key).await?;
            let version = standing.as_ref().and_then(|item| item.get("version")?.as_u64()).unwrap_or_default();
            if version != read_at {
                return Err(TableError::Condition(standing));
            }
        }
        Err(TableError::Unavailable("the site's route kept changing".into()))
    }

    /// On which condition the site's route may be this project's.
    async fn free_route(&self, lane: &LaneId, project: &Project) -> Result<Condition, TableError> {
        let site = &project.settings.site_id;
        let standing = self.0.get(&keys::route(&lane.organization_id, site, &lane.connection_id)).await?;
        let Some(standing) = standing else { return Ok(Condition::Absent) };
        let route = read::<Route>("a route", standing.clone())?;
        if route.project_id == project.project_id {
            return Ok(Condition::Equals("project_id", route.project_id.into()));
        }
        let holder = self.project(lane, &route.project_id).await?;
        if holder.is_some_and(|holder| holder.settings.site_id == *site) {
            return Err(TableError::Condition(Some(standing)));
        }
        // What its project has left behind counts for nothing; should that project come back meanwhile, the time is another.
        let since = standing.get("since").cloned().unwrap_or_default();
        Ok(Condition::Equals("since", since))
    }

    /// Takes a site's route away, when its project is mapped elsewhere.
    pub async fn delete_route(&self, lane: &LaneId, site: &SiteId) -> Result<(), TableError> {
        self.0.delete(&keys::route(&lane.organization_id, site, &lane.connection_id), Condition::Always).await
    }

    pub async fn route(&self, lane: &LaneId, site: &SiteId) -> Result<Option<Route>, TableError> {
        get_as(self.0, "a route", &keys::route(&lane.organization_id, site, &lane.connection_id)).await
    }

    /// Where a site's facts go.
    pub async fn routes(&self, organization: &OrganizationId, site: &SiteId) -> Result<Vec<Route>, TableError> {
        let (pk, prefix) = keys::routes(organization, site);
        self.0.query(Query::prefix(pk, prefix, 100)).await?.into_iter().map(|item| read("a route", item)).collect()
    }
}
