//! Incidents and their recycle bin.

use serde_json::{Value, json};

use super::access::{self, Editor};
use super::call::{Call, Fields, Outcome};
use super::hooks::EventKind;
use super::injuries;
use super::paging::{among, indexed, mentions, page_by, within};
use super::reply::{Refusal, Reply};
use super::state::{Action, Incident, World};
use super::views;

const RESOURCE: &str = "Incidents";

pub(crate) fn list(world: &World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let mut found: Vec<&Incident> =
        world.incidents.values().filter(|incident| shows(world, call, &editor, incident)).collect();
    match call.query_text("sort") {
        Some("title") => found.sort_by(|a, b| a.title.cmp(&b.title)),
        Some("event_date") => found.sort_by_key(|incident| incident.event_date),
        Some("recordable") => found.sort_by_key(|incident| incident.recordable),
        Some("records_count") => found.sort_by_key(|incident| injuries::of_incident(world, incident.id).count()),
        _ => found.sort_by_key(|incident| incident.number),
    }
    Ok(page_by(call, found, 1000, |incident| compact(world, incident)))
}

fn shows(world: &World, call: &Call, editor: &Editor, incident: &Incident) -> bool {
    let ids = |name: &str, value: Option<i64>| among(call.query_ids(name).as_deref(), value);
    incident.project_id == call.project_id()
        && incident.deleted_at.is_none()
        && (!incident.private || editor.sees_private(incident.created_by))
        && indexed(incident.created_at, call.now, world.settings.list_lag_seconds)
        && ids("filters[id]", Some(incident.id))
        && ids("filters[location_id]", incident.location_id)
        && ids("filters[hazard_id]", incident.hazard_id)
        && ids("filters[contributing_behavior_id]", incident.contributing_behavior_id)
        && ids("filters[contributing_condition_id]", incident.contributing_condition_id)
        && ids("filters[type_id]", incident.type_id)
        && ids("filters[custom_status_id]", None)
        && call.query_texts("filters[status]").is_none_or(|wanted| wanted.contains(&incident.status.as_str()))
        && call.query_flag("filters[recordable]").is_none_or(|wanted| incident.recordable == Some(wanted))
        && call.query_flag("filters[time_unknown]").is_none_or(|wanted| incident.time_unknown == wanted)
        && within(call.query_range("filters[created_at]"), Some(incident.created_at))
        && within(call.query_range("filters[updated_at]"), Some(incident.updated_at))
        && within(call.query_range("filters[event_date]"), incident.event_date)
        && mentions(call.query_text("filters[query]"), &[incident.title.as_deref(), creator(world, incident)])
}

fn creator<'a>(world: &'a World, incident: &Incident) -> Option<&'a str> {
    world.people.get(&incident.created_by).map(|person| person.name.as_str())
}

pub(crate) fn create(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let id = make(world, &editor, call.project_id(), call.fields("incident"))?;
    Ok(Reply::created(full(world, &world.incidents[&id])))
}

/// Makes an incident, whoever asks for it.
pub(crate) fn make(world: &mut World, editor: &Editor, project_id: i64, fields: Fields<'_>) -> Result<i64, Refusal> {
    let mut incident = Incident {
        id: 0,
        project_id,
        number: 0,
        title: None,
        description: None,
        event_date: None,
        time_unknown: false,
        recordable: Some(false),
        private: false,
        status: "open".to_owned(),
        location_id: None,
        hazard_id: None,
        contributing_behavior_id: None,
        contributing_condition_id: None,
        type_id: None,
        attachments: Vec::new(),
        custom_fields: Default::default(),
        created_by: editor.user_id,
        updated_by: editor.user_id,
        created_at: editor.now,
        updated_at: editor.now,
        deleted_at: None,
    };
    write(world, editor, &mut incident, fields)?;
    check_records(world, editor, fields)?;
    incident.id = world.id();
    incident.number = world.number(project_id, "incidents");
    let id = incident.id;
    world.incidents.insert(id, incident);
    add_records(world, editor, project_id, id, fields)?;
    world.raise(editor, project_id, RESOURCE, id, EventKind::Create);
    Ok(id)
}

