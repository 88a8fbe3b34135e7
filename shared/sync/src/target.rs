//! What a platform must be able to do for the lane. A target talks to the platform and knows its fields; it never touches the
//! store, never retries by itself, and never decides whether a record may be made twice.
use crate::budget::{Admission, Answered};
use async_trait::async_trait;
use domain::autodesk::Region;
use domain::event::Detection;
use domain::event::Zone;
use domain::fact::IncidentFact;
use domain::ids::Provider;
use domain::merge::Fields;
use domain::record::{Mender, RecordKind, WorkClass};
use domain::settings::ProjectSettings;
use domain::summary::count::Day;
use domain::treatment::Account;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::directory::Connection;
use store::lanes::LaneId;

/// A platform project as a target needs to know it.
#[derive(Debug, Clone)]
pub struct Project {
    /// The platform account (Procore: the company id).
    pub account: String,
    pub id: String,
    pub settings: ProjectSettings,
    /// Autodesk: where the account's data is kept.
    pub region: Option<Region>,
}

impl Project {
    pub fn of(connection: &Connection, id: String, settings: ProjectSettings) -> Self {
        Self { account: connection.account.clone(), id, settings, region: connection.region }
    }
}

/// What a record is about, as the store knows it now. Pure input of [`Target::render`].
#[derive(Debug, Clone)]
pub struct Subject {
    pub kind: RecordKind,
    pub fact_id: String,
    pub marker: String,
    /// Opens a page that asks for a login.
    pub link: String,
    pub time_zone: TimeZone,
    pub zone: Option<Zone>,
    /// What the zone is called where it was never configured: its id.
    pub zone_id: String,
    pub body: SubjectBody,
}

#[derive(Debug, Clone)]
pub enum SubjectBody {
    Incident(IncidentFact),
    Observation(Detection),
    /// A site's day; its revision grows when something late changes it.
    Summary {
        day: Box<Day>,
        revision: u64,
    },
    /// A test of the connection, shown as an observation.
    Trial {
        asked_at: Timestamp,
    },
}

/// What a target looked up in the platform for a project (types, hazards, locations), kept for a day by the lane.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// What was found, by need.
    #[serde(default)]
    pub found: BTreeMap<String, Found>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub value: Value,
    pub at: Timestamp,
}

impl Catalog {
    /// Forgets what was found before then; whether there was anything.
    pub fn forget_before(&mut self, then: Timestamp) -> bool {
        let before = self.found.len();
        self.found.retain(|_, found| found.at >= then);
        self.found.len() < before
    }

    /// What was found within the last day.
    pub fn get(&self, need: &str, now: Timestamp) -> Option<&Value> {
        let fresh = |found: &&Found| now.duration_since(found.at) < SignedDuration::from_hours(24);
        self.found.get(need).filter(fresh).map(|found| &found.value)
    }
}

/// What rendering came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Rendered {
    /// The fields that the record should have, by the platform's names, all of them ours.
    Fields(Fields),
    /// Something must be looked up first, by [`Target::find`]; then render again.
    Needs(String),
    /// It can't be rendered until a person acts.
    Blocked(Block),
}

/// Why nothing can be written, who can mend it, and what to do: whole sentences.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub reason: String,
    pub who: Mender,
    pub what_to_do: String,
}

/// A record as it stands at the platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Remote {
    pub id: String,
    pub url: String,
    /// Every field that [`Target::render`] can name, as the platform shows it now, in the same form as rendered.
    pub fields: Fields,
    /// The platform's own word.
    pub status: String,
    /// Whether it lies in the recycle bin.
    pub recycled: bool,
    /// The fields that we may write, where the platform says.
    pub writable: Option<BTreeSet<String>>,
    /// How many comments stand on it, where the platform says.
    pub comments: Option<u64>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// What people added to a record that stands at the platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub id: String,
    pub account: Account,
}

