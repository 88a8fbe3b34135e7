//! The checks of a mapping: each platform has parts of its own, and a part of another's is refused, not lost.
use super::check::{MOST_KINDS, platform_id};
use super::form_fields::{FIGURES, FormField, Takes};
use super::mapping_rows::{
    FORM_FIELDS, FORM_TEMPLATE, HAZARDS, INCIDENT_TYPES, ISSUE_SUBTYPE, OBSERVATION_TYPES, SUBMIT_FORM, parts,
};
use super::{Mapping, is_kind};
use crate::autodesk::bare_id;
use crate::fields::{Checks, Members, child};
use crate::ids::Provider;
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of a custom field's value: Autodesk's longest kind takes so many.
const LONGEST_VALUE: usize = 2_500;

pub(super) fn mapping(members: &Members<'_>, provider: Provider, checks: &mut Checks) -> Mapping {
    let Some(value) = members.given("mapping") else { return Mapping::default() };
    let pointer = members.pointer("mapping");
    match provider {
        Provider::Procore => {
            let Some(inner) = Members::of(value, &pointer, parts(provider), checks) else { return Mapping::default() };
            let [observation_types, incident_types, hazards] =
                [OBSERVATION_TYPES, INCIDENT_TYPES, HAZARDS].map(|name| ids(&inner, name, checks));
            Mapping { observation_types, incident_types, hazards, ..Mapping::default() }
        }
        Provider::Acc => {
            let Some(inner) = Members::of(value, &pointer, parts(provider), checks) else { return Mapping::default() };
            Mapping {
                issue_subtype_id: id(&inner, ISSUE_SUBTYPE, checks),
                locations: locations(&inner, checks),
                custom_attributes: custom_attributes(&inner, checks),
                form_template_id: id(&inner, FORM_TEMPLATE, checks),
                form_fields: form_fields(&inner, checks),
                submit_form: flag(&inner, SUBMIT_FORM, checks),
                ..Mapping::default()
            }
        }
        Provider::Webhook => {
            checks.fail(pointer, "a webhook endpoint has no mapping");
            Mapping::default()
        }
    }
}

fn ids(members: &Members<'_>, name: &str, checks: &mut Checks) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for (kind, value, place) in entries(members, name, "each a kind with its id at Procore", checks) {
        match (is_kind(kind), platform_id(value)) {
            (true, Some(id)) => _ = ids.insert(kind.to_owned(), id),
            (false, _) => checks.fail(place, "must be named by a kind: [a-z][a-z0-9_]{0,63}"),
            (true, None) => checks.fail(place, "must be an id at Procore: a whole number, or its digits as text"),
        }
    }
    ids
}

const AUTODESK_ID: &str = "must be an id at Autodesk, such as 5a0db0c5-0000-4000-8000-000000000001";

fn id(members: &Members<'_>, name: &str, checks: &mut Checks) -> Option<String> {
    let id = members.given(name)?.as_str().and_then(bare_id);
    if id.is_none() {
        checks.fail(members.pointer(name), AUTODESK_ID);
    }
    id
}

fn flag(members: &Members<'_>, name: &str, checks: &mut Checks) -> bool {
    let Some(given) = members.given(name) else { return false };
    let flag = given.as_bool();
    if flag.is_none() {
        checks.fail(members.pointer(name), "must be true or false");
    }
    flag.unwrap_or_default()
}

/// Zones are an edge's own words.
fn locations(members: &Members<'_>, checks: &mut Checks) -> BTreeMap<String, String> {
    let mut nodes = BTreeMap::new();
    for (zone, value, place) in
        entries(members, "locations", "each a zone's id with a location's id at Autodesk", checks)
    {
        match value.as_str().and_then(bare_id) {
            Some(node) => _ = nodes.insert(zone.to_owned(), node),
            None => checks.fail(place, AUTODESK_ID),
        }
    }
    nodes
}

fn custom_attributes(members: &Members<'_>, checks: &mut Checks) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let name = "custom_attributes";
    for (field, value, place) in entries(members, name, "each a custom field's id with its value", checks) {
        let text = value.as_str().filter(|text| !text.trim().is_empty() && text.chars().count() <= LONGEST_VALUE);
        match (bare_id(field), text) {
            (Some(field), Some(text)) => _ = values.insert(field, text.to_owned()),
            (None, _) => checks.fail(place, "must be named by a custom field's id at Autodesk"),
            (Some(_), None) => {
                checks.fail(place, format!("must be a text of 1 to {LONGEST_VALUE} characters, or an option's id"));
            }
        }
    }
    values
}

