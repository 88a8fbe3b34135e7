//! A message's body, gathered from what is kept: the detection that it names, the zone's name, the site's clock. One per run, so
//! that a site and a zone are read once.
use domain::event::Detection;
use domain::fact::{Fact, FactBody, FactKind};
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
    ) -> Result<Option<String>, TableError> {
        let organization = &endpoint.organization_id;
        let detection = self.detection(organization, content).await?;
        let seen = match &detection {
            Some((fact, detection)) => {
                let private = self.is_private(organization, content, detection).await?;
                Some(Seen { detection, told_at: fact.event_time, private })
            }
            None => None,
        };
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
            content,
            seen,
            zone_name: &zone_name,
            site_name: &site_name,
            time_zone: &time_zone,
        };
        Ok(draft.body())
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

    /// Whether an incident that names the detection is a privacy case: then nothing of it may tell who it was.
    async fn is_private(
        &self,
        organization_id: &OrganizationId,
        content: &Content,
        detection: &Detection,
    ) -> Result<bool, TableError> {
        let Some(site_id) = content.site_id().filter(|_| detection.worker.is_some()) else { return Ok(false) };
        let facts = SiteFacts { table: self.table, organization_id, site_id };
        let incidents = facts.incidents_of(&detection.detection_id).await?;
        Ok(incidents.iter().any(|fact| match &fact.body {
            FactBody::Incident(incident) => {
                let private = incident.incident.as_ref().is_some_and(|incident| incident.privacy_case);
                private && incident.has_detection(&detection.detection_id)
            }
            _ => false,
        }))
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
