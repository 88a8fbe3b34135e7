//! A connection's hooks at its platform, and what is known of the events that they brought.
use crate::keys;
use crate::lanes::Lane;
use crate::table::{Condition, TableError, get_as, item};
use domain::ids::ConnectionId;
use domain::record::{RecordKey, RecordKind};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Secrets that were given to a hook and may still be in use, the newest first: which of them the platform took in is not known
/// where an answer was lost.
const SECRETS: usize = 3;
/// A delivery that was seen is known again for this long.
const SEEN_FOR: SignedDuration = SignedDuration::from_hours(48);

/// All hooks of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// Our own user at the platform: its events are no news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_user: Option<String>,
    #[serde(default)]
    pub projects: BTreeMap<String, Hook>,
}

/// The hook of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What its events are known by. An Authorization value: as SHA-256, hexadecimal, the value itself being nowhere but at the
    /// platform. A secret that events are signed with: sealed. A hook that is mended gets a new one.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Not looked at again before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check: Option<Timestamp>,
    /// Why it could not be made, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Hook {
    /// Notes a secret, hashed or sealed, before the platform gets it.
    pub fn add_secret(&mut self, secret: String) {
        self.secrets.insert(0, secret);
        self.secrets.truncate(SECRETS);
    }
}

/// Which record of ours stands at a platform under an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteRecord {
    pub record: RecordKey,
    pub project_id: String,
}

impl Lane<'_> {
    pub async fn hooks(&self) -> Result<Hooks, TableError> {
        Ok(get_as(self.table, "hooks", &keys::hooks(&self.id.pk())).await?.unwrap_or_default())
    }

    pub async fn put_hooks(&self, hooks: &Hooks) -> Result<(), TableError> {
        self.table.put(item(&keys::hooks(&self.id.pk()), hooks)?, Condition::Always).await
    }

    /// Noted before the link names the remote id, so that an event never finds a link without it.
    pub async fn put_remote(&self, kind: RecordKind, id: &str, remote: &RemoteRecord) -> Result<(), TableError> {
        self.table.put(item(&keys::remote(&self.id.pk(), kind, id), remote)?, Condition::Always).await
    }

    pub async fn remote(&self, kind: RecordKind, id: &str) -> Result<Option<RemoteRecord>, TableError> {
        get_as(self.table, "a remote record", &keys::remote(&self.id.pk(), kind, id)).await
    }

    /// Of whichever kind.
    pub async fn remote_of_any_kind(&self, id: &str) -> Result<Option<RemoteRecord>, TableError> {
        for kind in [RecordKind::Observation, RecordKind::Incident] {
            if let Some(found) = self.remote(kind, id).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub async fn was_seen(&self, delivery: &str) -> Result<bool, TableError> {
        Ok(self.table.get(&keys::seen(&self.id.pk(), delivery)).await?.is_some())
    }

    pub async fn mark_seen(&self, delivery: &str, now: Timestamp) -> Result<(), TableError> {
        let expires_at = now.as_second() + SEEN_FOR.as_secs();
        let seen = serde_json::json!({"expires_at": expires_at});
        self.table.put(item(&keys::seen(&self.id.pk(), delivery), &seen)?, Condition::Always).await
    }
}

/// The key in a hook's address: it names the connection, and opens nothing by itself.
pub fn connection_of(key: &str) -> Option<ConnectionId> {
    key.parse().ok()
}
