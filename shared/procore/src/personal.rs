//! How a person's token comes to us (authorization code), is renewed and is taken back. Procore documents no PKCE, so none is sent:
//! a parameter that is passed over protects nothing. Here, too, nothing is retried. What such a token lets us see: [`crate::lists`].
use crate::client::{NAME, Procore};
use async_trait::async_trait;
use credentials::Secret;
use grants::{RefreshError, Refresher, Tokens};
use jiff::Timestamp;
use platform::token::oauth_code;
use platform::{Answer, Credentials, LoginError, login};

impl Procore {
    /// Where a person says whether we may act for them. Our client id is no secret.
    pub async fn consent_url(&self, redirect_uri: &str, state: &str) -> Result<String, LoginError> {
        let credentials = self.app_credentials().await?;
        let query = [
            ("response_type", "code"),
            ("client_id", &credentials.client_id),
            ("redirect_uri", redirect_uri),
            ("state", state),
        ];
        let url = reqwest::Url::parse_with_params(&format!("{}/oauth/authorize", self.hosts().login()), query);
        url.map(String::from).map_err(|_| LoginError::NotSent("the address of Procore's login is not one".into()))
    }

    /// Exchanges the code that came back for tokens. It works once.
    pub async fn exchange_code(&self, code: &Secret, redirect_uri: &str, now: Timestamp) -> Result<Tokens, LoginError> {
        let form = [("grant_type", "authorization_code"), ("code", code.expose()), ("redirect_uri", redirect_uri)];
        self.tokens_for(&form, now).await
    }

    /// Takes a token, and what came with it, back. May be repeated.
    async fn take_back(&self, token: &Secret, now: Timestamp) -> Result<(), LoginError> {
        let answer = self.login_post("/oauth/revoke", &[("token", token.expose())], now).await?;
        match answer.status {
            200..=299 => Ok(()),
            400 | 401 | 403 => Err(LoginError::OurCredentials { name: NAME, code: oauth_code(&answer) }),
            status => Err(LoginError::answered(NAME, status)),
        }
    }

    async fn tokens_for(&self, form: &[(&str, &str)], now: Timestamp) -> Result<Tokens, LoginError> {
        login::tokens(NAME, &self.login_post("/oauth/token", form, now).await?, now)
    }

    async fn login_post(&self, path: &str, form: &[(&str, &str)], now: Timestamp) -> Result<Answer, LoginError> {
        let Credentials { client_id, client_secret } = self.app_credentials().await?;
        let ours = [("client_id", client_id.as_str()), ("client_secret", client_secret.expose())];
        let form: Vec<(&str, &str)> = form.iter().copied().chain(ours).collect();
        let answer = self.post_form(path, &form, now).await;
        tracing::debug!(path, status = answer.as_ref().map(|answer| answer.status).ok(), "Procore login");
        answer.map_err(|broken| LoginError::broken(NAME, &broken))
    }

    async fn app_credentials(&self) -> Result<Credentials, LoginError> {
        login::ours(NAME, self.credentials().await)
    }
}

#[async_trait]
impl Refresher for Procore {
    /// Whatever comes back, and where nothing does: this refresh token is used.
    async fn refresh(&self, refresh: &Secret, now: Timestamp) -> Result<Tokens, RefreshError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        self.tokens_for(&form, now).await.map_err(RefreshError::from)
    }

    async fn revoke(&self, token: &Secret, now: Timestamp) -> Result<(), RefreshError> {
        self.take_back(token, now).await.map_err(RefreshError::from)
    }
}
