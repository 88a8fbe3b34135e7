//! The app's access token: one client-credentials grant serves all companies (the company header tells them apart), so one
//! token serves the process. It is kept until shortly before its end and renewed by one caller at a time.
use crate::client::{Answer, Broken};
use async_trait::async_trait;
use credentials::{ParameterError, Parameters, Secret};
use domain::record::Mender;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::sync::Arc;
use sync::target::{Block, TargetError};
use tokio::sync::Mutex;

/// The app's own OAuth client.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub client_id: String,
    pub client_secret: Secret,
}

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("{0}")]
    Missing(String),
    #[error("{0}")]
    Unavailable(String),
}

/// Where the app's credentials come from; asked at each renewal, so that rotated ones are seen.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    async fn get(&self) -> Result<Credentials, CredentialError>;
}

/// Credentials from two parameters (`/<stack>/procore/client-id` and `/<stack>/procore/client-secret`).
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

impl From<ParameterError> for CredentialError {
    fn from(error: ParameterError) -> Self {
        match &error {
            ParameterError::Missing(_) => Self::Missing(error.to_string()),
            ParameterError::Unavailable { .. } => Self::Unavailable(error.to_string()),
        }
    }
}

/// Asks the login host; behind a trait so that the cache's rules are tested without a host.
#[async_trait]
pub(crate) trait Issuer: Send + Sync {
    async fn ask(&self, credentials: &Credentials, now: Timestamp) -> Result<Answer, Broken>;
}

#[derive(Debug, Clone)]
struct Token {
    access: Secret,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// A token is renewed this long before its end, a short-lived one at half its life.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

pub(crate) struct Tokens {
    source: Arc<dyn CredentialSource>,
    known: Mutex<Option<Token>>,
}

impl Tokens {
    pub(crate) fn new(source: Arc<dyn CredentialSource>) -> Self {
        Self { source, known: Mutex::new(None) }
    }

    pub(crate) async fn credentials(&self) -> Result<Credentials, CredentialError> {
        self.source.get().await
    }

    /// A token that is good for a while; who comes during a renewal waits for it.
    pub(crate) async fn get(&self, issuer: &dyn Issuer, now: Timestamp) -> Result<Secret, TargetError> {
        let mut known = self.known.lock().await;
        if let Some(token) = known.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.access.clone());
        }
        match (self.renew(issuer, now).await, known.as_ref()) {
            (Ok(token), _) => {
                let access = token.access.clone();
                *known = Some(token);
                Ok(access)
            }
            // The old one still works while the login host does not.
            (Err(TargetError::NotDone { .. } | TargetError::Paused { .. }), Some(old)) if now < old.expires_at => {
                Ok(old.access.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Forgets this token, if another caller didn't already replace it.
    pub(crate) async fn forget(&self, refused: &Secret) {
        let mut known = self.known.lock().await;
        if known.as_ref().is_some_and(|token| token.access == *refused) {
            *known = None;
        }
    }

    async fn renew(&self, issuer: &dyn Issuer, now: Timestamp) -> Result<Token, TargetError> {
        let credentials = self.source.get().await.map_err(|error| match error {
            CredentialError::Missing(reason) => TargetError::Connection(no_credentials(reason)),
            CredentialError::Unavailable(why) => TargetError::NotDone { why },
        })?;
        let answer = issuer
            .ask(&credentials, now)
            .await
            .map_err(|broken| TargetError::NotDone { why: broken.words().into() })?;
        read(&answer, now)
    }
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: i64,
}

fn read(answer: &Answer, now: Timestamp) -> Result<Token, TargetError> {
    match answer.status {
        200..=299 => {
            let issued = answer.body.as_ref().ok().and_then(|body| serde_json::from_slice::<Issued>(body).ok());
            let issued = issued.filter(|issued| issued.expires_in > 0 && !issued.access_token.is_empty());
            let issued =
                issued.ok_or(TargetError::NotDone { why: "Procore's login host gave no readable token".into() })?;
            let life = SignedDuration::from_secs(issued.expires_in);
            let after = |span: SignedDuration| now.saturating_add(span).unwrap_or(Timestamp::MAX);
            let renew_at = after(life - MARGIN.min(life / 2));
            Ok(Token { access: Secret::new(issued.access_token), renew_at, expires_at: after(life) })
        }
        // Only what speaks of our credentials: a gateway's 403, or a request it misread, passes by itself.
        400 | 401 if speaks_of_credentials(answer) => Err(TargetError::Connection(refused(oauth_code(answer)))),
        status => match answer.rates.pause_until {
            Some(until) => Err(TargetError::Paused { until, everything: true }),
            None => Err(TargetError::NotDone { why: format!("Procore's login host answered {status}") }),
        },
    }
}

fn speaks_of_credentials(answer: &Answer) -> bool {
    let code = oauth_code(answer);
    answer.status == 401 || ["invalid_client", "unauthorized_client", "invalid_grant"].contains(&code.as_str())
}

/// The OAuth error code, if it is one of RFC 6749's: anything else in the body might repeat what was sent.
pub(crate) fn oauth_code(answer: &Answer) -> String {
    const CODES: [&str; 6] = [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    ];
    let body = serde_json::from_slice::<serde_json::Value>(answer.body.as_deref().unwrap_or_default()).ok();
    let said = body.as_ref().and_then(|body| body.get("error")?.as_str());
    let code = CODES.into_iter().find(|code| said == Some(code));
    code.map_or_else(|| format!("status {}", answer.status), str::to_owned)
}

fn refused(code: String) -> Block {
    Block {
        reason: format!("Procore's login refuses HardHat Pulse's own credentials ({code})."),
        who: Mender::HardhatPulse,
        what_to_do:
            "HardHat Pulse renews its Procore client secret; nothing is lost meanwhile. contact@hardhatpulse.com helps."
                .into(),
    }
}

fn no_credentials(reason: String) -> Block {
    Block {
        reason,
        who: Mender::HardhatPulse,
        what_to_do: "HardHat Pulse writes its Procore client id and secret at deployment; nothing is lost meanwhile."
            .into(),
    }
}

#[cfg(test)]
mod tests;
