//! The control interface under /_control.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Core, Settings};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::steering::{self, Steered, done, problem};

type Shared = State<Arc<Core>>;

impl Steered for Core {
    fn steer(&self) -> (&Faults, &Clock) {
        (&self.faults, &self.clock)
    }
}

pub(super) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/_control/state", get(state))
        .route("/_control/settings", get(settings).post(change_settings))
        .route("/_control/reset", post(reset))
        .route("/_control/members", post(member))
        .route("/_control/subtypes/{id}", post(subtype))
        .with_state(Arc::clone(&core))
        .merge(steering::router(core))
}

fn found(found: bool) -> Response {
    if found { done() } else { problem(StatusCode::NOT_FOUND, "no such project, user or subtype") }
}

async fn state(State(core): Shared) -> Json<Value> {
    let world = core.world();
    Json(json!({"now": core.clock.now().to_string(), "settings": world.settings, "faults": core.faults.list(),
        "accounts": world.accounts, "projects": world.projects, "users": world.users, "subtypes": world.subtypes,
        "issues": world.issues, "comments": world.comments, "templates": world.templates,
        "forms": world.forms.iter().map(super::Form::dump).collect::<Vec<_>>(), "hooks": world.hooks.hooks, "deliveries": world.hooks.deliveries, "violations": world.journal.violations,
        "own_problems": world.own_problems, "counts": world.journal.count_rows(), "calls": world.journal.calls}))
}

async fn settings(State(core): Shared) -> Json<Settings> {
    Json(core.world().settings.clone())
}

/// Members that are left out stay as they are.
async fn change_settings(State(core): Shared, Json(change): Json<Value>) -> Response {
    let world = &mut *core.world();
    let mut merged = json!(world.settings);
    for (name, value) in change.as_object().into_iter().flatten() {
        merged[name] = value.clone();
    }
    match serde_json::from_value::<Settings>(merged) {
        Ok(settings) => {
            world.settings = settings.clone();
            Json(settings).into_response()
        }
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, error),
    }
}

async fn reset(State(core): Shared) -> Response {
    core.reset();
    done()
}

#[derive(Deserialize)]
struct Member {
    project_id: String,
    user_id: String,
    member: bool,
}

async fn member(State(core): Shared, Json(body): Json<Member>) -> Response {
    found(core.set_member(&body.project_id, &body.user_id, body.member))
}

#[derive(Deserialize)]
struct Active {
    active: bool,
}

async fn subtype(State(core): Shared, Path(id): Path<String>, Json(body): Json<Active>) -> Response {
    found(core.set_subtype_active(&id, body.active))
}
