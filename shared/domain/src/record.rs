//! Records: what a connection should show for a fact.
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RecordKind {
    Incident,
    Observation,
    DailySummary,
}

impl RecordKind {
    pub fn as_str(self) -> &'static str {
        match self {
            RecordKind::Incident => "incident",
            RecordKind::Observation => "observation",
            RecordKind::DailySummary => "daily_summary",
        }
    }

    /// Which of a budget's classes its calls belong to.
    pub fn class(self) -> WorkClass {
        match self {
            RecordKind::Incident => WorkClass::Incident,
            RecordKind::DailySummary => WorkClass::Summary,
            RecordKind::Observation => WorkClass::Observation,
        }
    }
}

impl std::str::FromStr for RecordKind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [RecordKind::Incident, RecordKind::Observation, RecordKind::DailySummary]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// The order of a lane's work, first to last, and what a pause or a reserve speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkClass {
    Incident,
    Summary,
    ReadBack,
    Observation,
    Reread,
}

impl WorkClass {
    pub const ALL: [WorkClass; 5] =
        [WorkClass::Incident, WorkClass::Summary, WorkClass::ReadBack, WorkClass::Observation, WorkClass::Reread];

    /// A digit that sorts as the work does.
    pub fn rank(self) -> u8 {
        self as u8
    }
}

/// Which record: the kind and the fact's id, unique in its site; site ids are unique everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    pub kind: RecordKind,
    pub site_id: crate::ids::SiteId,
    pub fact_id: String,
}

impl RecordKey {
    /// A site's summary of a local date.
    pub fn summary(site_id: &crate::ids::SiteId, date: jiff::civil::Date) -> Self {
        Self { kind: RecordKind::DailySummary, site_id: site_id.clone(), fact_id: date.to_string() }
    }

    /// The local date that a summary is for.
    pub fn date(&self) -> Option<jiff::civil::Date> {
        self.fact_id.parse().ok().filter(|_| self.kind == RecordKind::DailySummary)
    }

    /// The moment that the fact's id (a ULID) was made, or the beginning of the date that a summary is for: by it a lane's todos
    /// of a class are sorted, the same at each ask.
    pub fn at(&self) -> jiff::Timestamp {
        if let Some(date) = self.date() {
            return date
                .to_zoned_datetime(jiff::tz::TimeZone::UTC)
                .map_or(jiff::Timestamp::UNIX_EPOCH, |day| day.timestamp());
        }
        let milliseconds =
            self.fact_id.parse::<ulid::Ulid>().ok().and_then(|ulid| i64::try_from(ulid.timestamp_ms()).ok());
        let at = milliseconds.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        at.unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Our own page of what it shows, which asks for a login.
    pub fn link(&self, public_url: &str) -> String {
        let page = match self.kind {
            RecordKind::Incident => "incidents",
            RecordKind::Observation => "detections",
            RecordKind::DailySummary => "reports",
        };
        format!("{public_url}/sites/{}/{page}/{}", self.site_id, self.fact_id)
    }
}

/// Where a record stands (design 4, "states of a link").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RecordState {
    Pending,
    Synced,
    /// A person must act.
    Blocked,
    /// The platform refuses this record.
    Failed,
}

impl RecordState {
    pub fn as_str(self) -> &'static str {
        match self {
            RecordState::Pending => "pending",
            RecordState::Synced => "synced",
            RecordState::Blocked => "blocked",
            RecordState::Failed => "failed",
        }
    }
}

impl std::str::FromStr for RecordState {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [RecordState::Pending, RecordState::Synced, RecordState::Blocked, RecordState::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(())
    }
}

/// Who can mend a record that is not where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Mender {
    SafetyManager,
    PlatformAdmin,
    HardhatPulse,
}
