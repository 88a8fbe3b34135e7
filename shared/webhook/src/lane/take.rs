//! The next messages, made ready to be sent: what is new gets its number and its body, kept before the first attempt; what a crash
//! left behind twice is found out by its row.
use crate::compose::Composer;
use domain::webhook::Attempt;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use std::collections::BTreeSet;
use store::TableError;
use store::endpoints::Endpoint;
use store::messages::{Delivery, DeliveryState, Message, MessageLane, Todo};
use sync::clock::Clock;

/// Bodies made at once.
const AT_ONCE: usize = 5;
/// A message that ended so many runs is given up.
const ENDED_RUNS: u32 = 3;

/// A message ready to be sent.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) todo: Todo,
    pub(super) message: Message,
    pub(super) row: Delivery,
    /// A run that ended may have begun with it already.
    pub(super) doubtful: bool,
    pub(super) retry: bool,
}

pub(super) struct Taker<'a> {
    pub(super) lane: MessageLane<'a>,
    pub(super) endpoint: &'a Endpoint,
    pub(super) composer: &'a Composer<'a>,
    pub(super) clock: &'a dyn Clock,
}

/// What is to be done with a todo of a message that was kept before.
#[derive(Debug, PartialEq)]
enum Verdict {
    Send {
        row: Box<Delivery>,
        doubtful: bool,
    },
    /// Somebody else has it, or had it.
    Drop,
    GiveUp(Box<Delivery>),
}

impl Taker<'_> {
    /// Ready messages that this run does not hold.
    pub(super) async fn fresh(&self, limit: usize, held: &BTreeSet<String>) -> Result<Vec<Job>, TableError> {
        let todos = self.lane.ready(limit + held.len()).await?;
        self.prepare(todos, limit, held).await
    }

    /// Messages whose next try has come.
    pub(super) async fn retries(&self, limit: usize, held: &BTreeSet<String>) -> Result<Vec<Job>, TableError> {
        let todos = self.lane.overdue(self.clock.now(), limit + held.len()).await?;
        self.prepare(todos, limit, held).await
    }

    async fn prepare(
        &self,
        mut todos: Vec<Todo>,
        limit: usize,
        held: &BTreeSet<String>,
    ) -> Result<Vec<Job>, TableError> {
        let mut seen = held.clone();
        todos.retain(|todo| seen.insert(todo.message_id.clone()));
        todos.truncate(limit);
        let messages = self.lane.messages(todos.iter().map(|todo| todo.message_id.as_str())).await?;
        let rows = self.lane.deliveries_of(messages.values().map(|message| message.sequence)).await?;
        let (mut jobs, mut new) = (Vec::new(), Vec::new());
        for todo in todos {
            let Some(message) = messages.get(&todo.message_id) else {
                match todo.content {
                    Some(_) => new.push(todo),
                    // Its body is not kept any more.
                    None => self.lane.finish(&todo).await?,
                }
                continue;
            };
            match judge(&todo, message, rows.get(&message.sequence)) {
                Verdict::Send { row, doubtful } => {
                    let retry = todo.next_try.is_some();
                    jobs.push(Job { todo, message: message.clone(), row: *row, doubtful, retry });
                }
                Verdict::Drop => self.lane.finish(&todo).await?,
                Verdict::GiveUp(row) => self.give_up(&todo, *row).await?,
            }
        }
        jobs.extend(self.number(new).await?);
        Ok(jobs)
    }

    /// Numbers and bodies for messages that are sent for the first time, in their order.
    async fn number(&self, todos: Vec<Todo>) -> Result<Vec<Job>, TableError> {
        if todos.is_empty() {
            return Ok(Vec::new());
        }
        let first = self.lane.reserve(todos.len() as u64).await?;
        let made = stream::iter((first..).zip(todos)).map(|(number, todo)| self.make(number, todo));
        let jobs: Vec<Option<Job>> = made.buffered(AT_ONCE).try_collect().await?;
        Ok(jobs.into_iter().flatten().collect())
    }

    async fn make(&self, number: u64, todo: Todo) -> Result<Option<Job>, TableError> {
        let composed = match &todo.content {
            Some(content) => self.composer.body(self.endpoint, content, &todo.message_id, number).await?,
            None => None,
        };
        let (Some(composed), Some(content)) = (composed, &todo.content) else {
            tracing::warn!(
                organization_id = %self.lane.id.organization_id, endpoint_id = %self.endpoint.id,
                message_id = todo.message_id, "what a message is about is not kept any more"
            );
            self.lane.finish(&todo).await?;
            return Ok(None);
        };
        let mut message = Message::new(&todo, content, number, self.endpoint.format, composed.body, self.clock.now());
        message.content = composed.content;
        let message = self.lane.keep(message).await?;
        // Another run was faster: its message stands, and may have been sent.
        let doubtful = message.sequence != number;
        Ok(Some(Job { row: Delivery::of(&message), todo, message, doubtful, retry: false }))
    }

    async fn give_up(&self, todo: &Todo, mut row: Delivery) -> Result<(), TableError> {
        row.state = DeliveryState::Failed;
        let why = "sending it ended three runs on our side: HardHat Pulse looks into it";
        row.note(Attempt::none(self.clock.now(), why));
        tracing::error!(
            organization_id = %self.lane.id.organization_id, endpoint_id = %self.endpoint.id,
            message_id = row.message_id, "sending a message ended three runs"
        );
        self.lane.put_delivery(&row).await?;
        self.lane.finish(todo).await
    }
}

