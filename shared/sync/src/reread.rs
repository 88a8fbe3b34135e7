//! The timed re-read: without any webhook, what people added comes back by one incident list and one list of injuries per
//! project. Injuries raise no event of their own, so this is what finds them; closed incidents stand in the same lists.
use crate::handle::Run;
use crate::lane::Engine;
use crate::readback::ReadError;
use crate::target::{Block, Call, Project, Standing, TargetError};
use domain::record::{RecordKey, RecordKind, RecordState, WorkClass};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use store::TableError;
use store::bell::fresh_token;
use store::directory::Directory;
use store::due;
use store::lanes::{Link, Rereads, Todo};

const PAGE: usize = 200;

/// How a re-read ended.
#[derive(Debug, PartialEq)]
pub enum Reread {
    /// The next one is due then.
    Next(Timestamp),
    /// Nothing in this connection works until a person acts.
    Blocked(Block),
}

impl Run<'_> {
    /// Reads each project's lists, the one that waited longest first.
    pub async fn reread(
        &self,
        engine: &Engine<'_>,
        every: SignedDuration,
        deadline: Timestamp,
    ) -> Result<Reread, TableError> {
        let mut links = self.incident_links().await?;
        let mut kept: Rereads = self.lane().rereads().await?;
        let mut projects: Vec<String> = links.keys().cloned().collect();
        kept.projects.retain(|project, _| projects.contains(project));
        projects.sort_by_key(|project| kept.projects.get(project).copied());
        let mut ended = Reread::Next(self.clock.now() + every);
        let mut asked = Vec::new();
        for project in projects {
            if self.clock.now() >= deadline {
                ended = Reread::Next(self.clock.now());
                break;
            }
            let mine = links.remove(&project).unwrap_or_default();
            match self.reread_project(&project, mine, &mut asked).await {
                Ok(()) => _ = kept.projects.insert(project, self.clock.now()),
                Err(ReadError::Table(error)) => return Err(error),
                Err(ReadError::Target(TargetError::Paused { until, .. })) => {
                    ended = Reread::Next(until);
                    break;
                }
                Err(ReadError::Target(TargetError::Connection(block))) => {
                    ended = Reread::Blocked(block);
                    break;
                }
                Err(ReadError::Target(error)) => {
                    tracing::warn!(connection_id = %self.lane.connection_id, project_id = %project, "a project can't be read again: {error}");
                    // Not before the others, the next time.
                    kept.projects.insert(project, self.clock.now());
                }
            }
        }
        self.lane().put_rereads(&kept).await?;
        if !asked.is_empty() {
            self.lane().ask(&asked).await?;
            due::arm(self.table, self.lane, self.clock.now()).await?;
            engine.bell.ring(self.lane).await.map_err(|error| TableError::Unavailable(error.to_string()))?;
        }
        Ok(ended)
    }

    /// Links of incidents that stand at the platform, by project. A link keeps its project, wherever the site is mapped now.
    async fn incident_links(&self) -> Result<BTreeMap<String, Vec<Link>>, TableError> {
        let mut by_project: BTreeMap<String, Vec<Link>> = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.lane().links_of_kind(RecordKind::Incident, after.as_deref(), PAGE).await?;
            let full = page.len() == PAGE;
            for (key, link) in page {
                after = Some(key);
                if link.remote_id.is_some() {
                    by_project.entry(link.project_id.clone()).or_default().push(link);
                }
            }
            if !full {
                return Ok(by_project);
            }
        }
    }

    async fn reread_project(&self, id: &str, links: Vec<Link>, asked: &mut Vec<Todo>) -> Result<(), ReadError> {
        let Some(project) = Directory(self.table).project(self.lane, id).await? else { return Ok(()) };
        let project =
            Project { account: self.connection.account.clone(), id: id.to_owned(), settings: project.settings };
        let call = Call { class: WorkClass::Reread, meter: self.meter };
        let standing = self.target.told_all(call, &project).await?;
        let mut by_id: BTreeMap<String, Standing> = standing.into_iter().map(|each| (each.id.clone(), each)).collect();
        for mut link in links {
            let found = link.remote_id.as_ref().and_then(|id| by_id.remove(id));
            let blocked = link.state == RecordState::Blocked;
            match found {
                Some(standing) => {
                    self.take_in(call, &project, &mut link, standing.account).await?;
                    // It shows again: someone restored it, perhaps.
                    if blocked {
                        asked.push(self.look_again(link.record));
                    }
                }
                // Deleted, or hidden from us: that record is looked at by itself, once.
                None if !blocked => asked.push(self.look_again(link.record)),
                None => {}
            }
        }
        Ok(())
    }

    fn look_again(&self, record: RecordKey) -> Todo {
        Todo::read_back(record, self.clock.now(), fresh_token())
    }
}
