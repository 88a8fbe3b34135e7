use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{clients, config, logs, queues};
use store::{bell::SqsBell, bus::EventBus, dynamo::DynamoTable};
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("clock");
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let bell = SqsBell::new(clients::sqs(&aws), queues::all()?);
    let bus = EventBus::new(clients::eventbridge(&aws), config::text("EVENT_BUS_NAME")?);
    run(service_fn(async |_: LambdaEvent<serde_json::Value>| {
        let rung = clock::tick(&table, &bell, &bus, Timestamp::now()).await?;
        info!(rung, "rang {rung}");
        Ok::<(), Error>(())
    }))
    .await
}
