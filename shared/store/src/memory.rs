//! The table's in-memory twin: the same semantics as DynamoDB's, without the network.
use crate::table::{Condition, Item, Key, Query, Table, TableError};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones share what is kept.
#[derive(Debug, Clone, Default)]
pub struct MemoryTable {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    items: BTreeMap<Key, Item>,
    /// What is in the sparse index.
    due: BTreeSet<Key>,
}

impl Kept {
    fn put(&mut self, key: Key, item: Item) {
        match item.contains_key("due_shard") {
            true => self.due.insert(key.clone()),
            false => self.due.remove(&key),
        };
        self.items.insert(key, item);
    }
}

impl MemoryTable {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that is kept, for a test to look at.
    pub fn dump(&self) -> Vec<Item> {
        self.kept().items.values().cloned().collect()
    }
}

fn key_of(item: &Item) -> Result<Key, TableError> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    if !item.values().all(storable) {
        return Err(TableError::never_taken("a number is out of DynamoDB's range".into()));
    }
    match (text("pk"), text("sk")) {
        (Some(pk), Some(sk)) => Ok(Key { pk, sk }),
        _ => Err(TableError::Malformed { what: "an item", why: "pk and sk must be texts".into() }),
    }
}

/// DynamoDB refuses numbers nearer to nothing than 1e-130, and the whole batch with them.
fn storable(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|n| n == 0.0 || (1e-130..1e126).contains(&n.abs())),
        Value::Array(values) => values.iter().all(storable),
        Value::Object(members) => members.values().all(storable),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn check(standing: Option<&Item>, condition: &Condition) -> Result<(), TableError> {
    let holds = match condition {
        Condition::Always => true,
        Condition::Absent => standing.is_none(),
        Condition::Equals(name, value) => standing.and_then(|item| item.get(*name)) == Some(value),
    };
    if holds { Ok(()) } else { Err(TableError::Condition(standing.cloned())) }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        Ok(self.kept().items.get(key).cloned())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        let kept = self.kept();
        Ok(keys.iter().filter_map(|key| kept.items.get(key).cloned()).collect())
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<(), TableError> {
        let key = key_of(&item)?;
        let mut kept = self.kept();
        check(kept.items.get(&key), &condition)?;
        kept.put(key, item);
        Ok(())
    }

    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError> {
        let keys: Vec<Key> = puts.iter().map(|(item, _)| key_of(item)).collect::<Result<_, _>>()?;
        let mut kept = self.kept();
        for (key, (_, condition)) in keys.iter().zip(&puts) {
            check(kept.items.get(key), condition)?;
        }
        keys.into_iter().zip(puts).for_each(|(key, (item, _))| kept.put(key, item));
        Ok(())
    }

    async fn put_many(&self, new: Vec<Item>) -> Result<(), TableError> {
        let keyed: Vec<(Key, Item)> =
            new.into_iter().map(|item| key_of(&item).map(|key| (key, item))).collect::<Result<_, _>>()?;
        let mut kept = self.kept();
        keyed.into_iter().for_each(|(key, item)| kept.put(key, item));
        Ok(())
    }

    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError> {
        let mut kept = self.kept();
        check(kept.items.get(key), &condition)?;
        kept.items.remove(key);
        kept.due.remove(key);
        Ok(())
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError> {
        let kept = self.kept();
        let range = kept
            .items
            .range(Key::new(&query.pk, &query.from)..=Key::new(&query.pk, &query.to))
            .map(|(_, item)| item.clone());
        Ok(match query.forward {
            true => range.take(query.limit).collect(),
            false => range.rev().take(query.limit).collect(),
        })
    }

    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError> {
        let until = crate::table::instant(until);
        let kept = self.kept();
        let mut due: Vec<(&str, &Key)> = kept
            .due
            .iter()
            .filter_map(|key| kept.items.get_key_value(key))
            .filter(|(_, item)| item.get("due_shard").and_then(Value::as_str) == Some(shard))
            .filter_map(|(key, item)| item.get("due_at").and_then(Value::as_str).map(|at| (at, key)))
            .filter(|(at, _)| *at <= until.as_str())
            .collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key.clone()).collect())
    }
}
