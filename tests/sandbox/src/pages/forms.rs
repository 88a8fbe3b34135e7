//! What a person does on the pages: each form becomes an edit in a person's name.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde_json::{Map, Value, json};

use super::layout;
use crate::procore::{Core, EditError, PersonEdit};

type Place = Path<(i64, i64, i64)>;
type Sent = Form<Vec<(String, String)>>;

/// Fields that are left empty on a form mean "not set", except texts that can be cleared.
fn fields(sent: Vec<(String, String)>) -> Map<String, Value> {
    let known = sent.into_iter().filter(|(name, text)| !text.is_empty() || name == "description");
    let typed = known.map(|(name, text)| {
        let value = match name.as_str() {
            "work_days_absent" | "work_days_restricted" => text.parse::<i64>().map_or(Value::Null, Value::from),
            "treated_in_er" | "hospitalized_overnight" => json!(text == "true"),
            _ => Value::String(text),
        };
        (name, value)
    });
    typed.collect()
}

fn act(core: &Core, (company, project, id): (i64, i64, i64), tool: &str, edit: PersonEdit) -> Response {
    match core.person_edit(&edit) {
        Ok(_) => {
            let at = format!("/webclients/host/companies/{company}/projects/{project}/tools/{tool}/{id}");
            Redirect::to(&at).into_response()
        }
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

pub(crate) async fn edit_incident(State(core): State<Arc<Core>>, Path(place): Place, Form(sent): Sent) -> Response {
    act(&core, place, "incidents", edit("incident", Some(place.2), fields(sent)))
}

pub(crate) async fn add_injury(State(core): State<Arc<Core>>, Path(place): Place, Form(sent): Sent) -> Response {
    let mut fields = fields(sent);
    fields.insert("incident_id".to_owned(), json!(place.2));
    act(&core, place, "incidents", edit("injury", None, fields))
}

pub(crate) async fn edit_observation(State(core): State<Arc<Core>>, Path(place): Place, Form(sent): Sent) -> Response {
    act(&core, place, "observations", edit("observation", Some(place.2), fields(sent)))
}

pub(crate) async fn comment(State(core): State<Arc<Core>>, Path(place): Place, Form(sent): Sent) -> Response {
    let mut fields = fields(sent);
    fields.insert("item_id".to_owned(), json!(place.2));
    act(&core, place, "observations", edit("response_log", None, fields))
}

pub(crate) async fn delete(state: State<Arc<Core>>, path: Path<(i64, i64, String, i64)>) -> Response {
    move_record(state, path, "delete")
}

pub(crate) async fn restore(state: State<Arc<Core>>, path: Path<(i64, i64, String, i64)>) -> Response {
    move_record(state, path, "restore")
}

fn move_record(State(core): State<Arc<Core>>, Path(place): Path<(i64, i64, String, i64)>, action: &str) -> Response {
    let (company, project, tool, id) = place;
    let kind = match tool.as_str() {
        "incidents" => "incident",
        "observations" => "observation",
        _ => return layout::missing(),
    };
    let edit = PersonEdit { action: Some(action.to_owned()), ..edit(kind, Some(id), Map::new()) };
    act(&core, (company, project, id), &tool, edit)
}
