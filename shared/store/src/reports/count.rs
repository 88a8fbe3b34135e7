//! One window from the arrival log: the entries that arrived about then, and those that tell of it late. Each is read once.
use super::late::Late;
use super::{Planned, ReportError};
use crate::counting::{USUALLY_AHEAD, USUALLY_WITHIN};
use crate::facts::SiteFacts;
use crate::summaries;
use crate::table::TableError;
use domain::arrival::ArrivalEntry;
use domain::fact::FactKind;
use domain::settings::Shift;
use domain::summary::count::{Counter, Head, MOST_INCIDENTS};
use domain::summary::occurrence::Occurrence;
use domain::summary::report::Previous;
use domain::summary::shifts::Shifts;
use domain::summary::tally::Tally;
use domain::summary::window::Window;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Entries read at once: at first few, since most often few have come since.
const FIRST: usize = 25;
const PAGE: usize = 250;
/// Late entries read at once.
const BATCH: usize = 100;
/// With fewer entries since, what was counted is not worth a write.
const WORTH: u64 = 50;

/// What was counted of a day, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub date: Date,
    pub window: Window,
    /// What shifts and hours were told by.
    pub time_zone: String,
    pub shifts: Vec<Shift>,
    /// Alerts and samples. Incidents are added when it is told.
    pub tally: Tally,
    /// Incidents that entries named, at most [`MOST_INCIDENTS`]: those of the window are among them.
    pub incidents: BTreeSet<String>,
    /// What the zones were called when it was counted last.
    pub names: BTreeMap<String, String>,
    /// What the day's note calls them.
    #[serde(skip)]
    pub called: Option<BTreeMap<String, String>>,
    /// All entries from `first` to before `next` are counted. 0: none is looked for yet.
    first: u64,
    next: u64,
    /// Where the next day's entries begin, as far as is known.
    follows: u64,
    /// Nothing more arrives in time: what comes now, pointers tell of.
    pub whole: bool,
    /// Late entries up to this one are counted.
    pointed: u64,
}

/// How far a day is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    next: u64,
    whole: bool,
    pointed: u64,
}

/// What a request has left to read.
pub struct Work {
    pub site_made: Timestamp,
    /// The last entry that is looked at.
    pub committed: u64,
    pub left: usize,
    pub late: Late,
    /// Where the day before says that this one begins.
    pub start: Option<u64>,
}

impl Kept {
    pub fn new(planned: &Planned) -> Self {
        let Planned { date, window, time_zone, shifts, called } = planned.clone();
        let (tally, incidents, names) = Default::default();
        let (first, next, follows, whole, pointed) = (0, 0, 0, false, 0);
        Self { date, window, time_zone, shifts, tally, incidents, names, called, first, next, follows, whole, pointed }
    }

    /// The shifts and the clock that the day is told by.
    pub fn told_by(&self) -> Result<Shifts, TableError> {
        summaries::shifts(&self.shifts, &self.time_zone)
    }

