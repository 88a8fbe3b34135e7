//! One organization with one site, mapped to one project of a platform's sandbox, and time that moves at will.
use crate::fault::{Fault, Faulty};
use crate::platform::{Platform, Shown, number};
use async_trait::async_trait;
use credentials::{MemoryVault, Secret};
use domain::event::Event;
use domain::fact::FactKind;
use domain::ids::{ConnectionId, EdgeId, OrganizationId, Provider, SiteId};
use domain::message::{Origin, QueueMessage, SiteMessage, UpdateMessage};
use domain::record::{RecordKey, RecordKind};
use domain::settings::{AllWord, Kinds, ProjectSettings};
use domain::treatment::{Account, Injury, Source, Told, Update};
use event_router::route::Router;
use grants::{GrantError, Tokens};
use jiff::{SignedDuration, Timestamp};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::bell::MemoryBell;
use store::bus::MemoryBus;
use store::directory::{Connection, Directory, Organization, Project, Site};
use store::lanes::{Lane, LaneId, Link, Todo};
use store::memory::MemoryTable;
use store::outbox::MemoryOutbox;
use store::{Table, TableError};
use sync::clock::Clock;
use sync::lane::Engine;

/// Where our own pages would be; nothing listens there.
pub const PUBLIC_URL: &str = "http://127.0.0.1:9";

/// How long the queue hides a message whose handling died or failed.
pub(crate) const REDELIVERY: SignedDuration = SignedDuration::from_secs(70);

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("the sandbox does not start: {0}")]
    Sandbox(#[from] sandbox::procore::StartError),
    #[error("the target can't be made: {0}")]
    Target(#[from] procore::SetupError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the sandbox has no company with a project")]
    Empty,
    #[error("a person's edit: {0}")]
    Edit(String),
    #[error("the world did not come to rest: {0}")]
    Restless(String),
}

/// Time that only moves when it is told to, or when someone sleeps.
#[derive(Debug, Clone)]
pub struct SimulatedClock(Arc<AtomicI64>);

impl SimulatedClock {
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_millisecond())))
    }
}

impl SimulatedClock {
    pub fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    pub fn move_to(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millisecond(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    async fn sleep(&self, duration: SignedDuration) {
        self.advance(duration);
    }
}

pub struct World {
    pub table: MemoryTable,
    pub bell: MemoryBell,
    pub bus: MemoryBus,
    pub outbox: MemoryOutbox,
    pub vault: MemoryVault,
    pub clock: SimulatedClock,
    /// Where records arrive; its methods are the world's.
    platform: Platform,
    pub lane: LaneId,
    pub site_id: SiteId,
    /// Procore's number of the project.
    pub project_id: i64,
    /// Records that a run handles at once: one, so that steps have an order, unless a test asks for more.
    pub at_once: usize,
    /// How often records are read again; never, unless a test asks for it.
    pub reread_every: Option<SignedDuration>,
    webhooks: AtomicI64,
}

impl World {
    /// Of Procore. `n` gives the organization its id; equal worlds have equal ids.
    pub async fn new(n: u128) -> Result<Self, WorldError> {
        Self::on(Provider::Procore, n).await
    }

    /// Of any platform.
    pub async fn on(provider: Provider, n: u128) -> Result<Self, WorldError> {
        let world = Self::unmapped_on(provider, n).await?;
        world.map().await?;
        Ok(world)
    }

    /// A site that goes nowhere yet.
    pub async fn unmapped(n: u128) -> Result<Self, WorldError> {
        Self::unmapped_on(Provider::Procore, n).await
    }

    pub async fn unmapped_on(provider: Provider, n: u128) -> Result<Self, WorldError> {
        Self::of_account(provider, n, 0, MemoryTable::default()).await
    }

    /// Two organizations over one table, each with an account of its own in a sandbox of its own: sandboxes number alike, so that
    /// their records have equal ids.
    pub async fn beside(provider: Provider, n: u128, m: u128) -> Result<(Self, Self), WorldError> {
        let one = Self::on(provider, n).await?;
        let two = Self::of_account(provider, m, 1, one.table.clone()).await?;
        two.map().await?;
        Ok((one, two))
    }

    async fn of_account(provider: Provider, n: u128, account: usize, table: MemoryTable) -> Result<Self, WorldError> {
        let start: Timestamp = crate::facts::at();
        let clock = SimulatedClock::at(start);
        let shared = clock.clone();
        let platform = Platform::start(provider, account, move || shared.now(), &table).await?;
        let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, n));
        let connection_id = ConnectionId::derive(&organization_id, provider, &platform.account);
        let world = Self {
            table,
            bell: MemoryBell::default(),
            bus: MemoryBus::default(),
            outbox: MemoryOutbox::default(),
            vault: MemoryVault::default(),
            reread_every: None,
            lane: LaneId { organization_id, connection_id, provider },
            site_id: SiteId::new(ulid::Ulid::from_parts(2, n)),
            at_once: 1,
            webhooks: AtomicI64::new(0),
            clock,
            project_id: number(platform.projects.first().ok_or(WorldError::Empty)?),
            platform,
        };
        world.connect().await?;
        Ok(world)
    }

