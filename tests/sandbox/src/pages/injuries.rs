//! The injuries under an incident, and the forms on which people write what was treated and how.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::{check, layout, tools};
use crate::procore::{Core, Incident, Injury, World};

const FILING_TYPES: [&str; 7] =
    ["first_aid", "medically_treated", "lost_time", "restricted_work", "report_only", "refused_care", "fatality"];
const TEXTS: [(&str, &str); 3] = [
    ("treatment_provider", "Treatment provider"),
    ("treatment_facility", "Treatment facility"),
    ("treatment_facility_address", "Address of the facility"),
];
const DAYS: [(&str, &str); 3] = [
    ("work_days_absent", "Work days absent"),
    ("work_days_restricted", "Work days restricted"),
    ("work_days_transferred", "Work days transferred"),
];
const DATES: [(&str, &str); 2] =
    [("date_returned_to_work", "Date returned to work"), ("date_of_death", "Date of death")];
const FLAGS: [(&str, &str); 3] = [
    ("treated_in_er", "Treated in an emergency room"),
    ("hospitalized_overnight", "Hospitalized overnight"),
    ("recordable", "Recordable"),
];

fn text(record: &Injury, name: &str) -> String {
    match record.fields.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

pub(super) fn table(world: &World, incident: &Incident, at: &str) -> Markup {
    let records = world.injuries.values().filter(|one| one.incident_id == incident.id && one.deleted_at.is_none());
    let records: Vec<&Injury> = records.collect();
    html! {
        @if !records.is_empty() {
            h2 { "Injuries and near misses" }
            table {
                tr { th { "#" } th { "Kind" } th { "Filing type" } th { "Description" } th { "Treatment" } th { "Days away" } th { "Days restricted" } th {} }
                @for record in records {
                    tr {
                        td { (incident.number) "-" (record.number) }
                        td { (record.kind.replace('_', " ")) }
                        td { (text(record, "filing_type").replace('_', " ")) }
                        td.pre { (text(record, "description")) }
                        td { (text(record, "treatment_provider")) " " (text(record, "treatment_facility")) }
                        td { (text(record, "work_days_absent")) }
                        td { (text(record, "work_days_restricted")) }
                        td { a href={ (at) "/injuries/" (record.id) } aria-label={ "Edit injury " (incident.number) "-" (record.number) } { "Edit" } }
                    }
                }
            }
        }
    }
}

pub(crate) async fn one(
    State(core): State<Arc<Core>>,
    Path((_, project, incident, id)): Path<(i64, i64, i64, i64)>,
) -> Response {
    let world = core.world();
    let project = world.projects.get(&project);
    let record = world.injuries.get(&id).filter(|record| record.incident_id == incident);
    let record = record.filter(|record| project.is_some_and(|project| project.id == record.project_id));
    let (Some(project), Some(record)) = (project, record) else { return layout::missing() };
    let above = format!("{}/incidents/{incident}", tools(project));
    let at = format!("{above}/injuries/{id}");
    let number = world.incidents.get(&incident).map_or(0, |incident| incident.number);
    let body = html! {
        p { a href=(above) { "The incident" } }
        @if record.deleted_at.is_none() {
            div.card { (form(&at, Some(record))) }
            form.inline method="post" action={ (at) "/delete" } { button.quiet { "Move to the recycle bin" } }
        } @else {
            form.inline method="post" action={ (at) "/restore" } { button { "Restore from the recycle bin" } }
        }
    };
    layout::page(&format!("Injury {number}-{}", record.number), Some(project), body)
}

/// Empty for a new one.
pub(super) fn form(action: &str, record: Option<&Injury>) -> Markup {
    let value = |name: &str| record.map(|record| text(record, name)).unwrap_or_default();
    let filing_type = value("filing_type");
    html! {
        form.stack method="post" action=(action) {
            label { "Filing type" select name="filing_type" {
                option value="" { "not set" }
                @for kind in FILING_TYPES { option value=(kind) selected[kind == filing_type] { (kind.replace('_', " ")) } }
            } }
            label { "Injury description" textarea name="description" rows="2" { (value("description")) } }
            @for (name, label) in TEXTS { label { (label) input name=(name) value=(value(name)); } }
            @for (name, label) in DAYS { label { (label) input name=(name) type="number" min="0" value=(value(name)); } }
            @for (name, label) in DATES { label { (label) input name=(name) type="date" value=(value(name)); } }
            @for (name, label) in FLAGS { (check(name, label, value(name) == "true")) }
            button { @if record.is_some() { "Save the injury" } @else { "Add the injury" } }
        }
    }
}
