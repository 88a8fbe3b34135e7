//! Request bodies: JSON of at most 256 KB. What can't be parsed is 400, another media type 415; what is wrong inside is found
//! by [`domain::fields`], all of it at once.
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::convert::Infallible;

pub const LIMIT: usize = 256 * 1024;

/// A body, parsed or refused. Handlers look at it after they know that the caller may do this at all.
pub struct JsonBody(Result<Value, Problem>);

impl JsonBody {
    pub fn value(self) -> Result<Value, Problem> {
        self.0
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Infallible;
    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(Self(parse(request, state).await))
    }
}

async fn parse<S: Send + Sync>(request: Request, state: &S) -> Result<Value, Problem> {
    if !is_json(request.headers()) {
        let detail = "Send the body as `application/json`.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let bytes = bytes(request, state).await?;
    // The parser's message says where; it never quotes what stands there.
    let parsed = serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })?;
    Ok(parsed)
}

/// The body as it came, unless it is too long.
pub async fn bytes<S: Send + Sync>(request: Request<Body>, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.into_response_status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A body may have {LIMIT} bytes at most."))
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "The body did not arrive whole."),
    })
}

trait Rejected {
    fn into_response_status(self) -> StatusCode;
}

impl<T: axum::response::IntoResponse> Rejected for T {
    fn into_response_status(self) -> StatusCode {
        self.into_response().status()
    }
}

/// `application/json`, or a type that is JSON by its suffix, such as `application/merge-patch+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
