//! The checks of project settings (contracts 6.3), for the API and the pages alike.
use super::{AllWord, Kinds, Mapping, ObservationSettings, ProjectSettings, SummarySettings, is_kind};
use crate::fields::{Checks, Members, child};
use crate::ids::SiteId;
use crate::localtime::time_of_day;
use crate::validate::FieldError;
use serde_json::Value;
use std::collections::BTreeMap;

const MOST_KINDS: usize = 200;

/// The site that settings name, if they name one by a valid id: whoever reads them looks first whether it exists.
pub fn named_site(settings: &Value) -> Option<SiteId> {
    settings.get("site_id")?.as_str()?.parse().ok()
}

/// Settings as given, defaults filled in; everything wrong is told at once. `site` is the one of [`named_site`], where it exists
/// in the connection's organization and for whoever asks.
pub fn read(settings: &Value, site: Option<SiteId>) -> Result<ProjectSettings, Vec<FieldError>> {
    let mut checks = Checks::default();
    let known = ["site_id", "observations", "daily_summary", "mapping"];
    let read = Members::of(settings, "", &known, &mut checks).and_then(|members| {
        if members.required_text("site_id", &mut checks).is_some() && site.is_none() {
            checks.fail(members.pointer("site_id"), "no such site in the connection's organization");
        }
        let observations = observations(&members, &mut checks);
        let daily_summary = daily_summary(&members, &mut checks);
        let mapping = mapping(&members, &mut checks);
        site.map(|site_id| ProjectSettings { site_id, observations, daily_summary, mapping })
    });
    match (checks.done(), read) {
        (Ok(()), Some(read)) => Ok(read),
        (Err(errors), _) => Err(errors),
        (Ok(()), None) => Err(vec![FieldError { pointer: "/site_id".into(), detail: "is required".into() }]),
    }
}

fn observations(members: &Members<'_>, checks: &mut Checks) -> ObservationSettings {
    let mut settings = ObservationSettings::default();
    let Some(value) = members.given("observations") else { return settings };
    let Some(inner) = Members::of(value, &members.pointer("observations"), &["min_priority", "kinds"], checks) else {
        return settings;
    };
    if let Some(value) = inner.given("min_priority") {
        settings.min_priority =
            priority(value, &inner.pointer("min_priority"), checks).unwrap_or(settings.min_priority);
    }
    if let Some(value) = inner.given("kinds") {
        settings.kinds = kinds(value, &inner.pointer("kinds"), checks).unwrap_or(settings.kinds);
    }
    settings
}

/// A priority, 1 to 5.
pub fn priority(value: &Value, pointer: &str, checks: &mut Checks) -> Option<u8> {
    let read = value.as_u64().and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=5).contains(n));
    if read.is_none() {
        checks.fail(pointer, "must be a whole number from 1 to 5");
    }
    read
}

/// Which detections, by kind.
pub fn kinds(value: &Value, pointer: &str, checks: &mut Checks) -> Option<Kinds> {
    if value.as_str() == Some("all") {
        return Some(Kinds::All(AllWord::All));
    }
    let Some(entries) = value.as_array().filter(|entries| entries.len() <= MOST_KINDS) else {
        checks.fail(pointer, format!("must be \"all\" or an array of at most {MOST_KINDS} detection kinds"));
        return None;
    };
    let mut kinds: Vec<String> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        match entry.as_str().filter(|kind| is_kind(kind)) {
            Some(kind) if kinds.iter().any(|known| known == kind) => {}
            Some(kind) => kinds.push(kind.to_owned()),
            None => checks.fail(child(pointer, &at.to_string()), "must be a detection kind: [a-z][a-z0-9_]{0,63}"),
        }
    }
    Some(Kinds::Only(kinds))
}

fn daily_summary(members: &Members<'_>, checks: &mut Checks) -> SummarySettings {
    let mut settings = SummarySettings::default();
    let Some(value) = members.given("daily_summary") else { return settings };
    let Some(inner) = Members::of(value, &members.pointer("daily_summary"), &["enabled", "at"], checks) else {
        return settings;
    };
    if let Some(value) = inner.given("enabled") {
        match value.as_bool() {
            Some(enabled) => settings.enabled = enabled,
            None => checks.fail(inner.pointer("enabled"), "must be true or false"),
        }
    }
    if inner.given("at").is_some()
        && let Some(at) = inner.required_text("at", checks)
    {
        match time_of_day(at) {
            Ok(_) => settings.at = at.to_owned(),
            Err(error) => checks.fail(inner.pointer("at"), error.to_string()),
        }
    }
    settings
}

fn mapping(members: &Members<'_>, checks: &mut Checks) -> Mapping {
    let Some(value) = members.given("mapping") else { return Mapping::default() };
    let known = ["observation_types", "incident_types", "hazards"];
    let Some(inner) = Members::of(value, &members.pointer("mapping"), &known, checks) else {
        return Mapping::default();
    };
    let [observation_types, incident_types, hazards] = known.map(|name| ids(&inner, name, checks));
    Mapping { observation_types, incident_types, hazards }
}

fn ids(members: &Members<'_>, name: &str, checks: &mut Checks) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    let Some(value) = members.given(name) else { return ids };
    let pointer = members.pointer(name);
    let Some(map) = value.as_object().filter(|map| map.len() <= MOST_KINDS) else {
        checks.fail(
            &pointer,
            format!("must be an object of at most {MOST_KINDS} members, each a kind with its id at Procore"),
        );
        return ids;
    };
    for (kind, value) in map {
        let place = child(&pointer, kind);
        match (is_kind(kind), platform_id(value)) {
            (true, Some(id)) => {
                ids.insert(kind.clone(), id);
            }
            (false, _) => checks.fail(place, "must be named by a kind: [a-z][a-z0-9_]{0,63}"),
            (true, None) => checks.fail(place, "must be an id at Procore: a whole number, or its digits as text"),
        }
    }
    ids
}

/// A Procore id, given as a number or as its digits, in the one form that we keep: `7` and `007` are not two companies.
pub fn platform_id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_u64().filter(|id| *id > 0).map(|id| id.to_string()),
        Value::String(text) => is_platform_id(text).then(|| text.clone()),
        _ => None,
    }
}

pub fn is_platform_id(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == text)
}
