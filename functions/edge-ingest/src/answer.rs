//! What the edge is told. Refusals are problem+json (RFC 9457) and never repeat what was sent.
use crate::aside::AsideError;
use crate::auth::LookupError;
use crate::parse::{Refused, Sorted};
use crate::queue::QueueError;
use domain::signature::SignatureError;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

const RETRY_AFTER_SECONDS: u16 = 5;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why a request is refused. `Display` is for our log; [`Problem::detail`] is for the edge.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("method is not POST")]
    Method,
    #[error("content type is not one of ours")]
    ContentType,
    #[error("the body is compressed")]
    ContentEncoding,
    #[error("the body is too large")]
    TooLarge,
    #[error("too many events")]
    TooMany,
    #[error("the body is not the JSON it should be")]
    NotJson(&'static str),
    #[error("not authenticated: {}", .0.map(|reason| reason.to_string()).unwrap_or_default())]
    Unauthorized(Option<SignatureError>),
    #[error("the edge could not be looked up: {0}")]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Aside(#[from] AsideError),
}

impl Problem {
    fn code(&self) -> StatusCode {
        match self {
            Problem::Method => StatusCode::METHOD_NOT_ALLOWED,
            Problem::ContentType | Problem::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Problem::TooLarge | Problem::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::NotJson(_) => StatusCode::BAD_REQUEST,
            Problem::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Problem::Lookup(_) | Problem::Queue(_) | Problem::Aside(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub fn status(&self) -> u16 {
        self.code().as_u16()
    }

    fn detail(&self) -> &'static str {
        match self {
            Problem::Method => "Events are sent with POST.",
            Problem::ContentType => {
                "Send the header content-type as application/cloudevents-batch+json with an array of events, or as \
                 application/cloudevents+json with one event."
            }
            Problem::ContentEncoding => "Send the body as it is, without a content-encoding.",
            Problem::TooLarge => {
                "The body may have at most 1048576 bytes (1 MiB): send the events in several requests."
            }
            Problem::TooMany => "A request may hold at most 1000 events: send them in several requests.",
            Problem::NotJson(detail) => detail,
            Problem::Unauthorized(_) => {
                "The request must name a known edge in hhp-edge-id and be signed with its secret: check hhp-edge-id, \
                 webhook-id, webhook-timestamp (within five minutes of now) and webhook-signature."
            }
            Problem::Lookup(_) | Problem::Queue(_) | Problem::Aside(_) => {
                "The events can't be taken at the moment. Keep them and repeat the whole request with the same webhook-id: \
                 what was already taken is not taken twice."
            }
        }
    }

    /// The header that goes with this refusal.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.code() {
            StatusCode::METHOD_NOT_ALLOWED => Some((header::ALLOW, HeaderValue::from_static("POST"))),
            StatusCode::UNAUTHORIZED => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("StandardWebhooks realm=\"hardhat-pulse\"")))
            }
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))),
            _ => None,
        }
    }

    pub fn response(&self, request_id: &str) -> Response<Body> {
        let code = self.code();
        let body = json!({
            "type": "about:blank",
            "title": code.canonical_reason().unwrap_or("Refused"),
            "status": code.as_u16(),
            "detail": self.detail(),
            "errors": [],
            "request_id": request_id,
        });
        let mut response = respond(code, "application/problem+json", body, request_id);
        response.headers_mut().extend(self.header());
        response
    }
}

/// 202: everything that was good is on the queue, everything else is kept aside.
pub fn taken(sorted: &Sorted, request_id: &str) -> Response<Body> {
    let rejected: Vec<Value> = sorted.refused.iter().map(rejection).collect();
    let body = json!({"accepted": sorted.accepted.len(), "rejected": rejected});
    respond(StatusCode::ACCEPTED, "application/json", body, request_id)
}

fn rejection(refused: &Refused) -> Value {
    json!({"index": refused.index, "id": refused.refusal.id, "errors": refused.refusal.errors})
}

fn respond(code: StatusCode, media_type: &'static str, body: Value, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
