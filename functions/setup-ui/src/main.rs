//! Wires the pages to AWS and to the Lambda runtime.
use acc::Acc;
use async_trait::async_trait;
use credentials::{KmsVault, Secret, SsmParameters};
use domain::ids::Provider;
use grants::{ParameterServiceAccounts, TableGrants, TableServiceAccounts};
use people::{People, PeopleError, PublicUrl, Visitor};
use procore::{Hosts, Procore};
use runtime::{clients, config, logs, queues};
use setup_ui::{AppState, Origins, PersonTokens, Platform, Services, app};
use std::sync::Arc;
use std::time::Duration;
use store::{bell::SqsBell, dynamo::DynamoTable, footage::S3Footage};
use webhook::{Guard, HttpPost, SystemNames};

/// Below the function's time-out, and what a person waits for a page.
const PATIENCE: Duration = Duration::from_secs(8);

/// The token that a session keeps, sealed.
struct SessionTokens {
    people: People,
    vault: Arc<KmsVault>,
}

#[async_trait]
impl PersonTokens for SessionTokens {
    async fn of(&self, visitor: &Visitor, provider: Provider) -> Result<Option<Secret>, PeopleError> {
        self.people.platform_token(self.vault.as_ref(), visitor, provider).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logs::init("setup-ui");
    let (public, web, login) =
        (config::text("PUBLIC_URL")?, config::text("PROCORE_WEB_URL")?, config::text("PROCORE_LOGIN_URL")?);
    let aws = clients::aws()?;
    let stack = config::text("STACK_NAME")?;
    let parameters = Arc::new(SsmParameters::new(clients::ssm(&aws)));
    let hosts = Hosts::new(&login, &config::text("PROCORE_API_URL")?, &web)?;
    let table = Arc::new(DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?));
    let people = People::new(table.clone(), Arc::new(jiff::Timestamp::now), PublicUrl::new(&public)?);
    let vault = Arc::new(KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?));
    let grants = Arc::new(TableGrants::new(table.clone(), vault.clone()).without_memory());
    let shared = ParameterServiceAccounts::new(parameters.clone(), &stack);
    let accounts = Arc::new(TableServiceAccounts::new(table.clone(), vault.clone(), shared));
    let aps = acc::Hosts::new(&config::text("APS_URL")?)?;
    let platform = Platform {
        procore: Arc::new(Procore::of_stack(hosts, parameters.clone(), &stack)?.with_grants(grants.clone())),
        acc: Arc::new(
            Acc::of_stack(aps, parameters.clone(), &stack, accounts)?.with_grants(grants.clone()).sharing_forms(table),
        ),
        parameters,
        stack,
        grants,
        tokens: Arc::new(SessionTokens { people: people.clone(), vault: vault.clone() }),
        install_url: config::text("PROCORE_INSTALL_URL").unwrap_or_default(),
        patience: PATIENCE,
    };
    let guard = Guard::new(config::flag("ALLOW_PRIVATE_WEBHOOK_TARGETS")?, &[&public, &config::text("API_URL")?]);
    let services = Services {
        origins: Origins::new(&public, &web, &login, &config::text("APS_URL")?)?,
        people,
        platform,
        footage: Arc::new(S3Footage::new(clients::s3(&aws), config::text("BUCKET_NAME")?)),
        vault,
        names: Arc::new(SystemNames),
        post: Arc::new(HttpPost::new(guard.clone(), Arc::new(SystemNames))),
        guard,
        bell: Arc::new(SqsBell::new(clients::sqs(&aws), queues::all()?)),
    };
    lambda_http::run(app(AppState::new(services))).await
}
