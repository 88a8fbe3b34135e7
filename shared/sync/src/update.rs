//! Bringing a record that stands at the platform to what the facts say: read, merge three ways, send what we own and no person
//! changed.
use crate::budget::Admission;
use crate::handle::{Failure, Outcome, Run, Work, gone};
use crate::target::{Remote, TargetError};
use domain::merge::{Conflict, Fields, Merge, merge, news, note_sending, rewritten};
use domain::record::RecordState;
use store::TableError;
use store::lanes::{Link, Step};

impl Run<'_> {
    pub async fn update(&self, work: &Work<'_>, mut link: Link) -> Result<Outcome, TableError> {
        // Before anything that may block the record: late doubles are ours to close all the same.
        if link.sweep_at.is_some_and(|at| at <= self.clock.now())
            && let Some(outcome) = self.sweep(work, &mut link).await?
        {
            return Ok(outcome);
        }
        let desired = match self.render(work, &link).await? {
            Ok(desired) => desired,
            Err(stop) => {
                let failure = stop.failure(self, work);
                return self.fail(work, &mut link, failure).await;
            }
        };
        let step_due = work.wanted.steps.iter().any(|step| !settled(&link, &step.id));
        let asks = work.todo.read_back || link.state != RecordState::Synced;
        if !news(&desired, &link.written) && !step_due && !asks {
            return self.done(work, &link, false).await;
        }
        if let Some(block) = self.project_block(work, &link).await {
            return self.fail(work, &mut link, Failure::Held(block)).await;
        }
        if let Admission::Pause { until, everything } = self.meter.ready(work.todo.class).await {
            return Ok(Outcome::Paused { until, everything });
        }
        let remote = match self.read(work, &link).await {
            Ok(Some(remote)) if !remote.recycled => remote,
            Ok(_) => return self.set_state(&mut link, RecordState::Blocked, gone(work.todo.record.kind)).await,
            Err(failure) => return self.fail(work, &mut link, failure).await,
        };
        self.bring(work, link, remote, &desired, step_due).await
    }

    /// Brings what stands there, as it was just read, to what is desired. `wrote`: something is written even if no field is.
    pub async fn bring(
        &self,
        work: &Work<'_>,
        mut link: Link,
        mut remote: Remote,
        desired: &Fields,
        wrote: bool,
    ) -> Result<Outcome, TableError> {
        let before = link.clone();
        let mut merged = merge(desired, &link.written, &remote.fields);
        bar(&mut merged, &remote);
        if !merged.send.is_empty() {
            // Should the answer be lost, the next merge must not take what we sent for a person's edit.
            note_sending(&mut link.written, &merged.send, &remote.fields);
            if link != before {
                self.lane().put_link(&mut link).await?;
            }
            let kind = work.todo.record.kind;
            match self.target.update(self.call(work.todo), &work.project, kind, &remote, &merged.send).await {
                Ok(answered) => {
                    link.answered_at = answered.updated_at;
                    remote = answered;
                }
                Err(error) => {
                    if matches!(error, TargetError::Refused { .. }) {
                        link.written = before.written;
                    }
                    let failure = self.after_failure(work, error);
                    return self.fail(work, &mut link, failure).await;
                }
            }
        }
        link.written = rewritten(desired, &link.written, &merged.send, &remote.fields);
        // Undecided, our news is still news: should the person change the field again, or put it back, the next look sees that.
        for conflict in &merged.conflicts {
            if let Some(written) = link.written.get_mut(&conflict.field) {
                written.wrote.clear();
            }
        }
        let fields_of = |c: &domain::merge::Conflict| merged.conflicts.iter().all(|new| new.field != c.field);
        let unsolved = |c: &domain::merge::Conflict| remote.fields.get(&c.field) == Some(&c.theirs);
        link.conflicts.retain(|c| fields_of(c) && unsolved(c));
        link.conflicts.extend(merged.conflicts);
        (link.state, link.reason, link.who) = (RecordState::Synced, None, None);
        link.waits_for_project = false;
        if link != before {
            link.updated_at = self.clock.now();
            self.lane().put_link(&mut link).await?;
        }
        if before.waits_for_project || !merged.send.is_empty() {
            self.project_answers(work).await?;
        }
        // Before our side writes, which move the status that was just read.
        if work.todo.read_back
            && let Some(outcome) = self.read_back(work, &mut link, &remote).await?
        {
            return Ok(outcome);
        }
        if let Some(outcome) = self.side_writes(work, &mut link, remote).await? {
            return Ok(outcome);
        }
        self.done(work, &link, !merged.send.is_empty() || wrote).await
    }

    pub async fn read(&self, work: &Work<'_>, link: &Link) -> Result<Option<Remote>, Failure> {
        let id = link.remote_id.as_deref().unwrap_or_default();
        let read = self.target.read(self.call(work.todo), &work.project, work.todo.record.kind, id).await;
        read.map_err(|error| self.after_failure(work, error))
    }

    /// The end of a todo whose record says what it should.
    pub async fn done(&self, work: &Work<'_>, link: &Link, wrote: bool) -> Result<Outcome, TableError> {
        self.announce_summary(work).await?;
        Ok(self.ended(link, wrote))
    }

    /// The end of a todo, unless late doubles are still to be looked for, whatever became of the record itself.
    pub fn ended(&self, link: &Link, wrote: bool) -> Outcome {
        match link.sweep_at.filter(|until| link.remote_id.is_some() && *until > self.clock.now()) {
            Some(until) => {
                Outcome::PutOff { until, why: "looking for late doubles of a repeated create".into(), counts: false }
            }
            None => Outcome::Done { state: Some(link.state), wrote },
        }
    }
}

/// What the platform does not let us write stands as it is, and is shown like a person's edit.
fn bar(merged: &mut Merge, remote: &Remote) {
    let Some(writable) = &remote.writable else { return };
    let (send, barred) = std::mem::take(&mut merged.send).into_iter().partition(|(field, _)| writable.contains(field));
    merged.send = send;
    let theirs = |field: &String| remote.fields.get(field).cloned().unwrap_or_default();
    let barred: domain::merge::Fields = barred;
    merged.conflicts.extend(barred.into_iter().map(|(field, ours)| Conflict { theirs: theirs(&field), field, ours }));
}

/// Whether a side write needs nothing more.
pub fn settled(link: &Link, step: &str) -> bool {
    matches!(link.steps.get(step), Some(Step::Done | Step::Dropped))
}
