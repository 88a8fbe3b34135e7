//! The control interface under /_control: what a test's handle can do, as JSON over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::faults::Faults;
use crate::limits::Limits;
use crate::procore::{Client, CompanySeed, Core, EditError, Level, PersonEdit, PersonSeed, ProjectSeed, Settings};
use crate::steering::{self, Steered, done, problem};

type Shared = State<Arc<Core>>;

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/_control/state", get(state))
        .route("/_control/limits", post(limits))
        .route("/_control/settings", get(settings).post(change_settings))
        .route("/_control/reset", post(reset))
        .route("/_control/seed", post(seed))
        .route("/_control/person-edit", post(person_edit))
        .route("/_control/clients", post(set_client))
        .route("/_control/tokens/expire", post(expire_tokens))
        .route("/_control/tokens/burn", post(burn_tokens))
        .route("/_control/tokens/take-back", post(take_consent_back))
        .route("/_control/hooks/{id}", delete(remove_hook))
        .route("/_control/hooks/{id}/deactivate", post(deactivate_hook))
        .route("/_control/days", post(complete_day))
        .route("/_control/companies/{id}/connect", post(connect))
        .route("/_control/companies/{id}/disconnect", post(disconnect))
        .route("/_control/companies/{id}/install", post(install))
        .route("/_control/companies/{id}/permitted-projects", post(permitted_projects))
        .route("/_control/companies/{id}/service-level", post(service_level))
        .route("/_control/projects/{id}/tools", post(tool))
        .with_state(Arc::clone(&core))
        .merge(steering::router(core))
}

impl Steered for Core {
    fn steer(&self) -> (&Faults, &Clock) {
        (&self.faults, &self.clock)
    }
}

fn found(found: bool) -> Response {
    if found { done() } else { problem(StatusCode::NOT_FOUND, "no such company, project or hook") }
}

async fn state(State(core): Shared) -> Json<Value> {
    Json(core.dump())
}

async fn limits(State(core): Shared, Json(limits): Json<Limits>) -> Response {
    core.set_limits(limits);
    done()
}

async fn settings(State(core): Shared) -> Json<Settings> {
    Json(core.settings())
}

/// Members that are left out stay as they are.
async fn change_settings(State(core): Shared, Json(change): Json<Value>) -> Response {
    let mut merged = json!(core.settings());
    for (name, value) in change.as_object().into_iter().flatten() {
        merged[name] = value.clone();
    }
    match serde_json::from_value::<Settings>(merged) {
        Ok(settings) => {
            core.set(|current| *current = settings.clone());
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
    Company(CompanySeed),
    Project {
        company_id: i64,
        #[serde(flatten)]
        project: ProjectSeed,
    },
    Person(PersonSeed),
}

async fn seed(State(core): Shared, Json(seed): Json<Seed>) -> Response {
    let id = match seed {
        Seed::Company(company) => Some(core.add_company(&company)),
        Seed::Project { company_id, project } => core.add_project(company_id, &project),
        Seed::Person(person) => core.add_person(&person),
    };
    match id {
        Some(id) => (StatusCode::CREATED, Json(json!({"id": id}))).into_response(),
        None => problem(StatusCode::UNPROCESSABLE_ENTITY, "no such company, or the login is taken"),
    }
}

async fn person_edit(State(core): Shared, Json(edit): Json<PersonEdit>) -> Response {
    match core.person_edit(&edit) {
        Ok(id) => Json(json!({"id": id})).into_response(),
        Err(error @ EditError::Unknown) => problem(StatusCode::NOT_FOUND, error),
        Err(error @ EditError::Refused(_)) => problem(StatusCode::UNPROCESSABLE_ENTITY, error),
    }
}

async fn set_client(State(core): Shared, Json(client): Json<Client>) -> Response {
    core.set_client(client);
    done()
}

async fn expire_tokens(State(core): Shared) -> Response {
    core.expire_tokens();
    done()
}

async fn burn_tokens(State(core): Shared) -> Response {
    core.burn_refresh_tokens();
    done()
}

#[derive(Deserialize)]
struct Whose {
    login: String,
}

async fn take_consent_back(State(core): Shared, Json(whose): Json<Whose>) -> Response {
    core.take_consent_back(&whose.login);
    done()
}

async fn remove_hook(State(core): Shared, Path(id): Path<i64>) -> Response {
    found(core.remove_hook(id))
}

async fn deactivate_hook(State(core): Shared, Path(id): Path<i64>) -> Response {
    found(core.deactivate_hook(id))
}

#[derive(Deserialize)]
struct Day {
    project_id: i64,
    date: Date,
    completed: bool,
}

async fn complete_day(State(core): Shared, Json(day): Json<Day>) -> Response {
    found(core.complete_day(day.project_id, day.date, day.completed))
}

async fn connect(State(core): Shared, Path(id): Path<i64>) -> Response {
    found(core.set_connected(id, true))
}

async fn install(State(core): Shared, Path(id): Path<i64>) -> Response {
    found(core.install(id))
}

async fn disconnect(State(core): Shared, Path(id): Path<i64>) -> Response {
    found(core.set_connected(id, false))
}

#[derive(Deserialize)]
struct Permitted {
    /// Null permits all.
    project_ids: Option<BTreeSet<i64>>,
}

async fn permitted_projects(State(core): Shared, Path(id): Path<i64>, Json(body): Json<Permitted>) -> Response {
    found(core.set_permitted_projects(id, body.project_ids))
}

#[derive(Deserialize)]
struct ServiceLevel {
    level: Level,
}

async fn service_level(State(core): Shared, Path(id): Path<i64>, Json(body): Json<ServiceLevel>) -> Response {
    found(core.set_service_level(id, body.level))
}

#[derive(Deserialize)]
struct Tool {
    tool: String,
    on: bool,
}

async fn tool(State(core): Shared, Path(id): Path<i64>, Json(body): Json<Tool>) -> Response {
    found(core.set_tool(id, &body.tool, body.on))
}
