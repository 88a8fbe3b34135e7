//! A site's days in figures, counted from the arrival log. What was counted is kept by day with the place in the log up to which
//! it was: asked again, a day costs what has arrived since, so that the note, its amendments, the report and the trend share one
//! count, and a year is a query or two. Incidents are what their facts say now, each time.
//!
//! - [`Reports`]: a day's report, and the days of a trend; `noted`: a day as its note has it; `preview`: that of the day under way
//! - `planned`: a date's window, and what its day is told by
//! - `count`: one window from the log; `late`: what arrived at another hour than it tells of
mod count;
mod late;
mod noted;
mod planned;
mod preview;

pub use planned::Planned;
pub use preview::note_so_far;

use crate::directory::Site;
use crate::due::SiteRef;
use crate::facts::SiteFacts;
use crate::keys;
use crate::summaries::{Summaries, SummaryState};
use crate::table::{Query, Table, TableError, item, read};
use count::{Kept, Progress, Work};
use domain::fact::{FactBody, FactKind};
use domain::summary::count::{Day, Head, MOST_INCIDENTS};
use domain::summary::occurrence::Occurrence;
use domain::summary::tally::Tally;
use domain::summary::window::{Cut, SummaryHour, calendar};
use jiff::Timestamp;
use jiff::civil::Date;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Entries that one request reads at most: a function of 128 MB goes through so many well within its time-out.
const ENTRIES_AT_MOST: usize = 10_000;
/// Bytes for the names of a day's zones: together with all else that is kept of a day far below the 400 KB of an item.
const NAMES: usize = 64 * 1024;
/// So many days before the first one asked for say where it begins: a date may have been left out.
const DAYS_BEFORE: i64 = 3;

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Table(#[from] TableError),
    /// What was counted is kept.
    #[error("there is more to count than one request can: repeat it, and it goes on where this one stopped")]
    Counting,
    /// Nothing of it is kept.
    #[error("so much happened in this time that it can't be counted for an hour that is not set yet: set it first")]
    NotSet,
}

/// A day as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    pub day: Day,
    /// With its incidents.
    pub tally: Tally,
}

/// The days of one site.
pub struct Reports<'a> {
    site: &'a Site,
    site_ref: SiteRef,
    facts: SiteFacts<'a>,
    /// The day cut off last.
    last: Option<Cut>,
    hour: SummaryHour,
    entries_at_most: usize,
    /// Whether what is counted is kept: not what was never set.
    keeps: bool,
}

impl<'a> Reports<'a> {
    pub async fn of(table: &'a dyn Table, site: &'a Site) -> Result<Self, ReportError> {
        let site_ref = SiteRef { organization_id: site.organization_id.clone(), site_id: site.id.clone() };
        let state = Summaries { table, site: &site_ref }.state().await?;
        Ok(Self::by(table, site, &state)?)
    }

    /// For whoever has read the site's hour and its last cut-off.
    pub fn by(table: &'a dyn Table, site: &'a Site, state: &SummaryState) -> Result<Self, TableError> {
        let facts = SiteFacts { table, organization_id: &site.organization_id, site_id: &site.id };
        let site_ref = SiteRef { organization_id: site.organization_id.clone(), site_id: site.id.clone() };
        let hour = state.hour(site)?;
        Ok(Self { site, site_ref, facts, last: state.last, hour, entries_at_most: ENTRIES_AT_MOST, keeps: true })
    }

    /// For whoever has less time, or a test.
    pub fn reading_at_most(mut self, entries: usize) -> Self {
        self.entries_at_most = entries;
        self
    }

    /// The date whose window is under way.
    pub fn today(&self, now: Timestamp) -> Date {
        let Some(mut last) = self.last.filter(|last| last.to <= now) else { return self.hour.date_of(now) };
        loop {
            let (date, window) = self.hour.next(last);
            if window.holds(now) || date <= last.date {
                return date;
            }
            last = Cut { date, to: window.to };
        }
    }

