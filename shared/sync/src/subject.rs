//! What a record should say, gathered from facts: whether it may be made, its subject, and the side writes that are due.
use crate::target::{SideWrite, Statuses, Subject, SubjectBody};
use domain::event::{Detection, Zone};
use domain::fact::{Fact, FactBody, FactKind, IncidentFact};
use domain::ids::{OrganizationId, SiteId};
use domain::localtime;
use domain::marker::marker;
use domain::record::{RecordKey, RecordKind};
use domain::route::Route;
use domain::wording::{observation_joined, trial_closed};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use store::directory::{Directory, Site};
use store::due::SiteRef;
use store::facts::SiteFacts;
use store::lanes::{LaneId, Link, Step};
use store::summaries::{Summaries, submits_summaries, takes_summaries};
use store::{Table, TableError, trials};

/// Whoever asked for a day to be closed may have had a clock so far ahead of ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(10);

/// What a connection should show for a fact.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub subject: Subject,
    /// Whether it is made where it is not yet there.
    pub may_create: bool,
    /// Side writes that the record needs once, in order.
    pub steps: Vec<WantedStep>,
}

#[derive(Debug, Clone)]
pub struct WantedStep {
    pub id: String,
    pub write: SideWrite,
}

/// Gathers from one organization's facts.
pub struct Gatherer<'a> {
    pub table: &'a dyn Table,
    pub lane: &'a LaneId,
    /// The base of links to our own pages.
    pub public_url: &'a str,
    pub now: Timestamp,
}

