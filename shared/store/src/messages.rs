//! The lane of a webhook endpoint: of messages, not of state. Each is kept as it was first sent, for thirty days; nothing is
//! replaced by what comes later, but for what must not be told any more.
//!
//! A todo names a message. One that is ready is new, or was asked for by a person (`again`); one that waits is valid only while its
//! row names the same next try. So whatever a crash leaves behind twice is done once, as far as anybody can know.
use crate::keys;
use crate::lanes::{LaneId, held};
use crate::table::{Condition, Item, Key, Query, Table, TableError, get_as, instant, item, read};
use domain::ids::SiteId;
use domain::webhook::message::{Content, MessageType};
use domain::webhook::{Attempt, Format};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long messages and what came of them are kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
const TRIES: usize = 5;
/// Of attempts between the first ones and the last, so much of an answer stays: a receiver fails in the same words each time.
const EXCERPT_BETWEEN: usize = 256;
const ATTEMPTS_KEPT: usize = 30;
/// Failures so far apart do not belong together: a message that waits is tried more often.
const SILENCE: SignedDuration = SignedDuration::from_hours(48);

/// Whether a text may name a message: others are looked for nowhere.
fn is_message_id(text: &str) -> bool {
    text.len() == 30
        && text.starts_with("msg_")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Asks the lane to send a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Todo {
    pub message_id: String,
    /// Sorts it among those that are ready.
    pub order: String,
    /// What it is about, until it is sent for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// A person asks for it, whatever came of it before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    pub asked_at: Timestamp,
    pub token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    pub expires_at: i64,
}

impl Todo {
    /// A message that follows from a fact. `token` must be fresh.
    pub fn new(message_id: String, content: Content, asked_at: Timestamp, token: String) -> Self {
        let (order, content) = (content.order(), Some(content));
        Self { message_id, order, content, again: false, asked_at, token, next_try: None, expires_at: expiry(asked_at) }
    }

    /// A message of before, once more.
    pub fn again(message_id: String, order: String, asked_at: Timestamp, token: String) -> Self {
        let expires_at = expiry(asked_at);
        Self { message_id, order, content: None, again: true, asked_at, token, next_try: None, expires_at }
    }

    fn key(&self, pk: &str) -> Key {
        match self.next_try {
            None => keys::ready_message(pk, &self.order, &self.message_id),
            Some(next_try) => keys::waiting_message(pk, next_try, &self.message_id),
        }
    }
}

fn expiry(at: Timestamp) -> i64 {
    (at + KEPT).as_second()
}

/// A message as it is sent at each try, unless what it tells of becomes a privacy case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub sequence: u64,
    pub message_type: MessageType,
    pub subject_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_id: Option<SiteId>,
    pub format: Format,
    pub body: String,
    /// What the body was made of, where it tells of a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    pub order: String,
    pub created_at: Timestamp,
    expires_at: i64,
}

