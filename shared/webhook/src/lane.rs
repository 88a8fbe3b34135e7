//! One run of an endpoint's lane: messages go out in their order, at most five at once, and one that fails waits by itself while
//! later ones pass. The run ends itself before the function's time-out; what it leaves behind has a due time.
//!
//! - [`take`]: the next messages, made ready to be sent; [`attempt`]: one attempt and what is noted of it
//! - [`recover`]: what failed or is missing since a time
mod attempt;
mod recover;
mod take;

use crate::compose::Composer;
use crate::post::Post;
use crate::sealed::{self, Opened};
use attempt::{Done, Sender, Sent};
use credentials::{Vault, VaultError};
use domain::ids::EndpointId;
use domain::webhook::schedule::GIVEN_UP_AFTER;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use store::bell::{Bell, BellError};
use store::bus::{Bus, BusError};
use store::due::{self, Reason};
use store::endpoints::{Disabled, Endpoint, EndpointState, Endpoints};
use store::lanes::LaneId;
use store::messages::{Health, MessageLane};
use store::{Table, TableError};
use sync::clock::Clock;
use take::{Job, Taker};

/// Messages of one endpoint under way at once.
const AT_ONCE: usize = 5;
/// Of those, retries: what failed before must not keep new messages waiting.
const RETRIES_AT_ONCE: usize = 3;
/// Messages made ready at once.
const PAGE: usize = 20;
/// While something is under way or soon due, news is looked for this often.
const LOOK: SignedDuration = SignedDuration::from_secs(1);
/// A next try that is nearer than that is waited for in the run.
const SOON: SignedDuration = SignedDuration::from_mins(1);

