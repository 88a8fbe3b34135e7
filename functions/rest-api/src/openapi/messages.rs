//! The `webhooks` section: each message as it goes out, its example made of a sample event by the code that makes them all.
use domain::event::{Detection, Incident, Retraction};
use domain::fact::{FactBody, IncidentFact};
use domain::ids::{EndpointId, OrganizationId, SiteId};
use domain::localtime;
use domain::summary::DEFAULT_HOUR;
use domain::summary::count::{Day, Head, count};
use domain::summary::occurrence::Occurrence;
use domain::summary::report::Previous;
use domain::summary::shifts::Shifts;
use domain::summary::window::SummaryHour;
use domain::webhook::message::{Content, MessageType};
use domain::webhook::payload::{Draft, Seen};
use domain::webhook::{Format, Platform, schemas};
use jiff::{Timestamp, tz::TimeZone};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use ulid::Ulid;

const DETECTION: &str = include_str!("../../../../events/samples/detection.recorded.v1.json");
const CONFIRMED: &str = include_str!("../../../../events/samples/incident.confirmed.v1.json");
const UPDATED: &str = include_str!("../../../../events/samples/incident.updated.v1.json");
const RETRACTED: &str = include_str!("../../../../events/samples/incident.retracted.v1.json");
const PUBLIC_URL: &str = "https://pulse.example.com";
const WHEN: &str = "2026-11-24T16:03:05Z";

pub fn webhooks() -> Value {
    let described = MessageType::ALL.into_iter().map(|message| (message.to_string(), item(message)));
    Value::Object(described.collect::<Map<_, _>>())
}

fn item(message: MessageType) -> Value {
    let examples = Platform::ALL.into_iter().filter_map(|platform| {
        let body: Value = serde_json::from_str(&example(platform, message)?).ok()?;
        Some((platform.as_str().to_owned(), json!({"summary": summary(platform), "value": body})))
    });
    let header = |name: &str, words: &str| json!({"name": name, "in": "header", "required": true, "description": words, "schema": {"type": "string"}});
    json!({"post": {
        "operationId": format!("on {}", message.short()),
        "tags": ["messages"],
        "summary": words(message),
        "description": format!(
            "Sent to each webhook endpoint that wants it. The schema of `data` stands at the body's `dataschema`, such as `/schemas/{}`.",
            schemas::path(Platform::Own, message)
        ),
        "security": [],
        "parameters": [
            header("webhook-id", "The same on every attempt: keep those that you took, and take each once"),
            header("webhook-timestamp", "Seconds since 1970, of this attempt: refuse what is more than five minutes off"),
            header("webhook-signature", "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; several while a secret rotates"),
        ],
        "requestBody": {"required": true, "content": {
            "application/cloudevents+json": {"schema": {"type": "object"}, "examples": examples.collect::<Map<_, _>>()},
            // The same body with `format` `json`; a card with `teams`.
            "application/json": {"schema": {"type": "object"}},
        }},
        "responses": {
            "2XX": {"description": "Taken"},
            "410": {"description": "Gone: the endpoint is switched off at once"},
            "default": {"description": "Not taken: it comes again, for up to 72 hours; `Retry-After` is honoured"},
        },
    }})
}

fn words(message: MessageType) -> &'static str {
    match message {
        MessageType::DetectionRecorded => "A detection that the endpoint wants",
        MessageType::IncidentConfirmed => "An incident was confirmed",
        MessageType::IncidentUpdated => "A later revision of an incident",
        MessageType::IncidentRetracted => "An incident was taken back",
        MessageType::DailySummary => "A site's day in figures, and again where something late has changed it",
        MessageType::Ping => "A test",
    }
}

fn summary(platform: Platform) -> &'static str {
    match platform {
        Platform::Own => "A system of your own",
        Platform::Fieldwire => "With a Fieldwire task and its comment ready-made",
        Platform::TrimbleConnect => "With a Trimble Connect topic and its comment ready-made",
    }
}

fn data<T: DeserializeOwned>(sample: &str) -> Option<T> {
    let event: Value = serde_json::from_str(sample).ok()?;
    serde_json::from_value(event["data"].clone()).ok()
}

fn example(platform: Platform, message: MessageType) -> Option<String> {
    let at: Timestamp = WHEN.parse().ok()?;
    let (endpoint_id, organization_id) = (EndpointId::new(ulid(1)), OrganizationId::new(ulid(2)));
    let site_id = SiteId::new(ulid(3));
    let incident = |sample: &str, first: bool| -> Option<Content> {
        let incident: Incident = data(sample)?;
        let (incident_id, revision) = (incident.incident_id.clone(), incident.revision);
        let fact = IncidentFact { incident_id, revision, incident: Some(incident), ..nothing() };
        Some(Content::Incident { site_id: site_id.clone(), fact: Box::new(fact), first, at })
    };
    let seen: Option<Detection> = data(DETECTION);
    let content = match message {
        MessageType::DetectionRecorded => {
            Content::Detection { site_id: site_id.clone(), detection_id: seen.as_ref()?.detection_id.clone() }
        }
        MessageType::IncidentConfirmed => incident(CONFIRMED, true)?,
        MessageType::IncidentUpdated => incident(UPDATED, false)?,
        MessageType::IncidentRetracted => {
            let (retraction, incident): (Retraction, Option<Incident>) = (data(RETRACTED)?, data(UPDATED));
            let (incident_id, revision) = (retraction.incident_id.clone(), retraction.revision);
            let fact = IncidentFact { incident_id, revision, incident, retraction: Some(retraction), ..nothing() };
            Content::Incident { site_id: site_id.clone(), fact: Box::new(fact), first: false, at }
        }
        MessageType::DailySummary => {
            let day = Box::new(day(seen.clone()?)?);
            Content::Summary { site_id: site_id.clone(), day, revision: 1, counted_at: at }
        }
        MessageType::Ping => Content::Ping { id: "example".into(), asked_at: at },
    };
    let draft = Draft {
        message_id: &content.id(&endpoint_id),
        sequence: 42,
        endpoint_id: &endpoint_id,
        organization_id: &organization_id,
        platform,
        format: Format::Cloudevents,
        public_url: PUBLIC_URL,
        content: &content,
        seen: seen.as_ref().map(|detection| Seen { detection, told_at: at, private: false }),
        zone_name: "Crane 2",
        site_name: "Tower",
        time_zone: &TimeZone::UTC,
    };
    draft.body()
}

/// The day of a detection.
fn day(detection: Detection) -> Option<Day> {
    let hour = SummaryHour::new("America/Chicago", DEFAULT_HOUR).ok()?;
    let date = hour.date_of(detection.detected_at);
    let (window, before) = (hour.window(date), date.yesterday().ok()?);
    let previous = Previous::nothing(before, hour.window(before));
    let (clock, names) =
        (localtime::zone("America/Chicago").ok()?, [(detection.zone_id.clone(), "Crane 2".to_owned())].into());
    let shifts = Shifts::new(&[], &clock).ok()?;
    let alert = Occurrence::of(&FactBody::Detection(detection))?;
    Some(count([&alert], window, &shifts, Head { date, time_zone: "America/Chicago", previous }, &names))
}

fn nothing() -> IncidentFact {
    IncidentFact {
        incident_id: String::new(),
        revision: 0,
        incident: None,
        retraction: None,
        former_detection_ids: Vec::new(),
    }
}

/// Of examples: the same whenever the document is made.
fn ulid(number: u128) -> Ulid {
    Ulid::from_parts(1_790_000_000_000, number)
}
