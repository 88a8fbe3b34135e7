//! Forms: templates with their layout, forms made from them, and values in chunks of ten.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::pipeline::{Call, Outcome, gateway};
use super::state::{Project, World};
use crate::reply::Reply;

const BUILT_IN_TABLES: [&str; 3] = ["worklogEntries", "materialsEntries", "equipmentEntries"];

/// Made by the customer by hand: no call makes one.
#[derive(Clone, Debug, Serialize)]
pub struct Template {
    pub id: String,
    pub project_id: String,
    pub name: String,
    pub template_type: String,
    /// Forms of it can be made, and not filled.
    pub is_pdf: bool,
    pub layout_id: String,
    pub section_id: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Field {
    pub id: String,
    pub label: String,
    /// The member of a value that this field takes.
    pub value_name: String,
}

#[derive(Clone, Debug)]
pub struct Form {
    pub id: String,
    pub project_id: String,
    pub template_id: String,
    pub number: u64,
    /// What was written, by the API's names.
    pub fields: Map<String, Value>,
    /// In the words of v1.
    pub status: String,
    /// By field.
    pub values: BTreeMap<String, Map<String, Value>>,
    /// Rows of tables, by table and row.
    pub rows: BTreeMap<(String, String), Value>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Form {
    /// Rows have a key of two parts, which JSON does not know.
    pub(super) fn dump(&self) -> Value {
        let rows: Vec<&Value> = self.rows.values().collect();
        json!({"id": self.id, "project_id": self.project_id, "template_id": self.template_id, "number": self.number,
            "fields": self.fields, "status": self.status, "values": self.values, "rows": rows,
            "created_by": self.created_by, "created_at": self.created_at, "updated_at": self.updated_at})
    }
}

fn missing() -> Reply {
    gateway(404, "SYS-404", "The requested resource does not exist.")
}

fn bad(message: &str) -> Reply {
    gateway(400, "FORMS-400", message)
}

fn conflict(message: &str) -> Reply {
    gateway(409, "FORMS-409", message)
}

/// The templates of a new project.
pub(super) fn seed(world: &mut World, project_id: &str) {
    let daily = [("Alerts", "numberVal"), ("Summary", "textVal"), ("PPE compliant", "toggleVal")];
    for (name, kind, is_pdf, fields) in [
        ("HardHat Pulse daily", "pg.template_type.daily_report", false, &daily[..]),
        ("Safety walk", "pg.template_type.safety", true, &[][..]),
    ] {
        let (id, layout_id, section_id) = (world.id(), world.id(), world.id());
        let mut field = |(label, value): &(&str, &str)| Field {
            id: world.id(),
            label: (*label).to_owned(),
            value_name: (*value).to_owned(),
        };
        let fields = fields.iter().map(&mut field).collect();
        let (project_id, name, template_type) = (project_id.to_owned(), name.to_owned(), kind.to_owned());
        world.templates.push(Template { id, project_id, name, template_type, is_pdf, layout_id, section_id, fields });
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Outcome {
    let user = call.user.clone().unwrap_or_default();
    let project = world.projects.iter().find(|project| project.id == call.path("projectId")).cloned();
    let project = project.filter(|project| project.platform == "acc").ok_or_else(missing)?;
    if !project.members.contains(&user) {
        return Err(gateway(403, "AUTH-012", "You don't have permission to access this API"));
    }
    match call.operation.as_str() {
        "listFormTemplates" => Ok(templates(world, call, &project)),
        "getFormLayout" => layout(world, call, &project),
        "getFormSection" => section(world, call, &project),
        "createForm" => create(world, call, &project, &user),
        "patchForm" => patch(world, call, &project),
        "listFormsV2" => list(world, call, &project),
        "getFormValues" => {
            let form = &world.forms[find(world, call, &project)?];
            let values: Vec<Value> = form.values.iter().map(|(field, value)| value_view(field, value)).collect();
            Ok(page(call, 50, &values))
        }
        "batchUpdateFormValuesV2" => write_values(world, call, &project),
        "batchDeleteFormValues" => {
            let at = open(world, call, &project)?;
            for row in members(&call.valid.body, "tabularValues") {
                world.forms[at].rows.remove(&row_key(row));
            }
            done(world, call, at)
        }
        other => Err(gateway(501, "SANDBOX", &format!("the sandbox does not offer {other}"))),
    }
}

fn page(call: &Call, default: usize, items: &[Value]) -> Reply {
    let (limit, offset) = (call.count("limit", default), call.count("offset", 0));
    let data: Vec<&Value> = items.iter().skip(offset).take(limit).collect();
    Reply::ok(json!({"pagination": {"limit": limit, "offset": offset, "totalResults": items.len(), "nextUrl": null},
        "data": data}))
}

fn templates(world: &World, call: &Call, project: &Project) -> Reply {
    let view = |template: &Template| {
        json!({"id": template.id, "projectId": project.id, "name": template.name, "status": "active",
            "templateType": template.template_type, "isPdf": template.is_pdf, "pdfUrl": null,
            "currentLayoutId": template.layout_id, "groupPermissions": [],
            "userPermissions": project.members.iter().map(|user| json!({"userId": user, "permissions": ["submit"]})).collect::<Vec<_>>()})
    };
    let of_project = world.templates.iter().filter(|template| template.project_id == project.id);
    page(call, 50, &of_project.map(view).collect::<Vec<_>>())
}

fn by_layout<'a>(world: &'a World, call: &Call, project: &Project) -> Result<&'a Template, Reply> {
    let mut known = world.templates.iter().filter(|template| template.project_id == project.id && !template.is_pdf);
    known.find(|template| template.layout_id == call.path("layoutId")).ok_or_else(missing)
}

fn layout(world: &World, call: &Call, project: &Project) -> Outcome {
    let template = by_layout(world, call, project)?;
    Ok(Reply::ok(
        json!({"layout": {"uid": template.layout_id, "description": template.name, "hasSectionAssignees": false},
        "sections": [{"id": template.section_id, "uid": template.section_id, "label": "Day", "layoutUid": template.layout_id,
            "displayIndex": 1, "sortIndex": 1}]}),
    ))
}

fn section(world: &World, call: &Call, project: &Project) -> Outcome {
    let template = by_layout(world, call, project)?;
    if template.section_id != call.path("sectionId") {
        return Err(missing());
    }
    let item = |field: &Field| json!({"uid": field.id, "type": "field", "label": field.label, "valueName": field.value_name, "isRequired": false});
    Ok(Reply::ok(json!({"section": {"id": template.section_id, "uid": template.section_id, "label": "Day",
        "layoutUid": template.layout_id, "assigneeId": null, "assigneeType": null}, "actions": [],
        "sectionItems": template.fields.iter().map(item).collect::<Vec<_>>(), "tableColumns": {}})))
}

fn template<'a>(world: &'a World, call: &Call, project: &Project) -> Result<&'a Template, Reply> {
    let mut known = world.templates.iter().filter(|template| template.project_id == project.id);
    known.find(|template| template.id == call.path("templateId")).ok_or_else(missing)
}

