//! Observations as a person sees them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::{check, entry, fact, layout, local, location, person, tools};
use crate::procore::{Core, Observation, Project, ResponseLog, World};

const STATUSES: [&str; 4] = ["initiated", "ready_for_review", "not_accepted", "closed"];
const PRIORITIES: [&str; 4] = ["Low", "Medium", "High", "Urgent"];

pub(crate) async fn list(State(core): State<Arc<Core>>, Path((_, project)): Path<(i64, i64)>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.get(&project) else { return layout::missing() };
    let items = world.observations.values().filter(|one| one.project_id == project.id && one.deleted_at.is_none());
    let items: Vec<&Observation> = items.collect();
    let body = html! {
        @if items.len() > super::SHOWN { p.dim { (items.len()) " in all, the newest " (super::SHOWN) " shown." } }
        @if items.is_empty() { p.dim { "No observations yet." } } @else {
            table {
                tr { th { "#" } th { "Name" } th { "Type" } th { "Status" } th { "Priority" } th { "Location" } th { "Created" } th { "Comments" } }
                @for item in items.iter().rev().take(super::SHOWN) {
                    tr {
                        td { (item.number) }
                        td { a href={ (tools(project)) "/observations/" (item.id) } { (item.name) } }
                        td { (kind(&world, item).unwrap_or("–")) }
                        td { (layout::tag(&item.status)) }
                        td { @if let Some(priority) = &item.priority { (layout::tag(priority)) } }
                        td { (location(&world, item.location_id).unwrap_or("–")) }
                        td { (local(project, item.created_at)) }
                        td { (comments(&world, item).count()) }
                    }
                }
            }
        }
    };
    layout::page("Observations", Some(project), body)
}

fn kind<'a>(world: &'a World, item: &Observation) -> Option<&'a str> {
    world.observation_types.get(&item.type_id).map(|kind| kind.name.as_str())
}

fn comments<'a>(world: &'a World, item: &Observation) -> impl Iterator<Item = &'a ResponseLog> + use<'a> {
    let id = item.id;
    world.response_logs.values().filter(move |log| log.item_id == id)
}

pub(crate) async fn one(State(core): State<Arc<Core>>, Path((_, project, id)): Path<(i64, i64, i64)>) -> Response {
    let world = core.world();
    let project = world.projects.get(&project);
    let item = world.observations.get(&id).filter(|one| project.is_some_and(|project| project.id == one.project_id));
    let (Some(project), Some(item)) = (project, item) else { return layout::missing() };
    let at = format!("{}/observations/{}", tools(project), item.id);
    let body = html! {
        (facts(&world, project, item))
        h2 { "Activity" }
        @for log in comments(&world, item) {
            div.card {
                p { strong { (person(&world, log.created_by)) } " " span.dim { (local(project, log.created_at)) } " " span.tag { (log.status) } }
                div.pre { (log.comment) }
            }
        }
        @if item.deleted_at.is_none() {
            div.card { (comment_form(&at)) }
            h2 { "Edit as a person" }
            div.card { (edit_form(&at, item)) }
            form.inline method="post" action={ (at) "/delete" } { button.quiet { "Move to the recycle bin" } }
        } @else {
            form.inline method="post" action={ (at) "/restore" } { button { "Restore from the recycle bin" } }
        }
    };
    layout::page(&format!("Observation #{}: {}", item.number, item.name), Some(project), body)
}

fn facts(world: &World, project: &Project, item: &Observation) -> Markup {
    html! {
        div.card {
            p {
                (layout::tag(&item.status)) " "
                @if let Some(priority) = &item.priority { (layout::tag(priority)) }
                @if item.deleted_at.is_some() { " " span.tag.bad { "recycled" } }
            }
            dl {
                (fact("Type", kind(world, item)))
                (fact("Location", location(world, item.location_id)))
                (fact("Trade", entry(world, item.trade_id)))
                (fact("Hazard", entry(world, item.hazard_id)))
                (fact("Due", item.due_date.as_deref()))
                (fact("Private", Some(if item.personal { "Yes" } else { "No" })))
                (fact("Created", Some(&format!("{} by {}", local(project, item.created_at), person(world, item.created_by)))))
                (fact("Updated", Some(&format!("{} by {}", local(project, item.updated_at), person(world, item.updated_by)))))
            }
            h2 { "Description" }
            div.pre { (item.description.as_deref().unwrap_or("–")) }
        }
    }
}

fn comment_form(at: &str) -> Markup {
    html! {
        form.stack method="post" action={ (at) "/comments" } {
            label { "Comment" textarea name="comment" rows="2" required {} }
            label { "Status" select name="status" {
                option value="" { "unchanged" }
                @for status in STATUSES { option value=(status) { (status.replace('_', " ")) } }
            } }
            button { "Comment" }
        }
    }
}

fn edit_form(at: &str, item: &Observation) -> Markup {
    let priority = item.priority.as_deref();
    html! {
        form.stack method="post" action=(at) {
            label { "Name" input name="name" value=(item.name) required; }
            label { "Description" textarea name="description" rows="5" { (item.description.as_deref().unwrap_or_default()) } }
            label { "Status" select name="status" {
                @for status in STATUSES { option value=(status) selected[item.status == status] { (status.replace('_', " ")) } }
            } }
            label { "Priority" select name="priority" {
                @if priority.is_none() { option value="" { "not set" } }
                @for word in PRIORITIES { option value=(word) selected[priority == Some(word)] { (word) } }
            } }
            label { "Due date" input name="due_date" type="date" value=(item.due_date.as_deref().unwrap_or_default()); }
            (check("personal", "Private", item.personal))
            button { "Save" }
        }
    }
}
