//! Faults at chosen steps of I/O. A death ends the run where it stands, as a killed process would; a lost answer is an error
//! that the code sees.
use async_trait::async_trait;
use domain::ids::Provider;
use domain::merge::Fields;
use domain::message::UpdateMessage;
use domain::record::RecordKind;
use domain::treatment::Account;
use domain::webhook::Attempt;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use store::bell::{Bell, BellError};
use store::bus::{Bus, BusError};
use store::lanes::LaneId;
use store::outbox::{Outbox, OutboxError};
use store::table::Query;
use store::{Condition, Item, Key, Table, TableError};
use sync::target::{
    Call, Catalog, FoundHook, Project, Proof, Remote, Rendered, Rereading, Seen, SideWrite, Standing, Statuses,
    Subject, Target, TargetError,
};
use tokio::sync::Notify;
use webhook::{Letter, Outcome, Post};

/// What happens at the chosen step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    DieBefore,
    DieAfter,
    /// An error without effect.
    FailBefore,
    /// It took effect, and an error came back.
    FailAfter,
}

impl Mode {
    pub const ALL: [Mode; 4] = [Mode::DieBefore, Mode::DieAfter, Mode::FailBefore, Mode::FailAfter];
}

/// Where a fault strikes, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At the n-th step of all.
    Step(usize),
    /// At the first call of this name.
    Call(&'static str),
}

/// Counts steps; where one is asked to, its fault strikes.
pub struct Fault {
    faults: Vec<(At, Mode, AtomicBool)>,
    steps: AtomicUsize,
    writes: AtomicUsize,
    yields: bool,
    pub died: Notify,
}

impl Fault {
    pub fn all(faults: impl IntoIterator<Item = (At, Mode)>) -> Arc<Self> {
        let faults = faults.into_iter().map(|(at, mode)| (at, mode, AtomicBool::new(false))).collect();
        let (steps, writes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { faults, steps, writes, yields: false, died: Notify::new() })
    }

    pub fn new(at: usize, mode: Mode) -> Arc<Self> {
        Self::all([(At::Step(at), mode)])
    }

    pub fn at_call(name: &'static str, mode: Mode) -> Arc<Self> {
        Self::all([(At::Call(name), mode)])
    }

    pub fn never() -> Arc<Self> {
        Self::all([])
    }

    /// No fault, but whoever else runs comes in between any two steps.
    pub fn yielding() -> Arc<Self> {
        let (steps, writes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { faults: Vec::new(), steps, writes, yields: true, died: Notify::new() })
    }

    /// Whether each fault struck: when not, all steps have been tried.
    pub fn struck(&self) -> bool {
        self.faults.iter().all(|(_, _, struck)| struck.load(Ordering::SeqCst))
    }

    /// Writes to the table that were begun.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn strikes(&self, step: usize, name: &str) -> Option<Mode> {
        let here = |at: &At| match at {
            At::Step(at) => *at == step,
            At::Call(call) => *call == name,
        };
        let (_, mode, _) =
            self.faults.iter().find(|(at, _, struck)| here(at) && !struck.swap(true, Ordering::SeqCst))?;
        Some(*mode)
    }

    /// Carries out one step, or lets the fault strike.
    async fn step<T, E>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, E>>,
        error: impl FnOnce() -> E,
    ) -> Result<T, E> {
        if matches!(name, "put" | "put_together" | "delete") {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        if self.yields {
            tokio::task::yield_now().await;
        }
        let Some(mode) = self.strikes(self.steps.fetch_add(1, Ordering::SeqCst), name) else { return work.await };
        match mode {
            Mode::FailBefore => Err(error()),
            Mode::DieBefore => self.die().await,
            Mode::FailAfter => match work.await {
                Ok(_) => Err(error()),
                Err(error) => Err(error),
            },
            Mode::DieAfter => {
                let _ = work.await;
                self.die().await
            }
        }
    }

    async fn die<T>(&self) -> T {
        self.died.notify_one();
        std::future::pending().await
    }
}

/// Everything that the code under test does I/O with.
pub struct Faulty<T> {
    pub inner: T,
    pub fault: Arc<Fault>,
}

fn lost() -> TableError {
    TableError::Unavailable("the answer was lost (on purpose)".into())
}

#[async_trait]
impl Table for Faulty<&dyn Table> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.fault.step("get", self.inner.get(key), lost).await
    }
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.fault.step("get_many", self.inner.get_many(keys), lost).await
    }
    async fn put(&self, item: Item, condition: Condition) -> Result<(), TableError> {
        self.fault.step("put", self.inner.put(item, condition), lost).await
    }
    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError> {
        self.fault.step("put_together", self.inner.put_together(puts), lost).await
    }
    async fn put_many(&self, items: Vec<Item>) -> Result<(), TableError> {
        // A batch is not atomic: each of its puts is a step.
        for item in items {
            self.fault.step("put", self.inner.put(item, Condition::Always), lost).await?;
        }
        Ok(())
    }
    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError> {
        self.fault.step("delete", self.inner.delete(key, condition), lost).await
    }
    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError> {
        self.fault.step("query", self.inner.query(query), lost).await
    }
    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError> {
        self.fault.step("due", self.inner.due(shard, until, limit), lost).await
    }
}

#[async_trait]
impl Bell for Faulty<&dyn Bell> {
    async fn ring(&self, lane: &LaneId) -> Result<(), BellError> {
        self.fault.step("ring", self.inner.ring(lane), || BellError::Unavailable("lost on purpose".into())).await
    }
}

#[async_trait]
impl Bus for Faulty<&dyn Bus> {
    async fn publish(&self, detail_type: &'static str, detail: Value) -> Result<(), BusError> {
        let error = || BusError { detail_type, why: "lost on purpose".into() };
        self.fault.step("publish", self.inner.publish(detail_type, detail), error).await
    }
}

