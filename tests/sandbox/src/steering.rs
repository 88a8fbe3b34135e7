//! What every sandbox can be told under /_control: faults, and the time.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::faults::{Faults, Rule};

pub(crate) trait Steered: Send + Sync + 'static {
    fn steer(&self) -> (&Faults, &Clock);
}

pub(crate) fn router<C: Steered>(core: Arc<C>) -> Router {
    Router::new()
        .route("/_control/faults", get(faults::<C>).post(add_fault::<C>).delete(clear_faults::<C>))
        .route("/_control/faults/{id}", delete(remove_fault::<C>))
        .route("/_control/clock", get(clock::<C>).post(advance::<C>))
        .with_state(core)
}

pub(crate) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

pub(crate) fn problem(status: StatusCode, detail: impl ToString) -> Response {
    (status, Json(json!({"detail": detail.to_string()}))).into_response()
}

async fn faults<C: Steered>(State(core): State<Arc<C>>) -> Json<Vec<Rule>> {
    Json(core.steer().0.list())
}

async fn add_fault<C: Steered>(State(core): State<Arc<C>>, Json(rule): Json<Rule>) -> Response {
    (StatusCode::CREATED, Json(json!({"id": core.steer().0.add(rule)}))).into_response()
}

async fn clear_faults<C: Steered>(State(core): State<Arc<C>>) -> Response {
    core.steer().0.clear();
    done()
}

async fn remove_fault<C: Steered>(State(core): State<Arc<C>>, Path(id): Path<u64>) -> Response {
    core.steer().0.remove(id);
    done()
}

async fn clock<C: Steered>(State(core): State<Arc<C>>) -> Json<Value> {
    Json(json!({"now": core.steer().1.now().to_string()}))
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: i64,
}

async fn advance<C: Steered>(State(core): State<Arc<C>>, Json(body): Json<Advance>) -> Json<Value> {
    core.steer().1.advance(body.advance_seconds);
    Json(json!({"now": core.steer().1.now().to_string()}))
}
