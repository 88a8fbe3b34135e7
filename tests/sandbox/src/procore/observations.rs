//! Observations with their types, comments, mails and recycle bin.

use serde_json::{Value, json};

use super::access::{self, Editor};
use super::call::{Call, Fields, Outcome};
use super::directory;
use super::hooks::EventKind;
use super::paging::{among, indexed, mentions, page, page_by, within};
use super::reply::{Refusal, Reply};
use super::state::{Mail, Observation, ObservationType, ResponseLog, World};
use super::views;
use crate::faults::Shape;

const RESOURCE: &str = "Observation Items";
/// In the order of the numbers that the list's filter takes.
const STATUSES: [&str; 4] = ["initiated", "ready_for_review", "not_accepted", "closed"];

pub(crate) fn list(world: &World, call: &Call) -> Outcome {
    let statuses: Option<Vec<&str>> = call.query_ids("filters[status]").map(|wanted| {
        wanted.into_iter().filter_map(|number| STATUSES.get(usize::try_from(number).ok()?).copied()).collect()
    });
    let shows = |item: &&Observation| {
        let ids = |name: &str, value: Option<i64>| among(call.query_ids(name).as_deref(), value);
        item.project_id == call.project_id()
            && item.deleted_at.is_none()
            && seen_by(world, call, item)
            && indexed(item.created_at, call.now, world.settings.list_lag_seconds)
            && ids("filters[id]", Some(item.id))
            && ids("filters[type_id]", Some(item.type_id))
            && ids("filters[location_id]", item.location_id)
            && ids("filters[trade_ids]", item.trade_id)
            && ids("filters[created_by_id]", Some(item.created_by))
            && statuses.as_ref().is_none_or(|wanted| wanted.contains(&item.status.as_str()))
            && call
                .query_texts("filters[priority]")
                .is_none_or(|wanted| item.priority.as_deref().is_some_and(|priority| wanted.contains(&priority)))
            && within(call.query_range("filters[updated_at]"), Some(item.updated_at))
            && mentions(
                call.query_text("filters[search]"),
                &[Some(&item.name), item.description.as_deref(), Some(&item.number)],
            )
    };
    Ok(page_by(call, world.observations.values().filter(shows).collect(), 100, |item| view(world, item)))
}

fn seen_by(world: &World, call: &Call, item: &Observation) -> bool {
    !item.personal || Editor::of(world, call).sees_private(item.created_by)
}

pub(crate) fn create(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let id = make(world, &editor, call.project_id(), call.fields("observation"))?;
    Ok(Reply::created(view(world, &world.observations[&id])))
}

pub(crate) fn make(world: &mut World, editor: &Editor, project_id: i64, fields: Fields<'_>) -> Result<i64, Refusal> {
    let mut item = Observation {
        id: 0,
        project_id,
        number: String::new(),
        name: String::new(),
        type_id: 0,
        description: None,
        status: STATUSES[0].to_owned(),
        priority: None,
        personal: false,
        due_date: None,
        assignee_id: None,
        location_id: None,
        trade_id: None,
        hazard_id: None,
        contributing_behavior_id: None,
        contributing_condition_id: None,
        incident_action_id: None,
        custom_fields: Default::default(),
        date_notified: None,
        closed_at: None,
        created_by: editor.user_id,
        updated_by: editor.user_id,
        created_at: editor.now,
        updated_at: editor.now,
        deleted_at: None,
    };
    if let Some(author) = access::person(world, editor.company_id, "created_by_id", &fields)? {
        editor.must_be_admin()?;
        item.created_by = author;
    }
    write(world, editor, &mut item, fields)?;
    item.id = world.id();
    item.number = fields.text("number").unwrap_or_else(|| world.number(project_id, "observations").to_string());
    let id = item.id;
    world.observations.insert(id, item);
    world.raise(editor, project_id, RESOURCE, id, EventKind::Create);
    Ok(id)
}

pub(crate) fn show(world: &World, call: &Call) -> Outcome {
    Ok(Reply::ok(view(world, visible(world, call, call.path_id("id"))?)))
}

pub(crate) fn update(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let item = visible(world, call, call.path_id("id"))?;
    let id = item.id;
    editor.may_edit(item.created_by)?;
    edit(world, &editor, id, call.fields("observation"))?;
    Ok(Reply::ok(view(world, &world.observations[&id])))
}

