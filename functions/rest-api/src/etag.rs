//! Strong ETags, made from an item's version (or from content that has none): nobody overwrites what they have not seen.
use crate::problem::Problem;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

fn text(version: u64) -> String {
    format!("\"v{version}\"")
}

fn header(version: u64) -> [(HeaderName, String); 1] {
    [(ETAG, text(version))]
}

/// Whether a precondition header names this version: `*`, or a list of tags. Weak tags never match.
fn names(headers: &HeaderMap, name: &HeaderName, version: u64, weak_too: bool) -> bool {
    let tag = text(version);
    let same = |listed: &str| listed == "*" || listed == tag || (weak_too && listed.strip_prefix("W/") == Some(&*tag));
    headers
        .get_all(name)
        .iter()
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|v| same(v.trim()))
}

/// A change of what exists needs an `If-Match` that names its version.
pub fn require_match(headers: &HeaderMap, version: u64) -> Result<(), Problem> {
    require_match_of(headers, &[version])
}

/// The same, where what changed by itself since it was read does not stand in the way of a person's change.
pub fn require_match_of(headers: &HeaderMap, versions: &[u64]) -> Result<(), Problem> {
    if !headers.contains_key(IF_MATCH) {
        let detail = "Send the ETag that you last read as `If-Match`, so that you overwrite nobody's change.";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, detail));
    }
    let named = |name, weak_too| versions.iter().any(|version| names(headers, name, *version, weak_too));
    let excluded = headers.contains_key(IF_NONE_MATCH) && named(&IF_NONE_MATCH, true);
    match named(&IF_MATCH, false) && !excluded {
        true => Ok(()),
        false => Err(Problem::stale()),
    }
}

/// What does not exist matches no `If-Match`.
pub fn require_absent(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.contains_key(IF_MATCH) {
        true => Err(Problem::stale()),
        false => Ok(()),
    }
}

/// Answers with a body and its ETag.
pub fn tagged(status: StatusCode, version: u64, body: impl Serialize) -> Response {
    (status, header(version), Json(body)).into_response()
}

/// Answers a GET: 304 when the caller has this version already.
pub fn current(headers: &HeaderMap, version: u64, body: impl Serialize) -> Response {
    match names(headers, &IF_NONE_MATCH, version, true) {
        true => (StatusCode::NOT_MODIFIED, header(version)).into_response(),
        false => tagged(StatusCode::OK, version, body),
    }
}

/// The version of what has none: it comes from the content.
pub fn of_content(body: &impl Serialize) -> Result<u64, Problem> {
    Ok(of_bytes(&serde_json::to_vec(body).map_err(|error| Problem::internal("an answer", &error))?))
}

fn of_bytes(bytes: &[u8]) -> u64 {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().take(8).fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// A change of what has no version of its own needs an `If-Match` that names its content.
pub fn require_match_content(headers: &HeaderMap, body: &impl Serialize) -> Result<(), Problem> {
    require_match(headers, of_content(body)?)
}

/// Whether `If-Match` names this version, and not any version.
pub fn names_exactly(headers: &HeaderMap, version: u64) -> bool {
    let any = headers.get_all(IF_MATCH).iter().any(|value| value.as_bytes() == b"*");
    !any && headers.contains_key(IF_MATCH) && names(headers, &IF_MATCH, version, false)
}

/// Answers a GET of what has no version of its own: its ETag comes from the content.
pub fn current_content(headers: &HeaderMap, body: &impl Serialize) -> Result<Response, Problem> {
    Ok(current(headers, of_content(body)?, body))
}

/// The same of an answer that is not JSON.
pub fn current_bytes(headers: &HeaderMap, media_type: HeaderValue, bytes: Vec<u8>) -> Response {
    let version = of_bytes(&bytes);
    match names(headers, &IF_NONE_MATCH, version, true) {
        true => (StatusCode::NOT_MODIFIED, header(version)).into_response(),
        false => (header(version), [(CONTENT_TYPE, media_type)], bytes).into_response(),
    }
}
