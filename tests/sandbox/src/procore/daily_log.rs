//! The daily log: notes, the two logs of violations and accidents, and the headers that complete a day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::access::{self, Editor};
use super::call::{Call, Fields, Outcome};
use super::hooks::EventKind;
use super::paging::{indexed, page};
use super::reply::{Refusal, Reply};
use super::state::{DayHeader, LogEntry, World};
use super::views;
use crate::faults::Shape;

pub(crate) const NOTES: &str = "notes_logs";

/// The resource that events name for a section.
fn resource(section: &str) -> &'static str {
    match section {
        "safety_violation_logs" => "Safety Violation Logs",
        "accident_logs" => "Accident Logs",
        _ => "Notes Logs",
    }
}

/// The project's local day at an instant.
fn local_day(world: &World, project_id: i64, at: Timestamp) -> Date {
    let name = world.projects.get(&project_id).map_or("UTC", |project| project.tz_name.as_str());
    at.to_zoned_datetime(TimeZone::get(name).unwrap_or(TimeZone::UTC)).date()
}

/// Without dates only today's entries, and only approved ones unless the filter says otherwise.
fn shown<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = &'a LogEntry> {
    let today = local_day(world, call.project_id(), call.now);
    let day = call.query_date("log_date");
    let (from, to) = match (day, call.query_date("start_date"), call.query_date("end_date")) {
        (Some(day), _, _) => (day, day),
        (None, None, None) => (today, today),
        (None, from, to) => (from.unwrap_or(Date::MIN), to.unwrap_or(Date::MAX)),
    };
    let status = call.query_text("filters[status]").unwrap_or("approved");
    world.log_entries.values().filter(move |entry| {
        entry.project_id == call.project_id()
            && (from..=to).contains(&entry.date)
            && (status == "all" || entry.status == status)
            && call.query_id("filters[created_by_id]").is_none_or(|id| entry.created_by == id)
            && indexed(entry.created_at, call.now, world.settings.list_lag_seconds)
    })
}

pub(crate) fn list(world: &World, call: &Call, section: &str) -> Outcome {
    let entries = shown(world, call).filter(|entry| entry.section == section);
    Ok(page(call, entries.map(|entry| view(world, entry)).collect()))
}

pub(crate) fn counts(world: &World, call: &Call) -> Outcome {
    let sections = [(NOTES, 1), ("safety_violation_logs", 2), ("accident_logs", 3)].map(|(section, position)| {
        let count = shown(world, call).filter(|entry| entry.section == section).count();
        json!({"module_name": section, "count": count, "position": position})
    });
    Ok(Reply::ok(json!(sections)))
}

pub(crate) fn create(world: &mut World, call: &Call, section: &str) -> Outcome {
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let fields = call.fields(section.trim_end_matches('s'));
    let id = make(world, &editor, call.project_id(), section, fields)?;
    Ok(Reply::created(view(world, &world.log_entries[&id])))
}

pub(crate) fn make(
    world: &mut World,
    editor: &Editor,
    project_id: i64,
    section: &str,
    fields: Fields<'_>,
) -> Result<i64, Refusal> {
    if fields.get("date").is_some() && fields.get("datetime").is_some() {
        return Err(Refusal::field("date", "cannot be given together with datetime"));
    }
    let datetime = fields.time("datetime");
    let date = fields.get("date").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let date = date.unwrap_or_else(|| local_day(world, project_id, datetime.unwrap_or(editor.now)));
    refuse_completed(world, project_id, date)?;
    let mut entry = LogEntry {
        id: world.id(),
        project_id,
        section: section.to_owned(),
        date,
        datetime,
        location_id: access::location(world, project_id, &fields)?,
        fields: Default::default(),
        status: "approved".to_owned(),
        created_by: editor.user_id,
        created_at: editor.now,
        updated_at: editor.now,
    };
    write(&mut entry, fields);
    let id = entry.id;
    header(world, project_id, date);
    world.log_entries.insert(id, entry);
    world.raise(editor, project_id, resource(section), id, EventKind::Create);
    Ok(id)
}

fn write(entry: &mut LogEntry, fields: Fields<'_>) {
    fields.copy(&mut entry.fields);
    for own in ["date", "datetime", "location_id", "mt_location", "status", "daily_log_header_id", "vendor_id"] {
        entry.fields.remove(own);
    }
}

fn refuse_completed(world: &World, project_id: i64, date: Date) -> Result<(), Refusal> {
    let completed = world.day_headers.get(&(project_id, date)).is_some_and(|header| header.completed);
    if completed && !world.settings.completed_day_takes_notes {
        return Err(Refusal::field("base", "The daily log of this day is completed."));
    }
    Ok(())
}

pub(crate) fn show(world: &World, call: &Call) -> Outcome {
    Ok(Reply::ok(view(world, note(world, call)?)))
}

fn note<'a>(world: &'a World, call: &Call) -> Result<&'a LogEntry, Refusal> {
    let entry = world.log_entries.get(&call.path_id("id"));
    let entry = entry.filter(|entry| entry.section == NOTES && entry.project_id == call.project_id());
    entry.ok_or_else(Refusal::not_found)
}

pub(crate) fn update(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let entry = note(world, call)?;
    editor.may_edit(entry.created_by)?;
    let id = entry.id;
    edit(world, &editor, id, call.fields("notes_log"))?;
    Ok(Reply::ok(view(world, &world.log_entries[&id])))
}

