//! One accepted call as the operations see it, with typed access to its parameters and body.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::reply::{Refusal, Reply};
use crate::openapi::{Valid, date_range};

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// The directory user in the company that the header names.
    pub(crate) user_id: i64,
    pub(crate) login: Option<String>,
    pub(crate) client_id: String,
    pub(crate) service_account: bool,
}

pub(crate) struct Call {
    pub(crate) operation_id: String,
    pub(crate) valid: Valid,
    pub(crate) actor: Actor,
    /// The company in the header; 0 where none is needed and none was given.
    pub(crate) company_id: i64,
    /// Where this sandbox listens.
    pub(crate) base_url: String,
    pub(crate) path: String,
    pub(crate) raw_query: Vec<(String, String)>,
    /// In whole seconds.
    pub(crate) now: Timestamp,
}

pub(crate) type Outcome = Result<Reply, Refusal>;

impl Call {
    pub(crate) fn path_id(&self, name: &str) -> i64 {
        match self.valid.path.get(name) {
            // REST v2 writes ids as texts.
            Some(Value::String(text)) => text.parse().unwrap_or_default(),
            Some(value) => value.as_i64().unwrap_or_default(),
            None => 0,
        }
    }

    /// The project, wherever the operation names it.
    pub(crate) fn project_id(&self) -> i64 {
        match self.path_id("project_id") {
            0 => self.query_id("project_id").or_else(|| self.body_id("project_id")).unwrap_or_default(),
            id => id,
        }
    }

    pub(crate) fn query_id(&self, name: &str) -> Option<i64> {
        self.valid.query.get(name).and_then(Value::as_i64)
    }

    pub(crate) fn query_text(&self, name: &str) -> Option<&str> {
        self.valid.query.get(name).and_then(Value::as_str)
    }

    pub(crate) fn query_flag(&self, name: &str) -> Option<bool> {
        self.valid.query.get(name).and_then(Value::as_bool)
    }

    pub(crate) fn query_ids(&self, name: &str) -> Option<Vec<i64>> {
        let values = self.valid.query.get(name)?.as_array()?;
        Some(values.iter().filter_map(Value::as_i64).collect())
    }

    pub(crate) fn query_texts(&self, name: &str) -> Option<Vec<&str>> {
        let values = self.valid.query.get(name)?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).collect())
    }

    pub(crate) fn query_range(&self, name: &str) -> Option<(Timestamp, Timestamp)> {
        self.query_text(name).and_then(date_range)
    }

    pub(crate) fn query_date(&self, name: &str) -> Option<Date> {
        self.query_text(name)?.parse().ok()
    }

    pub(crate) fn body_id(&self, name: &str) -> Option<i64> {
        self.valid.body.get(name).and_then(Value::as_i64)
    }

    /// The object under `name` in the body; the schema made sure that it is one.
    pub(crate) fn fields(&self, name: &str) -> Fields<'_> {
        Fields(self.valid.body.get(name).and_then(Value::as_object))
    }
}

/// The members of a written record.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        Self(value.as_object())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.and_then(|members| members.get(name))
    }

    /// Text as the platform keeps it: trimmed, with plain line ends.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(plain)
    }

    pub(crate) fn id(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        let at: Timestamp = self.get(name)?.as_str()?.parse().ok()?;
        Some(crate::clock::whole_seconds(at))
    }

    pub(crate) fn custom_fields(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.into_iter().flatten().filter(|(name, _)| name.starts_with("custom_field_"))
    }

    /// Puts every member into `into`, texts normalized.
    pub(crate) fn copy(&self, into: &mut BTreeMap<String, Value>) {
        for (name, value) in self.0.into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.clone(), |text| Value::String(plain(text)));
            into.insert(name.clone(), value);
        }
    }
}

pub(crate) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}
