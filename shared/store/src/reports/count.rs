//! One window from the arrival log: the entries that arrived about then, and those that tell of it late. Each is read once.
use super::ReportError;
use super::late::Late;
use crate::counting::{USUALLY_AHEAD, USUALLY_WITHIN};
use crate::directory::Site;
use crate::facts::SiteFacts;
use domain::arrival::ArrivalEntry;
use domain::fact::FactKind;
use domain::settings::Shift;
use domain::summary::count::Counter;
use domain::summary::occurrence::Occurrence;
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
    /// Incidents that entries named: those of the window are among them.
    pub incidents: BTreeSet<String>,
    /// What the zones were called when it was counted last.
    pub names: BTreeMap<String, String>,
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
    /// The last entry that is looked at.
    pub committed: u64,
    pub left: usize,
    pub late: Late,
    /// Where the day before says that this one begins.
    pub start: Option<u64>,
}

impl Kept {
    pub fn new(date: Date, window: Window, site: &Site) -> Self {
        let (tally, incidents, names) = Default::default();
        let (time_zone, shifts) = (site.time_zone.clone(), site.shifts.clone());
        let (first, next, follows, whole, pointed) = (0, 0, 0, false, 0);
        Self { date, window, time_zone, shifts, tally, incidents, names, first, next, follows, whole, pointed }
    }

    pub fn progress(&self) -> Progress {
        Progress { next: self.next, whole: self.whole, pointed: self.pointed }
    }

    pub fn is_worth_keeping(&self, before: Progress) -> bool {
        self.whole != before.whole || self.next.saturating_sub(before.next.max(self.first)) >= WORTH
    }

    /// Counts on, as far as the log goes and the work lets.
    pub async fn go_on(&mut self, facts: &SiteFacts<'_>, shifts: &Shifts, work: &mut Work) -> Result<(), ReportError> {
        if self.first == 0 {
            self.first = match work.start {
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
        if line.fact == FactKind::Incident && !line.again {
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
