//! One call to Procore: asked of the meter, sent once, classified. Nothing is retried here but a call that a stale token kept
//! from being looked at, no redirect is followed, and neither token nor secret gets into a log or an error.
use crate::errors::{Refusal, classify, not_granted, unauthorized};
use crate::rates;
use crate::request::{Effect, Request};
use crate::token::{CredentialError, CredentialSource, Credentials, Issuer, Tokens};
use async_trait::async_trait;
use credentials::Secret;
use grants::Grants;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use sync::budget::{Admission, Answered};
use sync::target::{Call, TargetError};

const USER_AGENT: &str = "HardHatPulse-Integrations/1";
/// No answer that we ask for is longer; a page of a hundred incidents is well below.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{parameter} is {value:?}, which is not an http or https address")]
    Host { parameter: &'static str, value: String },
    #[error("the HTTP client can't be made: {0}")]
    Http(#[from] reqwest::Error),
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

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

fn host(parameter: &'static str, value: &str) -> Result<String, SetupError> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(_) => Ok(value.trim_end_matches('/').to_owned()),
        None => Err(SetupError::Host { parameter, value: value.to_owned() }),
    }
}

/// How long a call may take. A lane waits longer than `write` before it looks whether an unanswered create was done.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    pub read: Duration,
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), read: Duration::from_secs(8), write: Duration::from_secs(12) }
    }
}

/// An answer as it came, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) rates: Answered,
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Result<Vec<u8>, Broken>,
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// No answer, or none to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Nothing was sent.
    Unreachable,
    Late,
    Cut,
    TooLong,
}

impl Broken {
    fn of(error: &reqwest::Error) -> Self {
        match error {
            error if error.is_connect() || error.is_builder() => Self::Unreachable,
            error if error.is_timeout() => Self::Late,
            _ => Self::Cut,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "Procore could not be reached",
            Self::Late => "Procore did not answer in time",
            Self::Cut => "the connection to Procore was cut",
            Self::TooLong => "Procore's answer was too long",
        }
    }

    /// What it means for a request that has this effect.
    fn means(self, effect: Effect) -> TargetError {
        match (self, effect) {
            (Self::Unreachable, _) | (_, Effect::Repeatable) => TargetError::NotDone { why: self.words().into() },
            (_, Effect::Once) => TargetError::Unclear { why: self.words().into(), retry_after: None },
        }
    }
}

/// The client: one per process.
pub struct Procore {
    http: reqwest::Client,
    hosts: Hosts,
    timeouts: Timeouts,
    tokens: Tokens,
    grants: Option<Arc<dyn Grants>>,
}

impl Procore {
    pub fn new(hosts: Hosts, credentials: Arc<dyn CredentialSource>) -> Result<Self, SetupError> {
        Self::with_timeouts(hosts, credentials, Timeouts::default())
    }

    pub fn with_timeouts(
        hosts: Hosts,
        credentials: Arc<dyn CredentialSource>,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            // A function sleeps between runs: a connection that died meanwhile would make the next create unclear.
            .pool_idle_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()?;
        Ok(Self { http, hosts, timeouts, tokens: Tokens::new(credentials), grants: None })
    }

    /// Connections that work with a person's grant use that person's token, all others the service account's.
    pub fn with_grants(self, grants: Arc<dyn Grants>) -> Self {
        Self { grants: Some(grants), ..self }
    }

    /// The token that a lane's calls go with; `refused` was given before and is not taken any more.
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
        self.tokens.credentials().await
    }

    /// A form to the login host.
    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)], now: Timestamp) -> Result<Answer, Broken> {
        let builder = self.http.post(format!("{}{path}", self.hosts.login)).form(form).timeout(self.timeouts.read);
        exchange(builder, || now).await
    }

    /// A read with a person's token; outside the lane's budget, which is the app's.
    pub(crate) async fn get_as(
        &self,
        token: &Secret,
        path: &str,
        company: Option<i64>,
        query: &[(&str, String)],
        now: Timestamp,
    ) -> Result<Answer, Broken> {
        let builder = self.http.get(format!("{}{path}", self.hosts.api)).bearer_auth(token.expose()).query(query);
        let builder = match company {
            Some(company) => builder.header("Procore-Company-Id", company),
            None => builder,
        };
        exchange(builder.timeout(self.timeouts.read), || now).await
    }

    /// Sends one request in a person's name. A token that is refused is not renewed here: the person signs in again.
    pub(crate) async fn send_for(
        &self,
        call: Call<'_>,
        request: &Request,
        person: &Secret,
    ) -> Result<Reply, TargetError> {
        conclude(self.once(call, request, person).await?, request, person)
    }

    /// Sends one request and reads its answer as JSON.
    pub(crate) async fn send(&self, call: Call<'_>, request: &Request) -> Result<Reply, TargetError> {
        let token = self.metered_token(call, None).await?;
        let answer = self.once(call, request, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED.as_u16() {
            return conclude(answer, request, &token);
        }
        // A 401 was surely not carried out, so this is no second try of anything.
        let token = self.metered_token(call, Some(&token)).await?;
        let answer = self.once(call, request, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED.as_u16() {
            self.tokens.forget(&token).await;
            return Err(TargetError::Connection(unauthorized()));
        }
        conclude(answer, request, &token)
    }

    /// Without a token nothing works: a login host that does not answer is an outage like any other.
    async fn metered_token(&self, call: Call<'_>, refused: Option<&Secret>) -> Result<Secret, TargetError> {
        let token = self.token(call, refused).await;
        match &token {
            Err(TargetError::NotDone { .. }) => call.meter.after(unanswered()),
            Err(TargetError::Paused { until, .. }) => {
                call.meter.after(Answered { pause_until: Some(*until), ..Answered::default() });
            }
            _ => {}
        }
        token
    }

    async fn once(&self, call: Call<'_>, request: &Request, token: &Secret) -> Result<Answer, TargetError> {
        let timeout = match request.ask.effect {
            Effect::Repeatable => self.timeouts.read,
            Effect::Once => self.timeouts.write,
        };
        let longest = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::MAX);
        if let Admission::Pause { until, everything } = call.meter.before(call.class, longest).await {
            return Err(TargetError::Paused { until, everything });
        }
        let builder = self
            .http
            .request(request.method.clone(), format!("{}{}", self.hosts.api, request.path))
            .bearer_auth(token.expose())
            .query(&request.query)
            .timeout(timeout);
        let builder = match request.company {
            Some(company) => builder.header("Procore-Company-Id", company),
            None => builder,
        };
        let builder = match &request.body {
            Some(body) => builder.json(body),
            None => builder,
        };
        let answer = exchange(builder, || call.meter.now()).await;
        let status = answer.as_ref().map(|answer| answer.status).ok();
        tracing::debug!(method = %request.method, tool = request.ask.tool.words(), status, "Procore call");
        call.meter.after(answer.as_ref().map_or_else(|_| unanswered(), |answer| answer.rates));
        answer.map_err(|broken| broken.means(request.ask.effect))
    }
}

