//! Answers before they go out.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

use crate::http::Cut;

#[derive(Debug)]
pub(crate) enum Payload {
    Empty,
    Json(Value),
    Text(String),
    Html(String),
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), payload: Payload::Json(body) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn created(body: Value) -> Self {
        Self::json(201, body)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), payload: Payload::Empty }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(&self) -> Option<&Value> {
        match &self.payload {
            Payload::Json(body) => Some(body),
            _ => None,
        }
    }
}

pub(crate) fn respond(reply: Reply) -> Response {
    let (kind, body) = match reply.payload {
        Payload::Empty => (None, String::new()),
        Payload::Json(value) => (Some("application/json"), value.to_string()),
        Payload::Text(text) => (Some("text/plain; charset=utf-8"), text),
        Payload::Html(text) => (Some("text/html; charset=utf-8"), text),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = kind.map(|kind| ("content-type", kind.to_owned()));
    for (name, value) in kind.into_iter().chain(reply.headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// No answer: the connection ends.
pub(crate) fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}