fn form_fields(members: &Members<'_>, checks: &mut Checks) -> BTreeMap<String, FormField> {
    let mut fields = BTreeMap::new();
    let given = entries(members, FORM_FIELDS, "each a figure with the field that takes it", checks);
    if !given.is_empty() && members.given(FORM_TEMPLATE).is_none() {
        checks.fail(members.pointer(FORM_FIELDS), "must come with the form_template_id whose fields these are");
    }
    for (figure, value, place) in given {
        if FIGURES.iter().all(|(name, _)| *name != figure) {
            let known = FIGURES.map(|(name, _)| name).join(", ");
            checks.fail(place, format!("is not a figure; figures are: {known}"));
            continue;
        }
        let Some(inner) = Members::of(value, &place, &["id", "takes"], checks) else { continue };
        let (id, takes) = (id(&inner, "id", checks), inner.given("takes").and_then(Value::as_str).and_then(Takes::of));
        match (id, takes) {
            (Some(id), Some(takes)) => _ = fields.insert(figure.to_owned(), FormField { id, takes }),
            (None, _) => _ = inner.required("id", checks),
            (Some(_), None) => checks.fail(inner.pointer("takes"), "must be \"numberVal\" or \"textVal\""),
        }
    }
    fields
}

/// An object's members, each with its place.
fn entries<'a>(
    members: &Members<'a>,
    name: &str,
    what: &str,
    checks: &mut Checks,
) -> Vec<(&'a str, &'a Value, String)> {
    let Some(value) = members.given(name) else { return Vec::new() };
    let pointer = members.pointer(name);
    let Some(map) = value.as_object().filter(|map| map.len() <= MOST_KINDS) else {
        checks.fail(&pointer, format!("must be an object of at most {MOST_KINDS} members, {what}"));
        return Vec::new();
    };
    map.iter().map(|(key, value)| (key.as_str(), value, child(&pointer, key))).collect()
}

#[cfg(test)]
mod tests {
    use crate::ids::{Provider, SiteId};
    use crate::settings::ProjectSettings;
    use crate::settings::check::read;
    use crate::validate::FieldError;
    use serde_json::{Value, json};

    const ID: &str = "5a0db0c5-0000-4000-8000-000000000001";

    fn checked(provider: Provider, mapping: Value) -> Result<ProjectSettings, Vec<FieldError>> {
        let site = SiteId::new(ulid::Ulid::from_parts(2, 1));
        read(&json!({"site_id": site, "mapping": mapping}), provider, Some(site))
    }

    #[test]
    fn autodesks_mapping_is_kept_in_one_form() {
        let given = json!({"issue_subtype_id": ID.to_uppercase(), "locations": {"zone 7": format!("b.{ID}")}, "custom_attributes": {ID: "Yes"}, "submit_form": true});
        let mapping = checked(Provider::Acc, given).unwrap().mapping;
        assert_eq!(mapping.issue_subtype_id.as_deref(), Some(ID));
        assert!(mapping.submit_form && !checked(Provider::Acc, json!({})).unwrap().mapping.submit_form);
        assert_eq!((mapping.locations["zone 7"].as_str(), mapping.custom_attributes[ID].as_str()), (ID, "Yes"));
    }

    #[test]
    fn a_part_of_another_platforms_mapping_is_refused() {
        for (provider, mapping, pointer) in [
            (Provider::Procore, json!({"issue_subtype_id": ID}), "/mapping/issue_subtype_id"),
            (Provider::Acc, json!({"hazards": {"fall": 7}}), "/mapping/hazards"),
            (Provider::Acc, json!({"issue_subtype_id": 7}), "/mapping/issue_subtype_id"),
            (Provider::Acc, json!({"locations": {"z": "no id"}}), "/mapping/locations/z"),
            (Provider::Acc, json!({"custom_attributes": {ID: " "}}), &*format!("/mapping/custom_attributes/{ID}")),
            (Provider::Acc, json!({"custom_attributes": []}), "/mapping/custom_attributes"),
            (Provider::Acc, json!({"form_template_id": "?"}), "/mapping/form_template_id"),
            (Provider::Acc, json!({"submit_form": "yes"}), "/mapping/submit_form"),
            (Provider::Procore, json!({"submit_form": true}), "/mapping/submit_form"),
            (
                Provider::Acc,
                json!({"form_fields": {"alerts": {"id": ID, "takes": "numberVal"}}}),
                "/mapping/form_fields",
            ),
            (
                Provider::Acc,
                json!({"form_template_id": ID, "form_fields": {"weather": {"id": ID, "takes": "textVal"}}}),
                "/mapping/form_fields/weather",
            ),
            (
                Provider::Acc,
                json!({"form_template_id": ID, "form_fields": {"alerts": {"id": ID, "takes": "toggleVal"}}}),
                "/mapping/form_fields/alerts/takes",
            ),
            (
                Provider::Acc,
                json!({"form_template_id": ID, "form_fields": {"alerts": {"takes": "textVal"}}}),
                "/mapping/form_fields/alerts/id",
            ),
        ] {
            let errors = checked(provider, mapping.clone()).unwrap_err();
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [pointer], "{mapping}");
        }
    }
}
