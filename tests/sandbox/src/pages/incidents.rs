//! Incidents as a person sees them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::{check, entry, fact, injuries, layout, local, location, person, tools};
use crate::procore::{Core, Incident, Project, World};

pub(crate) async fn list(State(core): State<Arc<Core>>, Path((_, project)): Path<(i64, i64)>) -> Response {
    let world = core.world();
    let Some(project) = world.projects.get(&project) else { return layout::missing() };
    let incidents = world.incidents.values().filter(|one| one.project_id == project.id && one.deleted_at.is_none());
    let incidents: Vec<&Incident> = incidents.collect();
    let body = html! {
        @if incidents.len() > super::SHOWN { p.dim { (incidents.len()) " in all, the newest " (super::SHOWN) " shown." } }
        @if incidents.is_empty() { p.dim { "No incidents yet." } } @else {
            table {
                tr { th { "#" } th { "Title" } th { "Status" } th { "Recordable" } th { "Location" } th { "Event" } th { "Created by" } }
                @for one in incidents.iter().rev().take(super::SHOWN) {
                    tr {
                        td { (one.number) }
                        td { a href={ (tools(project)) "/incidents/" (one.id) } { (one.title.as_deref().unwrap_or("(no title)")) } }
                        td { (layout::tag(&one.status)) }
                        td { @if one.recordable == Some(true) { "Yes" } @else { "No" } }
                        td { (location(&world, one.location_id).unwrap_or("–")) }
                        td { @if let Some(at) = one.event_date { (local(project, at)) } @else { "–" } }
                        td { (person(&world, one.created_by)) }
                    }
                }
            }
        }
    };
    layout::page("Incidents", Some(project), body)
}

pub(crate) async fn one(State(core): State<Arc<Core>>, Path((_, project, id)): Path<(i64, i64, i64)>) -> Response {
    let world = core.world();
    let project = world.projects.get(&project);
    let incident = world.incidents.get(&id).filter(|one| project.is_some_and(|project| project.id == one.project_id));
    let (Some(project), Some(incident)) = (project, incident) else { return layout::missing() };
    let at = format!("{}/incidents/{}", tools(project), incident.id);
    let body = html! {
        (facts(&world, project, incident))
        (injuries::table(&world, incident, &at))
        @if incident.deleted_at.is_none() {
            h2 { "Edit as a person" }
            div.card { (edit_form(&at, incident)) }
            h2 { "Add an injury" }
            div.card { (injuries::form(&format!("{at}/injuries"), None)) }
            form.inline method="post" action={ (at) "/delete" } { button.quiet { "Move to the recycle bin" } }
        } @else {
            form.inline method="post" action={ (at) "/restore" } { button { "Restore from the recycle bin" } }
        }
    };
    let title = incident.title.as_deref().unwrap_or("(no title)");
    layout::page(&format!("Incident #{}: {title}", incident.number), Some(project), body)
}

fn facts(world: &World, project: &Project, incident: &Incident) -> Markup {
    let event = incident.event_date.map(|at| local(project, at));
    let recordable = if incident.recordable == Some(true) { "Yes" } else { "No" };
    html! {
        div.card {
            p { (layout::tag(&incident.status)) " " @if incident.deleted_at.is_some() { span.tag.bad { "recycled" } } }
            dl {
                (fact("Event date", event.as_deref()))
                (fact("Location", location(world, incident.location_id)))
                (fact("Recordable", Some(recordable)))
                (fact("Private", Some(if incident.private { "Yes" } else { "No" })))
                (fact("Hazard", entry(world, incident.hazard_id)))
                (fact("Contributing behavior", entry(world, incident.contributing_behavior_id)))
                (fact("Contributing condition", entry(world, incident.contributing_condition_id)))
                (fact("Created", Some(&format!("{} by {}", local(project, incident.created_at), person(world, incident.created_by)))))
                (fact("Updated", Some(&format!("{} by {}", local(project, incident.updated_at), person(world, incident.updated_by)))))
            }
            h2 { "Description" }
            div.pre { (incident.description.as_deref().unwrap_or("–")) }
        }
    }
}

fn edit_form(at: &str, incident: &Incident) -> Markup {
    html! {
        form.stack method="post" action=(at) {
            label { "Title" input name="title" value=(incident.title.as_deref().unwrap_or_default()); }
            label { "Description" textarea name="description" rows="5" { (incident.description.as_deref().unwrap_or_default()) } }
            label { "Status" select name="status" {
                @for status in ["open", "closed"] { option value=(status) selected[incident.status == status] { (status) } }
            } }
            (check("recordable", "Recordable", incident.recordable == Some(true)))
            (check("private", "Private", incident.private))
            button { "Save" }
        }
    }
}
