//! What a person does on the pages: each form becomes an edit in a person's name.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use maud::html;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{layout, signed_in};
use crate::procore::{Core, EditError, PersonEdit};

type Shared = State<Arc<Core>>;
type Place = Path<(i64, i64, i64)>;
type InjuryPlace = Path<(i64, i64, i64, i64)>;
type Sent = Form<Vec<(String, String)>>;

/// Where the browser goes after an edit.
fn at(company: i64, project: i64, rest: &str) -> String {
    format!("/webclients/host/companies/{company}/projects/{project}/tools/{rest}")
}

/// What a form says, typed. An emptied field is `null`, but texts that are emptied are empty.
fn fields(sent: Vec<(String, String)>) -> Map<String, Value> {
    let typed = sent.into_iter().map(|(name, text)| {
        let value = match name.as_str() {
            "work_days_absent" | "work_days_restricted" | "work_days_transferred" => {
                text.parse::<i64>().map_or(Value::Null, Value::from)
            }
            "treated_in_er" | "hospitalized_overnight" | "recordable" | "private" | "personal" | "is_issue_day" => {
                json!(text == "true")
            }
            "description" => Value::String(text),
            _ if text.is_empty() => Value::Null,
            _ => Value::String(text),
        };
        (name, value)
    });
    typed.collect()
}

/// A record that does not exist yet has nothing to empty.
fn given(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.retain(|_, value| !value.is_null() && value != "");
    fields
}

fn act(core: &Core, headers: &HeaderMap, then: &str, edit: &PersonEdit) -> Response {
    match core.person_edit_as(edit, signed_in(headers)) {
        Ok(_) => Redirect::to(then).into_response(),
        Err(EditError::Unknown) => layout::missing(),
        Err(error) => {
            let page = layout::page("Refused", None, html! { p { (error) } });
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

fn edit(kind: &str, id: Option<i64>, fields: Map<String, Value>) -> PersonEdit {
    PersonEdit { kind: kind.to_owned(), action: None, id, project_id: None, fields: Value::Object(fields) }
}

fn moved(kind: &str, id: i64, action: &str) -> PersonEdit {
    PersonEdit { action: Some(action.to_owned()), ..edit(kind, Some(id), Map::new()) }
}

pub(crate) async fn edit_incident(
    State(core): Shared,
    Path((company, project, id)): Place,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    let then = at(company, project, &format!("incidents/{id}"));
    act(&core, &headers, &then, &edit("incident", Some(id), fields(sent)))
}

pub(crate) async fn add_injury(
    State(core): Shared,
    Path((company, project, incident)): Place,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    let mut fields = given(fields(sent));
    fields.insert("incident_id".to_owned(), json!(incident));
    let then = at(company, project, &format!("incidents/{incident}"));
    act(&core, &headers, &then, &edit("injury", None, fields))
}

pub(crate) async fn edit_injury(
    State(core): Shared,
    Path((company, project, incident, id)): InjuryPlace,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    let then = at(company, project, &format!("incidents/{incident}"));
    act(&core, &headers, &then, &edit("injury", Some(id), fields(sent)))
}

pub(crate) async fn delete_injury(State(core): Shared, Path(place): InjuryPlace, headers: HeaderMap) -> Response {
    move_injury(&core, &headers, place, "delete")
}

pub(crate) async fn restore_injury(State(core): Shared, Path(place): InjuryPlace, headers: HeaderMap) -> Response {
    move_injury(&core, &headers, place, "restore")
}

fn move_injury(core: &Core, headers: &HeaderMap, place: (i64, i64, i64, i64), action: &str) -> Response {
    let (company, project, incident, id) = place;
    let then = at(company, project, &format!("incidents/{incident}"));
    act(core, headers, &then, &moved("injury", id, action))
}

pub(crate) async fn edit_observation(
    State(core): Shared,
    Path((company, project, id)): Place,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    let then = at(company, project, &format!("observations/{id}"));
    act(&core, &headers, &then, &edit("observation", Some(id), fields(sent)))
}

pub(crate) async fn comment(
    State(core): Shared,
    Path((company, project, id)): Place,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    let mut fields = given(fields(sent));
    fields.insert("item_id".to_owned(), json!(id));
    let then = at(company, project, &format!("observations/{id}"));
    act(&core, &headers, &then, &edit("response_log", None, fields))
}

type Record = Path<(i64, i64, String, i64)>;

pub(crate) async fn delete(State(core): Shared, Path(place): Record, headers: HeaderMap) -> Response {
    move_record(&core, &headers, place, "delete")
}

pub(crate) async fn restore(State(core): Shared, Path(place): Record, headers: HeaderMap) -> Response {
    move_record(&core, &headers, place, "restore")
}

fn move_record(core: &Core, headers: &HeaderMap, place: (i64, i64, String, i64), action: &str) -> Response {
    let (company, project, tool, id) = place;
    let kind = match tool.as_str() {
        "incidents" => "incident",
        "observations" => "observation",
        _ => return layout::missing(),
    };
    act(core, headers, &at(company, project, &format!("{tool}/{id}")), &moved(kind, id, action))
}

pub(crate) async fn add_note(
    State(core): Shared,
    Path((company, project)): Path<(i64, i64)>,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    let edit = PersonEdit { project_id: Some(project), ..edit("note", None, given(fields(sent))) };
    act(&core, &headers, &at(company, project, "dailylog"), &edit)
}

pub(crate) async fn edit_note(
    State(core): Shared,
    Path((company, project, id)): Place,
    headers: HeaderMap,
    Form(sent): Sent,
) -> Response {
    act(&core, &headers, &at(company, project, "dailylog"), &edit("note", Some(id), given(fields(sent))))
}

pub(crate) async fn delete_note(
    State(core): Shared,
    Path((company, project, id)): Place,
    headers: HeaderMap,
) -> Response {
    act(&core, &headers, &at(company, project, "dailylog"), &moved("note", id, "delete"))
}

#[derive(Deserialize)]
pub(crate) struct Day {
    completed: bool,
}

pub(crate) async fn complete_day(
    State(core): Shared,
    Path((company, project, date)): Path<(i64, i64, Date)>,
    Form(day): Form<Day>,
) -> Response {
    match core.complete_day(project, date, day.completed) {
        true => Redirect::to(&at(company, project, "dailylog")).into_response(),
        false => layout::missing(),
    }
}
