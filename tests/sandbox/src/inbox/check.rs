//! What a strict receiver looks at, after the published rules: Standard Webhooks 1.0.0 and CloudEvents 1.0.

use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac;
use serde_json::Value;

const TOLERANCE_SECONDS: i64 = 300;
const LONGEST_BODY: usize = 20_000;
const EVENT: &str = "application/cloudevents+json";
const CARD: &str = "application/vnd.microsoft.card.adaptive";

/// Why a request is refused, and the status that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) words: String,
}

#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) content_type: String,
    pub(super) signatures: usize,
    pub(super) verified: Option<bool>,
    pub(super) dataschema: Option<String>,
    pub(super) body: Value,
    pub(super) problems: Vec<Problem>,
}

/// What the box expects.
pub(super) struct Expected<'a> {
    pub(super) secrets: &'a [String],
    pub(super) token: Option<&'a str>,
    pub(super) now: Timestamp,
}

pub(super) fn check(expected: &Expected<'_>, method: &Method, headers: &HeaderMap, body: &[u8]) -> Checked {
    let mut checked = Checked::default();
    if method != Method::POST {
        checked.wrong(405, format!("{method} is not POST"));
    }
    if body.len() > LONGEST_BODY {
        checked.wrong(413, format!("{} bytes are more than {LONGEST_BODY}", body.len()));
    }
    for name in [header::COOKIE, header::REFERER] {
        if headers.contains_key(&name) {
            checked.wrong(400, format!("{name} is none of a receiver's business"));
        }
    }
    token(expected, headers, &mut checked);
    signature(expected, headers, body, &mut checked);
    content(headers, body, &mut checked);
    checked
}

impl Checked {
    pub(super) fn wrong(&mut self, status: u16, words: impl Into<String>) {
        self.problems.push(Problem { status, words: words.into() });
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty())
}

fn token(expected: &Expected<'_>, headers: &HeaderMap, checked: &mut Checked) {
    let given = text(headers, header::AUTHORIZATION.as_str());
    let wanted = expected.token.map(|token| format!("Bearer {token}"));
    if wanted.is_some() && given != wanted.as_deref() {
        checked.wrong(401, "the token is missing or another one");
    }
}

fn signature(expected: &Expected<'_>, headers: &HeaderMap, body: &[u8], checked: &mut Checked) {
    let id = text(headers, "webhook-id");
    checked.id = id.map(str::to_owned);
    if id.is_none_or(|id| id.contains('.') || id.len() > 256) {
        checked.wrong(400, "webhook-id is missing, too long, or has a dot");
    }
    let timestamp: Option<i64> = text(headers, "webhook-timestamp").and_then(|text| text.parse().ok());
    match timestamp {
        None => checked.wrong(400, "webhook-timestamp is missing or no number of seconds"),
        Some(at) if (expected.now.as_second() - at).abs() > TOLERANCE_SECONDS => {
            checked.wrong(401, "webhook-timestamp is more than five minutes away");
        }
        Some(_) => {}
    }
    let signatures: Vec<&str> = text(headers, "webhook-signature").unwrap_or_default().split(' ').collect();
    let given: Vec<Vec<u8>> = signatures
        .iter()
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|one| STANDARD.decode(one).ok())
        .collect();
    checked.signatures = given.len();
    if given.is_empty() {
        checked.wrong(401, "webhook-signature has no signature of version v1");
    }
    if expected.secrets.is_empty() {
        return;
    }
    let signed =
        [id.unwrap_or_default().as_bytes(), b".", timestamp.unwrap_or_default().to_string().as_bytes(), b".", body]
            .concat();
    let keys = expected.secrets.iter().filter_map(|secret| key(secret));
    let verified = keys.into_iter().any(|key| given.iter().any(|tag| hmac::verify(&key, &signed, tag).is_ok()));
    checked.verified = Some(verified);
    if !verified {
        checked.wrong(401, "no signature fits a secret of this box");
    }
}