impl Message {
    pub fn new(todo: &Todo, content: &Content, sequence: u64, format: Format, body: String, now: Timestamp) -> Self {
        Self {
            id: todo.message_id.clone(),
            sequence,
            message_type: content.message_type(),
            subject_id: content.subject_id(),
            site_id: content.site_id().cloned(),
            format,
            body,
            content: None,
            order: todo.order.clone(),
            created_at: now,
            expires_at: expiry(now),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum DeliveryState {
    Pending,
    Delivered,
    /// It is not tried any more, unless a person asks for it.
    Failed,
}

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    pub message_id: String,
    pub sequence: u64,
    pub message_type: MessageType,
    pub subject_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_id: Option<SiteId>,
    pub order: String,
    pub state: DeliveryState,
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Failed tries since it was made, or since a person asked for it.
    #[serde(default)]
    pub failed: usize,
    /// Runs that began with it since its latest attempt was noted, and did not end.
    #[serde(default)]
    pub begun: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Unix seconds; the table forgets it some time after.
    pub expires_at: i64,
}

impl Delivery {
    pub fn of(message: &Message) -> Self {
        Self {
            message_id: message.id.clone(),
            sequence: message.sequence,
            message_type: message.message_type,
            subject_id: message.subject_id.clone(),
            site_id: message.site_id.clone(),
            order: message.order.clone(),
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            failed: 0,
            begun: 0,
            next_attempt_at: None,
            created_at: message.created_at,
            expires_at: message.expires_at,
        }
    }

    /// Notes an attempt, which is its end. The first and the latest keep their answers whole, so that a row stays small however often it is tried.
    pub fn note(&mut self, attempt: Attempt) {
        self.begun = 0;
        if let Some(before) = self.attempts.get_mut(1..).and_then(<[Attempt]>::last_mut)
            && let Some(excerpt) = &mut before.response_excerpt
        {
            excerpt.truncate(excerpt.floor_char_boundary(EXCERPT_BETWEEN));
        }
        self.attempts.push(attempt);
        if self.attempts.len() > ATTEMPTS_KEPT {
            self.attempts.remove(1);
        }
    }
}

/// Since when an endpoint has taken nothing, though it was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    #[serde(default)]
    failing_since: Option<Timestamp>,
    #[serde(default)]
    last_failed_at: Option<Timestamp>,
}

impl Health {
    /// Notes a failed attempt, and says since when all fail. What was before the endpoint's `fresh_since`, or before a silence, in
    /// which nobody knows what it would have taken, counts no more.
    pub fn fails(&mut self, at: Timestamp, fresh_since: Option<Timestamp>) -> Timestamp {
        let goes_on = self.last_failed_at.is_some_and(|last| at.duration_since(last) <= SILENCE);
        let counts = |since: &Timestamp| goes_on && fresh_since.is_none_or(|fresh| *since >= fresh);
        let since = self.failing_since.filter(counts).unwrap_or(at);
        *self = Self { failing_since: Some(since), last_failed_at: Some(at) };
        since
    }
}

/// A recovery under way: what failed since a time is sent again, and what is missing is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    pub since: Timestamp,
    pub token: String,
    /// Rows from this number down are still to be looked at; `None`: none are.
    pub rows_before: Option<u64>,
    /// Sites whose arrivals are still to be looked at, with the next entry; `None`: not begun.
    #[serde(default)]
    pub sites: Option<Vec<(SiteId, u64)>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Sequence {
    last: u64,
}

/// The keeping of one endpoint's lane.
#[derive(Clone, Copy)]
pub struct MessageLane<'a> {
    pub table: &'a dyn Table,
    pub id: &'a LaneId,
}

