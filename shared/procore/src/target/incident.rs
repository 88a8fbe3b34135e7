//! An injury or illness as a Procore incident (design 7). Recordable or not is the confirming person's word; disposition,
//! treatment and status are left to people in Procore.
use super::hazards::{self, mapped_id};
use super::location;
use super::remote::{instant, instant_of, member, nested_id, plain_text};
use super::{zone_name, zone_path};
use domain::fact::IncidentFact;
use domain::merge::Fields;
use domain::record::Mender;
use domain::settings::ProjectSettings;
use domain::wording::{Place, incident_description, incident_title};
use platform::known::{Known, Stop};
use serde_json::{Value, json};
use sync::target::{Block, Subject};

pub(super) fn render(
    subject: &Subject,
    fact: &IncidentFact,
    settings: &ProjectSettings,
    known: Known<'_>,
) -> Result<Fields, Stop> {
    let incident = fact.incident.as_ref().ok_or_else(|| Stop::Block(only_retracted()))?;
    let place = Place {
        zone_name: zone_name(subject),
        time_zone: &subject.time_zone,
        marker: &subject.marker,
        link: &subject.link,
    };
    let retracted =
        fact.retraction.as_ref().filter(|_| fact.is_retracted()).map(|retraction| retraction.reason.as_str());
    let mut fields = Fields::from([
        ("title".to_owned(), json!(incident_title(incident, &place))),
        ("description".to_owned(), json!(incident_description(incident, retracted, &place))),
        ("event_date".to_owned(), instant(incident.occurred_at)),
        ("recordable".to_owned(), json!(incident.recordable)),
        ("location_id".to_owned(), location::known(known, &zone_path(subject))?),
    ]);
    if let Some(hazard) = hazards::choose(&incident.incident_type, &settings.mapping, known)? {
        fields.insert("hazard_id".to_owned(), hazard);
    }
    // Procore has no list of incident types: only a mapped one is sent, else the company's General type stands.
    if let Some(mapped) = settings.mapping.incident_types.get(&incident.incident_type) {
        fields.insert("type_id".to_owned(), mapped_id("incident type", &incident.incident_type, mapped)?);
    }
    Ok(fields)
}

fn only_retracted() -> Block {
    Block {
        reason: "This incident was retracted before anything else about it arrived.".into(),
        who: Mender::HardhatPulse,
        what_to_do: "Nothing: if the incident itself arrives, it is taken up by itself.".into(),
    }
}

/// What rendering can name, as Procore shows it.
pub(super) fn fields(record: &Value) -> Fields {
    Fields::from([
        ("title".to_owned(), member(record, "title")),
        ("description".to_owned(), plain_text(record, "description")),
        ("event_date".to_owned(), instant_of(record, "event_date")),
        ("recordable".to_owned(), member(record, "recordable")),
        ("location_id".to_owned(), nested_id(record, "location")),
        ("hazard_id".to_owned(), nested_id(record, "hazard")),
        ("type_id".to_owned(), nested_id(record, "type")),
    ])
}
