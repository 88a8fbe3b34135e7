//! Issues and their comments.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::hooks;
use super::hubs::page;
use super::pipeline::{Call, Outcome, gateway};
use super::state::{Attribute, Comment, Issue, Project, Subtype, World};
use crate::reply::Reply;

pub(super) const STATUSES: [&str; 9] =
    ["draft", "open", "pending", "in_progress", "in_review", "completed", "not_approved", "in_dispute", "closed"];
const ATTRIBUTES: [&str; 13] = [
    "title",
    "description",
    "issueSubtypeId",
    "status",
    "assignedTo",
    "dueDate",
    "startDate",
    "locationId",
    "locationDetails",
    "rootCauseId",
    "published",
    "watchers",
    "customAttributes",
];

/// The shape in which Issues refuse.
pub(super) fn refusal(status: u16, code: &str, message: &str, member: &str) -> Reply {
    Reply::json(
        status,
        json!({"title": message, "details": message, "errorCode": code, "middlewareName": "sandbox",
            "metadata": {"command": "", "details": [{"message": message, "path": [member], "type": "any.invalid", "context": {}}]}}),
    )
}

fn bad(message: &str, member: &str) -> Reply {
    refusal(400, "ISSUES_SERVICE_BAD_REQUEST", message, member)
}

fn missing() -> Reply {
    refusal(404, "ISSUES_SERVICE_NOT_FOUND", "There is no such thing.", "id")
}

pub(super) fn answer(world: &mut World, call: &Call) -> Outcome {
    let user = call.user.clone().unwrap_or_default();
    let project = world.projects.iter().find(|project| project.id == call.path("projectId")).cloned();
    let project = project.filter(|project| project.platform == "acc").ok_or_else(missing)?;
    if !project.members.contains(&user) {
        return Err(gateway(403, "AUTH-012", "You don't have permission to access this API"));
    }
    if project.status != "active" && !call.operation.starts_with("get") && !call.operation.starts_with("list") {
        return Err(refusal(403, "ISSUES_SERVICE_FORBIDDEN", "The project is archived.", "projectId"));
    }
    match call.operation.as_str() {
        "getIssuesProfile" => Ok(profile(&project, &user)),
        "getIssueTypes" => Ok(types(world, call, &project)),
        "getIssueAttributeDefinitions" => Ok(attributes(world, call, &project, definition)),
        "getIssueAttributeMappings" => Ok(attributes(world, call, &project, mapping)),
        "getRootCauseCategories" => Ok(page(call, 100, &[] as &[Value], Value::clone)),
        "listIssues" => list(world, call, &project, &user),
        "createIssue" => {
            let id = create(world, &project, &user, fields(call), call.now)?;
            Ok(Reply::json(200, shown(world, &id)?))
        }
        "getIssue" => {
            let id = visible(world, call, &project, &user)?.id.clone();
            Ok(Reply::ok(shown(world, &id)?))
        }
        "patchIssue" => {
            let id = visible(world, call, &project, &user)?.id.clone();
            let fields = fields(call);
            permitted(world, &fields)?;
            edit(world, &id, &user, fields, call.now)?;
            Ok(Reply::ok(shown(world, &id)?))
        }
        "listComments" => {
            let id = visible(world, call, &project, &user)?.id.clone();
            let comments: Vec<&Comment> = world.comments.iter().filter(|comment| comment.issue_id == id).collect();
            Ok(page(call, 100, &comments, |comment| comment_view(comment)))
        }
        "createComment" => {
            let id = visible(world, call, &project, &user)?.id.clone();
            let body = call.valid.body.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
            let comment = comment(world, &id, &user, body, call.now);
            Ok(Reply::created(comment_view(&comment)))
        }
        other => Err(gateway(501, "SANDBOX", &format!("the sandbox does not offer {other}"))),
    }
}

fn fields(call: &Call) -> Map<String, Value> {
    call.valid.body.as_object().cloned().unwrap_or_default()
}

fn profile(project: &Project, user: &str) -> Reply {
    Reply::ok(json!({"id": user, "isProjectAdmin": project.admins.contains(user), "canManageTemplates": "",
        "issues": {"new": {"permittedActions": ["assign_all"], "permittedAttributes": ATTRIBUTES, "permittedStatuses": STATUSES}},
        "permissionLevels": ["create", "read", "write"]}))
}

