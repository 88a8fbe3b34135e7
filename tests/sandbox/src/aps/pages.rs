//! Plain pages: issues as the people of a project see and edit them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::issues::{self, STATUSES};
use super::state::{Issue, Project, User, World};
use super::{Core, auth};
use crate::pages::layout;
use crate::reply::{Reply, respond};

type Shared = State<Arc<Core>>;
type Sent = Form<Vec<(String, String)>>;

pub(super) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/consent", post(auth::answer))
        .route("/build/issues/projects/{project}/issues", get(list))
        .route("/build/forms/projects/{project}/forms", get(forms))
        .route("/build/issues/projects/{project}/issues/{issue}", get(one).post(edit))
        .route("/build/issues/projects/{project}/issues/{issue}/{action}", post(act))
        .with_state(core)
}

fn page(title: &str, body: &Markup) -> Response {
    Html(layout::bare("Autodesk", title, body).into_string()).into_response()
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, page("Not found", &html! { p { "There is no such record." } })).into_response()
}

fn address(project: &str) -> String {
    format!("/build/issues/projects/{project}/issues")
}

async fn home(State(core): Shared) -> Response {
    let world = core.world();
    let body = html! {
        @for account in &world.accounts {
            h2 { (account.name) " " span.dim { (account.region) } }
            ul { @for project in world.projects.iter().filter(|project| project.account_id == account.id) {
                li { (project.name) ": " a href=(address(&project.id)) { "Issues of " (project.name) } ", " a href={ "/build/forms/projects/" (project.id) "/forms" } { "Forms of " (project.name) } " " span.dim { (project.platform) ", " (project.status) } }
            } }
        }
    };
    page("Accounts", &body)
}

/// Who edits here: the first person of the project.
pub(super) fn person<'a>(world: &'a World, project: &Project) -> Option<&'a User> {
    world.users.iter().find(|user| !user.service_account && project.members.contains(&user.id))
}

fn name<'a>(world: &'a World, id: &'a str) -> &'a str {
    world.users.iter().find(|user| user.id == id).map_or(id, |user| user.name.as_str())
}

async fn list(State(core): Shared, Path(project): Path<String>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.iter().find(|one| one.id == project) else { return missing() };
    let viewer = person(&world, project).map(|user| user.id.as_str()).unwrap_or_default();
    let issues = world.issues.iter().filter(|issue| issue.project_id == project.id && issue.seen_by(viewer));
    let body = html! {
        table {
            tr { th { "#" } th { "Title" } th { "Status" } th { "Created by" } }
            @for issue in issues {
                tr {
                    td { (issue.display_id) }
                    td { a href={ (address(&project.id)) "/" (issue.id) } { (issue.text("title").unwrap_or_default()) } }
                    td { (issue.text("status").unwrap_or_default()) @if issue.deleted.is_some() { " (deleted)" } }
                    td { (name(&world, &issue.created_by)) }
                }
            }
        }
    };
    page(&format!("Issues of {}", project.name), &body)
}

async fn forms(State(core): Shared, Path(project): Path<String>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.iter().find(|one| one.id == project) else { return missing() };
    let text =
        |form: &super::Form, name: &str| form.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let label = |id: &str| {
        let mut fields = world.templates.iter().flat_map(|template| &template.fields);
        fields.find(|field| field.id == id).map_or_else(|| id.to_owned(), |field| field.label.clone())
    };
    let of_project = world.forms.iter().filter(|form| form.project_id == project.id && form.status != "discarded");
    let body = html! {
        @for form in of_project {
            div.card {
                h2 { (text(form, "name")) ", " (text(form, "formDate")) " " span.tag { (form.status.replace('_', " ")) } }
                div.pre { (text(form, "notes")) }
                ul { @for (field, value) in &form.values {
                    @for (name, value) in value.iter().filter(|(name, _)| name.ends_with("Val")) {
                        li title=(name) { (label(field)) ": " (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) }
                    }
                } }
            }
        }
    };
    page(&format!("Forms of {}", project.name), &body)
}

/// The issue, if the person who edits here sees it.
fn find(world: &World, project: &str, issue: &str) -> Option<(Issue, String)> {
    let project = world.projects.iter().find(|one| one.id == project)?;
    let viewer = person(world, project)?.id.clone();
    let issue = world.issues.iter().find(|one| one.id == issue && one.project_id == project.id)?;
    issue.seen_by(&viewer).then(|| (issue.clone(), viewer))
}

async fn one(State(core): Shared, Path((project, issue)): Path<(String, String)>) -> Response {
    let world = core.world();
    let Some((issue, _)) = find(&world, &project, &issue) else { return missing() };
    let at = format!("{}/{}", address(&project), issue.id);
    let text = |name: &str| issue.text(name).unwrap_or_default();
    let body = html! {
        p { span.tag { (text("status").replace('_', " ")) } " created by " (name(&world, &issue.created_by)) ", changed by " (name(&world, &issue.updated_by)) }
        @for comment in world.comments.iter().filter(|comment| comment.issue_id == issue.id) {
            div.card { strong { (name(&world, &comment.created_by)) } div.pre { (comment.body) } }
        }
        @if issue.deleted.is_none() {
            form.stack method="post" action=(at) {
                label { "Title" input name="title" maxlength="100" required value=(text("title")); }
                label { "Description" textarea name="description" maxlength="1000" rows="5" { (text("description")) } }
                label { "Status" select name="status" {
                    @for status in STATUSES { option value=(status) selected[text("status") == status] { (status.replace('_', " ")) } }
                } }
                button { "Save" }
            }
            form.stack method="post" action={ (at) "/comment" } {
                label { "Comment" textarea name="body" rows="2" required {} }
                button { "Comment" }
            }
            form method="post" action={ (at) "/delete" } { button.quiet { "Delete" } }
        } @else {
            form method="post" action={ (at) "/restore" } { button { "Restore" } }
        }
    };
    page(&format!("Issue #{}: {}", issue.display_id, text("title")), &body)
}

fn outcome(core: &Core, project: &str, issue: &str, done: Result<(), Reply>) -> Response {
    core.waiting.notify_one();
    match done {
        Ok(()) => Redirect::to(&format!("{}/{issue}", address(project))).into_response(),
        Err(refusal) => respond(refusal),
    }
}

async fn edit(State(core): Shared, Path((project, issue)): Path<(String, String)>, Form(sent): Sent) -> Response {
    let now = core.clock.stamp();
    let world = &mut *core.world();
    let Some((_, user)) = find(world, &project, &issue) else { return missing() };
    let known = sent.into_iter().filter(|(name, _)| matches!(name.as_str(), "title" | "description" | "status"));
    let fields: Map<String, Value> = known.map(|(name, text)| (name, Value::String(text))).collect();
    outcome(&core, &project, &issue, issues::edit(world, &issue, &user, fields, now))
}

async fn act(
    State(core): Shared,
    Path((project, issue, action)): Path<(String, String, String)>,
    Form(sent): Sent,
) -> Response {
    let now = core.clock.stamp();
    let world = &mut *core.world();
    let Some((_, user)) = find(world, &project, &issue) else { return missing() };
    let done = match action.as_str() {
        "delete" | "restore" => issues::set_deleted(world, &issue, &user, action == "delete", now),
        "comment" => {
            let body = sent.into_iter().find(|(name, _)| name == "body").map(|(_, text)| text).unwrap_or_default();
            issues::comment(world, &issue, &user, body, now);
            Ok(())
        }
        _ => return missing(),
    };
    outcome(&core, &project, &issue, done)
}
