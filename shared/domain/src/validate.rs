//! From untrusted JSON to a typed [`Event`]: every violation of one event is told, with an RFC 6901 pointer into it and a
//! sentence that names field and remedy. No sentence, pointer or kept field ever repeats a refused value: it may be a name.
//!
//! - what is unknown is tolerated and dropped; in a worker (and in the data of a worker's assignment) it is refused
//! - `null` counts as a wrong value: what there is nothing to say about is left out
//! - of duplicate members the last counts, as in most readers; since what goes on is the typed event, the first is gone
//! - ULIDs are upper case, as the specification writes them: one spelling per id, since ids are compared as text
//! - other ids are 1 to 128 of `A-Z a-z 0-9 . _ : -`, beginning with a letter or digit: no room for a person's full name
mod bodies;
mod object;
mod rules;
mod schemas;

pub use object::FieldError;
pub use schemas::SCHEMAS;

use crate::event::{Event, EventBody};
use crate::ids::{EdgeId, SiteId};
use object::{Object, Sink};
use serde_json::Value;

/// Who signed: an edge may speak for itself and its own site only.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub edge_id: &'a EdgeId,
    pub site_id: &'a SiteId,
}

/// Why an event was refused, and what of it may be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The event's id, where that was valid.
    pub id: Option<String>,
    pub errors: Vec<FieldError>,
    /// Values of known fields that were valid and can hold no text of a person's (ids, kinds, numbers, times), by pointer.
    pub known: serde_json::Map<String, Value>,
}

impl Refusal {
    /// An event that could not be looked into at all.
    pub fn whole(detail: &str) -> Self {
        let errors = vec![FieldError { pointer: String::new(), detail: detail.to_owned() }];
        Self { id: None, errors, known: Default::default() }
    }
}

/// Reads one event of the edge that `expected` names.
pub fn validate_event(value: &Value, expected: Expected<'_>) -> Result<Event, Refusal> {
    let Value::Object(members) = value else {
        return Err(Refusal::whole("The event must be a JSON object with the CloudEvents attributes and `data`."));
    };
    let sink = Sink::default();
    let event = envelope(&Object::root(members, &sink), expected);
    match (event, sink.into_errors()) {
        (Some(event), errors) if errors.is_empty() => Ok(event),
        (_, errors) => {
            // Seldom, so a second look costs less than noting what is valid in every good event.
            let sink = Sink::keeping();
            envelope(&Object::root(members, &sink), expected);
            let known = sink.into_known();
            let id = known.get("/id").and_then(Value::as_str).map(str::to_owned);
            Err(Refusal { id, errors, known })
        }
    }
}

fn envelope(event: &Object<'_>, expected: Expected<'_>) -> Option<Event> {
    event.equals("specversion", "1.0", "must be the text \"1.0\", the version of CloudEvents");
    let id = event.required("id", &rules::EVENT_ID);
    event.equals(
        "source",
        &format!("/edges/{}", expected.edge_id),
        "must be `/edges/` and the id of the edge that signs, the one in the header hhp-edge-id",
    );
    event.equals(
        "subject",
        expected.site_id.as_str(),
        "must be the id of the edge's own site: an edge may speak for its own site only",
    );
    let time = event.required("time", &rules::TIME);
    event.optional("datacontenttype", &rules::JSON_MEDIA_TYPE);
    let body = body(event);
    Some(Event { id: id?, time: time?, body: body? })
}

fn body(event: &Object<'_>) -> Option<EventBody> {
    let kind = event.required("type", &rules::EVENT_TYPE);
    event.object("data", |data| match kind?.as_str().strip_prefix(rules::TYPE_PREFIX)? {
        "detection.recorded.v1" => bodies::detection(data).map(EventBody::Detection),
        "incident.confirmed.v1" => bodies::incident(data).map(EventBody::IncidentConfirmed),
        "incident.updated.v1" => bodies::incident(data).map(EventBody::IncidentUpdated),
        "incident.retracted.v1" => bodies::retraction(data).map(EventBody::IncidentRetracted),
        "zone.configured.v1" => bodies::zone(data).map(EventBody::Zone),
        "worker.assigned.v1" => bodies::assignment(data).map(EventBody::Worker),
        "ppe.sampled.v1" => bodies::ppe_sample(data).map(EventBody::PpeSample),
        _ => None,
    })
}
