//! The operations on hooks, in both versions.

use serde_json::{Value, json};

use super::call::{Call, Fields, Outcome};
use super::hooks::{COMPANY_RESOURCES, Delivery, EventKind, Hook, PROJECT_RESOURCES, masked};
use super::paging::{page, page_v2};
use super::reply::{Refusal, Reply};
use super::state::World;
use super::views;
use crate::faults::Shape;

/// Exactly one of company_id and project_id, in the query or the body.
fn scope(world: &World, call: &Call) -> Result<(i64, Option<i64>), Refusal> {
    let of = |name: &str| call.query_id(name).or_else(|| call.body_id(name));
    match (of("company_id"), of("project_id")) {
        (Some(company), None) if company == call.company_id => Ok((company, None)),
        (None, Some(project))
            if world.projects.get(&project).is_some_and(|known| known.company_id == call.company_id) =>
        {
            Ok((call.company_id, Some(project)))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Refusal::new(400, Shape::Flat, "Give exactly one of company_id and project_id."))
        }
        _ => Err(Refusal::not_found()),
    }
}

fn scope_v2(call: &Call) -> (i64, Option<i64>) {
    (call.company_id, Some(call.path_id("project_id")).filter(|id| *id != 0))
}

fn hook(world: &World, id: i64, scope: (i64, Option<i64>)) -> Result<&Hook, Refusal> {
    let hook = world.hooks.hooks.get(&id).filter(|hook| (hook.company_id, hook.project_id) == scope);
    hook.ok_or_else(Refusal::not_found)
}

fn in_scope<'a>(world: &'a World, call: &'a Call, scope: (i64, Option<i64>)) -> impl Iterator<Item = &'a Hook> {
    let namespace = call.query_text("namespace");
    world.hooks.hooks.values().filter(move |hook| {
        (hook.company_id, hook.project_id) == scope
            && namespace.is_none_or(|name| hook.namespace.as_deref() == Some(name))
    })
}

fn write(hook: &mut Hook, fields: &Fields<'_>) {
    hook.payload_version =
        fields.text("payload_version").or(fields.text("api_version")).unwrap_or(hook.payload_version.clone());
    hook.namespace = fields.text("namespace").or(hook.namespace.take());
    hook.destination_url = fields.text("destination_url").unwrap_or(hook.destination_url.clone());
    let authorization = fields.get("destination_headers").and_then(|headers| headers.get("Authorization"));
    hook.authorization = authorization.and_then(Value::as_str).map(str::to_owned).or(hook.authorization.take());
    if let Some(status) = fields.text("status") {
        hook.active = status == "active";
    }
}

fn make(world: &mut World, call: &Call, scope: (i64, Option<i64>), fields: &Fields<'_>) -> i64 {
    let mut hook = Hook {
        id: world.id(),
        company_id: scope.0,
        project_id: scope.1,
        payload_version: "v2".to_owned(),
        namespace: None,
        destination_url: String::new(),
        authorization: None,
        active: true,
        created_at: call.now,
        triggers: Default::default(),
    };
    write(&mut hook, fields);
    let id = hook.id;
    world.hooks.hooks.insert(id, hook);
    id
}

fn add_trigger(world: &mut World, hook_id: i64, scope: (i64, Option<i64>), spec: &Fields<'_>) -> Result<i64, Refusal> {
    let resource = spec.text("resource_name").unwrap_or_default();
    let known: &[(&str, &[EventKind])] = if scope.1.is_some() { &PROJECT_RESOURCES } else { &COMPANY_RESOURCES };
    let events = known.iter().find(|(name, _)| *name == resource).map(|(_, events)| *events);
    let events = events.ok_or_else(|| Refusal::field("resource_name", "is not a resource of this scope"))?;
    let event = spec.text("event_type").and_then(|text| EventKind::parse(&text)).filter(|event| events.contains(event));
    let event = event.ok_or_else(|| Refusal::field("event_type", "cannot be subscribed for this resource"))?;
    let id = world.id();
    let hook = world.hooks.hooks.get_mut(&hook_id).ok_or_else(Refusal::not_found)?;
    hook.triggers.insert(id, (resource, event));
    Ok(id)
}

fn view_v1(hook: &Hook) -> Value {
    json!({"id": hook.id, "api_version": hook.payload_version, "namespace": hook.namespace,
        "destination_url": hook.destination_url, "destination_headers": headers(hook),
        "owned_by_company_id": hook.project_id.is_none().then_some(hook.company_id),
        "owned_by_project_id": hook.project_id, "owned_by_user_id": null})
}