pub(crate) fn edit(world: &mut World, editor: &Editor, id: i64, fields: Fields<'_>) -> Result<(), Refusal> {
    let mut item = world.observations.get(&id).cloned().ok_or_else(Refusal::not_found)?;
    write(world, editor, &mut item, fields)?;
    item.updated_at = editor.now;
    item.updated_by = editor.user_id;
    let project_id = item.project_id;
    world.observations.insert(id, item);
    world.raise(editor, project_id, RESOURCE, id, EventKind::Update);
    Ok(())
}

fn write(world: &mut World, editor: &Editor, item: &mut Observation, fields: Fields<'_>) -> Result<(), Refusal> {
    let company = editor.company_id;
    if let Some(type_id) = fields.id("type_id") {
        let kind = world.observation_types.get(&type_id).filter(|kind| kind.company_id == company && kind.active);
        item.type_id = kind.ok_or_else(|| Refusal::field("type", "must exist"))?.id;
    }
    let entry = |list: &str, member: &str| access::entry(world, company, list, member, &fields);
    let location = access::location(world, item.project_id, &fields)?;
    let trade = entry("trades", "trade_id")?;
    let hazard = entry("hazards", "hazard_id")?;
    let behavior = entry("contributing_behaviors", "contributing_behavior_id")?;
    let condition = entry("contributing_conditions", "contributing_condition_id")?;
    let assignee = access::person(world, company, "assignee_id", &fields)?;
    let origins = ["incident_action_id", "coordination_issue_id", "checklist_item_id"];
    if origins.iter().filter(|origin| fields.get(origin).is_some()).count() > 1 {
        return Err(Refusal::field("origin", "only one origin may be given"));
    }
    if let Some(action) = fields.id("incident_action_id") {
        let known = world.actions.get(&action).is_some_and(|action| action.project_id == item.project_id);
        item.incident_action_id =
            Some(known.then_some(action).ok_or_else(|| Refusal::field("incident_action", "must exist"))?);
    }
    if let Some(name) = fields.text("name") {
        if name.is_empty() {
            return Err(Refusal::field("name", "can't be blank"));
        }
        item.name = name;
    }
    item.location_id = match (location, fields.get("mt_location").and_then(Value::as_array)) {
        (None, Some(tiers)) => {
            let tiers: Vec<String> = tiers.iter().filter_map(Value::as_str).map(super::call::plain).collect();
            Some(directory::location_by_path(world, item.project_id, &tiers, editor.now).0)
        }
        (location, _) => location.or(item.location_id),
    };
    item.description = fields.text("description").or(item.description.take());
    item.priority = fields.text("priority").or(item.priority.take());
    item.personal = fields.flag("personal").unwrap_or(item.personal);
    item.due_date = fields.text("due_date").or(item.due_date.take());
    item.assignee_id = assignee.or(item.assignee_id);
    item.trade_id = trade.or(item.trade_id);
    item.hazard_id = hazard.or(item.hazard_id);
    item.contributing_behavior_id = behavior.or(item.contributing_behavior_id);
    item.contributing_condition_id = condition.or(item.contributing_condition_id);
    if let Some(status) = fields.text("status") {
        set_status(item, &status, editor.now);
    }
    for (name, value) in fields.custom_fields() {
        item.custom_fields.insert(name.clone(), json!({"data_type": "string", "value": value}));
    }
    Ok(())
}

fn set_status(item: &mut Observation, status: &str, now: jiff::Timestamp) {
    item.closed_at = (status == "closed").then(|| item.closed_at.unwrap_or(now));
    item.status = status.to_owned();
}

pub(crate) fn visible<'a>(world: &'a World, call: &Call, id: i64) -> Result<&'a Observation, Refusal> {
    let item = world
        .observations
        .get(&id)
        .filter(|item| item.project_id == call.project_id() && item.deleted_at.is_none() && seen_by(world, call, item));
    item.ok_or_else(Refusal::not_found)
}

