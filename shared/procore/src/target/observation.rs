//! A detection as a Procore observation of the category Safety (design 7).
use super::location;
use super::remote::{member, nested_id, plain_text};
use super::types;
use super::{zone_name, zone_path};
use domain::event::Detection;
use domain::merge::Fields;
use domain::settings::{Kinds, ProjectSettings};
use domain::wording::{Place, observation_description, observation_name, trial_description, trial_name};
use jiff::Timestamp;
use platform::known::{Known, Stop};
use serde_json::{Value, json};
use sync::target::{Remote, Subject};

pub(super) fn render(
    subject: &Subject,
    detection: &Detection,
    settings: &ProjectSettings,
    known: Known<'_>,
) -> Result<Fields, Stop> {
    let place = Place {
        zone_name: zone_name(subject),
        time_zone: &subject.time_zone,
        marker: &subject.marker,
        link: &subject.link,
    };
    Ok(Fields::from([
        ("name".to_owned(), json!(observation_name(detection, &place))),
        ("description".to_owned(), json!(observation_description(detection, &place))),
        ("type_id".to_owned(), types::choose(&detection.kind, &settings.mapping, known)?),
        ("priority".to_owned(), json!(priority(detection.priority))),
        ("location_id".to_owned(), location::known(known, &zone_path(subject))?),
        ("personal".to_owned(), json!(false)),
    ]))
}

/// A test of the connection: marked in its name, of the type that the project's first kind has, nowhere in particular.
pub(super) fn trial(
    subject: &Subject,
    asked_at: Timestamp,
    settings: &ProjectSettings,
    known: Known<'_>,
) -> Result<Fields, Stop> {
    let kind = match &settings.observations.kinds {
        Kinds::Only(kinds) => kinds.first().map(String::as_str),
        Kinds::All(_) => None,
    };
    let place = Place { zone_name: "", time_zone: &subject.time_zone, marker: &subject.marker, link: &subject.link };
    Ok(Fields::from([
        ("name".to_owned(), json!(trial_name(&place))),
        ("description".to_owned(), json!(trial_description(asked_at, &place))),
        ("type_id".to_owned(), types::choose(kind.unwrap_or("zone_breach"), &settings.mapping, known)?),
        ("priority".to_owned(), json!(priority(1))),
        ("personal".to_owned(), json!(false)),
    ]))
}

/// 1 (least) to 5 (worst) in Procore's four words.
fn priority(priority: u8) -> &'static str {
    match priority {
        0..=2 => "Low",
        3 => "Medium",
        4 => "High",
        _ => "Urgent",
    }
}

/// What rendering can name, as Procore shows it.
pub(super) fn fields(record: &Value) -> Fields {
    Fields::from([
        ("name".to_owned(), member(record, "name")),
        ("description".to_owned(), plain_text(record, "description")),
        ("type_id".to_owned(), nested_id(record, "type")),
        ("priority".to_owned(), member(record, "priority")),
        ("location_id".to_owned(), nested_id(record, "location")),
        ("personal".to_owned(), member(record, "personal")),
    ])
}

/// Procore demands name and type on every update, and an older schema makes what leaves `personal` out private: what we don't
/// change goes back as it stands there.
pub(super) fn demanded(remote: &Remote, send: &Fields) -> Fields {
    let standing = ["name", "type_id", "personal"].into_iter().filter_map(|name| {
        let value = remote.fields.get(name).filter(|value| !value.is_null())?;
        Some((name.to_owned(), value.clone()))
    });
    let mut fields: Fields = standing.collect();
    fields.extend(send.clone());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_priorities_become_four_words() {
        assert_eq!([1, 2, 3, 4, 5].map(priority), ["Low", "Low", "Medium", "High", "Urgent"]);
    }
}
