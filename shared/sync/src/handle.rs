//! One todo: look at the record again, and bring the platform to what the facts say.
use crate::clock::Clock;
use crate::meter::LaneMeter;
use crate::project_blocks::Blocks;
use crate::subject::{Gatherer, Wanted};
use crate::target::{Block, Call, Catalog, Found, Project, Rendered, SubjectBody, Target, TargetError};
use credentials::Vault;
use domain::merge::Fields;
use domain::record::{Mender, RecordKind, RecordState};
use domain::route::Route;
use domain::settings::ProjectSettings;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use store::bus::Bus;
use store::directory::{Connection, Directory};
use store::lanes::{Lane, LaneId, Link, Todo};
use store::outbox::Outbox;
use store::{Table, TableError};
use tokio::sync::Mutex;

/// A record that the platform failed is tried again after this long at the latest.
pub const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_mins(30);

/// What was looked up so long ago may be what a person mended before they pressed retry.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(10);

/// What becomes of a todo.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing more to do now. `wrote`: something was sent.
    Done { state: Option<RecordState>, wrote: bool },
    /// Again at that time. `counts`: the platform or the network failed us.
    PutOff { until: Timestamp, why: String, counts: bool },
    /// It stays ready; this class (or everything) pauses.
    Paused { until: Timestamp, everything: bool },
    /// Nothing in this connection works until a person acts.
    ConnectionBlocked(Block),
}

impl Outcome {
    pub fn nothing() -> Self {
        Outcome::Done { state: None, wrote: false }
    }
}

/// What a run's todos share.
pub struct Run<'a> {
    pub table: &'a dyn Table,
    pub target: &'a dyn Target,
    /// The way to the one writer of facts.
    pub outbox: &'a dyn Outbox,
    pub vault: &'a dyn Vault,
    pub bus: &'a dyn Bus,
    pub clock: &'a dyn Clock,
    pub meter: &'a LaneMeter<'a>,
    pub lane: &'a LaneId,
    pub connection: &'a Connection,
    pub public_url: &'a str,
    /// Longer than the platform's longest request.
    pub unclear_wait: SignedDuration,
    pub catalogs: Mutex<BTreeMap<String, Catalog>>,
    /// Projects (by kind of record) that answered "not until a person acts".
    pub blocks: Mutex<Blocks>,
}

/// A record with all that handling it needs.
pub struct Work<'a> {
    pub todo: &'a Todo,
    pub wanted: Wanted,
    pub project: Project,
}