/// What the schema cannot say of a form's own members.
fn accept(fields: &Map<String, Value>) -> Result<(), Reply> {
    if fields.contains_key("assigneeId") || fields.contains_key("assigneeType") {
        return Err(bad("The template's workflow has no contributors in sequence: a form takes no assignee."));
    }
    let date = fields.get("formDate").and_then(Value::as_str).and_then(|text| text.parse::<Date>().ok());
    if date.is_some_and(|date| date <= Date::constant(1950, 1, 1)) {
        return Err(bad("formDate must be after 1950-01-01."));
    }
    Ok(())
}

fn create(world: &mut World, call: &Call, project: &Project, user: &str) -> Outcome {
    let template = template(world, call, project)?;
    let (template_id, name) = (template.id.clone(), template.name.clone());
    let mut fields = call.valid.body.as_object().cloned().unwrap_or_default();
    accept(&fields)?;
    let id = match fields.remove("id").and_then(|id| id.as_str().map(str::to_owned)) {
        Some(id) if world.forms.iter().any(|form| form.id == id) => {
            return Err(conflict("A form has this id already."));
        }
        Some(id) => id,
        None => world.id(),
    };
    fields.entry("name").or_insert(json!(name));
    let today = call.now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string();
    fields.entry("formDate").or_insert(json!(today));
    let number = world.display_id(&format!("form {template_id}"));
    world.forms.push(Form {
        id,
        project_id: project.id.clone(),
        template_id,
        number,
        fields,
        status: "draft".to_owned(),
        values: BTreeMap::new(),
        rows: BTreeMap::new(),
        created_by: user.to_owned(),
        created_at: call.now,
        updated_at: call.now,
    });
    Ok(Reply::ok(world.forms.last().map(|form| view(form, &form.status)).unwrap_or_default()))
}

