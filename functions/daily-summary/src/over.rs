//! Days whose 72 hours are over: where a platform's form is then to be submitted, its lane is asked once more.
use crate::{LOOKS_APART, Look, SummaryError};
use jiff::ToSpan;
use store::summaries::{SummaryState, submits_summaries};

/// Where it was never asked before, days from so long ago are.
const DAYS: i64 = 6;

impl Look<'_> {
    /// Asks, then notes how far: who died between the two asks again, which changes nothing. An hour late, so that what arrived at
    /// the last moment is counted, and a lane whose clock is behind sees that the day is over.
    pub(crate) async fn close(&self, state: &mut SummaryState) -> Result<(), SummaryError> {
        let Some(last) = state.last.filter(|_| self.routes.iter().any(submits_summaries)) else { return Ok(()) };
        let from = match state.final_to {
            Some(date) => date.saturating_add(1.day()),
            None => last.date.saturating_sub(DAYS.days()),
        };
        if from > last.date {
            return Ok(());
        }
        let days = self.summaries().between(from, last.date).await?;
        let over = days.into_iter().take_while(|day| day.is_final(self.now - LOOKS_APART));
        let mut reached = None;
        for day in over {
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
