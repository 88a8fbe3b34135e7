//! A limit that all connections of the app share, whoever they belong to: calls are leased in small blocks from one item, minute by
//! minute. Once somebody had to wait, a lane gets one block a minute, so that a customer with many projects starves nobody.
use crate::budget::Admission;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::lanes::LaneId;
use store::table::{Condition, get_as, item};
use store::{Table, TableError, keys};

/// Calls leased at once: as many as the longest piece of work takes.
const BLOCK: u32 = 3;
/// Whoever leases at the same moment comes in between so often at most: there are fewer blocks in a minute.
const TRIES: usize = 40;
const MINUTE: i64 = 60;

#[async_trait]
pub trait AppLimit: Send + Sync {
    /// Asks for one call. `lane`: who asks; a page that a person waits for is none.
    async fn admit(&self, lane: Option<&LaneId>, now: Timestamp) -> Result<Admission, TableError>;
}

/// What is kept of the minute that was leased from last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Window {
    /// Since 1970.
    minute: i64,
    leased: u32,
    /// By lane.
    lanes: BTreeMap<String, u32>,
    /// Somebody who had nothing yet had to wait.
    waited: bool,
    /// So in the minute before.
    waited_before: bool,
    version: u64,
}

impl Window {
    /// Leases a block, as large as there is room for. `None`: the lane must wait for another minute.
    fn lease(&mut self, lane: &str, minute: i64, limit: u32) -> Option<u32> {
        // A process whose clock is behind leases of the minute that others have.
        if self.minute < minute {
            let waited_before = self.waited && self.minute + 1 == minute;
            *self = Self { minute, waited_before, version: self.version, ..Self::default() };
        }
        let has_some = self.lanes.contains_key(lane);
        let block = BLOCK.min(limit.saturating_sub(self.leased));
        if block == 0 || (has_some && (self.waited || self.waited_before)) {
            self.waited |= !has_some;
            return None;
        }
        *self.lanes.entry(lane.to_owned()).or_default() += block;
        self.leased += block;
        Some(block)
    }
}

/// Kept in the table; what a process leased, it uses up by itself.
pub struct TableLimit {
    table: Arc<dyn Table>,
    name: &'static str,
    /// Calls a minute.
    limit: u32,
    /// By lane: of which minute, and how many are left.
    held: Mutex<BTreeMap<String, (i64, u32)>>,
    /// One leases at a time, so that the others find what it leased.
    leasing: futures::lock::Mutex<()>,
}

impl TableLimit {
    pub fn new(table: Arc<dyn Table>, name: &'static str, limit: u32) -> Self {
        Self { table, name, limit, held: Mutex::default(), leasing: Default::default() }
    }

    fn take_held(&self, lane: &str, minute: i64) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (of, left)| *of >= minute && *left > 0);
        match held.get_mut(lane) {
            Some((_, left)) => {
                *left -= 1;
                true
            }
            None => false,
        }
    }

    fn keep(&self, lane: &str, minute: i64, left: u32) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(lane.to_owned(), (minute, left));
    }
}

#[async_trait]
impl AppLimit for TableLimit {
    async fn admit(&self, lane: Option<&LaneId>, now: Timestamp) -> Result<Admission, TableError> {
        let minute = now.as_second().div_euclid(MINUTE);
        let lane = lane.map_or("a page", |lane| lane.connection_id.as_str());
        if self.take_held(lane, minute) {
            return Ok(Admission::Go);
        }
        let _alone = self.leasing.lock().await;
        if self.take_held(lane, minute) {
            return Ok(Admission::Go);
        }
        let key = keys::app_limit(self.name);
        let next = Timestamp::from_second((minute + 1) * MINUTE).unwrap_or(now);
        let wait = Admission::Pause { until: next, everything: false };
        for _ in 0..TRIES {
            let mut window: Window = get_as(self.table.as_ref(), "a limit of the app", &key).await?.unwrap_or_default();
            let (version, before) = (window.version, (window.minute, window.waited));
            let block = window.lease(lane, minute, self.limit);
            if block.is_none() && before == (window.minute, window.waited) {
                return Ok(wait);
            }
            window.version += 1;
            let condition = match version {
                0 => Condition::Absent,
                version => Condition::Equals("version", version.into()),
            };
            match (self.table.put(item(&key, &window)?, condition).await, block) {
                (Err(TableError::Condition(_)), _) => {}
                (Err(error), _) => return Err(error),
                (Ok(()), None) => return Ok(wait),
                (Ok(()), Some(block)) => {
                    self.keep(lane, window.minute, block - 1);
                    return Ok(Admission::Go);
                }
            }
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whoever asks in whatever order, on clocks that differ by a minute: no minute has more than the limit.
        #[test]
        fn no_minute_has_more_than_the_limit(asks in prop::collection::vec((0u8..40, 0i64..6, 0i64..=1), 1..600)) {
            let (mut window, mut leased) = (Window::default(), BTreeMap::<i64, u32>::new());
            let mut minutes: Vec<_> = asks.into_iter().map(|(lane, minute, behind)| (minute, behind, lane)).collect();
            minutes.sort_by_key(|(minute, _, _)| *minute);
            for (minute, behind, lane) in minutes {
                if let Some(block) = window.lease(&lane.to_string(), minute - behind, 90) {
                    *leased.entry(window.minute).or_default() += block;
                }
            }
            prop_assert!(leased.values().all(|calls| *calls <= 90), "{:?}", leased);
        }

        /// Once somebody with nothing had to wait, nobody gets a second block before them.
        #[test]
        fn who_waited_is_served_first(large in 1u32..200) {
            let mut window = Window::default();
            for _ in 0..large {
                window.lease("large", 1, 90);
            }
            let waits = window.lease("small", 1, 90).is_none();
            prop_assert_eq!(waits, large >= 30);
            if waits {
                prop_assert_eq!(window.lease("large", 2, 90), Some(BLOCK));
                prop_assert_eq!(window.lease("large", 2, 90), None);
                prop_assert_eq!(window.lease("small", 2, 90), Some(BLOCK));
            }
        }
    }
}