fn find(world: &World, call: &Call, project: &Project) -> Result<usize, Reply> {
    let at = world.forms.iter().position(|form| form.id == call.path("formId") && form.project_id == project.id);
    at.ok_or_else(missing)
}

fn patch(world: &mut World, call: &Call, project: &Project) -> Outcome {
    let at = find(world, call, project)?;
    let mut fields = call.valid.body.as_object().cloned().unwrap_or_default();
    accept(&fields)?;
    let form = &mut world.forms[at];
    if form.template_id != call.path("templateId") {
        return Err(missing());
    }
    let status = fields.remove("status").and_then(|status| status.as_str().map(str::to_owned));
    if fields.remove("submitterSignature").is_some()
        && (form.status != "in_review" || status.as_deref() != Some("submitted"))
    {
        return Err(bad("submitterSignature goes with submitting from review only."));
    }
    if !fields.is_empty() && matches!(form.status.as_str(), "submitted" | "archived" | "discarded") {
        return Err(conflict("The form is closed."));
    }
    form.fields.extend(fields);
    form.status = status.unwrap_or_else(|| form.status.clone());
    form.updated_at = call.now;
    Ok(Reply::ok(view(form, &form.status)))
}

/// Values can be written while the form is a draft, and never to a PDF.
fn open(world: &World, call: &Call, project: &Project) -> Result<usize, Reply> {
    let at = find(world, call, project)?;
    let form = &world.forms[at];
    if form.status != "draft" {
        return Err(conflict("Values can be written while the form is in progress only."));
    }
    if world.templates.iter().any(|template| template.id == form.template_id && template.is_pdf) {
        return Err(bad("A form of a PDF template takes no values."));
    }
    Ok(at)
}

fn members<'a>(body: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    body.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn row_key(row: &Value) -> (String, String) {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("schema"), text("id"))
}

/// All of it or nothing.
fn write_values(world: &mut World, call: &Call, project: &Project) -> Outcome {
    let at = open(world, call, project)?;
    let template = world.templates.iter().find(|template| template.id == world.forms[at].template_id);
    let fields = template.map(|template| template.fields.clone()).unwrap_or_default();
    for value in members(&call.valid.body, "customValues") {
        let field = fields.iter().find(|field| value["fieldId"] == field.id.as_str());
        let field = field.ok_or_else(|| bad("fieldId is not a field of the template."))?;
        if value.get(&field.value_name).is_none() {
            return Err(bad(&format!("{} takes {}.", field.label, field.value_name)));
        }
    }
    for row in members(&call.valid.body, "tabularValues") {
        let built_in = BUILT_IN_TABLES.iter().any(|name| row["schema"] == *name);
        if !built_in || members(row, "columns").any(|column| column.get("columnName").is_none()) {
            return Err(bad("The template has built-in tables only; their columns go by columnName."));
        }
    }
    let form = &mut world.forms[at];
    for value in members(&call.valid.body, "customValues") {
        let field = value["fieldId"].as_str().unwrap_or_default().to_owned();
        form.values.insert(field, value.as_object().cloned().unwrap_or_default());
    }
    for row in members(&call.valid.body, "tabularValues") {
        form.rows.insert(row_key(row), row.clone());
    }
    done(world, call, at)
}