fn view_v2(hook: &Hook) -> Value {
    json!({"id": hook.id.to_string(), "status": if hook.active { "active" } else { "disabled" },
        "payload_version": hook.payload_version, "namespace": hook.namespace, "destination_url": hook.destination_url,
        "destination_headers": headers(hook), "trigger_count": hook.triggers.len(),
        "company_id": hook.company_id.to_string(), "project_id": hook.project_id.map(|id| id.to_string()),
        "created_at": views::time(hook.created_at), "updated_at": views::time(hook.created_at)})
}

fn headers(hook: &Hook) -> Value {
    hook.authorization.as_deref().map_or(json!({}), |value| json!({"Authorization": masked(value)}))
}

fn triggers_v1(hook: &Hook) -> Vec<Value> {
    let view = |(id, (resource, event)): (&i64, &(String, EventKind))| {
        json!({"id": id, "webhook_hook_id": hook.id, "resource_name": resource, "resource_id": null,
            "event_type": event.as_str().to_uppercase(), "company_id": hook.project_id.is_none().then_some(hook.company_id),
            "project_id": hook.project_id, "user_id": null})
    };
    hook.triggers.iter().map(view).collect()
}

fn triggers_v2(hook: &Hook) -> Vec<Value> {
    let view = |(id, (resource, event)): (&i64, &(String, EventKind))| {
        json!({"id": id.to_string(), "webhook_hook_id": hook.id.to_string(), "resource_name": resource,
            "event_type": event.as_str(), "company_id": hook.company_id.to_string(),
            "project_id": hook.project_id.map(|id| id.to_string())})
    };
    hook.triggers.iter().map(view).collect()
}

pub(crate) fn v1(world: &mut World, call: &Call) -> Outcome {
    let scope = match call.operation_id.as_str() {
        "updateHookV1" => hook_scope(world, call, "id")?,
        "createTriggerV1" | "bulkCreateTriggersV1" => hook_scope(world, call, "hook_id")?,
        _ => scope(world, call)?,
    };
    let hook_id = call.path_id("hook_id");
    match call.operation_id.as_str() {
        "listHooksV1" => Ok(Reply::ok(in_scope(world, call, scope).map(view_v1).collect())),
        "createHookV1" => {
            let id = make(world, call, scope, &call.fields("hook"));
            Ok(Reply::created(view_v1(&world.hooks.hooks[&id])))
        }
        "updateHookV1" => {
            let id = hook(world, call.path_id("id"), scope)?.id;
            let found = world.hooks.hooks.get_mut(&id).ok_or_else(Refusal::not_found)?;
            write(found, &call.fields("hook"));
            Ok(Reply::ok(view_v1(found)))
        }
        "deleteHookV1" => {
            let id = hook(world, call.path_id("id"), scope)?.id;
            world.hooks.hooks.remove(&id);
            Ok(Reply::empty(200))
        }
        "listTriggersV1" => Ok(Reply::ok(Value::Array(triggers_v1(hook(world, hook_id, scope)?)))),
        "createTriggerV1" => {
            let version = call.valid.body.get("api_version").and_then(Value::as_str).unwrap_or_default();
            if hook(world, hook_id, scope)?.payload_version != version {
                return Err(Refusal::field("api_version", "must be that of the hook"));
            }
            let id = add_trigger(world, hook_id, scope, &call.fields("trigger"))?;
            let made = triggers_v1(&world.hooks.hooks[&hook_id]).into_iter().find(|trigger| trigger["id"] == id);
            Ok(Reply::created(made.unwrap_or(Value::Null)))
        }
        "bulkCreateTriggersV1" => {
            let specs = call.valid.body.get("triggers").and_then(Value::as_array).cloned().unwrap_or_default();
            let mut failed = Vec::new();
            for spec in specs.iter() {
                if let Err(refusal) = add_trigger(world, hook_id, scope, &Fields::of(spec)) {
                    failed.push(json!({"trigger": spec, "errors": refusal.reply().body()}));
                }
            }
            let status = if failed.is_empty() { 200 } else { 207 };
            Ok(Reply::json(status, json!({"success": triggers_v1(&world.hooks.hooks[&hook_id]), "failed": failed})))
        }
        _ => {
            let deliveries = deliveries_of(world, hook(world, hook_id, scope)?.id);
            let start = call.query_id("page_start").unwrap_or(i64::MAX);
            let size = call.query_id("page_size").and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
            let shown = deliveries.rev().filter(|delivery| delivery.id < start).take(size).map(delivery_v1);
            Ok(Reply::ok(shown.collect()))
        }
    }
}

