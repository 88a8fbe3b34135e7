//! A message's body: CloudEvents 1.0 JSON of at most 20,000 bytes, or a Teams card. All of it leaves the house: no worker id, no
//! footage, and of a privacy case (29 CFR 1904.29(b)(7)) neither role, trade nor free text.
use super::message::{Content, MessageType};
use super::ready::{self, Words};
use super::{Format, Platform, schemas, teams};
use crate::event::{Detection, Incident};
use crate::fact::IncidentFact;
use crate::ids::{EndpointId, OrganizationId};
use crate::marker::marker;
use crate::summary::count::Day;
use crate::wording::{self, Place};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

/// The longest body, in bytes.
pub const LIMIT: usize = 20_000;

/// What a body is made of. The same draft gives the same bytes.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    pub message_id: &'a str,
    pub sequence: u64,
    pub endpoint_id: &'a EndpointId,
    pub organization_id: &'a OrganizationId,
    pub platform: Platform,
    pub format: Format,
    pub public_url: &'a str,
    pub content: &'a Content,
    /// The detection that the content names.
    pub seen: Option<Seen<'a>>,
    pub zone_name: &'a str,
    pub site_name: &'a str,
    pub time_zone: &'a TimeZone,
}

/// A detection as kept.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub detection: &'a Detection,
    /// When the edge told it.
    pub told_at: Timestamp,
    /// It is part of a privacy case.
    pub private: bool,
}

/// How much of what has no end is left in, from all to little: the first that fits is taken.
struct Cut {
    /// Of each list.
    entries: usize,
    prose: usize,
    text: usize,
}

const CUTS: [Cut; 5] = [
    Cut { entries: usize::MAX, prose: usize::MAX, text: usize::MAX },
    Cut { entries: 200, prose: usize::MAX, text: usize::MAX },
    Cut { entries: 50, prose: 1_000, text: 2_000 },
    Cut { entries: 10, prose: 300, text: 1_000 },
    Cut { entries: 0, prose: 100, text: 500 },
];

/// What a message says, before it is laid out.
struct Said {
    title: String,
    text: String,
    link: String,
    /// 1 to 5.
    priority: u8,
    /// When it was told to us.
    at: Timestamp,
    data: Map<String, Value>,
}

impl Draft<'_> {
    /// The body. `None`: what it is about is not there any more.
    pub fn body(&self) -> Option<String> {
        let mut body = String::new();
        for (level, cut) in CUTS.iter().enumerate() {
            let mut said = self.said(cut)?;
            said.text = shorten(&said.text, cut.text);
            if level > 0 {
                said.data.insert("truncated".into(), true.into());
            }
            body = match self.format {
                Format::Cloudevents | Format::Json => self.event(said).to_string(),
                Format::Teams => teams::card(&said.title, &said.text, &said.link).to_string(),
            };
            if body.len() <= LIMIT {
                break;
            }
        }
        Some(body)
    }

    fn event(&self, said: Said) -> Value {
        let message = self.content.message_type();
        let Said { title, text, link, priority, at, mut data } = said;
        let about = self.marker().unwrap_or_default();
        let words = Words { title: &title, text: &text, link: &link, priority, about: &about };
        let ready = (message != MessageType::Ping).then(|| ready::ready(self.platform, &words)).flatten();
        if let Some(ready) = ready {
            data.insert("ready".into(), ready);
        }
        data.insert("sequence".into(), self.sequence.into());
        for (name, value) in [("title", title), ("text", text), ("url", link)] {
            data.insert(name.into(), value.into());
        }
        let mut event = json!({
            "specversion": "1.0",
            "id": self.message_id,
            "source": self.source(),
            "type": message.to_string(),
            "time": at,
            "datacontenttype": "application/json",
            "dataschema": format!("{}/schemas/{}", self.public_url, schemas::path(self.platform, message)),
            "data": data,
        });
        if let Some(site) = self.content.site_id() {
            event["subject"] = site.as_str().into();
        }
        event
    }

    fn source(&self) -> String {
        match self.content.site_id() {
            Some(site) => format!("/sites/{site}"),
            None => format!("/webhook-endpoints/{}", self.endpoint_id),
        }
    }

    fn marker(&self) -> Option<String> {
        let record = self.content.record()?;
        Some(marker(self.organization_id, record.site_id.as_str(), record.kind, &record.fact_id))
    }

    fn said(&self, cut: &Cut) -> Option<Said> {
        let link = self.content.record().map(|record| record.link(self.public_url));
        let (marker, link) = (self.marker().unwrap_or_default(), link.unwrap_or_default());
        let place = Place { zone_name: self.zone_name, time_zone: self.time_zone, marker: &marker, link: &link };
        match self.content {
            Content::Detection { .. } => Some(detection(self.seen?, &place)),
            Content::Incident { fact, at, .. } if fact.is_retracted() => retraction(fact, *at, &place, cut),
            Content::Incident { fact, at, .. } => incident(fact.incident.as_ref()?, *at, &place, cut),
            Content::Summary { day, revision, counted_at, .. } => {
                Some(self.summary(day, *revision, *counted_at, &place, cut))
            }
            Content::Ping { asked_at, .. } => Some(self.ping(*asked_at)),
        }
    }

    fn summary(&self, day: &Day, revision: u64, at: Timestamp, place: &Place<'_>, cut: &Cut) -> Said {
        let mut report = day.report.clone();
        report.shorten(cut.entries);
        let mut data = members(&report);
        data.insert("revision".into(), revision.into());
        Said {
            title: wording::summary_title(day, self.site_name, place),
            text: wording::summary_note(day, place),
            link: place.link.to_owned(),
            priority: 1,
            at,
            data,
        }
    }

    fn ping(&self, asked_at: Timestamp) -> Said {
        let mut data = Map::new();
        data.insert("endpoint_id".into(), self.endpoint_id.as_str().into());
        Said {
            title: "Test from HardHat Pulse".into(),
            text: "This address is set up to receive messages from HardHat Pulse. Nothing happened on a site, and nothing \
                   has to be done."
                .into(),
            link: format!("{}/setup", self.public_url),
            priority: 1,
            at: asked_at,
            data,
        }
    }
}