    async fn connect(&self) -> Result<(), TableError> {
        let (now, directory) = (self.clock.now(), Directory(&self.table));
        let organization_id = self.lane.organization_id.clone();
        let organization = Organization { id: organization_id, name: "Test".into(), created_at: now };
        directory.put_organization(&organization).await?;
        self.put_site(&self.site_id).await?;
        self.link_up().await
    }

    async fn put_site(&self, id: &SiteId) -> Result<(), TableError> {
        let mut site = Site {
            id: id.clone(),
            organization_id: self.lane.organization_id.clone(),
            name: "Tower".into(),
            time_zone: "America/Chicago".into(),
            shifts: vec![],
            created_at: self.clock.now(),
            version: 0,
        };
        Directory(&self.table).put_site(&mut site).await
    }

    async fn link_up(&self) -> Result<(), TableError> {
        let (provider, account) = (self.platform.provider, &self.platform.account);
        let mut connection = Connection::new(self.lane.organization_id.clone(), provider, account, self.clock.now());
        connection.region = self.platform.region;
        Directory(&self.table).put_connection(&mut connection).await
    }

    /// Maps the site to the project.
    pub async fn map(&self) -> Result<(), TableError> {
        self.map_to(&self.site_id, self.project()).await
    }

    async fn map_to(&self, site_id: &SiteId, project_id: &str) -> Result<(), TableError> {
        let (now, directory) = (self.clock.now(), Directory(&self.table));
        let mut settings = ProjectSettings {
            site_id: site_id.clone(),
            observations: Default::default(),
            daily_summary: Default::default(),
            mapping: Default::default(),
        };
        settings.observations.kinds = Kinds::All(AllWord::All);
        let project_id = project_id.to_owned();
        let mut project =
            Project { project_id, name: None, settings, mapped_at: now, former_sites: Vec::new(), version: 0 };
        directory.put_project(&self.lane, &mut project).await
    }

    /// Maps the site to the project, or maps it anew, by this mapping.
    pub async fn map_with(&self, mapping: domain::settings::Mapping) -> Result<(), TableError> {
        let directory = Directory(&self.table);
        if directory.project(&self.lane, self.project()).await?.is_none() {
            self.map().await?;
        }
        let Some(mut project) = directory.project(&self.lane, self.project()).await? else { return Ok(()) };
        project.settings.mapping = mapping;
        directory.put_project(&self.lane, &mut project).await
    }

    /// A second site of the same connection, mapped to a project of its own.
    pub async fn map_another(&self) -> Result<(SiteId, i64), WorldError> {
        let other = self.platform.projects.get(1).cloned().ok_or(WorldError::Empty)?;
        let site_id = SiteId::new(ulid::Ulid::from_parts(4, 1));
        self.put_site(&site_id).await?;
        self.map_to(&site_id, &other).await?;
        Ok((site_id, number(&other)))
    }

    /// From now on the connection works with a person's consent, not with the service account.
    pub async fn consent(&self) -> Result<(), GrantError> {
        let now = self.clock.now();
        let (id, who, access, refresh) = self.platform.person();
        // As both platforms give it: Autodesk an hour.
        let ends_at = now + SignedDuration::from_hours(if refresh.is_some() { 1 } else { 2 });
        let tokens = Tokens { access: Secret::new(access), ends_at, refresh: refresh.map(Secret::new) };
        self.grants.keep(&self.lane, id, who, &tokens, now).await
    }

    /// The same account and project, after the connection was removed.
    pub async fn connect_again(&self) -> Result<(), WorldError> {
        self.link_up().await?;
        Ok(self.map().await?)
    }

