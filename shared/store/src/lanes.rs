//! A lane's own partition: todos, links, budget, catalog.
//!
//! A todo says only *look at this record again*. It carries a `token`, fresh at each ask; whoever handled it deletes it at the
//! token it saw, so what is asked for during handling is not lost.
use crate::keys;
use crate::table::{Condition, Item, Key, Query, Table, TableError, get_as, item, read};
use domain::ids::{ConnectionId, OrganizationId, Provider, SiteId};
use domain::merge::{Conflict, Written};
use domain::record::{Mender, RecordKey, RecordKind, RecordState, WorkClass};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which lane: what a ring names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LaneId {
    pub organization_id: OrganizationId,
    pub connection_id: ConnectionId,
    pub provider: Provider,
}

impl LaneId {
    pub fn pk(&self) -> String {
        keys::lane_pk(&self.organization_id, &self.connection_id)
    }
}

/// Ask a lane to look at a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Todo {
    pub record: RecordKey,
    pub class: WorkClass,
    /// The fact's own time, by which todos of a class are sorted. The same for the same record, so that asking again is one item.
    pub at: Timestamp,
    /// When the oldest unanswered ask was made.
    pub asked_at: Timestamp,
    /// Also read what stands at the platform, though we have no news.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_back: bool,
    /// Runs that began with it and did not end.
    #[serde(default)]
    pub attempts: u32,
    /// Tries that the platform answered with a wish to wait.
    #[serde(default)]
    pub tries: u32,
    pub token: String,
    /// While waiting: until when, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Todo {
    /// `token` must be fresh.
    pub fn new(record: RecordKey, asked_at: Timestamp, token: String) -> Self {
        let at = record.at();
        let class = record.kind.class();
        Self { record, class, at, asked_at, read_back: false, attempts: 0, tries: 0, token, next_try: None, why: None }
    }

    /// Asks for what people changed at the platform, though we have no news.
    pub fn read_back(record: RecordKey, asked_at: Timestamp, token: String) -> Self {
        Self { class: WorkClass::ReadBack, read_back: true, ..Self::new(record, asked_at, token) }
    }

    fn key(&self, pk: &str) -> Key {
        match self.next_try {
            None => keys::ready_todo(pk, self.class, &self.record, self.at),
            Some(next_try) => keys::waiting_todo(pk, self.class, next_try, &self.record),
        }
    }

    fn at_token(&self) -> Condition {
        Condition::Equals("token", Value::String(self.token.clone()))
    }
}

/// Our note of a record at the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub record: RecordKey,
    pub project_id: String,
    pub marker: String,
    pub state: RecordState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Mender>,
    /// Blocked because the platform refuses its project: asked for again when that is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits_for_project: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_url: Option<String>,
    /// The status that we gave it last, in the platform's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave_status: Option<String>,
    /// How new the record was when the platform answered our last write, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// A create was begun then, and its answer has not been kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_at: Option<Timestamp>,
    /// The first create of this record, from which a look goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_intent_at: Option<Timestamp>,
    /// Empty looks since the last intent, and when the last one was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// A create was repeated: late doubles must be swept from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sweeps: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub written: BTreeMap<String, Written>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// What people added, as it was read back last and sent to the one writer of facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadMark>,
    /// Side writes by their id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, Step>,
    pub updated_at: Timestamp,
    /// Grows with each write; a write is conditional on the value read.
    #[serde(default)]
    pub version: u64,
}

/// What was read back: a hash of it, and its place among the news of this record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    pub hash: String,
    pub order: u64,
    pub at: Timestamp,
    /// As the platform then showed it, by which is seen at a glance whether anything is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
}

/// When each project was last read again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rereads {
    #[serde(default)]
    pub projects: BTreeMap<String, Timestamp>,
    /// Why a project can't be read, in words, until it could be again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where a side write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Begun then; looked for before it is repeated.
    Begun {
        at: Timestamp,
        /// How new the record was then, where the platform says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Timestamp>,
    },
    Done,
    /// A person had moved on: not needed any more.
    Dropped,
}

/// One lane's keeping.
#[derive(Clone, Copy)]
pub struct Lane<'a> {
    pub table: &'a dyn Table,
    pub id: &'a LaneId,
}

