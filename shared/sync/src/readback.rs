//! What people added to a record at the platform, on its way into the fact: sent to the one writer of facts, and only then marked
//! as read. A failed, partial or forbidden read changes nothing; what merely does not show any more is kept.
use crate::handle::{Outcome, Run, Work};
use crate::target::{Call, Project, Remote, TargetError};
use domain::fact::FactKind;
use domain::message::UpdateMessage;
use domain::record::RecordKind;
use domain::treatment::{Account, Source, Told, Update};
use jiff::SignedDuration;
use store::TableError;
use store::facts::SiteFacts;
use store::lanes::{Link, ReadMark};

/// A read that the platform did not answer is tried again after this long.
pub const READ_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Why something could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl Run<'_> {
    /// Reads what people added to a record that was just read. `Some`: the todo is not done.
    pub async fn read_back(
        &self,
        work: &Work<'_>,
        link: &mut Link,
        remote: &Remote,
    ) -> Result<Option<Outcome>, TableError> {
        let (call, kind) = (self.call(work.todo), work.todo.record.kind);
        let read = match self.target.told(call, &work.project, kind, remote).await {
            Ok(account) => self.take_in(call, &work.project, link, account).await,
            Err(error) => Err(error.into()),
        };
        match read {
            Ok(_) => Ok(None),
            Err(ReadError::Table(error)) => Err(error),
            Err(ReadError::Target(error)) => Ok(self.unread(error)),
        }
    }

    /// Nothing was changed by it; what may pass is tried again.
    fn unread(&self, error: TargetError) -> Option<Outcome> {
        let until = self.clock.now() + READ_AGAIN;
        match error {
            TargetError::NotDone { why } | TargetError::Unclear { why, .. } => {
                Some(Outcome::PutOff { until, why, counts: true })
            }
            TargetError::Paused { until, everything } => Some(Outcome::Paused { until, everything }),
            TargetError::Connection(block) => Some(Outcome::ConnectionBlocked(block)),
            error @ (TargetError::Project(_)
            | TargetError::Record(_)
            | TargetError::NotFound
            | TargetError::Refused { .. }) => {
                tracing::warn!(connection_id = %self.lane.connection_id, failure = error.kind(), "what people added to a record can't be read");
                None
            }
        }
    }

    /// Sends what was read, where it is news, and marks it as read. `true`: it was news.
    pub async fn take_in(
        &self,
        call: Call<'_>,
        project: &Project,
        link: &mut Link,
        account: Account,
    ) -> Result<bool, ReadError> {
        if is_read(link, &account) {
            return Ok(false);
        }
        let account = self.with_hidden(call, project, link, account).await?;
        if is_read(link, &account) {
            return Ok(false);
        }
        let (now, hash) = (self.clock.now(), account.hash());
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let order = link.read.as_ref().map_or(milliseconds, |read| milliseconds.max(read.order + 1));
        let (connection_id, provider) = (self.lane.connection_id.clone(), self.lane.provider);
        let source = Source::Platform { connection_id, provider };
        let message = UpdateMessage {
            organization_id: self.lane.organization_id.clone(),
            site_id: link.record.site_id.clone(),
            fact: fact_kind(link.record.kind),
            fact_id: link.record.fact_id.clone(),
            update: Update { source, told: Told::All(account), order, at: now },
        };
        self.outbox.send(&message).await.map_err(|error| TableError::Unavailable(error.to_string()))?;
        link.read = Some(ReadMark { hash, order, at: now, updated_at: None, comments: None });
        self.lane().put_link(link).await?;
        Ok(true)
    }

    /// Injuries that we know of and that do not show any more are kept, unless the recycle bin says that someone deleted them:
    /// reading is never deleting.
    async fn with_hidden(
        &self,
        call: Call<'_>,
        project: &Project,
        link: &Link,
        mut account: Account,
    ) -> Result<Account, ReadError> {
        let (organization_id, record) = (&self.lane.organization_id, &link.record);
        let facts = SiteFacts { table: self.table, organization_id, site_id: &record.site_id };
        let Some(fact) = facts.get(fact_kind(record.kind), &record.fact_id).await? else { return Ok(account) };
        let known = fact.treatment.of_connection(&self.lane.connection_id).map(|known| known.injuries.clone());
        let shows = |id: &str, account: &Account| account.injuries.iter().any(|injury| injury.remote_id == id);
        let mut hidden: Vec<_> = known.unwrap_or_default();
        hidden.retain(|injury| !shows(&injury.remote_id, &account));
        let (false, Some(id)) = (hidden.is_empty(), link.remote_id.as_deref()) else { return Ok(account) };
        let discarded = self.target.discarded(call, project, id).await?;
        account.injuries.extend(hidden.into_iter().filter(|injury| !discarded.contains(&injury.remote_id)));
        Ok(account.tidy())
    }
}

/// Whether this is what was read last. Of a record that was never read, what we gave it ourselves is no news.
fn is_read(link: &Link, account: &Account) -> bool {
    let hash = account.hash();
    match &link.read {
        Some(read) => read.hash == hash,
        None => Account { status: link.gave_status.clone(), ..Account::default() }.hash() == hash,
    }
}

fn fact_kind(kind: RecordKind) -> FactKind {
    match kind {
        RecordKind::Incident => FactKind::Incident,
        RecordKind::Observation | RecordKind::DailySummary => FactKind::Detection,
    }
}
