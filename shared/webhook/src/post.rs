//! One attempt: a signed request to an address that the guard lets through, within fifteen seconds in all. No redirect is followed,
//! no proxy used, nothing decompressed, no cookie kept; of the answer little is read and less is kept.
use crate::excerpt::excerpt;
use crate::guard::{Guard, Refusal};
use crate::names::{Guarded, Names};
use async_trait::async_trait;
use credentials::Secret;
use domain::signature::{SigningKey, sign};
use domain::webhook::{Attempt, Format};
use jiff::{SignedDuration, Timestamp};
use platform::rates::retry_after;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use url::Url;

const USER_AGENT: &str = "HardHatPulse-Integrations/1";
/// Read of an answer at most.
const READ: usize = 16 * 1024;
/// The client ends an attempt by itself, and keeps what it has of the answer; should it not, it is ended this much later.
const GRACE: Duration = Duration::from_millis(500);

/// What is sent, and where to.
#[derive(Debug)]
pub struct Letter<'a> {
    pub url: &'a Secret,
    /// The webhook-id: the same at each attempt.
    pub id: &'a str,
    pub format: Format,
    pub body: &'a [u8],
    /// The newest first; two while a secret rotates.
    pub keys: &'a [SigningKey],
    pub token: Option<&'a Secret>,
    pub at: Timestamp,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub attempt: Attempt,
    /// The receiver's wish.
    pub retry_after: Option<SignedDuration>,
}

impl Outcome {
    /// The receiver wants nothing more, ever.
    pub fn is_gone(&self) -> bool {
        self.attempt.status_code == Some(410)
    }
}

#[async_trait]
pub trait Post: Send + Sync {
    async fn post(&self, letter: Letter<'_>) -> Outcome;
}

/// How long an attempt may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connect: Duration,
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// The real thing. The client is made at the first attempt: whoever only might send pays nothing at the start.
pub struct HttpPost {
    guard: Guard,
    names: Arc<dyn Names>,
    limits: Limits,
    client: OnceCell<Client>,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the address {0}")]
    Refused(Refusal),
    #[error("the receiver could not be reached: nothing answers at this address")]
    Unreachable,
    #[error("no secure connection could be made: the receiver's certificate must be valid for its name")]
    Tls,
    #[error("no connection came about within {0} seconds: check the address, and that a firewall lets us in")]
    NoConnection(u64),
    #[error("the receiver did not answer within {0} seconds")]
    Late(u64),
    #[error("the receiver ended the connection without an answer")]
    Cut,
    #[error("the request could not be made on our side")]
    Ours,
}

impl HttpPost {
    pub fn new(guard: Guard, names: Arc<dyn Names>) -> Self {
        Self::within(guard, names, Limits::default())
    }

    pub fn within(guard: Guard, names: Arc<dyn Names>, limits: Limits) -> Self {
        Self { guard, names, limits, client: OnceCell::new() }
    }

    async fn client(&self) -> Result<&Client, Failure> {
        let made = self.client.get_or_try_init(async || build(&self.guard, &self.names, self.limits)).await;
        made.map_err(|error| {
            tracing::error!(error = %error, "the client for webhooks can't be made");
            Failure::Ours
        })
    }

    async fn exchange(&self, letter: &Letter<'_>, secrets: &[&str]) -> Result<Answer, Failure> {
        let url = self.guard.check(letter.url.expose()).map_err(Failure::Refused)?;
        let client = self.client().await?;
        let request = client.post(url).headers(headers(letter)?).body(letter.body.to_vec());
        let response = request.send().await.map_err(|error| self.failure(&error))?;
        // The resolver has seen to it; should a connection come about another way, nothing of its answer is shown.
        if !self.guard.allows_private() && response.remote_addr().is_none_or(|at| !self.guard.may_connect(at.ip())) {
            return Err(Failure::Refused(Refusal::NotPublic));
        }
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers(), letter.at));
        let (body, whole) = read(response).await;
        Ok(Answer { status, retry_after, excerpt: excerpt(&body, whole, secrets) })
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        let (mut refusal, mut tls) = (None, false);
        while let Some(error) = cause {
            refusal = refusal.or_else(|| error.downcast_ref::<Refusal>().copied());
            tls |= is_tls(error);
            cause = error.source();
        }
        match refusal {
            Some(refusal) => Failure::Refused(refusal),
            None if tls => Failure::Tls,
            None if error.is_timeout() && error.is_connect() => Failure::NoConnection(self.limits.connect.as_secs()),
            None if error.is_timeout() => self.late(),
            None if error.is_connect() => Failure::Unreachable,
            None => Failure::Cut,
        }
    }

    fn late(&self) -> Failure {
        Failure::Late(self.limits.total.as_secs())
    }
}

/// TLS errors come wrapped in errors of I/O, once or more.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}

struct Answer {
    status: u16,
    retry_after: Option<SignedDuration>,
    excerpt: String,
}

#[async_trait]
impl Post for HttpPost {
    async fn post(&self, letter: Letter<'_>) -> Outcome {
        let began = Instant::now();
        let confidential = confidential(&letter);
        let secrets: Vec<&str> = confidential.iter().map(Secret::expose).collect();
        let answered = tokio::time::timeout(self.limits.total + GRACE, self.exchange(&letter, &secrets)).await;
        let answered = answered.unwrap_or_else(|_| Err(self.late()));
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status_code, response_excerpt, error, retry_after) = match answered {
            Ok(answer) => (Some(answer.status), Some(answer.excerpt), complaint(answer.status), answer.retry_after),
            Err(failure) => (None, None, Some(failure.to_string()), None),
        };
        Outcome { attempt: Attempt { at: letter.at, status_code, duration_ms, response_excerpt, error }, retry_after }
    }
}

