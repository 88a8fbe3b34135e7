//! The control interface under /_control.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Answer, Core, Receiver, State};
use crate::steering::{done, problem};

pub(super) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/_control/state", get(state))
        .route("/_control/reset", post(reset))
        .route("/_control/boxes/{*name}", post(change))
        .with_state(core)
}

async fn state(Shared(core): Shared<Arc<Core>>) -> Json<Value> {
    let state = core.state();
    let boxes: Vec<Value> = state.receivers.iter().map(|(name, receiver)| shown(name, receiver)).collect();
    Json(json!({"now": core.now().to_string(), "boxes": boxes, "arrivals": state.arrivals}))
}

pub(super) fn shown(name: &str, receiver: &Receiver) -> Value {
    json!({"name": name, "secrets": receiver.secrets.len(), "has_token": receiver.token.is_some(),
        "answer": receiver.answer, "taken": receiver.taken})
}

async fn reset(Shared(core): Shared<Arc<Core>>) -> Response {
    *core.state() = State::default();
    done()
}

/// What is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    secrets: Option<Vec<String>>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given")]
    token: Option<Option<String>>,
    answer: Option<Answer>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

async fn change(Shared(core): Shared<Arc<Core>>, Path(name): Path<String>, Json(body): Json<Value>) -> Response {
    let change: Change = match serde_json::from_value(body) {
        Ok(change) => change,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, error),
    };
    let state = &mut *core.state();
    let receiver = state.receivers.entry(name.clone()).or_default();
    if let Some(secrets) = change.secrets {
        receiver.secrets = secrets;
    }
    if let Some(token) = change.token {
        receiver.token = token;
    }
    if let Some(answer) = change.answer {
        receiver.answer = answer;
    }
    Json(shown(&name, receiver)).into_response()
}
