//! Walks an untrusted JSON object and notes all that is wrong with it.
use super::rules::Rule;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::RefCell;

/// More violations of one event are not told, so that an answer stays small. An event without any field has fewer.
const ERRORS_MAX: usize = 24;

/// One violation: where (RFC 6901, into the event) and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub pointer: String,
    pub detail: String,
}

/// Where violations go, and on request the valid values that may be kept.
#[derive(Default)]
pub(super) struct Sink {
    errors: RefCell<Vec<FieldError>>,
    known: Option<RefCell<Map<String, Value>>>,
}

impl Sink {
    pub fn keeping() -> Self {
        Self { known: Some(RefCell::default()), ..Self::default() }
    }

    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors.into_inner()
    }

    pub fn into_known(self) -> Map<String, Value> {
        self.known.map(RefCell::into_inner).unwrap_or_default()
    }

    fn refuse(&self, pointer: String, detail: String) {
        let mut errors = self.errors.borrow_mut();
        match errors.len() {
            ..ERRORS_MAX => errors.push(FieldError { pointer, detail }),
            ERRORS_MAX => {
                let detail = "More is wrong with this event than is told here: mend these first.".to_owned();
                errors.push(FieldError { pointer: String::new(), detail });
            }
            _ => {}
        }
    }

    fn keep(&self, pointer: impl FnOnce() -> String, value: &Value) {
        if let Some(known) = &self.known {
            known.borrow_mut().insert(pointer(), value.clone());
        }
    }
}

/// An object at a place in the event. Readers give `None` where they noted a violation.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    pointer: String,
    sink: &'a Sink,
}

impl<'a> Object<'a> {
    pub fn root(members: &'a Map<String, Value>, sink: &'a Sink) -> Self {
        Self { members, pointer: String::new(), sink }
    }

    /// Names come from our own rules, or are tags: nothing in them needs RFC 6901's escapes.
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    /// Notes a violation at a member of this object.
    pub fn refuse(&self, name: &str, problem: &str) {
        self.sink.refuse(self.at(name), format!("`{name}` {problem}."));
    }

