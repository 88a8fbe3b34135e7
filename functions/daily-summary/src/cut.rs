//! Days that are due, also those that were missed while nothing ran: each its own, in order.
use crate::{Look, SummaryError};
use domain::summary::window::Window;
use jiff::civil::Date;
use store::reports::Planned;
use store::summaries::{Summary, SummaryState};

/// Days cut in one look; the rest is due at once, again.
const AT_MOST: usize = 7;

impl Look<'_> {
    pub(crate) async fn cut(&self, state: &mut SummaryState, committed: u64) -> Result<usize, SummaryError> {
        let mut cut = 0;
        while cut < AT_MOST {
            let Some((date, window)) = state.next(&self.hour).filter(|(_, window)| window.to <= self.now) else {
                break;
            };
            let summary = self.day(date, window).await?;
            self.ask(&summary).await?;
            state.last = Some(summary.cut());
            // What stood in the log before this day was counted is in it, or was looked for before.
            state.looked_to = committed;
            self.keep(state).await?;
            cut += 1;
        }
        Ok(cut)
    }

    /// Counts a day that is due. One that a look before has kept and not moved on from keeps its window, shifts and names; it is
    /// counted again, for what came since.
    async fn day(&self, date: Date, window: Window) -> Result<Summary, SummaryError> {
        let summaries = self.summaries();
        let kept = summaries.get(date).await?;
        let planned = match &kept {
            Some(kept) => Planned::of(kept, self.site),
            None => Planned::new(date, window, self.site),
        };
        let previous = self.reports.before(date, planned.window, self.now).await?;
        let day = self.reports.noted(&planned, previous, self.now).await?;
        let revision = match kept {
            Some(kept) if kept.day == day => return Ok(kept),
            Some(kept) => kept.revision + 1,
            None => 1,
        };
        let summary = Summary { day, shifts: Some(planned.shifts), revision, counted_at: self.now };
        match summaries.put(&summary).await? {
            true => Ok(summary),
            false => Err(SummaryError::Busy),
        }
    }
}
