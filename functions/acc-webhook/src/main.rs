use acc_webhook::Autodesk;
use credentials::KmsVault;
use hook_function::Webhook;
use lambda_http::{Error, Request, service_fn};
use runtime::{clients, config, logs, queues};
use store::{bell::SqsBell, dynamo::DynamoTable};

const NAME: &str = "acc-webhook";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init(NAME);
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let bell = SqsBell::new(clients::sqs(&aws), queues::acc()?);
    let vault = KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?);
    let webhook = &Webhook { function: NAME, table: &table, bell: &bell, announcer: &Autodesk { vault: &vault } };
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, std::convert::Infallible>(webhook.handle(&request, jiff::Timestamp::now()).await)
    }))
    .await
}