pub(crate) fn edit(world: &mut World, editor: &Editor, id: i64, fields: Fields<'_>) -> Result<(), Refusal> {
    let mut entry = world.log_entries.get(&id).cloned().ok_or_else(Refusal::not_found)?;
    refuse_completed(world, entry.project_id, entry.date)?;
    entry.location_id = access::location(world, entry.project_id, &fields)?.or(entry.location_id);
    entry.datetime = fields.time("datetime").or(entry.datetime);
    if let Some(date) = fields.get("date").and_then(Value::as_str).and_then(|text| text.parse().ok()) {
        refuse_completed(world, entry.project_id, date)?;
        entry.date = date;
    }
    if let Some(status) = fields.text("status") {
        entry.status = status;
    }
    write(&mut entry, fields);
    entry.updated_at = editor.now;
    let (project_id, section) = (entry.project_id, entry.section.clone());
    world.log_entries.insert(id, entry);
    world.raise(editor, project_id, resource(&section), id, EventKind::Update);
    Ok(())
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    let entry = note(world, call)?;
    editor.may_edit(entry.created_by)?;
    let id = entry.id;
    remove(world, &editor, id)?;
    Ok(Reply::empty(200))
}

/// Log entries have no recycle bin.
pub(crate) fn remove(world: &mut World, editor: &Editor, id: i64) -> Result<(), Refusal> {
    let entry = world.log_entries.get(&id).ok_or_else(Refusal::not_found)?;
    let (project_id, section) = (entry.project_id, entry.section.clone());
    refuse_completed(world, project_id, entry.date)?;
    world.log_entries.remove(&id);
    world.raise(editor, project_id, resource(&section), id, EventKind::Delete);
    Ok(())
}

fn header(world: &mut World, project_id: i64, date: Date) -> &mut DayHeader {
    let id = if world.day_headers.contains_key(&(project_id, date)) { 0 } else { world.id() };
    world.day_headers.entry((project_id, date)).or_insert(DayHeader {
        id,
        project_id,
        date,
        completed: false,
        completed_by: None,
        completed_at: None,
        distributed: false,
    })
}

fn asked_day(world: &World, call: &Call) -> Result<Date, Refusal> {
    let by_id = call.query_id("id").map(|id| {
        let header =
            world.day_headers.values().find(|header| header.id == id && header.project_id == call.project_id());
        header.map(|header| header.date).ok_or_else(Refusal::not_found)
    });
    let by_date =
        || call.query_date("log_date").ok_or_else(|| Refusal::new(400, Shape::Flat, "log_date or id is needed"));
    by_id.unwrap_or_else(by_date)
}

pub(crate) fn show_header(world: &mut World, call: &Call) -> Outcome {
    let date = asked_day(world, call)?;
    let header = header(world, call.project_id(), date).clone();
    Ok(Reply::ok(header_view(world, &header)))
}

pub(crate) fn list_headers(world: &World, call: &Call) -> Outcome {
    let (from, to) =
        (call.query_date("start_date").unwrap_or(Date::MIN), call.query_date("end_date").unwrap_or(Date::MAX));
    let headers = world.day_headers.values();
    let headers = headers.filter(|header| header.project_id == call.project_id() && (from..=to).contains(&header.date));
    Ok(page(call, headers.map(|header| header_view(world, header)).collect()))
}

pub(crate) fn update_header(world: &mut World, call: &Call) -> Outcome {
    let date = asked_day(world, call)?;
    let fields = call.fields("daily_log_header");
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let (completed, distributed) = (fields.flag("completed") == Some(true), fields.flag("distributed") == Some(true));
    let header = set_completed(world, &editor, call.project_id(), date, completed);
    if distributed {
        world.mails.push(super::state::Mail {
            at: call.now,
            reason: "daily_log_distributed".to_owned(),
            project_id: call.project_id(),
            record_id: header.id,
        });
    }
    Ok(Reply::ok(header_view(world, &header)))
}

pub(crate) fn set_completed(
    world: &mut World,
    editor: &Editor,
    project_id: i64,
    date: Date,
    completed: bool,
) -> DayHeader {
    let header = header(world, project_id, date);
    header.completed = completed;
    header.completed_by = completed.then_some(editor.user_id);
    header.completed_at = completed.then_some(editor.now);
    header.clone()
}

fn header_view(world: &World, header: &DayHeader) -> Value {
    json!({"id": header.id, "log_date": header.date.to_string(), "log_datetime": null, "completed": header.completed,
        "completed_by": views::maybe_user(world, header.completed_by),
        "completed_at": views::maybe_time(header.completed_at), "completable": !header.completed,
        "distributed": header.distributed, "distributed_by": null, "distributed_at": null, "distributable": true})
}

fn view(world: &World, entry: &LogEntry) -> Value {
    let header = world.day_headers.get(&(entry.project_id, entry.date)).map(|header| header.id);
    let mut view = json!({"id": entry.id, "date": entry.date.to_string(), "datetime": views::maybe_time(entry.datetime),
        "position": null, "location": views::maybe_location(world, entry.location_id), "vendor": null,
        "created_by": views::user(world, entry.created_by), "daily_log_segment_id": null, "attachments": [],
        "created_at": views::time(entry.created_at), "updated_at": views::time(entry.updated_at)});
    for (name, value) in entry.fields.iter().filter(|(name, _)| !name.starts_with("custom_field_")) {
        view[name] = value.clone();
    }
    if entry.section == NOTES {
        view["comment"] = entry.fields.get("comment").cloned().unwrap_or(Value::Null);
        view["is_issue_day"] = entry.fields.get("is_issue_day").cloned().unwrap_or(json!(false));
        view["daily_log_header_id"] = json!(header);
        view["status"] = json!(entry.status);
        view["created_by_collaborator"] = json!(false);
        view["permissions"] = json!({"can_update": true, "can_delete": true});
        let custom = entry.fields.iter().filter(|(name, _)| name.starts_with("custom_field_"));
        view["custom_fields"] =
            custom.map(|(name, value)| (name.clone(), json!({"data_type": "string", "value": value}))).collect();
    }
    view
}
