//! The arrival log of a site: one small entry per message, numbered without gaps. It serves the change feed, the reports and
//! the summary, and is the router's commit mark.
mod stored;

use crate::fact::{Fact, FactBody, FactKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One entry: the message that made it and a line per fact that it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "stored::Entry", into = "stored::Entry")]
pub struct ArrivalEntry {
    pub number: u64,
    pub message_id: String,
    pub arrived_at: Timestamp,
    /// The greatest id of a detection in this entry and all before it; empty before the first. ULIDs grow with time, so an id
    /// beyond it is new, and need not be looked up.
    pub newest: String,
    pub lines: Vec<ArrivalLine>,
}

impl ArrivalEntry {
    /// The entry that follows the last one.
    pub fn after(last: &CommitMark, message_id: String, now: Timestamp, lines: Vec<ArrivalLine>) -> Self {
        let detections = lines.iter().filter(|line| line.fact == FactKind::Detection).map(|line| line.id.as_str());
        let newest = detections.fold(last.newest.as_str(), Ord::max).to_owned();
        Self { number: last.number + 1, message_id, arrived_at: last.next_at(now), newest, lines }
    }

    pub fn mark(&self) -> CommitMark {
        CommitMark {
            number: self.number,
            message_id: self.message_id.clone(),
            arrived_at: self.arrived_at,
            newest: self.newest.clone(),
        }
    }
}

/// What the last entry says of all that is committed. The default: nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitMark {
    pub number: u64,
    pub message_id: String,
    pub arrived_at: Timestamp,
    pub newest: String,
}

impl CommitMark {
    /// When an entry that is written now arrives, whenever it was received: not before the one ahead of it, so that a time finds
    /// its place by halving whatever the clocks of two runs say.
    pub fn next_at(&self, now: Timestamp) -> Timestamp {
        self.arrived_at.max(now)
    }

    /// Whether a fact may be among what is committed. What a message wrote and died over before it was committed is not, and
    /// counts for nothing: it is written again by whoever comes first, or goes with its message to the dead-letter queue.
    pub fn may_hold(&self, kind: FactKind, id: &str) -> bool {
        kind != FactKind::Detection || id <= self.newest.as_str()
    }
}

/// What lists and counts filter on.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrivalLine {
    pub fact: FactKind,
    pub id: String,
    pub time: Timestamp,
    /// A detection's kind, an incident's type, a zone's kind.
    pub kind: String,
    pub zone_id: String,
    pub priority: Option<u8>,
    /// It stood in an earlier entry already: this one tells of something new about it, and counts it no second time.
    pub again: bool,
    /// A PPE sample's checks: checked and compliant by item, so that reports need nothing but the log.
    pub checks: Option<BTreeMap<String, (u64, u64)>>,
    /// How long before `time` the sampling began.
    pub sampled_ms: Option<i64>,
}

impl ArrivalLine {
    pub fn of(fact: &Fact) -> Self {
        let (kind, zone_id, priority) = match &fact.body {
            FactBody::Detection(d) => (d.kind.clone(), d.zone_id.clone(), Some(d.priority)),
            FactBody::Incident(i) => {
                let (kind, zone) =
                    i.incident.as_ref().map(|i| (i.incident_type.clone(), i.zone_id.clone())).unwrap_or_default();
                (kind, zone, None)
            }
            FactBody::Zone(z) => (z.kind.clone(), z.zone_id.clone(), None),
            FactBody::Worker(_) => (String::new(), String::new(), None),
            FactBody::PpeSample(s) => (String::new(), s.zone_id.clone(), None),
        };
        let time = fact.body.time().unwrap_or(fact.event_time);
        let (checks, sampled_ms) = match &fact.body {
            FactBody::PpeSample(s) => {
                let checks = s.checks.iter().map(|(item, c)| (item.clone(), (c.checked, c.compliant)));
                (Some(checks.collect()), Some(s.sampled_to.as_millisecond() - s.sampled_from.as_millisecond()))
            }
            _ => (None, None),
        };
        let (fact, id) = (fact.body.kind(), fact.body.id().to_owned());
        Self { fact, id, time, kind, zone_id, priority, again: false, checks, sampled_ms }
    }
}
