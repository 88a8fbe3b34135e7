//! From which template a day's form is made: the one chosen in the settings, by its id; without one, the first for daily reports. People
//! make templates by hand: Autodesk has no call for it. A template of a PDF takes no values and no notes that anybody reads.
use super::At;
use crate::client::Acc;
use crate::errors::AccManners;
use crate::pages::id;
use crate::request::{Effect, Place, Request, Tool};
use domain::record::Mender;
use domain::settings::form_fields::{FormField, Takes, by_label};
use platform::known::Stop;
use platform::unreadable;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::target::{Block, Call, TargetError};

pub(super) const NEED: &str = "form-templates";
const DAILY: &str = "pg.template_type.daily_report";
const PER_PAGE: usize = 50;
const MOST_PAGES: usize = 20;

/// What is kept of a template that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub id: String,
    pub name: String,
    pub daily: bool,
    /// Where its fields stand.
    pub layout: Option<String>,
}

/// The one that is likely meant.
pub(crate) fn suggested(templates: &[Template]) -> Result<&Template, Stop> {
    templates.iter().find(|template| template.daily).ok_or_else(|| Stop::Block(none()))
}

fn none() -> Block {
    Block {
        reason: "This Autodesk project has no form template for daily reports that HardHat Pulse may use.".into(),
        who: Mender::PlatformAdmin,
        what_to_do: "Someone who manages Forms there makes one of the type Daily report and lets HardHat Pulse's service account, or the \
                     person whose access the connection works with, fill it in, or the safety manager switches the daily summary off (Hour and shifts)."
            .into(),
    }
}

/// Those that can be used, in Autodesk's order.
pub(crate) async fn list(acc: &Acc, call: Call<'_>, at: &At) -> Result<Vec<Template>, TargetError> {
    let mut all = Vec::new();
    for page in 0..MOST_PAGES {
        let request = get(at, "v1", "form-templates").with("limit", PER_PAGE).with("offset", page * PER_PAGE);
        let reply = acc.send(call, &request).await?;
        let Some(Value::Array(found)) = reply.body.get("data") else {
            return Err(unreadable::<AccManners>(Effect::Repeatable));
        };
        all.extend(found.iter().filter_map(usable));
        if found.len() < PER_PAGE {
            return Ok(all);
        }
    }
    Err(TargetError::NotDone { why: "Autodesk's list of form templates was too long to be read to its end".into() })
}

pub(super) async fn find(acc: &Acc, call: Call<'_>, at: &At) -> Result<Value, TargetError> {
    Ok(json!(list(acc, call, at).await?))
}

fn usable(template: &Value) -> Option<Template> {
    let text = |name: &str| template.get(name).and_then(Value::as_str);
    let active = text("status").is_none_or(|status| status == "active");
    let pdf = template.get("isPdf").and_then(Value::as_bool) == Some(true);
    (active && !pdf).then_some(())?;
    Some(Template {
        id: id(template)?.to_owned(),
        name: text("name").unwrap_or_default().to_owned(),
        daily: text("templateType") == Some(DAILY),
        layout: text("currentLayoutId").map(str::to_owned),
    })
}

/// Which figures a template has fields for.
pub(crate) async fn fields(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    template: &Template,
) -> Result<BTreeMap<String, FormField>, TargetError> {
    let Some(layout) = &template.layout else { return Ok(BTreeMap::new()) };
    let reply = acc.send(call, &get(at, "v1", &format!("layouts/{layout}"))).await?;
    let sections = reply.body.get("sections").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for section in sections.iter().filter_map(id) {
        let reply = acc.send(call, &get(at, "v2", &format!("layouts/{layout}/sections/{section}"))).await?;
        let items = reply.body.get("sectionItems").and_then(Value::as_array).into_iter().flatten();
        found.extend(items.filter_map(field));
    }
    Ok(by_label(found.iter().map(|(label, field)| (label.as_str(), field.clone()))))
}

fn field(item: &Value) -> Option<(String, FormField)> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let takes = Takes::of(text("valueName")?)?;
    Some((text("label")?.to_owned(), FormField { id: text("uid")?.to_owned(), takes }))
}

fn get(at: &At, version: &str, rest: &str) -> Request {
    let path = format!("/construction/forms/{version}/projects/{}/{rest}", at.project.bare());
    Request::get(at.region, path, Place::Project, Tool::Forms)
}
