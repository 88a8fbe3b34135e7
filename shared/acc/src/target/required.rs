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
use std::collections::{BTreeMap, BTreeSet};
use sync::target::{Block, Call, TargetError};

use super::subtypes::Subtype;

const PREFIX: &str = "required:";
const PER_PAGE: usize = 200;
/// Items that one query names, so that its address stays short.
const AT_ONCE: usize = 50;

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub id: String,
    pub title: String,
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
    let mut found: Vec<Attribute> = by_item(acc, call, at, items).await?.into_values().flatten().collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup();
    Ok(json!(found))
}

/// What each subtype demands, with what its type does.
pub(crate) async fn of_each(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    subtypes: &[Subtype],
) -> Result<BTreeMap<String, Vec<Attribute>>, TargetError> {
    let items: BTreeSet<String> =
        subtypes.iter().flat_map(|subtype| [subtype.id.clone(), subtype.type_id.clone()]).collect();
    let mut found = BTreeMap::new();
    for some in items.into_iter().collect::<Vec<_>>().chunks(AT_ONCE) {
        found.extend(by_item(acc, call, at, some).await?);
    }
    let of = |subtype: &Subtype| {
        let mut both: Vec<Attribute> =
            [&subtype.id, &subtype.type_id].into_iter().filter_map(|item| found.get(item)).flatten().cloned().collect();
        both.sort_by(|a, b| (&a.title, &a.id).cmp(&(&b.title, &b.id)));
        both.dedup();
        both
    };
    Ok(subtypes.iter().map(|subtype| (subtype.id.clone(), of(subtype))).filter(|(_, each)| !each.is_empty()).collect())
}

/// The fields that some items demand, by the item.
async fn by_item(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    items: &[String],
) -> Result<BTreeMap<String, Vec<Attribute>>, TargetError> {
    if items.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list = |name: &str| Request::get(at.region, at.issues(name), Place::Project, Tool::Issues);
    let mappings = list("issue-attribute-mappings").with("filter[mappedItemId]", items.join(","));
    let mappings = acc.list(call, &mappings, PER_PAGE).await?;
    let required = |mapping: &&Value| mapping.get("isRequired").and_then(Value::as_bool) == Some(true);
    let text = |mapping: &Value, name: &str| Some(mapping.get(name)?.as_str()?.to_owned());
    let pair = |mapping: &Value| text(mapping, "mappedItemId").zip(text(mapping, "attributeDefinitionId"));
    let wanted: Vec<(String, String)> = mappings.iter().filter(required).filter_map(pair).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let definitions = acc.list(call, &list("issue-attribute-definitions"), PER_PAGE).await?;
    let title = |wanted: &str| {
        let named = definitions.iter().find(|each| id(each) == Some(wanted));
        named.and_then(|each| each.get("title")?.as_str()).unwrap_or("without a name").to_owned()
    };
    let mut found: BTreeMap<String, Vec<Attribute>> = BTreeMap::new();
    for (item, id) in wanted {
        found.entry(item).or_default().push(Attribute { title: title(&id), id });
    }
    Ok(found)
}