    /// What was counted, with the day's incidents.
    pub fn counter<'s>(&self, shifts: &'s Shifts, incidents: &BTreeMap<String, Occurrence>) -> Counter<'s> {
        let mut counter = Counter::resume(self.tally.clone(), self.window, shifts);
        self.incidents.iter().filter_map(|id| incidents.get(id)).for_each(|incident| counter.add(incident));
        counter
    }

    /// What the next day says of this one.
    pub fn as_previous(&self, incidents: &BTreeMap<String, Occurrence>) -> Result<Previous, TableError> {
        let previous = Previous::nothing(self.date, self.window);
        let head = Head { date: self.date, time_zone: &self.time_zone, previous };
        Ok(self.counter(&self.told_by()?, incidents).day(head, &BTreeMap::new()).report.as_previous())
    }

    pub fn progress(&self) -> Progress {
        Progress { next: self.next, whole: self.whole, pointed: self.pointed }
    }

    /// Whether nothing can have arrived in time, for there was no site.
    fn is_before(&self, site_made: Timestamp) -> bool {
        moved(self.window.to, USUALLY_WITHIN) < site_made
    }

    /// Of a time before the site, only what late entries tell: whoever asks for year after year must not fill the table.
    pub fn is_worth_keeping(&self, before: Progress, site_made: Timestamp) -> bool {
        if self.is_before(site_made) && self.tally == Tally::default() && self.incidents.is_empty() {
            return false;
        }
        self.whole != before.whole || self.next.saturating_sub(before.next.max(self.first)) >= WORTH
    }

    /// Counts on, as far as the log goes and the work lets.
    pub async fn go_on(&mut self, facts: &SiteFacts<'_>, work: &mut Work) -> Result<(), ReportError> {
        let shifts = &self.told_by()?;
        if self.first == 0 {
            self.whole = self.is_before(work.site_made);
            self.first = match work.start {
                _ if self.whole => 1,
                Some(start) => start,
                None => facts.first_arrival_since(moved(self.window.from, -USUALLY_AHEAD)).await?,
            };
            (self.next, self.follows) = (self.first, self.first);
        }
        let mut limit = FIRST;
        while !self.whole && self.next <= work.committed {
            let entries = facts.arrivals(self.next, limit.min(work.take()?)).await?;
            limit = PAGE;
            work.left -= entries.len().min(work.left);
            self.scan(&entries, shifts, work.committed);
            if entries.is_empty() {
                break;
            }
        }
        self.read_late(facts, shifts, work).await?;
        work.start = Some(self.follows);
        Ok(())
    }

    fn scan(&mut self, entries: &[ArrivalEntry], shifts: &Shifts, committed: u64) {
        let mut counter = Counter::resume(std::mem::take(&mut self.tally), self.window, shifts);
        for entry in entries.iter().filter(|entry| entry.number <= committed) {
            if entry.arrived_at > moved(self.window.to, USUALLY_WITHIN) {
                self.whole = true;
                break;
            }
            if entry.arrived_at < moved(self.window.to, -USUALLY_AHEAD) {
                self.follows = entry.number + 1;
            }
            take(&mut counter, &mut self.incidents, entry);
            self.next = entry.number + 1;
        }
        self.tally = counter.into_tally();
    }

    async fn read_late(&mut self, facts: &SiteFacts<'_>, shifts: &Shifts, work: &mut Work) -> Result<(), ReportError> {
        let mut wanted = work.late.of(facts, self.window, self.pointed).await?;
        wanted.retain(|number| *number <= work.committed && !(self.first..self.next).contains(number));
        let wanted: Vec<u64> = wanted.into_iter().collect();
        let mut rest = wanted.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BATCH).min(work.take()?));
            let entries = facts.entries(now).await?;
            work.left -= now.len();
            let mut counter = Counter::resume(std::mem::take(&mut self.tally), self.window, shifts);
            entries.iter().for_each(|entry| take(&mut counter, &mut self.incidents, entry));
            self.tally = counter.into_tally();
            self.pointed = now.last().copied().unwrap_or(self.pointed);
            rest = later;
        }
        self.pointed = work.committed;
        Ok(())
    }
}

/// Windows at the calendar's ends stay where they are.
fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

fn take(counter: &mut Counter<'_>, incidents: &mut BTreeSet<String>, entry: &ArrivalEntry) {
    for line in &entry.lines {
        if line.fact == FactKind::Incident && !line.again && incidents.len() < MOST_INCIDENTS {
            incidents.insert(line.id.clone());
        }
        if let Some(occurrence) = Occurrence::of_line(line) {
            counter.add(&occurrence);
        }
    }
}

impl Work {
    fn take(&self) -> Result<usize, ReportError> {
        match self.left {
            0 => Err(ReportError::Counting),
            left => Ok(left),
        }
    }
}
