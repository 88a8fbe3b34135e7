//! What a platform project would have been sent of the last day, had it been mapped so: counted from the arrival log, and with
//! the words that the records would have.
use crate::bell::fresh_token;
use crate::directory::{Directory, Project, Site};
use crate::facts::SiteFacts;
use crate::lanes::{Lane, LaneId, Todo};
use crate::{Table, TableError};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::{Fact, FactBody, FactKind, IncidentFact};
use domain::localtime;
use domain::marker::marker;
use domain::record::{RecordKey, RecordKind};
use domain::settings::ProjectSettings;
use domain::wording::{self, Place};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Records that a preview shows in full; its counts are of all.
pub const SHOWN: usize = 50;
/// Entries read at once.
const PAGE: usize = 500;
/// More incidents than a site sees in the five years that they are kept.
const INCIDENTS: usize = 10_000;

/// What the settings would have sent of what arrived from `from` to `to`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Preview {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Detections that arrived, whether or not they are sent.
    pub detections: usize,
    pub incidents: usize,
    pub observations: usize,
    pub observations_by_kind: BTreeMap<String, usize>,
    /// Incidents first, then observations, the newest of each first: fifty at most.
    pub records: Vec<PreviewRecord>,
    /// All of them, whatever is shown.
    #[serde(skip)]
    pub keys: Vec<RecordKey>,
}

/// A record as the platform would show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PreviewRecord {
    pub kind: RecordKind,
    /// The fact's id.
    pub id: String,
    pub title: String,
    pub description: String,
    /// The fact's own time.
    pub at: Timestamp,
    /// A detection's kind, or an incident's type.
    pub fact_kind: String,
    pub zone_id: String,
    /// Of a detection.
    pub priority: Option<u8>,
}

/// What the day before `now` would have sent to a project with these settings. `public_url` is the base of the records' links.
pub async fn last_day(
    table: &dyn Table,
    site: &Site,
    settings: &ProjectSettings,
    public_url: &str,
    now: Timestamp,
) -> Result<Preview, TableError> {
    let facts = SiteFacts { table, organization_id: &site.organization_id, site_id: &site.id };
    let from = now - DAY;
    let incidents = facts.list(FactKind::Incident, INCIDENTS).await?;
    let first = facts.first_arrival_since(from).await?;
    let mut arrived = Arrived::of(from, incidents);
    arrived.read(&facts, settings, first).await?;
    let gathered =
        Gathered { site, facts, public_url, zone: localtime::zone(&site.time_zone).unwrap_or(TimeZone::UTC) };
    gathered.preview(arrived, from, now).await
}

/// "Send these": asks the lane for what a preview showed, also where it arrived before the project was mapped. Arm and ring the
/// lane afterwards.
pub async fn send(
    table: &dyn Table,
    lane: &LaneId,
    project: &mut Project,
    preview: &Preview,
    now: Timestamp,
) -> Result<(), TableError> {
    if project.mapped_at > preview.from {
        project.mapped_at = preview.from;
        Directory(table).put_project(lane, project).await?;
    }
    let todos: Vec<Todo> = preview.keys.iter().map(|key| Todo::new(key.clone(), now, fresh_token())).collect();
    Lane { table, id: lane }.ask(&todos).await
}

/// What of the last day's arrivals would be sent.
struct Arrived {
    incidents: Vec<(Fact, IncidentFact)>,
    /// Detections that are part of a recordable incident: they get no observation of their own.
    taken: BTreeSet<String>,
    seen: BTreeSet<String>,
    wanted: BTreeMap<String, ArrivalLine>,
}

impl Arrived {
    fn of(from: Timestamp, facts: Vec<Fact>) -> Self {
        let standing = facts.into_iter().filter_map(|fact| match &fact.body {
            FactBody::Incident(incident) if incident.stands_recordable() => {
                let incident = incident.clone();
                Some((fact, incident))
            }
            _ => None,
        });
        let standing: Vec<(Fact, IncidentFact)> = standing.collect();
        let detections = standing.iter().filter_map(|(_, fact)| fact.incident.as_ref()).flat_map(|i| &i.detection_ids);
        let taken = detections.cloned().collect();
        let incidents = standing.into_iter().filter(|(fact, _)| fact.first_received() >= from).collect();
        Self { incidents, taken, seen: BTreeSet::new(), wanted: BTreeMap::new() }
    }

    async fn read(&mut self, facts: &SiteFacts<'_>, settings: &ProjectSettings, first: u64) -> Result<(), TableError> {
        let mut next = first;
        loop {
            let entries = facts.arrivals(next, PAGE).await?;
            let Some(last) = entries.last().map(|entry| entry.number) else { return Ok(()) };
            let whole = entries.len() < PAGE;
            self.take(entries, settings);
            if whole {
                return Ok(());
            }
            next = last + 1;
        }
    }

