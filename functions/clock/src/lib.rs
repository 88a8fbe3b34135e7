//! Each minute: rings the lanes that are due, and tells the bus of sites that are, then moves their due time ten minutes on. The
//! work itself sets the right times when it is done; so a ring that died is rung again from here.
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use store::bell::Bell;
use store::bus::Bus;
use store::due::{self, Due, Owner};
use store::{Key, Table, TableError};

/// Rung at once.
const AT_ONCE: usize = 16;
/// No page is begun later: what is left is rung in the next minute.
const RUN_FOR: Duration = Duration::from_secs(40);
const PAGE: usize = 100;
/// What the bus's rule for `daily-summary` matches.
pub const SITE_DUE: &str = "Summary Due";

#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    #[error("what is due could not be read: {0}")]
    Table(#[from] TableError),
    #[error("{failed} of {due} that are due could not be rung, the first one: {first}")]
    Rings { failed: usize, due: usize, first: String },
}

/// Rings all that is due. Some failing does not hold the others up; an error tells of them, and the next minute tries again.
pub async fn tick(table: &dyn Table, bell: &dyn Bell, bus: &dyn Bus, now: Timestamp) -> Result<usize, ClockError> {
    let begun = Instant::now();
    let mut rung = 0;
    let mut failures: Vec<ClockError> = Vec::new();
    for shard in due::shards() {
        // They stay due: those behind them are reached all the same.
        let mut failed: BTreeSet<Key> = BTreeSet::new();
        while begun.elapsed() < RUN_FOR {
            let lanes = match due::overdue(table, &shard, now, PAGE, &failed).await {
                Ok(lanes) => lanes,
                Err(error) => {
                    failures.push(error.into());
                    break;
                }
            };
            let found = lanes.len();
            let outcomes: Vec<(Key, Result<(), ClockError>)> = stream::iter(lanes)
                .map(async |(key, due)| (key, ring(table, bell, bus, due, now).await))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            for (key, outcome) in outcomes {
                match outcome {
                    Ok(()) => rung += 1,
                    Err(error) => {
                        failed.insert(key);
                        failures.push(error);
                    }
                }
            }
            if found < PAGE {
                break;
            }
        }
    }
    match failures.first() {
        None => Ok(rung),
        Some(first) => {
            Err(ClockError::Rings { failed: failures.len(), due: rung + failures.len(), first: first.to_string() })
        }
    }
}

async fn ring(
    table: &dyn Table,
    bell: &dyn Bell,
    bus: &dyn Bus,
    due: Result<Due, TableError>,
    now: Timestamp,
) -> Result<(), ClockError> {
    let due = due?;
    let single = |first: String| ClockError::Rings { failed: 1, due: 1, first };
    match &due.owner {
        Owner::Lane(lane) => bell.ring(lane).await.map_err(|error| single(error.to_string()))?,
        Owner::Site(site) => {
            bus.publish(SITE_DUE, json!(site)).await.map_err(|error| single(error.to_string()))?;
        }
    }
    Ok(due::move_on(table, &due, now).await?)
}
