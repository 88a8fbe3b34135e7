//! Wires the pages to AWS and to the Lambda runtime.
use domain::ids::Provider;
use people::{People, PublicUrl};
use runtime::{clients, config, logs};
use setup_ui::{AppState, Origins, Services, app};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{bell::SqsBell, dynamo::DynamoTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logs::init("setup-ui");
    let (public, web, login) =
        (config::text("PUBLIC_URL")?, config::text("PROCORE_WEB_URL")?, config::text("PROCORE_LOGIN_URL")?);
    let aws = clients::aws()?;
    let table = Arc::new(DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?));
    let queues = BTreeMap::from([(Provider::Procore, config::text("PROCORE_QUEUE_URL")?)]);
    let services = Services {
        origins: Origins::new(&public, &web, &login)?,
        people: People::new(table, Arc::new(jiff::Timestamp::now), PublicUrl::new(&public)?),
        bell: Arc::new(SqsBell::new(clients::sqs(&aws), queues)),
    };
    lambda_http::run(app(AppState::new(services))).await
}
