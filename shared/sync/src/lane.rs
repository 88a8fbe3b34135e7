//! One run of a lane. It ends itself before the function's time-out and rings again; whatever it leaves behind has a due time.
//!
//! - [`work`]: todos until there are none, then the timed re-read and the hooks
//! - [`todos`]: which come next, side by side, each from noting the attempt to its end
//! - [`held`]: the classes that a pause holds
mod held;
mod todos;
mod work;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::meter::{LaneMeter, SHORT_WAIT};
use crate::target::{Block, Target};
use credentials::Vault;
use domain::record::Mender;
use futures::future::try_join_all;
use held::Held;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use store::bell::{Bell, BellError};
use store::bus::Bus;
use store::directory::{Blocked, Connection, Directory};
use store::due::{self, Reason};
use store::lanes::{Lane, LaneId};
use store::outbox::Outbox;
use store::{Table, TableError};
use tracing::{error, warn};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the lane's state could not be kept: {0}")]
    Table(#[from] TableError),
    #[error("the lane could not be rung again: {0}")]
    Bell(#[from] BellError),
}

/// A block of our own making is tried again this often.
const PROBE: SignedDuration = SignedDuration::from_mins(15);

/// A lane's engine with all its I/O injected.
pub struct Engine<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
    pub bus: &'a dyn Bus,
    pub target: &'a dyn Target,
    pub outbox: &'a dyn Outbox,
    /// Seals what hooks sign with.
    pub vault: &'a dyn Vault,
    pub clock: &'a dyn Clock,
    pub public_url: &'a str,
    pub unclear_wait: SignedDuration,
    /// A run begins nothing after this long.
    pub run_for: SignedDuration,
    /// No call of a run begins that may last beyond this, shortly before the process would be ended.
    pub cut_off: SignedDuration,
    /// How often a connection's records are read again without being asked to; `None`: never.
    pub reread_every: Option<SignedDuration>,
    /// Records of one lane that are handled at once.
    pub at_once: usize,
}

/// What a run did, for logs and figures.
#[derive(Debug, Default)]
pub struct Report {
    pub handled: usize,
    pub synced: usize,
    pub blocked: usize,
    pub failed: usize,
    pub put_off: usize,
    pub calls: u64,
    pub refused: u64,
    /// From the ask to the record written, in milliseconds, of each record written.
    pub lags: Vec<i64>,
    pub rang_again: bool,
    /// Records were read again in this run; the next time is then.
    pub reread_at: Option<Timestamp>,
    pub paused_until: Option<Timestamp>,
}

