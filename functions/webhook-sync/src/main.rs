use credentials::KmsVault;
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{clients, config, logs, queues, sqs::SqsEvent};
use std::sync::Arc;
use store::{bell::SqsBell, bus::EventBus, dynamo::DynamoTable};
use sync::clock::SystemClock;
use webhook::{Guard, HttpPost, SystemNames, lane::Engine};
use webhook_sync::handle;

/// A run begins nothing after this long, so that an attempt begun last, of 15 s, still ends within the function's time-out of 60 s.
const RUN_FOR: SignedDuration = SignedDuration::from_secs(40);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("webhook-sync");
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let vault = KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?);
    let bell = SqsBell::new(clients::sqs(&aws), queues::webhook()?);
    let bus = EventBus::new(clients::eventbridge(&aws), config::text("EVENT_BUS_NAME")?);
    let public_url = config::text("PUBLIC_URL")?;
    let guard = Guard::new(config::flag("ALLOW_PRIVATE_WEBHOOK_TARGETS")?, &[&public_url, &config::text("API_URL")?]);
    let post = HttpPost::new(guard, Arc::new(SystemNames));
    let engine = Engine {
        table: &table,
        bell: &bell,
        bus: &bus,
        vault: &vault,
        post: &post,
        clock: &SystemClock,
        public_url: &public_url,
        run_for: RUN_FOR,
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| Ok::<(), Error>(handle(&engine, event.payload).await?))).await
}
