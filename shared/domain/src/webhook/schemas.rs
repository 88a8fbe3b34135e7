//! The JSON Schemas (2020-12) of `data`, one per type and platform, each whole in itself: a relay reads one file. They are put
//! together from what lies in `schemas/webhook`, so that a platform's part is written once.
use super::Platform;
use super::message::MessageType;
use serde_json::{Value, json};

const DETECTION: &str = include_str!("../../schemas/webhook/detection.json");
const INCIDENT: &str = include_str!("../../schemas/webhook/incident.json");
const RETRACTION: &str = include_str!("../../schemas/webhook/retraction.json");
const SUMMARY: &str = include_str!("../../schemas/webhook/summary.json");
const PING: &str = include_str!("../../schemas/webhook/ping.json");
const FIELDWIRE: &str = include_str!("../../schemas/webhook/ready/fieldwire.json");
const TRIMBLE_CONNECT: &str = include_str!("../../schemas/webhook/ready/trimble_connect.json");

/// Below `/schemas/`.
pub fn path(platform: Platform, message: MessageType) -> String {
    format!("webhook/{}/{}.json", platform.as_str(), message.short())
}

/// The schema that stands at a path, if one does.
pub fn at(wanted: &str) -> Option<Value> {
    let all = Platform::ALL.into_iter().flat_map(|platform| MessageType::ALL.map(|message| (platform, message)));
    let (platform, message) = all.into_iter().find(|(platform, message)| path(*platform, *message) == wanted)?;
    schema(platform, message)
}

fn schema(platform: Platform, message: MessageType) -> Option<Value> {
    let data = match message {
        MessageType::DetectionRecorded => DETECTION,
        MessageType::IncidentConfirmed | MessageType::IncidentUpdated => INCIDENT,
        MessageType::IncidentRetracted => RETRACTION,
        MessageType::DailySummary => SUMMARY,
        MessageType::Ping => PING,
    };
    let ready = match platform {
        Platform::Own => None,
        Platform::Fieldwire => Some(FIELDWIRE),
        Platform::TrimbleConnect => Some(TRIMBLE_CONNECT),
    };
    let mut schema: Value = serde_json::from_str(data).ok()?;
    schema["$id"] = format!("https://hardhatpulse.com/schemas/{}", path(platform, message)).into();
    schema["$comment"] = format!("The data of {message}").into();
    let shared = json!({
        "title": {"type": "string", "minLength": 1, "description": "One line, with the marker by which people find the record again."},
        "text": {"type": "string", "minLength": 1, "description": "What happened, in lines."},
        "url": {"type": "string", "format": "uri", "description": "A page of HardHat Pulse, which asks for a login."},
        "sequence": {"type": "integer", "minimum": 1, "description": "Grows with each message of the endpoint. For sorting: numbers may be left out."},
        "truncated": {"const": true, "description": "Something was shortened or left out, to stay below 20,000 bytes."}
    });
    merge(&mut schema["properties"], shared);
    if let (Some(ready), false) = (ready, message == MessageType::Ping) {
        schema["properties"]["ready"] = serde_json::from_str(ready).ok()?;
        schema["required"].as_array_mut()?.push("ready".into());
    }
    schema["required"].as_array_mut()?.extend(["title", "text", "url", "sequence"].map(Value::from));
    Some(schema)
}

fn merge(into: &mut Value, members: Value) {
    if let (Some(into), Value::Object(members)) = (into.as_object_mut(), members) {
        into.extend(members);
    }
}
