//! The form's fields, and the settings that they make: checked by the same rules as a body of the API.
use super::mapping::LABELS;
use crate::form::{Errors, Values};
use crate::kinds::{Chosen, NAMED_AS_THE_EDGE_DOES};
use crate::platform::Choices;
use crate::visible::Mapped;
use acc::lists::{Attribute, IssueTypes};
use domain::ids::Provider;
use domain::settings::mapping_rows::{
    self, CUSTOM_ATTRIBUTES, HAZARDS, INCIDENT_TYPES, ISSUE_SUBTYPE, OBSERVATION_TYPES,
};
use domain::settings::{Mapping, ProjectSettings, check, is_kind};
use domain::validate::FieldError;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The parts of a mapping that pages edit, by the names that the API gives them too.
const PARTS: [&str; 5] = [OBSERVATION_TYPES, INCIDENT_TYPES, HAZARDS, ISSUE_SUBTYPE, CUSTOM_ATTRIBUTES];
/// The one row of a part that is one value.
pub const ALL_ISSUES: &str = "issues";

fn parts_of(provider: Provider) -> impl Iterator<Item = &'static str> {
    PARTS.into_iter().filter(move |part| mapping_rows::parts(provider).contains(part))
}

/// As they are shown: as saved, or as just sent.
pub struct Fields {
    pub chosen: Chosen,
    pub another_incident: String,
    /// By part and kind; an empty id is the default. `None`: the editor was not shown.
    pub mapping: Option<BTreeMap<&'static str, BTreeMap<String, String>>>,
    pub version: String,
    pub setup: bool,
}

fn parts(mapping: &Mapping) -> BTreeMap<&'static str, BTreeMap<String, String>> {
    [
        (OBSERVATION_TYPES, mapping.observation_types.clone()),
        (INCIDENT_TYPES, mapping.incident_types.clone()),
        (HAZARDS, mapping.hazards.clone()),
        (ISSUE_SUBTYPE, mapping.issue_subtype_id.iter().map(|id| (ALL_ISSUES.to_owned(), id.clone())).collect()),
        (CUSTOM_ATTRIBUTES, mapping.custom_attributes.clone()),
    ]
    .into()
}

impl Fields {
    pub fn saved(mapped: &Mapped, setup: bool) -> Self {
        let ProjectSettings { observations, mapping, .. } = &mapped.project.settings;
        Self {
            chosen: Chosen::saved(&observations.kinds, observations.min_priority),
            another_incident: String::new(),
            mapping: Some(parts(mapping)),
            version: mapped.project.version.to_string(),
            setup,
        }
    }

