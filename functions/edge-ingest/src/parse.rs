//! From body to events: the good ones go on, each bad one is told apart.
use crate::answer::Problem;
use crate::aside::{Kept, Record};
use crate::auth::Sender;
use crate::request::{Shape, sha256};
use domain::event::Event;
use domain::marker::crockford;
use domain::message::Origin;
use domain::validate::{Refusal, validate_event};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

/// The most events of one request.
pub const EVENTS_MAX: usize = 1000;

/// The events of one request.
#[derive(Debug)]
pub struct Sorted {
    pub accepted: Vec<Event>,
    pub refused: Vec<Refused>,
}

#[derive(Debug)]
pub struct Refused {
    /// Place in the request.
    pub index: usize,
    pub refusal: Refusal,
    /// Of the event's own text, so that an edge that still has it can find it.
    pub sha256: String,
}

pub fn sort(body: &[u8], shape: Shape, sender: &Sender) -> Result<Sorted, Problem> {
    let events = split(body, shape)?;
    if events.len() > EVENTS_MAX {
        return Err(Problem::TooMany);
    }
    let mut sorted = Sorted { accepted: Vec::with_capacity(events.len()), refused: Vec::new() };
    for (index, text) in events.into_iter().map(RawValue::get).enumerate() {
        match event(text, sender) {
            Ok(event) => sorted.accepted.push(event),
            Err(refusal) => sorted.refused.push(Refused { index, refusal, sha256: sha256(text.as_bytes()) }),
        }
    }
    Ok(sorted)
}

/// The text of each event, so that one that can't be read (nested too deeply, a number too large) spoils no other.
fn split(body: &[u8], shape: Shape) -> Result<Vec<&RawValue>, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::NotJson("The body must be JSON in UTF-8."))?;
    match shape {
        Shape::Batch => serde_json::from_str(text).map_err(|_| {
            Problem::NotJson("The body must be a JSON array of events, as application/cloudevents-batch+json says.")
        }),
        Shape::Single => match serde_json::from_str::<&RawValue>(text) {
            Ok(event) if event.get().starts_with('{') => Ok(vec![event]),
            _ => Err(Problem::NotJson(
                "The body must be one JSON object, as application/cloudevents+json says; an array of events is sent as \
                 application/cloudevents-batch+json.",
            )),
        },
    }
}

fn event(text: &str, sender: &Sender) -> Result<Event, Refusal> {
    let value: Value = serde_json::from_str(text).map_err(|_| {
        Refusal::whole("The event could not be read: it is nested too deeply, or holds a number or text beyond what JSON readers take.")
    })?;
    validate_event(&value, sender.expected())
}

impl Sorted {
    /// What is kept aside of the refused events.
    pub fn record(&self, sender: &Sender, origin: &Origin, now: Timestamp) -> Record {
        let name = format!("{}\n{}\n{}", sender.edge_id, origin.webhook_id, origin.body_sha256);
        let day = now.strftime("%Y/%m/%d");
        let Sender { organization_id, site_id, .. } = sender;
        let events = self.refused.iter().map(|refused| Kept {
            index: refused.index,
            id: refused.refusal.id.clone(),
            errors: refused.refusal.errors.clone(),
            known: refused.refusal.known.clone(),
            sha256: refused.sha256.clone(),
        });
        Record {
            key: format!("rejected/{organization_id}/{site_id}/{day}/{}.json", crockford(name.as_bytes(), 26)),
            organization_id: organization_id.clone(),
            site_id: site_id.clone(),
            received_at: now,
            origin: origin.clone(),
            events: events.collect(),
        }
    }
}
