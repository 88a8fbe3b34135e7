//! A day as its note has it: what came in time, counted on from where the day was counted before.
use super::count::{Kept, Work};
use super::{DAYS_BEFORE, ReportError, Reports, late};
use domain::summary::AMENDED_FOR;
use domain::summary::count::{Day, Head};
use domain::summary::report::Previous;
use domain::summary::window::Window;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeMap;

impl Reports<'_> {
    /// Counts a day with the day before it. What arrived more than 72 hours after the cut-off is left out. `called`: what zones
    /// were called when the day was counted before; others are called as now.
    pub async fn noted(
        &self,
        (date, window): (Date, Window),
        previous: Previous,
        called: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Day, ReportError> {
        let in_time = window.to.checked_add(AMENDED_FOR).unwrap_or(Timestamp::MAX);
        let kept = match now <= in_time {
            true => self.counted_to_the_end((date, window), now).await?,
            false => self.until((date, window), in_time).await?,
        };
        let incidents = self.incidents(std::slice::from_ref(&kept)).await?;
        let counter = self.counter(&kept, &incidents);
        let mut names = self.names(&kept, counter.tally()).await?;
        names.extend(called.iter().map(|(id, name)| (id.clone(), name.clone())));
        Ok(counter.day(Head { date, time_zone: &self.site.time_zone, previous }, &names))
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
        let window = Window { from, to: window.from };
        let kept = self.counted_to_the_end((before, window), now).await?;
        let incidents = self.incidents(std::slice::from_ref(&kept)).await?;
        let head = Head { date: before, time_zone: &self.site.time_zone, previous: Previous::nothing(before, window) };
        Ok(self.counter(&kept, &incidents).day(head, &BTreeMap::new()).report.as_previous())
    }

    /// However much it is: what each step counted is kept.
    async fn counted_to_the_end(&self, (date, window): (Date, Window), now: Timestamp) -> Result<Kept, ReportError> {
        loop {
            match self.counted(&[(date, window)], now).await {
                Err(ReportError::Counting) => {}
                counted => return Ok(counted?.pop().unwrap_or_else(|| Kept::new(date, window, self.site))),
            }
        }
    }

    /// As the log was at an earlier time. That count is not the day's, and isn't kept.
    async fn until(&self, (date, window): (Date, Window), end: Timestamp) -> Result<Kept, ReportError> {
        let after = end.checked_add(SignedDuration::from_nanos(1)).unwrap_or(end);
        let committed = self.facts.first_arrival_since(after).await? - 1;
        let late = late::between(&self.facts, window.from, window.to).await?;
        let mut kept = Kept::new(date, window, self.site);
        kept.go_on(&self.facts, &self.shifts, &mut Work { committed, left: usize::MAX, late, start: None }).await?;
        Ok(kept)
    }
}
