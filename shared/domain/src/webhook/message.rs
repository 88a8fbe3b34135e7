//! Messages: what an endpoint is told, once per fact and revision, and per day and revision. The id comes from endpoint, fact and revision: whoever decides
//! it again, after a crash or in a recovery, comes to the same message.
use super::Wants;
use crate::fact::{Fact, FactBody, IncidentFact};
use crate::ids::{EndpointId, SiteId};
use crate::marker::crockford;
use crate::record::{RecordKey, RecordKind, WorkClass};
use crate::summary::count::Day;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const TYPE_PREFIX: &str = "com.hardhatpulse.";

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Content {
    /// A detection never changes, so it is read when it is sent.
    Detection { site_id: SiteId, detection_id: String },
    /// This revision, whatever comes after it.
    Incident {
        site_id: SiteId,
        fact: Box<IncidentFact>,
        /// The first that was known of it.
        first: bool,
        /// When the edge told it.
        at: Timestamp,
    },
    /// A site's day as it was counted then, whatever is counted later.
    Summary { site_id: SiteId, day: Box<Day>, revision: u64, counted_at: Timestamp },
    /// Shows that the address takes what we send.
    Ping { id: String, asked_at: Timestamp },
}

/// The CloudEvents types that go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MessageType {
    #[serde(rename = "com.hardhatpulse.detection.recorded.v1")]
    DetectionRecorded,
    #[serde(rename = "com.hardhatpulse.incident.confirmed.v1")]
    IncidentConfirmed,
    #[serde(rename = "com.hardhatpulse.incident.updated.v1")]
    IncidentUpdated,
    #[serde(rename = "com.hardhatpulse.incident.retracted.v1")]
    IncidentRetracted,
    #[serde(rename = "com.hardhatpulse.summary.daily.v1")]
    DailySummary,
    #[serde(rename = "com.hardhatpulse.ping.v1")]
    Ping,
}

impl MessageType {
    pub const ALL: [MessageType; 6] = [
        MessageType::DetectionRecorded,
        MessageType::IncidentConfirmed,
        MessageType::IncidentUpdated,
        MessageType::IncidentRetracted,
        MessageType::DailySummary,
        MessageType::Ping,
    ];

    /// Without the prefix that all share.
    pub fn short(self) -> &'static str {
        match self {
            MessageType::DetectionRecorded => "detection.recorded.v1",
            MessageType::IncidentConfirmed => "incident.confirmed.v1",
            MessageType::IncidentUpdated => "incident.updated.v1",
            MessageType::IncidentRetracted => "incident.retracted.v1",
            MessageType::DailySummary => "summary.daily.v1",
            MessageType::Ping => "ping.v1",
        }
    }
}

impl std::fmt::Display for MessageType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{TYPE_PREFIX}{}", self.short())
    }
}

impl Content {
    /// What an endpoint that is there since `since` is told of a fact that came in now. Zones, workers and samples are not sent.
    pub fn of(wants: &Wants, since: Timestamp, site_id: &SiteId, fact: &Fact) -> Option<Self> {
        if !wants.site(site_id) || fact.received_at < since {
            return None;
        }
        let site_id = site_id.clone();
        match &fact.body {
            FactBody::Detection(detection) => wants
                .detection(detection)
                .then(|| Content::Detection { site_id, detection_id: detection.detection_id.clone() }),
            FactBody::Incident(incident) => {
                let first = fact.first_arrival == fact.arrival;
                let fact_of = IncidentFact { former_detection_ids: Vec::new(), ..incident.clone() };
                Some(Content::Incident { site_id, fact: Box::new(fact_of), first, at: fact.event_time })
            }
            FactBody::Zone(_) | FactBody::Worker(_) | FactBody::PpeSample(_) => None,
        }
    }

    /// The same for the same endpoint, fact and revision: the webhook-id.
    pub fn id(&self, endpoint: &EndpointId) -> String {
        let (site, about) = match self {
            Content::Detection { site_id, detection_id } => (site_id.as_str(), format!("detection\n{detection_id}")),
            Content::Incident { site_id, fact, .. } => {
                let what = if fact.is_retracted() { "retraction" } else { "incident" };
                (site_id.as_str(), format!("{what}\n{}\n{}", fact.incident_id, fact.revision))
            }
            Content::Summary { site_id, day, revision, .. } => {
                (site_id.as_str(), format!("summary\n{}\n{revision}", day.report.date))
            }
            Content::Ping { id, .. } => ("", format!("ping\n{id}")),
        };
        format!("msg_{}", crockford(format!("{endpoint}\n{site}\n{about}").as_bytes(), 26))
    }

    pub fn message_type(&self) -> MessageType {
        match self {
            Content::Detection { .. } => MessageType::DetectionRecorded,
            Content::Incident { fact, .. } if fact.is_retracted() => MessageType::IncidentRetracted,
            Content::Incident { first: true, .. } => MessageType::IncidentConfirmed,
            Content::Incident { .. } => MessageType::IncidentUpdated,
            Content::Summary { .. } => MessageType::DailySummary,
            Content::Ping { .. } => MessageType::Ping,
        }
    }