pub(crate) fn show(world: &World, call: &Call) -> Outcome {
    let incident = visible(world, call)?;
    Ok(Reply::ok(full(world, incident)))
}

pub(crate) fn update(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let id = visible(world, call)?.id;
    editor.may_edit(world.incidents[&id].created_by)?;
    edit(world, &editor, id, call.fields("incident"))?;
    Ok(Reply::ok(full(world, &world.incidents[&id])))
}

/// Nested records are "to create": a body sent twice leaves its injuries twice.
pub(crate) fn edit(world: &mut World, editor: &Editor, id: i64, fields: Fields<'_>) -> Result<(), Refusal> {
    let mut incident = world.incidents.get(&id).cloned().ok_or_else(Refusal::not_found)?;
    write(world, editor, &mut incident, fields)?;
    check_records(world, editor, fields)?;
    incident.updated_at = editor.now;
    incident.updated_by = editor.user_id;
    let project_id = incident.project_id;
    world.incidents.insert(id, incident);
    add_records(world, editor, project_id, id, fields)?;
    world.raise(editor, project_id, RESOURCE, id, EventKind::Update);
    Ok(())
}

fn write(world: &World, editor: &Editor, incident: &mut Incident, fields: Fields<'_>) -> Result<(), Refusal> {
    let company = editor.company_id;
    let entry = |list: &str, member: &str| access::entry(world, company, list, member, &fields);
    let location = access::location(world, incident.project_id, &fields)?;
    let hazard = entry("hazards", "hazard_id")?;
    let behavior = entry("contributing_behaviors", "contributing_behavior_id")?;
    let condition = entry("contributing_conditions", "contributing_condition_id")?;
    if fields.get("status").is_some() && fields.get("custom_status_id").is_some() {
        return Err(Refusal::field("status", "cannot be given together with custom_status_id"));
    }
    incident.title = fields.text("title").or(incident.title.take());
    incident.description = fields.text("description").or(incident.description.take());
    incident.event_date = fields.time("event_date").or(incident.event_date);
    incident.time_unknown = fields.flag("time_unknown").unwrap_or(incident.time_unknown);
    incident.recordable = fields.flag("recordable").or(incident.recordable);
    incident.private = fields.flag("private").unwrap_or(incident.private);
    incident.status = fields.text("status").unwrap_or_else(|| incident.status.clone());
    incident.location_id = location.or(incident.location_id);
    incident.hazard_id = hazard.or(incident.hazard_id);
    incident.contributing_behavior_id = behavior.or(incident.contributing_behavior_id);
    incident.contributing_condition_id = condition.or(incident.contributing_condition_id);
    incident.type_id = fields.id("type_id").or(incident.type_id);
    for (name, value) in fields.custom_fields() {
        incident.custom_fields.insert(name.clone(), json!({"data_type": "string", "value": value}));
    }
    Ok(())
}

fn nested<'a>(fields: &Fields<'a>, name: &str) -> impl Iterator<Item = Fields<'a>> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().map(Fields::of)
}

fn check_records(world: &World, editor: &Editor, fields: Fields<'_>) -> Result<(), Refusal> {
    nested(&fields, "injuries").try_for_each(|injury| injuries::check(world, editor, &injury, None))
}

fn add_records(
    world: &mut World,
    editor: &Editor,
    project: i64,
    incident: i64,
    fields: Fields<'_>,
) -> Result<(), Refusal> {
    for injury in nested(&fields, "injuries") {
        injuries::make(world, editor, project, incident, "injury", injury)?;
    }
    for near_miss in nested(&fields, "near_misses") {
        injuries::make(world, editor, project, incident, "near_miss", near_miss)?;
    }
    Ok(())
}

