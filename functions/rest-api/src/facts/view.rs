//! What is shown of a fact: what the edge said, where it stands on platforms, when it came. The worker's id is for an
//! organization's own keys; nothing else about a person exists here.
use domain::fact::{Fact, FactBody, FactKind};
use domain::ids::{ConnectionId, Provider, SiteId};
use domain::record::{RecordKey, RecordKind};
use domain::treatment::Treatment;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

mod treated;
use store::directory::{Connection, Directory, Site};
use store::lanes::Link;
use store::table::read;
use store::{Table, TableError, keys};
use treated::{TreatmentView, treatment};
use utoipa::ToSchema;

/// Where a fact stands at a platform.
#[derive(Debug, Serialize, ToSchema)]
struct OnPlatform {
    connection_id: ConnectionId,
    provider: Provider,
    remote_id: String,
    remote_url: Option<String>,
    /// The status that it has there as far as we know, in the platform's word.
    status: Option<String>,
    comments: Vec<String>,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptFact)]
pub struct View {
    #[serde(flatten)]
    #[schema(ignore)]
    content: Map<String, Value>,
    /// Of a detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_footage: Option<bool>,
    /// Of an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    retracted: Option<bool>,
    /// Of an incident; null while it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    retraction_reason: Option<Option<String>>,
    site_id: SiteId,
    received_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    treatment: Option<TreatmentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platforms: Option<Vec<OnPlatform>>,
}

/// Shows facts of one site.
pub struct Viewer<'a> {
    pub table: &'a dyn Table,
    pub site: &'a Site,
}

impl Viewer<'_> {
    pub async fn show(&self, facts: Vec<Fact>) -> Result<Vec<View>, TableError> {
        let mut platforms = self.platforms(&facts).await?;
        facts
            .into_iter()
            .map(|fact| {
                let mut on =
                    record_kind(fact.body.kind()).map(|_| platforms.remove(fact.body.id()).unwrap_or_default());
                for platform in on.iter_mut().flatten() {
                    platform.told(&fact.treatment);
                }
                let received_at = fact.received_at;
                let treatment = treatment(&fact);
                let has_footage = has_footage(&fact.body);
                let (retracted, retraction_reason) = retraction(&fact.body).unzip();
                let content = content(fact.body)?;
                Ok(View {
                    content,
                    has_footage,
                    retracted,
                    retraction_reason,
                    site_id: self.site.id.clone(),
                    received_at,
                    treatment,
                    platforms: on,
                })
            })
            .collect()
    }

    /// By the facts' ids; a list holds facts of one kind.
    async fn platforms(&self, facts: &[Fact]) -> Result<BTreeMap<String, Vec<OnPlatform>>, TableError> {
        let mut found: BTreeMap<String, Vec<OnPlatform>> = BTreeMap::new();
        let record = |fact: &Fact| {
            let kind = record_kind(fact.body.kind())?;
            Some(RecordKey { kind, site_id: self.site.id.clone(), fact_id: fact.body.id().to_owned() })
        };
        let records: Vec<RecordKey> = facts.iter().filter_map(record).collect();
        if records.is_empty() {
            return Ok(found);
        }
        for connection in Directory(self.table).connections(&self.site.organization_id).await? {
            let pk = connection.lane().pk();
            let keys: Vec<_> = records.iter().map(|record| keys::link(&pk, record)).collect();
            for item in self.table.get_many(&keys).await? {
                let link: Link = read("a link", item)?;
                let id = link.record.fact_id.clone();
                found.entry(id).or_default().extend(on_platform(&connection, link));
            }
        }
        Ok(found)
    }
}

impl OnPlatform {
    /// What people did there stands over what we did.
    fn told(&mut self, treatment: &Treatment) {
        let Some(account) = treatment.of_connection(&self.connection_id) else { return };
        if account.status.is_some() {
            self.status = account.status.clone();
        }
        self.comments = account.comments.clone();
        self.updated_at = account.updated_at.map_or(self.updated_at, |at| at.max(self.updated_at));
    }
}

fn on_platform(connection: &Connection, link: Link) -> Option<OnPlatform> {
    Some(OnPlatform {
        connection_id: connection.id.clone(),
        provider: connection.provider,
        remote_id: link.remote_id?,
        remote_url: link.remote_url,
        status: link.gave_status,
        comments: Vec::new(),
        updated_at: link.updated_at,
    })
}

fn record_kind(kind: FactKind) -> Option<RecordKind> {
    match kind {
        FactKind::Detection => Some(RecordKind::Observation),
        FactKind::Incident => Some(RecordKind::Incident),
        FactKind::Zone | FactKind::Worker | FactKind::PpeSample => None,
    }
}

fn has_footage(body: &FactBody) -> Option<bool> {
    let FactBody::Detection(detection) = body else { return None };
    Some(detection.footage.is_some())
}

/// Whether, and why.
fn retraction(body: &FactBody) -> Option<(bool, Option<String>)> {
    let FactBody::Incident(fact) = body else { return None };
    let retracted = fact.is_retracted();
    Some((retracted, fact.retraction.as_ref().filter(|_| retracted).map(|retraction| retraction.reason.clone())))
}

/// The members of contracts 6.2. Where footage lies is told by its own path alone.
fn content(body: FactBody) -> Result<Map<String, Value>, TableError> {
    let members = match &body {
        FactBody::Detection(detection) => serde_json::to_value(detection),
        FactBody::Incident(fact) => serde_json::to_value(&fact.incident),
        FactBody::Zone(zone) => serde_json::to_value(zone),
        FactBody::Worker(worker) => serde_json::to_value(worker),
        FactBody::PpeSample(sample) => serde_json::to_value(sample),
    };
    let members = members.map_err(|e| TableError::Malformed { what: "a fact", why: e.to_string() })?;
    let mut members = match members {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.remove("footage");
    if let FactBody::Incident(fact) = &body {
        members.insert("incident_id".into(), fact.incident_id.clone().into());
        members.insert("revision".into(), fact.revision.into());
    }
    Ok(members)
}
