//! A message of the lane's queue: one ring, one run.
use runtime::{metrics::Metrics, sqs::SqsEvent};
use store::bell::Ring;
use sync::lane::{Engine, Report, RunError};
use tracing::info;

/// A ring could not be answered. The queue delivers it again; only what is our own fault comes here.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    #[error("a message of the lane's queue is not a ring: {0}")]
    Ring(#[from] serde_json::Error),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Batch size is 1.
pub async fn handle(function: &'static str, engine: &Engine<'_>, event: SqsEvent) -> Result<(), HandleError> {
    for record in event.records {
        let ring: Ring = serde_json::from_str(&record.body)?;
        let report = engine.run(&ring.lane).await?;
        info!(
            organization_id = %ring.lane.organization_id,
            connection_id = %ring.lane.connection_id,
            correlation_id = %ring.nonce,
            handled = report.handled,
            synced = report.synced,
            blocked = report.blocked,
            failed = report.failed,
            put_off = report.put_off,
            calls = report.calls,
            refused = report.refused,
            rang_again = report.rang_again,
            "handled {} records",
            report.handled
        );
        figures(function, &report).property("connection_id", ring.lane.connection_id.as_str()).emit();
    }
    Ok(())
}

fn figures(function: &'static str, report: &Report) -> Metrics {
    let mut metrics = Metrics::new(function);
    if report.handled == 0 && report.calls == 0 {
        return metrics;
    }
    metrics = metrics
        .count("RecordsSynced", report.synced)
        .count("RecordsBlocked", report.blocked)
        .count("RecordsFailed", report.failed)
        .count("CallsMade", usize::try_from(report.calls).unwrap_or(usize::MAX))
        .count("RateLimited", usize::try_from(report.refused).unwrap_or(usize::MAX));
    match report.lags.iter().max() {
        Some(slowest) => metrics.milliseconds("RecordLagMs", *slowest as f64),
        None => metrics,
    }
}
