//! The rows of a mapping: its parts by their names in the API, and the kinds that edges of today send.
pub const OBSERVATION_TYPES: &str = "observation_types";
pub const INCIDENT_TYPES: &str = "incident_types";
pub const HAZARDS: &str = "hazards";

/// Detection kinds; a project's own come beside them.
pub const KNOWN_KINDS: [&str; 6] = ["zone_breach", "ppe_non_compliance", "fall", "man_down", "proximity", "unsafe_act"];
/// Incident types: OSHA's focus four.
pub const KNOWN_INCIDENTS: [&str; 4] = ["fall", "struck_by", "caught_between", "electrocution"];