pub(crate) fn respond(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let item = visible(world, call, call.path_id("item_id"))?;
    let id = item.id;
    editor.may_edit(item.created_by)?;
    let status = call.valid.body.get("status").and_then(Value::as_str);
    let comment = call.fields("response_log").text("comment").unwrap_or_default();
    let log = comment_on(world, &editor, id, &comment, status)?;
    Ok(Reply::created(log_view(world, &world.response_logs[&log])))
}

/// A comment, which may move the observation to another status.
pub(crate) fn comment_on(
    world: &mut World,
    editor: &Editor,
    id: i64,
    comment: &str,
    status: Option<&str>,
) -> Result<i64, Refusal> {
    let item = world.observations.get_mut(&id).ok_or_else(Refusal::not_found)?;
    if let Some(status) = status {
        set_status(item, status, editor.now);
    }
    item.updated_at = editor.now;
    item.updated_by = editor.user_id;
    let (project_id, status) = (item.project_id, spelled(&item.status));
    let log_id = world.id();
    let comment = super::call::plain(comment);
    let log =
        ResponseLog { id: log_id, item_id: id, status, comment, created_by: editor.user_id, created_at: editor.now };
    world.response_logs.insert(log_id, log);
    world.raise(editor, project_id, "Observation Item Response Logs", log_id, EventKind::Create);
    world.raise(editor, project_id, RESOURCE, id, EventKind::Update);
    Ok(log_id)
}

/// Response logs spell a status for people.
fn spelled(status: &str) -> String {
    match status {
        "ready_for_review" => "Ready For Review",
        "not_accepted" => "Not Accepted",
        "closed" => "Closed",
        _ => "Initiated",
    }
    .to_owned()
}

pub(crate) fn list_responses(world: &World, call: &Call) -> Outcome {
    let item = visible(world, call, call.path_id("item_id"))?;
    let logs = world
        .response_logs
        .values()
        .filter(|log| log.item_id == item.id && indexed(log.created_at, call.now, world.settings.list_lag_seconds));
    Ok(page(call, logs.map(|log| log_view(world, log)).collect()))
}

fn log_view(world: &World, log: &ResponseLog) -> Value {
    let author = world.people.get(&log.created_by).map(|person| person.name.clone()).unwrap_or_default();
    json!({"id": log.id, "item_id": log.item_id, "status": log.status, "comment": log.comment,
        "created_by": {"id": log.created_by, "name": author}, "created_by_name": author,
        "created_at": views::time(log.created_at), "updated_at": views::time(log.created_at)})
}

/// Mails every observation of the project that nobody was mailed about yet, whoever made it.
pub(crate) fn send_unsent(world: &mut World, call: &Call) -> Outcome {
    let project_id = call.project_id();
    let unsent = world
        .observations
        .values_mut()
        .filter(|item| item.project_id == project_id && item.date_notified.is_none() && item.deleted_at.is_none());
    let mut sent = Vec::new();
    for item in unsent {
        item.date_notified = Some(call.now);
        sent.push(item.id);
    }
    for id in &sent {
        world.mails.push(Mail { at: call.now, reason: "send_unsent".to_owned(), project_id, record_id: *id });
    }
    Ok(Reply::ok(sent.iter().map(|id| view(world, &world.observations[id])).collect()))
}

pub(crate) fn send_email(world: &mut World, call: &Call) -> Outcome {
    let record_id = visible(world, call, call.path_id("id"))?.id;
    let mail = Mail { at: call.now, reason: "send_email".to_owned(), project_id: call.project_id(), record_id };
    world.mails.push(mail);
    if let Some(item) = world.observations.get_mut(&record_id) {
        item.date_notified = item.date_notified.or(Some(call.now));
    }
    Ok(Reply::empty(200))
}

pub(crate) fn list_types(world: &World, call: &Call) -> Outcome {
    match (call.query_id("project_id"), call.query_id("company_id")) {
        (Some(_), None) | (None, Some(_)) => types(world, call),
        _ => Err(Refusal::new(400, Shape::Flat, "Give project_id or company_id, not both.")),
    }
}

pub(crate) fn types(world: &World, call: &Call) -> Outcome {
    let shows = |kind: &&ObservationType| {
        kind.company_id == call.company_id
            && call.query_flag("filters[active]").is_none_or(|wanted| kind.active == wanted)
    };
    Ok(page(call, world.observation_types.values().filter(shows).map(views::observation_type).collect()))
}

