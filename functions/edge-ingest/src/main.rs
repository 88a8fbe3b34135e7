//! Wires the way in to AWS and to the Lambda runtime.
use credentials::KmsVault;
use edge_ingest::{Ingest, aside::S3Aside, auth::TableEdges, queue::SqsSiteQueue};
use lambda_http::{Error, Request, service_fn};
use runtime::{clients, config, logs};
use std::sync::Arc;
use store::dynamo::DynamoTable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("edge-ingest");
    let aws = clients::aws()?;
    let table = DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?);
    let vault = KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?);
    let ingest = Ingest {
        edges: TableEdges::new(Arc::new(table), Arc::new(vault)),
        queue: SqsSiteQueue::new(clients::sqs(&aws), config::text("SITE_QUEUE_URL")?),
        aside: S3Aside::new(clients::s3(&aws), config::text("BUCKET_NAME")?),
    };
    let ingest = &ingest;
    lambda_http::run(service_fn(move |request: Request| async move {
        let handled = ingest.handle(&request, jiff::Timestamp::now()).await;
        if let Some(metrics) = &handled.metrics {
            metrics.emit();
        }
        Ok::<_, std::convert::Infallible>(handled.response)
    }))
    .await
}
