//! Edits as a person makes them in the browser: no token, another user, the same rules and events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::access::Editor;
use super::call::Fields;
use super::handle::person_at;
use super::reply::{Payload, Refusal};
use super::state::World;
use super::{Core, daily_log, incidents, injuries, observations};

/// What a person does to a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonEdit {
    /// `incident`, `injury`, `observation`, `response_log` or `note`.
    pub kind: String,
    /// `update` if an id is given, else `create`; also `delete` and `restore`.
    #[serde(default)]
    pub action: Option<String>,
    #[serde(default)]
    pub id: Option<i64>,
    /// Needed for what is created.
    #[serde(default)]
    pub project_id: Option<i64>,
    /// The members that the API takes for this kind; a response log also takes `item_id` and `status`.
    #[serde(default)]
    pub fields: Value,
}

#[derive(Debug, Error)]
pub enum EditError {
    #[error("no such record, project or action")]
    Unknown,
    #[error("the platform refuses: {0}")]
    Refused(String),
}

impl From<Refusal> for EditError {
    fn from(refusal: Refusal) -> Self {
        match refusal.reply().payload {
            Payload::Json(body) => Self::Refused(body.to_string()),
            Payload::Text(text) | Payload::Html(text) => Self::Refused(text),
            Payload::Empty => Self::Refused(String::new()),
        }
    }
}

impl Core {
    /// Does the edit and says which record it concerns.
    pub fn person_edit(&self, edit: &PersonEdit) -> Result<i64, EditError> {
        self.person_edit_as(edit, None)
    }

    /// The same in the name of a person who signed in; of another one where that person does not belong.
    pub fn person_edit_as(&self, edit: &PersonEdit, person: Option<i64>) -> Result<i64, EditError> {
        let done = {
            let world = &mut *self.world();
            let project_id = project_of(world, edit).ok_or(EditError::Unknown)?;
            let editor = person_at(world, project_id, person, self.clock.stamp()).ok_or(EditError::Unknown)?;
            apply(world, &editor, project_id, edit)
        };
        self.waiting.notify_one();
        done
    }
}

fn project_of(world: &World, edit: &PersonEdit) -> Option<i64> {
    let member = |name: &str| edit.fields.get(name).and_then(Value::as_i64);
    let by_record = match edit.kind.as_str() {
        "incident" => edit.id.and_then(|id| world.incidents.get(&id)).map(|one| one.project_id),
        "injury" => {
            let incident =
                edit.id.and_then(|id| world.injuries.get(&id)).map(|one| one.incident_id).or(member("incident_id"));
            incident.and_then(|id| world.incidents.get(&id)).map(|one| one.project_id)
        }
        "observation" => edit.id.and_then(|id| world.observations.get(&id)).map(|one| one.project_id),
        "response_log" => member("item_id").and_then(|id| world.observations.get(&id)).map(|one| one.project_id),
        "note" => edit.id.and_then(|id| world.log_entries.get(&id)).map(|one| one.project_id),
        _ => None,
    };
    by_record.or(edit.project_id.filter(|_| edit.id.is_none()))
}

fn apply(world: &mut World, editor: &Editor, project_id: i64, edit: &PersonEdit) -> Result<i64, EditError> {
    let fields = Fields::of(&edit.fields);
    let action = edit.action.as_deref().unwrap_or(if edit.id.is_some() { "update" } else { "create" });
    let id = edit.id.unwrap_or_default();
    let done = match (edit.kind.as_str(), action) {
        ("incident", "create") => return Ok(incidents::make(world, editor, project_id, fields)?),
        ("incident", "update") => incidents::edit(world, editor, id, fields),
        ("incident", "delete" | "restore") => incidents::set_deleted(world, editor, id, action == "delete"),
        ("injury", "create") => {
            let incident_id = fields.id("incident_id").ok_or(EditError::Unknown)?;
            injuries::check(world, editor, &fields, None)?;
            return Ok(injuries::make(world, editor, project_id, incident_id, "injury", fields)?);
        }
        ("injury", "update") => injuries::edit(world, editor, id, fields),
        ("injury", "delete" | "restore") => injuries::set_deleted(world, editor, id, action == "delete"),
        ("observation", "create") => return Ok(observations::make(world, editor, project_id, fields)?),
        ("observation", "update") => observations::edit(world, editor, id, fields),
        ("observation", "delete" | "restore") => observations::set_deleted(world, editor, id, action == "delete"),
        ("response_log", "create") => {
            let item = fields.id("item_id").ok_or(EditError::Unknown)?;
            let (comment, status) = (fields.text("comment").unwrap_or_default(), fields.text("status"));
            return Ok(observations::comment_on(world, editor, item, &comment, status.as_deref())?);
        }
        ("note", "create") => return Ok(daily_log::make(world, editor, project_id, daily_log::NOTES, fields)?),
        ("note", "update") => daily_log::edit(world, editor, id, fields),
        ("note", "delete") => daily_log::remove(world, editor, id),
        _ => return Err(EditError::Unknown),
    };
    done?;
    Ok(id)
}
