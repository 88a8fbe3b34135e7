//! One organization with one site and one webhook endpoint: its receiver, and time that moves at will.
use crate::fault::{Fault, Faulty};
use crate::world::{REDELIVERY, SimulatedClock};
use credentials::{MemoryVault, Secret};
use daily_summary::DailySummary;
use domain::event::Event;
use domain::ids::{EdgeId, EndpointId, OrganizationId, SiteId};
use domain::message::{Origin, SiteMessage};
use domain::webhook::{Format, Platform, Wants};
use event_router::route::Router;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::bell::{Bell, MemoryBell};
use store::bus::{Bus, MemoryBus};
use store::directory::{Directory, Organization, Site};
use store::due::SiteRef;
use store::endpoints::{Endpoint, Endpoints};
use store::lanes::LaneId;
use store::memory::MemoryTable;
use store::messages::{Delivery, MessageLane, Todo};
use store::summaries::Summaries;
use store::{Table, TableError, due};
use sync::clock::Clock;
use ulid::Ulid;
use webhook::endpoints::{Desk, EndpointError};
use webhook::lane::{Engine, Report, RunError};
use webhook::post::{Got, MemoryPost};
use webhook::settings::New;

#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the world did not come to rest: {0}")]
    Restless(String),
}

pub struct Receiver {
    pub table: MemoryTable,
    pub bell: MemoryBell,
    pub bus: MemoryBus,
    pub vault: MemoryVault,
    pub clock: SimulatedClock,
    pub post: MemoryPost,
    pub lane: LaneId,
    pub endpoint_id: EndpointId,
    pub site_id: SiteId,
    webhooks: AtomicI64,
}

impl Receiver {
    /// An endpoint that wants all, behind which `post` is; it was sent its ping.
    pub async fn new(post: MemoryPost) -> Result<Self, ReceiverError> {
        let this = Self::unpinged(post).await?;
        this.rest(&Fault::never()).await?;
        Ok(this)
    }

