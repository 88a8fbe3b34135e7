//! What the platform holds: people and places first, then the records of each tool.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hooks::Hooks;
use super::oauth::OAuth;
use crate::journal::Journal;
use crate::limits::{Limits, Windows};

/// What a company lets the app's service account do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    ReadOnly,
    /// Creates, and edits its own incidents only; others' private incidents are not visible.
    Standard,
    #[default]
    Admin,
}

#[derive(Clone, Debug, Serialize)]
pub struct Company {
    pub id: i64,
    pub name: String,
    /// Whether the app is installed. What an uninstall leaves behind is a 403 on every call.
    pub connected: bool,
    /// The directory user that the install made for the service account.
    pub service_user: i64,
    pub service_level: Level,
    /// Projects that an admin permitted; all of them if none were picked.
    pub permitted_projects: Option<BTreeSet<i64>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Project {
    pub id: i64,
    pub company_id: i64,
    pub name: String,
    pub number: String,
    pub active: bool,
    /// The platform's own label, not an IANA name.
    pub time_zone: String,
    pub tz_name: String,
    /// Tools that are switched off: `incidents`, `observations`, `daily_log`.
    pub tools_off: BTreeSet<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// The same in every company.
    pub id: i64,
    /// Whose directories list this person.
    pub companies: BTreeSet<i64>,
    /// Reference users have none.
    pub login: Option<String>,
    pub name: String,
    pub job_title: String,
    pub service_account: bool,
    /// Sees every project of the companies, and installs apps there.
    pub admin: bool,
    /// Projects that list this person as a member; all of them if none were named.
    pub projects: Option<BTreeSet<i64>>,
}

impl Person {
    pub fn is_in(&self, company_id: i64) -> bool {
        self.companies.contains(&company_id)
    }

