//! Which records follow from a fact: decided by each connection's project settings. A site without a mapped project has no
//! route, and sends nothing.
use crate::event::Detection;
use crate::fact::{Fact, FactBody};
use crate::ids::{ConnectionId, Provider, SiteId};
use crate::record::{RecordKey, RecordKind};
use crate::settings::ProjectSettings;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A site's way to one platform project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    pub connection_id: ConnectionId,
    pub provider: Provider,
    pub project_id: String,
    pub settings: ProjectSettings,
    /// What arrived before the project was mapped is not sent.
    pub since: Timestamp,
}

impl Route {
    /// Whether a detection that arrived then is pushed as an observation of its own.
    pub fn wants(&self, detection: &Detection, received_at: Timestamp) -> bool {
        let wanted = &self.settings.observations;
        received_at >= self.since && detection.priority >= wanted.min_priority && wanted.kinds.includes(&detection.kind)
    }

    /// The records that must be looked at again after `fact` changed. An incident's detections are decided again with it, also
    /// those that a revision dropped.
    pub fn records(&self, site: &SiteId, fact: &Fact) -> Vec<RecordKey> {
        let key = |kind, fact_id: &str| RecordKey { kind, site_id: site.clone(), fact_id: fact_id.to_owned() };
        match &fact.body {
            FactBody::Detection(d) if self.wants(d, fact.received_at) => {
                vec![key(RecordKind::Observation, &d.detection_id)]
            }
            FactBody::Incident(incident) => {
                let named = incident.incident.iter().flat_map(|i| &i.detection_ids);
                let detections: BTreeSet<&String> = named.chain(&incident.former_detection_ids).collect();
                let mut records = vec![key(RecordKind::Incident, &incident.incident_id)];
                records.extend(detections.into_iter().map(|id| key(RecordKind::Observation, id)));
                records
            }
            FactBody::Detection(_) | FactBody::Zone(_) | FactBody::Worker(_) | FactBody::PpeSample(_) => Vec::new(),
        }
    }
}
