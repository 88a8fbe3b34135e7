//! The outermost layer: a form from elsewhere is refused, every answer carries the security headers, and one log line says how
//! it went. The line names the route, never the path or a header.
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Instant;

pub async fn guard(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let mut response = match is_ours(&app, &method, request.headers()) {
        true => as_page(next.run(request).await),
        false => Refusal::stale_form().into_response(),
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(method = %method, route, status = response.status().as_u16(), duration_ms, "answered");
    secure(&app, response.headers_mut());
    response
}

/// A browser names the origin of the page that sends a form. Cookies come along from frames of other sites too, so that a form
/// without our own origin is refused, whatever else it carries.
fn is_ours(app: &AppState, method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    people::csrf::same_origin(headers, app.people().url())
}

/// What axum itself refuses becomes a page, too.
fn as_page(response: Response) -> Response {
    // What our own handlers refuse: a page, or for a script a sentence in JSON.
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        [&b"text/html"[..], b"application/json"].iter().any(|ours| kind.as_bytes().starts_with(ours))
    });
    match response.status() {
        status if ours || !(status.is_client_error() || status.is_server_error()) => response,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Refusal::not_found().into_response(),
        status if status.is_client_error() => Refusal::unreadable().into_response(),
        status => Refusal::internal("a request", &status).into_response(),
    }
}

fn secure(app: &AppState, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    // Not `no-referrer`: with it a browser would send our own forms without an origin.
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if app.origins().secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Ok(policy) = HeaderValue::from_str(&app.origins().policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // Pages show what only their reader may see.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
}
