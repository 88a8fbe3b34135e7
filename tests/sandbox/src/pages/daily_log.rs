//! The daily log, day by day, and the recycle bin.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use maud::{Markup, html};
use serde_json::Value;

use super::{check, layout, local, person, tools};
use crate::procore::{Core, LogEntry, Project, World};

const NOTES: &str = "notes_logs";

pub(crate) async fn page(State(core): State<Arc<Core>>, Path((_, project)): Path<(i64, i64)>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.get(&project) else { return layout::missing() };
    let entries = || world.log_entries.values().filter(|entry| entry.project_id == project.id);
    let days: BTreeSet<Date> = entries().map(|entry| entry.date).collect();
    let at = format!("{}/dailylog", tools(project));
    let completed = |day: Date| world.day_headers.get(&(project.id, day)).is_some_and(|header| header.completed);
    let body = html! {
        div.card { h2 { "Add a note" } (note_form(&at, None)) }
        @if days.is_empty() { p.dim { "Nothing is logged yet." } }
        @for day in days.iter().rev() {
            h2 {
                (day.strftime("%A, %d %B %Y")) " "
                @if completed(*day) { span.tag.good { "completed" } }
            }
            form.inline method="post" action={ (at) "/days/" (day) } {
                input type="hidden" name="completed" value=(!completed(*day));
                button.quiet { @if completed(*day) { "Open the day again" } @else { "Complete the day" } }
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
            @if entry.section == NOTES { p { a href={ (tools(project)) "/dailylog/" (entry.id) } { "Edit the note" } } }
        }
    }
}

pub(crate) async fn one(State(core): State<Arc<Core>>, Path((_, project, id)): Path<(i64, i64, i64)>) -> Response {
    let world = core.world();
    let project = world.projects.get(&project);
    let note = world.log_entries.get(&id).filter(|entry| entry.section == NOTES);
    let note = note.filter(|note| project.is_some_and(|project| project.id == note.project_id));
    let (Some(project), Some(note)) = (project, note) else { return layout::missing() };
    let log = format!("{}/dailylog", tools(project));
    let at = format!("{log}/{id}");
    let body = html! {
        p { a href=(log) { "The daily log" } }
        div.card { (note_form(&at, Some(note))) }
        form.inline method="post" action={ (at) "/delete" } { button.quiet { "Delete the note" } }
    };
    layout::page(&format!("Note of {}", note.date.strftime("%d %B %Y")), Some(project), body)
}

/// Without a date, a new note is today's.
fn note_form(action: &str, note: Option<&LogEntry>) -> Markup {
    let comment = note.and_then(|note| note.fields.get("comment")).and_then(Value::as_str);
    let issue = note.is_some_and(|note| note.fields.get("is_issue_day") == Some(&Value::Bool(true)));
    let date = note.map(|note| note.date.to_string());
    html! {
        form.stack method="post" action=(action) {
            label { "Comment" textarea name="comment" rows="3" required { (comment.unwrap_or_default()) } }
            label { "Date" input name="date" type="date" value=(date.unwrap_or_default()); }
            (check("is_issue_day", "An issue", issue))
            button { @if note.is_some() { "Save the note" } @else { "Add the note" } }
        }
    }
}

pub(crate) async fn bin(State(core): State<Arc<Core>>, Path((_, project)): Path<(i64, i64)>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.get(&project) else { return layout::missing() };
    let incidents = world.incidents.values().filter(|one| one.project_id == project.id);
    let incidents = incidents.filter_map(|one| {
        Some(("incidents".to_owned(), one.id, one.title.clone().unwrap_or_default(), one.deleted_at?))
    });
    let items = world.observations.values().filter(|one| one.project_id == project.id);
    let items = items.filter_map(|one| Some(("observations".to_owned(), one.id, one.name.clone(), one.deleted_at?)));
    let injuries = world.injuries.values().filter(|one| one.project_id == project.id);
    let injuries = injuries.filter_map(|one| {
        let description = one.fields.get("description").and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = description.map_or_else(|| one.kind.replace('_', " "), str::to_owned);
        Some((format!("incidents/{}/injuries", one.incident_id), one.id, name, one.deleted_at?))
    });
    let recycled: Vec<_> = incidents.chain(items).chain(injuries).collect();
    let body = html! {
        @if recycled.is_empty() { p.dim { "The recycle bin is empty." } } @else {
            table {
                tr { th { "Tool" } th { "Record" } th { "Recycled" } th {} }
                @for (tool, id, name, at) in recycled {
                    @let address = format!("{}/{tool}/{id}", tools(project));
                    tr {
                        td { (tool.rsplit('/').next().unwrap_or_default()) }
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