pub(crate) const ANSWERED_GONE: &str = "It answered 410 Gone: the receiver wants no more messages.";

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the lane's state could not be kept: {0}")]
    Table(#[from] TableError),
    #[error("the lane could not be rung again: {0}")]
    Bell(#[from] BellError),
    #[error("the endpoint's secrets could not be opened: {0}")]
    Vault(#[from] VaultError),
    #[error("nobody could be told that the endpoint was disabled: {0}")]
    Bus(#[from] BusError),
}

/// The lane's engine with all its I/O injected.
pub struct Engine<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
    pub bus: &'a dyn Bus,
    pub vault: &'a dyn Vault,
    pub post: &'a dyn Post,
    pub clock: &'a dyn Clock,
    pub public_url: &'a str,
    /// A run begins nothing after this long.
    pub run_for: SignedDuration,
}

/// What a run did, for logs and figures.
#[derive(Debug, Default)]
pub struct Report {
    pub delivered: usize,
    /// Attempts that failed.
    pub failed: usize,
    /// Messages that are not tried any more.
    pub given_up: usize,
    pub disabled: bool,
    pub rang_again: bool,
    /// From the ask to the answer, in milliseconds, of messages that were taken at the first try.
    pub lags: Vec<i64>,
}

/// What a run knows, and changes as it goes.
struct Run<'a> {
    lane: MessageLane<'a>,
    endpoint: Arc<Endpoint>,
    opened: Arc<Opened>,
    health: Health,
    /// Messages that this run has in hand: queued or under way.
    held: BTreeSet<String>,
    fresh: VecDeque<Job>,
    retries: VecDeque<Job>,
    retries_under_way: usize,
    report: Report,
    /// Nothing is begun any more: the endpoint was disabled, or is gone.
    over: bool,
}

type UnderWay<'a> = FuturesUnordered<BoxFuture<'a, Sent>>;

impl<'e> Engine<'e> {
    /// Runs a lane that was rung. After an error, or a crash at any line, it may be run again.
    pub async fn run(&self, id: &LaneId) -> Result<Report, RunError> {
        let (endpoint_id, lane) = (EndpointId::of_lane(&id.connection_id), MessageLane { table: self.table, id });
        let Some(endpoint) = Endpoints(self.table).get(&id.organization_id, &endpoint_id).await? else {
            self.clear_up(&lane).await?;
            return Ok(Report::default());
        };
        if endpoint.is_disabled() {
            self.rest_while_disabled(&endpoint).await?;
            return Ok(Report::default());
        }
        let deadline = self.clock.now() + self.run_for;
        let opened = Arc::new(sealed::open(self.vault, &endpoint, self.clock.now()).await?);
        let health = lane.health().await?;
        let mut run = Run {
            lane,
            endpoint: Arc::new(endpoint),
            opened,
            health: health.clone(),
            held: BTreeSet::new(),
            fresh: VecDeque::new(),
            retries: VecDeque::new(),
            retries_under_way: 0,
            report: Report::default(),
            over: false,
        };
        let disarmed = self.work(&mut run, deadline).await;
        if run.health != health {
            // Also after an error: what was seen was seen.
            lane.put_health(&run.health).await?;
        }
        match disarmed? {
            _ if run.over => self.end_over(&run).await?,
            true => {}
            false => self.end(&mut run).await?,
        }
        Ok(run.report)
    }

    /// Nobody waits for what was to be sent.
    async fn clear_up(&self, lane: &MessageLane<'_>) -> Result<(), TableError> {
        lane.clear_up().await?;
        due::change(self.table, lane.id, BTreeMap::clear).await
    }

    /// A disabled endpoint's messages stay where they are until a person says that it is to be tried again. Should that have been
    /// between our read and this write, the lane's arm is put back.
    async fn rest_while_disabled(&self, endpoint: &Endpoint) -> Result<(), RunError> {
        let lane = endpoint.lane();
        self.tell(endpoint).await?;
        due::change(self.table, &lane, BTreeMap::clear).await?;
        let now = Endpoints(self.table).get(&endpoint.organization_id, &endpoint.id).await?;
        if now.is_some_and(|endpoint| !endpoint.is_disabled()) {
            due::arm(self.table, &lane, self.clock.now()).await?;
            self.bell.ring(&lane).await?;
        }
        Ok(())
    }

    /// Tells the bus of an endpoint that was disabled, before the lane's arm is taken back: who could not be told is told at the next
    /// ring.
    async fn tell(&self, endpoint: &Endpoint) -> Result<(), RunError> {
        let Some(Disabled { reason, since, told: false }) = &endpoint.disabled else { return Ok(()) };
        let (organization_id, id) = (&endpoint.organization_id, &endpoint.id);
        let detail = json!({"organization_id": organization_id, "endpoint_id": id, "reason": reason});
        self.bus.publish("Webhook Endpoint Disabled", detail).await?;
        let told = |endpoint: &mut Endpoint| {
            let disabled = endpoint.disabled.as_mut().filter(|disabled| disabled.since == *since);
            disabled.map(|disabled| disabled.told = true).is_some()
        };
        Endpoints(self.table).change(organization_id, id, told).await?;
        Ok(())
    }

    /// Sends until there is nothing left to send now, or time is up. Says whether the lane's arm was taken back.
    async fn work<'a>(&self, run: &mut Run<'a>, deadline: Timestamp) -> Result<bool, RunError>
    where
        'e: 'a,
    {
        let composer = Arc::new(Composer::new(self.table, self.public_url));
        let mut under_way: UnderWay<'a> = FuturesUnordered::new();
        let mut failure: Option<RunError> = None;
        let mut disarmed = false;
        loop {
            let may_begin = failure.is_none() && !run.over && self.clock.now() < deadline;
            if may_begin {
                match self.fill(run, &composer, &mut disarmed).await {
                    Ok(()) => self.begin(run, &composer, &mut under_way),
                    // What is under way is brought to its end first.
                    Err(error) => failure = Some(error),
                }
            }
            if under_way.is_empty() {
                if failure.is_some() || run.over || self.clock.now() >= deadline {
                    break;
                }
                match self.idle(run, &mut disarmed, deadline).await? {
                    true => continue,
                    false => break,
                }
            }
            let room = may_begin && under_way.len() < AT_ONCE;
            tokio::select! {
                biased;
                Some(sent) = under_way.next() => {
                    if let Err(error) = self.note(run, sent).await {
                        failure.get_or_insert(error);
                    }
                }
                () = self.clock.sleep(LOOK), if room => {}
            }
        }
        failure.map_or(Ok(disarmed), Err)
    }

    /// Makes the next messages ready, where a queue has run out.
    async fn fill(&self, run: &mut Run<'_>, composer: &Composer<'_>, disarmed: &mut bool) -> Result<(), RunError> {
        if !run.fresh.is_empty() && !run.retries.is_empty() {
            return Ok(());
        }
        if !self.is_still_there(run).await? {
            return Ok(());
        }
        let taker = Taker { lane: run.lane, endpoint: &run.endpoint, composer, clock: self.clock };
        if run.fresh.is_empty() {
            let jobs = taker.fresh(PAGE, &run.held).await?;
            run.held.extend(jobs.iter().map(|job| job.todo.message_id.clone()));
            run.fresh.extend(jobs);
        }
        if run.retries.is_empty() {
            let jobs = taker.retries(PAGE, &run.held).await?;
            run.held.extend(jobs.iter().map(|job| job.todo.message_id.clone()));
            run.retries.extend(jobs);
        }
        if *disarmed && !(run.fresh.is_empty() && run.retries.is_empty()) {
            due::arm(self.table, run.lane.id, self.clock.now()).await?;
            *disarmed = false;
        }
        Ok(())
    }

    /// Follows what people change meanwhile. `false`: nothing is to be sent any more.
    async fn is_still_there(&self, run: &mut Run<'_>) -> Result<bool, RunError> {
        let (organization, id) = (&run.endpoint.organization_id, &run.endpoint.id);
        match Endpoints(self.table).get(organization, id).await?.filter(|endpoint| !endpoint.is_disabled()) {
            None => run.over = true,
            Some(fresh) if fresh.version != run.endpoint.version => {
                run.opened = Arc::new(sealed::open(self.vault, &fresh, self.clock.now()).await?);
                run.endpoint = Arc::new(fresh);
            }
            Some(_) => {}
        }
        Ok(!run.over)
    }

    fn begin<'a>(&self, run: &mut Run<'a>, composer: &Arc<Composer<'a>>, under_way: &mut UnderWay<'a>)
    where
        'e: 'a,
    {
        while under_way.len() < AT_ONCE && !run.over {
            let retry = (run.retries_under_way < RETRIES_AT_ONCE).then(|| run.retries.pop_front()).flatten();
            run.retries_under_way += usize::from(retry.is_some());
            let Some(job) = retry.or_else(|| run.fresh.pop_front()) else { return };
            let sender = Sender {
                lane: run.lane,
                post: self.post,
                clock: self.clock,
                composer: composer.clone(),
                endpoint: run.endpoint.clone(),
                opened: run.opened.clone(),
            };
            under_way.push(Box::pin(sender.send(job)));
        }
    }

    /// There is nothing to send now. `false`: the run may end.
    async fn idle(&self, run: &Run<'_>, disarmed: &mut bool, deadline: Timestamp) -> Result<bool, RunError> {
        if let Some(recovery) = run.lane.recovery().await? {
            self.recover(run, recovery).await?;
            return Ok(true);
        }
        if !*disarmed {
            // Taken back first, then looked once more: what was asked for before is seen, what comes later arms anew.
            self.disarm(&run.lane).await?;
            *disarmed = true;
            return Ok(true);
        }
        let now = self.clock.now();
        match run.lane.next_try().await? {
            Some(at) if at < deadline && at.duration_since(now) <= SOON => {
                self.clock.sleep(at.duration_since(now).clamp(SignedDuration::ZERO, LOOK)).await;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Takes the arm back; what waits has its time from here on.
    async fn disarm(&self, lane: &MessageLane<'_>) -> Result<(), TableError> {
        let next_try = lane.next_try().await?;
        due::change(self.table, lane.id, |reasons| {
            reasons.remove(&Reason::Rung);
            match next_try {
                Some(at) => reasons.insert(Reason::NextTry, at),
                None => reasons.remove(&Reason::NextTry),
            };
        })
        .await
    }

    /// Time was up: who is left is served by another run.
    async fn end(&self, run: &mut Run<'_>) -> Result<(), RunError> {
        let lane = &run.lane;
        let now = self.clock.now();
        let left = !lane.ready(1).await?.is_empty() || !lane.overdue(now, 1).await?.is_empty();
        if !left && lane.recovery().await?.is_none() {
            self.disarm(lane).await?;
            if lane.ready(1).await?.is_empty() {
                return Ok(());
            }
        }
        due::arm(self.table, lane.id, now).await?;
        self.bell.ring(lane.id).await?;
        run.report.rang_again = true;
        Ok(())
    }

    async fn end_over(&self, run: &Run<'_>) -> Result<(), RunError> {
        match Endpoints(self.table).get(&run.endpoint.organization_id, &run.endpoint.id).await? {
            Some(endpoint) => self.rest_while_disabled(&endpoint).await,
            None => Ok(self.clear_up(&run.lane).await?),
        }
    }

    /// What an attempt means for the endpoint.
    async fn note(&self, run: &mut Run<'_>, sent: Sent) -> Result<(), RunError> {
        let Sent { job, edition, done } = sent;
        let done = done?;
        run.held.remove(&job.todo.message_id);
        run.retries_under_way -= usize::from(job.retry);
        match done {
            Done::Delivered { lag_ms } => {
                run.report.delivered += 1;
                run.report.lags.extend(lag_ms);
                run.health = Health::default();
                if run.endpoint.state == EndpointState::Untested {
                    self.activate(run, edition).await?;
                }
            }
            Done::Failed { at, given_up } => {
                run.report.failed += 1;
                run.report.given_up += usize::from(given_up);
                let since = run.health.fails(at, run.endpoint.fresh_since);
                if at.duration_since(since) >= GIVEN_UP_AFTER {
                    self.disable(run, edition, "It took nothing for five days, though it was tried.").await?;
                }
            }
            Done::Gone => {
                run.report.failed += 1;
                run.report.given_up += 1;
                self.disable(run, edition, ANSWERED_GONE).await?;
            }
            Done::Kept => run.report.given_up += 1,
        }
        Ok(())
    }

    async fn activate(&self, run: &mut Run<'_>, edition: u64) -> Result<(), TableError> {
        let (organization, id) = (&run.endpoint.organization_id, &run.endpoint.id);
        let took = |endpoint: &mut Endpoint| endpoint.edition == edition && took_a_message(endpoint);
        let active = Endpoints(self.table).change(organization, id, took).await?;
        if let Some(endpoint) = active.filter(|endpoint| endpoint.edition == run.endpoint.edition) {
            let run = Arc::make_mut(&mut run.endpoint);
            (run.state, run.version) = (endpoint.state, endpoint.version);
        }
        Ok(())
    }

    /// Nothing is sent any more until a person says so. What a person changed since the attempt, such as the address, is yet to be
    /// tried.
    async fn disable(&self, run: &mut Run<'_>, edition: u64, reason: &str) -> Result<(), RunError> {
        let (organization_id, id) = (&run.endpoint.organization_id, &run.endpoint.id);
        let since = self.clock.now();
        let standing = Endpoints(self.table)
            .change(organization_id, id, |endpoint| {
                let change = !endpoint.is_disabled() && endpoint.edition == edition;
                if change {
                    switch_off(endpoint, reason, since);
                }
                change
            })
            .await?;
        if run.over || standing.is_none_or(|endpoint| !endpoint.is_disabled()) {
            return Ok(());
        }
        run.over = true;
        tracing::warn!(%organization_id, endpoint_id = %id, reason, "a webhook endpoint was disabled");
        run.report.disabled = true;
        Ok(())
    }
}

/// Nothing is sent any more; the lane tells the bus.
pub(crate) fn switch_off(endpoint: &mut Endpoint, reason: &str, since: Timestamp) {
    endpoint.state = EndpointState::Disabled;
    endpoint.disabled = Some(Disabled { reason: reason.to_owned(), since, told: false });
}

/// The first success makes an endpoint active. Says whether that is news.
pub(crate) fn took_a_message(endpoint: &mut Endpoint) -> bool {
    let news = endpoint.state == EndpointState::Untested;
    if news {
        endpoint.state = EndpointState::Active;
    }
    news
}