    /// The dates of a stretch, as they were cut for their notes where they were. A date that the clock left out is none.
    async fn planned(&self, from: Date, to: Date) -> Result<Vec<Planned>, TableError> {
        let earlier = from.saturating_sub(jiff::ToSpan::days(DAYS_BEFORE));
        let cut = self.summaries().between(earlier, to).await?;
        let mut cut: BTreeMap<Date, Planned> =
            cut.iter().map(|summary| (summary.date(), Planned::of(summary, self.site))).collect();
        let as_cut = cut.iter().map(|(date, day)| (*date, day.window)).collect();
        let before = earlier.yesterday().unwrap_or(Date::MIN);
        let by_hour = Cut { date: before, to: self.hour.cut_off(before) };
        let start = self.last.filter(|last| last.date < earlier).unwrap_or(by_hour);
        let windows = calendar(&self.hour, start, &as_cut, to).into_iter().filter(|(date, _)| *date >= from);
        let planned = |(date, window)| cut.remove(&date).unwrap_or_else(|| Planned::new(date, window, self.site));
        Ok(windows.map(planned).collect())
    }

    /// A date's report as of now; `None` where the clock left the date out. A window that is under way is counted so far.
    pub async fn day(&self, date: Date, now: Timestamp) -> Result<Option<Reported>, ReportError> {
        let from = date.saturating_sub(jiff::ToSpan::days(DAYS_BEFORE));
        let planned = self.planned(from, date).await?;
        let [.., before, day] = planned.as_slice() else { return Ok(None) };
        if day.date != date {
            return Ok(None);
        }
        let kept = self.counted(&[before.clone(), day.clone()], now).await?;
        let incidents = self.incidents(&kept).await?;
        let [before, kept] = kept.as_slice() else { return Ok(None) };
        let (previous, shifts) = (before.as_previous(&incidents)?, kept.told_by()?);
        let counter = kept.counter(&shifts, &incidents);
        let tally = counter.tally().clone();
        let names = self.names(kept, &tally).await?;
        Ok(Some(Reported { day: counter.day(Head { date, time_zone: &kept.time_zone, previous }, &names), tally }))
    }

    /// What was counted in each of a stretch of dates, incidents included.
    pub async fn days(&self, from: Date, to: Date, now: Timestamp) -> Result<Vec<(Date, Tally)>, ReportError> {
        let kept = self.counted(&self.planned(from, to).await?, now).await?;
        let incidents = self.incidents(&kept).await?;
        let told = |kept: &Kept| Ok((kept.date, kept.counter(&kept.told_by()?, &incidents).into_tally()));
        kept.iter().map(told).collect()
    }

