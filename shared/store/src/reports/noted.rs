//! A day as its note has it: what came in time, counted on from where the day was counted before.
use super::count::{Kept, Work};
use super::{DAYS_BEFORE, Planned, ReportError, Reports, late};
use domain::summary::AMENDED_FOR;
use domain::summary::count::{Day, Head};
use domain::summary::report::Previous;
use domain::summary::window::Window;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

impl Reports<'_> {
    /// Counts a day with the day before it. What arrived more than 72 hours after the cut-off is left out.
    pub async fn noted(&self, day: &Planned, previous: Previous, now: Timestamp) -> Result<Day, ReportError> {
        let in_time = day.window.to.checked_add(AMENDED_FOR).unwrap_or(Timestamp::MAX);
        let kept = match now <= in_time {
            true => self.counted_to_the_end(day, now).await?,
            false => self.until(day, in_time).await?,
        };
        let incidents = self.incidents(std::slice::from_ref(&kept)).await?;
        let shifts = kept.told_by()?;
        let counter = kept.counter(&shifts, &incidents);
        let names = self.names(&kept, counter.tally()).await?;
        Ok(counter.day(Head { date: day.date, time_zone: &day.time_zone, previous }, &names))
    }

    /// The day before a window, in the members that its change is told of.
    pub async fn before(&self, date: Date, window: Window, now: Timestamp) -> Result<Previous, ReportError> {
        let before = date.yesterday().unwrap_or(Date::MIN);
        // A date may have been skipped when hour or zone changed.
        let earliest = before.saturating_sub(DAYS_BEFORE.days());
        let cut = self.summaries().between(earliest, before).await?.pop();
        if let Some(cut) = cut.filter(|cut| cut.cut().to == window.from) {
            return Ok(cut.day.report.as_previous());
        }
        let from = self.hour.cut_off(before.yesterday().unwrap_or(Date::MIN)).min(window.from);
        let day = Planned::new(before, Window { from, to: window.from }, self.site);
        let kept = self.counted_to_the_end(&day, now).await?;
        let incidents = self.incidents(std::slice::from_ref(&kept)).await?;
        Ok(kept.as_previous(&incidents)?)
    }

    /// However much it is: what each step counted is kept.
    async fn counted_to_the_end(&self, day: &Planned, now: Timestamp) -> Result<Kept, ReportError> {
        loop {
            match self.counted(std::slice::from_ref(day), now).await {
                Err(ReportError::Counting) => {}
                counted => return Ok(counted?.pop().unwrap_or_else(|| Kept::new(day))),
            }
        }
    }

    /// As the log was at an earlier time. That count is not the day's, and isn't kept.
    async fn until(&self, day: &Planned, end: Timestamp) -> Result<Kept, ReportError> {
        let after = end.checked_add(SignedDuration::from_nanos(1)).unwrap_or(end);
        let committed = self.facts.first_arrival_since(after).await? - 1;
        let late = late::between(&self.facts, day.window.from, day.window.to).await?;
        let mut kept = Kept::new(day);
        let site_made = self.site.created_at;
        let mut work = Work { site_made, committed, left: usize::MAX, late, start: None };
        kept.go_on(&self.facts, &mut work).await?;
        Ok(kept)
    }
}
