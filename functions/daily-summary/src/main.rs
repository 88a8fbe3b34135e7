use daily_summary::DailySummary;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{clients, config, logs, queues};
use serde::Deserialize;
use store::{bell::SqsBell, due::SiteRef, dynamo::DynamoTable};
use tracing::info;

/// An event of our bus.
#[derive(Deserialize)]
struct BusEvent {
    detail: SiteRef,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("daily-summary");
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let bell = SqsBell::new(clients::sqs(&aws), queues::all()?);
    let summary = DailySummary { table: &table, bell: &bell };
    run(service_fn(|event: LambdaEvent<BusEvent>| handle(&summary, event.payload.detail))).await
}

async fn handle(summary: &DailySummary<'_>, site: SiteRef) -> Result<(), Error> {
    let looked = summary.look(&site, Timestamp::now()).await?;
    info!(
        organization_id = %site.organization_id,
        site_id = %site.site_id,
        cut = looked.cut,
        amended = looked.amended,
        "cut off {} days, amended {}",
        looked.cut,
        looked.amended
    );
    Ok(())
}
