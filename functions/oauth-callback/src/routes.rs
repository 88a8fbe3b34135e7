//! The table of routes, and the layer around them: a form from elsewhere is refused, nothing is cached, and one log line says
//! how it went. The line names the route, never the address: codes and states stand in it.
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{autodesk, callback, choose, start};
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};

pub const CALLBACK: &str = "/oauth/procore/callback";
const START: &str = "/sign-in/procore";
const CHOOSE: &str = "/oauth/procore/choose";
pub const AUTODESK_CALLBACK: &str = "/oauth/acc/callback";
pub const AUTODESK_START: &str = "/sign-in/autodesk";
const LONGEST_FORM: usize = 4 * 1024;

/// Method and path of every route.
pub const ROUTES: [(&str, &str); 5] =
    [("get", START), ("get", CALLBACK), ("post", CHOOSE), ("get", AUTODESK_START), ("get", AUTODESK_CALLBACK)];

pub fn app(state: AppState) -> Router {
    Router::new()
        .route(START, routing::get(start::begin))
        .route(CALLBACK, routing::get(callback::end))
        .route(CHOOSE, routing::post(choose::choose))
        .route(AUTODESK_START, routing::get(autodesk::begin))
        .route(AUTODESK_CALLBACK, routing::get(autodesk::end))
        .fallback(async || Refusal::NotHere)
        .layer(DefaultBodyLimit::max(LONGEST_FORM))
        .layer(middleware::from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

async fn guard(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let reads = matches!(method, Method::GET | Method::HEAD);
    let mut response = match reads || people::csrf::same_origin(request.headers(), app.people().url()) {
        true => next.run(request).await,
        false => Refusal::Elsewhere.into_response(),
    };
    tracing::info!(method = %method, route, status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    if app.people().url().is_secure() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}
