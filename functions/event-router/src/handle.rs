//! One delivery of the site queue: routed, logged and counted; where that fails, hidden until its next try.
use crate::patience::{Source, pause};
use crate::route::{Routed, Router, RouterError};
use domain::message::{QueueMessage, SiteMessage, UpdateMessage};
use jiff::Timestamp;
use runtime::metrics::Metrics;
use runtime::sqs::{SqsEvent, SqsRecord};
use tracing::{info, warn};

#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    #[error("a message of the site queue does not read: {0}")]
    Message(#[from] serde_json::Error),
    #[error(transparent)]
    Router(#[from] RouterError),
}

/// Batch size is 1: an error leaves the message in the queue, and its site's order stands.
pub async fn handle(
    router: &Router<'_>,
    source: &dyn Source,
    event: SqsEvent,
    now: Timestamp,
) -> Result<(), HandleError> {
    for record in event.records {
        let routed = match take(router, &record, now).await {
            Ok(routed) => routed,
            Err(error) => {
                let pause = pause(&error, record.deliveries());
                // Without it, the queue's own time holds: it comes back sooner than it need.
                if let Err(error) = source.hide(&record.receipt_handle, pause).await {
                    warn!("{error}");
                }
                return Err(error);
            }
        };
        Metrics::new("event-router")
            .count("FactsKept", routed.changed)
            .count("FactsDuplicate", routed.duplicates)
            .count("FactsContradicting", routed.contradictions)
            .emit();
    }
    Ok(())
}

async fn take(router: &Router<'_>, record: &SqsRecord, now: Timestamp) -> Result<Routed, HandleError> {
    Ok(match serde_json::from_str(&record.body)? {
        QueueMessage::Events(message) => {
            let routed = router.route(&message, now).await?;
            note_events(&message, &routed);
            routed
        }
        QueueMessage::Update(message) => {
            let routed = router.update(&message, now).await?;
            note_update(&message, &routed);
            routed
        }
    })
}

fn note_events(message: &SiteMessage, routed: &Routed) {
    info!(
        organization_id = %message.organization_id,
        site_id = %message.site_id,
        edge_id = %message.origin.edge_id,
        correlation_id = %message.origin.webhook_id,
        redelivery = routed.redelivery,
        changed = routed.changed,
        duplicates = routed.duplicates,
        contradictions = routed.contradictions,
        asked = routed.asked,
        "kept {} facts",
        routed.changed
    );
}

fn note_update(message: &UpdateMessage, routed: &Routed) {
    info!(
        organization_id = %message.organization_id,
        site_id = %message.site_id,
        record = %message.fact_id,
        source = %message.update.source.label(),
        redelivery = routed.redelivery,
        changed = routed.changed,
        duplicates = routed.duplicates,
        "took in what was added to {} facts",
        routed.changed
    );
}
