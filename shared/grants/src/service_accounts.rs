//! Service accounts: what a connection works as where no person's consent is needed. The app has one for each region of Autodesk's,
//! shared by its customers; a customer may bring one of their own, which stands sealed with the connection.
use async_trait::async_trait;
use credentials::{Context, CredentialError, Parameters, Secret, Vault, VaultError};
use domain::autodesk::Region;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::directory::{Connection, Directory, OwnServiceAccount};
use store::lanes::LaneId;
use store::{Table, TableError};

/// So long a process may not see that a connection was made again with another account.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(60);
const KNOWN_AT_MOST: usize = 1_000;

/// Made under the app's client id; Autodesk shows the private key once, when the key is made.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// Its Autodesk id, by which its own changes are known.
    pub id: String,
    pub key_id: String,
    /// RSA, in PEM.
    pub private_key: Secret,
    /// A customer's own: who can mend it is the customer.
    pub customers_own: bool,
}

/// Where service accounts come from; asked at each renewal of a token, so that a rotated key is seen.
#[async_trait]
pub trait ServiceAccounts: Send + Sync {
    /// The one that a lane works with; without a lane, or where it has none of its own, the app's.
    async fn of(
        &self,
        lane: Option<&LaneId>,
        region: Region,
        now: Timestamp,
    ) -> Result<ServiceAccount, CredentialError>;
}

/// As a parameter holds it.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    key_id: String,
    private_key: String,
}

/// Whom an account's admin invites to their projects: the address of the app's own, a parameter per region. Apart from the account,
/// since who shows it need not be able to read the key.
pub async fn shared_email<P: Parameters + ?Sized>(
    parameters: &P,
    stack: &str,
    region: Region,
) -> Result<String, CredentialError> {
    let region = in_names(region);
    let email = parameters.get(&format!("/{stack}/aps/{region}/service-account-email")).await?;
    Ok(email.expose().to_owned())
}

/// As parameters' names have it.
fn in_names(region: Region) -> String {
    region.as_str().to_ascii_lowercase()
}

/// None: where people ask, and no service account does.
pub struct NoServiceAccounts;

#[async_trait]
impl ServiceAccounts for NoServiceAccounts {
    async fn of(&self, _: Option<&LaneId>, _: Region, _: Timestamp) -> Result<ServiceAccount, CredentialError> {
        Err(CredentialError::Unusable("no service account may be used here, only a person's own sign-in".to_owned()))
    }
}

/// The app's own, a parameter per region: the account with its key.
pub struct ParameterServiceAccounts<P: ?Sized> {
    parameters: Arc<P>,
    stack: String,
}

impl<P: Parameters + ?Sized> ParameterServiceAccounts<P> {
    pub fn new(parameters: Arc<P>, stack: impl Into<String>) -> Self {
        Self { parameters, stack: stack.into() }
    }
}

#[async_trait]
impl<P: Parameters + ?Sized> ServiceAccounts for ParameterServiceAccounts<P> {
    async fn of(&self, _: Option<&LaneId>, region: Region, _: Timestamp) -> Result<ServiceAccount, CredentialError> {
        let (stack, region) = (&self.stack, in_names(region));
        let name = format!("/{stack}/aps/{region}/service-account");
        let text = self.parameters.get(&name).await?;
        // What the parser says might repeat the key.
        let written: Written = serde_json::from_str(text.expose()).map_err(|_| {
            CredentialError::Unusable(format!(
                "SSM parameter {name} is not a JSON object with the texts id, key_id and private_key"
            ))
        })?;
        let Written { id, key_id, private_key } = written;
        Ok(ServiceAccount { id, key_id, private_key: Secret::new(private_key), customers_own: false })
    }
}

/// A customer's own where the connection has one, else the shared ones.
pub struct TableServiceAccounts<A> {
    table: Arc<dyn Table>,
    vault: Arc<dyn Vault>,
    shared: A,
    known: Mutex<HashMap<LaneId, (Option<ServiceAccount>, Timestamp)>>,
}

fn context(lane: &LaneId) -> Context {
    Context::new(&lane.organization_id, "service-account").with("connection_id", &lane.connection_id)
}

/// Seals a customer's own account for the connection that is about to be made.
pub async fn seal(
    vault: &dyn Vault,
    lane: &LaneId,
    id: String,
    key_id: String,
    private_key: &Secret,
) -> Result<OwnServiceAccount, VaultError> {
    let sealed_private_key = vault.seal(&context(lane), private_key).await?;
    Ok(OwnServiceAccount { id, key_id, sealed_private_key })
}

impl<A: ServiceAccounts> TableServiceAccounts<A> {
    pub fn new(table: Arc<dyn Table>, vault: Arc<dyn Vault>, shared: A) -> Self {
        Self { table, vault, shared, known: Mutex::default() }
    }