fn done(world: &mut World, call: &Call, at: usize) -> Outcome {
    let old_words = world.settings.old_words_in_v2;
    let form = &mut world.forms[at];
    form.updated_at = call.now;
    if call.valid.query.get("excludeFormResponse") == Some(&json!(true)) {
        return Ok(Reply::empty(204));
    }
    Ok(Reply::ok(view(form, newer(&form.status, old_words))))
}

/// v2 has words of its own for three states, and its reference shows the old ones all the same.
fn newer(status: &str, old_words: bool) -> &str {
    match status {
        _ if old_words => status,
        "draft" => "inProgress",
        "in_review" => "inReview",
        "submitted" => "closed",
        other => other,
    }
}

fn list(world: &World, call: &Call, project: &Project) -> Outcome {
    let old_words = world.settings.old_words_in_v2;
    let mut found = Vec::new();
    for form in world.forms.iter().filter(|form| form.project_id == project.id && form.status != "discarded") {
        if fits(call, form, old_words)? {
            found.push(form);
        }
    }
    match call.query("sort") {
        None => {}
        Some("updatedAt desc") => found.sort_by_key(|form| std::cmp::Reverse(form.updated_at)),
        Some("updatedAt asc" | "updatedAt") => found.sort_by_key(|form| form.updated_at),
        Some(other) => return Err(bad(&format!("the sandbox does not sort by {other}"))),
    }
    let shown: Vec<Value> = found.into_iter().map(|form| view(form, newer(&form.status, old_words))).collect();
    Ok(page(call, 50, &shown))
}

fn fits(call: &Call, form: &Form, old_words: bool) -> Result<bool, Reply> {
    let date = form.fields.get("formDate").and_then(Value::as_str).unwrap_or_default();
    let mut fits = true;
    for (name, wanted) in &call.valid.query {
        let text = wanted.as_str().unwrap_or_default();
        let time = || text.parse::<Timestamp>().map_err(|_| bad(&format!("{name} is not an ISO 8601 time")));
        let one_of = |value: &str| wanted.as_array().is_some_and(|values| values.iter().any(|one| one == value));
        fits &= match name.as_str() {
            "limit" | "offset" | "sort" => true,
            "ids" => one_of(&form.id),
            "statuses" => one_of(&form.status) || one_of(newer(&form.status, old_words)),
            "templateId" => form.template_id == text,
            // ISO dates order as texts.
            "formDateMin" => date >= text,
            "formDateMax" => date <= text,
            "updatedAfter" => form.updated_at >= time()?,
            "updatedBefore" => form.updated_at <= time()?,
            "search" => form.fields.get("name").and_then(Value::as_str).is_some_and(|name| name.contains(text)),
            other => return Err(bad(&format!("the sandbox does not filter by {other}"))),
        };
    }
    Ok(fits)
}

fn value_view(field: &str, value: &Map<String, Value>) -> Value {
    let mut view = json!({"id": field, "fieldId": field, "deleted": false});
    for (name, value) in value {
        view[name] = value.clone();
    }
    view
}

fn view(form: &Form, status: &str) -> Value {
    let values: Vec<Value> = form.values.iter().map(|(field, value)| value_view(field, value)).collect();
    let rows: Vec<Value> = form
        .rows
        .values()
        .map(|row| json!({"id": row["id"], "schema": row["schema"], "columns": row.get("columns").cloned().unwrap_or(json!([])), "deleted": false}))
        .collect();
    let mut view = json!({"id": form.id, "formTemplateId": form.template_id, "formNum": form.number, "status": status,
        "description": null, "notes": null, "locationId": null, "assigneeId": null, "assigneeType": null,
        "createdBy": form.created_by, "createdAt": form.created_at.to_string(), "updatedAt": form.updated_at.to_string(),
        "nativeForm": {"id": form.id, "version": "13.0", "customValues": values, "tabularValues": rows}});
    for (name, value) in &form.fields {
        view[name] = value.clone();
    }
    view
}
