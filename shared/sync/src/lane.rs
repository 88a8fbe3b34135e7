//! One run of a lane. It ends itself before the function's time-out and rings again; whatever it leaves behind has a due time.
use crate::budget::Budget;
use crate::clock::Clock;
use crate::handle::{LONGEST_BACKOFF, Outcome, Run};
use crate::meter::{LaneMeter, SHORT_WAIT};
use crate::reread::Reread;
use crate::target::{Block, Target};
use domain::record::{Mender, RecordKey, RecordState, WorkClass};
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::bell::{Bell, BellError};
use store::bus::Bus;
use store::directory::{Blocked, Connection, Directory};
use store::due::{self, Reason};
use store::lanes::{Lane, LaneId, Todo};
use store::outbox::Outbox;
use store::{Table, TableError};
use tracing::{error, info, warn};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the lane's state could not be kept: {0}")]
    Table(#[from] TableError),
    #[error("the lane could not be rung again: {0}")]
    Bell(#[from] BellError),
}

/// Todos read at once.
const PAGE: usize = 50;
/// A todo that killed this many runs goes behind the others; one more, and it is failed.
const KILLED_RUNS: u32 = 2;
/// A block of our own making is tried again this often.
const PROBE: SignedDuration = SignedDuration::from_mins(15);
const BEHIND: SignedDuration = SignedDuration::from_mins(5);

/// A lane's engine with all its I/O injected.
pub struct Engine<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
    pub bus: &'a dyn Bus,
    pub target: &'a dyn Target,
    pub outbox: &'a dyn Outbox,
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

/// Pauses of this run.
#[derive(Default)]
struct Held {
    everything: Option<Timestamp>,
    classes: BTreeMap<WorkClass, Timestamp>,
}

impl Held {
    fn holds(&self, class: WorkClass) -> bool {
        self.everything.is_some() || self.classes.contains_key(&class)
    }

    /// The classes that may go.
    fn free(&self) -> impl Iterator<Item = WorkClass> {
        WorkClass::ALL.into_iter().filter(|class| !self.holds(*class))
    }

    fn pause(&mut self, class: WorkClass, until: Timestamp, everything: bool) {
        match everything {
            true => self.everything = Some(self.everything.map_or(until, |at| at.max(until))),
            false => {
                self.classes.insert(class, until);
            }
        }
    }

    fn until(&self) -> Option<Timestamp> {
        self.everything.into_iter().chain(self.classes.values().copied()).min()
    }
}

/// Notes what the budget holds, before any todo is touched for it.
fn hold(held: &mut Held, meter: &LaneMeter<'_>) {
    for class in WorkClass::ALL {
        if let Some((until, everything)) = meter.held(class) {
            held.pause(class, until, everything);
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
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
        let budget: Budget = lane.budget().await?.unwrap_or_default();
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

    /// Handles todos until there are none, all that is left is held, or time is up.
    async fn work(
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
            clock: self.clock,
            meter,
            lane: lane.id,
            connection,
            public_url: self.public_url,
            unclear_wait: self.unclear_wait,
            catalogs: Default::default(),
            blocked_projects: Default::default(),
        };
        let calls = meter.snapshot().calls;
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
                self.disarm(lane, held).await?;
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
        }
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
    async fn disarm(&self, lane: &Lane<'_>, held: &Held) -> Result<(), TableError> {
        let next = self.reread_every.map(|every| self.clock.now() + every);
        let next_try = first_try(lane, held).await?;
        due::change(self.table, lane.id, |reasons| {
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

    /// A short pause of everything is waited out here; a longer one ends the run, and the clock rings after it.
    async fn wait_out(&self, held: &mut Held, deadline: Timestamp) {
        let now = self.clock.now();
        let Some(until) = held.everything.filter(|until| *until < deadline && until.duration_since(now) <= SHORT_WAIT)
        else {
            return;
        };
        if until > now {
            self.clock.sleep(until.duration_since(now)).await;
        }
        held.everything = None;
    }

    /// The next todos, the most important first, one per record. While the platform does not answer it is a single one; in a long
    /// outage, and when it ends, records that failed with it come before their time, once in a run (`early`).
    async fn next(
        &self,
        lane: &Lane<'_>,
        held: &Held,
        meter: &LaneMeter<'_>,
        early: &mut BTreeSet<RecordKey>,
    ) -> Result<Vec<Todo>, TableError> {
        let (now, outage) = (self.clock.now(), meter.outage());
        let long = outage.is_some_and(|outage| outage.is_long(now));
        let until = if meter.take_recovered() || long { now + LONGEST_BACKOFF } else { now };
        // One query for each class, so that what waits of one hides nothing of another.
        let overdue = held.free().map(|class| lane.overdue(class, until, PAGE));
        let mut todos = try_join_all(overdue).await?.concat();
        todos.extend(lane.ready(PAGE).await?);
        let is_early = |todo: &Todo| todo.next_try.is_some_and(|at| at > now);
        todos.retain(|todo| !held.holds(todo.class));
        todos.retain(|todo| !is_early(todo) || todo.tries > 0 && !early.contains(&todo.record));
        match outage {
            // Now and then the least important goes ahead: one tool may be down and another not.
            Some(outage) if long && outage.failures % 3 == 0 => {
                todos.sort_by_key(|todo| (Reverse(todo.class), todo.tries == 0, todo.at));
            }
            _ => todos.sort_by_key(|todo| (todo.class, todo.at)),
        }
        let mut seen = BTreeSet::new();
        todos.retain(|todo| seen.insert(todo.record.clone()));
        if outage.is_some() {
            todos.truncate(1);
        }
        early.extend(todos.iter().filter(|todo| is_early(todo)).map(|todo| todo.record.clone()));
        Ok(todos)
    }

    async fn handle_all(
        &self,
        run: &Run<'_>,
        lane: &Lane<'_>,
        todos: Vec<Todo>,
        deadline: Timestamp,
        held: &mut Held,
        report: &mut Report,
    ) -> Result<Option<Block>, RunError> {
        let shared = Mutex::new(std::mem::take(held));
        let mut work = stream::iter(todos)
            .map(|todo| {
                let shared = &shared;
                async move {
                    // Asked before an attempt is noted: what is held costs no write.
                    if let Some((until, everything)) = run.meter.held(todo.class) {
                        lock(shared).pause(todo.class, until, everything);
                    }
                    let held = lock(shared).holds(todo.class);
                    match held {
                        true => Ok(None),
                        false => self.handle_one(run, lane, todo, deadline).await,
                    }
                }
            })
            .buffer_unordered(self.at_once.max(1));
        // What is under way is always let end: a call cut off in the middle is an unclear answer of our own making.
        let (mut blocked, mut error) = (None, None);
        while let Some(handled) = work.next().await {
            match handled {
                Ok(None) => {}
                Ok(Some((todo, outcome))) => {
                    report.handled += 1;
                    match outcome {
                        Outcome::Done { state, wrote } => self.count(report, &todo, state, wrote),
                        Outcome::PutOff { .. } => report.put_off += 1,
                        Outcome::Paused { until, everything } => lock(&shared).pause(todo.class, until, everything),
                        Outcome::ConnectionBlocked(block) => {
                            lock(&shared).pause(todo.class, deadline, true);
                            blocked = Some(block);
                        }
                    }
                }
                Err(failed) => {
                    lock(&shared).pause(WorkClass::Incident, deadline, true);
                    error.get_or_insert(failed);
                }
            }
        }
        drop(work);
        *held = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => Err(error.into()),
            None => Ok(blocked),
        }
    }

    /// One todo, from noting the attempt to its end. `None`: not touched.
    async fn handle_one(
        &self,
        run: &Run<'_>,
        lane: &Lane<'_>,
        mut todo: Todo,
        deadline: Timestamp,
    ) -> Result<Option<(Todo, Outcome)>, TableError> {
        let now = self.clock.now();
        if now >= deadline {
            return Ok(None);
        }
        if todo.attempts == KILLED_RUNS && todo.next_try.is_none() {
            warn!(connection_id = %lane.id.connection_id, record = %todo.record.fact_id, "a record ended two runs: it goes behind the others");
            lane.put_behind(&todo, now + BEHIND).await?;
            return Ok(None);
        }
        if todo.attempts > KILLED_RUNS {
            return self.give_up(lane, todo).await.map(Some);
        }
        if !lane.begin(&mut todo).await? {
            return Ok(None);
        }
        let outcome = match run.handle(&todo).await {
            Ok(outcome) => outcome,
            Err(error) => {
                // A table that failed us is not the record's fault. Where this fails too, the attempt stands.
                if let Err(again) = lane.unbegin(&todo).await {
                    warn!(connection_id = %lane.id.connection_id, "an attempt could not be taken back: {again}");
                }
                return Err(error);
            }
        };
        match &outcome {
            Outcome::Done { .. } => lane.finish(&todo).await?,
            Outcome::PutOff { until, why, counts } => {
                info!(connection_id = %lane.id.connection_id, record = %todo.record.fact_id, until = %until, "put off: {why}");
                lane.put_off(&todo, *until, why.clone(), *counts).await?;
            }
            Outcome::Paused { .. } | Outcome::ConnectionBlocked(_) => lane.unbegin(&todo).await?,
        }
        Ok(Some((todo, outcome)))
    }

    /// A todo that ended three runs is ours to mend: failed, with words.
    async fn give_up(&self, lane: &Lane<'_>, todo: Todo) -> Result<(Todo, Outcome), TableError> {
        if let Some(mut link) = lane.link(&todo.record).await? {
            link.state = RecordState::Failed;
            link.reason = Some("Handling this record failed three times for a reason on our side. It is kept safe. Press retry, or write to contact@hardhatpulse.com.".into());
            (link.who, link.updated_at) = (Some(Mender::HardhatPulse), self.clock.now());
            lane.put_link(&mut link).await?;
            lane.finish(&todo).await?;
            return Ok((todo, Outcome::Done { state: Some(RecordState::Failed), wrote: false }));
        }
        // Without a link there is nothing to show it on: it is tried again, rarely.
        let (until, why) =
            (self.clock.now() + SignedDuration::from_hours(1), "failed three times on our side".to_owned());
        lane.put_off(&todo, until, why.clone(), true).await?;
        Ok((todo, Outcome::PutOff { until, why, counts: true }))
    }

    fn count(&self, report: &mut Report, todo: &Todo, state: Option<RecordState>, wrote: bool) {
        match state {
            Some(RecordState::Synced) if wrote => {
                report.synced += 1;
                report.lags.push(self.clock.now().as_millisecond() - todo.asked_at.as_millisecond());
            }
            Some(RecordState::Blocked) => report.blocked += 1,
            Some(RecordState::Failed) => report.failed += 1,
            _ => {}
        }
    }

    /// The connection waits for a person: calm, no hammering.
    async fn block(&self, connection: &mut Connection, block: Block) -> Result<(), RunError> {
        let lane = connection.lane();
        warn!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, "connection blocked: {}", block.reason);
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
        let next_try = first_try(lane, held).await?;
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
    Ok(try_join_all(held.free().map(|class| lane.next_try(class))).await?.into_iter().flatten().min())
}

fn set(reasons: &mut BTreeMap<Reason, Timestamp>, reason: Reason, at: Option<Timestamp>) {
    match at {
        Some(at) => reasons.insert(reason, at),
        None => reasons.remove(&reason),
    };
}