pub(crate) fn field_sets(world: &World, call: &Call) -> Outcome {
    let mut seen = std::collections::BTreeSet::new();
    let kinds = world.observation_types.values().filter(|kind| kind.company_id == call.company_id);
    let first = kinds.filter(|kind| seen.insert(kind.category_id));
    let sets = first.map(|kind| {
        let category = if kind.category == "Work to Complete" { "Work To Complete" } else { &kind.category };
        json!({"id": kind.category_id, "category": category, "category_key": kind.category_key,
            "observations_category_id": kind.category_id,
            "configurable_field_set": {"id": kind.category_id, "name": "Default", "category": category, "fields": {}}})
    });
    Ok(page(call, sets.collect()))
}

pub(crate) fn list_recycled(world: &World, call: &Call) -> Outcome {
    let range = call.query_range("filters[updated_at]");
    let items = world.observations.values().filter(|item| {
        item.project_id == call.project_id()
            && item.deleted_at.is_some_and(|at| indexed(at, call.now, world.settings.bin_lag_seconds))
            && within(range, Some(item.updated_at))
    });
    Ok(Reply::ok(items.map(|item| view(world, item)).collect()))
}

fn recycled<'a>(world: &'a World, call: &Call) -> Result<&'a Observation, Refusal> {
    let item = world.observations.get(&call.path_id("id"));
    let found = item.filter(|item| item.project_id == call.project_id() && item.deleted_at.is_some());
    found.ok_or_else(Refusal::not_found)
}

pub(crate) fn show_recycled(world: &World, call: &Call) -> Outcome {
    Ok(Reply::ok(view(world, recycled(world, call)?)))
}

pub(crate) fn restore(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let item = recycled(world, call)?;
    let id = item.id;
    editor.may_edit(item.created_by)?;
    set_deleted(world, &editor, id, false)?;
    Ok(Reply::ok(view(world, &world.observations[&id])))
}

pub(crate) fn set_deleted(world: &mut World, editor: &Editor, id: i64, deleted: bool) -> Result<(), Refusal> {
    let item = world.observations.get_mut(&id).ok_or_else(Refusal::not_found)?;
    item.deleted_at = deleted.then_some(editor.now);
    item.updated_at = editor.now;
    item.updated_by = editor.user_id;
    let project_id = item.project_id;
    let kind = if deleted { EventKind::Delete } else { EventKind::Create };
    world.raise(editor, project_id, RESOURCE, id, kind);
    Ok(())
}

pub(crate) fn view(world: &World, item: &Observation) -> Value {
    let origin = item.incident_action_id.and_then(|id| world.actions.get(&id)).map(|action| {
        json!({"type": "incident", "payload": {"incident_id": action.incident_id, "incident_action_id": action.id}})
    });
    let assignee = item.assignee_id.and_then(|id| world.people.get(&id));
    let rich = item.description.as_ref().map(|text| format!("<p>{}</p>", maud::html! { (text) }.into_string()));
    json!({
        "id": item.id, "number": item.number, "name": item.name, "description": item.description,
        "description_rich_text": rich, "status": item.status, "priority": item.priority, "personal": item.personal,
        "date_notified": item.date_notified.map(|at| at.strftime("%Y-%m-%d").to_string()), "due_date": item.due_date,
        "closed_at": views::maybe_time(item.closed_at), "created_at": views::time(item.created_at),
        "updated_at": views::time(item.updated_at), "deleted_at": views::maybe_time(item.deleted_at),
        "origin": origin,
        "type": world.observation_types.get(&item.type_id).map(views::observation_type),
        "assignee": assignee.map(|person| json!({"id": person.id, "name": person.name, "vendor": null})),
        "created_by": views::user(world, item.created_by), "distribution_members": [],
        "location": views::maybe_location(world, item.location_id), "trade": views::maybe_entry(world, item.trade_id),
        "hazard": views::maybe_entry(world, item.hazard_id),
        "contributing_behavior": views::maybe_entry(world, item.contributing_behavior_id),
        "contributing_condition": views::maybe_entry(world, item.contributing_condition_id),
        "attachments": [], "custom_fields": item.custom_fields, "permissions": {"can_edit": true},
    })
}