fn detection(seen: Seen<'_>, place: &Place<'_>) -> Said {
    let mut data = members(seen.detection);
    let worker = data.remove("worker").filter(|_| !seen.private);
    data.extend(worker.map(|worker| ("worker".to_owned(), nameless(worker))));
    // Where footage lies says where to find it: that is for people who sign in.
    data.remove("footage");
    Said {
        title: wording::observation_name(seen.detection, place),
        text: wording::observation_description(seen.detection, place),
        link: place.link.to_owned(),
        priority: seen.detection.priority,
        at: seen.told_at,
        data,
    }
}

fn incident(incident: &Incident, at: Timestamp, place: &Place<'_>, cut: &Cut) -> Option<Said> {
    let incident = &cut_down(incident, cut);
    let mut data = members(incident);
    let worker = data.remove("worker").filter(|_| !incident.privacy_case);
    data.extend(worker.map(|worker| ("worker".to_owned(), nameless(worker))));
    if incident.privacy_case {
        data.remove("summary");
    }
    let first = (!incident.recordable).then(|| "Not recordable (29 CFR 1904.7).".to_owned());
    Some(Said {
        title: wording::incident_title(incident, place),
        text: wording::incident_lines(first, incident, place),
        link: place.link.to_owned(),
        priority: if incident.recordable { 5 } else { 4 },
        at,
        data,
    })
}

fn retraction(fact: &IncidentFact, at: Timestamp, place: &Place<'_>, cut: &Cut) -> Option<Said> {
    let retraction = fact.retraction.as_ref()?;
    // A reason is free text, and of an incident that is not known nobody can say that it is no privacy case.
    let public = fact.incident.as_ref().is_some_and(|incident| !incident.privacy_case);
    let reason = public.then(|| shorten(&retraction.reason, cut.prose));
    let first = wording::retracted_line(reason.as_deref());
    let mut data = Map::new();
    data.insert("incident_id".into(), retraction.incident_id.as_str().into());
    data.insert("revision".into(), retraction.revision.into());
    data.extend(reason.map(|reason| ("reason".to_owned(), Value::from(reason))));
    let (title, text) = match &fact.incident {
        Some(incident) => {
            let incident = cut_down(incident, cut);
            (wording::incident_title(&incident, place), wording::incident_lines(Some(first), &incident, place))
        }
        None => (format!("Incident [{}]", place.marker), format!("{first}\nHardHat Pulse: {}", place.link)),
    };
    Some(Said { title: format!("Retracted: {title}"), text, link: place.link.to_owned(), priority: 3, at, data })
}

fn cut_down(incident: &Incident, cut: &Cut) -> Incident {
    let mut less = incident.clone();
    less.detection_ids.truncate(cut.entries);
    less.summary = less.summary.map(|summary| shorten(&summary, cut.prose));
    less
}

fn members(fact: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(fact) {
        Ok(Value::Object(members)) => members,
        // Facts are structs of texts, numbers and times.
        _ => Map::new(),
    }
}

fn nameless(worker: Value) -> Value {
    json!({"role": worker["role"], "trade": worker["trade"]})
}

/// At most so many characters, a cut one with its mark.
fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}
