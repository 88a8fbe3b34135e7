//! Side writes: a comment, closing, opening again. Each is a step of its own on the link, noted before it is carried out, and
//! looked for before it is repeated. Where comment and status are two calls, they are two steps: the status keeps the step's name,
//! since what follows depends on it.
use crate::handle::{Failure, Outcome, Run, Work};
use crate::subject::WantedStep;
use crate::subject::step_marker;
use crate::target::{Project, Remote, Seen, SideWrite, Subject};
use crate::update::settled;
use domain::record::{RecordKind, RecordState};
use jiff::Timestamp;
use store::TableError;
use store::lanes::{Link, Step};

impl Run<'_> {
    /// Steps of one call each.
    pub fn one_call_each(&self, steps: Vec<WantedStep>) -> Vec<WantedStep> {
        if !self.target.comments_apart() {
            return steps;
        }
        let apart = |WantedStep { id, write: SideWrite { comment, status } }: WantedStep| match status {
            Some(_) if !comment.is_empty() => {
                let named = WantedStep { id: format!("comment:{id}"), write: SideWrite { comment, status: None } };
                vec![WantedStep { id, write: SideWrite { comment: String::new(), status } }, named]
            }
            _ => vec![WantedStep { id, write: SideWrite { comment, status } }],
        };
        steps.into_iter().flat_map(apart).collect()
    }

    /// The comment with what the fields have no room for, once for each text.
    pub fn overflow(&self, subject: &Subject, project: &Project) -> Option<WantedStep> {
        let text = self.target.overflow(subject, project)?;
        let id = format!("more:{}", domain::marker::crockford(text.as_bytes(), 8));
        let comment = format!("{text}\n[{}]", step_marker(&subject.marker, &id));
        Some(WantedStep { id, write: SideWrite { comment, status: None } })
    }

    /// Carries out the steps that are due. `Some`: the todo is not done.
    pub async fn side_writes(
        &self,
        work: &Work<'_>,
        link: &mut Link,
        mut remote: Remote,
    ) -> Result<Option<Outcome>, TableError> {
        // Where people and we say different things of a day, they decide before it is closed.
        if work.todo.record.kind == RecordKind::DailySummary && !link.conflicts.is_empty() {
            return Ok(None);
        }
        for step in &work.wanted.steps {
            if settled(link, &step.id) {
                continue;
            }
            if let Some(outcome) = self.side_write(work, link, &mut remote, step).await? {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    async fn side_write(
        &self,
        work: &Work<'_>,
        link: &mut Link,
        remote: &mut Remote,
        step: &WantedStep,
    ) -> Result<Option<Outcome>, TableError> {
        let now = self.clock.now();
        if let Some(&Step::Begun { at, seen }) = link.steps.get(&step.id) {
            let quiet_until = at + self.unclear_wait;
            if now < quiet_until {
                let why = "waiting before looking whether a comment with a lost answer was made".to_owned();
                return Ok(Some(Outcome::PutOff { until: quiet_until, why, counts: false }));
            }
            match self.stands(work, link, remote, step, seen).await {
                Ok(true) => {
                    // A person may have moved it on since.
                    let gave = step.write.status.filter(|status| *status == remote.status);
                    return self.settle(link, step, Step::Done, gave).await;
                }
                Ok(false) => {}
                Err(failure) => return self.fail(work, link, failure).await.map(Some),
            }
        }
        // Closed (or opened) by us only while its status is still the one we gave; otherwise only commented.
        let ours = link.gave_status.as_deref() == Some(remote.status.as_str());
        let write = SideWrite { status: step.write.status.filter(|_| ours), ..step.write.clone() };
        if write.comment.is_empty() && write.status.is_none() {
            return self.settle(link, step, Step::Dropped, None).await;
        }
        link.steps.insert(step.id.clone(), Step::Begun { at: now, seen: remote.updated_at });
        link.updated_at = now;
        self.lane().put_link(link).await?;
        let kind = work.todo.record.kind;
        match self.target.side_write(self.call(work.todo), &work.project, kind, remote, &write).await {
            Ok(answered_at) => {
                if let Some(status) = write.status {
                    remote.status = status.to_owned();
                }
                // It is newer now; how new, nobody has read.
                remote.updated_at = None;
                link.answered_at = link.answered_at.max(answered_at);
                self.settle(link, step, Step::Done, write.status).await
            }
            Err(crate::target::TargetError::Unclear { why, retry_after }) => {
                let until = self.clock.now() + self.unclear_wait.max(retry_after.unwrap_or_default());
                Ok(Some(Outcome::PutOff { until, why, counts: true }))
            }
            Err(error) => {
                link.steps.remove(&step.id);
                match self.after_failure(work, error) {
                    Failure::Again(outcome) => {
                        self.lane().put_link(link).await?;
                        Ok(Some(outcome))
                    }
                    failure => self.fail(work, link, failure).await.map(Some),
                }
            }
        }
    }

    /// Whether a side write with a lost answer was carried out. Comment and status go in one call, so the comment tells, whatever
    /// a person did to the status since. Where nobody can look for comments: while the status is still the one we gave, neither
    /// was written; where it moved, by us or by a person, it is not made twice. A status that goes alone may have been given and
    /// moved back since: then the record is newer than when the step was begun.
    async fn stands(
        &self,
        work: &Work<'_>,
        link: &Link,
        remote: &Remote,
        step: &WantedStep,
        seen: Option<Timestamp>,
    ) -> Result<bool, Failure> {
        let kind = work.todo.record.kind;
        if step.write.comment.is_empty() {
            let moved = seen.is_some() && remote.updated_at.is_some() && remote.updated_at != seen;
            return Ok(moved || step.write.status == Some(remote.status.as_str()));
        }
        let reference = step.write.comment.rsplit('[').next().unwrap_or_default().trim_end_matches(']');
        let seen = self.target.commented(self.call(work.todo), &work.project, kind, &remote.id, reference).await;
        Ok(match seen.map_err(|error| self.after_failure(work, error))? {
            Seen::Yes => true,
            Seen::No => false,
            Seen::Unknown => link.gave_status.as_deref() != Some(remote.status.as_str()),
        })
    }

    async fn settle(
        &self,
        link: &mut Link,
        step: &WantedStep,
        state: Step,
        gave: Option<&'static str>,
    ) -> Result<Option<Outcome>, TableError> {
        link.steps.insert(step.id.clone(), state);
        if let Some(status) = gave {
            link.gave_status = Some(status.to_owned());
        }
        (link.state, link.updated_at) = (RecordState::Synced, self.clock.now());
        self.lane().put_link(link).await?;
        Ok(None)
    }
}
