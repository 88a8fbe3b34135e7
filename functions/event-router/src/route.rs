//! One message of the site queue. FIFO gives one runner per site, so the next arrival number is known before anything is
//! written; the arrival entry, written last, is the commit mark.
use crate::decide::{Known, decide};
use domain::arrival::{ArrivalEntry, ArrivalLine, CommitMark};
use domain::fact::{Fact, FactBody, FactKind, subject};
use domain::ids::{OrganizationId, SiteId};
use domain::message::SiteMessage;
use domain::record::RecordKey;
use domain::route::Route;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::bell::{Bell, BellError, fresh_token};
use store::bus::Bus;
use store::counting::{Counting, stray_days};
use store::directory::Directory;
use store::facts::SiteFacts;
use store::lanes::{Lane, LaneId, Todo};
use store::{Table, TableError, due};

#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error("facts could not be kept: {0}")]
    Table(#[from] TableError),
    #[error("a lane could not be rung: {0}")]
    Bell(#[from] BellError),
}

/// What the router works with.
pub struct Router<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
    pub bus: &'a dyn Bus,
    pub detection_retention_days: i64,
}

/// What became of a message, for logs and figures.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Routed {
    pub redelivery: bool,
    pub changed: usize,
    pub duplicates: usize,
    pub contradictions: usize,
    pub asked: usize,
    pub lanes: Vec<LaneId>,
}

