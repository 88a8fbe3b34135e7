//! When a lane must be rung from outside: one item per lane, with a time per reason. `due_at` is the least of them, in a sparse,
//! sharded index. Every change is one write, conditional on the version read.
use crate::keys;
use crate::lanes::LaneId;
use crate::table::{Condition, Key, Table, TableError, instant, item, read};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lanes are spread over so many partitions of the index.
pub const SHARDS: u8 = 8;
/// A ring that has not been answered by then is repeated.
pub const RING_AGAIN: SignedDuration = SignedDuration::from_mins(10);
const CHANGE_TRIES: usize = 5;

/// Why a lane must run at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was rung and has not ended its work.
    Rung,
    /// Waiting todos (next try, unclear answer).
    NextTry,
    /// The platform, or our budget, asked for a pause.
    Pause,
    /// Late doubles are looked for.
    Sweep,
    /// The timed re-read.
    Reread,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    pub lane: LaneId,
    pub reasons: BTreeMap<Reason, Timestamp>,
    #[serde(default)]
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

impl Due {
    fn new(lane: LaneId) -> Self {
        Self { lane, reasons: BTreeMap::new(), version: 0, due_shard: None, due_at: None }
    }

    pub fn at(&self) -> Option<Timestamp> {
        self.due_at.as_deref().and_then(|at| at.parse().ok())
    }

    fn place(&mut self, at: Option<Timestamp>) {
        self.due_at = at.map(instant);
        self.due_shard = at.map(|_| shard(&self.lane));
    }
}

pub fn shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|n| format!("DUE#{n}"))
}

fn shard(lane: &LaneId) -> String {
    let sum = lane.connection_id.as_str().bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    format!("DUE#{}", sum % SHARDS)
}

pub async fn get(table: &dyn Table, lane: &LaneId) -> Result<Due, TableError> {
    let found = table.get(&keys::due(&lane.pk())).await?;
    found.map_or_else(|| Ok(Due::new(lane.clone())), |item| read("a due item", item))
}

/// Changes the reasons by `change` and places the item at the least of them; no write where nothing changes.
pub async fn change(
    table: &dyn Table,
    lane: &LaneId,
    mut change: impl FnMut(&mut BTreeMap<Reason, Timestamp>),
) -> Result<(), TableError> {
    for _ in 0..CHANGE_TRIES {
        let mut due = get(table, lane).await?;
        let before = due.clone();
        change(&mut due.reasons);
        let at = due.reasons.values().min().copied();
        due.place(at);
        if due == before || put(table, due).await? {
            return Ok(());
        }
    }
    Err(TableError::Unavailable("the due item kept changing".into()))
}

/// Makes sure that the lane is rung again in ten minutes at the latest, should the ring that follows die.
pub async fn arm(table: &dyn Table, lane: &LaneId, now: Timestamp) -> Result<(), TableError> {
    let again = now + RING_AGAIN;
    change(table, lane, |reasons| {
        let standing = reasons.get(&Reason::Rung).is_some_and(|at| *at <= again);
        if !standing {
            reasons.insert(Reason::Rung, again);
        }
    })
    .await
}

/// Takes the arm back, when the lane has nothing left to do. Look for todos once more *after* this.
pub async fn disarm(table: &dyn Table, lane: &LaneId) -> Result<(), TableError> {
    change(table, lane, |reasons| {
        reasons.remove(&Reason::Rung);
    })
    .await
}

/// Lanes that are due; each by itself, so that an item that does not read holds nobody else up.
pub async fn overdue(
    table: &dyn Table,
    shard: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Result<Due, TableError>>, TableError> {
    let keys: Vec<Key> = table.due(shard, now, limit).await?;
    let items = table.get_many(&keys).await?;
    let due = items.into_iter().map(|item| read::<Due>("a due item", item));
    Ok(due.filter(|due| due.as_ref().map_or(true, |due| due.at().is_some_and(|at| at <= now))).collect())
}

/// After ringing: moves `due_at` ten minutes on, only if the item is still what was read. The reasons stay: the lane's run sets
/// the right time.
pub async fn move_on(table: &dyn Table, due: &Due, now: Timestamp) -> Result<(), TableError> {
    let mut next = due.clone();
    next.place(Some(now + RING_AGAIN));
    put(table, next).await.map(|_| ())
}

async fn put(table: &dyn Table, mut due: Due) -> Result<bool, TableError> {
    let condition = match due.version {
        0 => Condition::Absent,
        version => Condition::Equals("version", version.into()),
    };
    due.version += 1;
    match table.put(item(&keys::due(&due.lane.pk()), &due)?, condition).await {
        Ok(()) => Ok(true),
        Err(TableError::Condition(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