/// Subtypes stand there only if they are asked for.
fn types(world: &World, call: &Call, project: &Project) -> Reply {
    let with_subtypes = call.query("include") == Some("subtypes");
    let active = call.valid.query.get("filter[isActive]").and_then(Value::as_bool);
    let of_project: Vec<&Subtype> = world.subtypes.iter().filter(|one| one.project_id == project.id).collect();
    let mut kinds: Vec<(&str, &str)> =
        of_project.iter().map(|one| (one.type_id.as_str(), one.type_title.as_str())).collect();
    kinds.dedup();
    page(call, 100, &kinds, |(id, title)| {
        let mut kind = json!({"id": id, "title": title, "isActive": true, "orderIndex": 0, "deletedAt": null});
        if with_subtypes {
            let of_kind = of_project.iter().filter(|one| one.type_id == *id);
            let of_kind = of_kind.filter(|one| active.is_none_or(|active| one.active == active));
            let view = |one: &&Subtype| {
                json!({"id": one.id, "issueTypeId": one.type_id, "title": one.title, "isActive": one.active,
                    "isReadOnly": false, "orderIndex": 0, "code": "SAF", "deletedAt": null})
            };
            kind["subtypes"] = of_kind.map(view).collect();
        }
        kind
    })
}

/// Of one item or all; those of a type are not shown for its subtypes.
fn attributes(world: &World, call: &Call, project: &Project, view: fn(&Attribute) -> Value) -> Reply {
    let wanted = call.valid.query.get("filter[mappedItemId]").and_then(Value::as_array);
    let asked = |one: &&Attribute| wanted.is_none_or(|wanted| wanted.iter().any(|item| *item == one.item_id.as_str()));
    let of_project = world.attributes.iter().filter(|one| one.project_id == project.id);
    page(call, 100, &of_project.filter(asked).collect::<Vec<_>>(), |one| view(one))
}

fn definition(one: &Attribute) -> Value {
    json!({"id": one.id, "title": one.title, "dataType": "text", "metadata": {}, "deletedAt": null})
}

fn mapping(one: &Attribute) -> Value {
    json!({"id": format!("mapping-{}", one.id), "attributeDefinitionId": one.id, "mappedItemType": "issueSubtype",
        "mappedItemId": one.item_id, "order": 0, "isRequired": one.required})
}

fn visible<'a>(world: &'a World, call: &Call, project: &Project, user: &str) -> Result<&'a Issue, Reply> {
    let issue = world.issues.iter().find(|issue| issue.id == call.path("issueId") && issue.project_id == project.id);
    issue.filter(|issue| issue.seen_by(user)).ok_or_else(missing)
}

pub(super) fn create(
    world: &mut World,
    project: &Project,
    user: &str,
    mut fields: Map<String, Value>,
    now: Timestamp,
) -> Result<String, Reply> {
    fields.entry("published").or_insert(json!(false));
    let type_id =
        accept(world, &project.id, &fields)?.ok_or_else(|| bad("issueSubtypeId is missing", "issueSubtypeId"))?;
    let subtype = fields.get("issueSubtypeId").and_then(Value::as_str).unwrap_or_default();
    let filled = |one: &&Attribute| {
        let given = fields.get("customAttributes").and_then(Value::as_array).into_iter().flatten();
        given.clone().any(|each| each["attributeDefinitionId"] == one.id.as_str() && !each["value"].is_null())
    };
    let demanded =
        world.attributes.iter().filter(|one| one.required && (one.item_id == subtype || one.item_id == type_id));
    if let Some(missing) = demanded.clone().find(|one| !filled(one)) {
        return Err(bad(&format!("{} is required", missing.title), "customAttributes"));
    }
    let id = world.id();
    let display_id = world.display_id(&project.id);
    let closed = (fields.get("status") == Some(&json!("closed"))).then(|| (now, user.to_owned()));
    world.issues.push(Issue {
        id: id.clone(),
        project_id: project.id.clone(),
        display_id,
        type_id,
        fields,
        created_by: user.to_owned(),
        created_at: now,
        updated_by: user.to_owned(),
        updated_at: now,
        closed,
        deleted: None,
    });
    hooks::raise(world, "issue.created-1.0", &id, None);
    Ok(id)
}

