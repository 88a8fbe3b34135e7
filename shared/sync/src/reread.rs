//! The timed re-read: without any webhook, what people added comes back by one incident list and one list of injuries per
//! project. Injuries raise no event of their own, so this is what finds them; closed incidents stand in the same lists.
use crate::handle::Run;
use crate::lane::Engine;
use crate::readback::ReadError;
use crate::target::{Block, Call, Project, Remote, Rereading, Standing, TargetError};
use domain::ids::SiteId;
use domain::record::{RecordKey, RecordKind, RecordState, WorkClass};
use domain::treatment::Account;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use store::TableError;
use store::bell::fresh_token;
use store::directory::Directory;
use store::due;
use store::lanes::{Link, ReadMark, Rereads, Todo};

const PAGE: usize = 200;
/// How far the first look at a project's observations goes back.
const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

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
        let mut links = match self.target.rereading() {
            Rereading::Lists => self.incident_links().await?,
            Rereading::Changes => BTreeMap::new(),
        };
        let mut kept: Rereads = self.lane().rereads().await?;
        let mapped = Directory(self.table).projects(self.lane).await?;
        let mut projects: Vec<String> = mapped.into_iter().map(|project| project.project_id).collect();
        kept.projects.retain(|project, _| projects.contains(project));
        kept.refused.retain(|project, _| projects.contains(project));
        projects.sort_by_key(|project| kept.projects.get(project).copied());
        let mut ended = Reread::Next(self.clock.now() + every);
        let mut asked = Vec::new();
        for project in projects {
            if self.clock.now() >= deadline {
                ended = Reread::Next(self.clock.now());
                break;
            }
            let mine = links.remove(&project).unwrap_or_default();
            let (since, began) = (kept.projects.get(&project).copied(), self.clock.now());
            match self.reread_project(&project, mine, since, &mut asked).await {
                Ok(()) => {
                    kept.refused.remove(&project);
                    kept.projects.insert(project, began);
                }
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
                    tracing::warn!(connection_id = %self.lane.connection_id, project_id = %project, failure = error.kind(), "a project can't be read again");
                    if let TargetError::Project(block) = error {
                        kept.refused.insert(project, format!("{} {}", block.reason, block.what_to_do));
                    }
                }
            }
        }
        // Before it is noted how far they were read: what is seen by its change is not seen again.
        if !asked.is_empty() {
            self.lane().ask(&asked).await?;
            due::arm(self.table, self.lane, self.clock.now()).await?;
        }
        self.lane().put_rereads(&kept).await?;
        if !asked.is_empty() {
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

    async fn reread_project(
        &self,
        id: &str,
        links: Vec<Link>,
        since: Option<Timestamp>,
        asked: &mut Vec<Todo>,
    ) -> Result<(), ReadError> {
        let Some(project) = Directory(self.table).project(self.lane, id).await? else { return Ok(()) };
        let project = Project::of(self.connection, id.to_owned(), project.settings);
        let call = Call { class: WorkClass::Reread, meter: self.meter };
        if self.target.rereading() == Rereading::Changes {
            return self.reread_changes(call, &project, since, asked).await;
        }
        let standing = match links.is_empty() {
            true => Vec::new(),
            false => self.target.told_all(call, &project).await?,
        };
        let mut by_id: BTreeMap<String, Standing> = standing.into_iter().map(|each| (each.id.clone(), each)).collect();
        for mut link in links {
            let found = link.remote_id.as_ref().and_then(|id| by_id.remove(id));
            let blocked = link.state == RecordState::Blocked;
            match found {
                Some(standing) => {
                    self.take_in(call, &project, &mut link, standing.account).await?;
                    // It shows again: someone restored it, perhaps.
                    if blocked && !link.waits_for_project {
                        asked.push(self.look_again(link.record));
                    }
                }
                // Deleted, or hidden from us: that record is looked at by itself, once.
                None if !blocked => asked.push(self.look_again(link.record)),
                None => {}
            }
        }
        self.reread_observations(call, &project, since).await
    }

    /// Observations' status: what was changed since the last time. Which of ours it is, the link in its text says; the note that
    /// we keep of it must say the same.
    async fn reread_observations(
        &self,
        call: Call<'_>,
        project: &Project,
        since: Option<Timestamp>,
    ) -> Result<(), ReadError> {
        let since = since.unwrap_or(self.clock.now() - FIRST_LOOK_BACK);
        for remote in self.target.changed(call, project, since).await? {
            let text = remote.fields.get("description").and_then(Value::as_str).unwrap_or_default();
            let Some(record) = observation_in(text) else { continue };
            let Some(mut link) = self.lane().link(&record).await? else { continue };
            if link.remote_id.as_ref() != Some(&remote.id) || link.project_id != project.id {
                continue;
            }
            let status = Some(remote.status).filter(|status| !status.is_empty());
            let account = Account { status, updated_at: remote.updated_at, ..Account::default() };
            self.take_in(call, project, &mut link, account).await?;
        }
        Ok(())
    }

    /// What was changed since the last time, of our records. What was deleted or restored is looked at by itself.
    async fn reread_changes(
        &self,
        call: Call<'_>,
        project: &Project,
        since: Option<Timestamp>,
        asked: &mut Vec<Todo>,
    ) -> Result<(), ReadError> {
        let since = since.unwrap_or(self.clock.now() - FIRST_LOOK_BACK);
        for remote in self.target.changed(call, project, since).await? {
            let Some(noted) = self.lane().remote_of_any_kind(&remote.id).await? else { continue };
            let Some(mut link) = self.lane().link(&noted.record).await? else { continue };
            if link.remote_id.as_ref() != Some(&remote.id) || link.project_id != project.id {
                continue;
            }
            let blocked = link.state == RecordState::Blocked;
            if remote.recycled != blocked {
                asked.push(self.look_again(link.record.clone()));
            }
            if remote.recycled || seen_before(&link, &remote) {
                continue;
            }
            let account = self.target.told(call, project, link.record.kind, &remote).await?;
            let hash = account.hash();
            self.take_in(call, project, &mut link, account).await?;
            self.mark_glance(&mut link, &remote, hash).await?;
        }
        Ok(())
    }

    /// Notes how the record looked when it was read.
    async fn mark_glance(&self, link: &mut Link, remote: &Remote, hash: String) -> Result<(), TableError> {
        let at = self.clock.now();
        let read = link.read.get_or_insert(ReadMark { hash, order: 0, at, updated_at: None, comments: None });
        (read.updated_at, read.comments) = (remote.updated_at, remote.comments);
        self.lane().put_link(link).await
    }

    fn look_again(&self, record: RecordKey) -> Todo {
        Todo::read_back(record, self.clock.now(), fresh_token())
    }
}