#[async_trait]
impl Outbox for Faulty<&dyn Outbox> {
    async fn send(&self, message: &UpdateMessage) -> Result<(), OutboxError> {
        self.fault.step("send", self.inner.send(message), || OutboxError("lost on purpose".into())).await
    }
}

#[async_trait]
impl Post for Faulty<&dyn Post> {
    async fn post(&self, letter: Letter<'_>) -> Outcome {
        let at = letter.at;
        let lost = || {
            let error = Some("the answer was lost (on purpose)".into());
            let attempt = Attempt { at, status_code: None, duration_ms: 1, response_excerpt: None, error };
            Outcome { attempt, retry_after: None }
        };
        let work = async { Ok(self.inner.post(letter).await) };
        self.fault.step("post", work, lost).await.unwrap_or_else(|lost| lost)
    }
}

fn unclear() -> TargetError {
    TargetError::Unclear { why: "the answer was lost (on purpose)".into(), retry_after: None }
}

#[async_trait]
impl Target for Faulty<&dyn Target> {
    fn provider(&self) -> Provider {
        self.inner.provider()
    }
    fn statuses(&self, kind: RecordKind) -> Statuses {
        self.inner.statuses(kind)
    }
    fn render(&self, subject: &Subject, project: &Project, catalog: &Catalog, now: Timestamp) -> Rendered {
        self.inner.render(subject, project, catalog, now)
    }
    fn created_with(&self, kind: RecordKind, field: &str) -> bool {
        self.inner.created_with(kind, field)
    }
    fn comments_apart(&self) -> bool {
        self.inner.comments_apart()
    }
    fn one_at_a_time(&self, kind: RecordKind) -> bool {
        self.inner.one_at_a_time(kind)
    }
    fn overflow(&self, subject: &Subject, project: &Project) -> Option<String> {
        self.inner.overflow(subject, project)
    }
    fn rereading(&self) -> Rereading {
        self.inner.rereading()
    }
    fn announces(&self, kind: RecordKind) -> bool {
        self.inner.announces(kind)
    }
    fn proof(&self) -> Proof {
        self.inner.proof()
    }
    async fn find(&self, call: Call<'_>, project: &Project, need: &str) -> Result<Value, TargetError> {
        self.fault.step("find", self.inner.find(call, project, need), unclear).await
    }
    async fn create(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        fields: &Fields,
    ) -> Result<Remote, TargetError> {
        self.fault.step("create", self.inner.create(call, project, kind, fields), unclear).await
    }
    async fn read(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<Remote>, TargetError> {
        self.fault.step("read", self.inner.read(call, project, kind, id), unclear).await
    }
    async fn update(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        send: &Fields,
    ) -> Result<Remote, TargetError> {
        self.fault.step("update", self.inner.update(call, project, kind, remote, send), unclear).await
    }
    async fn look(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        self.fault.step("look", self.inner.look(call, project, kind, marker, since), unclear).await
    }
    async fn look_on(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        date: Date,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        self.fault.step("look", self.inner.look_on(call, project, kind, marker, date, since), unclear).await
    }
    async fn side_write(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        write: &SideWrite,
    ) -> Result<Option<Timestamp>, TargetError> {
        self.fault.step("side_write", self.inner.side_write(call, project, kind, remote, write), unclear).await
    }
    async fn close_double(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        double: &Remote,
        note: &str,
    ) -> Result<(), TargetError> {
        self.fault.step("close_double", self.inner.close_double(call, project, kind, double, note), unclear).await
    }
    async fn told(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
    ) -> Result<Account, TargetError> {
        self.fault.step("told", self.inner.told(call, project, kind, remote), unclear).await
    }
    async fn told_all(&self, call: Call<'_>, project: &Project) -> Result<Vec<Standing>, TargetError> {
        self.fault.step("told_all", self.inner.told_all(call, project), unclear).await
    }
    async fn changed(&self, call: Call<'_>, project: &Project, since: Timestamp) -> Result<Vec<Remote>, TargetError> {
        self.fault.step("changed", self.inner.changed(call, project, since), unclear).await
    }
    async fn discarded(&self, call: Call<'_>, project: &Project, id: &str) -> Result<BTreeSet<String>, TargetError> {
        self.fault.step("discarded", self.inner.discarded(call, project, id), unclear).await
    }
    async fn by_consent(&self, call: Call<'_>) -> Result<bool, TargetError> {
        self.fault.step("by_consent", self.inner.by_consent(call), unclear).await
    }
    async fn own_user(&self, call: Call<'_>, project: &Project) -> Result<String, TargetError> {
        self.fault.step("own_user", self.inner.own_user(call, project), unclear).await
    }
    async fn hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        known: Option<&str>,
    ) -> Result<Option<FoundHook>, TargetError> {
        self.fault.step("hook", self.inner.hook(call, project, url, known), unclear).await
    }
    async fn mend_hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        secret: &str,
        standing: Option<String>,
    ) -> Result<String, TargetError> {
        self.fault.step("mend_hook", self.inner.mend_hook(call, project, url, secret, standing), unclear).await
    }
    async fn drop_hooks(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        known: Option<&str>,
    ) -> Result<(), TargetError> {
        self.fault.step("drop_hooks", self.inner.drop_hooks(call, project, url, known), unclear).await
    }
    async fn let_go(&self, call: Call<'_>) -> Result<(), TargetError> {
        self.fault.step("let_go", self.inner.let_go(call), unclear).await
    }
    async fn commented(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
        marker: &str,
    ) -> Result<Seen, TargetError> {
        self.fault.step("commented", self.inner.commented(call, project, kind, id, marker), unclear).await
    }
}