    fn summaries(&self) -> Summaries<'_> {
        Summaries { table: self.facts.table, site: &self.site_ref }
    }

    /// What the incidents of some days are now. One that was retracted is none.
    async fn incidents(&self, days: &[Kept]) -> Result<BTreeMap<String, Occurrence>, TableError> {
        let ids: BTreeSet<&String> = days.iter().flat_map(|kept| &kept.incidents).collect();
        let wanted: Vec<(FactKind, String)> = ids.into_iter().map(|id| (FactKind::Incident, id.clone())).collect();
        let facts = self.facts.get_many(&wanted).await?;
        Ok(facts.into_iter().filter_map(|((_, id), fact)| Some((id, Occurrence::of(&fact.body)?))).collect())
    }

    /// The names of a day's zones: as its note has them, else as they were when it was over, where it is.
    async fn names(&self, kept: &Kept, tally: &Tally) -> Result<BTreeMap<String, String>, TableError> {
        let mut names = if kept.whole { kept.names.clone() } else { BTreeMap::new() };
        names.extend(kept.called.clone().unwrap_or_default());
        let ids = tally.by_zone.keys().filter(|id| !names.contains_key(*id));
        let wanted: Vec<(FactKind, String)> = ids.map(|id| (FactKind::Zone, id.clone())).collect();
        for fact in self.facts.get_many(&wanted).await?.into_values() {
            if let FactBody::Zone(zone) = fact.body {
                names.insert(zone.zone_id, zone.name);
            }
        }
        Ok(fitting(names, tally))
    }

    /// Some days counted as far as the log goes, each on from where it was.
    async fn counted(&self, planned: &[Planned], now: Timestamp) -> Result<Vec<Kept>, ReportError> {
        let ([first, ..], [.., last]) = (planned, planned) else { return Ok(Vec::new()) };
        // Before the pointers are read: up to this entry, none of them is missing.
        let committed = self.facts.last_arrival().await?.map_or(0, |entry| entry.number);
        let mut kept = self.kept(first.date, last.date).await?;
        let late = late::between(&self.facts, first.window.from, last.window.to).await?;
        let site_made = self.site.created_at;
        let mut work = Work { site_made, committed, left: self.entries_at_most, late, start: None };
        let mut days: Vec<(Kept, Progress)> = Vec::new();
        let mut outcome = Ok(());
        for planned in planned {
            let standing = kept.remove(&planned.date).filter(|kept| stands(kept, planned, now));
            let mut day = standing.unwrap_or_else(|| Kept::new(planned));
            day.called.clone_from(&planned.called);
            let before = day.progress();
            outcome = day.go_on(&self.facts, &mut work).await;
            days.push((day, before));
            if outcome.is_err() {
                break;
            }
        }
        let mut changed = Vec::new();
        for (day, before) in &mut days {
            if day.incidents.len() >= MOST_INCIDENTS && day.progress() != *before {
                let Site { organization_id, id: site_id, .. } = self.site;
                tracing::error!(%organization_id, %site_id, date = %day.date, "a day has more incidents than are counted");
            }
            if day.is_worth_keeping(*before, site_made) || (outcome.is_err() && day.progress() != *before) {
                day.names = self.names(day, &day.tally).await?;
                changed.push(item(&keys::tally(&self.site.organization_id, &self.site.id, day.date), day)?);
            }
        }
        if self.keeps && !changed.is_empty() {
            self.facts.table.put_many(changed).await?;
        }
        outcome.map(|()| days.into_iter().map(|(day, _)| day).collect())
    }

    async fn kept(&self, from: Date, to: Date) -> Result<BTreeMap<Date, Kept>, TableError> {
        let (organization, site) = (&self.site.organization_id, &self.site.id);
        let (first, last) = (keys::tally(organization, site, from), keys::tally(organization, site, to));
        let query = Query { pk: first.pk, from: first.sk, to: last.sk, forward: true, limit: usize::MAX >> 1 };
        let items = self.facts.table.query(query).await?;
        items.into_iter().map(|item| read("a day's count", item).map(|kept: Kept| (kept.date, kept))).collect()
    }
}

/// As many names as a day has room for, those of the zones with the most alerts first; the others are called by their ids.
fn fitting(mut names: BTreeMap<String, String>, tally: &Tally) -> BTreeMap<String, String> {
    let mut zones: Vec<_> = tally.by_zone.iter().collect();
    zones.sort_by_key(|(id, figures)| (Reverse(figures.alerts), *id));
    let named = zones.into_iter().filter_map(|(id, _)| names.remove_entry(id));
    let mut left = NAMES;
    let fits = |(_, name): &(String, String)| {
        left = left.saturating_sub(name.len());
        left > 0
    };
    named.take_while(fits).collect()
}

/// What was counted by another window, clock or shifts than the day is told by is counted anew. A day without a note is told by what
/// it was counted by, once it is long over.
fn stands(kept: &Kept, planned: &Planned, now: Timestamp) -> bool {
    let settled = kept.window.to.checked_add(domain::summary::AMENDED_FOR).is_ok_and(|end| end <= now);
    let same = kept.time_zone == planned.time_zone && kept.shifts == planned.shifts;
    kept.window == planned.window && (same || (planned.called.is_none() && settled && kept.whole))
}
