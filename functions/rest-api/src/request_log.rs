//! The outermost layer: every request has an id, every answer names it, every refusal is a problem, and one log line says how
//! it went. The line names the route, never the path or a header: those may carry a secret.
use crate::problem::{MEDIA_TYPE, Problem, REQUEST_ID};
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Instant;
use tracing::Instrument;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

pub async fn log(State(app): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let id = format!("req_{}", app.fresh_id()?.to_string());
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", correlation_id = %id);
    let answer = async { as_problem(next.run(request).await) };
    let mut response = REQUEST_ID.scope(id.clone(), answer.instrument(span)).await;
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(correlation_id = %id, method = %method, route, status, duration_ms, "answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    // Answers carry secrets and tenants' data: no cache on the way may keep them.
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// What axum itself refuses (405, an unreadable path) becomes a problem, too; its headers stay.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let ours = response.headers().get(CONTENT_TYPE) == Some(&MEDIA_TYPE);
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "This path does not know that method; `Allow` names those that it knows.",
        StatusCode::BAD_REQUEST => "The request can't be read.",
        _ => "The request was refused.",
    };
    let mut headers: HeaderMap = response.headers().clone();
    for name in [CONTENT_TYPE, axum::http::header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    let mut problem = Problem::new(status, detail).into_response();
    problem.headers_mut().extend(headers);
    problem
}

/// No route has this path.
pub async fn unknown_path() -> Problem {
    Problem::not_found("path")
}