    /// A message of the site queue, as edge-ingest would pack it.
    pub fn message(&self, events: Vec<Event>) -> SiteMessage {
        let n = self.webhooks.fetch_add(1, Ordering::SeqCst);
        SiteMessage {
            organization_id: self.lane.organization_id.clone(),
            site_id: self.site_id.clone(),
            origin: Origin {
                edge_id: EdgeId::new(ulid::Ulid::from_parts(3, 1)),
                webhook_id: format!("msg_{n}"),
                webhook_timestamp: self.clock.now().as_second(),
                signature: "v1,c2lnbmF0dXJl".into(),
                body_sha256: "c2hhMjU2".into(),
            },
            part: 0,
            received_at: self.clock.now(),
            digest: domain::message::digest(&serde_json::json!(events).to_string()),
            events,
        }
    }

    /// Routes a message once, under a fault. `false`: it died or failed; the queue delivers it again.
    pub async fn route_once(&self, message: &SiteMessage, fault: &Arc<Fault>) -> bool {
        self.hand_over_once(&QueueMessage::Events(message.clone()), fault).await
    }

    /// News from the platform about an incident, as the lane would send it.
    pub fn news(&self, incident: u128, order: u64, injuries: Vec<Injury>) -> UpdateMessage {
        let (connection_id, provider) = (self.lane.connection_id.clone(), self.lane.provider);
        UpdateMessage {
            organization_id: self.lane.organization_id.clone(),
            site_id: self.site_id.clone(),
            fact: FactKind::Incident,
            fact_id: crate::facts::id(incident),
            update: Update {
                source: Source::Platform { connection_id, provider },
                told: Told::All(Account { injuries, ..Account::default() }),
                order,
                at: self.clock.now(),
            },
        }
    }

    /// Hands a message of either kind to the router once, under a fault. `false`: it died or failed.
    pub async fn hand_over_once(&self, message: &QueueMessage, fault: &Arc<Fault>) -> bool {
        let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
        let bell = Faulty { inner: &self.bell as &dyn store::bell::Bell, fault: fault.clone() };
        let bus = Faulty { inner: &self.bus as &dyn store::bus::Bus, fault: fault.clone() };
        let router = Router { table: &table, bell: &bell, bus: &bus, detection_retention_days: 400 };
        let now = self.clock.now();
        let work = async {
            match message {
                QueueMessage::Events(message) => router.route(message, now).await,
                QueueMessage::Update(message) => router.update(message, now).await,
            }
        };
        tokio::select! {
            routed = work => routed.is_ok(),
            () = fault.died.notified() => false,
        }
    }

    /// Hands a message of either kind to the router until it is done, as the queue would.
    pub async fn hand_over(&self, message: &QueueMessage, fault: &Arc<Fault>) -> Result<(), WorldError> {
        for _ in 0..5 {
            if self.hand_over_once(message, fault).await {
                return Ok(());
            }
            self.clock.advance(REDELIVERY);
        }
        Err(WorldError::Restless("a message of the site queue failed five times".into()))
    }

    /// Routes a message until it is done, as the queue would.
    pub async fn route(&self, message: &SiteMessage, fault: &Arc<Fault>) -> Result<(), WorldError> {
        self.hand_over(&QueueMessage::Events(message.clone()), fault).await
    }

    /// Runs the lane once, under a fault. `false`: it died or failed.
    pub async fn run_once(&self, fault: &Arc<Fault>) -> bool {
        let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
        let bell = Faulty { inner: &self.bell as &dyn store::bell::Bell, fault: fault.clone() };
        let bus = Faulty { inner: &self.bus as &dyn store::bus::Bus, fault: fault.clone() };
        let target = Faulty { inner: self.platform.target.as_ref(), fault: fault.clone() };
        let outbox = Faulty { inner: &self.outbox as &dyn store::outbox::Outbox, fault: fault.clone() };
        let engine = Engine {
            table: &table,
            bell: &bell,
            bus: &bus,
            target: &target,
            outbox: &outbox,
            vault: &self.vault,
            clock: &self.clock,
            public_url: PUBLIC_URL,
            unclear_wait: SignedDuration::from_secs(120),
            run_for: SignedDuration::from_secs(38),
            cut_off: SignedDuration::from_secs(55),
            reread_every: self.reread_every,
            at_once: self.at_once,
        };
        tokio::select! {
            ran = engine.run(&self.lane) => ran.is_ok(),
            () = fault.died.notified() => false,
        }
    }

    /// Hands what lanes sent to the router, which is not under test here.
    pub(crate) async fn deliver(&self) -> Result<(), WorldError> {
        for message in self.outbox.take() {
            self.hand_over(&QueueMessage::Update(message), &Fault::never()).await?;
        }
        Ok(())
    }

