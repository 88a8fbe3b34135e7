//! Incidents as a person sees them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::{entry, fact, layout, local, location, person, tools};
use crate::procore::{Core, Incident, Injury, Project, World};

const FILING_TYPES: [&str; 7] =
    ["first_aid", "medically_treated", "lost_time", "restricted_work", "report_only", "refused_care", "fatality"];

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
        (injuries(&world, incident))
        @if incident.deleted_at.is_none() {
            h2 { "Edit as a person" }
            div.card { (edit_form(&at, incident)) }
            h2 { "Add an injury" }
            div.card { (injury_form(&at)) }
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

fn injuries(world: &World, incident: &Incident) -> Markup {
    let records = world.injuries.values().filter(|one| one.incident_id == incident.id && one.deleted_at.is_none());
    let records: Vec<&Injury> = records.collect();
    let text = |record: &Injury, name: &str| record.fields.get(name).map(shown).unwrap_or_default();
    html! {
        @if !records.is_empty() {
            h2 { "Injuries and near misses" }
            table {
                tr { th { "#" } th { "Kind" } th { "Filing type" } th { "Description" } th { "Treatment" } th { "Days away" } th { "Days restricted" } }
                @for record in records {
                    tr {
                        td { (incident.number) "-" (record.number) }
                        td { (record.kind.replace('_', " ")) }
                        td { (text(record, "filing_type").replace('_', " ")) }
                        td.pre { (text(record, "description")) }
                        td { (text(record, "treatment_provider")) " " (text(record, "treatment_facility")) }
                        td { (text(record, "work_days_absent")) }
                        td { (text(record, "work_days_restricted")) }
                    }
                }
            }
        }
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn edit_form(at: &str, incident: &Incident) -> Markup {
    html! {
        form.stack method="post" action=(at) {
            label { "Title" input name="title" value=(incident.title.as_deref().unwrap_or_default()); }
            label { "Description" textarea name="description" rows="5" { (incident.description.as_deref().unwrap_or_default()) } }
            label { "Status" select name="status" {
                @for status in ["open", "closed"] { option value=(status) selected[incident.status == status] { (status) } }
            } }
            button { "Save" }
        }
    }
}

fn injury_form(at: &str) -> Markup {
    html! {
        form.stack method="post" action={ (at) "/injuries" } {
            label { "Filing type" select name="filing_type" {
                option value="" { "not set" }
                @for kind in FILING_TYPES { option value=(kind) { (kind.replace('_', " ")) } }
            } }
            label { "Description" textarea name="description" rows="2" {} }
            label { "Treatment provider" input name="treatment_provider"; }
            label { "Treatment facility" input name="treatment_facility"; }
            label { "Work days absent" input name="work_days_absent" type="number" min="0"; }
            label { "Work days restricted" input name="work_days_restricted" type="number" min="0"; }
            label.check { input name="treated_in_er" type="checkbox" value="true"; "Treated in an emergency room" }
            label.check { input name="hospitalized_overnight" type="checkbox" value="true"; "Hospitalized overnight" }
            button { "Add the injury" }
        }
    }
}
