//! A connection on its way out: taken from the directory at once, its lane then clears up behind it.
use crate::again;
use crate::bell::Bell;
use crate::directory::{Connection, Directory, Project};
use crate::keys;
use crate::lanes::{Lane, LaneId, Link};
use crate::table::{Condition, Table, TableError, get_as, item};
use domain::ids::{Provider, SiteId};
use domain::record::RecordKind;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the lane needs to clear up, when the connection itself is not there any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removal {
    pub connection: Connection,
    pub at: Timestamp,
    /// Up to this link, what came from the platform is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<String>,
}

/// What is known of a connection that is gone, for whoever looks after it. Nothing of it came from the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    pub at: Timestamp,
    #[serde(default = "procore")]
    pub provider: Provider,
    /// Hooks of ours that the platform did not let us take away.
    pub hooks_left: usize,
    expires_at: i64,
}

/// Of before this was noted.
fn procore() -> Provider {
    Provider::Procore
}

const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Links that are read to say what stays.
const COUNTED: usize = 5_000;
const TRIES: usize = 5;

/// What stays at the platform when a connection goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stays {
    /// Links of the records that stand there: incidents first, the newest ahead.
    pub records: Vec<Link>,
    /// More stay than were counted.
    pub more: bool,
}

/// What would stay at the platform, or what stayed there.
pub async fn stays(table: &dyn Table, lane: &LaneId) -> Result<Stays, TableError> {
    let links = Lane { table, id: lane }.links(None, COUNTED).await?;
    let more = links.len() == COUNTED;
    let mut records: Vec<Link> =
        links.into_iter().map(|(_, link)| link).filter(|link| link.remote_id.is_some()).collect();
    let rank = |link: &Link| (link.record.kind == RecordKind::Incident, link.record.fact_id.clone());
    records.sort_by_cached_key(|link| std::cmp::Reverse(rank(link)));
    Ok(Stays { records, more })
}

/// The sites that a removal takes something away from.
pub async fn sites(table: &dyn Table, lane: &LaneId) -> Result<BTreeSet<SiteId>, TableError> {
    let projects = Directory(table).projects(lane).await?;
    let mut sites: BTreeSet<SiteId> = projects.into_iter().map(|project| project.settings.site_id).collect();
    let mut after = None;
    loop {
        let links = Lane { table, id: lane }.links(after.as_deref(), COUNTED).await?;
        sites.extend(links.iter().map(|(_, link)| link.record.site_id.clone()));
        match links.last() {
            Some((last, _)) if links.len() == COUNTED => after = Some(last.clone()),
            _ => return Ok(sites),
        }
    }
}

/// Removes a connection, whatever else changes it at this moment: it is gone at once, and its lane clears up behind it.
pub async fn remove(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    now: Timestamp,
) -> Result<Stays, TableError> {
    let (lane, directory) = (connection.lane(), Directory(table));
    let stays = stays(table, &lane).await?;
    let mut connection = connection.clone();
    let mut tries = 1;
    while let Err(error) = directory.begin_removal(&connection, now).await {
        if !matches!(error, TableError::Condition(_)) || tries == TRIES {
            return Err(error);
        }
        tries += 1;
        match directory.connection(&connection.organization_id, &connection.id).await? {
            Some(fresh) => connection = fresh,
            // Somebody else removed it at this moment.
            None => break,
        }
    }
    again::wake(table, bell, &lane, now).await?;
    tracing::info!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, "a connection is removed");
    Ok(stays)
}

impl Directory<'_> {
    /// The connection that is being cleared up behind, if one is.
    pub async fn removal(&self, lane: &LaneId) -> Result<Option<Removal>, TableError> {
        get_as(self.0, "a removal", &keys::removal(&lane.pk())).await
    }

    pub async fn put_removal(&self, removal: &Removal) -> Result<(), TableError> {
        self.0.put(item(&keys::removal(&removal.connection.lane().pk()), removal)?, Condition::Always).await
    }

    /// That a connection was removed and is cleared up behind. Not for ever.
    pub async fn removed(&self, lane: &LaneId) -> Result<Option<Removed>, TableError> {
        get_as(self.0, "a removed connection", &keys::removed(&lane.pk())).await
    }

    /// Notes what is to be cleared up, then takes the connection away: from then on it does not exist for anyone but its lane.
    /// Only if it is still what was read.
    pub async fn begin_removal(&self, connection: &Connection, now: Timestamp) -> Result<(), TableError> {
        let lane = connection.lane();
        let removal = Removal { connection: connection.clone(), at: now, forgotten: None };
        self.put_removal(&removal).await?;
        crate::due::arm(self.0, &lane, now).await?;
        let as_read = Condition::Equals("version", connection.version.into());
        self.0.delete(&keys::connection(&connection.organization_id, &connection.id), as_read).await
    }

    /// Nothing of the site goes there any more, and another organization may map the project.
    pub async fn release_project(&self, connection: &Connection, project: &Project) -> Result<(), TableError> {
        let lane = connection.lane();
        if self.route(&lane, &project.settings.site_id).await?.is_some_and(|r| r.project_id == project.project_id) {
            self.delete_route(&lane, &project.settings.site_id).await?;
        }
        let claim = keys::project_claim(connection.provider, &connection.account, &project.project_id);
        let ours = Condition::Equals("organization_id", connection.organization_id.as_str().into());
        match self.0.delete(&claim, ours).await {
            Ok(()) | Err(TableError::Condition(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The end: what the lane kept of the platform goes, and with it the note that something is left to do.
    pub async fn end_removal(
        &self,
        removal: &Removal,
        projects: &[Project],
        hooks_left: usize,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let connection = &removal.connection;
        let (organization, lane) = (&connection.organization_id, connection.lane());
        let pk = lane.pk();
        // A run after one that died below knows of no hooks any more.
        let noted =
            self.removed(&lane).await?.filter(|noted| noted.at >= removal.at).map_or(0, |noted| noted.hooks_left);
        let removed = Removed {
            at: now,
            provider: connection.provider,
            hooks_left: hooks_left.max(noted),
            expires_at: (now + REMEMBERED).as_second(),
        };
        self.0.put(item(&keys::removed(&pk), &removed)?, Condition::Always).await?;
        let mut gone = vec![keys::hooks(&pk), keys::rereads(&pk), keys::project_blocks(&pk)];
        for project in projects {
            gone.push(keys::catalog(&pk, &project.project_id));
            gone.push(keys::project(organization, &connection.id, &project.project_id));
        }
        gone.push(keys::connection_grant(organization, &connection.id));
        gone.push(keys::account_organization(connection.provider, &connection.account, organization));
        gone.push(keys::removal(&pk));
        for key in gone {
            self.0.delete(&key, Condition::Always).await?;
        }
        Ok(())
    }
}

impl Lane<'_> {
    /// Deletes all todos: nobody waits for them any more.
    pub async fn drop_todos(&self) -> Result<(), TableError> {
        const PAGE: usize = 100;
        loop {
            let mut todos = self.ready(PAGE).await?;
            todos.extend(self.waiting(PAGE).await?);
            if todos.is_empty() {
                return Ok(());
            }
            for todo in &todos {
                self.finish(todo).await?;
            }
        }
    }
}
