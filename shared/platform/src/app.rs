//! The app's own OAuth client at a platform.
use async_trait::async_trait;
use credentials::{CredentialError, Parameters, Secret};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Credentials {
    pub client_id: String,
    pub client_secret: Secret,
}

/// Where the app's credentials come from; asked at each renewal, so that rotated ones are seen.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    async fn get(&self) -> Result<Credentials, CredentialError>;
}

/// Credentials from two parameters (such as `/<stack>/procore/client-id` and `/<stack>/procore/client-secret`).
pub struct ParameterCredentials<P> {
    pub parameters: Arc<P>,
    pub client_id: String,
    pub client_secret: String,
}

#[async_trait]
impl<P: Parameters> CredentialSource for ParameterCredentials<P> {
    async fn get(&self) -> Result<Credentials, CredentialError> {
        let client_id = self.parameters.get(&self.client_id).await?;
        let client_secret = self.parameters.get(&self.client_secret).await?;
        Ok(Credentials { client_id: client_id.expose().to_owned(), client_secret })
    }
}