pub(crate) fn recycle(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let id = visible(world, call)?.id;
    editor.may_edit(world.incidents[&id].created_by)?;
    set_deleted(world, &editor, id, true)?;
    Ok(Reply::empty(204))
}

pub(crate) fn restore(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let id = recycled(world, call)?.id;
    editor.may_edit(world.incidents[&id].created_by)?;
    set_deleted(world, &editor, id, false)?;
    Ok(Reply::ok(full(world, &world.incidents[&id])))
}

pub(crate) fn set_deleted(world: &mut World, editor: &Editor, id: i64, deleted: bool) -> Result<(), Refusal> {
    let incident = world.incidents.get_mut(&id).ok_or_else(Refusal::not_found)?;
    incident.deleted_at = deleted.then_some(editor.now);
    incident.updated_at = editor.now;
    incident.updated_by = editor.user_id;
    let project_id = incident.project_id;
    let kind = if deleted { EventKind::Delete } else { EventKind::Create };
    world.raise(editor, project_id, RESOURCE, id, kind);
    Ok(())
}

pub(crate) fn list_recycled(world: &World, call: &Call) -> Outcome {
    let ids = call.query_ids("filters[id]");
    let range = call.query_range("filters[updated_at]");
    let shows = |incident: &&Incident| {
        incident.project_id == call.project_id()
            && incident.deleted_at.is_some_and(|at| indexed(at, call.now, world.settings.bin_lag_seconds))
            && among(ids.as_deref(), Some(incident.id))
            && within(range, Some(incident.updated_at))
    };
    Ok(page_by(call, world.incidents.values().filter(shows).collect(), 100, |incident| compact(world, incident)))
}

pub(crate) fn show_recycled(world: &World, call: &Call) -> Outcome {
    Ok(Reply::ok(full(world, recycled(world, call)?)))
}

pub(crate) fn configuration(world: &World, call: &Call) -> Outcome {
    let distribution: Vec<Value> = Vec::new();
    let project_id = world.projects.get(&call.project_id()).map(|project| project.id);
    Ok(Reply::ok(json!({"project_id": project_id, "private_by_default": false, "default_distribution": distribution})))
}

pub(crate) fn attach(world: &mut World, call: &Call) -> Outcome {
    let incident_id = call.path_id("incident_id");
    let id = world.id();
    let incident = world.incidents.get_mut(&incident_id).filter(|incident| incident.project_id == call.project_id());
    let incident = incident.ok_or_else(Refusal::not_found)?;
    let name = format!("attachment-{}", incident.attachments.len() + 1);
    incident.attachments.push(name.clone());
    let url = format!("{}/attachments/{id}", call.base_url);
    Ok(Reply::created(json!({"id": id, "url": url, "thumbnail_url": null, "name": name, "content_type": null,
        "viewable_document_id": null})))
}

pub(crate) fn create_action(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let fields = call.fields("incident_action");
    let incident = fields.id("incident_id").and_then(|id| world.incidents.get(&id));
    let incident_id =
        incident.filter(|incident| incident.project_id == call.project_id() && incident.deleted_at.is_none());
    let incident_id = incident_id.ok_or_else(|| Refusal::field("incident", "must exist"))?.id;
    let action_type = access::entry(world, call.company_id, "action_types", "action_type_id", &fields)?;
    let action = Action {
        id: world.id(),
        project_id: call.project_id(),
        incident_id,
        action_type_id: action_type.ok_or_else(|| Refusal::field("action_type", "must exist"))?,
        description: fields.text("description"),
        created_at: call.now,
    };
    let view = action_view(world, &action);
    world.actions.insert(action.id, action);
    Ok(Reply::created(view))
}

