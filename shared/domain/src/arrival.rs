//! The arrival log of a site: one small entry per message, numbered without gaps. It serves the change feed, the reports and
//! the summary, and is the router's commit mark.
use crate::fact::{Fact, FactBody, FactKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One entry: the message that made it and a line per fact that it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArrivalEntry {
    pub number: u64,
    pub message_id: String,
    pub arrived_at: Timestamp,
    #[serde(default)]
    pub lines: Vec<ArrivalLine>,
}

/// When an entry that is written now arrives: not before the one ahead of it, so that a time finds its place by halving whatever
/// the clocks of two runs say.
pub fn after(last: Option<&ArrivalEntry>, now: Timestamp) -> Timestamp {
    last.map_or(now, |last| last.arrived_at.max(now))
}

/// What lists and counts filter on. Members have short names: this is the one write that every detection shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArrivalLine {
    #[serde(rename = "f")]
    pub fact: FactKind,
    #[serde(rename = "i")]
    pub id: String,
    #[serde(rename = "t")]
    pub time: Timestamp,
    /// A detection's kind, an incident's type, a zone's kind.
    #[serde(rename = "k", default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(rename = "z", default, skip_serializing_if = "String::is_empty")]
    pub zone_id: String,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// It stood in an earlier entry already: this one tells of something new about it, and counts it no second time.
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// A PPE sample's checks: checked and compliant by item, so that reports need nothing but the log.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<BTreeMap<String, (u64, u64)>>,
    /// How long before `time` the sampling began.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
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