impl Gatherer<'_> {
    /// `None`: there is nothing (yet) that the record could show.
    pub async fn wanted(
        &self,
        record: &RecordKey,
        route: Option<&Route>,
        link: Option<&Link>,
        statuses: Statuses,
    ) -> Result<Option<Wanted>, TableError> {
        let organization = &self.lane.organization_id;
        let Some(site) = Directory(self.table).site(organization, &record.site_id).await? else { return Ok(None) };
        let facts = SiteFacts { table: self.table, organization_id: organization, site_id: &record.site_id };
        match record.kind {
            RecordKind::Incident => self.incident(&facts, &site, record, route, link, statuses).await,
            RecordKind::Observation => self.observation(&facts, &site, record, route, link, statuses).await,
            RecordKind::DailySummary => self.summary(&site, record, route, statuses).await,
        }
    }

    async fn incident(
        &self,
        facts: &SiteFacts<'_>,
        site: &Site,
        record: &RecordKey,
        route: Option<&Route>,
        link: Option<&Link>,
        statuses: Statuses,
    ) -> Result<Option<Wanted>, TableError> {
        let Some(kept) = facts.get(FactKind::Incident, &record.fact_id).await? else { return Ok(None) };
        let first_received = kept.first_received();
        let FactBody::Incident(fact) = kept.body else { return Ok(None) };
        let Some(incident) = fact.incident.clone() else { return Ok(None) };
        let zone = zone(facts, &incident.zone_id).await?;
        let steps = incident_steps(&fact, link, statuses);
        let may_create = fact.stands_recordable() && route.is_some_and(|route| first_received >= route.since);
        let subject = self.subject(record, site, zone, incident.zone_id, SubjectBody::Incident(fact));
        Ok(Some(Wanted { subject, may_create, steps }))
    }

    async fn observation(
        &self,
        facts: &SiteFacts<'_>,
        site: &Site,
        record: &RecordKey,
        route: Option<&Route>,
        link: Option<&Link>,
        statuses: Statuses,
    ) -> Result<Option<Wanted>, TableError> {
        let Some(fact) = facts.get(FactKind::Detection, &record.fact_id).await? else {
            return self.trial(record, site, link, statuses).await;
        };
        let FactBody::Detection(detection) = fact.body else { return Ok(None) };
        let incident = recordable_incident_of(facts, &detection).await?;
        let wanted = route.is_some_and(|route| route.wants(&detection, fact.received_at));
        let steps = self.observation_steps(record, incident.as_deref(), link, statuses);
        let zone = zone(facts, &detection.zone_id).await?;
        let zone_id = detection.zone_id.clone();
        let subject = self.subject(record, site, zone, zone_id, SubjectBody::Observation(detection));
        Ok(Some(Wanted { subject, may_create: wanted && incident.is_none(), steps }))
    }

    /// A site's day as it was counted last, where the project takes it and was mapped before it was cut off.
    async fn summary(
        &self,
        site: &Site,
        record: &RecordKey,
        route: Option<&Route>,
        statuses: Statuses,
    ) -> Result<Option<Wanted>, TableError> {
        let Some(date) = record.date() else { return Ok(None) };
        let place = SiteRef { organization_id: self.lane.organization_id.clone(), site_id: record.site_id.clone() };
        let Some(summary) = (Summaries { table: self.table, site: &place }).get(date).await? else { return Ok(None) };
        let to = summary.cut().to;
        let may_create = route.is_some_and(|route| takes_summaries(route) && route.since <= to);
        let submits = route.is_some_and(submits_summaries) && summary.is_final(self.now + CLOCKS_APART);
        let submit = SideWrite { comment: String::new(), status: Some(statuses.closed) };
        let steps = submits.then(|| WantedStep { id: "submit".to_owned(), write: submit }).into_iter().collect();
        let body = SubjectBody::Summary { revision: summary.revision, day: Box::new(summary.day) };
        let subject = self.subject(record, site, None, String::new(), body);
        Ok(Some(Wanted { subject, may_create, steps }))
    }

    /// A test record that someone asked for: made once, then closed.
    async fn trial(
        &self,
        record: &RecordKey,
        site: &Site,
        link: Option<&Link>,
        statuses: Statuses,
    ) -> Result<Option<Wanted>, TableError> {
        let trial = trials::get(self.table, self.lane, &record.fact_id).await?;
        let Some(trial) = trial.filter(|trial| trial.site_id == record.site_id) else { return Ok(None) };
        let close = |link: &Link| {
            let id = "trial".to_owned();
            let comment = trial_closed(&step_marker(&link.marker, &id));
            WantedStep { id, write: SideWrite { comment, status: Some(statuses.closed) } }
        };
        let steps = link.filter(|link| link.remote_id.is_some()).map(close).into_iter().collect();
        let body = SubjectBody::Trial { asked_at: trial.asked_at };
        Ok(Some(Wanted { subject: self.subject(record, site, None, String::new(), body), may_create: true, steps }))
    }

    fn subject(
        &self,
        record: &RecordKey,
        site: &Site,
        zone: Option<Zone>,
        zone_id: String,
        body: SubjectBody,
    ) -> Subject {
        Subject {
            kind: record.kind,
            fact_id: record.fact_id.clone(),
            marker: self.marker(&record.site_id, record.kind, &record.fact_id),
            link: record.link(self.public_url),
            time_zone: localtime::zone(&site.time_zone).unwrap_or(jiff::tz::TimeZone::UTC),
            zone,
            zone_id,
            body,
        }
    }

    fn marker(&self, site: &SiteId, kind: RecordKind, fact_id: &str) -> String {
        let organization: &OrganizationId = &self.lane.organization_id;
        marker(organization, site.as_str(), kind, fact_id)
    }

    /// A detection that became part of a recordable incident after its observation was pushed: commented and closed. When that
    /// incident is retracted or no longer recordable, an observation that we closed stands by itself again.
    fn observation_steps(
        &self,
        record: &RecordKey,
        incident: Option<&str>,
        link: Option<&Link>,
        statuses: Statuses,
    ) -> Vec<WantedStep> {
        let Some(link) = link.filter(|link| link.remote_id.is_some()) else { return Vec::new() };
        let rounds = link.steps.keys().filter(|id| id.starts_with("join:")).count();
        let returned = link.steps.contains_key(&format!("return:{rounds}"));
        let join = |id: String, incident: &str| {
            let incident_marker = self.marker(&record.site_id, RecordKind::Incident, incident);
            let comment = observation_joined(&incident_marker, &step_marker(&link.marker, &id));
            WantedStep { id, write: SideWrite { comment, status: Some(statuses.closed) } }
        };
        // One whose answer was lost may have closed the observation: nothing follows before that is known.
        let begun = link.steps.iter().find_map(|(id, step)| {
            let incident = id.strip_prefix("join:")?.split_once(':')?.1;
            matches!(step, Step::Begun { .. }).then(|| join(id.clone(), incident))
        });
        match incident {
            Some(_) if begun.is_some() => begun.into_iter().collect(),
            Some(incident) => {
                let current = format!("join:{rounds}:{incident}");
                let id = match link.steps.contains_key(&current) && !returned {
                    true => current,
                    false if rounds > 0 && !returned => return Vec::new(),
                    false => format!("join:{}:{incident}", rounds + 1),
                };
                vec![join(id, incident)]
            }
            None if rounds > 0 => {
                let id = format!("return:{rounds}");
                let reference = step_marker(&link.marker, &id);
                let comment = format!(
                    "No longer part of a recordable incident: this observation stands by itself again. [{reference}]"
                );
                let back = WantedStep { id, write: SideWrite { comment, status: Some(statuses.open) } };
                begun.into_iter().chain([back]).collect()
            }
            None => Vec::new(),
        }
    }
}

