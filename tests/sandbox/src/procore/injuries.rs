//! Injuries and near misses: records under an incident, mostly written by people.

use serde_json::{Value, json};

use super::access::{self, Editor};
use super::call::{Call, Fields, Outcome};
use super::hooks::EventKind;
use super::paging::{among, indexed, mentions, page_by, within};
use super::reply::{Refusal, Reply};
use super::state::{Alert, Injury, World};
use super::views;

pub(crate) fn of_incident(world: &World, incident_id: i64) -> impl Iterator<Item = &Injury> {
    world.injuries.values().filter(move |record| record.incident_id == incident_id && record.deleted_at.is_none())
}

pub(crate) fn list(world: &World, call: &Call, kind: &str) -> Outcome {
    let shows = |record: &&Injury| {
        let id = |member: &str| record.fields.get(member).and_then(Value::as_i64);
        let ids = |name: &str, member: &str| among(call.query_ids(name).as_deref(), id(member));
        let incident = world.incidents.get(&record.incident_id);
        let filing_type = record.fields.get("filing_type").and_then(Value::as_str);
        record.kind == kind
            && record.project_id == call.project_id()
            && record.deleted_at.is_none()
            && incident.is_some_and(|incident| incident.deleted_at.is_none())
            && indexed(record.created_at, call.now, world.settings.list_lag_seconds)
            && call.query_id("incident_id").is_none_or(|id| id == record.incident_id)
            && within(call.query_range("filters[created_at]"), Some(record.created_at))
            && call
                .query_flag("filters[recordable]")
                .is_none_or(|wanted| record.fields.get("recordable") == Some(&json!(wanted)))
            && call
                .query_texts("filters[filing_type]")
                .is_none_or(|wanted| filing_type.is_some_and(|is| wanted.contains(&is)))
            && ids("filters[affected_party_id]", "affected_party_id")
            && call
                .query_id("filters[affliction_type_id]")
                .is_none_or(|wanted| id("affliction_type_id") == Some(wanted))
            && mentions(
                call.query_text("filters[query]"),
                &[record.fields.get("description").and_then(Value::as_str), incident.and_then(|i| i.title.as_deref())],
            )
    };
    Ok(page_by(call, world.injuries.values().filter(shows).collect(), 100, |record| view(world, record)))
}

pub(crate) fn create(world: &mut World, call: &Call, kind: &str) -> Outcome {
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let fields = call.fields(kind);
    let incident = fields.id("incident_id").and_then(|id| world.incidents.get(&id));
    let incident =
        incident.filter(|incident| incident.project_id == call.project_id() && incident.deleted_at.is_none());
    let incident = incident.ok_or_else(|| Refusal::field("incident", "must exist"))?;
    editor.may_edit(incident.created_by)?;
    let incident_id = incident.id;
    check(world, &editor, &fields, None)?;
    let id = make(world, &editor, call.project_id(), incident_id, kind, fields)?;
    Ok(Reply::created(view(world, &world.injuries[&id])))
}

pub(crate) fn show(world: &World, call: &Call) -> Outcome {
    Ok(Reply::ok(view(world, find(world, call)?)))
}

pub(crate) fn update(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let found = find(world, call)?;
    let id = found.id;
    editor.may_edit(found.created_by)?;
    edit(world, &editor, id, call.fields("injury"))?;
    Ok(Reply::ok(view(world, &world.injuries[&id])))
}

fn find<'a>(world: &'a World, call: &Call) -> Result<&'a Injury, Refusal> {
    let found = world.injuries.get(&call.path_id("id")).filter(|record| {
        record.kind == "injury"
            && record.project_id == call.project_id()
            && record.deleted_at.is_none()
            && call.query_id("incident_id").is_none_or(|id| id == record.incident_id)
    });
    found.ok_or_else(Refusal::not_found)
}

/// The rules that hold for a new injury, and for one that has fields already.
pub(crate) fn check(world: &World, editor: &Editor, fields: &Fields<'_>, have: Option<&Injury>) -> Result<(), Refusal> {
    let company = editor.company_id;
    let affliction = access::entry(world, company, "affliction_types", "affliction_type_id", fields)?;
    access::entry(world, company, "harm_sources", "harm_source_id", fields)?;
    access::entry(world, company, "work_activities", "work_activity_id", fields)?;
    access::person(world, company, "affected_party_id", fields)?;
    if let Some(id) = access::person(world, company, "affected_person_id", fields)?
        && world.people.get(&id).is_some_and(|person| person.login.is_none())
    {
        return Err(Refusal::field("affected_person", "must be a full directory user"));
    }
    let parts = fields.get("body_part_ids").and_then(Value::as_array).is_some_and(|parts| !parts.is_empty());
    let had_affliction = have.is_some_and(|injury| injury.fields.contains_key("affliction_type_id"));
    if parts && affliction.is_none() && !had_affliction {
        return Err(Refusal::field("affliction_type", "is required when body parts are given"));
    }
    Ok(())
}

pub(crate) fn make(
    world: &mut World,
    editor: &Editor,
    project_id: i64,
    incident_id: i64,
    kind: &str,
    fields: Fields<'_>,
) -> Result<i64, Refusal> {
    let number = i64::try_from(world.injuries.values().filter(|record| record.incident_id == incident_id).count());
    let mut record = Injury {
        id: world.id(),
        project_id,
        incident_id,
        kind: kind.to_owned(),
        number: number.unwrap_or_default() + 1,
        fields: Default::default(),
        created_by: editor.user_id,
        created_at: editor.now,
        updated_at: editor.now,
        deleted_at: None,
    };
    write(&mut record, fields);
    page_executives(world, editor, &record, fields);
    let id = record.id;
    world.injuries.insert(id, record);
    touch_incident(world, editor, incident_id);
    Ok(id)
}

