//! A company's apps as its admin sees them: installed or not, the projects that the app may use, its webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::layout;
use crate::procore::{Company, Core, World};

type Shared = State<Arc<Core>>;

pub(crate) fn address(company: i64) -> String {
    format!("/webclients/host/companies/{company}/tools/apps")
}

pub(crate) async fn page(State(core): Shared, Path(company): Path<i64>) -> Response {
    let world = core.world();
    let Some(company) = world.companies.get(&company) else { return layout::missing() };
    let at = address(company.id);
    let body = html! {
        section.card {
            h2 { "HardHat Pulse" }
            @if company.connected {
                p { span.tag.good { "installed" } }
                @for client in world.oauth.embedding() { p { a href={ (at) "/embedded/" (client) } { "Open the app" } } }
                form.inline method="post" action={ (at) "/uninstall" } { button.quiet { "Uninstall" } }
            } @else {
                p { span.tag.bad { "not installed" } }
                form.inline method="post" action={ (at) "/install" } { button { "Install" } }
            }
        }
        @if company.connected { (projects(&world, company, &at)) }
        (hooks(&world, company))
    };
    layout::page(&format!("Apps of {}", company.name), None, body)
}

fn projects(world: &World, company: &Company, at: &str) -> Markup {
    let permitted = |id: i64| company.permitted_projects.as_ref().is_none_or(|projects| projects.contains(&id));
    html! {
        section.card {
            h2 { "Permitted projects" }
            form.stack method="post" action={ (at) "/permitted-projects" } {
                @for project in world.projects.values().filter(|project| project.company_id == company.id) {
                    label.check {
                        input type="checkbox" name="project_id" value=(project.id) checked[permitted(project.id)];
                        (project.name)
                    }
                }
                button { "Save the permitted projects" }
            }
        }
    }
}

fn hooks(world: &World, company: &Company) -> Markup {
    let hooks: Vec<_> = world.hooks.hooks.values().filter(|hook| hook.company_id == company.id).collect();
    let project = |id: Option<i64>| id.and_then(|id| world.projects.get(&id)).map_or("the company", |one| &one.name);
    let count = |id: i64, status: &str| {
        let all = world.hooks.deliveries.values();
        all.filter(|delivery| delivery.hook_id == id && delivery.status == status).count()
    };
    html! {
        h2 { "Webhooks" }
        @if hooks.is_empty() { p.dim { "None." } } @else {
            table {
                tr { th { "Of" } th { "Namespace" } th { "To" } th { "Payload" } th { "Triggers" } th { "State" } th { "Delivered" } th { "Waiting" } th { "Discarded" } }
                @for hook in hooks {
                    tr {
                        td { (project(hook.project_id)) }
                        td { (hook.namespace.as_deref().unwrap_or("–")) }
                        td { (hook.destination_url) }
                        td { (hook.payload_version) }
                        td { (hook.triggers.len()) }
                        td { @if hook.active { span.tag.good { "active" } } @else { span.tag.bad { "disabled" } } }
                        td { (count(hook.id, "delivered")) }
                        td { (count(hook.id, "enqueued") + count(hook.id, "retrying")) }
                        td { (count(hook.id, "discarded")) }
                    }
                }
            }
        }
    }
}

/// The app full screen inside the platform.
pub(crate) async fn embedded(State(core): Shared, Path((company, client)): Path<(i64, String)>) -> Response {
    let world = core.world();
    let installed = world.companies.get(&company).is_some_and(|company| company.connected);
    match world.oauth.embedded(&client).filter(|_| installed) {
        Some(url) => layout::framing("HardHat Pulse", url),
        None => layout::missing(),
    }
}

pub(crate) async fn install(State(core): Shared, Path(company): Path<i64>) -> Response {
    back(company, core.install(company))
}

pub(crate) async fn uninstall(State(core): Shared, Path(company): Path<i64>) -> Response {
    back(company, core.set_connected(company, false))
}

pub(crate) async fn permit(
    State(core): Shared,
    Path(company): Path<i64>,
    Form(sent): Form<Vec<(String, i64)>>,
) -> Response {
    let picked: BTreeSet<i64> = sent.into_iter().map(|(_, project)| project).collect();
    let known: BTreeSet<i64> = core.projects(company).into_iter().map(|project| project.id).collect();
    back(company, picked.is_subset(&known) && core.set_permitted_projects(company, Some(picked)))
}

fn back(company: i64, found: bool) -> Response {
    if found { Redirect::to(&address(company)).into_response() } else { layout::missing() }
}
