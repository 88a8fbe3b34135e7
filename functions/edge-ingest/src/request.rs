//! What is looked at before anything is known about the sender: method, content type, size.
use crate::answer::Problem;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::signature::Headers;
use lambda_http::http::{Method, header};
use lambda_http::{Body, Request, RequestExt};
use sha2::{Digest, Sha256};

/// The greatest body, in bytes: 1 MiB.
pub const BODY_MAX: usize = 1 << 20;

/// One event, or an array of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Single,
    Batch,
}

/// A request of the right form, from whomever.
#[derive(Debug)]
pub struct Incoming<'a> {
    pub shape: Shape,
    pub edge_id: Option<&'a str>,
    pub headers: Headers<'a>,
    pub body: &'a [u8],
}

pub fn read(request: &Request) -> Result<Incoming<'_>, Problem> {
    if request.method() != Method::POST {
        return Err(Problem::Method);
    }
    let shape = shape(text(request, header::CONTENT_TYPE.as_str())).ok_or(Problem::ContentType)?;
    // An edge that compresses gets a clear answer, rather than "not JSON".
    if text(request, header::CONTENT_ENCODING.as_str()).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Problem::ContentEncoding);
    }
    let body: &[u8] = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if body.len() > BODY_MAX {
        return Err(Problem::TooLarge);
    }
    let headers = Headers {
        id: text(request, "webhook-id"),
        timestamp: text(request, "webhook-timestamp"),
        signature: text(request, "webhook-signature"),
    };
    Ok(Incoming { shape, edge_id: text(request, "hhp-edge-id"), headers, body })
}

/// The header's value, if it stands there once and is text.
fn text<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut values = request.headers().get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
}

fn shape(content_type: Option<&str>) -> Option<Shape> {
    let essence = content_type?.split(';').next()?.trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/cloudevents-batch+json" => Some(Shape::Batch),
        "application/cloudevents+json" => Some(Shape::Single),
        _ => None,
    }
}

/// The invocation's id, under which our log has this request.
pub fn id(request: &Request) -> String {
    request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default()
}

/// SHA-256 in base64.
pub fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}
