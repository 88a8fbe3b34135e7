//! What was looked up, as rendering asks for it.
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sync::target::{Block, Catalog, Rendered};

/// Why rendering stops short of fields.
#[derive(Debug, PartialEq)]
pub(super) enum Stop {
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
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) now: Timestamp,
}

impl Known<'_> {
    /// What was found, in the form in which it is kept; an older form is looked up again.
    pub(super) fn get<T: DeserializeOwned>(&self, need: &str) -> Result<T, Stop> {
        let found = self.catalog.get(need, self.now).and_then(|value| serde_json::from_value(value.clone()).ok());
        found.ok_or_else(|| Stop::Need(need.to_owned()))
    }
}
