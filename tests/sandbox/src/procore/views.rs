//! Small parts of answers that many records share.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{Entry, Location, ObservationType, Person, World};

pub(crate) fn time(at: Timestamp) -> Value {
    json!(at.to_string())
}

pub(crate) fn maybe_time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

pub(crate) fn user(world: &World, id: i64) -> Value {
    world
        .people
        .get(&id)
        .map_or(Value::Null, |person| json!({"id": person.id, "login": person.login, "name": person.name}))
}

pub(crate) fn maybe_user(world: &World, id: Option<i64>) -> Value {
    id.map_or(Value::Null, |id| user(world, id))
}

pub(crate) fn person(person: &Person) -> Value {
    let (first, last) = person.name.split_once(' ').map_or((person.name.as_str(), None), |(a, b)| (a, Some(b)));
    json!({"id": person.id, "name": person.name, "first_name": first, "last_name": last, "employee_id": null,
        "job_title": person.job_title, "user_id": person.login.as_ref().map(|_| person.id)})
}

pub(crate) fn location(location: &Location) -> Value {
    json!({"id": location.id, "name": location.name, "node_name": location.node_name, "parent_id": location.parent_id,
        "code": null, "created_at": time(location.created_at), "updated_at": time(location.updated_at)})
}

pub(crate) fn maybe_location(world: &World, id: Option<i64>) -> Value {
    id.and_then(|id| world.locations.get(&id)).map_or(Value::Null, location)
}

pub(crate) fn entry(entry: &Entry) -> Value {
    match entry.list.as_str() {
        "trades" => json!({"id": entry.id, "name": entry.name, "active": entry.active, "updated_at": time(entry.at)}),
        "body_parts" => json!({"id": entry.id, "name": entry.name, "selectable": entry.active, "parent_id": null,
            "created_at": time(entry.at), "updated_at": time(entry.at)}),
        _ => json!({"id": entry.id, "name": entry.name, "active": entry.active, "global": true,
            "created_at": time(entry.at), "updated_at": time(entry.at)}),
    }
}

pub(crate) fn maybe_entry(world: &World, id: Option<i64>) -> Value {
    id.and_then(|id| world.entries.get(&id)).map_or(Value::Null, entry)
}

pub(crate) fn observation_type(kind: &ObservationType) -> Value {
    json!({"id": kind.id, "name": kind.name, "localized_name": kind.name, "category": kind.category,
        "category_key": kind.category_key, "category_id": kind.category_id, "active": kind.active,
        "company_active": kind.active, "parent_inactive": false, "in_use": true, "kind": null,
        "name_translations": {"en": kind.english_name}})
}
