//! The table operations that all our keeping is built of. Few, so that the in-memory twin can be exactly as strict as DynamoDB,
//! and so that a test can make each single one fail, before or after it took effect.
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Attributes by name, with `pk` and `sk` among them.
pub type Item = Map<String, Value>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// When a write may happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Always,
    /// Nothing stands at this key.
    Absent,
    /// What stands there has this value in this attribute.
    Equals(&'static str, Value),
}

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The condition did not hold; nothing was written. Carries what stands there.
    #[error("the item changed since it was read")]
    Condition(Option<Item>),
    /// The write may or may not have happened.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    #[error("an item does not read as {what}: {why}")]
    Malformed { what: &'static str, why: String },
}

impl TableError {
    /// What was to be written is nothing that a table takes, however often it is tried.
    pub fn never_taken(why: String) -> Self {
        Self::Malformed { what: "what the table takes", why }
    }
}

/// One page of a query over a partition, in the order of the sort key.
#[derive(Debug, Clone)]
pub struct Query {
    pub pk: String,
    /// First sort key, inclusive.
    pub from: String,
    /// Last sort key, inclusive.
    pub to: String,
    pub forward: bool,
    pub limit: usize,
}

impl Query {
    /// Everything whose sort key begins with `prefix`.
    pub fn prefix(pk: impl Into<String>, prefix: impl Into<String>, limit: usize) -> Self {
        let from = prefix.into();
        Self { pk: pk.into(), to: format!("{from}\u{10FFFF}"), from, forward: true, limit }
    }

    pub fn backward(mut self) -> Self {
        self.forward = false;
        self
    }
}

#[async_trait]
pub trait Table: Send + Sync {
    /// Strongly consistent.
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError>;
    /// Strongly consistent, in any order; what is absent is left out.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError>;
    async fn put(&self, item: Item, condition: Condition) -> Result<(), TableError>;
    /// All or none, each on its own condition: at most a hundred puts of different keys. A condition that did not hold carries
    /// what stands at the first such key.
    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError>;
    /// Unconditional puts of different keys, not atomic together.
    async fn put_many(&self, items: Vec<Item>) -> Result<(), TableError>;
    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError>;
    /// Strongly consistent; at most `limit` items.
    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError>;
    /// Keys of items of this `due_shard` whose `due_at` is not after `until`, soonest first (eventually consistent index).
    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError>;
}

/// An instant as kept where text must sort as time does: RFC 3339 in UTC with exactly milliseconds.
pub fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Makes an item of a key and a serializable value (a struct or map).
pub fn item(key: &Key, value: &impl Serialize) -> Result<Item, TableError> {
    let malformed = |why: String| TableError::Malformed { what: "an item", why };
    let mut item = match serde_json::to_value(value).map_err(|e| malformed(e.to_string()))? {
        Value::Object(map) => map,
        other => return Err(malformed(format!("{other} has no members"))),
    };
    item.insert("pk".into(), Value::String(key.pk.clone()));
    item.insert("sk".into(), Value::String(key.sk.clone()));
    Ok(item)
}

/// Reads an item as a value; unknown attributes are ignored, so that older code reads newer items.
pub fn read<T: DeserializeOwned>(what: &'static str, item: Item) -> Result<T, TableError> {
    serde_json::from_value(Value::Object(item)).map_err(|e| TableError::Malformed { what, why: e.to_string() })
}

/// Reads what stands at a key.
pub async fn get_as<T: DeserializeOwned>(
    table: &dyn Table,
    what: &'static str,
    key: &Key,
) -> Result<Option<T>, TableError> {
    table.get(key).await?.map(|item| read(what, item)).transpose()
}
