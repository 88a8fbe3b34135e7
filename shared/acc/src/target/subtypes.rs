//! Which subtype (a "type" in Autodesk's pages) an issue has: the one chosen in the settings, by its id; without one, the first whose
//! title or whose type's title says Safety. Titles are each project's own, in its language: only a chosen one is sure.
use super::At;
use crate::client::Acc;
use crate::pages::id;
use crate::request::{Place, Request, Tool};
use domain::record::Mender;
use domain::settings::Mapping;
use platform::known::{Known, Stop};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync::target::{Block, Call, TargetError};

pub(super) const NEED: &str = "subtypes";
const PER_PAGE: usize = 200;

/// What is kept of a subtype that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtype {
    pub id: String,
    pub title: String,
    pub type_id: String,
    pub type_title: String,
}

pub(super) fn choose(mapping: &Mapping, known: Known<'_>) -> Result<Subtype, Stop> {
    let subtypes: Vec<Subtype> = known.get(NEED)?;
    match &mapping.issue_subtype_id {
        Some(mapped) => {
            let chosen = subtypes.into_iter().find(|each| each.id.eq_ignore_ascii_case(mapped));
            chosen.ok_or_else(|| Stop::Block(not_active(mapped)))
        }
        None => suggested(&subtypes).cloned().ok_or_else(|| Stop::Block(none_fits())),
    }
}

/// The one that is likely meant.
pub(crate) fn suggested(subtypes: &[Subtype]) -> Option<&Subtype> {
    let says_safety = |title: &str| title.to_lowercase().contains("safety");
    let by_title = subtypes.iter().find(|each| says_safety(&each.title));
    by_title.or_else(|| subtypes.iter().find(|each| says_safety(&each.type_title)))
}

fn not_active(id: &str) -> Block {
    Block {
        reason: format!("The issue type {id} that was chosen for HardHat Pulse is not active in this Autodesk project any more."),
        who: Mender::SafetyManager,
        what_to_do: "Choose another issue type in the project's settings, or have this one activated in Autodesk (Issues, Settings, \
                     Categories and types)."
            .into(),
    }
}

fn none_fits() -> Block {
    Block {
        reason: "No active issue type of this Autodesk project says Safety in its title.".into(),
        who: Mender::SafetyManager,
        what_to_do: "Choose the issue type in the project's settings, or have a Safety type made in Autodesk (Issues, Settings, \
                     Categories and types)."
            .into(),
    }
}

/// The subtypes that new issues can have, in Autodesk's order.
pub(crate) async fn list(acc: &Acc, call: Call<'_>, at: &At) -> Result<Vec<Subtype>, TargetError> {
    let request = Request::get(at.region, at.issues("issue-types"), Place::Project, Tool::Issues)
        .with("include", "subtypes")
        .with("filter[isActive]", true);
    let types = acc.list(call, &request, PER_PAGE).await?;
    Ok(types.iter().filter(usable).flat_map(of_type).collect())
}

pub(super) async fn find(acc: &Acc, call: Call<'_>, at: &At) -> Result<Value, TargetError> {
    Ok(json!(list(acc, call, at).await?))
}

fn usable(each: &&Value) -> bool {
    let deleted = each.get("deletedAt").is_some_and(|at| !at.is_null());
    each.get("isActive").and_then(Value::as_bool) != Some(false) && !deleted
}

fn of_type(kind: &Value) -> Vec<Subtype> {
    let title = |of: &Value| of.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let subtypes = kind.get("subtypes").and_then(Value::as_array).into_iter().flatten();
    let kept = |subtype: &Value| {
        Some(Subtype {
            id: id(subtype)?.to_owned(),
            title: title(subtype),
            type_id: id(kind)?.to_owned(),
            type_title: title(kind),
        })
    };
    subtypes.filter(usable).filter_map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Vec<Value> {
        vec![
            json!({"id": "q", "title": "Quality", "isActive": true, "subtypes": [
                {"id": "q1", "issueTypeId": "q", "title": "Defect", "isActive": true},
                {"id": "q2", "issueTypeId": "q", "title": "Site SAFETY walk", "isActive": false}]}),
            json!({"id": "s", "title": "safety", "isActive": true, "deletedAt": null, "subtypes": [
                {"id": "s1", "issueTypeId": "s", "title": "Hazard", "isActive": true},
                {"id": "s2", "issueTypeId": "s", "title": "Near miss", "deletedAt": "2026-01-01T00:00:00Z"}]}),
            json!({"id": "d", "title": "Safety (old)", "isActive": false, "subtypes": [
                {"id": "d1", "issueTypeId": "d", "title": "Safety", "isActive": true}]}),
        ]
    }

    fn ids(types: &[Value]) -> Vec<String> {
        types.iter().filter(usable).flat_map(of_type).map(|each| each.id).collect()
    }

    #[test]
    fn only_what_is_active_and_not_deleted_can_be_used() {
        assert_eq!(ids(&types()), ["q1", "s1"]);
        // Without `include=subtypes` there are none.
        assert!(ids(&[json!({"id": "s", "title": "Safety"})]).is_empty());
    }

    #[test]
    fn a_title_that_says_safety_is_suggested_before_a_type_that_does() {
        let usable: Vec<Subtype> = types().iter().filter(usable).flat_map(of_type).collect();
        assert_eq!(suggested(&usable).map(|each| each.id.as_str()), Some("s1"));
        let mut named = usable.clone();
        named.push(Subtype { id: "x".into(), title: "Safety Hazard".into(), ..named[0].clone() });
        assert_eq!(suggested(&named).map(|each| each.id.as_str()), Some("x"));
        assert_eq!(suggested(&usable[..1]), None);
    }
}
