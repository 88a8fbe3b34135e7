//! An access token that serves many calls. It is kept until shortly before its end and renewed by one caller at a time.
use crate::wire::{Answer, Broken};
use async_trait::async_trait;
use credentials::{CredentialError, Secret};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sync::target::{Block, TargetError};
use tokio::sync::Mutex;

/// Asks the login host; behind a trait so that the cache's rules are tested without a host.
#[async_trait]
pub trait Issuer: Send + Sync {
    /// The platform's name.
    fn name(&self) -> &'static str;

    /// Asks once, with the credentials as they are now, so that rotated ones are seen.
    async fn issue(&self, now: Timestamp) -> Result<Result<Answer, Broken>, CredentialError>;

    /// The login host refuses our credentials, with this OAuth error code.
    fn refused(&self, code: &str) -> Block;

    /// There are none, for this reason.
    fn none(&self, reason: String) -> Block;
}

#[derive(Debug, Clone)]
struct Token {
    access: Secret,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// A token is renewed this long before its end, a short-lived one at half its life.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

#[derive(Default)]
pub struct Tokens {
    known: Mutex<Option<Token>>,
}

impl Tokens {
    /// A token that is good for a while; who comes during a renewal waits for it.
    pub async fn get(&self, issuer: &dyn Issuer, now: Timestamp) -> Result<Secret, TargetError> {
        let mut known = self.known.lock().await;
        if let Some(token) = known.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.access.clone());
        }
        match (renew(issuer, now).await, known.as_ref()) {
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
    pub async fn forget(&self, refused: &Secret) {
        let mut known = self.known.lock().await;
        if known.as_ref().is_some_and(|token| token.access == *refused) {
            *known = None;
        }
    }
}

async fn renew(issuer: &dyn Issuer, now: Timestamp) -> Result<Token, TargetError> {
    let answer = issuer.issue(now).await.map_err(|error| match error {
        CredentialError::Missing(reason) | CredentialError::Unusable(reason) => {
            TargetError::Connection(issuer.none(reason))
        }
        CredentialError::Unavailable(why) => TargetError::NotDone { why },
    })?;
    let answer = answer.map_err(|broken| TargetError::NotDone { why: broken.words(issuer.name()) })?;
    read(issuer, &answer, now)
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: i64,
}

fn read(issuer: &dyn Issuer, answer: &Answer, now: Timestamp) -> Result<Token, TargetError> {
    let name = issuer.name();
    match answer.status {
        200..=299 => {
            let issued = answer.body.as_ref().ok().and_then(|body| serde_json::from_slice::<Issued>(body).ok());
            let issued = issued.filter(|issued| issued.expires_in > 0 && !issued.access_token.is_empty());
            let unreadable =
                || TargetError::NotDone { why: format!("the login host of {name} gave no readable token") };
            let issued = issued.ok_or_else(unreadable)?;
            let life = SignedDuration::from_secs(issued.expires_in);
            let after = |span: SignedDuration| now.saturating_add(span).unwrap_or(Timestamp::MAX);
            let renew_at = after(life - MARGIN.min(life / 2));
            Ok(Token { access: Secret::new(issued.access_token), renew_at, expires_at: after(life) })
        }
        // Only what speaks of our credentials: a gateway's 403, or a request it misread, passes by itself.
        400 | 401 if speaks_of_credentials(answer) => Err(TargetError::Connection(issuer.refused(&oauth_code(answer)))),
        status => match answer.rates.pause_until {
            Some(until) => Err(TargetError::Paused { until, everything: true }),
            None => Err(TargetError::NotDone { why: format!("the login host of {name} answered {status}") }),
        },
    }
}

fn speaks_of_credentials(answer: &Answer) -> bool {
    let code = oauth_code(answer);
    answer.status == 401 || ["invalid_client", "unauthorized_client", "invalid_grant"].contains(&code.as_str())
}

/// The OAuth error code, if it is one of RFC 6749's: anything else in the body might repeat what was sent.
pub fn oauth_code(answer: &Answer) -> String {
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

#[cfg(test)]
mod tests;
