//! The client: in whose name a call goes to Procore, and with which company header.
use crate::errors::{ProcoreManners, not_granted, refused_credentials, without_credentials};
use crate::rates;
use crate::request::Request;
use async_trait::async_trait;
use credentials::{Parameters, Secret};
use grants::Grants;
use jiff::Timestamp;
use platform::{
    Answer, Bearer, Broken, CredentialError, CredentialSource, Credentials, Issuer, Manners, ParameterCredentials,
    Reply, SetupError, Timeouts, Tokens, Wire, host,
};
use reqwest::{Client, RequestBuilder};
use std::sync::Arc;
use sync::target::{Block, Call, TargetError};

pub(crate) const NAME: &str = ProcoreManners::NAME;

/// Where Procore is: production, one of its sandboxes, or ours.
#[derive(Debug, Clone)]
pub struct Hosts {
    login: String,
    api: String,
    web: String,
}

impl Hosts {
    /// From the template's `ProcoreLoginUrl`, `ProcoreApiUrl` and `ProcoreWebUrl`.
    pub fn new(login_url: &str, api_url: &str, web_url: &str) -> Result<Self, SetupError> {
        Ok(Self {
            login: host("ProcoreLoginUrl", login_url)?,
            api: host("ProcoreApiUrl", api_url)?,
            web: host("ProcoreWebUrl", web_url)?,
        })
    }

    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    pub(crate) fn web(&self) -> &str {
        &self.web
    }
}

/// The client: one per process.
pub struct Procore {
    wire: Wire,
    hosts: Hosts,
    source: Arc<dyn CredentialSource>,
    /// One client-credentials grant serves all companies (the company header tells them apart), so one token serves the process.
    tokens: Tokens,
    grants: Option<Arc<dyn Grants>>,
}

impl Procore {
    pub fn new(hosts: Hosts, credentials: Arc<dyn CredentialSource>) -> Result<Self, SetupError> {
        Self::with_timeouts(hosts, credentials, Timeouts::default())
    }

    /// The app of a deployment: its OAuth client stands among the stack's parameters.
    pub fn of_stack<P: Parameters + 'static>(
        hosts: Hosts,
        parameters: Arc<P>,
        stack: &str,
    ) -> Result<Self, SetupError> {
        let client_id = format!("/{stack}/procore/client-id");
        let client_secret = format!("/{stack}/procore/client-secret");
        Self::new(hosts, Arc::new(ParameterCredentials { parameters, client_id, client_secret }))
    }

    pub fn with_timeouts(
        hosts: Hosts,
        credentials: Arc<dyn CredentialSource>,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let wire = Wire::new(timeouts, rates::answered)?;
        Ok(Self { wire, hosts, source: credentials, tokens: Tokens::default(), grants: None })
    }

    /// Connections that work with a person's grant use that person's token, all others the service account's.
    pub fn with_grants(self, grants: Arc<dyn Grants>) -> Self {
        Self { grants: Some(grants), ..self }
    }

    /// Whether a lane works with a person's grant.
    pub(crate) async fn by_consent(&self, call: Call<'_>) -> Result<bool, TargetError> {
        let (Some(grants), Some(lane)) = (&self.grants, call.meter.lane()) else { return Ok(false) };
        let granted = grants.token(lane, self, None, call.meter.now()).await.map_err(not_granted)?;
        Ok(granted.is_some())
    }

    /// Takes back the grant that a lane works with, if it works with one.
    pub(crate) async fn let_go(&self, call: Call<'_>) -> Result<(), TargetError> {
        if let (Some(grants), Some(lane)) = (&self.grants, call.meter.lane()) {
            grants.revoke(lane, self, call.meter.now()).await.map_err(not_granted)?;
        }
        Ok(())
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The app's own OAuth client.
    pub(crate) async fn credentials(&self) -> Result<Credentials, CredentialError> {
        self.source.get().await
    }

    /// A form to the login host.
    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)], now: Timestamp) -> Result<Answer, Broken> {
        let builder = self.wire.http.post(format!("{}{path}", self.hosts.login)).form(form);
        self.wire.exchange(builder.timeout(self.wire.timeouts.read), || now).await
    }

    /// Sends one request in a person's name. A token that is refused is not renewed here: the person signs in again.
    pub(crate) async fn send_for(
        &self,
        call: Call<'_>,
        request: &Request,
        person: &Secret,
    ) -> Result<Reply, TargetError> {
        let builder = self.built(&self.wire.http, request);
        let answer = platform::once::<ProcoreManners>(&self.wire, call, request.ask, builder, person).await?;
        platform::conclude::<ProcoreManners>(answer, request.ask, person)
    }

    /// Sends one request and reads its answer as JSON.
    pub(crate) async fn send(&self, call: Call<'_>, request: &Request) -> Result<Reply, TargetError> {
        let build = |http: &Client| self.built(http, request);
        platform::send::<ProcoreManners>(&self.wire, call, request.ask, self, build).await
    }

    fn built(&self, http: &Client, request: &Request) -> RequestBuilder {
        let builder =
            http.request(request.method.clone(), format!("{}{}", self.hosts.api, request.path)).query(&request.query);
        let builder = in_company(builder, request.scope);
        match &request.body {
            Some(body) => builder.json(body),
            None => builder,
        }
    }
}

fn in_company(builder: RequestBuilder, company: Option<i64>) -> RequestBuilder {
    match company {
        Some(company) => builder.header("Procore-Company-Id", company),
        None => builder,
    }
}

/// A success whose content can't be read: done, but as what?
pub(crate) fn unreadable(effect: platform::Effect) -> TargetError {
    platform::unreadable::<ProcoreManners>(effect)
}

#[async_trait]
impl Bearer for Procore {
    async fn token(&self, call: Call<'_>, refused: Option<&Secret>) -> Result<Secret, TargetError> {
        let now = call.meter.now();
        if let (Some(grants), Some(lane)) = (&self.grants, call.meter.lane()) {
            let granted = grants.token(lane, self, refused, now).await.map_err(not_granted)?;
            if let Some(token) = granted {
                return Ok(token);
            }
        }
        if let Some(refused) = refused {
            self.tokens.forget(refused).await;
        }
        self.tokens.get(self, now).await
    }

    async fn forget(&self, token: &Secret) {
        self.tokens.forget(token).await;
    }
}

#[async_trait]
impl Issuer for Procore {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn issue(&self, now: Timestamp) -> Result<Result<Answer, Broken>, CredentialError> {
        let credentials = self.credentials().await?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", credentials.client_secret.expose()),
        ];
        let answer = self.post_form("/oauth/token", &form, now).await;
        tracing::debug!(status = answer.as_ref().map(|answer| answer.status).ok(), "Procore token");
        Ok(answer)
    }

    fn refused(&self, code: &str) -> Block {
        refused_credentials(code)
    }

    fn none(&self, reason: String) -> Block {
        without_credentials(reason)
    }
}