impl Lane<'_> {
    /// Asks. The same record asked for twice is one ready todo with a fresh token.
    pub async fn ask(&self, todos: &[Todo]) -> Result<(), TableError> {
        let pk = self.id.pk();
        let items = todos.iter().map(|todo| item(&todo.key(&pk), todo)).collect::<Result<Vec<_>, _>>()?;
        self.table.put_many(items).await
    }

    /// Ready todos, the most important first.
    pub async fn ready(&self, limit: usize) -> Result<Vec<Todo>, TableError> {
        let query = Query::prefix(self.id.pk(), keys::READY, limit);
        self.table.query(query).await?.into_iter().map(|item| read("a todo", item)).collect()
    }

    /// Waiting todos of a class whose time has come, the longest overdue first.
    pub async fn overdue(&self, class: WorkClass, now: Timestamp, limit: usize) -> Result<Vec<Todo>, TableError> {
        let from = keys::waiting_of(class);
        let to = format!("{from}{}\u{10FFFF}", crate::table::instant(now));
        let query = Query { pk: self.id.pk(), from, to, forward: true, limit };
        self.table.query(query).await?.into_iter().map(|item| read("a todo", item)).collect()
    }

    /// When the first waiting todo of a class is due.
    pub async fn next_try(&self, class: WorkClass) -> Result<Option<Timestamp>, TableError> {
        let first = self.table.query(Query::prefix(self.id.pk(), keys::waiting_of(class), 1)).await?;
        let first = first.into_iter().next().map(|item| read::<Todo>("a todo", item)).transpose()?;
        Ok(first.and_then(|todo| todo.next_try))
    }

    /// All waiting todos, the most important class first, of each class the soonest first.
    pub async fn waiting(&self, limit: usize) -> Result<Vec<Todo>, TableError> {
        let query = Query::prefix(self.id.pk(), keys::WAITING, limit);
        self.table.query(query).await?.into_iter().map(|item| read("a todo", item)).collect()
    }

    /// Notes an attempt before handling. `false`: it was asked for anew meanwhile, or someone else has it; leave it.
    pub async fn begin(&self, todo: &mut Todo) -> Result<bool, TableError> {
        let mut begun = todo.clone();
        begun.attempts += 1;
        let put = self.table.put(item(&todo.key(&self.id.pk()), &begun)?, todo.at_token()).await;
        let ours = held(put)?;
        if ours {
            *todo = begun;
        }
        Ok(ours)
    }

    /// Deletes a handled todo, unless it was asked for anew.
    pub async fn finish(&self, todo: &Todo) -> Result<(), TableError> {
        held(self.table.delete(&todo.key(&self.id.pk()), todo.at_token()).await).map(|_| ())
    }

    /// Puts a todo off. The new place is written before the old one goes, so that a crash between leaves two, never none.
    pub async fn put_off(&self, todo: &Todo, until: Timestamp, why: String, counts: bool) -> Result<(), TableError> {
        let mut later = todo.clone();
        (later.next_try, later.why, later.attempts) = (Some(until), Some(why), 0);
        later.tries += u32::from(counts);
        self.table.put(item(&later.key(&self.id.pk()), &later)?, Condition::Always).await?;
        if later.key(&self.id.pk()) != todo.key(&self.id.pk()) {
            self.finish(todo).await?;
        }
        Ok(())
    }

    /// Puts a todo that ends runs behind the others, its attempts kept.
    pub async fn put_behind(&self, todo: &Todo, until: Timestamp) -> Result<(), TableError> {
        let mut later = todo.clone();
        (later.next_try, later.why) = (Some(until), Some("handling it ended two runs".into()));
        self.table.put(item(&later.key(&self.id.pk()), &later)?, Condition::Always).await?;
        self.finish(todo).await
    }

    /// Takes an attempt back that ended in good order with the todo left as it was.
    pub async fn unbegin(&self, todo: &Todo) -> Result<(), TableError> {
        let mut before = todo.clone();
        before.attempts = before.attempts.saturating_sub(1);
        held(self.table.put(item(&todo.key(&self.id.pk()), &before)?, todo.at_token()).await).map(|_| ())
    }

    pub async fn link(&self, record: &RecordKey) -> Result<Option<Link>, TableError> {
        get_as(self.table, "a link", &keys::link(&self.id.pk(), record)).await
    }

    /// By which the next page of links begins.
    pub fn link_key(&self, record: &RecordKey) -> String {
        keys::link(&self.id.pk(), record).sk
    }

    /// Writes a link, only if nobody did since it was read; `version` is moved on.
    pub async fn put_link(&self, link: &mut Link) -> Result<(), TableError> {
        let condition = match link.version {
            0 => Condition::Absent,
            version => Condition::Equals("version", version.into()),
        };
        let mut next = link.clone();
        next.version += 1;
        self.table.put(item(&keys::link(&self.id.pk(), &link.record), &next)?, condition).await?;
        *link = next;
        Ok(())
    }

    /// Links in the order of their keys, after `after` (a sort key).
    pub async fn links(&self, after: Option<&str>, limit: usize) -> Result<Vec<(String, Link)>, TableError> {
        let mut query = Query::prefix(self.id.pk(), keys::LINK, limit);
        if let Some(after) = after {
            query.from = format!("{after}\u{0}");
        }
        let sk = |item: &Item| item.get("sk").and_then(Value::as_str).unwrap_or_default().to_owned();
        let items = self.table.query(query).await?;
        items.into_iter().map(|item| Ok((sk(&item), read("a link", item)?))).collect()
    }

    /// Links of one kind in the order of their keys, after `after` (a sort key).
    pub async fn links_of_kind(
        &self,
        kind: RecordKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Link)>, TableError> {
        let mut query = Query::prefix(self.id.pk(), keys::links_of_kind(kind), limit);
        if let Some(after) = after {
            query.from = format!("{after}\u{0}");
        }
        let sk = |item: &Item| item.get("sk").and_then(Value::as_str).unwrap_or_default().to_owned();
        let items = self.table.query(query).await?;
        items.into_iter().map(|item| Ok((sk(&item), read("a link", item)?))).collect()
    }

    pub async fn rereads(&self) -> Result<Rereads, TableError> {
        Ok(get_as(self.table, "re-reads", &keys::rereads(&self.id.pk())).await?.unwrap_or_default())
    }

    pub async fn put_rereads(&self, rereads: &Rereads) -> Result<(), TableError> {
        self.table.put(item(&keys::rereads(&self.id.pk()), rereads)?, Condition::Always).await
    }

    /// Links of one kind and site, the newest fact first, before `before` (a fact's id).
    pub async fn links_of(
        &self,
        kind: RecordKind,
        site_id: &SiteId,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Link>, TableError> {
        let key = |fact_id: &str| {
            keys::link(&self.id.pk(), &RecordKey { kind, site_id: site_id.clone(), fact_id: fact_id.to_owned() }).sk
        };
        let mut query = Query::prefix(self.id.pk(), key(""), limit).backward();
        if let Some(before) = before {
            query.to = key(before);
        }
        let items = self.table.query(query).await?;
        let links = items.into_iter().map(|item| read::<Link>("a link", item));
        links.filter(|link| link.as_ref().map_or(true, |link| Some(link.record.fact_id.as_str()) != before)).collect()
    }

    pub async fn budget<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, TableError> {
        get_as(self.table, "a budget", &keys::budget(&self.id.pk())).await
    }

    pub async fn put_budget(&self, budget: &impl Serialize) -> Result<(), TableError> {
        self.table.put(item(&keys::budget(&self.id.pk()), budget)?, Condition::Always).await
    }

    pub async fn catalog<T: serde::de::DeserializeOwned>(&self, project: &str) -> Result<Option<T>, TableError> {
        get_as(self.table, "a catalog", &keys::catalog(&self.id.pk(), project)).await
    }

    pub async fn put_catalog(&self, project: &str, catalog: &impl Serialize) -> Result<(), TableError> {
        self.table.put(item(&keys::catalog(&self.id.pk(), project), catalog)?, Condition::Always).await
    }
}

/// Whether a conditional write held.
pub(crate) fn held(outcome: Result<(), TableError>) -> Result<bool, TableError> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TableError::Condition(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
