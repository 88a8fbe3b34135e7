//! How a day's entries are found in the arrival log: what usually arrives about when it happens by its time, what came much later
//! (or from a clock ahead of ours) by pointers that the router leaves at its day. [`crate::reports`] counts them.
use crate::facts::SiteFacts;
use crate::keys;
use crate::table::{Item, Key, TableError, item};
use domain::fact::Fact;
use domain::summary::occurrence::Occurrence;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// What arrives within this time after it happened is found by its place in the log.
pub const USUALLY_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Clocks of edges are ahead of ours by this at most, or are pointed to.
pub const USUALLY_AHEAD: SignedDuration = SignedDuration::from_mins(10);

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

#[derive(Serialize)]
struct Stray {
    number: u64,
}

/// Pointers of one site.
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
}
