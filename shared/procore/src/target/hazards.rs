//! Which of the company's hazards an incident is about: the one mapped, else an active one that is called as the incident type.
use super::At;
use super::names::same_name;
use crate::client::Procore;
use crate::request::{Place, Request, Tool};
use domain::record::Mender;
use domain::settings::Mapping;
use domain::wording::words;
use platform::known::{Known, Stop};
use serde::Deserialize;
use serde_json::{Value, json};
use sync::target::{Block, Call, TargetError};

pub(super) const NEED: &str = "hazards";

/// What Procore's own list calls OSHA's focus four, where that is not our word.
const ALIASES: [(&str, &[&str]); 2] = [
    ("caught_between", &["Caught-In or Between", "Caught-In/Between"]),
    ("caught_in", &["Caught-In or Between", "Caught-In/Between"]),
];

#[derive(Deserialize)]
struct Hazard {
    id: i64,
    name: String,
    #[serde(default)]
    active: Option<bool>,
}

/// The hazard's id; `None`: the field is left out.
pub(super) fn choose(incident_type: &str, mapping: &Mapping, known: Known<'_>) -> Result<Option<Value>, Stop> {
    if let Some(mapped) = mapping.hazards.get(incident_type) {
        return mapped_id("hazard", incident_type, mapped).map(Some);
    }
    let hazards: Vec<Hazard> = known.list(NEED)?;
    let called = |hazard: &&Hazard| is_called(&hazard.name, incident_type);
    Ok(hazards.iter().filter(called).map(|hazard| hazard.id).min().map(Value::from))
}

/// Whether a hazard is called as the incident type.
pub(crate) fn is_called(hazard: &str, incident_type: &str) -> bool {
    let aliases = ALIASES.iter().find(|(kind, _)| *kind == incident_type).map_or(&[][..], |(_, names)| names);
    same_name(hazard, &words(incident_type)) || aliases.iter().any(|alias| same_name(hazard, alias))
}

/// An id from the settings as one of Procore's numbers.
pub(super) fn mapped_id(what: &str, kind: &str, id: &str) -> Result<Value, Stop> {
    id.parse::<i64>().map(Value::from).map_err(|_| {
        Stop::Block(Block {
            reason: format!("The settings map {kind} to the {what} {id:?}, which is not one of Procore's numbers."),
            who: Mender::SafetyManager,
            what_to_do: format!("Choose another {what} for {kind} in the project's settings, or none."),
        })
    })
}

pub(super) async fn find(procore: &Procore, call: Call<'_>, at: At) -> Result<Value, TargetError> {
    let path = format!("/rest/v1.0/companies/{}/hazards", at.company);
    let request = Request::get(at.company, path, Place::Account, Tool::Incidents);
    match procore.list(call, &request).await {
        Ok(entries) => {
            let hazards = entries.into_iter().filter_map(|entry| serde_json::from_value::<Hazard>(entry).ok());
            let active = hazards.filter(|hazard| hazard.active != Some(false));
            Ok(active.map(|hazard| json!({"id": hazard.id, "name": hazard.name})).collect())
        }
        // A service account that may not see the company's list still records incidents, without a hazard.
        Err(TargetError::Project(_)) => {
            tracing::warn!("Procore does not show the company's hazards; incidents go without one");
            Ok(json!([]))
        }
        Err(error) => Err(error),
    }
}