    /// Notes a violation of this object as a whole.
    pub fn refuse_self(&self, detail: &str) {
        self.sink.refuse(self.pointer.clone(), detail.to_owned());
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    pub fn required<T>(&self, name: &str, rule: &Rule<T>) -> Option<T> {
        match self.members.get(name) {
            Some(value) => self.read(name, value, rule),
            None => {
                self.refuse(name, &format!("is missing: it must be {}", rule.must));
                None
            }
        }
    }

    /// The outer `None` is a violation.
    pub fn optional<T>(&self, name: &str, rule: &Rule<T>) -> Option<Option<T>> {
        self.members.get(name).map_or(Some(None), |value| self.read(name, value, rule).map(Some))
    }

    fn read<T>(&self, name: &str, value: &Value, rule: &Rule<T>) -> Option<T> {
        let read = (rule.read)(value);
        match &read {
            Some(_) if rule.keep => self.sink.keep(|| self.at(name), value),
            Some(_) => {}
            None => self.refuse(name, &format!("must be {}", rule.must)),
        }
        read
    }

    pub fn equals(&self, name: &str, expected: &str, problem: &str) {
        match self.members.get(name) {
            Some(Value::String(text)) if text == expected => {}
            Some(_) => self.refuse(name, problem),
            None => self.refuse(name, &format!("is missing: it {problem}")),
        }
    }

    pub fn object<T>(&self, name: &str, read: impl FnOnce(&Object<'_>) -> Option<T>) -> Option<T> {
        match self.members.get(name) {
            Some(Value::Object(members)) => read(&Object { members, pointer: self.at(name), sink: self.sink }),
            Some(_) => {
                self.refuse(name, "must be a JSON object");
                None
            }
            None => {
                self.refuse(name, "is missing: it must be a JSON object");
                None
            }
        }
    }

    pub fn optional_object<T>(&self, name: &str, read: impl FnOnce(&Object<'_>) -> Option<T>) -> Option<Option<T>> {
        match self.members.contains_key(name) {
            true => self.object(name, read).map(Some),
            false => Some(None),
        }
    }

    /// A list that may be left out, which is the same as empty.
    pub fn list<T>(&self, name: &str, most: usize, rule: &Rule<T>) -> Option<Vec<T>> {
        self.members.get(name).map_or(Some(Vec::new()), |value| self.items(name, value, most, rule))
    }

    pub fn required_list<T>(&self, name: &str, most: usize, rule: &Rule<T>) -> Option<Vec<T>> {
        if !self.members.contains_key(name) {
            self.refuse(name, "is missing: it must be an array, which may be empty");
        }
        self.members.get(name).and_then(|value| self.items(name, value, most, rule))
    }

    fn items<T>(&self, name: &str, value: &Value, most: usize, rule: &Rule<T>) -> Option<Vec<T>> {
        let Some(values) = value.as_array().filter(|values| values.len() <= most) else {
            self.refuse(name, &format!("must be an array of at most {most} items"));
            return None;
        };
        let mut read = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match (rule.read)(value) {
                Some(item) => read.push(item),
                None => {
                    let pointer = format!("{}/{index}", self.at(name));
                    self.sink.refuse(pointer, format!("Each item of `{name}` must be {}.", rule.must));
                }
            }
        }
        if read.len() < values.len() {
            return None;
        }
        if rule.keep {
            self.sink.keep(|| self.at(name), value);
        }
        Some(read)
    }

    /// Each member as an object by itself, its name under `rule`.
    pub fn entries<T>(
        &self,
        most: usize,
        rule: &Rule<String>,
        mut read: impl FnMut(&Object<'_>) -> Option<T>,
    ) -> Option<Vec<(String, T)>> {
        let named = |name: &&String| (rule.read)(&Value::String((*name).clone())).is_some();
        if self.members.len() > most || !self.members.keys().all(|name| named(&name)) {
            self.refuse_self(&format!(
                "There may be at most {most} members here, each name of which must be {}.",
                rule.must
            ));
            return None;
        }
        let all: Vec<_> = self.members.keys().map(|name| (name.clone(), self.object(name, &mut read))).collect();
        all.into_iter().map(|(name, item)| item.map(|item| (name, item))).collect()
    }

    /// Refuses all members but these. A refused member is pointed at only if its name is a usual one for a field: the name of
    /// a member can be a person's name too.
    pub fn only(&self, allowed: &[&str]) -> bool {
        let unknown: Vec<&String> = self.members.keys().filter(|name| !allowed.contains(&name.as_str())).collect();
        let said = allowed.join(", ");
        let (usual, other): (Vec<&String>, Vec<&String>) = unknown.iter().partition(|name| is_usual(name));
        for name in usual {
            self.refuse(
                name,
                &format!("is not accepted for a worker, so that no name is: remove it and send only {said}"),
            );
        }
        if !other.is_empty() {
            self.refuse_self(&format!(
                "A worker may have no other members than {said}, so that no name is accepted: remove the others."
            ));
        }
        unknown.is_empty()
    }
}

/// Names that fields of a person commonly have.
fn is_usual(name: &str) -> bool {
    const USUAL: [&str; 32] = [
        "name",
        "names",
        "full_name",
        "fullname",
        "fullName",
        "first_name",
        "firstName",
        "firstname",
        "given_name",
        "givenName",
        "last_name",
        "lastName",
        "lastname",
        "family_name",
        "familyName",
        "surname",
        "middle_name",
        "middleName",
        "nickname",
        "display_name",
        "displayName",
        "worker_name",
        "workerName",
        "employee_name",
        "initials",
        "email",
        "phone",
        "address",
        "date_of_birth",
        "ssn",
        "badge",
        "photo",
    ];
    USUAL.contains(&name)
}
