//! The control interface under /_control.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{AccountSeed, Core, Settings};
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
        .route("/_control/seed", post(seed))
        .route("/_control/hooks/{id}", delete(remove_hook))
        .route("/_control/person-edit", post(person_edit))
        .route("/_control/subtypes/{id}", post(subtype))
        .with_state(Arc::clone(&core))
        .merge(steering::router(core))
}

fn found(found: bool) -> Response {
    if found { done() } else { problem(StatusCode::NOT_FOUND, "no such project, user, subtype or hook") }
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
#[serde(rename_all = "snake_case")]
enum Seed {
    Account(AccountSeed),
}

async fn seed(State(core): Shared, Json(seed): Json<Seed>) -> Response {
    let Seed::Account(account) = seed;
    let account = core.add_account(&account);
    let projects: Vec<_> = core.projects().into_iter().filter(|project| project.account_id == account.id).collect();
    Json(json!({"id": account.id, "region": account.region, "projects": projects})).into_response()
}

async fn remove_hook(State(core): Shared, Path(id): Path<String>) -> Response {
    found(core.remove_hook(&id))
}

/// What the first person of the issue's project does to it.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum PersonEdit {
    Update { issue_id: String, fields: Map<String, Value> },
    Comment { issue_id: String, text: String },
    Delete { issue_id: String },
    Restore { issue_id: String },
}

async fn person_edit(State(core): Shared, Json(edit): Json<PersonEdit>) -> Response {
    let outcome = match edit {
        PersonEdit::Update { issue_id, fields } => core.person_edits(&issue_id, fields),
        PersonEdit::Comment { issue_id, text } => core.person_comments(&issue_id, &text),
        PersonEdit::Delete { issue_id } => core.person_deletes(&issue_id, true),
        PersonEdit::Restore { issue_id } => core.person_deletes(&issue_id, false),
    };
    match outcome {
        Ok(()) => done(),
        Err(undone) => problem(StatusCode::UNPROCESSABLE_ENTITY, undone.0),
    }
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