/// A reference of its own for each side write, by which a comment is found again.
pub(crate) fn step_marker(marker: &str, step: &str) -> String {
    format!("{marker}.{}", domain::marker::crockford(step.as_bytes(), 4))
}

/// A retracted incident is closed, one whose retraction was taken back is opened again: each once per retraction. One whose
/// answer was lost may have moved the status: it is settled before the next one.
fn incident_steps(fact: &IncidentFact, link: Option<&Link>, statuses: Statuses) -> Vec<WantedStep> {
    let Some(link) = link.filter(|link| link.remote_id.is_some()) else { return Vec::new() };
    let made: BTreeMap<Turn, Step> = link.steps.iter().filter_map(|(id, step)| Some((Turn::of(id)?, *step))).collect();
    let wanted = match fact.retraction.as_ref().filter(|_| fact.is_retracted()) {
        Some(retraction) => Some(Turn { revision: retraction.revision, stands: false }),
        // Of retractions that came and went while nobody wrote, only the last one that we wrote counts.
        None => made.keys().next_back().map(|last| Turn { stands: true, ..*last }),
    };
    let begun = made.into_iter().filter(|(_, step)| matches!(step, Step::Begun { .. })).map(|(turn, _)| turn);
    let first = begun.filter(|turn| Some(*turn) != wanted);
    first.chain(wanted).map(|turn| turn.step(&link.marker, statuses)).collect()
}

/// An incident's being retracted at a revision, or its standing again after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    revision: u64,
    stands: bool,
}

impl Turn {
    fn of(step: &str) -> Option<Self> {
        let (turn, revision) = step.split_once(':')?;
        let stands = match turn {
            "retract" => false,
            "stand" => true,
            _ => return None,
        };
        Some(Self { revision: revision.parse().ok()?, stands })
    }

    fn step(self, marker: &str, statuses: Statuses) -> WantedStep {
        let (turn, comment, status) = match self.stands {
            false => ("retract", "Retracted in HardHat Pulse.", statuses.closed),
            true => ("stand", "Stands again in HardHat Pulse.", statuses.open),
        };
        let id = format!("{turn}:{}", self.revision);
        let comment = format!("{comment} [{}]", step_marker(marker, &id));
        WantedStep { id, write: SideWrite { comment, status: Some(status) } }
    }
}

/// The recordable incident that a detection is part of, if any: the lowest id where there are several.
async fn recordable_incident_of(facts: &SiteFacts<'_>, detection: &Detection) -> Result<Option<String>, TableError> {
    let incidents = facts.incidents_of(&detection.detection_id).await?;
    let standing = incidents.into_iter().filter_map(|fact| match fact.body {
        FactBody::Incident(i) if i.stands_recordable() && i.has_detection(&detection.detection_id) => {
            Some(i.incident_id)
        }
        _ => None,
    });
    Ok(standing.min())
}

async fn zone(facts: &SiteFacts<'_>, id: &str) -> Result<Option<Zone>, TableError> {
    Ok(match facts.get(FactKind::Zone, id).await? {
        Some(Fact { body: FactBody::Zone(zone), .. }) => Some(zone),
        _ => None,
    })
}
