//! Tells the bus that a day's note stands at the platform, once for each revision; should the process die in between, twice.
use crate::handle::{Run, Work};
use crate::target::SubjectBody;
use domain::record::RecordState;
use serde_json::json;
use store::TableError;
use store::lanes::Step;

/// Begins the id of the step that notes it.
const POSTED: &str = "posted:";

impl Run<'_> {
    pub(crate) async fn announce_summary(&self, work: &Work<'_>) -> Result<(), TableError> {
        let SubjectBody::Summary { day, revision } = &work.wanted.subject.body else { return Ok(()) };
        let Some(mut link) = self.lane().link(&work.todo.record).await? else { return Ok(()) };
        let step = format!("{POSTED}{revision}");
        if link.state != RecordState::Synced || link.remote_id.is_none() || link.steps.contains_key(&step) {
            return Ok(());
        }
        let detail = json!({
            "organization_id": self.lane.organization_id,
            "connection_id": self.lane.connection_id,
            "site_id": work.todo.record.site_id,
            "project_id": link.project_id,
            "date": day.report.date,
            "revision": revision,
            "remote_url": link.remote_url,
        });
        // A bus that is down must not hold the lane up; what it missed stands in the log.
        if let Err(error) = self.bus.publish("Summary Posted", detail).await {
            tracing::error!(connection_id = %self.lane.connection_id, record = %work.todo.record.fact_id, "{error}");
        }
        link.steps.retain(|id, _| !id.starts_with(POSTED));
        link.steps.insert(step, Step::Done);
        self.lane().put_link(&mut link).await
    }
}