    /// The ping is still to be sent.
    pub async fn unpinged(post: MemoryPost) -> Result<Self, ReceiverError> {
        let organization_id = OrganizationId::new(Ulid::from_parts(1, 1));
        let (site_id, endpoint_id) = (SiteId::new(Ulid::from_parts(2, 1)), EndpointId::new(Ulid::from_parts(3, 1)));
        let start: Timestamp = "2026-11-24T16:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let this = Self {
            table: MemoryTable::default(),
            bell: MemoryBell::default(),
            bus: MemoryBus::default(),
            vault: MemoryVault::default(),
            clock: SimulatedClock::at(start),
            post,
            lane: store::endpoints::lane(&organization_id, &endpoint_id),
            endpoint_id: endpoint_id.clone(),
            site_id: site_id.clone(),
            webhooks: AtomicI64::new(0),
        };
        let directory = Directory(&this.table);
        let organization = Organization { id: organization_id.clone(), name: "Contractor".into(), created_at: start };
        directory.put_organization(&organization).await?;
        let mut site = Site {
            id: site_id,
            organization_id: organization_id.clone(),
            name: "Tower".into(),
            time_zone: "America/Chicago".into(),
            shifts: vec![],
            created_at: start,
            version: 0,
        };
        directory.put_site(&mut site).await?;
        let new = New {
            platform: Platform::Fieldwire,
            name: "Relay".into(),
            url: Secret::new("https://hooks.example.com/x"),
            token: Some(Secret::new("T0ken")),
            wants: Wants { min_priority: 1, ..Wants::default() },
            format: Format::Cloudevents,
        };
        this.desk().make(&organization_id, endpoint_id, new).await?;
        Ok(this)
    }

    pub fn desk(&self) -> Desk<'_> {
        Desk { table: &self.table, bell: &self.bell, vault: &self.vault, now: self.clock.now() }
    }

    pub async fn endpoint(&self) -> Result<Endpoint, ReceiverError> {
        let found = Endpoints(&self.table).get(&self.lane.organization_id, &self.endpoint_id).await?;
        found.ok_or(ReceiverError::Endpoint(EndpointError::Gone))
    }

    fn messages(&self) -> MessageLane<'_> {
        MessageLane { table: &self.table, id: &self.lane }
    }

    pub fn message(&self, events: Vec<Event>) -> SiteMessage {
        let n = self.webhooks.fetch_add(1, Ordering::SeqCst);
        SiteMessage {
            organization_id: self.lane.organization_id.clone(),
            site_id: self.site_id.clone(),
            origin: Origin {
                edge_id: EdgeId::new(Ulid::from_parts(4, 1)),
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

    /// Routes a message until it is done, as the queue would.
    pub async fn route(&self, message: &SiteMessage, fault: &Arc<Fault>) -> Result<(), ReceiverError> {
        for _ in 0..5 {
            let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
            let bell = Faulty { inner: &self.bell as &dyn Bell, fault: fault.clone() };
            let bus = Faulty { inner: &self.bus as &dyn Bus, fault: fault.clone() };
            let router = Router { table: &table, bell: &bell, bus: &bus, detection_retention_days: 400 };
            let routed = tokio::select! {
                routed = router.route(message, self.clock.now()) => routed.is_ok(),
                () = fault.died.notified() => false,
            };
            if routed {
                return Ok(());
            }
            self.clock.advance(REDELIVERY);
        }
        Err(ReceiverError::Restless("a message of the site queue failed five times".into()))
    }

    /// Routes events, without a fault.
    pub async fn tell(&self, events: Vec<Event>) -> Result<(), ReceiverError> {
        self.route(&self.message(events), &Fault::never()).await
    }

    pub fn site(&self) -> SiteRef {
        SiteRef { organization_id: self.lane.organization_id.clone(), site_id: self.site_id.clone() }
    }

    /// When the site is looked at next for its summary.
    pub async fn next_look(&self) -> Result<Option<Timestamp>, TableError> {
        Ok(due::get(&self.table, &self.site()).await?.at())
    }

    /// Looks at the site at that time, again each ten minutes as the clock asks while a look dies or fails.
    pub async fn look(&self, at: Timestamp, fault: &Arc<Fault>) -> Result<(), ReceiverError> {
        self.clock.move_to(at);
        for _ in 0..5 {
            let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
            let bell = Faulty { inner: &self.bell as &dyn Bell, fault: fault.clone() };
            let (summary, site) = (DailySummary { table: &table, bell: &bell }, self.site());
            let looked = tokio::select! {
                looked = summary.look(&site, self.clock.now()) => looked.is_ok(),
                () = fault.died.notified() => false,
            };
            if looked {
                return Ok(());
            }
            self.clock.advance(due::RING_AGAIN);
        }
        Err(ReceiverError::Restless("a look at the site failed five times".into()))
    }

    /// Whether the site's days are cut off.
    pub async fn is_taken_up(&self) -> Result<bool, TableError> {
        Ok(Summaries { table: &self.table, site: &self.site() }.state().await?.on)
    }

    /// Runs the lane once, under a fault. `None`: it died or failed.
    pub async fn run_once(&self, fault: &Arc<Fault>) -> Option<Report> {
        tokio::select! {
            ran = self.run(fault) => ran.ok(),
            () = fault.died.notified() => None,
        }
    }

    pub async fn run(&self, fault: &Arc<Fault>) -> Result<Report, RunError> {
        let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
        let bell = Faulty { inner: &self.bell as &dyn Bell, fault: fault.clone() };
        let bus = Faulty { inner: &self.bus as &dyn Bus, fault: fault.clone() };
        let post = Faulty { inner: &self.post as &dyn webhook::Post, fault: fault.clone() };
        let engine = Engine {
            table: &table,
            bell: &bell,
            bus: &bus,
            vault: &self.vault,
            post: &post,
            clock: &self.clock,
            public_url: "https://pulse.example.org",
            run_for: SignedDuration::from_secs(40),
        };
        engine.run(&self.lane).await
    }

    /// Lets the queue, the clock and the lane work, jumping over idle time, until nothing is due any more.
    pub async fn rest(&self, fault: &Arc<Fault>) -> Result<(), ReceiverError> {
        self.rest_until(fault, None).await
    }

    /// The same, until that moment at the latest.
    pub async fn rest_until(&self, fault: &Arc<Fault>, end: Option<Timestamp>) -> Result<(), ReceiverError> {
        let restless = |error: &dyn std::fmt::Display| ReceiverError::Restless(error.to_string());
        for _ in 0..400 {
            if !self.bell.take().is_empty() {
                if self.run_once(fault).await.is_none() {
                    // The ring dies in the dead-letter queue at its first failure: only the clock heals it.
                    self.clock.advance(REDELIVERY);
                }
                continue;
            }
            match due::get(&self.table, &self.lane).await?.at() {
                None => return Ok(()),
                Some(at) if end.is_some_and(|end| at >= end) => {
                    end.iter().for_each(|end| self.clock.move_to(*end));
                    return Ok(());
                }
                Some(at) => {
                    self.clock.move_to(at + SignedDuration::from_secs(1));
                    clock::tick(&self.table, &self.bell, &self.bus, self.clock.now())
                        .await
                        .map_err(|e| restless(&e))?;
                }
            }
        }
        Err(restless(&format!("{:?}", self.todos().await?)))
    }

    /// All that is still to be sent.
    pub async fn todos(&self) -> Result<Vec<Todo>, TableError> {
        let mut todos = self.messages().ready(1_000).await?;
        todos.extend(self.messages().overdue(Timestamp::MAX, 1_000).await?);
        Ok(todos)
    }

    /// What came of all messages, the ping's aside.
    pub async fn rows(&self) -> Result<Vec<Delivery>, TableError> {
        let rows = self.messages().deliveries_after(0, 1_000).await?;
        Ok(rows.into_iter().filter(|row| row.message_type != domain::webhook::message::MessageType::Ping).collect())
    }

    /// What the receiver got, pings aside.
    pub fn got(&self) -> Vec<Got> {
        self.post.got().into_iter().filter(|got| !got.body.contains("com.hardhatpulse.ping.v1")).collect()
    }
}