#[async_trait]
impl Issuer for Procore {
    async fn ask(&self, credentials: &Credentials, now: Timestamp) -> Result<Answer, Broken> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", credentials.client_secret.expose()),
        ];
        let answer = self.post_form("/oauth/token", &form, now).await;
        tracing::debug!(status = answer.as_ref().map(|answer| answer.status).ok(), "Procore token");
        answer
    }
}

fn unanswered() -> Answered {
    Answered { down: true, ..Answered::default() }
}

async fn exchange(builder: RequestBuilder, now: impl Fn() -> Timestamp) -> Result<Answer, Broken> {
    let response = builder.send().await.map_err(|error| Broken::of(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let now = now();
    let rates = rates::answered(status, &headers, now);
    let retry_after = rates::retry_after(&headers, now);
    Ok(Answer { status, headers, rates, retry_after, body: read_body(response).await })
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_BODY => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Broken::TooLong),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Broken::of(&error)),
        }
    }
}

fn conclude(answer: Answer, request: &Request, token: &Secret) -> Result<Reply, TargetError> {
    let ask = request.ask;
    if (200..300).contains(&answer.status) {
        let body = answer.body.map_err(|broken| broken.means(ask.effect))?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).map_err(|_| unreadable(ask.effect))?,
        };
        return Ok(Reply { headers: answer.headers, body });
    }
    // A refusal whose body broke off is still a refusal.
    let body = answer.body.unwrap_or_default();
    let body = without(body, token);
    let (retry_after, pause_until) = (answer.retry_after, answer.rates.pause_until);
    Err(classify(&Refusal { status: answer.status, body: &body, retry_after, pause_until }, ask))
}

/// A success whose content can't be read: done, but as what?
pub(crate) fn unreadable(effect: Effect) -> TargetError {
    let why = "Procore's answer can't be read".to_owned();
    match effect {
        Effect::Once => TargetError::Unclear { why, retry_after: None },
        Effect::Repeatable => TargetError::NotDone { why },
    }
}

/// The platform's words are shown to people: should they repeat the token, it goes.
fn without(body: Vec<u8>, token: &Secret) -> Vec<u8> {
    let text = String::from_utf8_lossy(&body);
    match text.contains(token.expose()) {
        true => text.replace(token.expose(), "(token)").into_bytes(),
        false => body,
    }
}

fn tls() -> Result<rustls::ClientConfig, SetupError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_addresses() {
        let hosts =
            Hosts::new("https://login.procore.com/", "https://api.procore.com", "http://127.0.0.1:9100").unwrap();
        assert_eq!(hosts.login, "https://login.procore.com");
        for (login, api, web, named) in [
            ("ftp://x", "https://a", "https://b", "ProcoreLoginUrl"),
            ("https://a", "", "https://b", "ProcoreApiUrl"),
            ("https://a", "https://b", "app.procore.com", "ProcoreWebUrl"),
        ] {
            let error = Hosts::new(login, api, web).unwrap_err();
            assert!(error.to_string().starts_with(named), "{error}");
        }
    }

    #[test]
    fn a_token_in_the_platforms_words_is_cut_out() {
        let body = without(br#"{"errors":["eyJ0 is bad"]}"#.to_vec(), &Secret::new("eyJ0"));
        assert_eq!(body, br#"{"errors":["(token) is bad"]}"#);
    }

    #[test]
    fn only_what_was_surely_not_sent_is_not_done() {
        for (broken, done) in
            [(Broken::Unreachable, false), (Broken::Late, true), (Broken::Cut, true), (Broken::TooLong, true)]
        {
            let unclear = matches!(broken.means(Effect::Once), TargetError::Unclear { .. });
            assert_eq!(unclear, done, "{broken:?}");
            assert!(matches!(broken.means(Effect::Repeatable), TargetError::NotDone { .. }));
        }
    }
}