/// How a project is read again by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rereading {
    /// All incidents by [`Target::told_all`], and which observations changed: what doesn't show was deleted or hidden.
    Lists,
    /// By [`Target::changed`] alone.
    Changes,
}

/// A hook of ours at the platform.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundHook {
    pub id: String,
    /// It is active and rings for all that it should.
    pub sound: bool,
}

/// How the events of a hook are known for the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// They bear an Authorization value of ours.
    Authorization,
    /// They are signed with a secret of ours.
    Signature,
}

/// Statuses that the lane speaks of, in the platform's own words.
#[derive(Debug, Clone, Copy)]
pub struct Statuses {
    /// What a new record has.
    pub open: &'static str,
    pub closed: &'static str,
}

/// A step beside the fields: a comment, closing, opening again.
#[derive(Debug, Clone, PartialEq)]
pub struct SideWrite {
    /// Goes in as a comment where the platform has comments.
    pub comment: String,
    /// The status to give at the same time.
    pub status: Option<&'static str>,
}

/// Whether a side write of ours stands at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Yes,
    No,
    /// The platform has no way to look.
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The request was surely not carried out; try again later.
    #[error("{why}")]
    NotDone { why: String },
    /// The platform (429) or our budget asks for a pause; surely not carried out.
    #[error("paused until {until}")]
    Paused { until: Timestamp, everything: bool },
    /// No answer, a cut connection, a time-out, or a 5xx: it may have been carried out.
    #[error("{why}")]
    Unclear { why: String, retry_after: Option<SignedDuration> },
    /// Nothing in this connection works until someone acts (disconnected, credentials refused).
    #[error("{}", .0.reason)]
    Connection(Block),
    /// This project, or this kind of record in it, does not work until someone acts.
    #[error("{}", .0.reason)]
    Project(Block),
    /// This record does not work until someone acts; others do.
    #[error("{}", .0.reason)]
    Record(Block),
    /// The record is not there (or not visible to us).
    #[error("the record is not there")]
    NotFound,
    /// The platform refuses this record, in its own words.
    #[error("{words}")]
    Refused { words: String },
}

impl TargetError {
    /// What kind of failure it is: for logs, which get none of a platform's words. Those may hold anything, and stand with the record.
    pub fn kind(&self) -> &'static str {
        match self {
            TargetError::NotDone { .. } => "not done",
            TargetError::Paused { .. } => "paused",
            TargetError::Unclear { .. } => "unclear",
            TargetError::Connection(_) => "connection",
            TargetError::Project(_) => "project",
            TargetError::Record(_) => "record",
            TargetError::NotFound => "not found",
            TargetError::Refused { .. } => "refused",
        }
    }
}

/// The lane's say in each platform call: a target asks before each request and tells after each answer.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Waits where a wait is short; else `Admission::Pause`. `longest`: how long the call may last.
    async fn before(&self, class: WorkClass, longest: SignedDuration) -> Admission;
    /// What the answer said about the rate windows, or that there was none.
    fn after(&self, answered: Answered);
    fn now(&self) -> Timestamp;
    /// Whose calls these are: a platform's client finds by it what the connection works with.
    fn lane(&self) -> Option<&LaneId> {
        None
    }
}

/// One unit of work on the platform.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub class: WorkClass,
    pub meter: &'a dyn Meter,
}

#[async_trait]
pub trait Target: Send + Sync {
    fn provider(&self) -> Provider;

    fn statuses(&self, kind: RecordKind) -> Statuses;

    /// Whether a create carries this field. The others follow with an update, right after.
    fn created_with(&self, _kind: RecordKind, _field: &str) -> bool {
        true
    }

    /// Whether a lane handles records of this kind one after another: where a limit gives it a few calls at a time, several side by
    /// side would use them up with none of them done.
    fn one_at_a_time(&self, _kind: RecordKind) -> bool {
        false
    }

    /// How what people did is read again by the clock.
    fn rereading(&self) -> Rereading {
        Rereading::Lists
    }

