//! A project that left the app's permitted list, or lost a tool or a permission, pauses by itself: its records are blocked with
//! words and cost no call each, the other projects of the connection go on. One record asks again each half hour, and a record
//! that a person retries asks at once; when one gets through, those that wait are asked for by themselves.
use crate::handle::{Run, Work, is_retried};
use crate::target::{Block, SubjectBody};
use domain::record::{RecordKey, RecordKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use store::TableError;
use store::bell::fresh_token;
use store::blocks::{ProjectBlock, ProjectBlocks};
use store::directory::Blocked;
use store::lanes::{Link, Todo};

const PROBE_EACH: SignedDuration = SignedDuration::from_mins(30);

/// What a run knows of them.
#[derive(Default)]
pub struct Blocks {
    kept: ProjectBlocks,
    /// Refused in this run: nothing there is asked again before the next one.
    refused: BTreeSet<(String, RecordKind)>,
}

impl Blocks {
    pub fn of(kept: ProjectBlocks) -> Self {
        Self { kept, refused: BTreeSet::new() }
    }
}

impl Run<'_> {
    /// Why nothing of this kind can be written in the project, unless this record is one that may ask again.
    pub(crate) async fn project_block(&self, work: &Work<'_>, link: &Link) -> Option<Block> {
        let blocks = self.blocks.lock().await;
        let (project, record) = (&work.project.id, &work.todo.record);
        let block = blocks.kept.get(project, record.kind).filter(|block| !block.lifted)?;
        // A read-back was asked for by what happens there.
        let may_ask = block.prober.as_ref() == Some(record)
            || is_retried(link)
            || work.todo.read_back
            || matches!(work.wanted.subject.body, SubjectBody::Trial { .. });
        if may_ask && !blocks.refused.contains(&(project.clone(), record.kind)) {
            return None;
        }
        let Blocked { reason, who, what_to_do, .. } = block.blocked.clone();
        Some(Block { reason, who, what_to_do })
    }

    /// Keeps that the platform refused the project, before any record is blocked by it.
    pub(crate) async fn note_project_block(&self, work: &Work<'_>, block: &Block) -> Result<(), TableError> {
        let mut blocks = self.blocks.lock().await;
        let (project, kind, now) = (&work.project.id, work.todo.record.kind, self.clock.now());
        if !blocks.refused.insert((project.clone(), kind)) {
            return Ok(());
        }
        let standing = blocks.kept.get(project, kind);
        let since = standing.map_or(now, |standing| standing.blocked.since);
        let prober = standing.and_then(|standing| standing.prober.clone());
        let Block { reason, who, what_to_do } = block.clone();
        let blocked = Blocked { reason, who, what_to_do, since };
        tracing::warn!(connection_id = %self.lane.connection_id, project_id = %project, kind = kind.as_str(), "a project is blocked");
        let block = ProjectBlock { blocked, next_probe: now + PROBE_EACH, prober, lifted: false };
        blocks.kept.insert(project, kind, block);
        self.lane().put_project_blocks(&mut blocks.kept).await
    }

    /// A record got through.
    pub(crate) async fn project_answers(&self, work: &Work<'_>) -> Result<(), TableError> {
        let mut blocks = self.blocks.lock().await;
        let Some(block) = blocks.kept.get_mut(&work.project.id, work.todo.record.kind) else { return Ok(()) };
        if block.lifted {
            return Ok(());
        }
        block.lifted = true;
        self.lane().put_project_blocks(&mut blocks.kept).await
    }

    /// Asks for one record of each project whose time has come; where none waits there is nothing to keep.
    pub(crate) async fn probe_projects(&self) -> Result<(), TableError> {
        let now = self.clock.now();
        let mut blocks = self.blocks.lock().await;
        for (project, kind) in blocks.kept.which(|block| !block.lifted && block.next_probe <= now) {
            let last = blocks.kept.get(&project, kind).and_then(|block| block.prober.clone());
            match self.first_waiting(&project, kind, last).await? {
                Some(record) => {
                    self.lane().ask(&[Todo::new(record.clone(), now, fresh_token())]).await?;
                    if let Some(block) = blocks.kept.get_mut(&project, kind) {
                        (block.next_probe, block.prober) = (now + PROBE_EACH, Some(record));
                    }
                }
                None => blocks.kept.remove(&project, kind),
            }
            self.lane().put_project_blocks(&mut blocks.kept).await?;
        }
        Ok(())
    }

    /// The first record that waits for the project after `last`, or from the beginning.
    async fn first_waiting(
        &self,
        project: &str,
        kind: RecordKind,
        last: Option<RecordKey>,
    ) -> Result<Option<RecordKey>, TableError> {
        let mut starts = vec![None];
        starts.extend(last.map(|record| Some(self.lane().link_key(&record))));
        while let Some(mut after) = starts.pop() {
            loop {
                let (page, next) = self.lane().waiting_for_project(project, kind, after.as_deref()).await?;
                match (page.into_iter().next(), next) {
                    (Some(first), _) => return Ok(Some(first.record)),
                    (None, Some(next)) => after = Some(next),
                    (None, None) => break,
                }
            }
        }
        Ok(None)
    }

    /// Asks for all that wait for a project in which a record got through. What time does not suffice for, the next run does.
    pub(crate) async fn lift_projects(&self, deadline: Timestamp) -> Result<(), TableError> {
        let mut blocks = self.blocks.lock().await;
        for (project, kind) in blocks.kept.which(|block| block.lifted) {
            let mut after: Option<String> = None;
            loop {
                let now = self.clock.now();
                if now >= deadline {
                    return Ok(());
                }
                let (page, next) = self.lane().waiting_for_project(&project, kind, after.as_deref()).await?;
                let asked = page.into_iter().map(|link| Todo::new(link.record, now, fresh_token()));
                self.lane().ask(&asked.collect::<Vec<_>>()).await?;
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            blocks.kept.remove(&project, kind);
            blocks.refused.remove(&(project.clone(), kind));
            self.lane().put_project_blocks(&mut blocks.kept).await?;
            tracing::info!(connection_id = %self.lane.connection_id, project_id = %project, kind = kind.as_str(), "a project is open again");
        }
        Ok(())
    }

    pub(crate) async fn next_probe(&self) -> Option<Timestamp> {
        self.blocks.lock().await.kept.next_probe()
    }
}
