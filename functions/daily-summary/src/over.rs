//! Days that nothing changes any more: where a platform's form is then to be submitted, its lane is asked once more.
use crate::{Look, SummaryError};
use jiff::ToSpan;
use store::summaries::{SummaryState, submits_summaries};

/// Days from so long ago are caught up with, where it was not asked for before, or nobody was to submit for a while.
const DAYS: i64 = 6;

impl Look<'_> {
    /// Asks, then notes how far: who died between the two asks again, which changes nothing.
    pub(crate) async fn close(&self, state: &mut SummaryState) -> Result<(), SummaryError> {
        let Some(last) = state.last.filter(|_| self.routes.iter().any(submits_summaries)) else { return Ok(()) };
        let earliest = last.date.saturating_sub(DAYS.days());
        let from = state.final_to.map_or(earliest, |date| earliest.max(date.saturating_add(1.day())));
        if from > last.date {
            return Ok(());
        }
        let days = self.summaries().between(from, last.date).await?;
        let mut reached = None;
        for day in days.into_iter().take_while(|day| day.is_final(self.now)) {
            self.ask_lanes(&day, submits_summaries).await?;
            reached = Some(day.date());
        }
        if reached.is_some() {
            state.final_to = reached;
            self.keep(state).await?;
        }
        Ok(())
    }
}
