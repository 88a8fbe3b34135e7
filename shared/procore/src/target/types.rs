//! Which observation type a detection kind becomes: the one mapped, else one of Procore's own safety types. They are told by
//! category key, since names are translated and companies rename them.
use super::At;
use super::hazards::mapped_id;
use super::names::same_name;
use crate::client::Procore;
use crate::request::{Place, Request, Tool};
use domain::record::Mender;
use domain::settings::Mapping;
use domain::wording::words;
use platform::known::{Known, Stop};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync::target::{Block, Call, TargetError};

pub(super) const NEED: &str = "observation_types";

/// What is kept of a type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Type {
    id: i64,
    safety: bool,
    /// In the company's language, and in English where that is told.
    names: Vec<String>,
}

/// Procore's own names of safety types, in the order in which they fit a detection kind.
pub(crate) fn fitting(kind: &str) -> [&'static str; 4] {
    const VIOLATION: &str = "Safety Violation";
    const HAZARD: &str = "Safety Hazard";
    const NOTICE: &str = "Safety Notice";
    const NEAR_MISS: &str = "Near-Miss";
    match kind {
        "zone_breach" | "ppe_non_compliance" | "unsafe_act" => [VIOLATION, HAZARD, NOTICE, NEAR_MISS],
        "proximity" => [NEAR_MISS, HAZARD, NOTICE, VIOLATION],
        _ => [HAZARD, NOTICE, NEAR_MISS, VIOLATION],
    }
}

pub(super) fn choose(kind: &str, mapping: &Mapping, known: Known<'_>) -> Result<Value, Stop> {
    let types: Vec<Type> = known.list(NEED)?;
    if let Some(mapped) = mapping.observation_types.get(kind) {
        let id = mapped_id("observation type", kind, mapped)?;
        return match types.iter().any(|each| Some(each.id) == id.as_i64()) {
            true => Ok(id),
            false => Err(Stop::Block(mapped_away(kind, mapped))),
        };
    }
    let mut safety: Vec<&Type> = types.iter().filter(|each| each.safety).collect();
    safety.sort_by_key(|each| each.id);
    let called = |name: &str| safety.iter().find(|each| each.names.iter().any(|known| same_name(known, name)));
    let names = fitting(kind);
    let chosen = names.iter().find_map(|name| called(name)).or(safety.first());
    chosen.map(|each| Value::from(each.id)).ok_or_else(|| Stop::Block(none_active(kind)))
}

fn mapped_away(kind: &str, id: &str) -> Block {
    Block {
        reason: format!(
            "{} is mapped to the observation type {id}, which is not active in this Procore project.",
            words(kind)
        ),
        who: Mender::SafetyManager,
        what_to_do:
            "Choose another observation type in the project's settings, or have the type made active in Procore.".into(),
    }
}

fn none_active(kind: &str) -> Block {
    Block {
        reason: format!(
            "No observation type of the category Safety is active in this Procore project; {} needs one.",
            words(kind)
        ),
        who: Mender::SafetyManager,
        what_to_do:
            "Make a Safety type active in the project's Observations settings in Procore, or map the detection kind to \
                     another active type in HardHat Pulse."
                .into(),
    }
}

pub(super) async fn find(procore: &Procore, call: Call<'_>, at: At) -> Result<Value, TargetError> {
    let path = format!("/rest/v1.0/projects/{}/observation_types", at.project);
    let request = Request::get(at.company, path, Place::Project, Tool::Observations).with("filters[active]", true);
    let types = procore.list(call, &request).await?;
    Ok(json!(types.iter().filter_map(kept).collect::<Vec<_>>()))
}

