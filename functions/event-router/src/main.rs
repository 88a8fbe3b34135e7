use domain::ids::Provider;
use domain::message::{QueueMessage, SiteMessage, UpdateMessage};
use event_router::route::{Routed, Router};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{clients, config, logs, metrics::Metrics, sqs::SqsEvent};
use std::collections::BTreeMap;
use store::{bell::SqsBell, bus::EventBus, dynamo::DynamoTable};
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("event-router");
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let queues = BTreeMap::from([
        (Provider::Procore, config::text("PROCORE_QUEUE_URL")?),
        (Provider::Webhook, config::text("WEBHOOK_QUEUE_URL")?),
    ]);
    let bell = SqsBell::new(clients::sqs(&aws), queues);
    let bus = EventBus::new(clients::eventbridge(&aws), config::text("EVENT_BUS_NAME")?);
    let detection_retention_days = config::number("DETECTION_RETENTION_DAYS", 400)?;
    let router = Router { table: &table, bell: &bell, bus: &bus, detection_retention_days };
    run(service_fn(|event: LambdaEvent<SqsEvent>| handle(&router, event.payload))).await
}

/// Batch size is 1: an error leaves the message in the queue, and its site's order stands.
async fn handle(router: &Router<'_>, event: SqsEvent) -> Result<(), Error> {
    for record in event.records {
        let now = Timestamp::now();
        let routed = match serde_json::from_str(&record.body)? {
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
        };
        Metrics::new("event-router")
            .count("FactsKept", routed.changed)
            .count("FactsDuplicate", routed.duplicates)
            .count("FactsContradicting", routed.contradictions)
            .emit();
    }
    Ok(())
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