    fn take(&mut self, entries: Vec<ArrivalEntry>, settings: &ProjectSettings) {
        let lines = entries.into_iter().flat_map(|entry| entry.lines);
        for line in lines.filter(|line| line.fact == FactKind::Detection && !line.again) {
            let observations = &settings.observations;
            let important = line.priority.is_some_and(|priority| priority >= observations.min_priority);
            self.seen.insert(line.id.clone());
            if important && observations.kinds.includes(&line.kind) && !self.taken.contains(&line.id) {
                self.wanted.insert(line.id.clone(), line);
            }
        }
    }
}

/// What the words of records need.
struct Gathered<'a> {
    site: &'a Site,
    facts: SiteFacts<'a>,
    public_url: &'a str,
    zone: TimeZone,
}

impl Gathered<'_> {
    async fn preview(&self, arrived: Arrived, from: Timestamp, to: Timestamp) -> Result<Preview, TableError> {
        let Arrived { mut incidents, seen, wanted, taken: _ } = arrived;
        incidents.sort_by_key(|(fact, _)| std::cmp::Reverse(fact.body.time()));
        let mut observations: Vec<ArrivalLine> = wanted.into_values().collect();
        observations.sort_by_key(|line| std::cmp::Reverse(line.time));
        let mut observations_by_kind = BTreeMap::new();
        for line in &observations {
            *observations_by_kind.entry(line.kind.clone()).or_insert(0) += 1;
        }
        let key = |kind, id: &str| RecordKey { kind, site_id: self.site.id.clone(), fact_id: id.to_owned() };
        let mut keys: Vec<RecordKey> =
            incidents.iter().map(|(_, fact)| key(RecordKind::Incident, &fact.incident_id)).collect();
        keys.extend(observations.iter().map(|line| key(RecordKind::Observation, &line.id)));
        let (incident_count, observation_count) = (incidents.len(), observations.len());
        let records = self.records(incidents, observations).await?;
        Ok(Preview {
            from,
            to,
            detections: seen.len(),
            incidents: incident_count,
            observations: observation_count,
            observations_by_kind,
            records,
            keys,
        })
    }

    async fn records(
        &self,
        incidents: Vec<(Fact, IncidentFact)>,
        observations: Vec<ArrivalLine>,
    ) -> Result<Vec<PreviewRecord>, TableError> {
        let incidents: Vec<FactBody> = incidents.into_iter().take(SHOWN).map(|(fact, _)| fact.body).collect();
        let left = SHOWN.saturating_sub(incidents.len());
        let wanted: Vec<(FactKind, String)> =
            observations.iter().take(left).map(|line| (FactKind::Detection, line.id.clone())).collect();
        let mut detections = self.facts.get_many(&wanted).await?;
        let shown = wanted.iter().filter_map(|key| detections.remove(key)).map(|fact| fact.body);
        let bodies: Vec<FactBody> = incidents.into_iter().chain(shown).collect();
        let zones: BTreeSet<&str> = bodies.iter().filter_map(zone_of).collect();
        let zones: Vec<(FactKind, String)> = zones.into_iter().map(|id| (FactKind::Zone, id.to_owned())).collect();
        let names: BTreeMap<String, String> = self
            .facts
            .get_many(&zones)
            .await?
            .into_values()
            .filter_map(|fact| match fact.body {
                FactBody::Zone(zone) => Some((zone.zone_id, zone.name)),
                _ => None,
            })
            .collect();
        Ok(bodies.iter().filter_map(|body| self.record(body, &names)).collect())
    }

    fn record(&self, body: &FactBody, names: &BTreeMap<String, String>) -> Option<PreviewRecord> {
        let zone_id = zone_of(body)?;
        let (kind, page) = match body {
            FactBody::Incident(_) => (RecordKind::Incident, "incidents"),
            _ => (RecordKind::Observation, "detections"),
        };
        let id = body.id();
        let marker = marker(&self.site.organization_id, self.site.id.as_str(), kind, id);
        let link = format!("{}/sites/{}/{page}/{id}", self.public_url, self.site.id);
        let zone_name = names.get(zone_id).map_or(zone_id, String::as_str);
        let place = Place { zone_name, time_zone: &self.zone, marker: &marker, link: &link };
        let (title, description, fact_kind, priority) = match body {
            FactBody::Incident(IncidentFact { incident: Some(incident), .. }) => (
                wording::incident_title(incident, &place),
                wording::incident_description(incident, None, &place),
                incident.incident_type.clone(),
                None,
            ),
            FactBody::Detection(detection) => (
                wording::observation_name(detection, &place),
                wording::observation_description(detection, &place),
                detection.kind.clone(),
                Some(detection.priority),
            ),
            _ => return None,
        };
        let (at, zone_id) = (body.time()?, zone_id.to_owned());
        Some(PreviewRecord { kind, id: id.to_owned(), title, description, at, fact_kind, zone_id, priority })
    }
}

fn zone_of(body: &FactBody) -> Option<&str> {
    match body {
        FactBody::Detection(detection) => Some(&detection.zone_id),
        FactBody::Incident(fact) => fact.incident.as_ref().map(|incident| incident.zone_id.as_str()),
        FactBody::Zone(_) | FactBody::Worker(_) | FactBody::PpeSample(_) => None,
    }
}
