//! Injuries as the API was told them: the row that a change is made under, before the router takes it into the fact.
use crate::keys;
use crate::table::{Condition, Query, Table, TableError, get_as, item, read};
use domain::ids::{OrganizationId, SiteId};
use domain::treatment::{Injury, Source};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InjuryRow {
    pub source: Source,
    pub injury: Injury,
    /// The ETag that the change was made against.
    pub based_on: u64,
    pub at: Timestamp,
    /// Grows with each write; the order of the news.
    #[serde(default)]
    pub version: u64,
}

/// The rows of one incident.
#[derive(Clone, Copy)]
pub struct InjuryRows<'a> {
    pub table: &'a dyn Table,
    pub organization_id: &'a OrganizationId,
    pub site_id: &'a SiteId,
    pub incident_id: &'a str,
}

impl InjuryRows<'_> {
    fn key(&self, source: &Source, remote_id: &str) -> crate::Key {
        keys::injury(self.organization_id, self.site_id, self.incident_id, &source.key(), remote_id)
    }

    pub async fn get(&self, source: &Source, remote_id: &str) -> Result<Option<InjuryRow>, TableError> {
        get_as(self.table, "an injury", &self.key(source, remote_id)).await
    }

    /// All rows of the incident.
    pub async fn list(&self) -> Result<Vec<InjuryRow>, TableError> {
        let (pk, prefix) = keys::injuries(self.organization_id, self.site_id, self.incident_id);
        let items = self.table.query(Query::prefix(pk, prefix, 500)).await?;
        items.into_iter().map(|item| read("an injury", item)).collect()
    }

    /// Only if nobody did since it was read; `version` is moved on.
    pub async fn put(&self, row: &mut InjuryRow) -> Result<(), TableError> {
        let condition = match row.version {
            0 => Condition::Absent,
            version => Condition::Equals("version", version.into()),
        };
        let next = InjuryRow { version: row.version + 1, ..row.clone() };
        self.table.put(item(&self.key(&row.source, &row.injury.remote_id), &next)?, condition).await?;
        *row = next;
        Ok(())
    }
}
