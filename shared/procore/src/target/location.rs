//! A zone as a location of the project, by its path of names. Procore finds or makes it, so asking twice is harmless.
use super::At;
use platform::known::{Known, Stop};

use crate::client::{Procore, unreadable};
use crate::pages::id;
use crate::request::{Effect, Place, Request, Tool};
use reqwest::Method;
use serde_json::{Value, json};
use sync::target::{Call, TargetError};

const PREFIX: &str = "location:";

/// `location:["Tower A","Level 3"]`.
pub(super) fn need(path: &[String]) -> String {
    format!("{PREFIX}{}", json!(path))
}

pub(super) fn path(need: &str) -> Option<Vec<String>> {
    let path: Vec<String> = serde_json::from_str(need.strip_prefix(PREFIX)?).ok()?;
    (!path.is_empty()).then_some(path)
}

/// The location's id, as a field's value.
pub(super) fn known(known: Known<'_>, path: &[String]) -> Result<Value, Stop> {
    let need = need(path);
    let found = known.value(&need)?;
    found.as_i64().map(Value::from).ok_or(Stop::Need(need))
}

pub(super) async fn find(procore: &Procore, call: Call<'_>, at: At, path: &[String]) -> Result<Value, TargetError> {
    let address = format!("/rest/v1.0/projects/{}/locations/find_or_create_by_path", at.project);
    let body = json!({"location": {"path": path}});
    let request = Request::write(at.company, Method::POST, address, body, Place::Project, Tool::Locations).repeatable();
    let reply = procore.send(call, &request).await?;
    id(&reply.body).map(Value::from).ok_or_else(|| unreadable(Effect::Repeatable))
}
