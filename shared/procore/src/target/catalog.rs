//! What was looked up, as rendering asks for it.
use jiff::Timestamp;
use serde_json::Value;
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

impl<'a> Known<'a> {
    pub(super) fn get(&self, need: &str) -> Result<&'a Value, Stop> {
        self.catalog.get(need, self.now).ok_or_else(|| Stop::Need(need.to_owned()))
    }

    /// A list of what was found; each entry that has the expected form.
    pub(super) fn list<T: serde::de::DeserializeOwned>(&self, need: &str) -> Result<Vec<T>, Stop> {
        let entries = self.get(need)?.as_array().cloned().unwrap_or_default();
        Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
    }
}

/// A name without what people and languages vary in: case, hyphens, a plural.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let bare = |name: &str| {
        let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        letters.strip_suffix('s').map_or(letters.clone(), str::to_owned)
    };
    !bare(a).is_empty() && bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_whatever_case_hyphen_and_plural() {
        for (a, b, same) in [
            ("Falls", "fall", true),
            ("Struck-By", "Struck by", true),
            ("Near-Miss", "near miss", true),
            ("Safety Hazard", "Safety Notice", false),
            ("", "", false),
        ] {
            assert_eq!(same_name(a, b), same, "{a} {b}");
        }
    }
}
