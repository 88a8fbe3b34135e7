//! A removed connection: queued work ends, hooks go, a person's consent is taken back, claims are released, and what came from the platform is erased but for a hash
//! per field, the base of a later merge. What we made at the platform stays there. Each step may be repeated.
use crate::budget::Budget;
use crate::lane::{Engine, RunError};
use crate::meter::LaneMeter;
use crate::target::{Call, Project, TargetError};
use domain::fact::FactKind;
use domain::message::UpdateMessage;
use domain::record::{RecordKind, WorkClass};
use domain::treatment::{Source, Told, Update};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use store::TableError;
use store::directory::{self, Directory};
use store::due::{self, Reason};
use store::lanes::{Lane, LaneId, Link};
use store::removal::Removal;

const PAGE: usize = 100;
/// What a platform that does not answer keeps of us is given up after this long: its hooks ring at a door that does not open, and
/// the consent's tokens are kept nowhere any more.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The first tries; later ones come after a quarter of the time that it has taken so far.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(5);

#[derive(Default)]
struct HooksDropped {
    /// Some are to be tried again then.
    later: Option<Timestamp>,
    /// So many stand at the platform still.
    left: usize,
}

impl Engine<'_> {
    /// Clears up. What is left for later has a due time.
    pub(crate) async fn clear_up(&self, id: &LaneId, removal: &Removal) -> Result<(), RunError> {
        let (lane, directory) = (Lane { table: self.table, id }, Directory(self.table));
        let deadline = self.clock.now() + self.run_for;
        let projects = directory.projects(id).await?;
        for project in &projects {
            directory.release_project(&removal.connection, project).await?;
        }
        lane.drop_todos().await?;
        if !self.forget(&lane, removal, deadline).await? {
            due::arm(self.table, id, self.clock.now()).await?;
            return Ok(self.bell.ring(id).await?);
        }
        let giving_up = self.clock.now() >= removal.at + GIVE_UP_AFTER;
        // The consent goes last: it is what hooks are removed with.
        let hooks = self.drop_hooks(&lane, removal, &projects, deadline).await?;
        let later = match hooks.later {
            Some(until) if !giving_up => Some(until),
            _ => self.let_go(&lane, removal, deadline).await?.filter(|_| !giving_up),
        };
        if let Some(until) = later {
            due::change(self.table, id, |reasons| {
                reasons.clear();
                reasons.insert(Reason::NextTry, until);
            })
            .await?;
            return Ok(());
        }
        directory.end_removal(removal, &projects, hooks.left, self.clock.now()).await?;
        due::change(self.table, id, BTreeMap::clear).await?;
        tracing::info!(organization_id = %id.organization_id, connection_id = %id.connection_id, "a connection was removed");
        Ok(())
    }

    /// Erases what was read back, here and, through their one writer, in facts. `false`: time was up, and how far it came is kept.
    async fn forget(&self, lane: &Lane<'_>, removal: &Removal, deadline: Timestamp) -> Result<bool, RunError> {
        let mut after = removal.forgotten.clone();
        loop {
            let page = lane.links(after.as_deref(), PAGE).await?;
            let full = page.len() == PAGE;
            for (key, mut link) in page {
                if self.clock.now() >= deadline {
                    let reached = Removal { forgotten: after, ..removal.clone() };
                    Directory(self.table).put_removal(&reached).await?;
                    return Ok(false);
                }
                after = Some(key);
                if let Some(message) = self.forgetting(lane.id, &link) {
                    self.outbox.send(&message).await.map_err(|error| TableError::Unavailable(error.to_string()))?;
                }
                if link.read.is_some() || !link.conflicts.is_empty() || link.reason.is_some() {
                    (link.read, link.reason, link.who) = (None, None, None);
                    link.conflicts.clear();
                    lane.put_link(&mut link).await?;
                }
            }
            if !full {
                return Ok(true);
            }
        }
    }

    /// Also of a link without a mark: what was read may have been sent, and its mark not kept any more. The order is above that of
    /// whatever was sent.
    fn forgetting(&self, id: &LaneId, link: &Link) -> Option<UpdateMessage> {
        link.remote_id.as_ref()?;
        let (now, provider) = (self.clock.now(), id.provider);
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let order = milliseconds.max(link.read.as_ref().map_or(0, |read| read.order + 1)) + 1;
        let source = Source::Platform { connection_id: id.connection_id.clone(), provider };
        Some(UpdateMessage {
            organization_id: id.organization_id.clone(),
            site_id: link.record.site_id.clone(),
            fact: match link.record.kind {
                RecordKind::Incident => FactKind::Incident,
                RecordKind::Observation | RecordKind::DailySummary => FactKind::Detection,
            },
            fact_id: link.record.fact_id.clone(),
            update: Update { source, told: Told::Forget, order, at: now },
        })
    }

    async fn drop_hooks(
        &self,
        lane: &Lane<'_>,
        removal: &Removal,
        projects: &[directory::Project],
        deadline: Timestamp,
    ) -> Result<HooksDropped, RunError> {
        let hooks = lane.hooks().await?;
        let budget: Budget = lane.budget().await?.unwrap_or_else(|| Budget::of(lane.id.provider));
        let meter = LaneMeter::new(self.clock, budget, deadline, self.clock.now() + self.cut_off).of(lane.id);
        let url = self.hook_url(lane.id);
        let mut dropped = HooksDropped::default();
        for mapped in projects.iter().filter(|project| hooks.projects.contains_key(&project.project_id)) {
            let project = Project::of(&removal.connection, mapped.project_id.clone(), mapped.settings.clone());
            let call = Call { class: WorkClass::ReadBack, meter: &meter };
            let known = hooks.projects.get(&mapped.project_id).and_then(|hook| hook.id.as_deref());
            match self.target.drop_hooks(call, &project, &url, known).await {
                Ok(()) => continue,
                Err(TargetError::Paused { until, .. }) => dropped.later = Some(until),
                Err(TargetError::NotDone { .. } | TargetError::Unclear { .. }) => {
                    dropped.later = Some(self.next_try(removal));
                }
                Err(error) => {
                    tracing::warn!(connection_id = %lane.id.connection_id, failure = error.kind(), "a hook stays at the platform");
                }
            }
            dropped.left += 1;
        }
        lane.put_budget(&meter.snapshot()).await?;
        Ok(dropped)
    }

    /// Takes back what the connection alone works with. `Some`: to be tried again then.
    async fn let_go(
        &self,
        lane: &Lane<'_>,
        removal: &Removal,
        deadline: Timestamp,
    ) -> Result<Option<Timestamp>, RunError> {
        if self.clock.now() >= deadline {
            return Ok(Some(self.clock.now()));
        }
        let budget: Budget = lane.budget().await?.unwrap_or_else(|| Budget::of(lane.id.provider));
        let meter = LaneMeter::new(self.clock, budget, deadline, self.clock.now() + self.cut_off).of(lane.id);
        match self.target.let_go(Call { class: WorkClass::ReadBack, meter: &meter }).await {
            Ok(()) => Ok(None),
            Err(TargetError::Paused { until, .. }) => Ok(Some(until)),
            Err(error) => {
                tracing::warn!(connection_id = %lane.id.connection_id, failure = error.kind(), "a consent was not taken back yet");
                Ok(Some(self.next_try(removal)))
            }
        }
    }

    fn next_try(&self, removal: &Removal) -> Timestamp {
        let now = self.clock.now();
        now + TRY_AGAIN.max(now.duration_since(removal.at) / 4)
    }
}
