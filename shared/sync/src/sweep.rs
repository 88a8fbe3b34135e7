//! Late doubles: where a create was repeated, the first one may still turn up. Ours are closed with a note; a person's are not
//! ours, they carry no marker.
use crate::create::CLOCK_SKEW;
use crate::handle::{Failure, Outcome, Run, Work};
use crate::target::TargetError;
use jiff::SignedDuration;
use store::TableError;
use store::lanes::Link;

/// Sweeps after a repeated create, each so long after the one before.
const LATER: SignedDuration = SignedDuration::from_hours(24);
const SWEEPS: u32 = 2;

impl Run<'_> {
    /// `Some`: the todo is not done.
    pub async fn sweep(&self, work: &Work<'_>, link: &mut Link) -> Result<Option<Outcome>, TableError> {
        let (kind, now) = (work.todo.record.kind, self.clock.now());
        let since = link.first_intent_at.unwrap_or(now) - CLOCK_SKEW;
        let found = match self.look(work, &link.marker, since).await {
            Ok(found) => found,
            Err(error) => return self.not_swept(work, link, error).await.map(Some),
        };
        let closed = self.target.statuses(kind).closed;
        let doubles =
            found.iter().filter(|r| !r.recycled && Some(&r.id) != link.remote_id.as_ref() && r.status != closed);
        for double in doubles {
            let note = format!(
                "Made twice, because an answer was lost: {} is followed up at {}.",
                link.marker,
                link.remote_url.as_deref().unwrap_or_default()
            );
            let sent = self.target.close_double(self.call(work.todo), &work.project, kind, double, &note).await;
            if let Err(error) = sent {
                return self.not_swept(work, link, error).await.map(Some);
            }
        }
        link.sweeps += 1;
        link.sweep_at = (link.sweeps < SWEEPS).then(|| now + LATER);
        link.updated_at = now;
        self.lane().put_link(link).await?;
        Ok(None)
    }
    /// Where a person must act first, the sweep is kept for the next day.
    async fn not_swept(&self, work: &Work<'_>, link: &mut Link, error: TargetError) -> Result<Outcome, TableError> {
        let failure = self.after_failure(work, error);
        if !matches!(failure, Failure::Again(_)) {
            link.sweep_at = Some(self.clock.now() + LATER);
        }
        self.fail(work, link, failure).await
    }
}
