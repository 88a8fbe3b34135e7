//! A site's day as a form of its date (design 7): all of it in the notes, and single figures in the fields of a template that has some for
//! them. While it is in progress people may add to it, and an amendment can still come: it is submitted by people, or by us when its
//! amendments are over, where a project's settings say so.
use super::limits::{FORM_NAME, NOTES, with_tail};
use super::{project, templates};
use domain::merge::Fields;
use domain::settings::form_fields::{FormField, Takes};
use domain::summary::count::{Day, incidents_counted};
use domain::wording::{Place, percent, summary_note};
use platform::known::{Known, Stop};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use sync::target::{Project, Subject};
use uuid::Builder;

pub(super) const ID: &str = "id";
pub(super) const TEMPLATE: &str = "formTemplateId";
/// The members that a form is made with, by Autodesk's names.
const MEMBERS: [&str; 5] = [ID, TEMPLATE, "name", "formDate", "notes"];

pub(super) fn render(subject: &Subject, day: &Day, into: &Project, known: Known<'_>) -> Result<Fields, Stop> {
    project::check(known)?;
    let mapping = &into.settings.mapping;
    let template = match &mapping.form_template_id {
        Some(chosen) => chosen.clone(),
        None => templates::suggested(&known.get::<Vec<templates::Template>>(templates::NEED)?)?.id.clone(),
    };
    let place = Place { zone_name: "", time_zone: &subject.time_zone, marker: &subject.marker, link: &subject.link };
    let note = summary_note(day, &place);
    let tail = format!("\n\nHardHat Pulse: {}\n[{}]", subject.link, subject.marker);
    let notes = with_tail(note.strip_suffix(&tail).unwrap_or(&note), &tail, NOTES);
    let name = format!("Safety summary, {}", day.report.date.strftime("%a, %b %-d, %Y"));
    let mut fields = Fields::from([
        (ID.to_owned(), json!(form_id(&into.id, &subject.marker))),
        (TEMPLATE.to_owned(), json!(template)),
        ("name".to_owned(), json!(with_tail(&name, &format!(" [{}]", subject.marker), FORM_NAME))),
        ("formDate".to_owned(), json!(day.report.date)),
        ("notes".to_owned(), json!(notes)),
    ]);
    fields.extend(values(&mapping.form_fields, day, &notes, &subject.link));
    Ok(fields)
}

/// The same for the same day of a site in a project: a form that is made twice is one.
pub(super) fn form_id(project: &str, marker: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, format!("form\n{project}\n{marker}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn values(fields: &BTreeMap<String, FormField>, day: &Day, notes: &str, link: &str) -> Fields {
    let report = &day.report;
    let value = |(figure, field): (&String, &FormField)| {
        let (number, text) = match figure.as_str() {
            "alerts" => (Some(report.alerts as f64), report.alerts.to_string()),
            "zone_breaches" => (Some(report.zone_breaches as f64), report.zone_breaches.to_string()),
            "confirmed_incidents" => {
                (Some(report.confirmed_incidents as f64), incidents_counted(report.confirmed_incidents))
            }
            "recordable_incidents" => {
                (Some(report.recordable_incidents as f64), incidents_counted(report.recordable_incidents))
            }
            "ppe_compliance" => (report.ppe.rate.map(|rate| (rate * 1000.0).round() / 10.0), percent(report.ppe.rate)),
            "summary" => (None, notes.to_owned()),
            "report" => (None, link.to_owned()),
            _ => return None,
        };
        let value = match field.takes {
            Takes::Number => plain(number?),
            Takes::Text => json!(text),
        };
        Some((name_of(field), value))
    };
    fields.iter().filter_map(value).collect()
}

fn name_of(field: &FormField) -> String {
    format!("{}[{}]", field.takes.as_str(), field.id)
}

/// `5` and `5.0` are one number.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

/// A value of a field, by its name among the record's fields: the member, and the field's id.
fn value_of(name: &str) -> Option<(&str, &str)> {
    let (member, rest) = name.split_once('[')?;
    Some((member, rest.strip_suffix(']')?))
}

/// Whether a form is made with this field; values follow.
pub(super) fn made_with(field: &str) -> bool {
    MEMBERS.contains(&field)
}

/// What rendering can name, as Autodesk shows it.
pub(super) fn fields(form: &Value) -> Fields {
    let member = |name: &str| (name.to_owned(), form.get(name).cloned().unwrap_or(Value::Null));
    let values = form.pointer("/nativeForm/customValues").and_then(Value::as_array).into_iter().flatten();
    let values = values.flat_map(|value| {
        let id = value.get("fieldId").and_then(Value::as_str).unwrap_or_default().to_owned();
        [Takes::Number, Takes::Text].into_iter().filter_map(move |takes| {
            let shown = value.get(takes.as_str()).filter(|shown| !shown.is_null())?;
            let shown = shown.as_f64().map_or_else(|| shown.clone(), plain);
            Some((name_of(&FormField { id: id.clone(), takes }), shown))
        })
    });
    MEMBERS.into_iter().map(member).chain(values).collect()
}

/// The members of a form among what is sent; which form it is, and what it was made from, stands.
pub(super) fn members(send: &Fields) -> Map<String, Value> {
    let changes = send.iter().filter(|(name, _)| made_with(name) && *name != ID && *name != TEMPLATE);
    changes.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The values among it, as requests take them.
pub(super) fn custom_values(send: &Fields) -> Vec<Value> {
    let value = |(name, value): (&String, &Value)| {
        let (member, id) = value_of(name)?;
        Some(json!({"fieldId": id, member: value}))
    };
    send.iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_form_has_one_id_in_each_project() {
        let id = form_id("p-1", "HHP-1");
        assert_eq!((id.len(), id.as_str()), (36, form_id("p-1", "HHP-1").as_str()));
        assert!(id != form_id("p-2", "HHP-1") && id != form_id("p-1", "HHP-2"));
        assert_eq!(id.as_bytes()[14], b'8', "a UUID of our own making (RFC 9562, version 8)");
    }

    #[test]
    fn values_go_in_and_come_back_by_field() {
        let sent = Fields::from([
            ("notes".to_owned(), json!("n")),
            ("id".to_owned(), json!("1")),
            ("numberVal[f-1]".to_owned(), json!(5)),
            ("textVal[f-2]".to_owned(), json!("x")),
        ]);
        assert_eq!(Value::Object(members(&sent)), json!({"notes": "n"}));
        let values = custom_values(&sent);
        assert_eq!(values, [json!({"fieldId": "f-1", "numberVal": 5}), json!({"fieldId": "f-2", "textVal": "x"})]);
        let shown = fields(&json!({"notes": "n", "nativeForm": {"customValues": [
            {"fieldId": "f-1", "numberVal": 5.0, "textVal": null}, {"fieldId": "f-2", "textVal": "x"},
            {"fieldId": "f-3", "toggleVal": "Yes"}]}}));
        assert_eq!((&shown["numberVal[f-1]"], &shown["textVal[f-2]"]), (&json!(5), &json!("x")));
        assert_eq!(shown.keys().filter(|name| name.contains("f-3")).count(), 0);
    }
}