    /// Whether events of the platform, or its list of changes, speak of records of this kind by its ids.
    fn announces(&self, kind: RecordKind) -> bool {
        kind == RecordKind::Incident
    }

    /// How the events of a hook prove where they come from.
    fn proof(&self) -> Proof {
        Proof::Authorization
    }

    /// Whether a side write's comment and status are two calls: then each is a step of its own.
    fn comments_apart(&self) -> bool {
        false
    }

    /// What of the record's text its fields have no room for: it goes into a comment. Pure.
    fn overflow(&self, _subject: &Subject, _project: &Project) -> Option<String> {
        None
    }

    /// The fields that the record should have. Pure.
    fn render(&self, subject: &Subject, project: &Project, catalog: &Catalog, now: Timestamp) -> Rendered;

    /// Looks up what rendering needs.
    async fn find(&self, call: Call<'_>, project: &Project, need: &str) -> Result<Value, TargetError>;

    async fn create(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        fields: &Fields,
    ) -> Result<Remote, TargetError>;

    /// What stands there, also in the recycle bin; `None`: nothing that we can see.
    async fn read(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<Remote>, TargetError>;

    /// Sends `send`; `remote` is what was just read, from which fields that the platform demands are filled.
    async fn update(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        send: &Fields,
    ) -> Result<Remote, TargetError>;

    /// Records that carry the marker, by plain list (not by a search index) and in the recycle bin, among those created since.
    async fn look(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError>;

    /// The same among the records of a local date, for what belongs to a day whenever it is made.
    async fn look_on(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        _date: Date,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        self.look(call, project, kind, marker, since).await
    }

    /// Carries out a side write; `remote` is what was just read. Gives how new the record is then, where the platform says.
    async fn side_write(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        write: &SideWrite,
    ) -> Result<Option<Timestamp>, TargetError>;

    /// Closes a record of ours that was made twice, with a note where people read it.
    async fn close_double(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        double: &Remote,
        note: &str,
    ) -> Result<(), TargetError>;

    /// What people added to a record that was just read. Whole, or an error.
    async fn told(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
    ) -> Result<Account, TargetError>;

    /// The same of all incidents of a project that we can see, by its lists. Whole, or an error.
    async fn told_all(&self, call: Call<'_>, project: &Project) -> Result<Vec<Standing>, TargetError>;

    /// Records of a project that were changed since, by a list: observations, or where the platform is read by its changes, all that
    /// are ours, deleted ones too. Whole, or an error.
    async fn changed(&self, call: Call<'_>, project: &Project, since: Timestamp) -> Result<Vec<Remote>, TargetError>;

    /// Which of an incident's injuries lie in the recycle bin.
    async fn discarded(&self, call: Call<'_>, project: &Project, id: &str) -> Result<BTreeSet<String>, TargetError>;

    /// Whether the connection works with a person's consent, so that what its user does at the platform may be news.
    async fn by_consent(&self, call: Call<'_>) -> Result<bool, TargetError>;

    /// Our own user's id, by which its events are known.
    async fn own_user(&self, call: Call<'_>, project: &Project) -> Result<String, TargetError>;

    /// Our hook on the project that rings at this address; `known`: the id that was kept of it.
    async fn hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        known: Option<&str>,
    ) -> Result<Option<FoundHook>, TargetError>;

    /// Makes the hook, or mends the one that stands there, with a new secret; there is one in the end. Gives its id.
    async fn mend_hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        secret: &str,
        standing: Option<String>,
    ) -> Result<String, TargetError>;

    /// Removes our hooks on the project that ring at this address; `known`: the id that was kept of them.
    async fn drop_hooks(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        known: Option<&str>,
    ) -> Result<(), TargetError>;

    /// Gives back what this connection alone works with (a person's consent). One without has nothing to give back. May be
    /// repeated.
    async fn let_go(&self, call: Call<'_>) -> Result<(), TargetError>;

    /// Whether a comment with this marker stands on the record.
    async fn commented(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
        marker: &str,
    ) -> Result<Seen, TargetError>;
}
