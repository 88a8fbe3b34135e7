//! A site's days, counted from the arrival log: what usually arrives about when it happens is found by time in the log, what came
//! much later (or from a clock ahead of ours) by pointers that the router left at its day.
//!
//! Detections and samples never change, so their lines alone tell; of an incident, its fact is asked.
use crate::facts::SiteFacts;
use crate::keys;
use crate::table::{Item, Key, Query, TableError, item, read};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::{Fact, FactBody, FactKind};
use domain::summary::occurrence::Occurrence;
use domain::summary::window::Window;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What arrives within this time after it happened is found by its place in the log.
pub const USUALLY_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Clocks of edges are ahead of ours by this at most, or are pointed to.
pub const USUALLY_AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// Entries read at once.
const PAGE: usize = 100;
/// More zones than a site has.
const ZONES: usize = 100_000;

/// The days (in UTC) that facts tell of though they arrive at another time: the entry that they stand in is pointed to there.
pub fn stray_days(facts: &[Fact], arrived_at: Timestamp) -> BTreeSet<Date> {
    let times = facts.iter().filter_map(|fact| Occurrence::of(&fact.body)).map(|occurrence| occurrence.at());
    times.filter(|at| is_stray(*at, arrived_at)).map(day).collect()
}

fn is_stray(at: Timestamp, arrived_at: Timestamp) -> bool {
    at.duration_since(arrived_at) > USUALLY_AHEAD || arrived_at.duration_since(at) > USUALLY_WITHIN
}

fn day(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

#[derive(Debug, Serialize, Deserialize)]
struct Stray {
    number: u64,
}

/// Counts for one site.
#[derive(Clone, Copy)]
pub struct Counting<'a>(pub SiteFacts<'a>);

impl Counting<'_> {
    /// Points to an entry from the days that it tells of. Before the entry is written: a pointer to an entry that never came to be
    /// leads to nothing, or to another's, whose lines count by their own times.
    pub async fn point(&self, days: &BTreeSet<Date>, number: u64) -> Result<(), TableError> {
        let pointer = |day: &Date| item(&self.stray(*day, number), &Stray { number });
        let items = days.iter().map(pointer).collect::<Result<Vec<Item>, _>>()?;
        match items.len() {
            0 => Ok(()),
            _ => self.0.table.put_many(items).await,
        }
    }

    fn stray(&self, day: Date, number: u64) -> Key {
        keys::stray(self.0.organization_id, self.0.site_id, day, number)
    }

    /// Whether anything that tells of this window was pointed to.
    pub async fn has_strays(&self, window: Window) -> Result<bool, TableError> {
        Ok(!self.strays(window, 1).await?.is_empty())
    }

    async fn strays(&self, window: Window, limit: usize) -> Result<BTreeSet<u64>, TableError> {
        let after = day(window.to).tomorrow().unwrap_or(Date::MAX);
        let (from, to) = (self.stray(day(window.from), 0), self.stray(after, 0));
        let query = Query { pk: from.pk, from: from.sk, to: to.sk, forward: true, limit };
        let found = self.0.table.query(query).await?.into_iter();
        found.map(|item| read::<Stray>("a pointer", item).map(|stray| stray.number)).collect()
    }

    /// Visits what counts in a window, each once, in no order. `arrived_by`: what arrived later is left out.
    pub async fn visit(
        &self,
        window: Window,
        arrived_by: Option<Timestamp>,
        mut each: impl FnMut(&Occurrence),
    ) -> Result<(), TableError> {
        let mut visitor = Visitor { window, arrived_by, asked: BTreeSet::new(), each: &mut each };
        let end = window.to.checked_add(USUALLY_WITHIN).unwrap_or(Timestamp::MAX);
        let start = window.from.checked_sub(USUALLY_AHEAD).unwrap_or(Timestamp::MIN);
        let first = self.0.first_arrival_since(start).await?;
        let mut next = first;
        loop {
            let entries = self.0.arrivals(next, PAGE).await?;
            let last_page = entries.len() < PAGE;
            for entry in &entries {
                if entry.arrived_at > end {
                    break;
                }
                visitor.entry(entry);
                next = entry.number + 1;
            }
            if last_page || entries.last().is_none_or(|entry| entry.arrived_at > end) {
                break;
            }
        }
        let strays = self.strays(window, usize::MAX).await?;
        let strays: Vec<u64> = strays.into_iter().filter(|number| !(first..next).contains(number)).collect();
        for numbers in strays.chunks(PAGE) {
            self.0.entries(numbers).await?.iter().for_each(|entry| visitor.entry(entry));
        }
        let asked: Vec<(FactKind, String)> = std::mem::take(&mut visitor.asked).into_iter().collect();
        for ids in asked.chunks(PAGE) {
            let facts = self.0.get_many(ids).await?;
            facts.values().filter_map(|fact| Occurrence::of(&fact.body)).for_each(|o| visitor.occurrence(&o));
        }
        Ok(())
    }

    /// What the site's zones are called now.
    pub async fn zone_names(&self) -> Result<BTreeMap<String, String>, TableError> {
        let zones = self.0.list(FactKind::Zone, ZONES).await?.into_iter();
        Ok(zones
            .filter_map(|fact| match fact.body {
                FactBody::Zone(zone) => Some((zone.zone_id, zone.name)),
                _ => None,
            })
            .collect())
    }
}

struct Visitor<'a> {
    window: Window,
    arrived_by: Option<Timestamp>,
    /// Facts that the log alone does not tell.
    asked: BTreeSet<(FactKind, String)>,
    each: &'a mut dyn FnMut(&Occurrence),
}

impl Visitor<'_> {
    fn entry(&mut self, entry: &ArrivalEntry) {
        if self.arrived_by.is_none_or(|by| entry.arrived_at <= by) {
            entry.lines.iter().for_each(|line| self.line(line));
        }
    }

    fn line(&mut self, line: &ArrivalLine) {
        if line.again || !matches!(line.fact, FactKind::Detection | FactKind::Incident | FactKind::PpeSample) {
            return;
        }
        match Occurrence::of_line(line) {
            Some(occurrence) => self.occurrence(&occurrence),
            None => {
                self.asked.insert((line.fact, line.id.clone()));
            }
        }
    }

    fn occurrence(&mut self, occurrence: &Occurrence) {
        if self.window.holds(occurrence.at()) {
            (self.each)(occurrence);
        }
    }
}
