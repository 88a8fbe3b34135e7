//! A request with its token, and what its answer means.
use crate::errors::{Manners, Refusal, classify};
use crate::request::{Ask, Effect};
use crate::wire::{Answer, Wire};
use async_trait::async_trait;
use credentials::Secret;
use jiff::SignedDuration;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use sync::budget::{Admission, Answered};
use sync::target::{Call, TargetError};

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    pub headers: HeaderMap,
    pub body: Value,
}

/// Gives the tokens that calls go with.
#[async_trait]
pub trait Bearer: Send + Sync {
    /// `refused` was given before and is not taken any more.
    async fn token(&self, call: Call<'_>, refused: Option<&Secret>) -> Result<Secret, TargetError>;

    /// A fresh token was refused too.
    async fn forget(&self, token: &Secret);
}

/// Sends one request and reads its answer as JSON. `build` makes the request, but for token and time-out.
pub async fn send<M: Manners>(
    wire: &Wire,
    call: Call<'_>,
    ask: Ask<M::Tool>,
    bearer: &dyn Bearer,
    build: impl Fn(&Client) -> RequestBuilder + Send + Sync,
) -> Result<Reply, TargetError> {
    let token = metered_token(bearer, call, None).await?;
    let answer = once::<M>(wire, call, ask, build(&wire.http), &token).await?;
    if answer.status != StatusCode::UNAUTHORIZED.as_u16() {
        return conclude::<M>(answer, ask, &token);
    }
    // A 401 was surely not carried out, so this is no second try of anything.
    let token = metered_token(bearer, call, Some(&token)).await?;
    let answer = once::<M>(wire, call, ask, build(&wire.http), &token).await?;
    if answer.status == StatusCode::UNAUTHORIZED.as_u16() {
        bearer.forget(&token).await;
        return Err(TargetError::Connection(M::unauthorized()));
    }
    conclude::<M>(answer, ask, &token)
}

/// Without a token nothing works: a login host that does not answer is an outage like any other.
async fn metered_token(bearer: &dyn Bearer, call: Call<'_>, refused: Option<&Secret>) -> Result<Secret, TargetError> {
    let token = bearer.token(call, refused).await;
    match &token {
        Err(TargetError::NotDone { .. }) => call.meter.after(unanswered()),
        Err(TargetError::Paused { until, .. }) => {
            call.meter.after(Answered { pause_until: Some(*until), ..Answered::default() });
        }
        _ => {}
    }
    token
}

/// One metered call with this token.
pub async fn once<M: Manners>(
    wire: &Wire,
    call: Call<'_>,
    ask: Ask<M::Tool>,
    builder: RequestBuilder,
    token: &Secret,
) -> Result<Answer, TargetError> {
    let timeout = wire.timeouts.of(ask.effect);
    let longest = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::MAX);
    if let Admission::Pause { until, everything } = call.meter.before(call.class, longest).await {
        return Err(TargetError::Paused { until, everything });
    }
    let answer = wire.exchange(builder.bearer_auth(token.expose()).timeout(timeout), || call.meter.now()).await;
    let status = answer.as_ref().map(|answer| answer.status).ok();
    tracing::debug!(platform = M::NAME, tool = M::tool(ask.tool), status, "platform call");
    let rates = answer.as_ref().map_or_else(|_| unanswered(), |answer| answer.rates);
    // Where a tool is away that no record waits for, that says nothing of the others, unless it is a limit.
    let away = rates.down || rates.pause_until.is_some();
    if !away || M::waits_for(ask.tool) || status == Some(429) {
        call.meter.after(rates);
    }
    answer.map_err(|broken| broken.means(ask.effect, M::NAME))
}

fn unanswered() -> Answered {
    Answered { down: true, ..Answered::default() }
}

/// What an answer means to whoever asked.
pub fn conclude<M: Manners>(answer: Answer, ask: Ask<M::Tool>, token: &Secret) -> Result<Reply, TargetError> {
    if (200..300).contains(&answer.status) {
        let body = answer.body.map_err(|broken| broken.means(ask.effect, M::NAME))?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).map_err(|_| unreadable::<M>(ask.effect))?,
        };
        return Ok(Reply { headers: answer.headers, body });
    }
    // A refusal whose body broke off is still a refusal.
    let body = answer.body.unwrap_or_default();
    let body = without(body, token);
    let (retry_after, pause_until) = (answer.retry_after, answer.rates.pause_until);
    Err(classify::<M>(&Refusal { status: answer.status, body: &body, retry_after, pause_until }, ask))
}

/// A success whose content can't be read: done, but as what?
pub fn unreadable<M: Manners>(effect: Effect) -> TargetError {
    let why = format!("the answer of {} can't be read", M::NAME);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_platforms_words_is_cut_out() {
        let body = without(br#"{"errors":["eyJ0 is bad"]}"#.to_vec(), &Secret::new("eyJ0"));
        assert_eq!(body, br#"{"errors":["(token) is bad"]}"#);
    }
}
