//! Facts: what we keep of events, each with where it came from and its place in the order of arrival.
use crate::event::{Detection, Event, EventBody, Incident, PpeSample, Retraction, WorkerAssignment, Zone};
use crate::message::Origin;
use crate::treatment::Treatment;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The kinds of facts that a site keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    Detection,
    Incident,
    Zone,
    Worker,
    PpeSample,
}

/// A fact as kept: its latest content, the arrival entry it stands in, and the webhook it came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub body: FactBody,
    /// The number of the arrival entry that this content belongs to.
    pub arrival: u64,
    /// Which part of the webhook; with `origin` it names the message it came in.
    pub part: u32,
    /// [`crate::message::digest`] of that message.
    #[serde(default)]
    pub digest: String,
    pub event_id: String,
    pub event_time: Timestamp,
    pub received_at: Timestamp,
    pub origin: Origin,
    /// An incident's: the entry in which it first stood. 0: not known, or it stands in none as an incident.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first_arrival: u64,
    /// An incident's, once revised: when it was first received. Records are not made of what came before a project was mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_received_at: Option<Timestamp>,
    /// What people added to it at platforms or through the API. No record is rendered from it.
    #[serde(default, skip_serializing_if = "Treatment::is_untold")]
    pub treatment: Treatment,
    /// The message that brought the last of it, if nothing came from the edge since: then the arrival entry is that message's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched_by: Option<String>,
    /// The entry that it first came in was never written: the one that tells what people added counts it, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Fact {
    /// The message that its arrival entry belongs to: the one that this content came in, or a later one about treatment.
    pub fn message_id(&self) -> String {
        self.touched_by.clone().unwrap_or_else(|| self.origin.message_id(self.part, &self.digest))
    }
}

impl Fact {
    pub fn first_received(&self) -> Timestamp {
        self.first_received_at.unwrap_or(self.received_at)
    }

    /// Whether it is an incident of which more is known than that it was retracted.
    pub fn is_confirmed_incident(&self) -> bool {
        matches!(&self.body, FactBody::Incident(incident) if incident.incident.is_some())
    }
}

/// The content of a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum FactBody {
    Detection(Detection),
    Incident(IncidentFact),
    Zone(Zone),
    Worker(WorkerAssignment),
    PpeSample(PpeSample),
}

/// An incident's latest revision, or its retraction, or both: a retraction keeps what was last known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentFact {
    pub incident_id: String,
    /// The higher of the two revisions below.
    pub revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retraction: Option<Retraction>,
    /// Detections that an earlier revision named and the latest does not: they are decided again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_detection_ids: Vec<String>,
}

impl IncidentFact {
    /// Retracted, unless a later revision took the retraction back.
    pub fn is_retracted(&self) -> bool {
        let known = self.incident.as_ref().map_or(0, |i| i.revision);
        self.retraction.as_ref().is_some_and(|r| r.revision >= known)
    }

    /// The incident, when it stands, is recordable and takes its detections with it.
    pub fn stands_recordable(&self) -> bool {
        !self.is_retracted() && self.incident.as_ref().is_some_and(|i| i.recordable)
    }

    /// 29 CFR 1904.29(b)(7).
    pub fn is_privacy_case(&self) -> bool {
        self.incident.as_ref().is_some_and(|incident| incident.privacy_case)
    }

    pub fn has_detection(&self, detection_id: &str) -> bool {
        self.incident.as_ref().is_some_and(|i| i.detection_ids.iter().any(|d| d == detection_id))
    }
}

/// What became of an event when it met what was already kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// New, or a higher revision: this is now the fact's content.
    New(Box<FactBody>),
    /// Equal to, or older than, what is kept.
    Known,
    /// The same id and (where it has one) revision, with other content: the first stands.
    Contradicts,
}

impl Kept {
    fn new(body: FactBody) -> Self {
        Kept::New(Box::new(body))
    }
}

impl FactBody {
    pub fn kind(&self) -> FactKind {
        match self {
            FactBody::Detection(_) => FactKind::Detection,
            FactBody::Incident(_) => FactKind::Incident,
            FactBody::Zone(_) => FactKind::Zone,
            FactBody::Worker(_) => FactKind::Worker,
            FactBody::PpeSample(_) => FactKind::PpeSample,
        }
    }

