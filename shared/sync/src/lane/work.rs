//! What a run does: todos until there are none, all that is left is held, or time is up; then what the clock asked for.
use super::held::{Held, hold};
use super::{Engine, Report, RunError, first_try, set};
use crate::handle::Run;
use crate::meter::LaneMeter;
use crate::project_blocks::Blocks;
use crate::reread::Reread;
use crate::target::Block;
use jiff::Timestamp;
use std::collections::BTreeSet;
use store::TableError;
use store::directory::Connection;
use store::due::{self, Reason};
use store::lanes::Lane;
use tokio::sync::Mutex;

impl Engine<'_> {
    /// Handles todos until there are none, all that is left is held, or time is up.
    pub(super) async fn work(
        &self,
        lane: &Lane<'_>,
        connection: &Connection,
        meter: &LaneMeter<'_>,
        deadline: Timestamp,
        held: &mut Held,
        report: &mut Report,
    ) -> Result<Option<Block>, RunError> {
        let run = Run {
            table: self.table,
            target: self.target,
            outbox: self.outbox,
            vault: self.vault,
            bus: self.bus,
            clock: self.clock,
            meter,
            lane: lane.id,
            connection,
            public_url: self.public_url,
            unclear_wait: self.unclear_wait,
            catalogs: Default::default(),
            blocks: Mutex::new(Blocks::of(lane.project_blocks().await?)),
        };
        let calls = meter.snapshot().calls;
        run.probe_projects().await?;
        run.lift_projects(deadline).await?;
        let mut disarmed = false;
        let mut early = BTreeSet::new();
        while self.clock.now() < deadline {
            hold(held, meter);
            self.wait_out(held, deadline).await;
            if held.everything.is_some() {
                break;
            }
            let todos = self.next(lane, held, meter, &mut early).await?;
            if todos.is_empty() {
                if disarmed {
                    break;
                }
                // Taken back first, then looked once more: what was asked for before is seen, what comes later arms anew.
                self.disarm(&run, held).await?;
                disarmed = true;
                continue;
            }
            if disarmed {
                due::arm(self.table, lane.id, self.clock.now()).await?;
                disarmed = false;
            }
            if let Some(block) = self.handle_all(&run, lane, todos, deadline, held, report).await? {
                return Ok(Some(block));
            }
            run.lift_projects(deadline).await?;
        }
        held.next_probe = run.next_probe().await;
        if !disarmed || held.everything.is_some() {
            return Ok(None);
        }
        let block = self.reread(&run, deadline, report).await?;
        // Only where the platform was spoken to in this run: an idle ring costs no look at hooks.
        let spoke = report.reread_at.is_some() || meter.snapshot().calls > calls;
        match block {
            None if self.reread_every.is_some() && spoke => Ok(run.keep_hooks(deadline).await?),
            block => Ok(block),
        }
    }

    /// Takes the arm back; what waits, and what is read again by the clock, have their times from here on, should this run die.
    async fn disarm(&self, run: &Run<'_>, held: &mut Held) -> Result<(), TableError> {
        let next = self.reread_every.map(|every| self.clock.now() + every);
        held.next_probe = run.next_probe().await;
        let next_try = first_try(&run.lane(), held).await?;
        held.next_try = Some(next_try);
        due::change(self.table, run.lane, |reasons| {
            reasons.remove(&Reason::Rung);
            set(reasons, Reason::NextTry, next_try);
            if let Some(next) = next {
                reasons.entry(Reason::Reread).or_insert(next);
            }
        })
        .await
    }

    /// When nothing else is to be done, and its time has come.
    async fn reread(&self, run: &Run<'_>, deadline: Timestamp, report: &mut Report) -> Result<Option<Block>, RunError> {
        let Some(every) = self.reread_every else { return Ok(None) };
        let due = due::get(self.table, run.lane).await?.reasons.get(&Reason::Reread).copied();
        if due.is_none_or(|due| due > self.clock.now()) {
            return Ok(None);
        }
        match run.reread(self, every, deadline).await? {
            Reread::Next(at) => report.reread_at = Some(at),
            Reread::Blocked(block) => return Ok(Some(block)),
        }
        Ok(None)
    }
}
