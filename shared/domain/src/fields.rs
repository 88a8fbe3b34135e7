//! Checks of what people and their tools set (settings, names) that find everything wrong at once, each with its JSON pointer.
//! One sentence for the API and for the pages. No sentence repeats a refused value: it may be a secret pasted into the wrong place.
use crate::ids::SiteId;
use crate::validate::FieldError;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const NAME_LENGTH: usize = 200;
const SITES_AT_MOST: usize = 500;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    pub fn fail(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    pub fn done(self) -> Result<(), Vec<FieldError>> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(self.0),
        }
    }
}

/// An object's members, at a place in the body.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    pointer: String,
    map: &'a Map<String, Value>,
}

impl<'a> Members<'a> {
    /// The object at `pointer` with no members but `known`. A misspelt member must not be lost silently.
    pub fn of(value: &'a Value, pointer: &str, known: &[&str], checks: &mut Checks) -> Option<Self> {
        let Some(map) = value.as_object() else {
            checks.fail(pointer, "must be an object");
            return None;
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            checks.fail(child(pointer, name), format!("is not known here; known are: {}", known.join(", ")));
        }
        Some(Self { pointer: pointer.to_owned(), map })
    }

    pub fn pointer(&self, name: &str) -> String {
        child(&self.pointer, name)
    }

    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name)
    }

    /// A member that may be left out or null.
    pub fn given(&self, name: &str) -> Option<&'a Value> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// A member that must be there.
    pub fn required(&self, name: &str, checks: &mut Checks) -> Option<&'a Value> {
        let value = self.given(name);
        if value.is_none() {
            checks.fail(self.pointer(name), "is required");
        }
        value
    }

    pub fn required_text(&self, name: &str, checks: &mut Checks) -> Option<&'a str> {
        let value = self.required(name, checks)?;
        let text = value.as_str();
        if text.is_none() {
            checks.fail(self.pointer(name), "must be a text");
        }
        text
    }

    /// A name that people read: 1 to 200 characters on one line.
    pub fn required_name(&self, name: &str, checks: &mut Checks) -> Option<String> {
        let text = self.required_text(name, checks)?;
        match is_name(text) {
            true => Some(text.to_owned()),
            false => {
                checks.fail(
                    self.pointer(name),
                    format!("must have 1 to {NAME_LENGTH} characters, and no control characters"),
                );
                None
            }
        }
    }

    /// An array that may be left out, with at most `most` entries.
    pub fn array(&self, name: &str, most: usize, checks: &mut Checks) -> Option<&'a Vec<Value>> {
        let value = self.given(name)?;
        match value.as_array().filter(|entries| entries.len() <= most) {
            Some(entries) => Some(entries),
            None => {
                checks.fail(self.pointer(name), format!("must be an array of at most {most} entries"));
                None
            }
        }
    }

    /// `site_ids`: what something is limited to, out of those that may be named.
    pub fn site_ids(&self, known: &BTreeSet<SiteId>, checks: &mut Checks) -> Option<Vec<SiteId>> {
        let pointer = self.pointer("site_ids");
        let given = self.array("site_ids", SITES_AT_MOST, checks)?;
        if given.is_empty() {
            checks.fail(&pointer, "must name one site at least; leave it out for all sites");
        }
        let mut sites = BTreeSet::new();
        for (at, value) in given.iter().enumerate() {
            match value.as_str().and_then(|text| text.parse().ok()).filter(|site| known.contains(site)) {
                Some(site) => {
                    sites.insert(site);
                }
                None => checks.fail(child(&pointer, &at.to_string()), "no such site in this organization"),
            }
        }
        Some(sites.into_iter().collect())
    }
}

/// Whether a text may stand as a name: something to read, no control characters.
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= NAME_LENGTH && !text.chars().any(char::is_control)
}

/// A pointer one step further (RFC 6901). A member's name is the caller's own text: it is cut, should it be very long.
pub fn child(pointer: &str, name: &str) -> String {
    let name: String = name.chars().take(64).collect();
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(child("/mapping", "a/b~c"), "/mapping/a~1b~0c");
    }

    #[test]
    fn everything_wrong_is_found_and_no_value_is_repeated() {
        let body = json!({"name": "a\nhunter2", "zone": "hunter2", "many": ["hunter2", 1]});
        let mut checks = Checks::default();
        let members = Members::of(&body, "", &["name", "many", "other"], &mut checks).unwrap();
        assert_eq!(members.required_name("name", &mut checks), None);
        assert!(members.array("many", 1, &mut checks).is_none());
        assert!(members.required_text("other", &mut checks).is_none());
        let errors = checks.done().unwrap_err();
        let places: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/zone", "/name", "/many", "/other"]);
        assert!(errors.iter().all(|error| !error.detail.contains("hunter2")), "{errors:?}");
    }

    #[test]
    fn a_name_counts_characters_and_not_bytes() {
        assert!(is_name(&"ü".repeat(200)));
        assert!(!is_name(&"ü".repeat(201)));
        assert!(!is_name("  "));
    }
}
