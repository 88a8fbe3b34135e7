//! A message's body, gathered from what is kept: the detection that it names, the zone's name, the site's clock. One per run, so
//! that a site and a zone are read once.
use domain::event::Detection;
use domain::fact::{Fact, FactBody, FactKind, IncidentFact};
use domain::ids::{OrganizationId, SiteId};
use domain::localtime;
use domain::webhook::message::Content;
use domain::webhook::payload::{Draft, Seen};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use store::directory::Directory;
use store::endpoints::Endpoint;
use store::facts::SiteFacts;
use store::{Table, TableError};

/// A body, with what it was made of where it tells of a worker: should that turn out to be a privacy case before it is sent, it is
/// made anew.
pub struct Composed {
    pub body: String,
    pub content: Option<Content>,
}

pub struct Composer<'a> {
    table: &'a dyn Table,
    public_url: &'a str,
    sites: Mutex<BTreeMap<SiteId, (String, TimeZone)>>,
    zones: Mutex<BTreeMap<(SiteId, String), String>>,
}

impl<'a> Composer<'a> {
    pub fn new(table: &'a dyn Table, public_url: &'a str) -> Self {
        Self { table, public_url, sites: Mutex::default(), zones: Mutex::default() }
    }

    /// The body of a message with this number. `None`: what it is about is not kept any more.
    pub async fn body(
        &self,
        endpoint: &Endpoint,
        content: &Content,
        message_id: &str,
        sequence: u64,
    ) -> Result<Option<Composed>, TableError> {
        let organization = &endpoint.organization_id;
        let detection = self.detection(organization, content).await?;
        let of_worker = match &detection {
            Some((_, detection)) => detection.worker.is_some(),
            None => matches!(content, Content::Incident { .. }),
        };
        let private = of_worker && self.is_private(organization, content).await?;
        let told = if private { content.clone().made_private() } else { content.clone() };
        let seen = detection.as_ref().map(|(fact, detection)| Seen { detection, told_at: fact.event_time, private });
        let zone_id = match (content, &detection) {
            (_, Some((_, detection))) => Some(detection.zone_id.as_str()),
            (Content::Incident { fact, .. }, None) => fact.incident.as_ref().map(|incident| incident.zone_id.as_str()),
            _ => None,
        };
        let zone_name = match (content.site_id(), zone_id) {
            (Some(site), Some(zone_id)) => self.zone(organization, site, zone_id).await?,
            _ => String::new(),
        };
        let (site_name, time_zone) = match content.site_id() {
            Some(site) => self.site(organization, site).await?,
            None => (String::new(), TimeZone::UTC),
        };
        let draft = Draft {
            message_id,
            sequence,
            endpoint_id: &endpoint.id,
            organization_id: organization,
            platform: endpoint.platform,
            format: endpoint.format,
            public_url: self.public_url,
            content: &told,
            seen,
            zone_name: &zone_name,
            site_name: &site_name,
            time_zone: &time_zone,
        };
        let body = draft.body();
        Ok(body.map(|body| Composed { body, content: (of_worker && !private).then_some(told) }))
    }

    async fn detection(
        &self,
        organization_id: &OrganizationId,
        content: &Content,
    ) -> Result<Option<(Fact, Detection)>, TableError> {
        let Content::Detection { site_id, detection_id } = content else { return Ok(None) };
        let facts = SiteFacts { table: self.table, organization_id, site_id };
        let fact = facts.get(FactKind::Detection, detection_id).await?;
        Ok(fact.and_then(|fact| match &fact.body {
            FactBody::Detection(detection) => Some((fact.clone(), detection.clone())),
            _ => None,
        }))
    }

    /// Whether an incident is a privacy case, as it is told or as it stands by now, or one that names the detection: then nothing may
    /// tell who it was.
    pub async fn is_private(&self, organization_id: &OrganizationId, content: &Content) -> Result<bool, TableError> {
        let facts = |site_id| SiteFacts { table: self.table, organization_id, site_id };
        match content {
            Content::Detection { site_id, detection_id } => {
                let incidents = facts(site_id).incidents_of(detection_id).await?;
                Ok(incidents.iter().filter_map(privacy_case).any(|incident| incident.has_detection(detection_id)))
            }
            Content::Incident { site_id, fact, .. } => {
                let standing = facts(site_id).get(FactKind::Incident, &fact.incident_id).await?;
                Ok(fact.is_privacy_case() || standing.as_ref().and_then(privacy_case).is_some())
            }
            Content::Summary { .. } | Content::Ping { .. } => Ok(false),
        }
    }

    /// The zone's name, or its id where it is not known.
    async fn zone(&self, organization_id: &OrganizationId, site: &SiteId, id: &str) -> Result<String, TableError> {
        let key = (site.clone(), id.to_owned());
        if let Some(name) = self.zones.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(name.clone());
        }
        let facts = SiteFacts { table: self.table, organization_id, site_id: site };
        let name = match facts.get(FactKind::Zone, id).await? {
            Some(Fact { body: FactBody::Zone(zone), .. }) => zone.name,
            _ => id.to_owned(),
        };
        self.zones.lock().unwrap_or_else(PoisonError::into_inner).insert(key, name.clone());
        Ok(name)
    }

    /// Its name and its clock.
    async fn site(&self, organization: &OrganizationId, id: &SiteId) -> Result<(String, TimeZone), TableError> {
        if let Some(site) = self.sites.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(site.clone());
        }
        let known = Directory(self.table).site(organization, id).await?;
        let (name, clock) = known.map(|site| (site.name, site.time_zone)).unwrap_or_default();
        let site = (name, localtime::zone(&clock).unwrap_or(TimeZone::UTC));
        self.sites.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), site.clone());
        Ok(site)
    }
}

fn privacy_case(fact: &Fact) -> Option<&IncidentFact> {
    match &fact.body {
        FactBody::Incident(incident) if incident.is_privacy_case() => Some(incident),
        _ => None,
    }
}
