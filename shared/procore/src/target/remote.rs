//! A record as Procore shows it, in the lane's terms.
use super::At;
use super::kind::Kind;
use crate::client::Hosts;
use crate::pages::id;
use jiff::Timestamp;
use serde_json::Value;
use sync::target::Remote;

/// `None`: there is no id in it, so it is no record.
pub(super) fn remote(hosts: &Hosts, at: At, kind: Kind, record: &Value, recycled: bool) -> Option<Remote> {
    let id = id(record)?;
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let time = |name: &str| text(name).and_then(|time| time.parse::<Timestamp>().ok());
    Some(Remote {
        id: id.to_string(),
        url: url(hosts, at, kind, id),
        fields: kind.fields(record),
        status: match kind {
            Kind::Note => super::note::status(record),
            Kind::Incident | Kind::Observation => None,
        }
        .or(text("status"))
        .unwrap_or_default()
        .to_owned(),
        recycled: recycled || time("deleted_at").is_some(),
        writable: None,
        comments: None,
        created_at: time("created_at"),
        updated_at: time("updated_at"),
    })
}

fn url(hosts: &Hosts, at: At, kind: Kind, id: i64) -> String {
    let (web, page) = (hosts.web(), kind.page());
    format!("{web}/webclients/host/companies/{}/projects/{}/tools/{page}/{id}", at.company, at.project)
}

/// A member as it is; null where it is missing.
pub(super) fn member(record: &Value, name: &str) -> Value {
    record.get(name).cloned().unwrap_or(Value::Null)
}

/// The id of a nested object, as the field that is written by it: `location` is written as `location_id`.
pub(super) fn nested_id(record: &Value, name: &str) -> Value {
    record.get(name).and_then(id).map_or(Value::Null, Value::from)
}

/// Rich or plain text, as plain text.
pub(super) fn plain_text(record: &Value, name: &str) -> Value {
    record.get(name).and_then(Value::as_str).map_or(Value::Null, |text| Value::from(crate::text::plain(text)))
}

/// An instant in whole seconds, UTC: the form in which Procore answers.
pub(super) fn instant(at: Timestamp) -> Value {
    Value::from(Timestamp::from_second(at.as_second()).unwrap_or(at).to_string())
}

pub(super) fn instant_of(record: &Value, name: &str) -> Value {
    let text = record.get(name).and_then(Value::as_str);
    text.and_then(|text| text.parse::<Timestamp>().ok()).map_or(Value::Null, instant)
}
