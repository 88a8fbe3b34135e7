//! Days going by in a world: the clock's ticks, the looks of `daily-summary` that they ask for, and the lanes.
use crate::fault::{Fault, Faulty};
use crate::world::{REDELIVERY, World, WorldError};
use daily_summary::DailySummary;
use domain::settings::ProjectSettings;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;
use store::Table;
use store::bell::Bell;
use store::bus::Bus;
use store::directory::{Directory, Project};
use store::due::{self, SiteRef};
use store::mapping::{self, Wanted};
use store::summaries::{Summaries, Summary};
use sync::clock::Clock;

/// More than any history of these tests takes.
const TURNS: usize = 200_000;
const A_TICK: SignedDuration = SignedDuration::from_mins(1);

/// What the bus was told beside which site is due.
pub type Told = Vec<(&'static str, Value)>;

impl World {
    pub fn site(&self) -> SiteRef {
        SiteRef { organization_id: self.lane.organization_id.clone(), site_id: self.site_id.clone() }
    }

    /// Keeps that the project takes its site's summary, or no more, and at which hour, by the code of API and pages. `false`: the
    /// process died, or said that it failed.
    pub async fn settle(&self, at: &str, enabled: bool, fault: &Arc<Fault>) -> bool {
        let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
        let bell = Faulty { inner: &self.bell as &dyn Bell, fault: fault.clone() };
        let work = async {
            let directory = Directory(&table);
            let connection =
                directory.connection(&self.lane.organization_id, &self.lane.connection_id).await.ok()??;
            let standing = directory.project(&self.lane, self.project()).await.ok()?;
            let mut settings = ProjectSettings {
                site_id: self.site_id.clone(),
                observations: Default::default(),
                daily_summary: Default::default(),
                mapping: standing.as_ref().map(|standing| standing.settings.mapping.clone()).unwrap_or_default(),
            };
            settings.observations.min_priority = 5;
            (settings.daily_summary.at, settings.daily_summary.enabled) = (at.to_owned(), enabled);
            let wanted = Wanted { project_id: self.project().to_owned(), name: None, settings, standing };
            mapping::apply(&table, &bell, &connection, wanted, self.clock.now()).await.ok()
        };
        tokio::select! {
            kept = work => kept.is_some(),
            () = fault.died.notified() => false,
        }
    }

    pub async fn mapped(&self) -> Result<Project, WorldError> {
        let found = Directory(&self.table).project(&self.lane, self.project()).await?;
        found.ok_or(WorldError::Empty)
    }

    /// One tick. `false`: it died or failed; the next one comes in a minute.
    pub async fn tick(&self, fault: &Arc<Fault>) -> bool {
        let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
        let bell = Faulty { inner: &self.bell as &dyn Bell, fault: fault.clone() };
        let bus = Faulty { inner: &self.bus as &dyn Bus, fault: fault.clone() };
        tokio::select! {
            ticked = clock::tick(&table, &bell, &bus, self.clock.now()) => ticked.is_ok(),
            () = fault.died.notified() => false,
        }
    }

    /// One look at a site. `false`: it died or failed.
    pub async fn look(&self, site: &SiteRef, fault: &Arc<Fault>) -> bool {
        let table = Faulty { inner: &self.table as &dyn Table, fault: fault.clone() };
        let bell = Faulty { inner: &self.bell as &dyn Bell, fault: fault.clone() };
        let summary = DailySummary { table: &table, bell: &bell };
        tokio::select! {
            looked = summary.look(site, self.clock.now()) => looked.is_ok(),
            () = fault.died.notified() => false,
        }
    }

    /// Hands what the clock told the bus to `daily-summary`, as its rule does; one that dies is not repeated. The rest is told.
    pub async fn looks(&self, fault: &Arc<Fault>) -> Result<Told, WorldError> {
        let mut told = Told::new();
        for (kind, detail) in self.bus.take() {
            if kind != clock::SITE_DUE {
                told.push((kind, detail));
                continue;
            }
            let site = serde_json::from_value(detail).map_err(|error| WorldError::Restless(error.to_string()))?;
            self.look(&site, fault).await;
        }
        Ok(told)
    }

    /// Ticks, and looks at what is due then; no lane runs.
    pub async fn tick_and_look(&self, at: Timestamp) -> Result<Told, WorldError> {
        self.clock.move_to(at);
        self.tick(&Fault::never()).await;
        self.looks(&Fault::never()).await
    }

    /// Lets time go by, jumping over its idle minutes. Ticks and looks are struck by the one fault, lanes by the other.
    pub async fn days(&self, end: Timestamp, looks: &Arc<Fault>, lane: &Arc<Fault>) -> Result<Told, WorldError> {
        let mut told = Told::new();
        for _ in 0..TURNS {
            self.deliver().await?;
            told.extend(self.looks(looks).await?);
            if !self.bell.take().is_empty() {
                if !self.run_once(lane).await {
                    self.clock.advance(REDELIVERY);
                }
                continue;
            }
            match self.next_due().await? {
                Some(at) if at < end => {
                    self.clock.move_to(at + SignedDuration::from_secs(1));
                    if !self.tick(looks).await {
                        self.clock.advance(A_TICK);
                    }
                }
                _ => {
                    self.clock.move_to(end);
                    return Ok(told);
                }
            }
        }
        Err(WorldError::Restless(format!("{:?}", self.todos().await?)))
    }

    /// When anything is due next.
    async fn next_due(&self) -> Result<Option<Timestamp>, WorldError> {
        let mut next: Option<Timestamp> = None;
        for shard in due::shards() {
            for key in self.table.due(&shard, Timestamp::MAX, 1).await? {
                let item = self.table.get(&key).await?.unwrap_or_default();
                let at = item.get("due_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
                next = [next, at].into_iter().flatten().min();
            }
        }
        Ok(next)
    }

    pub async fn summary(&self, date: Date) -> Result<Option<Summary>, WorldError> {
        Ok(Summaries { table: &self.table, site: &self.site() }.get(date).await?)
    }
}
