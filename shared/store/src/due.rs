//! When a lane must be rung, or a site looked at, from outside: one item each, with a time per reason. `due_at` is the least of
//! them, in a sparse, sharded index. Every change is one write, conditional on the version read.
use crate::keys;
use crate::lanes::LaneId;
use crate::table::{Condition, Item, Key, Table, TableError, instant, item, read};
use domain::ids::{OrganizationId, SiteId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is due is spread over so many partitions of the index. DynamoDB takes a thousand writes a second in each; the clock looks
/// into each every minute.
pub const SHARDS: u8 = 4;
/// A ring, or a look at a site, that has not been answered by then is repeated.
pub const RING_AGAIN: SignedDuration = SignedDuration::from_mins(10);
const CHANGE_TRIES: usize = 5;

/// Whose alarm it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Lane(LaneId),
    Site(SiteRef),
}

/// A site of an organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SiteRef {
    pub organization_id: OrganizationId,
    pub site_id: SiteId,
}

impl From<&LaneId> for Owner {
    fn from(lane: &LaneId) -> Self {
        Owner::Lane(lane.clone())
    }
}

impl From<&SiteRef> for Owner {
    fn from(site: &SiteRef) -> Self {
        Owner::Site(site.clone())
    }
}

impl Owner {
    fn key(&self) -> Key {
        match self {
            Owner::Lane(lane) => keys::due(&lane.pk()),
            Owner::Site(site) => keys::site_due(&site.organization_id, &site.site_id),
        }
    }

    fn id(&self) -> &str {
        match self {
            Owner::Lane(lane) => lane.connection_id.as_str(),
            Owner::Site(site) => site.site_id.as_str(),
        }
    }

    fn shard(&self) -> String {
        let sum = self.id().bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        format!("DUE#{}", sum % SHARDS)
    }
}

/// Why a lane must run at a time, or a site be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was rung and has not ended its work.
    Rung,
    /// Waiting todos (next try, unclear answer).
    NextTry,
    /// The platform, or our budget, asked for a pause.
    Pause,
    /// The timed re-read.
    Reread,
    /// A site's: its day is cut off.
    Summary,
    /// A site's: what arrived late is looked for.
    Amendment,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    #[serde(flatten)]
    pub owner: Owner,
    pub reasons: BTreeMap<Reason, Timestamp>,
    #[serde(default)]
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

impl Due {
    fn new(owner: Owner) -> Self {
        Self { owner, reasons: BTreeMap::new(), version: 0, due_shard: None, due_at: None }
    }

    pub fn at(&self) -> Option<Timestamp> {
        self.due_at.as_deref().and_then(|at| at.parse().ok())
    }

    fn place(&mut self, at: Option<Timestamp>) {
        self.due_at = at.map(instant);
        self.due_shard = at.map(|_| self.owner.shard());
    }

    /// The same with other reasons, placed at the least of them, as a write for a transaction. `None`: nothing changes.
    pub fn changed(
        &self,
        change: impl FnOnce(&mut BTreeMap<Reason, Timestamp>),
    ) -> Result<Option<(Item, Condition)>, TableError> {
        let mut next = self.clone();
        change(&mut next.reasons);
        let at = next.reasons.values().min().copied();
        next.place(at);
        match next == *self {
            true => Ok(None),
            false => write(next).map(Some),
        }
    }
}

pub fn shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|n| format!("DUE#{n}"))
}

pub async fn get(table: &dyn Table, owner: impl Into<Owner>) -> Result<Due, TableError> {
    let owner = owner.into();
    let found = table.get(&owner.key()).await?;
    found.map_or_else(|| Ok(Due::new(owner)), |item| read("a due item", item))
}

/// Changes the reasons by `change` and places the item at the least of them; no write where nothing changes.
pub async fn change(
    table: &dyn Table,
    owner: impl Into<Owner>,
    mut change: impl FnMut(&mut BTreeMap<Reason, Timestamp>),
) -> Result<(), TableError> {
    let owner = owner.into();
    for _ in 0..CHANGE_TRIES {
        let found = table.get(&owner.key()).await?;
        let due = found.map_or_else(|| Ok(Due::new(owner.clone())), |item| read("a due item", item))?;
        let Some((item, condition)) = due.changed(&mut change)? else { return Ok(()) };
        if put(table, item, condition).await? {
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

/// So many lanes and sites that are due; each by itself, so that an item that does not read holds nobody else up. Those that were
/// tried already and stay due are passed over.
pub async fn overdue(
    table: &dyn Table,
    shard: &str,
    now: Timestamp,
    limit: usize,
    tried: &BTreeSet<Key>,
) -> Result<Vec<(Key, Result<Due, TableError>)>, TableError> {
    let mut keys: Vec<Key> = table.due(shard, now, limit + tried.len()).await?;
    keys.retain(|key| !tried.contains(key));
    let items = table.get_many(&keys).await?;
    let due = items.into_iter().map(|item| (key_of(&item), read::<Due>("a due item", item)));
    let stands = |due: &Result<Due, TableError>| due.as_ref().map_or(true, |due| due.at().is_some_and(|at| at <= now));
    Ok(due.filter(|(_, due)| stands(due)).collect())
}

fn key_of(item: &Item) -> Key {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    Key::new(text("pk"), text("sk"))
}

/// After ringing: moves `due_at` ten minutes on, only if the item is still what was read. The reasons stay: whoever was rung sets
/// the right time.
pub async fn move_on(table: &dyn Table, due: &Due, now: Timestamp) -> Result<(), TableError> {
    let mut next = due.clone();
    next.place(Some(now + RING_AGAIN));
    let (item, condition) = write(next)?;
    put(table, item, condition).await.map(|_| ())
}

/// A due item at its next version, on condition of the one that was read.
fn write(mut due: Due) -> Result<(Item, Condition), TableError> {
    let condition = match due.version {
        0 => Condition::Absent,
        version => Condition::Equals("version", version.into()),
    };
    due.version += 1;
    Ok((item(&due.owner.key(), &due)?, condition))
}

async fn put(table: &dyn Table, item: Item, condition: Condition) -> Result<bool, TableError> {
    match table.put(item, condition).await {
        Ok(()) => Ok(true),
        Err(TableError::Condition(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
