//! 600 requests a minute and key, in fixed windows. Counted in this process: each warm process counts for itself, so a key
//! whose requests come in parallel may get a multiple. A count shared by all would cost a write per request to guard against
//! what the function's concurrency bounds anyway.
use crate::auth::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Requests that a key may send in a window.
pub const PER_MINUTE: u32 = 600;
const WINDOW_SECONDS: i64 = 60;
const POLICY: &str = "\"default\";q=600;w=60";

/// How often each caller came in the minute under way.
#[derive(Debug, Default)]
pub struct Windows(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    number: i64,
    counts: HashMap<String, u32>,
}

/// What is left of a caller's window.
struct Left {
    requests: u32,
    seconds: i64,
    over: bool,
}

impl Windows {
    fn count(&self, caller: &str, now: Timestamp) -> Left {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_second().div_euclid(WINDOW_SECONDS);
        if window.number != number {
            *window = Window { number, counts: HashMap::new() };
        }
        let count = window.counts.entry(caller.to_owned()).or_insert(0);
        *count = count.saturating_add(1);
        Left {
            requests: PER_MINUTE.saturating_sub(*count),
            seconds: WINDOW_SECONDS - now.as_second().rem_euclid(WINDOW_SECONDS),
            over: *count > PER_MINUTE,
        }
    }
}

pub async fn count(State(app): State<AppState>, caller: Caller, request: Request, next: Next) -> Response {
    let left = app.windows.count(&caller.id(), app.now());
    let mut response = match left.over {
        false => next.run(request).await,
        true => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests; `Retry-After` says when to come again.")
                .with_header(RETRY_AFTER, HeaderValue::from(left.seconds))
                .into_response()
        }
    };
    headers(response.headers_mut(), &left);
    response
}

fn headers(headers: &mut HeaderMap, left: &Left) {
    headers.insert(HeaderName::from_static("ratelimit-policy"), HeaderValue::from_static(POLICY));
    let text = format!("\"default\";r={};t={}", left.requests, left.seconds);
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(HeaderName::from_static("ratelimit"), value);
    }
}
