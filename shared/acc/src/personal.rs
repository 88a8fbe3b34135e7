//! How a person's token comes to us (authorization code). To set up: only to list the accounts and projects that they belong to, kept for a
//! session and never renewed. As the connection's consent, where an account wants no service account: renewed by refresh tokens that work
//! once (`grants`). Autodesk means PKCE for clients without a secret; ours has one. Nothing is retried here: a code works once, and a
//! refresh token is burnt by any use.
use crate::client::{Acc, SCOPES, TOKEN_PATH};
use crate::errors::AccManners;
use async_trait::async_trait;
use credentials::Secret;
use grants::{RefreshError, Refresher, Tokens};
use jiff::Timestamp;
use platform::{Answer, Credentials, LoginError, Manners, login};
use serde_json::Value;

const NAME: &str = AccManners::NAME;
const AUTHORIZE_PATH: &str = "/authentication/v2/authorize";
const REVOKE_PATH: &str = "/authentication/v2/revoke";

/// What a person agrees to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// We see what they belong to.
    Look,
    /// A connection works with their access.
    Work,
}

impl Consent {
    fn scopes(self) -> String {
        match self {
            Self::Look => "data:read account:read".to_owned(),
            Self::Work => SCOPES.join(" "),
        }
    }
}

/// Whom Autodesk vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// As it stands at what they make and change.
    pub id: String,
    /// Their login, for pages.
    pub label: String,
}

impl Acc {
    /// Where a person agrees. Our client id is no secret.
    pub async fn consent_url(&self, redirect_uri: &str, state: &str, to: Consent) -> Result<String, LoginError> {
        let app = self.login_app().await?;
        let scopes = to.scopes();
        let query = [
            ("response_type", "code"),
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("scope", scopes.as_str()),
            ("state", state),
        ];
        let url = reqwest::Url::parse_with_params(&format!("{}{AUTHORIZE_PATH}", self.hosts().aps()), query);
        url.map(String::from).map_err(|_| LoginError::NotSent("the address of Autodesk's login is not one".into()))
    }

    /// Exchanges the code that came back for tokens. It works once.
    pub async fn exchange_code(&self, code: &Secret, redirect_uri: &str, now: Timestamp) -> Result<Tokens, LoginError> {
        let form = [("grant_type", "authorization_code"), ("code", code.expose()), ("redirect_uri", redirect_uri)];
        self.tokens_for(&form, now).await
    }

    /// Takes a token, and what came with it, back.
    pub async fn take_back(&self, token: &Secret, kind: &str, now: Timestamp) -> Result<(), LoginError> {
        let form = [("token", token.expose()), ("token_type_hint", kind)];
        match self.login_post(REVOKE_PATH, &form, now).await?.status {
            200..=299 => Ok(()),
            status => Err(LoginError::answered(NAME, status)),
        }
    }

    /// Whose token it is.
    pub async fn profile(&self, token: &Secret, now: Timestamp) -> Result<Profile, LoginError> {
        let answer = self.get_profile(token, now).await.map_err(|error| LoginError::broken(NAME, &error))?;
        let body: Value = match (answer.status, &answer.body) {
            (200..=299, Ok(body)) => serde_json::from_slice(body).unwrap_or_default(),
            (401 | 403, _) => return Err(LoginError::Refused(NAME)),
            (status, _) => return Err(LoginError::Unclear(format!("Autodesk's profile service answered {status}"))),
        };
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let unreadable = || LoginError::Unclear("Autodesk's profile service names nobody".into());
        let id = text("sub").ok_or_else(unreadable)?;
        Ok(Profile { label: text("email").or_else(|| text("preferred_username")).unwrap_or_else(|| id.clone()), id })
    }

    async fn tokens_for(&self, form: &[(&str, &str)], now: Timestamp) -> Result<Tokens, LoginError> {
        login::tokens(NAME, &self.login_post(TOKEN_PATH, form, now).await?, now)
    }

    async fn login_post(&self, path: &str, form: &[(&str, &str)], now: Timestamp) -> Result<Answer, LoginError> {
        self.post_form(&self.login_app().await?, path, form, now)
            .await
            .map_err(|error| LoginError::broken(NAME, &error))
    }

    async fn login_app(&self) -> Result<Credentials, LoginError> {
        login::ours(NAME, self.app().await)
    }
}

#[async_trait]
impl Refresher for Acc {
    /// Whatever comes back, and where nothing does: this refresh token is used.
    async fn refresh(&self, refresh: &Secret, now: Timestamp) -> Result<Tokens, RefreshError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        Ok(self.tokens_for(&form, now).await?)
    }

    async fn revoke(&self, token: &Secret, now: Timestamp) -> Result<(), RefreshError> {
        Ok(self.take_back(token, "refresh_token", now).await?)
    }
}
