//! What an endpoint keeps in confidence: its address (relays have their secret in it), the customer's token, our signing secrets.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credentials::{Context, Secret, Vault, VaultError};
use domain::ids::{EndpointId, OrganizationId};
use domain::signature::SigningKey;
use jiff::Timestamp;
use store::directory::SealedSecret;
use store::endpoints::Endpoint;
use url::{Origin, Url};

/// What a message is sent with.
#[derive(Debug)]
pub struct Opened {
    pub url: Secret,
    pub token: Option<Secret>,
    /// The newest first.
    pub keys: Vec<SigningKey>,
}

fn context(organization: &OrganizationId, id: &EndpointId) -> Context {
    Context::new(organization, "webhook-endpoint").with("endpoint_id", id)
}

pub async fn seal(
    vault: &dyn Vault,
    organization: &OrganizationId,
    id: &EndpointId,
    secret: &Secret,
) -> Result<String, VaultError> {
    vault.seal(&context(organization, id), secret).await
}

/// A new signing secret, and how it is kept.
pub async fn new_secret(
    vault: &dyn Vault,
    organization: &OrganizationId,
    id: &EndpointId,
    now: Timestamp,
) -> Result<(Secret, SealedSecret), VaultError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    let secret = Secret::new(format!("whsec_{}", STANDARD.encode(bytes)));
    let sealed = seal(vault, organization, id, &secret).await?;
    Ok((secret, SealedSecret { sealed, created_at: now, expires_at: None }))
}

/// An endpoint's address.
pub async fn url(vault: &dyn Vault, endpoint: &Endpoint) -> Result<Secret, VaultError> {
    vault.open(&context(&endpoint.organization_id, &endpoint.id), &endpoint.url).await
}

/// Scheme, host and port.
pub fn origin(url: &Secret) -> Option<Origin> {
    Url::parse(url.expose()).ok().map(|url| url.origin())
}

/// An address as it is shown to whom its secret is not: a relay has it in the query, or is found by its path alone.
pub fn masked(url: &Secret) -> String {
    format!("{}/…", origin(url).map(|origin| origin.ascii_serialization()).unwrap_or_default())
}

pub async fn open(vault: &dyn Vault, endpoint: &Endpoint, now: Timestamp) -> Result<Opened, VaultError> {
    let context = context(&endpoint.organization_id, &endpoint.id);
    let token = match &endpoint.token {
        Some(sealed) => Some(vault.open(&context, sealed).await?),
        None => None,
    };
    let mut keys = Vec::new();
    for secret in endpoint.secrets.iter().filter(|secret| secret.is_valid(now)) {
        let text = vault.open(&context, &secret.sealed).await?;
        keys.push(SigningKey::parse(text.expose()).map_err(|_| VaultError::Damaged("a signing secret"))?);
    }
    Ok(Opened { url: vault.open(&context, &endpoint.url).await?, token, keys })
}
