//! How a person's token comes to us (authorization code): only to list the accounts and projects that they belong to. It is kept for
//! a session and never renewed. Autodesk means PKCE for clients without a secret; ours has one. Nothing is retried here.
use crate::client::{Acc, TOKEN_PATH};
use crate::errors::AccManners;
use credentials::Secret;
use jiff::{SignedDuration, Timestamp};
use platform::token::oauth_code;
use platform::{Broken, CredentialError, Credentials, Manners};
use serde_json::Value;

const AUTHORIZE_PATH: &str = "/authentication/v2/authorize";
const REVOKE_PATH: &str = "/authentication/v2/revoke";
const SCOPES: &str = "data:read account:read";

/// Why the login host gave no token.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The code is used, too old or another's.
    #[error("Autodesk does not accept what stands for the person's consent")]
    Refused,
    #[error("Autodesk's login refuses HardHat Pulse's own credentials ({0})")]
    OurCredentials(String),
    #[error("{0}")]
    Later(String),
}

/// A person's token.
#[derive(Debug)]
pub struct Token {
    pub access: Secret,
    pub ends_at: Timestamp,
}

impl Acc {
    /// Where a person says whether we may look at what they belong to. Our client id is no secret.
    pub async fn consent_url(&self, redirect_uri: &str, state: &str) -> Result<String, LoginError> {
        let app = self.login_app().await?;
        let query = [
            ("response_type", "code"),
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("scope", SCOPES),
            ("state", state),
        ];
        let url = reqwest::Url::parse_with_params(&format!("{}{AUTHORIZE_PATH}", self.hosts().aps()), query);
        url.map(String::from).map_err(|_| LoginError::Later("the address of Autodesk's login is not one".into()))
    }

    /// Exchanges the code that came back for a token. It works once.
    pub async fn exchange_code(&self, code: &Secret, redirect_uri: &str, now: Timestamp) -> Result<Token, LoginError> {
        let form = [("grant_type", "authorization_code"), ("code", code.expose()), ("redirect_uri", redirect_uri)];
        let answer = self.post_form(&self.login_app().await?, TOKEN_PATH, &form, now).await.map_err(|e| broken(&e))?;
        match answer.status {
            200..=299 => {}
            400 | 401 | 403 => {
                return Err(match oauth_code(&answer) {
                    code if code == "invalid_grant" => LoginError::Refused,
                    code => LoginError::OurCredentials(code),
                });
            }
            status => return Err(LoginError::Later(format!("Autodesk's login host answered {status}"))),
        }
        let issued: Value =
            answer.body.as_ref().map_err(broken).map(|body| serde_json::from_slice(body).unwrap_or_default())?;
        let access = issued["access_token"].as_str().filter(|token| !token.is_empty());
        let life = issued["expires_in"].as_i64().filter(|seconds| *seconds > 0);
        let (access, life) =
            access.zip(life).ok_or_else(|| LoginError::Later("Autodesk's login host gave no readable token".into()))?;
        let ends_at = now.saturating_add(SignedDuration::from_secs(life)).unwrap_or(Timestamp::MAX);
        Ok(Token { access: Secret::new(access), ends_at })
    }

    /// Takes a token, and what came with it, back.
    pub async fn revoke_token(&self, token: &Secret, now: Timestamp) -> Result<(), LoginError> {
        let form = [("token", token.expose()), ("token_type_hint", "access_token")];
        let answer = self.post_form(&self.login_app().await?, REVOKE_PATH, &form, now).await.map_err(|e| broken(&e))?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(LoginError::Later(format!("Autodesk's login host answered {status}"))),
        }
    }

    async fn login_app(&self) -> Result<Credentials, LoginError> {
        self.app().await.map_err(|error| match error {
            CredentialError::Missing(reason) | CredentialError::Unusable(reason) => LoginError::OurCredentials(reason),
            CredentialError::Unavailable(why) => LoginError::Later(why),
        })
    }
}

fn broken(broken: &Broken) -> LoginError {
    LoginError::Later(broken.words(AccManners::NAME))
}
