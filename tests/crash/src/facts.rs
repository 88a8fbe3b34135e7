//! Events to feed a world.
use domain::event::{
    Classification, Detection, Event, EventBody, Frame, Incident, OshaLog, PpeCheck, PpeSample, Retraction, Worker,
    Zone,
};
use jiff::{SignedDuration, Timestamp};

pub const ZONE: &str = "zone-crane-2";

/// The n-th fact's id; the same n is the same fact.
pub fn id(n: u128) -> String {
    ulid::Ulid::from_parts(1_790_000_000_000, n).to_string()
}

pub fn at() -> Timestamp {
    "2026-11-24T16:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn event(body: EventBody) -> Event {
    Event { id: ulid::Ulid::from_parts(1, 1).to_string(), time: at(), body }
}

pub fn detection(n: u128) -> Event {
    detected(n, at(), "zone_breach")
}

pub fn detected(n: u128, detected_at: Timestamp, kind: &str) -> Event {
    event(EventBody::Detection(Detection {
        detection_id: id(n),
        detected_at,
        kind: kind.into(),
        priority: 4,
        zone_id: ZONE.into(),
        camera_id: "cam-7".into(),
        missing_ppe: vec![],
        confidence: Some(0.93),
        worker: Some(worker()),
        frame: Frame { captured_at: detected_at, index: Some(12) },
        footage: None,
    }))
}

fn worker() -> Worker {
    Worker { worker_id: "W-4711".into(), role: "Rigger".into(), trade: "Ironwork".into() }
}

pub fn incident(n: u128, revision: u64, detections: &[u128]) -> Incident {
    Incident {
        incident_id: id(n),
        revision,
        occurred_at: at(),
        confirmed_at: at(),
        recordable: true,
        incident_type: "struck_by".into(),
        classification: Classification::Injury,
        outcome: None,
        privacy_case: false,
        osha_log: OshaLog { year: 2026, case_number: format!("2026-{revision:03}") },
        zone_id: ZONE.into(),
        worker: worker(),
        detection_ids: detections.iter().map(|n| id(*n)).collect(),
        summary: None,
    }
}

pub fn confirmed(incident: Incident) -> Event {
    event(match incident.revision {
        1 => EventBody::IncidentConfirmed(incident),
        _ => EventBody::IncidentUpdated(incident),
    })
}

pub fn retracted(n: u128, revision: u64) -> Event {
    event(EventBody::IncidentRetracted(Retraction { incident_id: id(n), revision, reason: "Entered twice".into() }))
}

pub fn zone(revision: u64) -> Event {
    event(EventBody::Zone(Zone {
        zone_id: ZONE.into(),
        revision,
        name: "Crane 2".into(),
        kind: "crane".into(),
        required_ppe: vec!["hard_hat".into()],
        active: true,
        location_path: Some(vec!["Building A".into(), "Crane 2".into()]),
    }))
}

/// A quarter of an hour's checks of hard hats.
pub fn sample(n: u128, sampled_from: Timestamp, checked: u64, compliant: u64) -> Event {
    event(EventBody::PpeSample(PpeSample {
        sample_id: id(n),
        sampled_from,
        sampled_to: sampled_from + SignedDuration::from_mins(15),
        zone_id: ZONE.into(),
        checks: [("hard_hat".to_owned(), PpeCheck { checked, compliant })].into(),
    }))
}
