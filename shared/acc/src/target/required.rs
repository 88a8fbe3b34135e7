//! Custom fields that Autodesk demands of a new issue: of its subtype, and of the type above it, whose fields the first query does not
//! show. Their values stand in the settings; what has none there stops the record with the field's name.
use super::At;
use crate::client::Acc;
use crate::pages::id;
use crate::request::{Place, Request, Tool};
use domain::merge::Fields;
use domain::record::Mender;
use domain::settings::Mapping;
use platform::known::{Known, Stop};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync::target::{Block, Call, TargetError};

use super::subtypes::Subtype;

const PREFIX: &str = "required:";
const PER_PAGE: usize = 200;

#[derive(Debug, Serialize, Deserialize)]
struct Attribute {
    id: String,
    title: String,
}

/// `required:["<subtype>","<type>"]`
fn need(subtype: &Subtype) -> String {
    format!("{PREFIX}{}", json!([subtype.id, subtype.type_id]))
}

pub(super) fn items(need: &str) -> Option<Vec<String>> {
    serde_json::from_str(need.strip_prefix(PREFIX)?).ok()
}

/// The name of a custom field among a record's fields.
pub(super) fn field(attribute: &str) -> String {
    format!("customAttributes[{attribute}]")
}

/// The id in such a name.
pub(super) fn attribute(field: &str) -> Option<&str> {
    field.strip_prefix("customAttributes[")?.strip_suffix(']')
}

pub(super) fn fill(subtype: &Subtype, mapping: &Mapping, known: Known<'_>) -> Result<Fields, Stop> {
    let required: Vec<Attribute> = known.get(&need(subtype))?;
    let filled = required.into_iter().map(|each| match mapping.custom_attributes.get(&each.id) {
        Some(value) => Ok((field(&each.id), json!(value))),
        None => Err(Stop::Block(not_filled(&each, subtype))),
    });
    filled.collect()
}

fn not_filled(attribute: &Attribute, subtype: &Subtype) -> Block {
    Block {
        reason: format!(
            "Autodesk demands the custom field {:?} ({}) of each issue of the type {:?}, and HardHat Pulse has no value for it.",
            attribute.title, attribute.id, subtype.title
        ),
        who: Mender::SafetyManager,
        what_to_do: "Enter a value for it in the project's settings, choose another issue type there, or have the field made optional \
                     in Autodesk."
            .into(),
    }
}

pub(super) async fn find(acc: &Acc, call: Call<'_>, at: &At, items: &[String]) -> Result<Value, TargetError> {
    let list = |name: &str| Request::get(at.region, at.issues(name), Place::Project, Tool::Issues);
    let mappings = list("issue-attribute-mappings").with("filter[mappedItemId]", items.join(","));
    let mappings = acc.list(call, &mappings, PER_PAGE).await?;
    let required = |mapping: &&Value| mapping.get("isRequired").and_then(Value::as_bool) == Some(true);
    let attribute = |mapping: &Value| Some(mapping.get("attributeDefinitionId")?.as_str()?.to_owned());
    let mut wanted: Vec<String> = mappings.iter().filter(required).filter_map(attribute).collect();
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(json!([]));
    }
    let definitions = acc.list(call, &list("issue-attribute-definitions"), PER_PAGE).await?;
    let title = |wanted: &String| {
        let named = definitions.iter().find(|each| id(each) == Some(wanted.as_str()));
        named.and_then(|each| each.get("title")?.as_str()).unwrap_or("without a name").to_owned()
    };
    let found = wanted.into_iter().map(|id| Attribute { title: title(&id), id });
    Ok(json!(found.collect::<Vec<_>>()))
}