/// Whether it looks as it did when it was read last.
fn seen_before(link: &Link, remote: &Remote) -> bool {
    let same = |read: &ReadMark| read.updated_at == remote.updated_at && read.comments == remote.comments;
    link.read.as_ref().is_some_and(same)
}

/// The record that a link of ours names: `…/sites/{site}/detections/{id}`.
fn observation_in(text: &str) -> Option<RecordKey> {
    let (_, rest) = text.split_once("/sites/")?;
    let (site, rest) = rest.split_once("/detections/")?;
    let fact_id: String = rest.chars().take_while(char::is_ascii_alphanumeric).take(64).collect();
    let site_id: SiteId = site.parse().ok()?;
    (!fact_id.is_empty()).then_some(RecordKey { kind: RecordKind::Observation, site_id, fact_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_known_by_the_link_in_its_text() {
        let site = SiteId::new(ulid::Ulid::from_parts(2, 1));
        let text =
            format!("Zone breach.\nhttps://pulse.example/sites/{site}/detections/01JD0000000000000000000003\nEdited.");
        let record = observation_in(&text).unwrap();
        assert_eq!((record.site_id, record.fact_id.as_str()), (site, "01JD0000000000000000000003"));
        for text in ["", "/sites/x/detections/1", "/sites/site_01JD/incidents/2"] {
            assert_eq!(observation_in(text), None, "{text}");
        }
    }
}
