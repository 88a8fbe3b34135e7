//! Project settings: what one platform project does with one site (contracts 6.3). [`check`] reads them from what someone set,
//! [`shifts`] a site's shifts; [`mapping_rows`] names what a mapping has.
pub mod check;
pub mod form_fields;
mod mapping_check;
pub mod mapping_rows;
pub mod shifts;

use crate::ids::{Provider, SiteId};
use form_fields::FormField;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A detection kind or incident type: `[a-z][a-z0-9_]{0,63}`.
pub fn is_kind(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && text.len() <= 64
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProjectSettings {
    pub site_id: SiteId,
    /// Which detections become records. Confirmed recordable incidents always do.
    #[serde(default)]
    pub observations: ObservationSettings,
    /// The site's daily summary. Its hour is the site's: another one here changes it for all that take it.
    #[serde(default)]
    pub daily_summary: SummarySettings,
    #[serde(default)]
    pub mapping: Mapping,
}

impl ProjectSettings {
    /// As a body of the API gives them: of the mapping, the parts that this platform has.
    pub fn as_given(&self, provider: Provider) -> Value {
        let mut given = json!(self);
        if let Some(mapping) = given["mapping"].as_object_mut() {
            mapping.retain(|part, _| mapping_rows::parts(provider).contains(&part.as_str()));
        }
        given
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ObservationSettings {
    /// Detections from this priority on.
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 5))]
    pub min_priority: u8,
    pub kinds: Kinds,
}

impl Default for ObservationSettings {
    fn default() -> Self {
        Self { min_priority: 3, kinds: Kinds::Only(vec!["zone_breach".into(), "ppe_non_compliance".into()]) }
    }
}

/// Which detection kinds are pushed: `"all"`, or a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Kinds {
    All(AllWord),
    Only(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AllWord {
    #[serde(rename = "all")]
    All,
}

impl Kinds {
    pub fn includes(&self, kind: &str) -> bool {
        match self {
            Kinds::All(_) => true,
            Kinds::Only(kinds) => kinds.iter().any(|k| k == kind),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SummarySettings {
    /// Whether each day's summary is written here.
    pub enabled: bool,
    /// `HH:MM` on the site's clock.
    pub at: String,
}

impl Default for SummarySettings {
    fn default() -> Self {
        Self { enabled: true, at: "17:00".into() }
    }
}

/// Ids at the platform, kept as text since platforms use numbers beyond 53 bits and UUIDs. Left out: the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Mapping {
    /// Procore: its observation types, by detection kind.
    #[serde(deserialize_with = "ids_as_text")]
    pub observation_types: BTreeMap<String, String>,
    /// Procore: its incident types, by ours.
    #[serde(deserialize_with = "ids_as_text")]
    pub incident_types: BTreeMap<String, String>,
    /// Procore: its hazards, by our incident type.
    #[serde(deserialize_with = "ids_as_text")]
    pub hazards: BTreeMap<String, String>,
    /// Autodesk: the subtype of all issues. Left out: the one whose title says Safety.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue_subtype_id: Option<String>,
    /// Autodesk: locations by our zone's id. Left out: the zone's path as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, String>,
    /// Autodesk: values of custom fields that the project demands, by the field's id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_attributes: BTreeMap<String, String>,
    /// Autodesk: what the daily summary's form is made from. Left out: the first template for daily reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_template_id: Option<String>,
    /// Autodesk: fields of that template that figures of the day go into, by the figure's name. Left out: all stands in the notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub form_fields: BTreeMap<String, FormField>,
    /// Autodesk: whether a day's form is submitted once nothing changes it any more. Left out: people submit it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub submit_form: bool,
}

fn ids_as_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(u64),
        Text(String),
    }
    let ids = BTreeMap::<String, Id>::deserialize(deserializer)?;
    Ok(ids
        .into_iter()
        .map(|(key, id)| match id {
            Id::Number(number) => (key, number.to_string()),
            Id::Text(text) => (key, text),
        })
        .collect())
}

/// A named span of a site's day, `HH:MM` on its clock; `end` before `start` crosses midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Shift {
    /// Of its own in the site; not `other`.
    pub name: String,
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`, exclusive.
    pub end: String,
}
