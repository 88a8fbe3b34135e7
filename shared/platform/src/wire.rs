//! The connection to a platform: one HTTP client per process, and an answer as it came, whatever its status.
use crate::request::Effect;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response, Url};
use std::sync::Arc;
use std::time::Duration;
use sync::budget::Answered;
use sync::target::TargetError;

const USER_AGENT: &str = "HardHatPulse-Integrations/1";
/// No answer that we ask for is longer; a page of a hundred records is well below.
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

/// A host as a template parameter gives it, without a slash at its end.
pub fn host(parameter: &'static str, value: &str) -> Result<String, SetupError> {
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

impl Timeouts {
    pub fn of(&self, effect: Effect) -> Duration {
        match effect {
            Effect::Repeatable => self.read,
            Effect::Once => self.write,
        }
    }
}

/// An answer as it came, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub rates: Answered,
    pub retry_after: Option<SignedDuration>,
    pub body: Result<Vec<u8>, Broken>,
}

/// No answer, or none to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
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

    /// `platform`: its name.
    pub fn words(self, platform: &str) -> String {
        match self {
            Self::Unreachable => format!("{platform} could not be reached"),
            Self::Late => format!("{platform} did not answer in time"),
            Self::Cut => format!("the connection to {platform} was cut"),
            Self::TooLong => format!("the answer of {platform} was too long"),
        }
    }

    /// What it means for a request that has this effect.
    pub fn means(self, effect: Effect, platform: &str) -> TargetError {
        let why = self.words(platform);
        match (self, effect) {
            (Self::Unreachable, _) | (_, Effect::Repeatable) => TargetError::NotDone { why },
            (_, Effect::Once) => TargetError::Unclear { why, retry_after: None },
        }
    }
}

/// What an answer's status and headers say about rate windows and pauses.
pub type Rates = fn(u16, &HeaderMap, Timestamp) -> Answered;

/// The HTTP client: one per process and platform.
pub struct Wire {
    pub http: Client,
    pub timeouts: Timeouts,
    rates: Rates,
}

impl Wire {
    pub fn new(timeouts: Timeouts, rates: Rates) -> Result<Self, SetupError> {
        let http = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            // A function sleeps between runs: a connection that died meanwhile would make the next create unclear.
            .pool_idle_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()?;
        Ok(Self { http, timeouts, rates })
    }

    /// Sends once.
    pub async fn exchange(
        &self,
        builder: RequestBuilder,
        now: impl Fn() -> Timestamp + Send,
    ) -> Result<Answer, Broken> {
        let response = builder.send().await.map_err(|error| Broken::of(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let now = now();
        let rates = (self.rates)(status, &headers, now);
        let retry_after = crate::rates::retry_after(&headers, now);
        Ok(Answer { status, headers, rates, retry_after, body: read_body(response).await })
    }
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

/// The one TLS set-up of all clients: rustls on ring, with the roots built in.
pub fn tls() -> Result<rustls::ClientConfig, SetupError> {
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
        assert_eq!(
            host("ApsUrl", "https://developer.api.autodesk.com/").unwrap(),
            "https://developer.api.autodesk.com"
        );
        assert_eq!(host("ApsUrl", "http://127.0.0.1:9100").unwrap(), "http://127.0.0.1:9100");
        for value in ["ftp://x", "", "app.procore.com"] {
            let error = host("ApsUrl", value).unwrap_err();
            assert!(error.to_string().starts_with("ApsUrl"), "{error}");
        }
    }

    #[test]
    fn only_what_was_surely_not_sent_is_not_done() {
        for (broken, done) in
            [(Broken::Unreachable, false), (Broken::Late, true), (Broken::Cut, true), (Broken::TooLong, true)]
        {
            let unclear = matches!(broken.means(Effect::Once, "Procore"), TargetError::Unclear { .. });
            assert_eq!(unclear, done, "{broken:?}");
            assert!(matches!(broken.means(Effect::Repeatable, "Procore"), TargetError::NotDone { .. }));
        }
    }
}
