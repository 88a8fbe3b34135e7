//! Webhook endpoints: a customer's own receivers, and what each wants.
use crate::directory::{Owner, SealedSecret, at_version};
use crate::keys;
use crate::lanes::LaneId;
use crate::table::{Condition, Query, Table, TableError, get_as, item, read};
use domain::ids::{EndpointId, OrganizationId, Provider, SiteId};
use domain::webhook::{Format, Platform, Wants};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Endpoints of an organization that are read at most.
const MOST: usize = 1_000;
const TRIES: usize = 5;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: EndpointId,
    pub organization_id: OrganizationId,
    pub platform: Platform,
    pub format: Format,
    pub name: String,
    /// Sealed: relays have their secret in it.
    pub url: String,
    /// Sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Newest first; while a secret rotates, two are valid.
    pub secrets: Vec<SealedSecret>,
    pub wants: Wants,
    pub state: EndpointState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// What came in before is not sent by itself.
    pub created_at: Timestamp,
    /// What it did not take before counts no more: its address changed, a person had it tried again, or it took a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_since: Option<Timestamp>,
    /// Grows when a person changes it.
    #[serde(default)]
    pub edition: u64,
    /// Grows with each write; a write is conditional on the value read.
    #[serde(default)]
    pub version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum EndpointState {
    /// It has never taken a message.
    Untested,
    Active,
    /// Nothing is sent until a person says so.
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disabled {
    pub reason: String,
    pub since: Timestamp,
    /// The bus was told.
    #[serde(default)]
    pub told: bool,
}

impl Endpoint {
    pub fn lane(&self) -> LaneId {
        lane(&self.organization_id, &self.id)
    }

    pub fn is_disabled(&self) -> bool {
        self.state == EndpointState::Disabled
    }
}

/// The lane of an endpoint.
pub fn lane(organization: &OrganizationId, id: &EndpointId) -> LaneId {
    LaneId { organization_id: organization.clone(), connection_id: id.lane(), provider: Provider::Webhook }
}

#[derive(Clone, Copy)]
pub struct Endpoints<'a>(pub &'a dyn Table);

impl Endpoints<'_> {
    /// Creates or changes one; conditional on the version read.
    pub async fn put(&self, endpoint: &mut Endpoint) -> Result<(), TableError> {
        if endpoint.version == 0 {
            let owner = Owner { organization_id: endpoint.organization_id.clone() };
            self.0.put(item(&keys::endpoint_owner(&endpoint.id), &owner)?, Condition::Always).await?;
        }
        let condition = at_version(endpoint.version);
        let mut next = endpoint.clone();
        next.version += 1;
        self.0.put(item(&keys::endpoint(&next.organization_id, &next.id), &next)?, condition).await?;
        *endpoint = next;
        Ok(())
    }

    pub async fn get(&self, organization: &OrganizationId, id: &EndpointId) -> Result<Option<Endpoint>, TableError> {
        get_as(self.0, "a webhook endpoint", &keys::endpoint(organization, id)).await
    }

    pub async fn owner(&self, id: &EndpointId) -> Result<Option<OrganizationId>, TableError> {
        let owner = get_as::<Owner>(self.0, "a webhook endpoint's owner", &keys::endpoint_owner(id)).await?;
        Ok(owner.map(|owner| owner.organization_id))
    }

    pub async fn list(&self, organization: &OrganizationId) -> Result<Vec<Endpoint>, TableError> {
        let (pk, prefix) = keys::endpoints(organization);
        let found = self.0.query(Query::prefix(pk, prefix, MOST)).await?;
        found.into_iter().map(|item| read("a webhook endpoint", item)).collect()
    }

    /// Those that are told of a site's days. A disabled one is among them: the days that it misses are cut off too, so that it can
    /// have them when it recovers.
    pub async fn of_summaries(
        &self,
        organization: &OrganizationId,
        site: &SiteId,
    ) -> Result<Vec<Endpoint>, TableError> {
        let mut endpoints = self.list(organization).await?;
        endpoints.retain(|endpoint| endpoint.wants.daily_summary && endpoint.wants.site(site));
        Ok(endpoints)
    }

    /// Changes what stands, whatever else changes it at the same moment. `change` says whether anything is to be written. `None`:
    /// it is not there any more.
    pub async fn change(
        &self,
        organization: &OrganizationId,
        id: &EndpointId,
        mut change: impl FnMut(&mut Endpoint) -> bool,
    ) -> Result<Option<Endpoint>, TableError> {
        for _ in 0..TRIES {
            let Some(mut endpoint) = self.get(organization, id).await? else { return Ok(None) };
            if !change(&mut endpoint) {
                return Ok(Some(endpoint));
            }
            match self.put(&mut endpoint).await {
                Err(TableError::Condition(_)) => {}
                outcome => return outcome.map(|()| Some(endpoint)),
            }
        }
        Err(TableError::Unavailable("the webhook endpoint kept changing".into()))
    }

    /// It is gone at once. Its lane finds nothing to do and clears up.
    pub async fn delete(&self, endpoint: &Endpoint) -> Result<(), TableError> {
        self.0.delete(&keys::endpoint(&endpoint.organization_id, &endpoint.id), Condition::Always).await?;
        self.0.delete(&keys::endpoint_owner(&endpoint.id), Condition::Always).await
    }
}