/// Writes on a hook name their scope in the body; the hook must have the same one.
fn hook_scope(world: &World, call: &Call, name: &str) -> Result<(i64, Option<i64>), Refusal> {
    let asked = scope(world, call)?;
    hook(world, call.path_id(name), asked).map(|_| asked)
}

fn deliveries_of(world: &World, hook_id: i64) -> impl DoubleEndedIterator<Item = &Delivery> {
    world.hooks.deliveries.values().filter(move |delivery| delivery.hook_id == hook_id)
}

fn delivery_v1(delivery: &Delivery) -> Value {
    let outcome = match delivery.status.as_str() {
        "delivered" => "ok",
        "discarded" => "discarded",
        _ => "retried",
    };
    json!({"id": delivery.id, "event": delivery.payload, "event_id": delivery.id, "outcome": outcome,
        "response_status": delivery.response_status, "response_headers": null, "response_body": null,
        "response_error": delivery.error, "started_at": views::time(delivery.at), "completed_at": null})
}

pub(crate) fn resources_v1(world: &World, call: &Call) -> Outcome {
    let known: &[(&str, &[EventKind])] =
        if scope(world, call)?.1.is_some() { &PROJECT_RESOURCES } else { &COMPANY_RESOURCES };
    let resources = known.iter().map(|(name, events)| {
        let except = ["create", "update", "delete"].into_iter().filter(|kind| !events.iter().any(|event| event.as_str() == *kind));
        json!({"name": name, "api_version": "v2", "product_category": "Project Management", "tools": "", "except": except.collect::<Vec<_>>()})
    });
    Ok(Reply::ok(resources.collect()))
}

pub(crate) fn v2(world: &mut World, call: &Call) -> Outcome {
    let scope = scope_v2(call);
    let body = Fields::of(&call.valid.body);
    match call.operation_id.as_str() {
        "listHooksV2" => Ok(page_v2(call, in_scope(world, call, scope).map(view_v2).collect())),
        "createHookV2" | "createCompanyHookV2" => {
            let id = make(world, call, scope, &body);
            Ok(Reply::created(json!({"data": view_v2(&world.hooks.hooks[&id])})))
        }
        "showHookV2" => Ok(Reply::ok(json!({"data": view_v2(hook(world, call.path_id("id"), scope)?)}))),
        "updateHookV2" => {
            let id = hook(world, call.path_id("id"), scope)?.id;
            let found = world.hooks.hooks.get_mut(&id).ok_or_else(Refusal::not_found)?;
            write(found, &body);
            Ok(Reply::ok(json!({"data": view_v2(found)})))
        }
        "deleteHookV2" => {
            let id = hook(world, call.path_id("id"), scope)?.id;
            world.hooks.hooks.remove(&id);
            Ok(Reply::empty(204))
        }
        "listTriggersV2" => Ok(page_v2(call, triggers_v2(hook(world, call.path_id("hook_id"), scope)?))),
        "bulkCreateTriggersV2" => {
            let hook_id = hook(world, call.path_id("hook_id"), scope)?.id;
            let specs = call.valid.body.as_array().cloned().unwrap_or_default();
            let mut failed = Vec::new();
            for spec in &specs {
                if let Err(refusal) = add_trigger(world, hook_id, scope, &Fields::of(spec)) {
                    failed.push(json!({"trigger": spec, "errors": refusal.reply().body()}));
                }
            }
            let data = triggers_v2(&world.hooks.hooks[&hook_id]);
            if failed.is_empty() {
                return Ok(Reply::created(json!({"data": data})));
            }
            Ok(Reply::json(207, json!({"data": data, "errors": failed})))
        }
        "listDeliveriesV2" => {
            let hook_id = hook(world, call.path_id("hook_id"), scope)?.id;
            let view = |delivery: &Delivery| {
                json!({"id": delivery.id.to_string(), "status": delivery.status, "payload": delivery.payload,
                    "delivery_attempts": (0..delivery.attempts).map(|_| json!({})).collect::<Vec<_>>()})
            };
            Ok(page_v2(call, deliveries_of(world, hook_id).map(view).collect()))
        }
        _ => {
            let version = call.query_text("payload_version").unwrap_or_default();
            let resources = PROJECT_RESOURCES.iter().map(|(name, events)| {
                json!({"category": "Project Management", "tool": name, "name": name, "payload_version": version,
                    "actions": events.iter().map(|event| event.as_str()).collect::<Vec<_>>()})
            });
            Ok(page_v2(call, resources.collect()))
        }
    }
}

pub(crate) fn app_configurations(call: &Call) -> Outcome {
    Ok(page(call, Vec::new()))
}