impl Router<'_> {
    /// Handles a message. After an error it may be handled again, any number of times.
    pub async fn route(&self, message: &SiteMessage, now: Timestamp) -> Result<Routed, RouterError> {
        let message_id = message.id();
        let place = (&message.organization_id, &message.site_id);
        let Some((facts, last)) = self.open(place, &message_id).await? else {
            return Ok(Routed { redelivery: true, ..Routed::default() });
        };
        let arrived_at = last.next_at(now);
        let known = facts.get_many(&subjects(message, &last)).await?;
        let unfinished = self.unfinished(&facts, &known, &message_id, last.number).await?;
        let decision = decide(message, &known, &unfinished, last.number + 1);

        let expires_at = self.expiry(now);
        for (index, event) in &decision.contradictions {
            facts.put_contradiction(&message_id, *index, event, expires_at).await?;
        }
        facts.put_many(&decision.changed, Some(expires_at)).await?;
        Counting(facts).point(&stray_days(&decision.changed, arrived_at), last.number + 1).await?;
        let (asked, lanes) = self.ask_all(&message.organization_id, &message.site_id, &decision.changed, now).await?;
        self.announce(message, &decision.changed).await;
        if !decision.changed.is_empty() {
            let lines = decision.changed.iter().map(ArrivalLine::of).collect();
            facts.commit(&ArrivalEntry::after(&last, message_id, now, lines)).await?;
        }
        Ok(Routed {
            redelivery: false,
            changed: decision.changed.len(),
            duplicates: decision.duplicates,
            contradictions: decision.contradictions.len(),
            asked,
            lanes,
        })
    }

    /// Opens the site's log for a message. `None`: its entry is the last one, so it is done.
    pub(crate) async fn open<'m>(
        &'m self,
        (organization_id, site_id): (&'m OrganizationId, &'m SiteId),
        message_id: &str,
    ) -> Result<Option<(SiteFacts<'m>, CommitMark)>, TableError> {
        let facts = SiteFacts { table: self.table, organization_id, site_id };
        let last = facts.commit_mark().await?;
        Ok((last.message_id != message_id).then_some((facts, last)))
    }

    /// When what is kept as long as detections goes, in Unix seconds.
    pub(crate) fn expiry(&self, since: Timestamp) -> i64 {
        since.as_second() + self.detection_retention_days * 86_400
    }

    /// Facts whose content was written but never committed. One that names a number above the last committed one is half done;
    /// so is one that this very message wrote when the entry at its number is another message's (it went to the dead-letter
    /// queue half done, others passed, and it was sent again).
    async fn unfinished(
        &self,
        facts: &SiteFacts<'_>,
        known: &Known,
        message_id: &str,
        committed: u64,
    ) -> Result<BTreeSet<(FactKind, String)>, RouterError> {
        let mut unfinished = BTreeSet::new();
        let mut entries: BTreeMap<u64, Option<String>> = BTreeMap::new();
        for (key, fact) in known {
            if fact.arrival > committed {
                unfinished.insert(key.clone());
            } else if fact.message_id() == message_id {
                let committed_by = match entries.get(&fact.arrival) {
                    Some(known) => known.clone(),
                    None => {
                        let entry = facts.arrival(fact.arrival).await?.map(|entry| entry.message_id);
                        entries.insert(fact.arrival, entry.clone());
                        entry
                    }
                };
                if committed_by.as_deref() != Some(message_id) {
                    unfinished.insert(key.clone());
                }
            }
        }
        Ok(unfinished)
    }

    /// Asks everybody who is to hear of what changed: connections for their records, webhook endpoints for their messages.
    pub(crate) async fn ask_all(
        &self,
        organization_id: &OrganizationId,
        site_id: &SiteId,
        changed: &[Fact],
        now: Timestamp,
    ) -> Result<(usize, Vec<LaneId>), RouterError> {
        let (records, mut lanes) = self.ask_lanes(organization_id, site_id, changed, now).await?;
        let (messages, endpoints) = self.ask_endpoints(organization_id, site_id, changed, now).await?;
        lanes.extend(endpoints);
        Ok((records + messages, lanes))
    }

    /// Asks the lanes of the site's connections for the records that follow, arms their due items, then rings.
    async fn ask_lanes(
        &self,
        organization_id: &OrganizationId,
        site_id: &SiteId,
        changed: &[Fact],
        now: Timestamp,
    ) -> Result<(usize, Vec<LaneId>), RouterError> {
        let sends = |fact: &Fact| matches!(fact.body, FactBody::Detection(_) | FactBody::Incident(_));
        if !changed.iter().any(sends) {
            return Ok((0, Vec::new()));
        }
        let (mut asked, mut lanes) = (0, Vec::new());
        for route in Directory(self.table).routes(organization_id, site_id).await? {
            let lane = LaneId {
                organization_id: organization_id.clone(),
                connection_id: route.connection_id.clone(),
                provider: route.provider,
            };
            let todos = todos(&route, site_id, changed, now);
            if todos.is_empty() {
                continue;
            }
            Lane { table: self.table, id: &lane }.ask(&todos).await?;
            self.arm_and_ring(&lane, now).await?;
            asked += todos.len();
            lanes.push(lane);
        }
        Ok((asked, lanes))
    }

    /// Should the ring die, the clock finds what was armed.
    pub(crate) async fn arm_and_ring(&self, lane: &LaneId, now: Timestamp) -> Result<(), RouterError> {
        due::arm(self.table, lane, now).await?;
        Ok(self.bell.ring(lane).await?)
    }

    /// Tells the bus. A bus that is down must not hold facts back; what it missed stands in the log, at level ERROR.
    async fn announce(&self, message: &SiteMessage, changed: &[Fact]) {
        for fact in changed {
            let FactBody::Incident(incident) = &fact.body else { continue };
            let detail_type = match incident.is_retracted() {
                true => "Incident Retracted",
                false if fact.first_arrival == fact.arrival => "Incident Confirmed",
                false => "Incident Updated",
            };
            let detail = json!({
                "organization_id": message.organization_id,
                "site_id": message.site_id,
                "incident_id": incident.incident_id,
                "revision": incident.revision,
                "recordable": incident.stands_recordable(),
            });
            let at = (&message.organization_id, &message.site_id);
            self.publish(at, &incident.incident_id, detail_type, detail).await;
        }
    }

    pub(crate) async fn publish(
        &self,
        (organization_id, site_id): (&OrganizationId, &SiteId),
        record: &str,
        detail_type: &'static str,
        detail: Value,
    ) {
        if let Err(error) = self.bus.publish(detail_type, detail).await {
            tracing::error!(%organization_id, %site_id, %record, "{error}");
        }
    }
}

/// The facts that may stand already.
fn subjects(message: &SiteMessage, last: &CommitMark) -> Vec<(FactKind, String)> {
    let subjects = message.events.iter().map(subject);
    subjects.filter(|(kind, id)| last.may_hold(*kind, id)).map(|(kind, id)| (kind, id.to_owned())).collect()
}

fn todos(route: &Route, site_id: &SiteId, changed: &[Fact], now: Timestamp) -> Vec<Todo> {
    let records: BTreeSet<RecordKey> = changed.iter().flat_map(|fact| route.records(site_id, fact)).collect();
    records.into_iter().map(|record| Todo::new(record, now, fresh_token())).collect()
}
