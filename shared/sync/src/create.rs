//! Making a record, on a platform without idempotency keys: note the intent, then create. After an unclear answer wait longer
//! than the platform's longest request, then look by plain list and in the recycle bin; adopt what is there; create again only
//! after two empty looks apart.
use crate::budget::Admission;
use crate::handle::{Failure, Outcome, Run, Work, gone};
use crate::target::{Remote, TargetError};
use domain::merge::{Fields, hash, rewritten, written};
use domain::record::{RecordKind, RecordState};
use jiff::{SignedDuration, Timestamp};
use store::TableError;
use store::hooks::RemoteRecord;
use store::lanes::Link;

/// Two empty looks are at least this far apart.
const LOOKS_APART: SignedDuration = SignedDuration::from_secs(60);
/// How many empty looks allow another create.
const LOOKS: u32 = 2;
/// A look goes back this much further than our clock says, should the platform's be behind.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// After a repeated create, late doubles are looked for then, and again later.
pub const FIRST_SWEEP: SignedDuration = SignedDuration::from_hours(1);

impl Run<'_> {
    /// Creates a record that surely is not there yet, or was looked for twice.
    pub async fn create(&self, work: &Work<'_>, link: Option<Link>) -> Result<Outcome, TableError> {
        let now = self.clock.now();
        let mut link = link.unwrap_or_else(|| Link {
            record: work.todo.record.clone(),
            project_id: work.project.id.clone(),
            marker: work.wanted.subject.marker.clone(),
            state: RecordState::Pending,
            reason: None,
            who: None,
            waits_for_project: false,
            remote_id: None,
            remote_url: None,
            gave_status: None,
            answered_at: None,
            intent_at: None,
            first_intent_at: None,
            looks: 0,
            looked_at: None,
            sweep_at: None,
            sweeps: 0,
            written: Default::default(),
            conflicts: Vec::new(),
            read: None,
            steps: Default::default(),
            updated_at: now,
            version: 0,
        });
        let desired = match self.render(work, &link).await? {
            Ok(desired) => desired,
            Err(stop) => return self.fail(work, &mut link, stop.failure(self, work)).await,
        };
        if let Some(block) = self.project_block(work, &link).await {
            return self.fail(work, &mut link, Failure::Held(block)).await;
        }
        if let Admission::Pause { until, everything } = self.meter.ready(work.todo.class).await {
            return Ok(Outcome::Paused { until, everything });
        }
        let first = self.created_with(work, &desired);
        self.note_intent(&mut link, &first).await?;
        match self.target.create(self.call(work.todo), &work.project, work.todo.record.kind, &first).await {
            Ok(remote) => {
                self.adopt(&mut link, &first, &remote).await?;
                self.project_answers(work).await?;
                match first.len() < desired.len() || !work.wanted.steps.is_empty() {
                    true => self.bring(work, link, remote, &desired, true).await,
                    false => self.made(work, &link).await,
                }
            }
            Err(TargetError::Unclear { why, retry_after }) => {
                let until = self.clock.now() + self.unclear_wait.max(retry_after.unwrap_or_default());
                Ok(Outcome::PutOff { until, why, counts: true })
            }
            Err(error) => self.surely_not_created(work, link, error).await,
        }
    }

    fn created_with(&self, work: &Work<'_>, desired: &Fields) -> Fields {
        let carried = |field: &str| self.target.created_with(work.todo.record.kind, field);
        desired
            .iter()
            .filter(|(field, _)| carried(field))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect()
    }

    async fn note_intent(&self, link: &mut Link, desired: &Fields) -> Result<(), TableError> {
        let now = self.clock.now();
        (link.state, link.reason, link.who) = (RecordState::Pending, None, None);
        link.waits_for_project = false;
        (link.intent_at, link.looks, link.looked_at, link.updated_at) = (Some(now), 0, None, now);
        link.first_intent_at.get_or_insert(now);
        // Should the answer be lost, this is what a later merge takes for what we wrote.
        link.written = written(desired, desired);
        self.lane().put_link(link).await
    }

    /// The intent is taken back, so that the next try creates at once.
    async fn surely_not_created(
        &self,
        work: &Work<'_>,
        mut link: Link,
        error: TargetError,
    ) -> Result<Outcome, TableError> {
        link.intent_at = None;
        if link.sweep_at.is_none() {
            link.first_intent_at = None;
        }
        link.updated_at = self.clock.now();
        match self.after_failure(work, error) {
            Failure::Again(outcome) => {
                self.lane().put_link(&mut link).await?;
                Ok(outcome)
            }
            failure => self.fail(work, &mut link, failure).await,
        }
    }

    /// Keeps what the platform answered.
    async fn adopt(&self, link: &mut Link, desired: &Fields, remote: &Remote) -> Result<(), TableError> {
        link.written = rewritten(desired, &link.written, desired, &remote.fields);
        self.note_remote(link, &remote.id).await?;
        (link.remote_id, link.remote_url) = (Some(remote.id.clone()), Some(remote.url.clone()));
        (link.gave_status, link.intent_at) = (Some(remote.status.clone()), None);
        link.answered_at = remote.updated_at;
        (link.state, link.reason, link.who, link.updated_at) = (RecordState::Synced, None, None, self.clock.now());
        self.lane().put_link(link).await
    }

    /// Where the create was a repeated one, the todo stays for the sweep.
    async fn made(&self, work: &Work<'_>, link: &Link) -> Result<Outcome, TableError> {
        if link.sweep_at.is_none() && self.overflow(&work.wanted.subject, &work.project).is_some() {
            let why = "the rest of its text follows in a comment".to_owned();
            return Ok(Outcome::PutOff { until: self.clock.now(), why, counts: false });
        }
        self.done(work, link, true).await
    }

    /// A create was begun and its answer never kept: was it carried out?
    pub async fn recover(&self, work: &Work<'_>, mut link: Link) -> Result<Outcome, TableError> {
        let now = self.clock.now();
        let intent_at = link.intent_at.unwrap_or(now);
        let quiet_until = intent_at + self.unclear_wait;
        let next_look = link.looked_at.map_or(quiet_until, |at| quiet_until.max(at + LOOKS_APART));
        if now < next_look {
            let why = "waiting before looking whether a create with a lost answer was carried out".to_owned();
            return Ok(Outcome::PutOff { until: next_look, why, counts: false });
        }
        let since = link.first_intent_at.unwrap_or(intent_at) - CLOCK_SKEW;
        let found = match self.look(work, &link.marker, since).await {
            Ok(found) => found,
            Err(error) => {
                let failure = self.after_failure(work, error);
                return self.fail(work, &mut link, failure).await;
            }
        };
        let (standing, recycled): (Vec<Remote>, Vec<Remote>) = found.into_iter().partition(|remote| !remote.recycled);
        match (oldest(standing), oldest(recycled)) {
            ((Some(remote), doubles), _) => {
                if doubles > 0 {
                    link.sweep_at = Some(now);
                }
                self.adopt_found(work.todo.record.kind, link, remote).await
            }
            ((None, _), (Some(remote), _)) => {
                (link.remote_id, link.remote_url, link.intent_at) = (Some(remote.id), Some(remote.url), None);
                self.set_state(&mut link, RecordState::Blocked, gone(work.todo.record.kind)).await
            }
            ((None, _), (None, _)) => self.empty_look(work, link).await,
        }
    }

    /// Records that carry the marker: of a day by its date, others among those made since.
    pub(crate) async fn look(
        &self,
        work: &Work<'_>,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        let (call, kind) = (self.call(work.todo), work.todo.record.kind);
        match work.todo.record.date() {
            Some(date) => self.target.look_on(call, &work.project, kind, marker, date, since).await,
            None => self.target.look(call, &work.project, kind, marker, since).await,
        }
    }

    /// Our record was found by its marker. What a person changed in it since stands: the merge of the next look sees it.
    async fn adopt_found(&self, kind: RecordKind, mut link: Link, remote: Remote) -> Result<Outcome, TableError> {
        let now = self.clock.now();
        // Untouched since it was made: what differs from what we sent is the platform's way of keeping it, no person's edit.
        if remote.created_at.is_some() && remote.created_at == remote.updated_at {
            for (field, written) in &mut link.written {
                written.base = hash(remote.fields.get(field).unwrap_or(&serde_json::Value::Null));
            }
        }
        self.note_remote(&link, &remote.id).await?;
        (link.remote_id, link.remote_url, link.intent_at) = (Some(remote.id), Some(remote.url), None);
        (link.looks, link.looked_at) = (0, None);
        link.gave_status = Some(self.target.statuses(kind).open.to_owned());
        (link.state, link.reason, link.who, link.updated_at) = (RecordState::Synced, None, None, now);
        self.lane().put_link(&mut link).await?;
        // Handled again at once, now as a record that is there: its side writes depend on that.
        let why = "found after a lost answer; it is compared next".to_owned();
        Ok(Outcome::PutOff { until: now, why, counts: false })
    }

    /// What rings a hook when a person changes it: the event names the platform's id.
    async fn note_remote(&self, link: &Link, id: &str) -> Result<(), TableError> {
        if !self.target.announces(link.record.kind) {
            return Ok(());
        }
        let remote = RemoteRecord { record: link.record.clone(), project_id: link.project_id.clone() };
        self.lane().put_remote(link.record.kind, id, &remote).await
    }

    async fn empty_look(&self, work: &Work<'_>, mut link: Link) -> Result<Outcome, TableError> {
        let now = self.clock.now();
        (link.looks, link.looked_at, link.updated_at) = (link.looks + 1, Some(now), now);
        if link.looks < LOOKS {
            self.lane().put_link(&mut link).await?;
            let why = "a first look found nothing of a create with a lost answer; a second one follows".to_owned();
            return Ok(Outcome::PutOff { until: now + LOOKS_APART, why, counts: false });
        }
        if !work.wanted.may_create {
            link.intent_at = None;
            self.lane().put_link(&mut link).await?;
            return Ok(Outcome::nothing());
        }
        link.sweep_at = Some(now + FIRST_SWEEP);
        self.create(work, Some(link)).await
    }
}

/// The one made first, and how many others there are.
fn oldest(mut found: Vec<Remote>) -> (Option<Remote>, usize) {
    found.sort_by(|a, b| (a.created_at, a.id.len(), &a.id).cmp(&(b.created_at, b.id.len(), &b.id)));
    let others = found.len().saturating_sub(1);
    (found.into_iter().next(), others)
}
