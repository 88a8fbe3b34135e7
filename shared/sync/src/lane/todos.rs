//! A run's todos: which come next, side by side, each from noting the attempt to its end.
use super::held::{Held, lock};
use super::{Engine, Report, RunError};
use crate::handle::{LONGEST_BACKOFF, Outcome, Run};
use crate::meter::{LaneMeter, SHORT_WAIT};
use crate::target::Block;
use domain::record::{Mender, RecordKey, RecordState, WorkClass};
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use store::TableError;
use store::lanes::{Lane, Todo};
use tracing::{info, warn};

/// Todos read at once.
const PAGE: usize = 50;
/// A todo that killed this many runs goes behind the others; one more, and it is failed.
const KILLED_RUNS: u32 = 2;
const BEHIND: SignedDuration = SignedDuration::from_mins(5);

impl Engine<'_> {
    /// A short pause of everything is waited out here; a longer one ends the run, and the clock rings after it.
    pub(super) async fn wait_out(&self, held: &mut Held, deadline: Timestamp) {
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
    pub(super) async fn next(
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
        // A few at a time, so that what arrives meanwhile and matters more need not wait for all of them.
        let mut after_another = 0;
        todos.retain(|todo| {
            after_another += usize::from(self.target.one_at_a_time(todo.record.kind));
            after_another <= self.at_once.max(1) || !self.target.one_at_a_time(todo.record.kind)
        });
        early.extend(todos.iter().filter(|todo| is_early(todo)).map(|todo| todo.record.clone()));
        Ok(todos)
    }

    pub(super) async fn handle_all(
        &self,
        run: &Run<'_>,
        lane: &Lane<'_>,
        todos: Vec<Todo>,
        deadline: Timestamp,
        held: &mut Held,
        report: &mut Report,
    ) -> Result<Option<Block>, RunError> {
        held.next_try = None;
        let (shared, alone) = (Mutex::new(std::mem::take(held)), futures::lock::Mutex::new(()));
        let mut work = stream::iter(todos)
            .map(|todo| {
                let (shared, alone) = (&shared, &alone);
                async move {
                    let one = self.target.one_at_a_time(todo.record.kind);
                    let _alone = if one { Some(alone.lock().await) } else { None };
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
                info!(connection_id = %lane.id.connection_id, record = %todo.record.fact_id, until = %until, counts, "put off");
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
}
