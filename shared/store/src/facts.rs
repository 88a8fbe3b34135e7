//! What sites told us, and the arrival log. `event-router` is the one writer.
use crate::keys;
use crate::table::{Condition, Item, Key, Query, Table, TableError, get_as, instant, item, read};
use domain::arrival::{ArrivalEntry, CommitMark};
use domain::event::Event;
use domain::fact::{Fact, FactBody, FactKind};
use domain::ids::{OrganizationId, SiteId};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// The attribute that holds a fact, as one text of JSON: nothing looks into it in the table, and writing 25 of them this way takes
/// a fraction of what thirty attributes each take.
const FACT: &str = "fact";

fn packed(key: &Key, fact: &Fact) -> Result<Item, TableError> {
    let text = serde_json::to_string(fact);
    let text = text.map_err(|error| TableError::Malformed { what: "a fact", why: error.to_string() })?;
    Ok(Item::from_iter([
        ("pk".to_owned(), key.pk.clone().into()),
        ("sk".to_owned(), key.sk.clone().into()),
        (FACT.to_owned(), text.into()),
    ]))
}

fn unpacked(item: &Item) -> Result<Fact, TableError> {
    let text = item.get(FACT).and_then(Value::as_str).unwrap_or_default();
    serde_json::from_str(text).map_err(|error| TableError::Malformed { what: "a fact", why: error.to_string() })
}

/// The facts of one site of one organization.
#[derive(Clone, Copy)]
pub struct SiteFacts<'a> {
    pub table: &'a dyn Table,
    pub organization_id: &'a OrganizationId,
    pub site_id: &'a SiteId,
}

