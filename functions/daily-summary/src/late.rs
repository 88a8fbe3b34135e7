//! What came late: entries of the arrival log since the last look that tell of a day already cut off, for 72 hours.
use crate::{Look, SummaryError};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::FactKind;
use domain::summary::AMENDED_FOR;
use domain::summary::count::Day;
use domain::summary::occurrence::Occurrence;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;
use store::reports::Planned;
use store::summaries::{Summary, SummaryState};

/// More days than 72 hours can touch, whatever became of the hour.
const DAYS: i64 = 6;
/// Entries read at once.
const PAGE: usize = 100;

impl Look<'_> {
    /// Counts the days again that something late belongs to, and asks for their notes: also where the count comes to the same, for
    /// a look before may have died between the two.
    pub(crate) async fn amend(&self, state: &SummaryState, committed: u64) -> Result<usize, SummaryError> {
        let (Some(last), true) = (state.last, committed > state.looked_to) else { return Ok(0) };
        let days = self.summaries().between(last.date.saturating_sub(DAYS.days()), last.date).await?;
        let touched = match days.is_empty() {
            true => BTreeSet::new(),
            false => self.touched(&days, state.looked_to + 1, committed).await?,
        };
        let (mut amended, mut before): (usize, Option<Summary>) = (0, None);
        for day in days {
            let counted = match touched.contains(&day.date()) {
                true => self.again(&day, before.as_ref()).await?,
                false => follow(&day, before.as_ref().filter(|before| touched.contains(&before.date()))),
            };
            let changed = counted != day.day;
            let day = match changed {
                true => self.replace(&day, counted).await?,
                false => day,
            };
            if changed || touched.contains(&day.date()) {
                self.ask(&day).await?;
            }
            amended += usize::from(changed);
            before = Some(day);
        }
        Ok(amended)
    }

    /// The days that entries of these numbers tell of.
    async fn touched(&self, days: &[Summary], first: u64, last: u64) -> Result<BTreeSet<Date>, SummaryError> {
        let mut touched = BTreeSet::new();
        let mut next = first;
        while next <= last {
            let entries = self.summaries().facts().arrivals(next, PAGE).await?;
            let Some(end) = entries.last().map(|entry| entry.number) else { break };
            for entry in entries.iter().filter(|entry| entry.number <= last) {
                touched.extend(days.iter().filter(|day| touches(entry, day)).map(Summary::date));
            }
            next = end + 1;
        }
        Ok(touched)
    }

    async fn again(&self, day: &Summary, before: Option<&Summary>) -> Result<Day, SummaryError> {
        let report = &day.day.report;
        let previous =
            before.filter(|before| before.cut().to == report.window.from).map(|before| before.day.report.as_previous());
        let previous = previous.unwrap_or_else(|| report.previous.clone());
        Ok(self.reports.noted(&Planned::of(day, self.site), previous, self.now).await?)
    }

    async fn replace(&self, day: &Summary, counted: Day) -> Result<Summary, SummaryError> {
        let shifts = day.shifts.clone();
        let next = Summary { day: counted, shifts, revision: day.revision + 1, counted_at: self.now };
        match self.summaries().put(&next).await? {
            true => Ok(next),
            false => Err(SummaryError::Busy),
        }
    }
}

/// Whether an entry changes what a day counts, and came in time for its note.
fn touches(entry: &ArrivalEntry, day: &Summary) -> bool {
    let window = day.day.report.window;
    let tells = |line: &ArrivalLine| match line.fact {
        _ if line.again => false,
        // Its fact alone tells of when it was confirmed, before and now.
        FactKind::Incident => true,
        FactKind::Detection | FactKind::PpeSample => {
            window.holds(Occurrence::of_line(line).map_or(line.time, |occurrence| occurrence.at()))
        }
        FactKind::Zone | FactKind::Worker => false,
    };
    entry.arrived_at <= window.to + AMENDED_FOR && entry.lines.iter().any(tells)
}

/// The day as it was, but for the change against a day before that was counted again.
fn follow(day: &Summary, before: Option<&Summary>) -> Day {
    let mut same = day.day.clone();
    if let Some(before) = before.filter(|before| before.cut().to == same.report.window.from) {
        same.report.previous = before.day.report.as_previous();
    }
    same
}