impl MessageLane<'_> {
    /// Asks. The same message asked for twice is one ready todo with a fresh token.
    pub async fn ask(&self, todos: &[Todo]) -> Result<(), TableError> {
        let pk = self.id.pk();
        let items = todos.iter().map(|todo| item(&todo.key(&pk), todo)).collect::<Result<Vec<_>, _>>()?;
        self.table.put_many(items).await
    }

    /// What is to be sent now, in order.
    pub async fn ready(&self, limit: usize) -> Result<Vec<Todo>, TableError> {
        self.read("a message to send", Query::prefix(self.id.pk(), keys::READY, limit)).await
    }

    /// What waited until now, the longest overdue first.
    pub async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<Todo>, TableError> {
        let (from, to) = (keys::WAITING.to_owned(), format!("{}{}\u{10FFFF}", keys::WAITING, instant(now)));
        self.read("a message to send", Query { pk: self.id.pk(), from, to, forward: true, limit }).await
    }

    /// When the first that waits is due.
    pub async fn next_try(&self) -> Result<Option<Timestamp>, TableError> {
        let first = self.read::<Todo>("a message to send", Query::prefix(self.id.pk(), keys::WAITING, 1)).await?;
        Ok(first.into_iter().next().and_then(|todo| todo.next_try))
    }

    /// A handled todo goes, unless it was asked for anew.
    pub async fn finish(&self, todo: &Todo) -> Result<(), TableError> {
        let seen = Condition::Equals("token", todo.token.clone().into());
        held(self.table.delete(&todo.key(&self.id.pk()), seen).await).map(|_| ())
    }

    /// Puts a message off, and notes that in its row. The new place is written first, then the row that makes it valid, then the
    /// old place goes: whatever of this a crash leaves undone, the message is tried again.
    pub async fn put_off(&self, todo: &Todo, until: Timestamp, row: &mut Delivery) -> Result<(), TableError> {
        let later = Todo { next_try: Some(until), content: None, again: false, ..todo.clone() };
        self.table.put(item(&later.key(&self.id.pk()), &later)?, Condition::Always).await?;
        row.next_attempt_at = Some(until);
        self.put_delivery(row).await?;
        self.finish(todo).await
    }

    /// Numbers for so many messages; the first of them. No number is given twice.
    pub async fn reserve(&self, count: u64) -> Result<u64, TableError> {
        let key = keys::sequence(&self.id.pk());
        for _ in 0..TRIES {
            let standing: Option<Sequence> = get_as(self.table, "a sequence", &key).await?;
            let (last, condition) = match standing {
                Some(Sequence { last }) => (last, Condition::Equals("last", last.into())),
                None => (0, Condition::Absent),
            };
            let next = item(&key, &Sequence { last: last + count })?;
            if held(self.table.put(next, condition).await)? {
                return Ok(last + 1);
            }
        }
        Err(TableError::Unavailable("the endpoint's sequence kept changing".into()))
    }

    /// Messages by id, as far as they were sent before.
    pub async fn messages(&self, ids: impl IntoIterator<Item = &str>) -> Result<BTreeMap<String, Message>, TableError> {
        let pk = self.id.pk();
        let mut wanted: Vec<Key> = ids.into_iter().map(|id| keys::message(&pk, id)).collect();
        wanted.sort();
        wanted.dedup();
        let found: Vec<Message> = self.many("a message", &wanted).await?;
        Ok(found.into_iter().map(|message| (message.id.clone(), message)).collect())
    }

    pub async fn message(&self, id: &str) -> Result<Option<Message>, TableError> {
        if !is_message_id(id) {
            return Ok(None);
        }
        get_as(self.table, "a message", &keys::message(&self.id.pk(), id)).await
    }

    /// Keeps a message before it is sent for the first time. Who comes second gets what stands.
    pub async fn keep(&self, message: Message) -> Result<Message, TableError> {
        let new = item(&keys::message(&self.id.pk(), &message.id), &message)?;
        match self.table.put(new, Condition::Absent).await {
            Ok(()) => Ok(message),
            Err(TableError::Condition(Some(standing))) => read("a message", standing),
            Err(error) => Err(error),
        }
    }

    /// Keeps a message in another body.
    pub async fn replace(&self, message: &Message) -> Result<(), TableError> {
        self.table.put(item(&keys::message(&self.id.pk(), &message.id), message)?, Condition::Always).await
    }

    /// What came of messages, by their numbers.
    pub async fn deliveries_of(
        &self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Result<BTreeMap<u64, Delivery>, TableError> {
        let pk = self.id.pk();
        let wanted: Vec<Key> = numbers.into_iter().map(|number| keys::delivery(&pk, number)).collect();
        let found: Vec<Delivery> = self.many("a delivery", &wanted).await?;
        Ok(found.into_iter().map(|row| (row.sequence, row)).collect())
    }

    /// Rows in their order, after a number.
    pub async fn deliveries_after(&self, number: u64, limit: usize) -> Result<Vec<Delivery>, TableError> {
        let from = keys::delivery(&self.id.pk(), number.saturating_add(1));
        self.read("a delivery", Query { from: from.sk, ..Query::prefix(from.pk, keys::DELIVERY, limit) }).await
    }

    /// Rows from a number down, the newest first.
    pub async fn deliveries_down_from(&self, number: u64, limit: usize) -> Result<Vec<Delivery>, TableError> {
        let to = keys::delivery(&self.id.pk(), number);
        let query = Query { to: to.sk, ..Query::prefix(to.pk, keys::DELIVERY, limit).backward() };
        self.read("a delivery", query).await
    }

    pub async fn put_delivery(&self, row: &Delivery) -> Result<(), TableError> {
        self.table.put(item(&keys::delivery(&self.id.pk(), row.sequence), row)?, Condition::Always).await
    }

    pub async fn health(&self) -> Result<Health, TableError> {
        Ok(get_as(self.table, "a health", &keys::health(&self.id.pk())).await?.unwrap_or_default())
    }

    pub async fn put_health(&self, health: &Health) -> Result<(), TableError> {
        self.table.put(item(&keys::health(&self.id.pk()), health)?, Condition::Always).await
    }

    pub async fn recovery(&self) -> Result<Option<Recovery>, TableError> {
        get_as(self.table, "a recovery", &keys::recovery(&self.id.pk())).await
    }

    /// Asks for a recovery. One under way begins anew, from the earlier of both times.
    pub async fn ask_recovery(&self, since: Timestamp, token: String) -> Result<(), TableError> {
        let standing = self.recovery().await?.map_or(since, |standing| standing.since.min(since));
        let recovery = Recovery { since: standing, token, rows_before: Some(u64::MAX), sites: None };
        self.table.put(item(&keys::recovery(&self.id.pk()), &recovery)?, Condition::Always).await
    }

    /// A step is done, unless it was asked for anew meanwhile.
    pub async fn move_recovery(&self, recovery: &Recovery) -> Result<(), TableError> {
        let seen = Condition::Equals("token", recovery.token.clone().into());
        held(self.table.put(item(&keys::recovery(&self.id.pk()), recovery)?, seen).await).map(|_| ())
    }

    pub async fn end_recovery(&self, recovery: &Recovery) -> Result<(), TableError> {
        let seen = Condition::Equals("token", recovery.token.clone().into());
        held(self.table.delete(&keys::recovery(&self.id.pk()), seen).await).map(|_| ())
    }

    /// The endpoint is not there any more: nobody waits for what was to be sent. Rows and messages go when their time is over.
    pub async fn clear_up(&self) -> Result<(), TableError> {
        const PAGE: usize = 100;
        loop {
            let mut todos = self.ready(PAGE).await?;
            todos.extend(
                self.read::<Todo>("a message to send", Query::prefix(self.id.pk(), keys::WAITING, PAGE)).await?,
            );
            if todos.is_empty() {
                break;
            }
            for todo in &todos {
                self.finish(todo).await?;
            }
        }
        let pk = self.id.pk();
        for key in [keys::recovery(&pk), keys::health(&pk), keys::sequence(&pk)] {
            self.table.delete(&key, Condition::Always).await?;
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, what: &'static str, query: Query) -> Result<Vec<T>, TableError> {
        self.table.query(query).await?.into_iter().map(|item| read(what, item)).collect()
    }

    async fn many<T: DeserializeOwned>(&self, what: &'static str, keys: &[Key]) -> Result<Vec<T>, TableError> {
        let found: Vec<Item> = match keys.is_empty() {
            true => Vec::new(),
            false => self.table.get_many(keys).await?,
        };
        found.into_iter().map(|item| read(what, item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(n: usize) -> Attempt {
        let response_excerpt = Some(format!("{n}{}", "x".repeat(4_000)));
        Attempt { at: Timestamp::UNIX_EPOCH, status_code: Some(500), duration_ms: 1, response_excerpt, error: None }
    }

    #[test]
    fn a_row_stays_small_however_often_it_is_tried() {
        let ping = Content::Ping { id: "x".into(), asked_at: Timestamp::UNIX_EPOCH };
        let todo = Todo::new("msg_1".into(), ping.clone(), Timestamp::UNIX_EPOCH, "t".into());
        let message = Message::new(&todo, &ping, 1, Format::Cloudevents, "{}".into(), Timestamp::UNIX_EPOCH);
        let mut row = Delivery::of(&message);
        (0..40).for_each(|n| row.note(attempt(n)));
        let lengths: Vec<usize> =
            row.attempts.iter().map(|a| a.response_excerpt.as_ref().map_or(0, String::len)).collect();
        assert_eq!(
            (lengths.len(), lengths[0], lengths[1], lengths[29]),
            (ATTEMPTS_KEPT, 4_001, EXCERPT_BETWEEN, 4_002)
        );
        assert!(row.attempts[29].response_excerpt.as_ref().is_some_and(|text| text.starts_with("39")));
        assert!(serde_json::to_string(&row).map_or(0, |text| text.len()) < 24_000);
    }
}
