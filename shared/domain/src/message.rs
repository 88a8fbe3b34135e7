//! What travels on the site queue: edge-ingest packs it, event-router unpacks it. A message names the webhook it came in, so
//! that each fact can be traced to what was received from which edge. What a platform's lane read back, or the API was told,
//! comes on the same queue, so that a site's facts have one writer.
use crate::event::Event;
use crate::fact::FactKind;
use crate::ids::{EdgeId, OrganizationId, SiteId};
use crate::treatment::{Told, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message of the site queue, of either kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "AnyMessage")]
pub enum QueueMessage {
    Events(SiteMessage),
    Update(UpdateMessage),
}

/// The members of both kinds, so that a message is read in one pass.
#[derive(Deserialize)]
struct AnyMessage {
    organization_id: OrganizationId,
    site_id: SiteId,
    origin: Option<Origin>,
    #[serde(default)]
    part: u32,
    received_at: Option<Timestamp>,
    #[serde(default)]
    digest: String,
    events: Option<Vec<Event>>,
    fact: Option<FactKind>,
    fact_id: Option<String>,
    update: Option<Update>,
}

#[derive(Debug, thiserror::Error)]
#[error("a message of the site queue holds neither events with their origin and time nor an update of a fact")]
struct NoMessage;

impl TryFrom<AnyMessage> for QueueMessage {
    type Error = NoMessage;

    fn try_from(message: AnyMessage) -> Result<Self, NoMessage> {
        let AnyMessage { organization_id, site_id, part, digest, .. } = message;
        match (message.events, message.origin, message.received_at) {
            (Some(events), Some(origin), Some(received_at)) => {
                let events = SiteMessage { organization_id, site_id, origin, part, received_at, digest, events };
                Ok(Self::Events(events))
            }
            _ => match (message.fact, message.fact_id, message.update) {
                (Some(fact), Some(fact_id), Some(update)) => {
                    Ok(Self::Update(UpdateMessage { organization_id, site_id, fact, fact_id, update }))
                }
                _ => Err(NoMessage),
            },
        }
    }
}

/// News about one fact from a platform or through the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateMessage {
    pub organization_id: OrganizationId,
    pub site_id: SiteId,
    pub fact: FactKind,
    pub fact_id: String,
    pub update: Update,
}

impl UpdateMessage {
    /// The commit mark's id: equal for redeliveries, and for the same news sent again.
    pub fn id(&self) -> String {
        let told = match &self.update.told {
            Told::All(account) => account.hash(),
            Told::One(injury) => injury.remote_id.clone(),
            Told::Forget => String::new(),
        };
        let (source, order) = (self.update.source.key(), self.update.order);
        let text = format!("{source}\n{:?}\n{}\n{order}\n{told}", self.fact, self.fact_id);
        crate::marker::crockford(text.as_bytes(), 20)
    }
}

/// One message of a site, at most one billed 64 KB of events from one webhook. Group = site. `E`: its events, typed or written already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteMessage<E = Vec<Event>> {
    pub organization_id: OrganizationId,
    pub site_id: SiteId,
    pub origin: Origin,
    /// Which part of the webhook this is, from 0.
    pub part: u32,
    pub received_at: Timestamp,
    /// A hash of the events as packed ([`digest`]): another packing of the same webhook is another message.
    #[serde(default)]
    pub digest: String,
    pub events: E,
}

/// A hash of events as packed: of their JSON.
pub fn digest(events: &str) -> String {
    crate::marker::crockford(events.as_bytes(), 10)
}

impl<E> SiteMessage<E> {
    /// The commit mark's id: equal for redeliveries of this message and for an edge's retry of the same webhook.
    pub fn id(&self) -> String {
        self.origin.message_id(self.part, &self.digest)
    }
}

/// The webhook that an event came in (invariant 11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    pub edge_id: EdgeId,
    pub webhook_id: String,
    #[serde(rename = "timestamp")]
    pub webhook_timestamp: i64,
    pub signature: String,
    /// Base64 of the SHA-256 of the body.
    #[serde(rename = "sha256")]
    pub body_sha256: String,
}

impl Origin {
    /// The id of a part of this webhook.
    pub fn message_id(&self, part: u32, digest: &str) -> String {
        let text = format!("{}\n{}\n{}\n{part}\n{digest}", self.edge_id, self.webhook_id, self.body_sha256);
        crate::marker::crockford(text.as_bytes(), 20)
    }
}