    pub fn sent(values: &Values) -> Self {
        let part = |part: &'static str| {
            let prefix = format!("{part}:");
            let chosen = values.beginning(&prefix).map(|(kind, id)| (kind.to_owned(), id.to_owned()));
            (part, chosen.collect::<BTreeMap<String, String>>())
        };
        Self {
            chosen: Chosen::sent(values),
            another_incident: values.get("another_incident").to_owned(),
            mapping: (values.get("mapping") == "1").then(|| PARTS.map(part).into()),
            version: values.get("version").to_owned(),
            setup: values.get("setup") == "1",
        }
    }

    /// The id that a kind is mapped to; empty: the default.
    pub fn id(&self, part: &str, kind: &str) -> &str {
        let of = self.mapping.as_ref().and_then(|mapping| mapping.get(part)?.get(kind));
        of.map_or("", String::as_str)
    }

    /// Everything back to its default; not saved yet.
    pub fn forget_mapping(&mut self) {
        for ids in self.mapping.iter_mut().flat_map(BTreeMap::values_mut) {
            ids.values_mut().for_each(String::clear);
        }
    }

    /// A kind that was typed gets a row of its own.
    pub fn take_in_another(&mut self) {
        if !self.chosen.another.is_empty() {
            self.chosen.kinds.push(std::mem::take(&mut self.chosen.another));
        }
        let incident = std::mem::take(&mut self.another_incident);
        if let Some(mapping) = self.mapping.as_mut().filter(|_| !incident.is_empty()) {
            for part in [HAZARDS, INCIDENT_TYPES] {
                mapping.entry(part).or_default().entry(incident.clone()).or_default();
            }
        }
    }

    /// As the API would be given it.
    fn body(&self, standing: &ProjectSettings, provider: Provider) -> Value {
        let (kinds, priority) = self.chosen.body();
        let mut body = standing.as_given(provider);
        body["observations"] = json!({"min_priority": priority, "kinds": kinds});
        for part in parts_of(provider) {
            let Some(ids) = self.mapping.as_ref().and_then(|mapping| mapping.get(part)) else { continue };
            let chosen: BTreeMap<&String, &String> = ids.iter().filter(|(_, id)| !id.is_empty()).collect();
            body["mapping"][part] = match part {
                ISSUE_SUBTYPE => json!(chosen.into_values().next()),
                _ => json!(chosen),
            };
        }
        body
    }

    /// The settings that these fields make of the standing ones; everything wrong at once. `choices`: what can be mapped to,
    /// where that is known; what stands may stay.
    pub fn settings(
        &self,
        standing: &ProjectSettings,
        provider: Provider,
        choices: Option<&Choices>,
    ) -> Result<ProjectSettings, Errors> {
        let mut errors = Errors::default();
        // Also where all kinds are sent, and it says nothing.
        if !self.chosen.another.is_empty() && !is_kind(&self.chosen.another) {
            errors.add("another", format!("Another kind: {NAMED_AS_THE_EDGE_DOES}"));
        }
        if !self.another_incident.is_empty() && !is_kind(&self.another_incident) {
            errors.add("another_incident", format!("Another incident type: {NAMED_AS_THE_EDGE_DOES}"));
        }
        let read = check::read(&self.body(standing, provider), provider, Some(standing.site_id.clone()));
        for error in read.as_ref().err().into_iter().flatten() {
            let (field, sentence) = self.placed(error);
            if !errors.has(&field) {
                errors.add(field, sentence);
            }
        }
        if let (Ok(settings), Some(choices)) = (&read, choices) {
            match choices {
                Choices::Procore { types, hazards } => {
                    let offered = |part: &str, id: &str| match part {
                        OBSERVATION_TYPES => types.iter().any(|each| each.active && each.id == id),
                        HAZARDS => hazards.iter().any(|each| each.active && each.id == id),
                        // Procore lists them to no app: a number that it does not know is refused when a record comes to it.
                        _ => true,
                    };
                    check_offered(&settings.mapping, &standing.mapping, offered, &mut errors);
                }
                Choices::Autodesk(types) => {
                    let offered = |part: &str, id: &str| {
                        part != ISSUE_SUBTYPE || types.subtypes.iter().any(|each| each.id.eq_ignore_ascii_case(id))
                    };
                    check_offered(&settings.mapping, &standing.mapping, offered, &mut errors);
                    self.check_filled(types, &mut errors);
                }
            }
        }
        match read {
            Ok(settings) if errors.is_empty() => Ok(settings),
            _ => Err(errors),
        }
    }

    /// The field that a pointer of the API's body speaks of, and the sentence at it.
    fn placed(&self, error: &FieldError) -> (String, String) {
        let steps: Vec<&str> = error.pointer.split('/').skip(1).collect();
        match steps.as_slice() {
            ["observations", rest @ ..] => self.chosen.placed(rest, &error.detail),
            ["mapping", INCIDENT_TYPES, kind] => {
                let sentence = "Incident type: enter the number that Procore gave it, in digits, or leave it empty.";
                (id_of(INCIDENT_TYPES, kind), sentence.to_owned())
            }
            ["mapping", CUSTOM_ATTRIBUTES, field] => {
                (id_of(CUSTOM_ATTRIBUTES, field), format!("{}: it {}.", label(CUSTOM_ATTRIBUTES), error.detail))
            }
            ["mapping", ISSUE_SUBTYPE] => {
                (id_of(ISSUE_SUBTYPE, ALL_ISSUES), format!("{}: choose one of those listed.", label(ISSUE_SUBTYPE)))
            }
            ["mapping", part, kind] => (id_of(part, kind), format!("{}: choose one of those listed.", label(part))),
            ["mapping", part] => (id_of(part, ""), format!("{}: it {}.", label(part), error.detail)),
            _ => self.chosen.placed(&[], &error.detail),
        }
    }

    /// Of the issue type that is chosen, or that the lane would choose, all that Autodesk demands.
    fn check_filled(&self, types: &IssueTypes, errors: &mut Errors) {
        for field in self.demanded(types) {
            if self.id(CUSTOM_ATTRIBUTES, &field.id.to_lowercase()).trim().is_empty() {
                let sentence =
                    format!("{}: Autodesk demands it of each issue of this type, so enter a value.", field.title);
                errors.add(id_of(CUSTOM_ATTRIBUTES, &field.id.to_lowercase()), sentence);
            }
        }
    }

    /// The custom fields that Autodesk demands of the issue type as it stands in the form.
    pub fn demanded<'a>(&self, types: &'a IssueTypes) -> &'a [Attribute] {
        let chosen = self.id(ISSUE_SUBTYPE, ALL_ISSUES);
        let subtype = match chosen {
            "" => types.suggested(),
            id => types.subtypes.iter().find(|each| each.id.eq_ignore_ascii_case(id)),
        };
        subtype.and_then(|subtype| types.required.get(&subtype.id)).map_or(&[], Vec::as_slice)
    }
}

/// What stands may stay.
fn check_offered(new: &Mapping, standing: &Mapping, offered: impl Fn(&str, &str) -> bool, errors: &mut Errors) {
    let (new, standing) = (parts(new), parts(standing));
    for part in PARTS {
        for (kind, id) in &new[part] {
            if standing[part].get(kind) != Some(id) && !offered(part, id) {
                errors.add(id_of(part, kind), format!("{}: choose one of those listed.", label(part)));
            }
        }
    }
}

/// The id of a mapping's field.
pub fn id_of(part: &str, kind: &str) -> String {
    format!("{part}-{kind}")
}

fn label(part: &str) -> &'static str {
    LABELS.iter().find(|(known, _)| *known == part).map_or("Mapping", |(_, label)| label)
}