    /// The id that the edge gave it.
    pub fn id(&self) -> &str {
        match self {
            FactBody::Detection(d) => &d.detection_id,
            FactBody::Incident(i) => &i.incident_id,
            FactBody::Zone(z) => &z.zone_id,
            FactBody::Worker(w) => &w.worker_id,
            FactBody::PpeSample(s) => &s.sample_id,
        }
    }

    /// The fact's own time, on which lists filter. Zones have none: `None` stands for the event's time.
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            FactBody::Detection(d) => Some(d.detected_at),
            FactBody::Incident(i) => i.incident.as_ref().map(|i| i.occurred_at),
            FactBody::Zone(_) => None,
            FactBody::Worker(w) => Some(w.from),
            FactBody::PpeSample(s) => Some(s.sampled_to),
        }
    }
}

/// Which fact an event is about.
pub fn subject(event: &Event) -> (FactKind, &str) {
    match &event.body {
        EventBody::Detection(d) => (FactKind::Detection, &d.detection_id),
        EventBody::IncidentConfirmed(i) | EventBody::IncidentUpdated(i) => (FactKind::Incident, &i.incident_id),
        EventBody::IncidentRetracted(r) => (FactKind::Incident, &r.incident_id),
        EventBody::Zone(z) => (FactKind::Zone, &z.zone_id),
        EventBody::Worker(w) => (FactKind::Worker, &w.worker_id),
        EventBody::PpeSample(s) => (FactKind::PpeSample, &s.sample_id),
    }
}

/// What keeping `event` does to what is known. A higher revision wins whatever the order of arrival; what has no revision
/// never changes.
pub fn keep(known: Option<&FactBody>, event: &EventBody) -> Kept {
    match (known, event) {
        (known, EventBody::Detection(new)) => match known {
            None => Kept::new(FactBody::Detection(new.clone())),
            Some(FactBody::Detection(old)) if old == new => Kept::Known,
            Some(_) => Kept::Contradicts,
        },
        (known, EventBody::PpeSample(new)) => match known {
            None => Kept::new(FactBody::PpeSample(new.clone())),
            Some(FactBody::PpeSample(old)) if old == new => Kept::Known,
            Some(_) => Kept::Contradicts,
        },
        (known, EventBody::Zone(new)) => match known {
            Some(FactBody::Zone(old)) => by_revision(old, new, (old.revision, new.revision), FactBody::Zone),
            _ => Kept::new(FactBody::Zone(new.clone())),
        },
        (known, EventBody::Worker(new)) => match known {
            Some(FactBody::Worker(old)) => by_revision(old, new, (old.revision, new.revision), FactBody::Worker),
            _ => Kept::new(FactBody::Worker(new.clone())),
        },
        (known, EventBody::IncidentConfirmed(new) | EventBody::IncidentUpdated(new)) => {
            keep_incident(incident(known), new)
        }
        (known, EventBody::IncidentRetracted(new)) => keep_retraction(incident(known), new),
    }
}

fn by_revision<T: PartialEq + Clone>(old: &T, new: &T, revisions: (u64, u64), wrap: fn(T) -> FactBody) -> Kept {
    match revisions {
        (kept, came) if came > kept => Kept::new(wrap(new.clone())),
        (kept, came) if came == kept && old != new => Kept::Contradicts,
        _ => Kept::Known,
    }
}

fn incident(known: Option<&FactBody>) -> Option<&IncidentFact> {
    match known {
        Some(FactBody::Incident(fact)) => Some(fact),
        _ => None,
    }
}

fn keep_incident(known: Option<&IncidentFact>, new: &Incident) -> Kept {
    let retraction = known.and_then(|k| k.retraction.clone());
    let revision = new.revision.max(retraction.as_ref().map_or(0, |r| r.revision));
    let fresh = || {
        Kept::new(FactBody::Incident(IncidentFact {
            incident_id: new.incident_id.clone(),
            revision,
            incident: Some(new.clone()),
            retraction: retraction.clone(),
            former_detection_ids: former_detections(known, new),
        }))
    };
    match known.and_then(|k| k.incident.as_ref()) {
        Some(old) if old.revision > new.revision => Kept::Known,
        Some(old) if old.revision == new.revision && old == new => Kept::Known,
        Some(old) if old.revision == new.revision => Kept::Contradicts,
        _ => fresh(),
    }
}