pub(crate) fn edit(world: &mut World, editor: &Editor, id: i64, fields: Fields<'_>) -> Result<(), Refusal> {
    let mut record = world.injuries.get(&id).cloned().ok_or_else(Refusal::not_found)?;
    check(world, editor, &fields, Some(&record))?;
    write(&mut record, fields);
    record.updated_at = editor.now;
    page_executives(world, editor, &record, fields);
    let incident_id = record.incident_id;
    world.injuries.insert(id, record);
    touch_incident(world, editor, incident_id);
    Ok(())
}

fn write(record: &mut Injury, fields: Fields<'_>) {
    fields.copy(&mut record.fields);
    record.fields.remove("incident_id");
}

/// A filing type that maps to a triggering severity mails and pushes to people.
fn page_executives(world: &mut World, editor: &Editor, record: &Injury, fields: Fields<'_>) {
    if let Some(filing_type) = fields.text("filing_type") {
        let (at, project_id, injury_id) = (editor.now, record.project_id, record.id);
        world.alerts.push(Alert { at, project_id, injury_id, filing_type });
    }
}

/// Whether an injury moves its incident is not documented; by default it does not.
fn touch_incident(world: &mut World, editor: &Editor, incident_id: i64) {
    if !world.settings.injury_bumps_incident {
        return;
    }
    if let Some(incident) = world.incidents.get_mut(&incident_id) {
        incident.updated_at = editor.now;
        let project_id = incident.project_id;
        world.raise(editor, project_id, "Incidents", incident_id, EventKind::Update);
    }
}

pub(crate) fn list_recycled(world: &World, call: &Call) -> Outcome {
    let shows = |record: &&Injury| {
        record.kind == "injury"
            && record.project_id == call.project_id()
            && record.deleted_at.is_some_and(|at| indexed(at, call.now, world.settings.bin_lag_seconds))
            && call.query_id("incident_id").is_none_or(|id| id == record.incident_id)
    };
    Ok(page_by(call, world.injuries.values().filter(shows).collect(), 100, |record| view(world, record)))
}

pub(crate) fn restore(world: &mut World, call: &Call) -> Outcome {
    let id = call.path_id("id");
    let record =
        world.injuries.get(&id).filter(|record| record.project_id == call.project_id() && record.deleted_at.is_some());
    let created_by = record.ok_or_else(Refusal::not_found)?.created_by;
    let editor = Editor::of(world, call);
    editor.may_edit(created_by)?;
    set_deleted(world, &editor, id, false)?;
    Ok(Reply::ok(view(world, &world.injuries[&id])))
}

pub(crate) fn set_deleted(world: &mut World, editor: &Editor, id: i64, deleted: bool) -> Result<(), Refusal> {
    let record = world.injuries.get_mut(&id).ok_or_else(Refusal::not_found)?;
    record.deleted_at = deleted.then_some(editor.now);
    record.updated_at = editor.now;
    Ok(())
}

pub(crate) fn view(world: &World, record: &Injury) -> Value {
    let get = |member: &str| record.fields.get(member).cloned().unwrap_or(Value::Null);
    let id = |member: &str| record.fields.get(member).and_then(Value::as_i64);
    let incident = world.incidents.get(&record.incident_id);
    let party = id("affected_party_id").and_then(|id| world.people.get(&id));
    let parts: Vec<Value> = record
        .fields
        .get("body_part_ids")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|part| views::maybe_entry(world, part.as_i64()))
        .filter(|part| !part.is_null())
        .collect();
    let custom = record.fields.iter().filter(|(name, _)| name.starts_with("custom_field_"));
    let custom: serde_json::Map<String, Value> =
        custom.map(|(name, value)| (name.clone(), json!({"data_type": "string", "value": value}))).collect();
    let number = incident.map_or(0, |incident| incident.number);
    let mut view = json!({
        "id": record.id, "incident_id": record.incident_id, "type": record.kind, "number": record.number,
        "full_number": format!("{number}-{}", record.number),
        "incident_title": incident.and_then(|incident| incident.title.clone()),
        "incident_private": incident.is_some_and(|incident| incident.private),
        "summary": null, "description_plain_text": plain_text(record),
        "affliction_type": views::maybe_entry(world, id("affliction_type_id")),
        "body_parts": parts, "affected_body_parts": [], "affected_body_part": null, "afflictions": [],
        "affected_party": party.map(|person| json!({"id": person.id, "name": person.name})),
        "affected_person": views::maybe_user(world, id("affected_person_id")), "affected_company": null,
        "harm_source": views::maybe_entry(world, id("harm_source_id")),
        "work_activity": views::maybe_entry(world, id("work_activity_id")), "managed_equipment": null,
        "incident_created_by": incident.map_or(Value::Null, |incident| views::user(world, incident.created_by)),
        "custom_fields": custom, "created_at": views::time(record.created_at),
        "updated_at": views::time(record.updated_at), "deleted_at": views::maybe_time(record.deleted_at),
    });
    for member in [
        "description",
        "filing_type",
        "recordable",
        "hospitalized_overnight",
        "treated_in_er",
        "treatment_facility",
        "treatment_facility_address",
        "treatment_provider",
        "work_days_absent",
        "work_days_restricted",
        "work_days_transferred",
        "date_of_death",
        "date_returned_to_work",
        "body_diagram_type",
    ] {
        view[member] = get(member);
    }
    view
}

/// The description without its markup.
fn plain_text(record: &Injury) -> Option<String> {
    let text = record.fields.get("description")?.as_str()?;
    let mut plain = String::new();
    let mut inside = false;
    for character in text.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => plain.push(character),
            _ => {}
        }
    }
    Some(plain)
}
