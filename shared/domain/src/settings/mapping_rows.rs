//! The rows of a mapping: its parts by their names in the API, and the kinds that edges of today send.
use crate::ids::Provider;

pub const OBSERVATION_TYPES: &str = "observation_types";
pub const INCIDENT_TYPES: &str = "incident_types";
pub const HAZARDS: &str = "hazards";
pub const ISSUE_SUBTYPE: &str = "issue_subtype_id";
pub const LOCATIONS: &str = "locations";
pub const CUSTOM_ATTRIBUTES: &str = "custom_attributes";
pub const FORM_TEMPLATE: &str = "form_template_id";
pub const FORM_FIELDS: &str = "form_fields";
pub const SUBMIT_FORM: &str = "submit_form";

/// The parts that a platform's mapping has.
pub fn parts(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Procore => &[OBSERVATION_TYPES, INCIDENT_TYPES, HAZARDS],
        Provider::Acc => &[ISSUE_SUBTYPE, LOCATIONS, CUSTOM_ATTRIBUTES, FORM_TEMPLATE, FORM_FIELDS, SUBMIT_FORM],
        Provider::Webhook => &[],
    }
}

/// Detection kinds; a project's own come beside them.
pub const KNOWN_KINDS: [&str; 6] = ["zone_breach", "ppe_non_compliance", "fall", "man_down", "proximity", "unsafe_act"];
/// Incident types: OSHA's focus four.
pub const KNOWN_INCIDENTS: [&str; 4] = ["fall", "struck_by", "caught_between", "electrocution"];