fn key(secret: &str) -> Option<hmac::Key> {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn content(headers: &HeaderMap, body: &[u8], checked: &mut Checked) {
    let media = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    checked.body = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => {
            checked.wrong(400, format!("the body is not JSON: {error}"));
            Value::String(String::from_utf8_lossy(body).into_owned())
        }
    };
    checked.content_type.clone_from(&media);
    match media.as_str() {
        EVENT => event(checked),
        // An event for flows without code, or a card.
        "application/json" if checked.body["specversion"].is_string() => event(checked),
        "application/json" => card(checked),
        other => checked.wrong(415, format!("content-type {other:?} is neither {EVENT} nor application/json")),
    }
}

fn event(checked: &mut Checked) {
    let body = checked.body.clone();
    let member = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    checked.kind = member("type").map(str::to_owned);
    checked.dataschema = member("dataschema").map(str::to_owned);
    if member("specversion") != Some("1.0") {
        checked.wrong(400, "specversion is not 1.0");
    }
    for name in ["id", "source", "type"] {
        if member(name).is_none() {
            checked.wrong(400, format!("{name} is missing or empty"));
        }
    }
    if member("id") != checked.id.as_deref() {
        checked.wrong(400, "the event's id is not the webhook-id");
    }
    if member("time").is_none_or(|time| time.parse::<Timestamp>().is_err()) {
        checked.wrong(400, "time is not an RFC 3339 time");
    }
    if !body["data"].is_object() {
        checked.wrong(400, "data is not an object");
    }
}

/// As a Teams workflow takes it.
fn card(checked: &mut Checked) {
    let attachment = &checked.body["attachments"][0];
    let fits = checked.body["type"] == "message"
        && attachment["contentType"] == CARD
        && attachment["content"]["type"] == "AdaptiveCard"
        && attachment["content"]["version"].is_string()
        && attachment["content"]["body"].as_array().is_some_and(|blocks| !blocks.is_empty());
    checked.kind = Some("adaptive card".to_owned());
    if !fits {
        checked.wrong(400, "application/json, and not a message with an Adaptive Card");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// The published test vector.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let id = HeaderValue::from_static("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
        headers.insert("webhook-id", id);
        headers.insert("webhook-timestamp", HeaderValue::from_static("1649367553"));
        headers.insert("webhook-signature", HeaderValue::from_str(signature).unwrap_or(HeaderValue::from_static("")));
        headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
        headers
    }

    fn verdict(signature: &str, late: i64, secrets: &[&str]) -> (Option<bool>, usize) {
        let now = Timestamp::from_second(1_649_367_553 + late).unwrap_or(Timestamp::UNIX_EPOCH);
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let expected = Expected { secrets: &secrets, token: None, now };
        let checked = check(&expected, &Method::POST, &headers(signature), BODY);
        (checked.verified, checked.problems.iter().filter(|problem| problem.status == 401).count())
    }

    #[test]
    fn the_published_vector_verifies_and_nothing_else_does() {
        let good = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(verdict(good, 0, &[SECRET]), (Some(true), 0));
        let other = "v1,AAAA4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(verdict(&format!("{other} {good}"), 299, &["whsec_AAAA", SECRET]), (Some(true), 0));
        assert_eq!(verdict(other, 0, &[SECRET]), (Some(false), 1));
        assert_eq!(verdict(good, 301, &[SECRET]), (Some(true), 1));
        assert_eq!(verdict(good, 0, &[]), (None, 0));
        assert_eq!(verdict("v1a,AAAA", 0, &[]), (None, 1));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let expected = Expected { secrets: &[], token: Some("T"), now: Timestamp::UNIX_EPOCH };
        let checked = check(&expected, &Method::PUT, &headers(""), b"x");
        let statuses: Vec<u16> = checked.problems.iter().map(|problem| problem.status).collect();
        assert!([405, 401, 400].iter().all(|status| statuses.contains(status)), "{statuses:?}");
    }
}
