//! What an edge tells us (contracts 6.2): CloudEvents 1.0, typed. `validate` makes these from untrusted JSON.
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One valid event of an edge. `id` is unique per source; unknown members were left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    pub time: Timestamp,
    /// Beside, not among the others: what is mixed must be kept whole while it is read, and this is read for every detection.
    pub body: EventBody,
}

/// The CloudEvents `type` with its `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum EventBody {
    #[serde(rename = "com.hardhatpulse.detection.recorded.v1")]
    Detection(Detection),
    #[serde(rename = "com.hardhatpulse.incident.confirmed.v1")]
    IncidentConfirmed(Incident),
    #[serde(rename = "com.hardhatpulse.incident.updated.v1")]
    IncidentUpdated(Incident),
    #[serde(rename = "com.hardhatpulse.incident.retracted.v1")]
    IncidentRetracted(Retraction),
    #[serde(rename = "com.hardhatpulse.zone.configured.v1")]
    Zone(Zone),
    #[serde(rename = "com.hardhatpulse.worker.assigned.v1")]
    Worker(WorkerAssignment),
    #[serde(rename = "com.hardhatpulse.ppe.sampled.v1")]
    PpeSample(PpeSample),
}

/// What an edge saw. Times are instants (RFC 3339 with offset); `priority` is 1..=5, 5 the worst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Detection {
    pub detection_id: String,
    pub detected_at: Timestamp,
    pub kind: String,
    pub priority: u8,
    pub zone_id: String,
    pub camera_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_ppe: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
    pub frame: Frame,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(ignore))]
    pub footage: Option<Footage>,
}

/// A worker as the sensors know one: id, role, trade. Never a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Worker {
    pub worker_id: String,
    pub role: String,
    pub trade: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Frame {
    pub captured_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
}

/// Where the footage lies: on the edge, or in the cloud bucket. Never sent to a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_key: Option<String>,
}

/// An injury or illness that someone confirmed. `recordable` is that person's decision (29 CFR 1904.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Incident {
    pub incident_id: String,
    pub revision: u64,
    pub occurred_at: Timestamp,
    pub confirmed_at: Timestamp,
    pub recordable: bool,
    pub incident_type: String,
    pub classification: Classification,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub privacy_case: bool,
    pub osha_log: OshaLog,
    pub zone_id: String,
    pub worker: Worker,
    #[serde(default)]
    pub detection_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// OSHA Form 300, column M.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Classification {
    Injury,
    SkinDisorder,
    RespiratoryCondition,
    Poisoning,
    HearingLoss,
    OtherIllness,
}

impl Classification {
    pub const ALL: [(&'static str, Classification); 6] = [
        ("injury", Classification::Injury),
        ("skin_disorder", Classification::SkinDisorder),
        ("respiratory_condition", Classification::RespiratoryCondition),
        ("poisoning", Classification::Poisoning),
        ("hearing_loss", Classification::HearingLoss),
        ("other_illness", Classification::OtherIllness),
    ];

    /// The column's words on the form.
    pub fn words(self) -> &'static str {
        match self {
            Classification::Injury => "Injury",
            Classification::SkinDisorder => "Skin disorder",
            Classification::RespiratoryCondition => "Respiratory condition",
            Classification::Poisoning => "Poisoning",
            Classification::HearingLoss => "Hearing loss",
            Classification::OtherIllness => "All other illnesses",
        }
    }
}

/// OSHA Form 300, columns G to J: the most serious outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Outcome {
    Death,
    DaysAway,
    JobTransferOrRestriction,
    OtherRecordable,
}

impl Outcome {
    pub const ALL: [(&'static str, Outcome); 4] = [
        ("death", Outcome::Death),
        ("days_away", Outcome::DaysAway),
        ("job_transfer_or_restriction", Outcome::JobTransferOrRestriction),
        ("other_recordable", Outcome::OtherRecordable),
    ];
}

/// The case on the establishment's OSHA 300 log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OshaLog {
    pub year: i16,
    pub case_number: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retraction {
    pub incident_id: String,
    pub revision: u64,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Zone {
    pub zone_id: String,
    pub revision: u64,
    pub name: String,
    pub kind: String,
    #[serde(default)]
    pub required_ppe: Vec<String>,
    pub active: bool,
    /// Names from the top tier downwards; left out: the zone's name alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_path: Option<Vec<String>>,
}

impl Zone {
    /// The place as a path of names, as platforms keep locations.
    pub fn path(&self) -> Vec<String> {
        self.location_path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| vec![self.name.clone()])
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WorkerAssignment {
    pub worker_id: String,
    pub revision: u64,
    pub role: String,
    pub trade: String,
    pub active: bool,
    pub from: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PpeSample {
    pub sample_id: String,
    pub sampled_from: Timestamp,
    pub sampled_to: Timestamp,
    pub zone_id: String,
    pub checks: BTreeMap<String, PpeCheck>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PpeCheck {
    pub checked: u64,
    pub compliant: u64,
}
