//! Service accounts: what a connection works as at Autodesk. The app has one for each region, shared by its customers; a customer
//! may bring one of their own.
use async_trait::async_trait;
use credentials::{Parameters, Secret};
use domain::autodesk::Region;
use platform::CredentialError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::lanes::LaneId;

/// Made under the app's client id; Autodesk shows the private key once, when the key is made.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// Its Autodesk id, by which its own changes are known.
    pub id: String,
    pub key_id: String,
    /// RSA, in PEM.
    pub private_key: Secret,
    /// Whom an account's admin invites to their projects.
    pub email: Option<String>,
    /// A customer's own: who can mend it is the customer.
    pub customers_own: bool,
}

/// Where service accounts come from; asked at each renewal of a token, so that a rotated key is seen.
#[async_trait]
pub trait ServiceAccounts: Send + Sync {
    /// The one that a lane works with; without a lane, or where it has none of its own, the app's.
    async fn of(&self, lane: Option<&LaneId>, region: Region) -> Result<ServiceAccount, CredentialError>;
}

/// As a parameter holds it.
#[derive(Serialize, Deserialize)]
pub struct Written {
    pub id: String,
    pub key_id: String,
    pub private_key: String,
    #[serde(default)]
    pub email: Option<String>,
}

/// The app's own, one JSON text per region: `/<stack>/aps/service-accounts/us`.
pub struct ParameterServiceAccounts<P> {
    pub parameters: Arc<P>,
    /// `/<stack>/aps/service-accounts`
    pub prefix: String,
}

#[async_trait]
impl<P: Parameters> ServiceAccounts for ParameterServiceAccounts<P> {
    async fn of(&self, _: Option<&LaneId>, region: Region) -> Result<ServiceAccount, CredentialError> {
        let name = format!("{}/{}", self.prefix, region.as_str().to_ascii_lowercase());
        let text = self.parameters.get(&name).await?;
        // What the parser says might repeat the key.
        let written: Written = serde_json::from_str(text.expose()).map_err(|_| {
            CredentialError::Unusable(format!(
                "SSM parameter {name} is not a JSON object with the texts id, key_id and private_key"
            ))
        })?;
        let Written { id, key_id, private_key, email } = written;
        Ok(ServiceAccount { id, key_id, private_key: Secret::new(private_key), email, customers_own: false })
    }
}
