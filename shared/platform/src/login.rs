//! A person's consent at a platform's login host (authorization code): what comes back, and why nothing does.
use crate::app::Credentials;
use crate::token::oauth_code;
use crate::wire::{Answer, Broken};
use credentials::{CredentialError, Secret};
use grants::{RefreshError, Tokens};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Why the login host gave no token. Each but the last two names the platform.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The code or refresh token is used, too old, taken back or another's.
    #[error("{0} does not accept what stands for the person's consent")]
    Refused(&'static str),
    #[error("the login host of {name} refuses HardHat Pulse's own credentials ({code})")]
    OurCredentials { name: &'static str, code: String },
    /// Nothing was sent either.
    #[error("HardHat Pulse has no credentials for the login host of {name}: {why}")]
    NoCredentials { name: &'static str, why: String },
    /// Surely nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// It may have been carried out.
    #[error("{0}")]
    Unclear(String),
}

impl LoginError {
    pub fn broken(name: &'static str, broken: &Broken) -> Self {
        let words = broken.words(name);
        match broken {
            Broken::Unreachable => Self::NotSent(words),
            Broken::Late | Broken::Cut | Broken::TooLong => Self::Unclear(words),
        }
    }

    pub fn answered(name: &'static str, status: u16) -> Self {
        Self::Unclear(format!("the login host of {name} answered {status}"))
    }
}

impl From<LoginError> for RefreshError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::NotSent(_) | LoginError::NoCredentials { .. } => Self::NotSent(error.to_string()),
            LoginError::Unclear(why) => Self::Burnt(format!("the answer to a renewal was lost: {why}")),
            LoginError::Refused(_) | LoginError::OurCredentials { .. } => Self::Burnt(error.to_string()),
        }
    }
}

/// The app's own credentials, as they were read for the login host.
pub fn ours(name: &'static str, read: Result<Credentials, CredentialError>) -> Result<Credentials, LoginError> {
    read.map_err(|error| match error {
        CredentialError::Missing(why) | CredentialError::Unusable(why) => LoginError::NoCredentials { name, why },
        CredentialError::Unavailable(why) => LoginError::NotSent(why),
    })
}

/// What the login host gave for a person's consent, or for a refresh token.
pub fn tokens(name: &'static str, answer: &Answer, now: Timestamp) -> Result<Tokens, LoginError> {
    match answer.status {
        200..=299 => {}
        400 | 401 | 403 => {
            return Err(match oauth_code(answer) {
                code if code == "invalid_grant" => LoginError::Refused(name),
                code => LoginError::OurCredentials { name, code },
            });
        }
        status => return Err(LoginError::answered(name, status)),
    }
    let body = answer.body.as_ref().map_err(|broken| LoginError::broken(name, broken))?;
    let unreadable = || LoginError::Unclear(format!("the login host of {name} gave no readable token"));
    read(body, now).ok_or_else(unreadable)
}

fn read(body: &[u8], now: Timestamp) -> Option<Tokens> {
    let issued = serde_json::from_slice::<Value>(body).ok()?;
    let text = |name: &str| issued[name].as_str().filter(|text| !text.is_empty()).map(Secret::new);
    let life = issued["expires_in"].as_i64().filter(|seconds| *seconds > 0)?;
    let ends_at = now.saturating_add(SignedDuration::from_secs(life)).unwrap_or(Timestamp::MAX);
    Some(Tokens { access: text("access_token")?, ends_at, refresh: text("refresh_token") })
}
