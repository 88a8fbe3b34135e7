//! Wires signing in at Procore to AWS and to the Lambda runtime.
use acc::Acc;
use credentials::{KmsVault, SsmParameters};
use grants::{NoServiceAccounts, TableGrants};
use oauth_callback::{AppState, Services, app};
use people::{People, PublicUrl};
use procore::{Hosts, Procore};
use runtime::{clients, config, logs, queues};
use std::sync::Arc;
use store::bell::SqsBell;
use store::dynamo::DynamoTable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logs::init("oauth-callback");
    let aws = clients::aws()?;
    let table = Arc::new(DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?));
    let stack = config::text("STACK_NAME")?;
    let parameters = Arc::new(SsmParameters::new(clients::ssm(&aws)));
    let hosts = Hosts::new(
        &config::text("PROCORE_LOGIN_URL")?,
        &config::text("PROCORE_API_URL")?,
        &config::text("PROCORE_WEB_URL")?,
    )?;
    let vault = Arc::new(KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?));
    let hosts_of_autodesk =
        acc::Hosts::new(&config::text("APS_URL")?)?.with_profiles(&config::text("AUTODESK_PROFILE_URL")?)?;
    let acc = Acc::of_stack(hosts_of_autodesk, parameters.clone(), &stack, Arc::new(NoServiceAccounts))?;
    let services = Services {
        acc,
        grants: TableGrants::new(table.clone(), vault.clone()),
        bell: Arc::new(SqsBell::new(clients::sqs(&aws), queues::all()?)),
        people: People::new(table, Arc::new(jiff::Timestamp::now), PublicUrl::new(&config::text("PUBLIC_URL")?)?),
        vault,
        procore: Procore::of_stack(hosts, parameters, &stack)?,
    };
    lambda_http::run(app(AppState::new(services))).await
}
