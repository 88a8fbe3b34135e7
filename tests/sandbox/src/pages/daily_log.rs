//! The daily log, day by day, and the recycle bin.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use maud::{Markup, html};
use serde_json::Value;

use super::{layout, local, person, tools};
use crate::procore::{Core, LogEntry, Project, World};

pub(crate) async fn page(State(core): State<Arc<Core>>, Path((_, project)): Path<(i64, i64)>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.get(&project) else { return layout::missing() };
    let entries = || world.log_entries.values().filter(|entry| entry.project_id == project.id);
    let days: BTreeSet<Date> = entries().map(|entry| entry.date).collect();
    let body = html! {
        @if days.is_empty() { p.dim { "Nothing is logged yet." } }
        @for day in days.iter().rev() {
            h2 {
                (day.strftime("%A, %d %B %Y")) " "
                @if world.day_headers.get(&(project.id, *day)).is_some_and(|header| header.completed) { span.tag.good { "completed" } }
            }
            @for entry in entries().filter(|entry| entry.date == *day) { (shown(&world, project, entry)) }
        }
    };
    layout::page("Daily Log", Some(project), body)
}

fn shown(world: &World, project: &Project, entry: &LogEntry) -> Markup {
    let section = entry.section.trim_end_matches('s').replace('_', " ");
    html! {
        div.card {
            p {
                span.tag { (section) } " " strong { (person(world, entry.created_by)) } " "
                span.dim { (local(project, entry.created_at)) @if entry.updated_at > entry.created_at { ", edited " (local(project, entry.updated_at)) } }
                @if entry.status != "approved" { " " span.tag.bad { (entry.status) } }
            }
            @for (name, value) in entry.fields.iter().filter(|(_, value)| value.is_string()) {
                @if name != "comment" { span.dim { (name.replace('_', " ")) ": " } }
                div.pre { (value.as_str().unwrap_or_default()) }
            }
            @if entry.fields.get("is_issue_day") == Some(&Value::Bool(true)) { span.tag.bad { "issue" } }
        }
    }
}

pub(crate) async fn bin(State(core): State<Arc<Core>>, Path((_, project)): Path<(i64, i64)>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.get(&project) else { return layout::missing() };
    let incidents = world.incidents.values().filter(|one| one.project_id == project.id);
    let incidents =
        incidents.filter_map(|one| Some(("incidents", one.id, one.title.clone().unwrap_or_default(), one.deleted_at?)));
    let items = world.observations.values().filter(|one| one.project_id == project.id);
    let items = items.filter_map(|one| Some(("observations", one.id, one.name.clone(), one.deleted_at?)));
    let recycled: Vec<_> = incidents.chain(items).collect();
    let body = html! {
        @if recycled.is_empty() { p.dim { "The recycle bin is empty." } } @else {
            table {
                tr { th { "Tool" } th { "Record" } th { "Recycled" } th {} }
                @for (tool, id, name, at) in recycled {
                    @let address = format!("{}/{tool}/{id}", tools(project));
                    tr {
                        td { (tool) }
                        td { a href=(address) { (name) } }
                        td { (local(project, at)) }
                        td { form.inline method="post" action={ (address) "/restore" } { button.quiet { "Restore" } } }
                    }
                }
            }
        }
    };
    layout::page("Recycle bin", Some(project), body)
}
