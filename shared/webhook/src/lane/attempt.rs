//! One attempt, and what is noted of it: in its row, and, where it is to be tried again, in a todo that waits.
use super::take::Job;
use crate::compose::Composer;
use crate::post::{Letter, Post};
use crate::sealed::Opened;
use domain::webhook::Attempt;
use domain::webhook::schedule::next_try;
use jiff::Timestamp;
use std::sync::Arc;
use store::TableError;
use store::endpoints::Endpoint;
use store::messages::{DeliveryState, Message, MessageLane};
use sync::clock::Clock;

/// What an attempt means for its endpoint.
#[derive(Debug)]
pub(super) enum Done {
    Delivered {
        /// Of a message that was taken at the first try.
        lag_ms: Option<i64>,
    },
    Failed {
        at: Timestamp,
        given_up: bool,
    },
    /// The receiver wants nothing more.
    Gone,
    /// It must not be sent.
    Kept,
}

/// What came of an attempt, and of which edition of the endpoint.
pub(super) struct Sent {
    pub(super) job: Job,
    pub(super) edition: u64,
    pub(super) done: Result<Done, TableError>,
}

pub(super) struct Sender<'a> {
    pub(super) lane: MessageLane<'a>,
    pub(super) post: &'a dyn Post,
    pub(super) clock: &'a dyn Clock,
    pub(super) composer: Arc<Composer<'a>>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) opened: Arc<Opened>,
}

impl Sender<'_> {
    pub(super) async fn send(self, mut job: Job) -> Sent {
        let done = self.attempt(&mut job).await;
        Sent { job, edition: self.endpoint.edition, done }
    }

    async fn attempt(&self, job: &mut Job) -> Result<Done, TableError> {
        if job.doubtful {
            job.row.begun += 1;
            self.lane.put_delivery(&job.row).await?;
        }
        if let Some(why) = self.hindrance(&mut job.message).await? {
            return self.keep(job, why).await;
        }
        let letter = Letter {
            url: &self.opened.url,
            id: &job.message.id,
            format: job.message.format,
            body: job.message.body.as_bytes(),
            keys: &self.opened.keys,
            token: self.opened.token.as_ref(),
            at: self.clock.now(),
        };
        let outcome = self.post.post(letter).await;
        let (gone, delivered, wish) = (outcome.is_gone(), outcome.attempt.delivered(), outcome.retry_after);
        let (first, now) = (job.row.attempts.is_empty(), self.clock.now());
        let row = &mut job.row;
        row.note(outcome.attempt);
        row.next_attempt_at = None;
        if delivered {
            row.state = DeliveryState::Delivered;
            self.lane.put_delivery(row).await?;
            self.lane.finish(&job.todo).await?;
            return Ok(Done::Delivered { lag_ms: first.then(|| job.lag_ms(now)) });
        }
        row.failed += 1;
        let again = if gone { None } else { next_try(&row.message_id, row.failed, now, wish) };
        match again {
            Some(at) => {
                row.state = DeliveryState::Pending;
                self.lane.put_off(&job.todo, at, row).await?;
            }
            None => {
                row.state = DeliveryState::Failed;
                self.lane.put_delivery(row).await?;
                self.lane.finish(&job.todo).await?;
            }
        }
        Ok(if gone { Done::Gone } else { Done::Failed { at: now, given_up: again.is_none() } })
    }

    /// Why a message must not be sent: nothing is told of a site that the endpoint is not for any more. What became a privacy case since it was made is made anew first, under its id and number.
    async fn hindrance(&self, message: &mut Message) -> Result<Option<&'static str>, TableError> {
        if message.site_id.as_ref().is_some_and(|site| !self.endpoint.wants.site(site)) {
            return Ok(Some("not sent: the endpoint is not for its site any more"));
        }
        let Some(content) = &message.content else { return Ok(None) };
        if !self.composer.is_private(&self.endpoint.organization_id, content).await? {
            return Ok(None);
        }
        let composed = self.composer.body(&self.endpoint, content, &message.id, message.sequence).await?;
        let Some(composed) = composed else { return Ok(Some("not sent: what it is about is not kept any more")) };
        (message.body, message.content, message.format) = (composed.body, composed.content, self.endpoint.format);
        self.lane.replace(message).await?;
        Ok(None)
    }

    async fn keep(&self, job: &mut Job, why: &str) -> Result<Done, TableError> {
        let row = &mut job.row;
        row.state = DeliveryState::Failed;
        row.next_attempt_at = None;
        row.note(Attempt::none(self.clock.now(), why));
        self.lane.put_delivery(row).await?;
        self.lane.finish(&job.todo).await?;
        Ok(Done::Kept)
    }
}