fn kept(each: &Value) -> Option<Type> {
    let is = |name: &str, value: bool| each.get(name).and_then(Value::as_bool) == Some(value);
    if is("active", false) || is("company_active", false) || is("parent_inactive", true) {
        return None;
    }
    let text = |name: &str| each.get(name).and_then(Value::as_str);
    let english = each.get("name_translations").and_then(|names| names.get("en")).and_then(Value::as_str);
    let names = [text("name"), text("localized_name"), english].into_iter().flatten().map(str::to_owned);
    let safety = match text("category_key") {
        Some(key) => key.eq_ignore_ascii_case("safety"),
        None => text("category").is_some_and(|category| category.eq_ignore_ascii_case("safety")),
    };
    Some(Type { id: crate::pages::id(each)?, safety, names: names.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use sync::target::{Catalog, Found};

    fn catalog(types: &[Value]) -> Catalog {
        let value = json!(types.iter().filter_map(kept).collect::<Vec<_>>());
        Catalog { found: [(NEED.to_owned(), Found { value, at: Timestamp::UNIX_EPOCH })].into() }
    }

    fn chosen(kind: &str, mapping: &Mapping, types: &[Value]) -> Result<Value, Stop> {
        choose(kind, mapping, Known { catalog: &catalog(types), now: Timestamp::UNIX_EPOCH })
    }

    fn safety(id: i64, name: &str) -> Value {
        json!({"id": id, "name": name, "category": "Seguridad", "category_key": "safety", "active": true})
    }

    fn usual() -> Vec<Value> {
        let mut types = vec![
            safety(8, "Near-Miss"),
            safety(7, "Safety Hazard"),
            safety(6, "Safety notice"),
            safety(5, "SAFETY VIOLATION"),
        ];
        types.push(json!({"id": 1, "name": "Safety Violation", "category": "Quality", "category_key": "quality"}));
        types
    }

    #[test]
    fn each_kind_has_its_default_among_the_safety_types() {
        for (kind, id) in [
            ("zone_breach", 5),
            ("ppe_non_compliance", 5),
            ("unsafe_act", 5),
            ("fall", 7),
            ("man_down", 7),
            ("proximity", 8),
            ("gas_leak", 7),
        ] {
            assert_eq!(chosen(kind, &Mapping::default(), &usual()), Ok(json!(id)), "{kind}");
        }
    }

    #[test]
    fn what_is_renamed_or_switched_off_is_replaced_by_the_next_that_fits() {
        let off = |mut each: Value, member: &str, value: bool| {
            each[member] = json!(value);
            each
        };
        let types = [
            off(safety(1, "Safety Violation"), "active", false),
            safety(3, "Safety Notice"),
            safety(4, "Safety Hazard"),
        ];
        assert_eq!(chosen("zone_breach", &Mapping::default(), &types), Ok(json!(4)));
        let types =
            [off(safety(1, "Safety Violation"), "parent_inactive", true), safety(4, "Peligro"), safety(3, "Aviso")];
        assert_eq!(chosen("zone_breach", &Mapping::default(), &types), Ok(json!(3)));
        let translated = [safety(1, "A"), off(safety(2, "Infracción"), "active", true)];
        let mut named = translated.to_vec();
        named[1]["name_translations"] = json!({"en": "Safety Violation"});
        assert_eq!(chosen("zone_breach", &Mapping::default(), &named), Ok(json!(2)));
        named[1]["name_translations"] = json!("Safety Violation");
        assert_eq!(chosen("zone_breach", &Mapping::default(), &named), Ok(json!(1)));
    }

    #[test]
    fn a_mapping_wins_and_is_checked() {
        let mapping = |id: &str| Mapping {
            observation_types: [("zone_breach".to_owned(), id.to_owned())].into(),
            ..Mapping::default()
        };
        assert_eq!(chosen("zone_breach", &mapping("1"), &usual()), Ok(json!(1)));
        for id in ["99", "x"] {
            let Err(Stop::Block(block)) = chosen("zone_breach", &mapping(id), &usual()) else { panic!("{id} passed") };
            assert_eq!(block.who, Mender::SafetyManager);
            assert!(block.reason.contains(id), "{block:?}");
        }
    }

    #[test]
    fn without_a_safety_type_a_person_must_act_and_without_a_list_it_is_looked_up() {
        assert!(matches!(chosen("fall", &Mapping::default(), &usual()[4..]), Err(Stop::Block(_))));
        let none = Catalog::default();
        let known = Known { catalog: &none, now: Timestamp::UNIX_EPOCH };
        assert_eq!(choose("fall", &Mapping::default(), known), Err(Stop::Need(NEED.into())));
    }
}