fn visible<'a>(world: &'a World, call: &Call) -> Result<&'a Incident, Refusal> {
    let editor = Editor::of(world, call);
    let incident = world.incidents.get(&call.path_id("id"));
    let seen = incident.filter(|incident| {
        incident.project_id == call.project_id()
            && incident.deleted_at.is_none()
            && (!incident.private || editor.sees_private(incident.created_by))
    });
    seen.ok_or_else(Refusal::not_found)
}

fn recycled<'a>(world: &'a World, call: &Call) -> Result<&'a Incident, Refusal> {
    let incident = world.incidents.get(&call.path_id("id"));
    let seen = incident.filter(|incident| incident.project_id == call.project_id() && incident.deleted_at.is_some());
    seen.ok_or_else(Refusal::not_found)
}

fn observations_of(world: &World, incident: &Incident, closed: bool) -> usize {
    let of_incident = |action: Option<i64>| {
        action.and_then(|id| world.actions.get(&id)).is_some_and(|action| action.incident_id == incident.id)
    };
    if !world.actions.values().any(|action| action.incident_id == incident.id) {
        return 0;
    }
    let items = world.observations.values().filter(|item| of_incident(item.incident_action_id));
    items.filter(|item| item.deleted_at.is_none() && (item.status == "closed") == closed).count()
}

pub(crate) fn compact(world: &World, incident: &Incident) -> Value {
    let actions = world.actions.values().filter(|action| action.incident_id == incident.id).count();
    json!({
        "id": incident.id, "number": incident.number, "title": incident.title, "description": incident.description,
        "event_date": views::maybe_time(incident.event_date), "time_unknown": incident.time_unknown,
        "recordable": incident.recordable, "private": incident.private, "status": incident.status,
        "location": views::maybe_location(world, incident.location_id),
        "hazard": views::maybe_entry(world, incident.hazard_id),
        "contributing_behavior": views::maybe_entry(world, incident.contributing_behavior_id),
        "contributing_condition": views::maybe_entry(world, incident.contributing_condition_id),
        "created_by": views::user(world, incident.created_by),
        "records_count": injuries::of_incident(world, incident.id).count(),
        "open_observations_count": observations_of(world, incident, false),
        "closed_observations_count": observations_of(world, incident, true),
        "actions_count": actions, "witness_statements_count": 0, "attachments_count": incident.attachments.len(),
        "custom_fields": incident.custom_fields,
        "created_at": views::time(incident.created_at), "updated_at": views::time(incident.updated_at),
        "deleted_at": views::maybe_time(incident.deleted_at),
    })
}

pub(crate) fn full(world: &World, incident: &Incident) -> Value {
    let mut view = compact(world, incident);
    let records = |kind: &str| -> Value {
        injuries::of_incident(world, incident.id)
            .filter(|record| record.kind == kind)
            .map(|record| injuries::view(world, record))
            .collect()
    };
    let actions = world.actions.values().filter(|action| action.incident_id == incident.id);
    view["injuries"] = records("injury");
    view["near_misses"] = records("near_miss");
    view["actions"] = actions.map(|action| action_view(world, action)).collect();
    view["attachments"] = incident.attachments.iter().map(|name| json!({"name": name})).collect();
    for empty in ["environmentals", "property_damages", "witness_statements", "distribution_members", "assignees"] {
        view[empty] = json!([]);
    }
    view["type"] = json!({"id": incident.type_id, "name": "General"});
    view["custom_status"] = Value::Null;
    view
}

fn action_view(world: &World, action: &Action) -> Value {
    let observation = world.observations.values().find(|item| item.incident_action_id == Some(action.id));
    json!({"id": action.id, "incident_id": action.incident_id,
        "action_type": views::maybe_entry(world, Some(action.action_type_id)),
        "description": action.description, "description_plain_text": action.description,
        "observation_id": observation.map(|item| item.id), "attachments": [], "custom_fields": {},
        "created_at": views::time(action.created_at), "updated_at": views::time(action.created_at), "deleted_at": null})
}
