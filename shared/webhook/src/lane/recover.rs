//! Recovery: messages that failed since a time are sent again, and those that were never made (the endpoint was disabled, or not
//! there yet, or wanted less) are made from the facts that stand. In steps, each of which may be repeated.
use super::{Engine, Run, RunError};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::FactKind;
use domain::ids::SiteId;
use domain::webhook::message::{Content, MessageType};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;
use store::TableError;
use store::bell::fresh_token;
use store::directory::Directory;
use store::due::SiteRef;
use store::facts::SiteFacts;
use store::messages::{Delivery, DeliveryState, Recovery, Todo};
use store::summaries::Summaries;

/// Rows, and arrival entries, that one step looks at.
const STEP: usize = 50;
/// A day may be counted again so many days after its date: amended for 72 hours, anywhere on the globe.
const COUNTED_LATE: i64 = 5;

impl Engine<'_> {
    /// One step of a recovery.
    pub(super) async fn recover(&self, run: &Run<'_>, mut recovery: Recovery) -> Result<(), RunError> {
        if let Some(number) = recovery.rows_before {
            recovery.rows_before = self.send_failed(run, recovery.since, number).await?;
        } else if let Some(sites) = &mut recovery.sites {
            let Some((site, next)) = sites.pop() else { return Ok(run.lane.end_recovery(&recovery).await?) };
            match self.make_missing(run, &site, next).await? {
                Some(next) => sites.push((site, next)),
                None => self.make_missing_days(run, &site, recovery.since).await?,
            }
        } else {
            recovery.sites = Some(self.sites(run, recovery.since).await?);
        }
        Ok(run.lane.move_recovery(&recovery).await?)
    }

    /// Asks again for what failed, and at once for what would wait longer, from a row's number down. The number to go on from, unless this was the last page.
    async fn send_failed(&self, run: &Run<'_>, since: Timestamp, number: u64) -> Result<Option<u64>, TableError> {
        let rows = run.lane.deliveries_down_from(number, STEP).await?;
        let now = self.clock.now();
        let lost = |row: &&Delivery| row.message_type != MessageType::Ping && row.created_at >= since;
        let wanted = |row: &&Delivery| row.site_id.as_ref().is_none_or(|site| run.endpoint.wants.site(site));
        let failed = |row: &&Delivery| match row.state {
            DeliveryState::Failed => true,
            DeliveryState::Pending => row.next_attempt_at.is_some(),
            DeliveryState::Delivered => false,
        };
        let again = |row: &Delivery| Todo::again(row.message_id.clone(), row.order.clone(), now, fresh_token());
        let todos: Vec<Todo> = rows.iter().filter(lost).filter(wanted).filter(failed).map(again).collect();
        run.lane.ask(&todos).await?;
        let oldest = rows.last().filter(|row| rows.len() == STEP && row.created_at >= since);
        Ok(oldest.and_then(|row| row.sequence.checked_sub(1)))
    }

    /// The endpoint's sites, each with the first entry that arrived since then.
    async fn sites(&self, run: &Run<'_>, since: Timestamp) -> Result<Vec<(SiteId, u64)>, TableError> {
        let organization_id = &run.endpoint.organization_id;
        let mut sites = Vec::new();
        for site in Directory(self.table).sites(organization_id).await? {
            if run.endpoint.wants.site(&site.id) {
                let facts = SiteFacts { table: self.table, organization_id, site_id: &site.id };
                let first = facts.first_arrival_since(since).await?;
                sites.push((site.id, first));
            }
        }
        Ok(sites)
    }

    /// Makes the messages that are missing of some entries. The next entry, unless these were the last.
    async fn make_missing(&self, run: &Run<'_>, site_id: &SiteId, from: u64) -> Result<Option<u64>, TableError> {
        let organization_id = &run.endpoint.organization_id;
        let facts = SiteFacts { table: self.table, organization_id, site_id };
        let entries = facts.arrivals(from, STEP).await?;
        let Some(last) = entries.last().map(|entry| entry.number) else { return Ok(None) };
        let contents = self.wanted(run, &facts, &entries).await?;
        self.ask_for_missing(run, contents).await?;
        Ok((entries.len() == STEP).then_some(last + 1))
    }

    /// Makes the messages that are missing of a site's days that were counted since then, each as it is counted now.
    async fn make_missing_days(&self, run: &Run<'_>, site_id: &SiteId, since: Timestamp) -> Result<(), TableError> {
        if !run.endpoint.wants.daily_summary {
            return Ok(());
        }
        let site = SiteRef { organization_id: run.endpoint.organization_id.clone(), site_id: site_id.clone() };
        let first = since.to_zoned_datetime(TimeZone::UTC).date().saturating_sub(COUNTED_LATE.days());
        let days = Summaries { table: self.table, site: &site }.between(first, Date::MAX).await?;
        let counted = days.iter().filter(|day| day.counted_at >= since).map(|day| day.content(site_id)).collect();
        self.ask_for_missing(run, counted).await
    }

    async fn ask_for_missing(&self, run: &Run<'_>, contents: Vec<Content>) -> Result<(), TableError> {
        let mut wanted: BTreeMap<String, Content> =
            contents.into_iter().map(|content| (content.id(&run.endpoint.id), content)).collect();
        for known in run.lane.messages(wanted.keys().map(String::as_str)).await?.keys() {
            wanted.remove(known);
        }
        let now = self.clock.now();
        let todos: Vec<Todo> =
            wanted.into_iter().map(|(id, content)| Todo::new(id, content, now, fresh_token())).collect();
        run.lane.ask(&todos).await
    }

    /// What the endpoint wants of entries. An incident comes in its latest revision, from the entry that has it.
    async fn wanted(
        &self,
        run: &Run<'_>,
        facts: &SiteFacts<'_>,
        entries: &[ArrivalEntry],
    ) -> Result<Vec<Content>, TableError> {
        let wants = &run.endpoint.wants;
        let lines = || entries.iter().flat_map(|entry| entry.lines.iter().map(move |line| (entry.number, line)));
        let is = |kind: FactKind| move |(_, line): &(u64, &ArrivalLine)| line.fact == kind;
        let detections = lines().filter(is(FactKind::Detection));
        let detections = detections.filter(|(_, line)| wants.kind(&line.kind, line.priority.unwrap_or_default()));
        let mut contents: Vec<Content> = detections
            .map(|(_, line)| Content::Detection { site_id: facts.site_id.clone(), detection_id: line.id.clone() })
            .collect();
        let incidents: Vec<(u64, &ArrivalLine)> = lines().filter(is(FactKind::Incident)).collect();
        let keys: Vec<_> = incidents.iter().map(|(_, line)| (FactKind::Incident, line.id.clone())).collect();
        let kept = facts.get_many(&keys).await?;
        for (number, line) in incidents {
            let fact = kept.get(&(FactKind::Incident, line.id.clone())).filter(|fact| fact.arrival == number);
            contents.extend(fact.and_then(|fact| Content::of(wants, Timestamp::MIN, facts.site_id, fact)));
        }
        Ok(contents)
    }
}