    /// Somebody who signs in with a name and a password.
    pub(crate) fn signs_in(&self) -> bool {
        self.login.is_some() && !self.service_account
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Location {
    pub id: i64,
    pub project_id: i64,
    pub parent_id: Option<i64>,
    pub node_name: String,
    /// The tiers joined with ">".
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One entry of a company's pick lists.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub id: i64,
    pub company_id: i64,
    /// `hazards`, `contributing_behaviors`, `affliction_types`, `trades`, ...
    pub list: String,
    pub name: String,
    pub active: bool,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct ObservationType {
    pub id: i64,
    pub company_id: i64,
    /// In the company's language.
    pub name: String,
    pub english_name: String,
    pub category: String,
    pub category_key: String,
    pub category_id: i64,
    pub active: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    pub id: i64,
    pub project_id: i64,
    pub number: i64,
    pub title: Option<String>,
    pub description: Option<String>,
    pub event_date: Option<Timestamp>,
    pub time_unknown: bool,
    pub recordable: Option<bool>,
    pub private: bool,
    pub status: String,
    pub location_id: Option<i64>,
    pub hazard_id: Option<i64>,
    pub contributing_behavior_id: Option<i64>,
    pub contributing_condition_id: Option<i64>,
    pub type_id: Option<i64>,
    pub attachments: Vec<String>,
    pub custom_fields: BTreeMap<String, Value>,
    pub created_by: i64,
    pub updated_by: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// An injury or a near miss under an incident.
#[derive(Clone, Debug, Serialize)]
pub struct Injury {
    pub id: i64,
    pub project_id: i64,
    pub incident_id: i64,
    /// `injury` or `near_miss`.
    pub kind: String,
    pub number: i64,
    /// The written fields as they came, texts normalized.
    pub fields: BTreeMap<String, Value>,
    pub created_by: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Action {
    pub id: i64,
    pub project_id: i64,
    pub incident_id: i64,
    pub action_type_id: i64,
    pub description: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct Observation {
    pub id: i64,
    pub project_id: i64,
    pub number: String,
    pub name: String,
    pub type_id: i64,
    pub description: Option<String>,
    pub status: String,
    pub priority: Option<String>,
    pub personal: bool,
    pub due_date: Option<String>,
    pub assignee_id: Option<i64>,
    pub location_id: Option<i64>,
    pub trade_id: Option<i64>,
    pub hazard_id: Option<i64>,
    pub contributing_behavior_id: Option<i64>,
    pub contributing_condition_id: Option<i64>,
    pub incident_action_id: Option<i64>,
    pub custom_fields: BTreeMap<String, Value>,
    /// Set once somebody was mailed about it.
    pub date_notified: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub created_by: i64,
    pub updated_by: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ResponseLog {
    pub id: i64,
    pub item_id: i64,
    /// Spelled for people: `Ready For Review`.
    pub status: String,
    pub comment: String,
    pub created_by: i64,
    pub created_at: Timestamp,
}

/// An entry of the daily log, of whichever section.
#[derive(Clone, Debug, Serialize)]
pub struct LogEntry {
    pub id: i64,
    pub project_id: i64,
    /// `notes_logs`, `safety_violation_logs` or `accident_logs`.
    pub section: String,
    /// The project's local day.
    pub date: Date,
    pub datetime: Option<Timestamp>,
    pub location_id: Option<i64>,
    /// `comment` for notes; the other sections' members by their names.
    pub fields: BTreeMap<String, Value>,
    /// `pending` or `approved`.
    pub status: String,
    pub created_by: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct DayHeader {
    pub id: i64,
    pub project_id: i64,
    pub date: Date,
    pub completed: bool,
    pub completed_by: Option<i64>,
    pub completed_at: Option<Timestamp>,
    pub distributed: bool,
}

/// An e-mail that the platform would have sent.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    pub at: Timestamp,
    pub reason: String,
    pub project_id: i64,
    pub record_id: i64,
}

/// A page to executives, set off by a filing type.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    pub at: Timestamp,
    pub project_id: i64,
    pub injury_id: i64,
    pub filing_type: String,
}

/// Behaviour that a test can set while the sandbox runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub limits: Limits,
    pub token_lifetime_seconds: i64,
    /// How old a record must be before lists and searches show it.
    pub list_lag_seconds: i64,
    /// How long ago a record must have been recycled before the bin's list shows it.
    pub bin_lag_seconds: i64,
    /// Whether a new or changed injury moves its incident's `updated_at` and raises an event. The platform does not say.
    pub injury_bumps_incident: bool,
    /// A call without `Procore-Company-Id` ends in a plain 404 instead of the text that explains it.
    pub missing_header_is_404: bool,
    /// Whether notes may still be written to a day that was completed.
    pub completed_day_takes_notes: bool,
    /// Every answer is held against the document; what does not fit is kept under `own_problems`.
    pub check_answers: bool,
    /// Each webhook delivery is sent this many times.
    pub deliveries_per_event: u32,
    /// The copies of one event have ids of their own; only their timestamps are equal.
    pub duplicate_ids_differ: bool,
    /// Events do not say which application made the change.
    pub hide_source_application: bool,
    /// A refresh token that is presented a second time ends all that was ever granted with it, the newest tokens too.
    pub reused_refresh_ends_grant: bool,
    /// The login of the person who agrees on /oauth/authorize without being asked.
    pub consent_as: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            token_lifetime_seconds: 5400,
            list_lag_seconds: 0,
            bin_lag_seconds: 0,
            injury_bumps_incident: false,
            missing_header_is_404: false,
            completed_day_takes_notes: false,
            check_answers: false,
            deliveries_per_event: 1,
            duplicate_ids_differ: false,
            hide_source_application: false,
            reused_refresh_ends_grant: false,
            consent_as: None,
        }
    }
}

pub(crate) struct World {
    pub(crate) next_id: i64,
    /// The last number given out, by project and tool.
    numbers: BTreeMap<(i64, &'static str), i64>,
    pub(crate) settings: Settings,
    pub(crate) oauth: OAuth,
    pub(crate) hooks: Hooks,
    pub(crate) windows: Windows,
    pub(crate) journal: Journal,
    /// Answers of ours that the document does not allow.
    pub(crate) own_problems: Vec<String>,
    pub(crate) companies: BTreeMap<i64, Company>,
    pub(crate) projects: BTreeMap<i64, Project>,
    pub(crate) people: BTreeMap<i64, Person>,
    pub(crate) locations: BTreeMap<i64, Location>,
    pub(crate) entries: BTreeMap<i64, Entry>,
    pub(crate) observation_types: BTreeMap<i64, ObservationType>,
    pub(crate) incidents: BTreeMap<i64, Incident>,
    pub(crate) injuries: BTreeMap<i64, Injury>,
    pub(crate) actions: BTreeMap<i64, Action>,
    pub(crate) observations: BTreeMap<i64, Observation>,
    pub(crate) response_logs: BTreeMap<i64, ResponseLog>,
    pub(crate) log_entries: BTreeMap<i64, LogEntry>,
    pub(crate) day_headers: BTreeMap<(i64, Date), DayHeader>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) alerts: Vec<Alert>,
}

impl World {
    pub(crate) fn new(first_id: i64, settings: Settings, oauth: OAuth) -> Self {
        Self {
            next_id: first_id,
            numbers: BTreeMap::new(),
            settings,
            oauth,
            hooks: Hooks::default(),
            windows: Windows::default(),
            journal: Journal::default(),
            own_problems: Vec::new(),
            companies: BTreeMap::new(),
            projects: BTreeMap::new(),
            people: BTreeMap::new(),
            locations: BTreeMap::new(),
            entries: BTreeMap::new(),
            observation_types: BTreeMap::new(),
            incidents: BTreeMap::new(),
            injuries: BTreeMap::new(),
            actions: BTreeMap::new(),
            observations: BTreeMap::new(),
            response_logs: BTreeMap::new(),
            log_entries: BTreeMap::new(),
            day_headers: BTreeMap::new(),
            mails: Vec::new(),
            alerts: Vec::new(),
        }
    }

    /// Numbers count up per project and tool; those of recycled records stay taken.
    pub(crate) fn number(&mut self, project_id: i64, tool: &'static str) -> i64 {
        let last = self.numbers.entry((project_id, tool)).or_default();
        *last += 1;
        *last
    }

    /// One sequence for all kinds, as ids are unique on the platform.
    pub(crate) fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }
}