/// The twin: remembers what it was sent, and answers as it is told.
pub struct MemoryPost {
    got: Mutex<Vec<Got>>,
    answer: Box<dyn Fn(&Got) -> Reply + Send + Sync>,
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub id: String,
    pub body: String,
    pub at: Timestamp,
    pub signatures: String,
    pub token: Option<String>,
}

/// An answer: a status, or none at all; and a wish for patience.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reply {
    pub status: Option<u16>,
    pub retry_after: Option<SignedDuration>,
}

impl MemoryPost {
    pub fn answering(answer: impl Fn(&Got) -> Reply + Send + Sync + 'static) -> Self {
        Self { got: Mutex::default(), answer: Box::new(answer) }
    }

    pub fn taking() -> Self {
        Self::answering(|_| Reply { status: Some(204), retry_after: None })
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Post for MemoryPost {
    async fn post(&self, letter: Letter<'_>) -> Outcome {
        let got = Got {
            id: letter.id.to_owned(),
            body: String::from_utf8_lossy(letter.body).into_owned(),
            at: letter.at,
            signatures: signatures(&letter),
            token: letter.token.map(|token| token.expose().to_owned()),
        };
        let Reply { status: status_code, retry_after } = (self.answer)(&got);
        self.got.lock().unwrap_or_else(PoisonError::into_inner).push(got);
        let error = status_code.map_or(Some(Failure::Unreachable.to_string()), complaint);
        let response_excerpt = status_code.map(|_| String::new());
        Outcome {
            attempt: Attempt { at: letter.at, status_code, duration_ms: 1, response_excerpt, error },
            retry_after,
        }
    }
}

fn build(guard: &Guard, names: &Arc<dyn Names>, limits: Limits) -> Result<Client, Box<dyn Error + Send + Sync>> {
    let client = Client::builder()
        .tls_backend_preconfigured(platform::wire::tls()?)
        .user_agent(USER_AGENT)
        .https_only(!guard.allows_private())
        .dns_resolver(Arc::new(Guarded { guard: guard.clone(), names: names.clone() }))
        .connect_timeout(limits.connect)
        .timeout(limits.total)
        // A function sleeps between runs; what died meanwhile is not tried.
        .pool_idle_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .build()?;
    Ok(client)
}

fn headers(letter: &Letter<'_>) -> Result<HeaderMap, Failure> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Failure::Ours);
    let second = letter.at.as_second();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(letter.format.content_type()));
    headers.insert("webhook-id", value(letter.id)?);
    headers.insert("webhook-timestamp", HeaderValue::from(second));
    headers.insert("webhook-signature", value(&signatures(letter))?);
    if let Some(token) = letter.token {
        let mut bearer = value(&format!("Bearer {}", token.expose()))?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(headers)
}

fn signatures(letter: &Letter<'_>) -> String {
    let sign = |key| sign(key, letter.id, letter.at.as_second(), letter.body);
    letter.keys.iter().map(sign).collect::<Vec<_>>().join(" ")
}

/// A part of an address that is as long may be a secret.
const TELLING: usize = 8;
/// A step of a path that is as long is no word.
const TELLING_STEP: usize = 16;

/// What must not come back in an excerpt: the token, the signing secrets, signatures, and what may be one in the address.
fn confidential(letter: &Letter<'_>) -> Vec<Secret> {
    let mut all: Vec<Secret> = letter.token.into_iter().cloned().collect();
    for key in letter.keys {
        let secret = key.secret();
        let bare = secret.strip_prefix("whsec_").unwrap_or_default().to_owned();
        all.extend([secret, bare].map(Secret::new));
    }
    all.extend(signatures(letter).split(' ').filter_map(|one| one.strip_prefix("v1,")).map(Secret::new));
    if let Ok(url) = Url::parse(letter.url.expose()) {
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        let path = url.path().trim_matches('/').to_owned();
        let whole = url.query().map(|query| format!("{}?{query}", url.path().trim_start_matches('/')));
        all.extend(values.chain([path]).chain(whole).filter(|part| part.len() >= TELLING).map(Secret::new));
        all.extend(url.path().split('/').filter(|step| step.len() >= TELLING_STEP).map(Secret::new));
    }
    all
}

async fn read(mut response: Response) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(READ - body.len())]),
            Ok(None) => return (body, true),
            // The status counts; an answer that broke off is shown as far as it came.
            Err(_) => return (body, false),
        }
        if body.len() >= READ {
            return (body, false);
        }
    }
}

/// Why a status means that the message was not taken, with who can mend it.
fn complaint(status: u16) -> Option<String> {
    let words = match status {
        200..300 => return None,
        300..400 => "a redirect, which is never followed: enter the address that it leads to",
        401 | 403 => "the receiver does not accept the token or the signature: compare both with what it expects",
        404 => "nothing takes messages at this path: check the address",
        405 => "the path takes no POST: check the address",
        410 => "the receiver wants no more messages",
        413 => "the receiver finds the message too long",
        415 => "the receiver does not take this content type",
        429 => "the receiver asks for a pause",
        400..500 => "the receiver refused the message",
        _ => "the receiver failed",
    };
    Some(format!("answered {status}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_is_no_complaint() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(complaint(status), None);
        }
        for status in [100, 301, 302, 307, 400, 401, 404, 410, 429, 500, 503, 599] {
            assert!(complaint(status).is_some_and(|words| words.contains(&status.to_string())));
        }
    }
}