fn judge(todo: &Todo, message: &Message, row: Option<&Delivery>) -> Verdict {
    let send = |row: &Delivery, doubtful| Verdict::Send { row: Box::new(row.clone()), doubtful };
    let begin = |row: &Delivery| match row.begun >= ENDED_RUNS {
        true => Verdict::GiveUp(Box::new(row.clone())),
        false => send(row, true),
    };
    match (todo.next_try, row) {
        // Noted as waiting, but not in its row: then the todo that it was before is still there.
        (Some(_), None) => Verdict::Drop,
        (Some(next_try), Some(row)) => {
            let valid = row.state == DeliveryState::Pending && row.next_attempt_at == Some(next_try);
            if valid { begin(row) } else { Verdict::Drop }
        }
        (None, None) => send(&Delivery::of(message), true),
        (None, Some(row)) if todo.again => begin(&Delivery { failed: 0, ..row.clone() }),
        (None, Some(row)) => {
            let begun = row.state == DeliveryState::Pending && row.next_attempt_at.is_none() && row.attempts.is_empty();
            if begun { begin(row) } else { Verdict::Drop }
        }
    }
}

impl Job {
    /// From the ask to now.
    pub(super) fn lag_ms(&self, now: Timestamp) -> i64 {
        i64::try_from(now.duration_since(self.todo.asked_at).as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::webhook::Format;
    use domain::webhook::message::Content;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn todo(again: bool, next_try: Option<i64>) -> Todo {
        let ping = Content::Ping { id: "x".into(), asked_at: NOW };
        let next_try = next_try.map(|second| Timestamp::from_second(second).unwrap());
        Todo { again, next_try, ..Todo::new("msg_1".into(), ping, NOW, "t".into()) }
    }

    fn message() -> Message {
        let todo = todo(false, None);
        Message::new(&todo, todo.content.as_ref().unwrap(), 1, Format::Cloudevents, "{}".into(), NOW)
    }

    fn row(state: DeliveryState, next: Option<i64>, begun: u32, attempts: usize) -> Delivery {
        let attempt = Attempt {
            at: NOW,
            status_code: Some(500),
            duration_ms: 1,
            response_excerpt: None,
            error: Some("x".into()),
        };
        Delivery {
            state,
            begun,
            next_attempt_at: next.map(|second| Timestamp::from_second(second).unwrap()),
            attempts: vec![attempt; attempts],
            ..Delivery::of(&message())
        }
    }

    #[test]
    fn a_todo_is_sent_only_while_its_row_says_the_same() {
        use DeliveryState::{Delivered, Failed, Pending};
        let sends = |todo: Todo, row: Option<Delivery>| match judge(&todo, &message(), row.as_ref()) {
            Verdict::Send { doubtful, .. } => Some(doubtful),
            _ => None,
        };
        // Ready: new, left over by a run, handled already.
        assert_eq!(sends(todo(false, None), None), Some(true));
        assert_eq!(sends(todo(false, None), Some(row(Pending, None, 1, 0))), Some(true));
        assert_eq!(sends(todo(false, None), Some(row(Pending, Some(5), 0, 1))), None);
        assert_eq!(sends(todo(false, None), Some(row(Delivered, None, 0, 1))), None);
        // Waiting: at the very time that the row names.
        assert_eq!(sends(todo(false, Some(5)), Some(row(Pending, Some(5), 0, 1))), Some(true));
        assert_eq!(sends(todo(false, Some(5)), Some(row(Pending, Some(9), 0, 2))), None);
        assert_eq!(sends(todo(false, Some(5)), Some(row(Delivered, None, 0, 1))), None);
        assert_eq!(sends(todo(false, Some(5)), None), None);
        // A person asks: whatever came of it.
        for state in [Delivered, Failed, Pending] {
            assert_eq!(sends(todo(true, None), Some(row(state, None, 0, 9))), Some(true));
        }
    }

    #[test]
    fn what_ends_run_after_run_is_given_up() {
        use DeliveryState::{Failed, Pending};
        for (todo, row) in [
            (todo(false, None), row(Pending, None, ENDED_RUNS, 0)),
            (todo(false, Some(5)), row(Pending, Some(5), ENDED_RUNS, 1)),
            (todo(true, None), row(Failed, None, ENDED_RUNS, 1)),
        ] {
            assert!(matches!(judge(&todo, &message(), Some(&row)), Verdict::GiveUp(_)), "{todo:?}");
        }
    }
}
