use hook_function::Webhook;
use lambda_http::{Error, Request, service_fn};
use procore_webhook::Procore;
use runtime::{clients, config, logs, queues};
use store::{bell::SqsBell, dynamo::DynamoTable};

const NAME: &str = "procore-webhook";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init(NAME);
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let bell = SqsBell::new(clients::sqs(&aws), queues::procore()?);
    let webhook = &Webhook { function: NAME, table: &table, bell: &bell, announcer: &Procore };
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, std::convert::Infallible>(webhook.handle(&request, jiff::Timestamp::now()).await)
    }))
    .await
}