/// What the schema cannot say. Answers the type of the subtype, where one is written.
fn accept(world: &World, project: &str, fields: &Map<String, Value>) -> Result<Option<String>, Reply> {
    if fields.contains_key("assignedTo") != fields.contains_key("assignedToType") {
        return Err(bad("assignedTo and assignedToType go together", "assignedToType"));
    }
    let Some(subtype) = fields.get("issueSubtypeId") else { return Ok(None) };
    let known = world.subtypes.iter().find(|one| one.project_id == project && subtype == one.id.as_str());
    match known {
        Some(known) if known.active => Ok(Some(known.type_id.clone())),
        Some(_) => Err(bad("the issue subtype is not active", "issueSubtypeId")),
        None => Err(bad("the issue subtype does not exist", "issueSubtypeId")),
    }
}

fn permitted(world: &World, fields: &Map<String, Value>) -> Result<(), Reply> {
    let Some(permitted) = &world.settings.permitted_attributes else { return Ok(()) };
    match fields.keys().find(|name| !permitted.contains(name)) {
        Some(name) => Err(refusal(403, "ISSUES_SERVICE_FORBIDDEN", &format!("{name} may not be changed"), name)),
        None => Ok(()),
    }
}

pub(super) fn edit(
    world: &mut World,
    id: &str,
    user: &str,
    fields: Map<String, Value>,
    now: Timestamp,
) -> Result<(), Reply> {
    let project = world.issues.iter().find(|issue| issue.id == id).map(|issue| issue.project_id.clone());
    let type_id = accept(world, &project.ok_or_else(missing)?, &fields)?;
    let issue = world.issues.iter_mut().find(|issue| issue.id == id).ok_or_else(missing)?;
    if issue.deleted.is_some() {
        return Err(refusal(409, "ISSUES_SERVICE_CONFLICT", "A deleted issue cannot be updated.", "id"));
    }
    if let Some(status) = fields.get("status") {
        let closes = status == "closed";
        issue.closed = closes.then(|| issue.closed.take().unwrap_or_else(|| (now, user.to_owned())));
    }
    issue.type_id = type_id.unwrap_or_else(|| issue.type_id.clone());
    let changed = fields.keys().cloned().collect();
    issue.fields.extend(fields);
    issue.updated_by = user.to_owned();
    issue.updated_at = now;
    hooks::raise(world, "issue.updated-1.0", id, Some(changed));
    Ok(())
}

/// Only people delete and restore: there is no call for it.
pub(super) fn set_deleted(world: &mut World, id: &str, user: &str, deleted: bool, now: Timestamp) -> Result<(), Reply> {
    let issue = world.issues.iter_mut().find(|issue| issue.id == id).ok_or_else(missing)?;
    issue.deleted = deleted.then(|| (now, user.to_owned()));
    issue.updated_by = user.to_owned();
    issue.updated_at = now;
    hooks::raise(world, if deleted { "issue.deleted-1.0" } else { "issue.restored-1.0" }, id, None);
    Ok(())
}

/// Whether a comment moves its issue's `updatedAt` is not known; here it does not.
pub(super) fn comment(world: &mut World, issue: &str, user: &str, body: String, now: Timestamp) -> Comment {
    let comment =
        Comment { id: world.id(), issue_id: issue.to_owned(), body, created_by: user.to_owned(), created_at: now };
    world.comments.push(comment.clone());
    comment
}

fn comment_view(comment: &Comment) -> Value {
    json!({"id": comment.id, "body": comment.body, "createdBy": comment.created_by,
        "createdAt": comment.created_at.to_string()})
}

fn list(world: &World, call: &Call, project: &Project, user: &str) -> Outcome {
    let mut found = Vec::new();
    let by_change = call.valid.query.contains_key("filter[updatedAt]");
    for issue in world.issues.iter().filter(|issue| issue.project_id == project.id && issue.seen_by(user)) {
        let age = call.now.duration_since(if by_change { issue.updated_at } else { issue.created_at });
        if age >= SignedDuration::from_secs(world.settings.list_lag_seconds) && fits(call, issue)? {
            found.push(issue);
        }
    }
    let sort = call.valid.query.get("sortBy").and_then(|sort| sort.as_str().or_else(|| sort.get(0)?.as_str()));
    match sort.map(|sort| sort.trim_start_matches('-')) {
        None | Some("createdAt") => found.sort_by_key(|issue| issue.created_at),
        Some("updatedAt") => found.sort_by_key(|issue| issue.updated_at),
        Some("displayId") => found.sort_by_key(|issue| issue.display_id),
        Some(other) => return Err(bad(&format!("the sandbox does not sort by {other}"), "sortBy")),
    }
    if sort.is_some_and(|sort| sort.starts_with('-')) {
        found.reverse();
    }
    Ok(page(call, 100, &found, |issue| view(world, issue)))
}