fn keep_retraction(known: Option<&IncidentFact>, new: &Retraction) -> Kept {
    let incident = known.and_then(|k| k.incident.clone());
    match known.and_then(|k| k.retraction.as_ref()) {
        Some(old) if old.revision > new.revision => Kept::Known,
        Some(old) if old.revision == new.revision && old == new => Kept::Known,
        Some(old) if old.revision == new.revision => Kept::Contradicts,
        _ => Kept::new(FactBody::Incident(IncidentFact {
            incident_id: new.incident_id.clone(),
            revision: new.revision.max(incident.as_ref().map_or(0, |i| i.revision)),
            incident,
            retraction: Some(new.clone()),
            former_detection_ids: known.map(|k| k.former_detection_ids.clone()).unwrap_or_default(),
        })),
    }
}

fn former_detections(known: Option<&IncidentFact>, new: &Incident) -> Vec<String> {
    let before = known.into_iter().flat_map(|k| {
        let named = k.incident.iter().flat_map(|i| &i.detection_ids);
        named.chain(&k.former_detection_ids)
    });
    let former: std::collections::BTreeSet<&String> = before.filter(|id| !new.detection_ids.contains(id)).collect();
    former.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Classification, OshaLog, Worker};
    use proptest::prelude::*;

    fn incident(revision: u64, detection_ids: &[&str]) -> EventBody {
        EventBody::IncidentUpdated(Incident {
            incident_id: "01JD0000000000000000000001".into(),
            revision,
            occurred_at: Timestamp::UNIX_EPOCH,
            confirmed_at: Timestamp::UNIX_EPOCH,
            recordable: true,
            incident_type: "fall".into(),
            classification: Classification::Injury,
            outcome: None,
            privacy_case: false,
            osha_log: OshaLog { year: 2026, case_number: format!("{revision}") },
            zone_id: "z".into(),
            worker: Worker { worker_id: "w".into(), role: "r".into(), trade: "t".into() },
            detection_ids: detection_ids.iter().map(|id| (*id).to_owned()).collect(),
            summary: None,
        })
    }

    fn retraction(revision: u64) -> EventBody {
        let incident_id = "01JD0000000000000000000001".into();
        EventBody::IncidentRetracted(Retraction { incident_id, revision, reason: "doubled".into() })
    }

    fn fold(events: &[EventBody]) -> Option<FactBody> {
        events.iter().fold(None, |known, event| match keep(known.as_ref(), event) {
            Kept::New(body) => Some(*body),
            Kept::Known | Kept::Contradicts => known,
        })
    }

    fn standing(body: &Option<FactBody>) -> (Option<u64>, bool) {
        match body {
            Some(FactBody::Incident(fact)) => (fact.incident.as_ref().map(|i| i.revision), fact.is_retracted()),
            _ => (None, false),
        }
    }

    proptest! {
        #[test]
        fn revisions_come_to_the_same_in_any_order(order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(), retract_at in 1u64..6) {
            let events = [incident(1, &["a"]), incident(2, &["a", "b"]), incident(4, &["b"]), retraction(retract_at)];
            let came: Vec<EventBody> = order.iter().map(|i| events[*i].clone()).collect();
            prop_assert_eq!(standing(&fold(&came)), (Some(4), retract_at >= 4));
        }

        #[test]
        fn a_duplicate_changes_nothing(revision in 1u64..5) {
            let once = fold(&[incident(revision, &["a"])]);
            prop_assert_eq!(keep(once.as_ref(), &incident(revision, &["a"])), Kept::Known);
            prop_assert_eq!(keep(once.as_ref(), &incident(revision, &["b"])), Kept::Contradicts);
        }
    }

    #[test]
    fn detections_that_a_revision_dropped_are_remembered() {
        let body = fold(&[incident(1, &["a", "b"]), incident(2, &["b", "c"]), incident(3, &["a"])]);
        let Some(FactBody::Incident(fact)) = body else { panic!("no incident") };
        assert_eq!(fact.former_detection_ids, ["b", "c"]);
    }
}
