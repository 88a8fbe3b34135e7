//! Webhook endpoints: what a customer's own receiver wants of a site's facts (contracts 6.3), and what it is sent (6.4).
//!
//! - [`message`]: which message follows from a fact, with an id that is the same whenever it is decided again
//! - [`payload`]: a message's body; [`ready`]: ready-made for a platform; [`teams`]: as an Adaptive Card
//! - [`schedule`]: when a message that was not taken is tried again
//! - [`schemas`]: the published JSON Schemas of `data`
pub mod message;
pub mod payload;
pub mod ready;
pub mod schedule;
pub mod schemas;
pub mod teams;

use crate::event::Detection;
use crate::ids::SiteId;
use crate::settings::{AllWord, Kinds};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where the receiver leads: it decides what stands ready-made in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Platform {
    TrimbleConnect,
    Fieldwire,
    Own,
}

impl Platform {
    pub const ALL: [Platform; 3] = [Platform::TrimbleConnect, Platform::Fieldwire, Platform::Own];

    pub fn as_str(self) -> &'static str {
        match self {
            Platform::TrimbleConnect => "trimble_connect",
            Platform::Fieldwire => "fieldwire",
            Platform::Own => "own",
        }
    }
}

/// How a body is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Format {
    #[default]
    /// CloudEvents 1.0 as `application/cloudevents+json`.
    Cloudevents,
    /// The same body as `application/json`, for flows that read no other as JSON.
    Json,
    /// A message for a Teams workflow.
    Teams,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Cloudevents, Format::Json, Format::Teams];

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Cloudevents => "cloudevents",
            Format::Json => "json",
            Format::Teams => "teams",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Cloudevents => "application/cloudevents+json",
            Format::Json | Format::Teams => "application/json",
        }
    }
}

/// Which facts an endpoint is sent. Incidents of its sites always are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wants {
    /// `None`: all sites of the organization, also later ones.
    #[serde(default)]
    pub site_ids: Option<Vec<SiteId>>,
    pub min_priority: u8,
    pub kinds: Kinds,
    pub daily_summary: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self { site_ids: None, min_priority: 3, kinds: Kinds::All(AllWord::All), daily_summary: true }
    }
}

impl Wants {
    pub fn site(&self, site: &SiteId) -> bool {
        self.site_ids.as_ref().is_none_or(|sites| sites.contains(site))
    }

    pub fn detection(&self, detection: &Detection) -> bool {
        self.kind(&detection.kind, detection.priority)
    }

    /// The same of what the arrival log knows of a detection.
    pub fn kind(&self, kind: &str, priority: u8) -> bool {
        priority >= self.min_priority && self.kinds.includes(kind)
    }
}

/// One try to hand a message over, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attempt {
    pub at: Timestamp,
    /// `None`: there was no answer.
    pub status_code: Option<u16>,
    pub duration_ms: u64,
    /// The beginning of the answer, without what we sent in confidence.
    pub response_excerpt: Option<String>,
    /// Why it was not taken, and what to do.
    pub error: Option<String>,
}

impl Attempt {
    /// None was made, and why.
    pub fn none(at: Timestamp, why: &str) -> Self {
        Self { at, status_code: None, duration_ms: 0, response_excerpt: None, error: Some(why.to_owned()) }
    }

    pub fn delivered(&self) -> bool {
        self.error.is_none() && self.status_code.is_some_and(|status| (200..300).contains(&status))
    }
}