    fn remembered(&self, lane: &LaneId, now: Timestamp) -> Option<Option<ServiceAccount>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(lane).filter(|(_, until)| now < *until).map(|(account, _)| account.clone())
    }

    async fn own(&self, lane: &LaneId, now: Timestamp) -> Result<Option<ServiceAccount>, CredentialError> {
        if let Some(known) = self.remembered(lane, now) {
            return Ok(known);
        }
        let own = match self.kept(lane).await.map_err(|error| CredentialError::Unavailable(error.to_string()))? {
            None => None,
            Some(OwnServiceAccount { id, key_id, sealed_private_key }) => {
                let private_key = self.vault.open(&context(lane), &sealed_private_key).await.map_err(unopened)?;
                Some(ServiceAccount { id, key_id, private_key, customers_own: true })
            }
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_AT_MOST {
            known.clear();
        }
        known.insert(lane.clone(), (own.clone(), now + REMEMBERED));
        Ok(own)
    }

    /// Of a connection that is cleared up behind, too: its hooks are taken away with it.
    async fn kept(&self, lane: &LaneId) -> Result<Option<OwnServiceAccount>, TableError> {
        let directory = Directory(self.table.as_ref());
        let own = |connection: Connection| connection.service_account;
        match directory.connection(&lane.organization_id, &lane.connection_id).await? {
            Some(connection) => Ok(own(connection)),
            None => Ok(directory.removal(lane).await?.and_then(|removal| own(removal.connection))),
        }
    }
}

fn unopened(error: VaultError) -> CredentialError {
    match &error {
        VaultError::Refused | VaultError::Damaged(_) => CredentialError::Unusable(error.to_string()),
        VaultError::Unavailable { .. } | VaultError::NoRandomness => CredentialError::Unavailable(error.to_string()),
    }
}

#[async_trait]
impl<A: ServiceAccounts> ServiceAccounts for TableServiceAccounts<A> {
    async fn of(
        &self,
        lane: Option<&LaneId>,
        region: Region,
        now: Timestamp,
    ) -> Result<ServiceAccount, CredentialError> {
        if let Some(lane) = lane
            && let Some(own) = self.own(lane, now).await?
        {
            return Ok(own);
        }
        self.shared.of(lane, region, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credentials::{MemoryParameters, MemoryVault};
    use domain::ids::{OrganizationId, Provider};
    use store::memory::MemoryTable;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn connection(organization: u128) -> Connection {
        let organization = OrganizationId::new(ulid::Ulid::from_parts(1, organization));
        Connection::new(organization, Provider::Acc, "account-1", NOW)
    }

    fn shared() -> ParameterServiceAccounts<MemoryParameters> {
        let account = r#"{"id":"APP","key_id":"k","private_key":"p"}"#;
        let email = "pulse@client.example";
        let parameters =
            MemoryParameters::of([("/t/aps/us/service-account", account), ("/t/aps/us/service-account-email", email)]);
        ParameterServiceAccounts::new(Arc::new(parameters), "t")
    }

    #[tokio::test]
    async fn a_connections_own_account_is_no_other_connections() {
        let (table, vault) = (MemoryTable::default(), Arc::new(MemoryVault::default()));
        let (mut own, mut other) = (connection(1), connection(2));
        let key = Secret::new("pem");
        own.service_account =
            Some(seal(vault.as_ref(), &own.lane(), "OWN".into(), "key-1".into(), &key).await.unwrap());
        // Copied to another tenant's item, it does not open.
        other.service_account = own.service_account.clone();
        Directory(&table).put_connection(&mut own).await.unwrap();
        Directory(&table).put_connection(&mut other).await.unwrap();
        let accounts = TableServiceAccounts::new(Arc::new(table), vault, shared());
        let of = async |lane: Option<&LaneId>| accounts.of(lane, Region::Us, NOW).await;
        let found = of(Some(&own.lane())).await.unwrap();
        assert_eq!((found.id.as_str(), found.private_key.expose(), found.customers_own), ("OWN", "pem", true));
        assert!(matches!(of(Some(&other.lane())).await, Err(CredentialError::Unusable(_))));
        assert_eq!(of(None).await.unwrap().id, "APP");
    }

    #[tokio::test]
    async fn it_serves_while_a_removed_connection_is_cleared_up_behind_and_no_longer() {
        let (table, vault) = (MemoryTable::default(), Arc::new(MemoryVault::default()));
        let mut own = connection(1);
        let lane = own.lane();
        let key = Secret::new("pem");
        own.service_account = Some(seal(vault.as_ref(), &lane, "OWN".into(), "key-1".into(), &key).await.unwrap());
        let directory = Directory(&table);
        directory.put_connection(&mut own).await.unwrap();
        directory.begin_removal(&own, NOW).await.unwrap();
        let accounts = TableServiceAccounts::new(Arc::new(table.clone()), vault, shared());
        assert_eq!(accounts.of(Some(&lane), Region::Us, NOW).await.unwrap().id, "OWN");
        let removal = directory.removal(&lane).await.unwrap().unwrap();
        directory.end_removal(&removal, &[], 0, NOW).await.unwrap();
        assert_eq!(accounts.of(Some(&lane), Region::Us, NOW + REMEMBERED).await.unwrap().id, "APP");
    }

    #[tokio::test]
    async fn a_region_without_an_account_says_which_parameter_is_missing() {
        let missing = shared().of(None, Region::Emea, NOW).await.unwrap_err();
        assert!(missing.to_string().contains("/t/aps/emea/service-account"), "{missing}");
        let email = shared_email(shared().parameters.as_ref(), "t", Region::Us).await.unwrap();
        assert_eq!(email, "pulse@client.example");
    }
}
