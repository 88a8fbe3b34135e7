//! What counts in a day, with the time that decides which window it counts in: when it was detected, when it was confirmed, when
//! the sampling began.
use crate::arrival::ArrivalLine;
use crate::event::PpeCheck;
use crate::fact::{FactBody, FactKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Zone breaches are counted by this kind.
pub const ZONE_BREACH: &str = "zone_breach";

#[derive(Debug, Clone, PartialEq)]
pub enum Occurrence {
    /// A detection, of any kind and priority.
    Alert(Alert),
    Incident(Confirmed),
    Sample(Sample),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub at: Timestamp,
    pub kind: String,
    pub zone_id: String,
}

/// An incident that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    pub at: Timestamp,
    pub incident_id: String,
    pub incident_type: String,
    pub zone_id: String,
    pub recordable: bool,
}

/// A span of PPE checks. It counts whole, in the window and the shift that it began in.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub from: Timestamp,
    pub zone_id: String,
    pub checks: BTreeMap<String, PpeCheck>,
}

impl Occurrence {
    pub fn at(&self) -> Timestamp {
        match self {
            Occurrence::Alert(alert) => alert.at,
            Occurrence::Incident(incident) => incident.at,
            Occurrence::Sample(sample) => sample.from,
        }
    }

    /// What counts of a fact: nothing of a zone, of a worker, or of an incident that was retracted or of which no more is known.
    pub fn of(body: &FactBody) -> Option<Self> {
        match body {
            FactBody::Detection(d) => {
                Some(Occurrence::Alert(Alert { at: d.detected_at, kind: d.kind.clone(), zone_id: d.zone_id.clone() }))
            }
            FactBody::Incident(fact) if fact.is_retracted() => None,
            FactBody::Incident(fact) => fact.incident.as_ref().map(|incident| {
                Occurrence::Incident(Confirmed {
                    at: incident.confirmed_at,
                    incident_id: incident.incident_id.clone(),
                    incident_type: incident.incident_type.clone(),
                    zone_id: incident.zone_id.clone(),
                    recordable: incident.recordable,
                })
            }),
            FactBody::PpeSample(s) => Some(Occurrence::Sample(Sample {
                from: s.sampled_from,
                zone_id: s.zone_id.clone(),
                checks: s.checks.clone(),
            })),
            FactBody::Zone(_) | FactBody::Worker(_) => None,
        }
    }

    /// The same of a line of the arrival log, where the line alone tells: detections and samples never change. An incident is
    /// what its fact says now. What stood in an earlier line counts there.
    pub fn of_line(line: &ArrivalLine) -> Option<Self> {
        match line.fact {
            _ if line.again => None,
            FactKind::Detection => {
                Some(Occurrence::Alert(Alert { at: line.time, kind: line.kind.clone(), zone_id: line.zone_id.clone() }))
            }
            FactKind::PpeSample => {
                let checks = line.checks.as_ref()?.iter();
                let span = SignedDuration::from_millis(line.sampled_ms.unwrap_or(0));
                Some(Occurrence::Sample(Sample {
                    from: line.time.checked_sub(span).unwrap_or(Timestamp::MIN),
                    zone_id: line.zone_id.clone(),
                    checks: checks.map(|(item, (n, ok))| (item.clone(), check(*n, *ok))).collect(),
                }))
            }
            FactKind::Incident | FactKind::Zone | FactKind::Worker => None,
        }
    }
}

fn check(checked: u64, compliant: u64) -> PpeCheck {
    PpeCheck { checked, compliant }
}
