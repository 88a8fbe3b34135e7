//! What people add to a fact where they work: injuries with treatment, a status, comments. Kept beside the fact's own content,
//! so that nothing that renders a record for a platform can send it onward. Listed members only: never a person's name.
//!
//! What came in is kept as it came. The outcome and the totals are derived by 29 CFR 1904.7: the most serious outcome counts,
//! days are capped at 180 as on Form 300.
pub mod change;

use crate::event::Outcome;
use crate::ids::{ConnectionId, Provider};
use crate::merge::hash;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Form 300 counts no further.
pub const MOST_DAYS: u32 = 180;
/// One incident's injuries by one source, its comments, and the changes that are remembered.
pub const MOST_INJURIES: usize = 50;
pub const MOST_COMMENTS: usize = 50;
const MOST_CHANGES: usize = 20;
/// Characters of a free text, and of any other member.
pub const LONGEST_TEXT: usize = 2_000;
pub const LONGEST_MEMBER: usize = 200;

/// The filing types that Procore knows, and what each says about the outcome.
pub const FILING_TYPES: [(&str, Option<Outcome>); 7] = [
    ("fatality", Some(Outcome::Death)),
    ("lost_time", Some(Outcome::DaysAway)),
    ("restricted_work", Some(Outcome::JobTransferOrRestriction)),
    ("medically_treated", Some(Outcome::OtherRecordable)),
    ("first_aid", None),
    ("refused_care", None),
    ("report_only", None),
];

/// Who told us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Platform {
        connection_id: ConnectionId,
        provider: Provider,
    },
    /// A key of the API, by its name.
    Api {
        key_name: String,
    },
}

impl Source {
    /// The word that is shown: the platform, or `api:<key name>`.
    pub fn label(&self) -> String {
        match self {
            Source::Platform { provider, .. } => provider.as_str().to_owned(),
            Source::Api { key_name } => format!("api:{key_name}"),
        }
    }

    /// What it is kept under: two connections to one kind of platform are two sources.
    pub fn key(&self) -> String {
        match self {
            Source::Platform { connection_id, .. } => format!("connection:{connection_id}"),
            Source::Api { key_name } => format!("api:{key_name}"),
        }
    }
}

/// One injury or illness, as a source told it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Injury {
    /// The source's own id of it.
    pub remote_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filing_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment_facility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treated_in_er: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hospitalized_overnight: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_away: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_restricted: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_transferred: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_returned_to_work: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_death: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl Injury {
    /// The outcome that follows from it; `None`: nothing says that it is more than first aid.
    pub fn outcome(&self) -> Option<Outcome> {
        let filed = FILING_TYPES.iter().find(|(name, _)| self.filing_type.as_deref() == Some(*name));
        let said = Outcome::ALL.iter().find(|(name, _)| self.disposition.as_deref() == Some(*name));
        let some = |days: Option<u32>| days.is_some_and(|days| days > 0);
        let follows = [
            self.date_of_death.is_some().then_some(Outcome::Death),
            some(self.days_away).then_some(Outcome::DaysAway),
            (some(self.days_restricted) || some(self.days_transferred)).then_some(Outcome::JobTransferOrRestriction),
            filed.and_then(|(_, outcome)| *outcome),
            said.map(|(_, outcome)| *outcome),
        ];
        most_serious(follows.into_iter().flatten())
    }

    /// Every member that counts as content, by its name.
    fn members(&self) -> BTreeMap<String, Value> {
        match serde_json::to_value(Self { updated_at: None, ..self.clone() }) {
            Ok(Value::Object(members)) => members.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }
}

fn most_serious(outcomes: impl Iterator<Item = Outcome>) -> Option<Outcome> {
    let rank = |outcome: &Outcome| Outcome::ALL.iter().position(|(_, each)| each == outcome);
    outcomes.min_by_key(rank)
}

/// What a source says of a fact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub injuries: Vec<Injury>,
    /// In the platform's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
    /// When it was last changed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl Account {
    /// Names the content. When it was touched is no content; nor is the order in which the platform lists.
    pub fn hash(&self) -> String {
        let mut injuries: Vec<Value> = self.injuries.iter().map(|injury| json!(injury.members())).collect();
        injuries.sort_by_key(Value::to_string);
        hash(&json!([injuries, self.status, self.comments]))
    }

    /// In the order of the source's ids (numbers by their value), and no more than are kept.
    pub fn tidy(mut self) -> Self {
        self.injuries.sort_by(|a, b| (a.remote_id.len(), &a.remote_id).cmp(&(b.remote_id.len(), &b.remote_id)));
        self.injuries.dedup_by(|a, b| a.remote_id == b.remote_id);
        self.injuries.truncate(MOST_INJURIES);
        self.comments.truncate(MOST_COMMENTS);
        self
    }
}

/// News from a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// All that stands there now.
    All(Account),
    /// One injury, beside the others of this source.
    One(Box<Injury>),
    /// The connection was removed: what came through it goes, and with it what was noted of its changes.
    Forget,
}

/// News with its place: of one source and subject, the higher `order` wins whatever the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub source: Source,
    pub told: Told,
    pub order: u64,
    pub at: Timestamp,
}

/// What became of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Changed,
    /// The same again, at a later order: kept, so that what lies between can't come to stand after it.
    Same,
    Older,
}

/// What one source told, with the orders that it was told at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub source: Source,
    pub account: Account,
    #[serde(default)]
    order: u64,
    /// Of injuries that come one at a time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    orders: BTreeMap<String, u64>,
}

