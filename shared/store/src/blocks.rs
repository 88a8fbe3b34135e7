//! Projects in which the platform refuses a kind of record until a person acts there: not permitted any more, a tool switched off,
//! a permission taken away. One record asks again from time to time; when it gets through, the others that wait are asked for.
use crate::directory::Blocked;
use crate::keys;
use crate::lanes::{Lane, Link};
use crate::table::{Condition, TableError, get_as, item};
use domain::record::{RecordKey, RecordKind, RecordState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const PAGE: usize = 200;

/// One kind of record in one project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectBlock {
    #[serde(flatten)]
    pub blocked: Blocked,
    /// One record asks again then.
    pub next_probe: Timestamp,
    /// The record that asks again, or asked last: the next probe takes the one after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prober: Option<RecordKey>,
    /// A record got through: those that wait are to be asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lifted: bool,
}

/// All of a lane.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectBlocks {
    #[serde(default)]
    projects: BTreeMap<String, BTreeMap<RecordKind, ProjectBlock>>,
    #[serde(default)]
    version: u64,
}

impl ProjectBlocks {
    pub fn get(&self, project: &str, kind: RecordKind) -> Option<&ProjectBlock> {
        self.projects.get(project)?.get(&kind)
    }

    pub fn get_mut(&mut self, project: &str, kind: RecordKind) -> Option<&mut ProjectBlock> {
        self.projects.get_mut(project)?.get_mut(&kind)
    }

    pub fn insert(&mut self, project: &str, kind: RecordKind, block: ProjectBlock) {
        self.projects.entry(project.to_owned()).or_default().insert(kind, block);
    }

    pub fn remove(&mut self, project: &str, kind: RecordKind) {
        if let Some(kinds) = self.projects.get_mut(project) {
            kinds.remove(&kind);
        }
        self.projects.retain(|_, kinds| !kinds.is_empty());
    }

    /// Those that this holds for, by project and kind.
    pub fn which(&self, holds: impl Fn(&ProjectBlock) -> bool) -> Vec<(String, RecordKind)> {
        let all = self.projects.iter().flat_map(|(project, kinds)| kinds.iter().map(move |each| (project, each)));
        all.filter(|(_, (_, block))| holds(block)).map(|(project, (kind, _))| (project.clone(), *kind)).collect()
    }

    /// When the next record asks again.
    pub fn next_probe(&self) -> Option<Timestamp> {
        self.projects.values().flat_map(BTreeMap::values).map(|block| block.next_probe).min()
    }
}

impl Lane<'_> {
    pub async fn project_blocks(&self) -> Result<ProjectBlocks, TableError> {
        Ok(get_as(self.table, "blocks of projects", &keys::project_blocks(&self.id.pk())).await?.unwrap_or_default())
    }

    /// Only if nobody did since it was read: a block that is forgotten would leave its records where they are.
    pub async fn put_project_blocks(&self, blocks: &mut ProjectBlocks) -> Result<(), TableError> {
        let condition = match blocks.version {
            0 => Condition::Absent,
            version => Condition::Equals("version", version.into()),
        };
        blocks.version += 1;
        self.table.put(item(&keys::project_blocks(&self.id.pk()), blocks)?, condition).await
    }

    /// A page of the links that wait for this project, after `after`, and where the next page begins, if there is one.
    pub async fn waiting_for_project(
        &self,
        project: &str,
        kind: RecordKind,
        after: Option<&str>,
    ) -> Result<(Vec<Link>, Option<String>), TableError> {
        let page = self.links_of_kind(kind, after, PAGE).await?;
        let next = page.last().filter(|_| page.len() == PAGE).map(|(key, _)| key.clone());
        let waits = |link: &Link| link.project_id == project && link.waits_for_project;
        let links = page.into_iter().map(|(_, link)| link);
        Ok((links.filter(|link| waits(link) && link.state == RecordState::Blocked).collect(), next))
    }
}
