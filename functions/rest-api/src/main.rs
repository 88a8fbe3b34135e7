//! Wires the API to AWS and to the Lambda runtime.
use credentials::{KmsVault, SsmParameters};
use people::PublicUrl;
use rest_api::{AppState, Services, app};
use runtime::{clients, config, logs, queues};
use std::sync::Arc;
use store::{bell::SqsBell, dynamo::DynamoTable, footage::S3Footage, outbox::SqsOutbox};
use webhook::{Guard, HttpPost, SystemNames};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logs::init("rest-api");
    let aws = clients::aws()?;
    let public_url = PublicUrl::new(&config::text("PUBLIC_URL")?)?;
    let guard =
        Guard::new(config::flag("ALLOW_PRIVATE_WEBHOOK_TARGETS")?, &[public_url.as_str(), &config::text("API_URL")?]);
    let services = Services {
        table: Arc::new(DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?)),
        bell: Arc::new(SqsBell::new(clients::sqs(&aws), queues::all()?)),
        outbox: Arc::new(SqsOutbox::new(clients::sqs(&aws), config::text("SITE_QUEUE_URL")?)),
        vault: Arc::new(KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?)),
        parameters: Arc::new(SsmParameters::new(clients::ssm(&aws))),
        footage: Arc::new(S3Footage::new(clients::s3(&aws), config::text("BUCKET_NAME")?)),
        clock: Arc::new(jiff::Timestamp::now),
        stack: config::text("STACK_NAME")?,
        public_url,
        names: Arc::new(SystemNames),
        post: Arc::new(HttpPost::new(guard.clone(), Arc::new(SystemNames))),
        guard,
    };
    lambda_http::run(app(AppState::new(services))).await
}