impl Engine<'_> {
    /// Runs a lane that was rung. After an error, or a crash at any line, it may be run again.
    pub async fn run(&self, id: &LaneId) -> Result<Report, RunError> {
        let mut report = Report::default();
        let directory = Directory(self.table);
        let Some(mut connection) = directory.connection(&id.organization_id, &id.connection_id).await? else {
            if let Some(removal) = directory.removal(id).await? {
                self.clear_up(id, &removal).await?;
                return Ok(report);
            }
            Lane { table: self.table, id }.drop_todos().await?;
            due::change(self.table, id, BTreeMap::clear).await?;
            return Ok(report);
        };
        let was_blocked = connection.blocked.is_some();
        if connection.blocked.as_ref().is_some_and(|blocked| !self.may_probe(blocked)) {
            self.rest_while_blocked(id).await?;
            return Ok(report);
        }
        let lane = Lane { table: self.table, id };
        let began = self.clock.now();
        let deadline = began + self.run_for;
        let budget: Budget = lane.budget().await?.unwrap_or_else(|| Budget::of(id.provider));
        let (calls, refused, outage) = (budget.calls, budget.refused, budget.outage());
        let meter = LaneMeter::new(self.clock, budget, deadline, began + self.cut_off).of(id);
        let mut held = Held::default();
        let worked = self.work(&lane, &connection, &meter, deadline, &mut held, &mut report).await;
        let budget = meter.snapshot();
        (report.calls, report.refused) = (budget.calls - calls, budget.refused - refused);
        if report.calls > 0 || report.refused > 0 || budget.outage() != outage {
            // Also after an error: calls that were made count, and a pause that was asked for holds.
            lane.put_budget(&budget).await?;
        }
        match worked? {
            Some(block) => self.block(&mut connection, block).await?,
            None => {
                if was_blocked && report.calls > 0 {
                    connection.blocked = None;
                    directory.put_connection(&mut connection).await?;
                }
                self.end(&lane, &held, deadline, &mut report).await?;
            }
        }
        Ok(report)
    }

    /// What HardHat Pulse itself must mend (its own credentials) is tried again by itself, for all connections that it stopped.
    fn may_probe(&self, blocked: &Blocked) -> bool {
        blocked.who == Mender::HardhatPulse && self.clock.now() >= blocked.since + PROBE
    }

    /// A blocked lane is rung by whoever lifts the block, or by the clock for the next probe. Should it have been lifted between
    /// our read and this write, its arm is put back.
    async fn rest_while_blocked(&self, id: &LaneId) -> Result<(), RunError> {
        let directory = Directory(self.table);
        let read = async || directory.connection(&id.organization_id, &id.connection_id).await;
        let probe = |connection: Option<Connection>| {
            let blocked = connection.and_then(|connection| connection.blocked);
            blocked.filter(|blocked| blocked.who == Mender::HardhatPulse).map(|blocked| blocked.since + PROBE)
        };
        let next = probe(read().await?);
        due::change(self.table, id, |reasons| {
            reasons.clear();
            set(reasons, Reason::NextTry, next);
        })
        .await?;
        if read().await?.is_some_and(|connection| connection.blocked.is_none()) {
            due::arm(self.table, id, self.clock.now()).await?;
            self.bell.ring(id).await?;
        }
        Ok(())
    }

    /// The connection waits for a person: calm, no hammering.
    async fn block(&self, connection: &mut Connection, block: Block) -> Result<(), RunError> {
        let lane = connection.lane();
        warn!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, who = ?block.who, "a connection is blocked");
        let detail = json!({
            "organization_id": lane.organization_id, "connection_id": lane.connection_id,
            "reason": block.reason, "what_to_do": block.what_to_do,
        });
        let (since, ours) = (self.clock.now(), block.who == Mender::HardhatPulse);
        connection.blocked =
            Some(Blocked { reason: block.reason, who: block.who, what_to_do: block.what_to_do, since });
        Directory(self.table).put_connection(connection).await?;
        due::change(self.table, &lane, |reasons| {
            reasons.clear();
            set(reasons, Reason::NextTry, ours.then(|| since + PROBE));
        })
        .await?;
        // A bus that is down must not keep the lane at a platform that refuses it; what it missed stands in the log.
        if let Err(error) = self.bus.publish("Connection Blocked", detail).await {
            error!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, "{error}");
        }
        Ok(())
    }

    /// Sets when the lane must run next, or rings at once where time was up with work left.
    async fn end(
        &self,
        lane: &Lane<'_>,
        held: &Held,
        deadline: Timestamp,
        report: &mut Report,
    ) -> Result<(), RunError> {
        let next_try = match held.next_try {
            Some(known) => known,
            None => first_try(lane, held).await?,
        };
        report.paused_until = held.until();
        let now = self.clock.now();
        // A pause that is nearly over is waited out by the next run, from the kept budget.
        let short = held.everything.is_some_and(|until| until.duration_since(now) <= SHORT_WAIT);
        let out_of_time = (now >= deadline && held.everything.is_none()) || short;
        due::change(self.table, lane.id, |reasons| {
            set(reasons, Reason::NextTry, next_try);
            set(reasons, Reason::Pause, held.until());
            if let Some(every) = self.reread_every {
                let standing = reasons.get(&Reason::Reread).copied();
                let next = report.reread_at.or(standing).unwrap_or(self.clock.now() + every);
                // No ring for it in the middle of a pause.
                reasons.insert(Reason::Reread, held.everything.map_or(next, |until| next.max(until)));
            }
            if held.everything.is_some() {
                reasons.remove(&Reason::Rung);
            }
        })
        .await?;
        if out_of_time {
            due::arm(self.table, lane.id, self.clock.now()).await?;
            self.bell.ring(lane.id).await?;
            report.rang_again = true;
        }
        Ok(())
    }
}

/// The next try of what waits and is not held.
async fn first_try(lane: &Lane<'_>, held: &Held) -> Result<Option<Timestamp>, TableError> {
    let waiting = try_join_all(held.free().map(|class| lane.next_try(class))).await?;
    Ok(waiting.into_iter().flatten().chain(held.next_probe).min())
}

fn set(reasons: &mut BTreeMap<Reason, Timestamp>, reason: Reason, at: Option<Timestamp>) {
    match at {
        Some(at) => reasons.insert(reason, at),
        None => reasons.remove(&reason),
    };
}
