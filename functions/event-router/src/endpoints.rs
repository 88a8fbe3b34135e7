//! Webhook endpoints that want to hear of a fact get a message each, in the same order of writes as lanes of platforms: message,
//! due item, ring, and only then the arrival entry. A message that is decided again has the same id.
use crate::route::{Router, RouterError};
use domain::fact::{Fact, FactBody};
use domain::ids::{OrganizationId, SiteId};
use domain::webhook::message::Content;
use jiff::Timestamp;
use store::bell::fresh_token;
use store::endpoints::{Endpoint, Endpoints};
use store::lanes::LaneId;
use store::messages::{MessageLane, Todo};

impl Router<'_> {
    /// Asks the endpoints of the organization to tell of what changed. A disabled one gets nothing: what it missed can be recovered.
    pub(crate) async fn ask_endpoints(
        &self,
        organization_id: &OrganizationId,
        site_id: &SiteId,
        changed: &[Fact],
        now: Timestamp,
    ) -> Result<(usize, Vec<LaneId>), RouterError> {
        let (mut asked, mut lanes) = (0, Vec::new());
        if !changed.iter().any(|fact| matches!(fact.body, FactBody::Detection(_) | FactBody::Incident(_))) {
            return Ok((asked, lanes));
        }
        for endpoint in Endpoints(self.table).list(organization_id).await? {
            let todos = todos(&endpoint, site_id, changed, now);
            if endpoint.is_disabled() || todos.is_empty() {
                continue;
            }
            let lane = endpoint.lane();
            MessageLane { table: self.table, id: &lane }.ask(&todos).await?;
            self.arm_and_ring(&lane, now).await?;
            asked += todos.len();
            lanes.push(lane);
        }
        Ok((asked, lanes))
    }
}

fn todos(endpoint: &Endpoint, site_id: &SiteId, changed: &[Fact], now: Timestamp) -> Vec<Todo> {
    let wanted = changed.iter().filter_map(|fact| Content::of(&endpoint.wants, endpoint.created_at, site_id, fact));
    wanted.map(|content| Todo::new(content.id(&endpoint.id), content, now, fresh_token())).collect()
}
