//! The checks of project settings (contracts 6.3), for the API and the pages alike.
use super::mapping_check::mapping;
use super::{AllWord, Kinds, ObservationSettings, ProjectSettings, SummarySettings, is_kind};
use crate::autodesk::bare_id;
use crate::fields::{Checks, Members, child};
use crate::ids::{Provider, SiteId};
use crate::localtime::time_of_day;
use crate::validate::FieldError;
use serde_json::Value;

pub(super) const MOST_KINDS: usize = 200;

/// The site that settings name, if they name one by a valid id: whoever reads them looks first whether it exists.
pub fn named_site(settings: &Value) -> Option<SiteId> {
    settings.get("site_id")?.as_str()?.parse().ok()
}

/// Settings of one platform's project as given, defaults filled in; everything wrong is told at once. `site` is the one of [`named_site`], where it exists
/// in the connection's organization and for whoever asks.
pub fn read(settings: &Value, provider: Provider, site: Option<SiteId>) -> Result<ProjectSettings, Vec<FieldError>> {
    let mut checks = Checks::default();
    let known = ["site_id", "observations", "daily_summary", "mapping"];
    let read = Members::of(settings, "", &known, &mut checks).and_then(|members| {
        if members.required_text("site_id", &mut checks).is_some() && site.is_none() {
            checks.fail(members.pointer("site_id"), "no such site in the connection's organization");
        }
        let observations = observations(&members, &mut checks);
        let daily_summary = daily_summary(&members, &mut checks);
        let mapping = mapping(&members, provider, &mut checks);
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
        && let Some(at) = hour(&inner, checks)
    {
        settings.at = at;
    }
    settings
}

/// The hour of a site's summary, as `at`.
pub fn hour(members: &Members<'_>, checks: &mut Checks) -> Option<String> {
    let at = members.required_text("at", checks)?;
    match time_of_day(at) {
        Ok(_) => Some(at.to_owned()),
        Err(error) => {
            checks.fail(members.pointer("at"), error.to_string());
            None
        }
    }
}

/// A project's id as someone wrote it, in the one form that we keep.
pub fn project_id(provider: Provider, text: &str) -> Option<String> {
    match provider {
        Provider::Procore => is_platform_id(text).then(|| text.to_owned()),
        Provider::Acc => bare_id(text),
        // An endpoint has no projects.
        Provider::Webhook => None,
    }
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