    /// The same, told as of a privacy case.
    pub fn made_private(mut self) -> Self {
        if let Content::Incident { fact, .. } = &mut self
            && let Some(incident) = &mut fact.incident
        {
            incident.privacy_case = true;
        }
        self
    }

    /// The id of what it is about; of a summary its date.
    pub fn subject_id(&self) -> String {
        match self {
            Content::Detection { detection_id, .. } => detection_id.clone(),
            Content::Incident { fact, .. } => fact.incident_id.clone(),
            Content::Summary { day, .. } => day.report.date.to_string(),
            Content::Ping { id, .. } => id.clone(),
        }
    }

    pub fn site_id(&self) -> Option<&SiteId> {
        match self {
            Content::Detection { site_id, .. }
            | Content::Incident { site_id, .. }
            | Content::Summary { site_id, .. } => Some(site_id),
            Content::Ping { .. } => None,
        }
    }

    /// The record by which platforms know the same fact: it has the same marker and the same page.
    pub fn record(&self) -> Option<RecordKey> {
        let kind = match self {
            Content::Detection { .. } => RecordKind::Observation,
            Content::Incident { .. } => RecordKind::Incident,
            Content::Summary { .. } => RecordKind::DailySummary,
            Content::Ping { .. } => return None,
        };
        Some(RecordKey { kind, site_id: self.site_id()?.clone(), fact_id: self.subject_id() })
    }

    /// Text that sorts messages as they should go out: a ping, then incidents, summaries, the rest; each by the fact's own time,
    /// then by revision.
    pub fn order(&self) -> String {
        let (rank, at, revision) = match self {
            Content::Ping { asked_at, .. } => (0, *asked_at, 0),
            Content::Incident { fact, .. } => (1 + WorkClass::Incident.rank(), self.fact_at(), fact.revision),
            Content::Summary { revision, .. } => (1 + WorkClass::Summary.rank(), self.fact_at(), *revision),
            Content::Detection { .. } => (1 + WorkClass::Observation.rank(), self.fact_at(), 0),
        };
        format!("{rank}#{at:.3}#{}#{revision:020}", self.subject_id())
    }

    fn fact_at(&self) -> Timestamp {
        self.record().map_or(Timestamp::UNIX_EPOCH, |record| record.at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Retraction;

    fn incident(revision: u64, retracted: bool, first: bool) -> Content {
        let incident_id = "01JD0000000000000000000001".to_owned();
        let retraction =
            retracted.then(|| Retraction { incident_id: incident_id.clone(), revision, reason: "twice".into() });
        let fact = IncidentFact { incident_id, revision, incident: None, retraction, former_detection_ids: vec![] };
        let site_id = SiteId::new(ulid::Ulid::from_parts(1, 1));
        Content::Incident { site_id, fact: Box::new(fact), first, at: Timestamp::UNIX_EPOCH }
    }

    fn endpoint(n: u128) -> EndpointId {
        EndpointId::new(ulid::Ulid::from_parts(2, n))
    }

    #[test]
    fn an_id_comes_from_endpoint_fact_and_revision_alone() {
        let id = incident(1, false, true).id(&endpoint(1));
        assert_eq!(id.len(), 30);
        assert!(id.starts_with("msg_") && !id.contains('.'));
        assert_eq!(id, incident(1, false, false).id(&endpoint(1)), "which was first may look otherwise after a crash");
        for other in [
            incident(1, false, true).id(&endpoint(2)),
            incident(2, false, true).id(&endpoint(1)),
            incident(1, true, true).id(&endpoint(1)),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn revisions_of_an_incident_go_out_in_their_order_and_before_detections() {
        let site_id = SiteId::new(ulid::Ulid::from_parts(1, 1));
        let detection = Content::Detection { site_id, detection_id: "01JD0000000000000000000000".into() };
        let ping = Content::Ping { id: "x".into(), asked_at: "2026-11-24T16:00:00Z".parse().unwrap() };
        let mut order =
            [detection.order(), incident(10, false, false).order(), incident(9, true, false).order(), ping.order()];
        order.sort();
        assert_eq!(
            order,
            [ping.order(), incident(9, true, false).order(), incident(10, false, false).order(), detection.order()]
        );
    }

    #[test]
    fn the_type_says_what_became_of_an_incident() {
        assert_eq!(incident(1, false, true).message_type().to_string(), "com.hardhatpulse.incident.confirmed.v1");
        assert_eq!(incident(2, false, false).message_type().to_string(), "com.hardhatpulse.incident.updated.v1");
        assert_eq!(incident(2, true, false).message_type().to_string(), "com.hardhatpulse.incident.retracted.v1");
    }
}