impl Run<'_> {
    pub fn lane(&self) -> Lane<'_> {
        Lane { table: self.table, id: self.lane }
    }

    pub fn call(&self, todo: &Todo) -> Call<'_> {
        Call { class: todo.class, meter: self.meter }
    }

    pub async fn handle(&self, todo: &Todo) -> Result<Outcome, TableError> {
        let directory = Directory(self.table);
        let link = self.lane().link(&todo.record).await?;
        let mut route = directory.route(self.lane, &todo.record.site_id).await?;
        // A link keeps its project, wherever the site is mapped later: what was begun there is made there.
        if let Some(link) = link.as_ref().filter(|link| link.remote_id.is_none())
            && route.as_ref().is_none_or(|route| route.project_id != link.project_id)
        {
            let Some(settings) = self.settings(&link.project_id).await? else { return Ok(Outcome::nothing()) };
            let (connection_id, provider) = (self.lane.connection_id.clone(), self.lane.provider);
            let project_id = link.project_id.clone();
            route = Some(Route { connection_id, provider, project_id, settings, since: Timestamp::MIN });
        }
        let gatherer =
            Gatherer { table: self.table, lane: self.lane, public_url: self.public_url, now: self.clock.now() };
        let statuses = self.target.statuses(todo.record.kind);
        let wanted = gatherer.wanted(&todo.record, route.as_ref(), link.as_ref(), statuses).await?;
        let Some(mut wanted) = wanted else { return Ok(Outcome::nothing()) };
        let project_id = link.as_ref().map(|link| link.project_id.clone()).or(route.map(|route| route.project_id));
        let Some(project_id) = project_id else { return Ok(Outcome::nothing()) };
        let Some(settings) = self.settings(&project_id).await? else { return Ok(Outcome::nothing()) };
        // A route left behind while its project was given to another site counts for nothing.
        if link.is_none() && settings.site_id != todo.record.site_id {
            return Ok(Outcome::nothing());
        }
        let project = Project::of(self.connection, project_id, settings);
        if link.as_ref().is_some_and(|link| link.remote_id.is_some()) {
            wanted.steps = self.one_call_each(wanted.steps);
            wanted.steps.extend(self.overflow(&wanted.subject, &project));
        }
        let work = Work { todo, wanted, project };
        Ok(match link {
            None if !work.wanted.may_create => Outcome::nothing(),
            None => self.create(&work, None).await?,
            Some(link) if link.remote_id.is_some() => self.update(&work, link).await?,
            Some(link) if link.intent_at.is_some() => self.recover(&work, link).await?,
            Some(_) if !work.wanted.may_create => Outcome::nothing(),
            Some(link) => self.create(&work, Some(link)).await?,
        })
    }

    async fn settings(&self, project_id: &str) -> Result<Option<ProjectSettings>, TableError> {
        Ok(Directory(self.table).project(self.lane, project_id).await?.map(|project| project.settings))
    }

    /// Renders, looking up in the platform what rendering needs. An error is what becomes of the todo.
    pub async fn render(&self, work: &Work<'_>, link: &Link) -> Result<Result<Fields, Stop>, TableError> {
        let mut catalogs = self.catalogs.lock().await;
        if !catalogs.contains_key(&work.project.id) {
            let kept = self.lane().catalog(&work.project.id).await?.unwrap_or_default();
            catalogs.insert(work.project.id.clone(), kept);
        }
        let catalog = catalogs.entry(work.project.id.clone()).or_default();
        let mut asked: Vec<String> = Vec::new();
        let retried = is_retried(link) || matches!(work.wanted.subject.body, SubjectBody::Trial { .. });
        let just_now = self.clock.now() - JUST_NOW;
        loop {
            match self.target.render(&work.wanted.subject, &work.project, catalog, self.clock.now()) {
                Rendered::Fields(fields) => return Ok(Ok(fields)),
                // What was known may be what a person has just mended.
                Rendered::Blocked(_) if retried && catalog.forget_before(just_now) => {}
                Rendered::Blocked(block) => return Ok(Err(Stop::Blocked(block))),
                Rendered::Needs(need) if asked.contains(&need) => {
                    let why = format!("{need} was looked up and is still asked for");
                    return Ok(Err(Stop::Target(TargetError::Refused { words: why })));
                }
                Rendered::Needs(need) => {
                    if let Some(block) = self.project_block(work, link).await {
                        return Ok(Err(Stop::Held(block)));
                    }
                    match self.target.find(self.call(work.todo), &work.project, &need).await {
                        Ok(value) => catalog.found.insert(need.clone(), Found { value, at: self.clock.now() }),
                        Err(error) => return Ok(Err(Stop::Target(error))),
                    };
                    self.lane().put_catalog(&work.project.id, catalog).await?;
                    asked.push(need);
                }
            }
        }
    }

    /// What a failed call means for the todo, where it surely changed nothing or may be repeated without harm.
    pub fn after_failure(&self, work: &Work<'_>, error: TargetError) -> Failure {
        let todo = work.todo;
        let now = self.clock.now();
        match error {
            TargetError::NotDone { why } => Failure::Again(self.again(todo, now, why, None)),
            TargetError::Unclear { why, retry_after } => Failure::Again(self.again(todo, now, why, retry_after)),
            TargetError::Paused { until, everything } => Failure::Again(Outcome::Paused { until, everything }),
            TargetError::Connection(block) => Failure::Again(Outcome::ConnectionBlocked(block)),
            TargetError::Project(block) => Failure::Project(block),
            TargetError::Record(block) => Failure::State(RecordState::Blocked, block),
            TargetError::NotFound => Failure::State(RecordState::Blocked, gone(todo.record.kind)),
            TargetError::Refused { words } => Failure::State(
                RecordState::Failed,
                Block {
                    reason: words,
                    who: Mender::SafetyManager,
                    what_to_do: "Change what the platform objects to, then press retry.".into(),
                },
            ),
        }
    }

    /// Waits that double from one minute to half an hour.
    fn again(&self, todo: &Todo, now: Timestamp, why: String, retry_after: Option<SignedDuration>) -> Outcome {
        let backoff = SignedDuration::from_mins(1 << todo.tries.min(5)).min(LONGEST_BACKOFF);
        Outcome::PutOff { until: now + backoff.max(retry_after.unwrap_or_default()), why, counts: true }
    }

    /// Keeps what a failure asks for.
    pub async fn fail(&self, work: &Work<'_>, link: &mut Link, failure: Failure) -> Result<Outcome, TableError> {
        match failure {
            Failure::Again(outcome) => Ok(outcome),
            Failure::State(state, block) => self.set_state(link, state, block).await,
            Failure::Project(block) => {
                self.note_project_block(work, &block).await?;
                self.hold_back(link, block).await
            }
            Failure::Held(block) => self.hold_back(link, block).await,
        }
    }

    /// Keeps a state that waits for a person.
    pub async fn set_state(&self, link: &mut Link, state: RecordState, block: Block) -> Result<Outcome, TableError> {
        link.waits_for_project = false;
        self.put_state(link, state, block).await
    }

    /// Blocked until the platform takes records of this kind in its project again.
    async fn hold_back(&self, link: &mut Link, block: Block) -> Result<Outcome, TableError> {
        link.waits_for_project = true;
        self.put_state(link, RecordState::Blocked, block).await
    }

    async fn put_state(&self, link: &mut Link, state: RecordState, block: Block) -> Result<Outcome, TableError> {
        (link.state, link.updated_at) = (state, self.clock.now());
        link.reason = Some(format!("{} {}", block.reason, block.what_to_do).trim().to_owned());
        link.who = Some(block.who);
        self.lane().put_link(link).await?;
        Ok(self.ended(link, false))
    }
}

