//! The lane of one webhook endpoint: one ring, one run. The engine is `webhook::lane`; here what a run did becomes a log line and
//! figures.
use domain::ids::EndpointId;
use runtime::{metrics::Metrics, sqs::SqsEvent};
use store::bell::Ring;
use tracing::info;
use webhook::lane::{Engine, Report, RunError};

/// A ring could not be answered. The queue delivers it again; only what is our own fault comes here.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    #[error("a message of the lane's queue is not a ring: {0}")]
    Ring(#[from] serde_json::Error),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Batch size is 1.
pub async fn handle(engine: &Engine<'_>, event: SqsEvent) -> Result<(), HandleError> {
    for record in event.records {
        let ring: Ring = serde_json::from_str(&record.body)?;
        let endpoint_id = EndpointId::of_lane(&ring.lane.connection_id);
        let report = engine.run(&ring.lane).await?;
        info!(
            organization_id = %ring.lane.organization_id,
            endpoint_id = %endpoint_id,
            correlation_id = %ring.nonce,
            delivered = report.delivered,
            failed = report.failed,
            given_up = report.given_up,
            disabled = report.disabled,
            rang_again = report.rang_again,
            "delivered {} messages",
            report.delivered
        );
        figures(&report).property("endpoint_id", endpoint_id.as_str()).emit();
    }
    Ok(())
}

fn figures(report: &Report) -> Metrics {
    let mut metrics = Metrics::new("webhook-sync");
    if report.delivered == 0 && report.failed == 0 {
        return metrics;
    }
    metrics = metrics
        .count("MessagesDelivered", report.delivered)
        .count("AttemptsFailed", report.failed)
        .count("EndpointsDisabled", usize::from(report.disabled));
    match report.lags.iter().max() {
        Some(slowest) => metrics.milliseconds("MessageLagMs", *slowest as f64),
        None => metrics,
    }
}
