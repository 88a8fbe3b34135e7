//! What was looked up, as rendering asks for it.
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sync::target::{Block, Catalog, Rendered};

/// Why rendering stops short of fields.
#[derive(Debug, PartialEq)]
pub enum Stop {
    Need(String),
    Block(Block),
}

impl From<Stop> for Rendered {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Need(need) => Rendered::Needs(need),
            Stop::Block(block) => Rendered::Blocked(block),
        }
    }
}

#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub catalog: &'a Catalog,
    pub now: Timestamp,
}

impl<'a> Known<'a> {
    pub fn value(&self, need: &str) -> Result<&'a Value, Stop> {
        self.catalog.get(need, self.now).ok_or_else(|| Stop::Need(need.to_owned()))
    }

    /// In the form in which it is kept; an older form is looked up again.
    pub fn get<T: DeserializeOwned>(&self, need: &str) -> Result<T, Stop> {
        serde_json::from_value(self.value(need)?.clone()).map_err(|_| Stop::Need(need.to_owned()))
    }

    /// A list; each entry that has the expected form.
    pub fn list<T: DeserializeOwned>(&self, need: &str) -> Result<Vec<T>, Stop> {
        let entries = self.value(need)?.as_array().cloned().unwrap_or_default();
        Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
    }
}
