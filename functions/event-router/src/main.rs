use event_router::handle::handle;
use event_router::patience::SqsSource;
use event_router::route::Router;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{clients, config, logs, queues, sqs::SqsEvent};
use store::{bell::SqsBell, bus::EventBus, dynamo::DynamoTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("event-router");
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let bell = SqsBell::new(clients::sqs(&aws), queues::all()?);
    let bus = EventBus::new(clients::eventbridge(&aws), config::text("EVENT_BUS_NAME")?);
    let source = SqsSource::new(clients::sqs(&aws), config::text("SOURCE_QUEUE_URL")?);
    let detection_retention_days = config::number("DETECTION_RETENTION_DAYS", 400)?;
    let router = Router { table: &table, bell: &bell, bus: &bus, detection_retention_days };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<(), Error>(handle(&router, &source, event.payload, Timestamp::now()).await?)
    }))
    .await
}
