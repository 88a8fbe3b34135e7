//! The JSON Schemas (2020-12) that we publish of what edges send. They say what `validate` does, as far as a schema can: that an
//! edge speaks for itself, and the order of two members (`from`, `to`), are beyond it.

/// Path below `/schemas/`, and content.
pub const SCHEMAS: [(&str, &str); 9] = [
    ("edge/types.json", include_str!("../../schemas/edge/types.json")),
    ("edge/event.json", include_str!("../../schemas/edge/event.json")),
    ("edge/detection.recorded.v1.json", include_str!("../../schemas/edge/detection.recorded.v1.json")),
    ("edge/incident.confirmed.v1.json", include_str!("../../schemas/edge/incident.confirmed.v1.json")),
    ("edge/incident.updated.v1.json", include_str!("../../schemas/edge/incident.updated.v1.json")),
    ("edge/incident.retracted.v1.json", include_str!("../../schemas/edge/incident.retracted.v1.json")),
    ("edge/zone.configured.v1.json", include_str!("../../schemas/edge/zone.configured.v1.json")),
    ("edge/worker.assigned.v1.json", include_str!("../../schemas/edge/worker.assigned.v1.json")),
    ("edge/ppe.sampled.v1.json", include_str!("../../schemas/edge/ppe.sampled.v1.json")),
];