/// A change: when, where from, which members. The members' former values are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub revision: u64,
    pub at: Timestamp,
    pub source: String,
    pub changed: Vec<String>,
    /// The source's key, since two connections to one kind of platform have the same word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
}

/// Stands for the members where all that a source told was erased.
const ERASED: &str = "erased";

impl Change {
    /// Whether a source that is forgotten takes it along. A change of before keys were noted goes with its word.
    fn told_by(&self, source: &Source) -> bool {
        let same = if self.key.is_empty() { self.source == source.label() } else { self.key == source.key() };
        same && self.changed != [ERASED]
    }
}

/// What all sources told of one fact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Treatment {
    /// Grows with each change.
    pub revision: u64,
    pub sources: BTreeMap<String, Kept>,
    /// The last changes, the newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Change>,
}

impl Treatment {
    pub fn is_untold(&self) -> bool {
        self.sources.is_empty()
    }

    /// Takes news in.
    pub fn apply(&mut self, update: &Update) -> Applied {
        let key = update.source.key();
        let fresh =
            Kept { source: update.source.clone(), account: Account::default(), order: 0, orders: BTreeMap::new() };
        let before = self.sources.get(&key).cloned().unwrap_or(fresh);
        let Some(after) = next(&before, update) else { return Applied::Older };
        let mut changed = differences(&before.account, &after.account);
        self.sources.insert(key.clone(), after);
        if update.told == Told::Forget {
            let rows = self.history.len();
            self.history.retain(|change| !change.told_by(&update.source));
            if !changed.is_empty() || self.history.len() < rows {
                changed = vec![ERASED.to_owned()];
            }
        }
        if changed.is_empty() {
            return Applied::Same;
        }
        self.revision += 1;
        let source = update.source.label();
        self.history.push(Change { revision: self.revision, at: update.at, source, changed, key });
        let beyond = self.history.len().saturating_sub(MOST_CHANGES);
        self.history.drain(..beyond);
        Applied::Changed
    }

    /// All injuries, each with its source.
    pub fn injuries(&self) -> impl Iterator<Item = (&Source, &Injury)> {
        self.sources.values().flat_map(|kept| kept.account.injuries.iter().map(|injury| (&kept.source, injury)))
    }

    /// What one connection's people did to the record.
    pub fn of_connection(&self, connection: &ConnectionId) -> Option<&Account> {
        let told = |kept: &&Kept| matches!(&kept.source, Source::Platform { connection_id, .. } if connection_id == connection);
        self.sources.values().find(told).map(|kept| &kept.account)
    }

    /// Form 300, columns G to J: exactly one, the most serious. A recordable case with an injury is at least "other".
    pub fn outcome(&self, recordable: bool) -> Option<Outcome> {
        let least = (recordable && self.injuries().next().is_some()).then_some(Outcome::OtherRecordable);
        most_serious(self.injuries().filter_map(|(_, injury)| injury.outcome()).chain(least))
    }

    /// Column K.
    pub fn days_away(&self) -> Option<u32> {
        self.days(|injury| injury.days_away)
    }

    /// Column L.
    pub fn days_restricted_or_transferred(&self) -> Option<u32> {
        self.days(|injury| match (injury.days_restricted, injury.days_transferred) {
            (None, None) => None,
            (restricted, transferred) => Some(restricted.unwrap_or(0).saturating_add(transferred.unwrap_or(0))),
        })
    }

    /// A source's injuries add up; two sources speak of the same case, so the one that counts more stands for both.
    fn days(&self, of: impl Fn(&Injury) -> Option<u32>) -> Option<u32> {
        let sum = |kept: &Kept| {
            let days: Vec<u32> = kept.account.injuries.iter().filter_map(&of).collect();
            (!days.is_empty()).then(|| days.iter().fold(0u32, |sum, days| sum.saturating_add(*days)))
        };
        self.sources.values().filter_map(sum).max().map(|days| days.min(MOST_DAYS))
    }
}

/// What a source's account becomes. `None`: the news is older than what is known.
fn next(before: &Kept, update: &Update) -> Option<Kept> {
    let mut after = before.clone();
    match &update.told {
        Told::One(injury) => {
            let order = after.orders.entry(injury.remote_id.clone()).or_default();
            if update.order <= *order {
                return None;
            }
            *order = update.order;
            after.account.injuries.retain(|each| each.remote_id != injury.remote_id);
            after.account.injuries.push(injury.as_ref().clone());
            after.account = after.account.tidy();
        }
        Told::All(account) => {
            if update.order <= after.order {
                return None;
            }
            (after.order, after.account) = (update.order, account.clone().tidy());
        }
        Told::Forget => {
            if update.order <= after.order {
                return None;
            }
            (after.order, after.account) = (update.order, Account::default());
        }
    }
    Some(after)
}

/// Which members differ: `injuries/<id>/days_away`, `status`, `comments`.
fn differences(before: &Account, after: &Account) -> Vec<String> {
    let by_id = |account: &Account| -> BTreeMap<String, BTreeMap<String, Value>> {
        account.injuries.iter().map(|injury| (injury.remote_id.clone(), injury.members())).collect()
    };
    let (old, new) = (by_id(before), by_id(after));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut changed = Vec::new();
    for id in ids {
        let empty = BTreeMap::new();
        let (old, new) = (old.get(id).unwrap_or(&empty), new.get(id).unwrap_or(&empty));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        changed.extend(differing.map(|name| format!("injuries/{id}/{name}")));
    }
    if before.status != after.status {
        changed.push("status".into());
    }
    if before.comments != after.comments {
        changed.push("comments".into());
    }
    changed
}

#[cfg(test)]
mod tests;