    /// Moves to the next timed re-read and lets it end.
    pub async fn reread(&self, fault: &Arc<Fault>) -> Result<(), WorldError> {
        let due = store::due::get(&self.table, &self.lane).await?;
        let at = due.reasons.get(&store::due::Reason::Reread).copied();
        let at = at.ok_or_else(|| WorldError::Restless("no re-read is due".into()))?;
        self.clock.move_to(at + SignedDuration::from_secs(1));
        let tick = clock::tick(&self.table, &self.bell, &self.bus, self.clock.now()).await;
        tick.map_err(|e| WorldError::Restless(e.to_string()))?;
        self.rest(fault).await
    }

    /// Lets the queue, the clock and the lane work, jumping over idle time, until nothing is due any more but the re-read.
    pub async fn rest(&self, fault: &Arc<Fault>) -> Result<(), WorldError> {
        self.rest_until(fault, None).await
    }

    /// The same, until that moment at the latest.
    pub async fn rest_until(&self, fault: &Arc<Fault>, end: Option<Timestamp>) -> Result<(), WorldError> {
        for _ in 0..400 {
            self.deliver().await?;
            if !self.bell.take().is_empty() {
                if !self.run_once(fault).await {
                    // The ring dies in the dead-letter queue at its first failure: only the clock heals it.
                    self.clock.advance(REDELIVERY);
                }
                continue;
            }
            let due = store::due::get(&self.table, &self.lane).await?;
            // A re-read whose time is still to come is no unrest.
            let now = self.clock.now();
            let only_reread = due.reasons.iter().all(|(reason, at)| *reason == store::due::Reason::Reread && *at > now);
            match due.at() {
                None => return Ok(()),
                Some(_) if only_reread => return Ok(()),
                Some(at) if end.is_some_and(|end| at >= end) => {
                    end.iter().for_each(|end| self.clock.move_to(*end));
                    return Ok(());
                }
                Some(at) => {
                    self.clock.move_to(at + SignedDuration::from_secs(1));
                    clock::tick(&self.table, &self.bell, &self.bus, self.clock.now())
                        .await
                        .map_err(|e| WorldError::Restless(e.to_string()))?;
                }
            }
        }
        let todos = format!("{:?}", self.todos().await?);
        Err(WorldError::Restless(todos))
    }

    pub async fn todos(&self) -> Result<Vec<Todo>, TableError> {
        let lane = Lane { table: &self.table, id: &self.lane };
        let mut todos = lane.ready(100).await?;
        todos.extend(lane.waiting(100).await?);
        Ok(todos)
    }

    /// Asks for a record as a person's retry does.
    pub async fn ask(&self, kind: RecordKind, fact_id: String) -> Result<(), TableError> {
        let record = RecordKey { kind, site_id: self.site_id.clone(), fact_id };
        let todo = Todo::new(record, self.clock.now(), store::bell::fresh_token());
        Lane { table: &self.table, id: &self.lane }.ask(&[todo]).await?;
        store::again::wake(&self.table, &self.bell, &self.lane, self.clock.now()).await
    }

    /// A person presses retry.
    pub async fn again(&self, kind: RecordKind, fact_id: String) -> Result<(), WorldError> {
        let record = RecordKey { kind, site_id: self.site_id.clone(), fact_id };
        let directory = Directory(&self.table);
        let connection = directory.connection(&self.lane.organization_id, &self.lane.connection_id).await?;
        let connection = connection.ok_or(WorldError::Empty)?;
        let again = store::again::record(&self.table, &self.bell, &connection, &record, self.clock.now()).await;
        again.map(|_| ()).map_err(|error| WorldError::Restless(error.to_string()))
    }

    /// Asks for what people changed, as a platform's event does.
    pub async fn ask_back(&self, kind: RecordKind, fact_id: String) -> Result<(), TableError> {
        let record = RecordKey { kind, site_id: self.site_id.clone(), fact_id };
        let todo = Todo::read_back(record, self.clock.now(), store::bell::fresh_token());
        Lane { table: &self.table, id: &self.lane }.ask(&[todo]).await?;
        store::again::wake(&self.table, &self.bell, &self.lane, self.clock.now()).await
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The project that the site is mapped to.
    pub fn project(&self) -> &str {
        self.platform.projects.first().map_or("", String::as_str)
    }

    /// Records that people see in the project.
    pub fn shown(&self, kind: RecordKind) -> Vec<Shown> {
        self.records(kind, self.project())
    }

    pub async fn link(&self, kind: RecordKind, fact_id: String) -> Result<Option<Link>, TableError> {
        let record = RecordKey { kind, site_id: self.site_id.clone(), fact_id };
        Lane { table: &self.table, id: &self.lane }.link(&record).await
    }
}

impl Deref for World {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}