impl SiteFacts<'_> {
    pub async fn get(&self, kind: FactKind, id: &str) -> Result<Option<Fact>, TableError> {
        let found = self.table.get(&keys::fact(self.organization_id, self.site_id, kind, id)).await?;
        found.as_ref().map(unpacked).transpose()
    }

    /// Facts by kind and id; what is not kept is left out.
    pub async fn get_many(
        &self,
        wanted: &[(FactKind, String)],
    ) -> Result<BTreeMap<(FactKind, String), Fact>, TableError> {
        let mut keys: Vec<_> =
            wanted.iter().map(|(kind, id)| keys::fact(self.organization_id, self.site_id, *kind, id)).collect();
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let items = self.table.get_many(&keys).await?;
        items
            .iter()
            .map(|item| {
                let fact = unpacked(item)?;
                Ok(((fact.body.kind(), fact.body.id().to_owned()), fact))
            })
            .collect()
    }

    /// The facts of a kind, by id.
    pub async fn list(&self, kind: FactKind, limit: usize) -> Result<Vec<Fact>, TableError> {
        let (pk, prefix) = keys::facts(self.organization_id, self.site_id, kind);
        self.table.query(Query::prefix(pk, prefix, limit)).await?.iter().map(unpacked).collect()
    }

    /// Writes facts and, for incidents, the memberships of their detections. `expires_at` (Unix seconds) is for detections and
    /// PPE samples; incidents are kept (29 CFR 1904.33).
    pub async fn put_many(&self, facts: &[Fact], expires_at: Option<i64>) -> Result<(), TableError> {
        let mut items: BTreeMap<Key, Item> = BTreeMap::new();
        for fact in facts {
            let key = keys::fact(self.organization_id, self.site_id, fact.body.kind(), fact.body.id());
            let mut new = packed(&key, fact)?;
            if let (FactKind::Detection | FactKind::PpeSample, Some(at)) = (fact.body.kind(), expires_at) {
                new.insert("expires_at".into(), at.into());
            }
            items.insert(key, new);
            for (key, new) in self.memberships_of(fact)? {
                items.insert(key, new);
            }
        }
        match items.is_empty() {
            true => Ok(()),
            false => self.table.put_many(items.into_values().collect()).await,
        }
    }

    fn memberships_of(&self, fact: &Fact) -> Result<Vec<(Key, Item)>, TableError> {
        let FactBody::Incident(incident) = &fact.body else { return Ok(Vec::new()) };
        let detections = incident.incident.iter().flat_map(|i| &i.detection_ids);
        detections
            .map(|detection| {
                let key = keys::membership(self.organization_id, self.site_id, detection, &incident.incident_id);
                let new = item(&key, &serde_json::json!({"incident_id": incident.incident_id}))?;
                Ok((key, new))
            })
            .collect()
    }

    /// All incidents that name, or once named, a detection: one that was left out might be the privacy case.
    pub async fn incidents_of(&self, detection: &str) -> Result<Vec<Fact>, TableError> {
        let (pk, prefix) = keys::memberships(self.organization_id, self.site_id, detection);
        let hints = self.table.query(Query::prefix(pk, prefix, usize::MAX)).await?;
        let ids: Vec<(FactKind, String)> = hints
            .iter()
            .filter_map(|hint| hint.get("incident_id").and_then(Value::as_str))
            .map(|id| (FactKind::Incident, id.to_owned()))
            .collect();
        Ok(self.get_many(&ids).await?.into_values().collect())
    }

    /// Keeps an event aside that contradicts the fact that stands (it is valid, so it carries no name), until `expires_at` (Unix
    /// seconds).
    pub async fn put_contradiction(
        &self,
        message_id: &str,
        index: usize,
        event: &Event,
        expires_at: i64,
    ) -> Result<(), TableError> {
        let key = keys::contradiction(self.organization_id, self.site_id, message_id, index);
        let mut aside = item(&key, event)?;
        aside.insert("expires_at".into(), expires_at.into());
        self.table.put(aside, Condition::Always).await
    }

    /// What the last arrival entry says of all that is committed.
    pub async fn commit_mark(&self) -> Result<CommitMark, TableError> {
        Ok(self.last_arrival().await?.map(|entry| entry.mark()).unwrap_or_default())
    }

    pub async fn last_arrival(&self) -> Result<Option<ArrivalEntry>, TableError> {
        let pk = keys::arrival(self.organization_id, self.site_id, 0).pk;
        let query = Query { pk, from: "0".into(), to: "9\u{10FFFF}".into(), forward: false, limit: 1 };
        self.table.query(query).await?.into_iter().next().map(|item| read("an arrival entry", item)).transpose()
    }

    pub async fn arrival(&self, number: u64) -> Result<Option<ArrivalEntry>, TableError> {
        get_as(self.table, "an arrival entry", &keys::arrival(self.organization_id, self.site_id, number)).await
    }

    /// Arrival entries from a number on.
    pub async fn arrivals(&self, from: u64, limit: usize) -> Result<Vec<ArrivalEntry>, TableError> {
        let first = keys::arrival(self.organization_id, self.site_id, from);
        let query = Query { pk: first.pk, from: first.sk, to: "9\u{10FFFF}".into(), forward: true, limit };
        self.table.query(query).await?.into_iter().map(|item| read("an arrival entry", item)).collect()
    }

    /// Entries by their numbers, in any order; what is not there is left out.
    pub async fn entries(&self, numbers: &[u64]) -> Result<Vec<ArrivalEntry>, TableError> {
        let keys: Vec<Key> =
            numbers.iter().map(|number| keys::arrival(self.organization_id, self.site_id, *number)).collect();
        match keys.is_empty() {
            true => Ok(Vec::new()),
            false => {
                let items = self.table.get_many(&keys).await?;
                items.into_iter().map(|item| read("an arrival entry", item)).collect()
            }
        }
    }

    /// The number of the first entry that arrived at or after an instant (the next one to come, where none did), by halving.
    pub async fn first_arrival_since(&self, at: Timestamp) -> Result<u64, TableError> {
        let (mut low, mut high) = (1, self.last_arrival().await?.map_or(0, |entry| entry.number) + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.arrival(middle).await? {
                Some(entry) if entry.arrived_at < at => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Commits: puts the entry at its number if that is free.
    pub async fn commit(&self, entry: &ArrivalEntry) -> Result<(), TableError> {
        let key = keys::arrival(self.organization_id, self.site_id, entry.number);
        let mut new = item(&key, entry)?;
        new.insert("arrived_at".into(), instant(entry.arrived_at).into());
        self.table.put(new, Condition::Absent).await
    }
}