fn fits(call: &Call, issue: &Issue) -> Result<bool, Reply> {
    let deleted = call.valid.query.get("filter[deleted]") == Some(&json!(true));
    let mut fits = issue.deleted.is_some() == deleted;
    for (name, wanted) in &call.valid.query {
        let Some(member) = name.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')) else { continue };
        let one_of = |value: Option<&str>| match wanted {
            Value::Array(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            wanted => value.is_some_and(|value| wanted == value),
        };
        let text = wanted.as_str().unwrap_or_default();
        fits &= match member {
            "deleted" => true,
            "id" => one_of(Some(&issue.id)),
            "issueTypeId" => one_of(Some(&issue.type_id)),
            "createdBy" => one_of(Some(&issue.created_by)),
            "updatedBy" => one_of(Some(&issue.updated_by)),
            "issueSubtypeId" | "status" | "assignedTo" | "assignedToType" | "rootCauseId" | "locationId" => {
                one_of(issue.text(member))
            }
            "createdAt" => within(text, Some(issue.created_at))?,
            "updatedAt" => within(text, Some(issue.updated_at))?,
            "closedAt" => within(text, issue.closed.as_ref().map(|(at, _)| *at))?,
            "search" => {
                let (text, title) = (text.to_lowercase(), issue.text("title").unwrap_or_default().to_lowercase());
                title.contains(&text) || issue.display_id.to_string() == text
            }
            other => return Err(bad(&format!("the sandbox does not filter by {other}"), other)),
        };
    }
    Ok(fits)
}

/// A value, or a range that is open at one end or at neither.
fn within(text: &str, at: Option<Timestamp>) -> Result<bool, Reply> {
    let instant = |text: &str, fallback: Timestamp| match text {
        "" => Ok(fallback),
        text => text.parse::<Timestamp>().map_err(|_| bad(&format!("{text:?} is not an ISO 8601 time"), "filter")),
    };
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (instant(from, Timestamp::MIN)?, instant(to, Timestamp::MAX)?),
        None => (instant(text, Timestamp::MIN)?, instant(text, Timestamp::MAX)?),
    };
    Ok(at.is_some_and(|at| (from..=to).contains(&at)))
}

fn shown(world: &World, id: &str) -> Result<Value, Reply> {
    world.issues.iter().find(|issue| issue.id == id).map(|issue| view(world, issue)).ok_or_else(missing)
}

fn view(world: &World, issue: &Issue) -> Value {
    let comments = world.comments.iter().filter(|comment| comment.issue_id == issue.id).count();
    let moment = |done: &Option<(Timestamp, String)>| done.as_ref().map(|(at, _)| at.to_string());
    let who = |done: &Option<(Timestamp, String)>| done.as_ref().map(|(_, user)| user.clone());
    let mut view = json!({"id": issue.id, "containerId": issue.project_id, "displayId": issue.display_id,
        "issueTypeId": issue.type_id, "deleted": issue.deleted.is_some(), "deletedAt": moment(&issue.deleted),
        "deletedBy": who(&issue.deleted), "closedAt": moment(&issue.closed), "closedBy": who(&issue.closed),
        "createdAt": issue.created_at.to_string(), "createdBy": issue.created_by,
        "updatedAt": issue.updated_at.to_string(), "updatedBy": issue.updated_by, "commentCount": comments,
        "attachmentCount": "", "linkedDocuments": [], "permittedStatuses": STATUSES, "permittedAttributes": ATTRIBUTES,
        "permittedActions": [], "customAttributes": [], "watchers": []});
    for nullable in [
        "description",
        "assignedTo",
        "assignedToType",
        "dueDate",
        "startDate",
        "locationId",
        "locationDetails",
        "rootCauseId",
    ] {
        view[nullable] = Value::Null;
    }
    if let Some(permitted) = &world.settings.permitted_attributes {
        view["permittedAttributes"] = json!(permitted);
    }
    for (name, value) in &issue.fields {
        view[name] = value.clone();
    }
    view
}