/// A person's retry makes a link pending.
pub(crate) fn is_retried(link: &Link) -> bool {
    link.version > 0 && link.state == RecordState::Pending
}

/// Why rendering stopped.
#[derive(Debug)]
pub enum Stop {
    Blocked(Block),
    /// An earlier record was told that the project takes none.
    Held(Block),
    Target(TargetError),
}

impl Stop {
    pub fn failure(self, run: &Run<'_>, work: &Work<'_>) -> Failure {
        match self {
            Stop::Blocked(block) => Failure::State(RecordState::Blocked, block),
            Stop::Held(block) => Failure::Held(block),
            Stop::Target(error) => run.after_failure(work, error),
        }
    }
}

/// What a failure asks for.
#[derive(Debug)]
pub enum Failure {
    Again(Outcome),
    State(RecordState, Block),
    /// The platform refuses this kind of record in the project.
    Project(Block),
    /// It refused an earlier one.
    Held(Block),
}

/// The record was there and is not any more.
pub fn gone(kind: RecordKind) -> Block {
    let what_to_do = match kind {
        // Notes of a day lie in no recycle bin.
        RecordKind::DailySummary => "Nothing, if that was meant: the report itself stands in HardHat Pulse.",
        RecordKind::Incident | RecordKind::Observation => {
            "Restore it from the platform's recycle bin and press retry, or leave it deleted."
        }
    };
    Block {
        reason: "The record was deleted at the platform, or we may no longer see it.".into(),
        who: Mender::SafetyManager,
        what_to_do: what_to_do.into(),
    }
}
