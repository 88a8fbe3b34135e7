//! Webhooks of Issues: hooks by event and region, one secret per user, thin signed events, eight retries in two days.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::Serialize;
use serde_json::{Value, json};

use super::Core;
use super::pipeline::{Call, Outcome, gateway};
use super::state::World;
use crate::reply::Reply;

const SYSTEM: &str = "autodesk.construction.issues";
const EVENTS: [&str; 5] =
    ["issue.created-1.0", "issue.updated-1.0", "issue.deleted-1.0", "issue.restored-1.0", "issue.unlinked-1.0"];
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(6);
/// Doubled after each of eight retries, this comes to 48 hours.
const FIRST_PAUSE: Duration = Duration::from_secs(678);
const RETRIES: u32 = 8;
/// After so many events that nobody took a hook is switched off.
const EXHAUSTED_EVENTS: u32 = 5;

#[derive(Clone, Debug, Serialize)]
pub struct Hook {
    pub id: String,
    pub event: String,
    pub region: String,
    pub project_id: String,
    pub callback_url: String,
    pub attribute: Value,
    pub payload_only: bool,
    pub auto_reactivate: bool,
    /// A secret of its own, instead of its maker's.
    #[serde(skip)]
    secret: Option<Secret>,
    pub created_by: String,
    pub created_at: Timestamp,
    /// `active` or `inactive`
    pub status: String,
    /// Events whose retries all failed.
    pub exhausted: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub id: String,
    pub hook_id: String,
    pub body: String,
    pub attempts: u32,
    /// `waiting`, `delivered` or `lost`
    pub status: String,
}

/// A user's secret or a hook's, with the one before it and when the new one came.
#[derive(Clone, Debug)]
struct Secret {
    token: String,
    before: Option<(String, Timestamp)>,
}

impl Secret {
    fn replace(&mut self, token: String, now: Timestamp) {
        self.before = Some((std::mem::replace(&mut self.token, token), now));
    }

    /// The one that is signed with: a change takes its time.
    fn current(&self, now: Timestamp, lag: SignedDuration) -> &str {
        match &self.before {
            Some((before, at)) if now.duration_since(*at) < lag => before,
            _ => &self.token,
        }
    }
}

#[derive(Default)]
pub(super) struct Hooks {
    pub(super) hooks: Vec<Hook>,
    pub(super) deliveries: Vec<Delivery>,
    /// Not yet given to the task that sends.
    fresh: Vec<String>,
    secrets: BTreeMap<String, Secret>,
    /// Grows with each reset: who sends for an older one stops.
    pub(super) era: u64,
}

fn missing() -> Reply {
    gateway(404, "WEBHOOKS-404", "The hook does not exist.")
}

pub(super) fn answer(world: &mut World, call: &Call) -> Outcome {
    let user = call.user.clone().ok_or_else(|| gateway(403, "AUTH-001", "The sandbox has hooks of users only."))?;
    let (event, id) = (call.path("event").to_owned(), call.path("hook_id").to_owned());
    match call.operation.as_str() {
        "createHookSecret" | "replaceHookSecret" | "deleteHookSecret" => return secret(world, call, &user),
        _ if call.path("system") != SYSTEM || !EVENTS.contains(&event.as_str()) => {
            return Err(gateway(404, "WEBHOOKS-404", "The sandbox knows the events of Issues only."));
        }
        _ => {}
    }
    let mine = |hook: &Hook| hook.created_by == user && hook.region == call.hook_region && hook.event == event;
    match call.operation.as_str() {
        "createHook" => create(world, call, &user, event),
        "listHooks" => {
            let status = call.query("status");
            let shown = world.hooks.hooks.iter().filter(|hook| mine(hook));
            let shown = shown.filter(|hook| status.is_none_or(|status| hook.status == status));
            let data: Vec<Value> = shown.map(view).collect();
            // Nothing at all where a list would be empty.
            Ok(if data.is_empty() {
                Reply::empty(204)
            } else {
                Reply::ok(json!({"data": data, "links": {"next": null}}))
            })
        }
        "getHook" => {
            let hook = world.hooks.hooks.iter().find(|hook| hook.id == id && mine(hook));
            Ok(Reply::ok(view(hook.ok_or_else(missing)?)))
        }
        "patchHook" => {
            let hook = world.hooks.hooks.iter_mut().find(|hook| hook.id == id && mine(hook)).ok_or_else(missing)?;
            patch(hook, &call.valid.body, call.now)
        }
        "deleteHook" => {
            let known = world.hooks.hooks.iter().any(|hook| hook.id == id && mine(hook));
            world.hooks.hooks.retain(|hook| hook.id != id || !known);
            if known { Ok(Reply::empty(204)) } else { Err(missing()) }
        }
        other => Err(gateway(501, "SANDBOX", &format!("the sandbox does not offer {other}"))),
    }
}

fn create(world: &mut World, call: &Call, user: &str, event: String) -> Outcome {
    let body = &call.valid.body;
    let project_id = body.pointer("/scope/project").and_then(Value::as_str).unwrap_or_default().to_owned();
    let project = world.projects.iter().find(|project| project.id == project_id);
    if !project.is_some_and(|project| project.admins.contains(user) && project.members.contains(user)) {
        return Err(gateway(403, "WEBHOOKS-403", "Hooks of a project are made by its Project Admins."));
    }
    if body.get("filter").is_some() || body.get("hookExpiry").is_some() {
        return Err(gateway(501, "SANDBOX", "the sandbox knows neither filter nor hookExpiry"));
    }
    let callback_url = body.get("callbackUrl").and_then(Value::as_str).unwrap_or_default().to_owned();
    let region = call.hook_region.clone();
    let doubled = world.hooks.hooks.iter().any(|hook| {
        (&hook.event, &hook.project_id, &hook.callback_url, &hook.region)
            == (&event, &project_id, &callback_url, &region)
    });
    if doubled {
        return Err(gateway(409, "WEBHOOKS-409", "There is such a hook already."));
    }
    let flag = |name: &str| body.get(name) == Some(&json!(true));
    let id = world.id();
    let location = format!("/webhooks/v1/systems/{SYSTEM}/events/{event}/hooks/{id}");
    world.hooks.hooks.push(Hook {
        id,
        event,
        region,
        project_id,
        callback_url,
        attribute: body.get("hookAttribute").cloned().unwrap_or(json!({})),
        payload_only: flag("callbackWithEventPayloadOnly"),
        auto_reactivate: flag("autoReactivateHook"),
        secret: None,
        created_by: user.to_owned(),
        created_at: call.now,
        status: "active".to_owned(),
        exhausted: 0,
    });
    Ok(Reply::empty(201).with("Location", location))
}

fn patch(hook: &mut Hook, body: &Value, now: Timestamp) -> Outcome {
    if body.get("filter").is_some() || body.get("hookExpiry").is_some() {
        return Err(gateway(501, "SANDBOX", "the sandbox knows neither filter nor hookExpiry"));
    }
    if let Some(status) = body.get("status").and_then(Value::as_str) {
        hook.status = status.to_owned();
        hook.exhausted = 0;
    }
    hook.attribute = body.get("hookAttribute").cloned().unwrap_or(hook.attribute.take());
    hook.auto_reactivate = body.get("autoReactivateHook").and_then(Value::as_bool).unwrap_or(hook.auto_reactivate);
    if let Some(token) = body.get("token").and_then(Value::as_str) {
        match &mut hook.secret {
            Some(secret) => secret.replace(token.to_owned(), now),
            None => hook.secret = Some(Secret { token: token.to_owned(), before: None }),
        }
    }
    Ok(Reply::empty(200))
}

/// One per user: a second is refused, a replacement takes its time.
fn secret(world: &mut World, call: &Call, user: &str) -> Outcome {
    let secrets = &mut world.hooks.secrets;
    let token = call.valid.body.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
    let none = || gateway(404, "WEBHOOKS-404", "There is no secret yet.");
    match call.operation.as_str() {
        "createHookSecret" if secrets.contains_key(user) => {
            Err(gateway(400, "WEBHOOKS-400", "There is a secret already."))
        }
        "createHookSecret" => {
            secrets.insert(user.to_owned(), Secret { token, before: None });
            Ok(Reply::ok(json!({"status": 200, "detail": []})))
        }
        "replaceHookSecret" => {
            let known = secrets.get_mut(user).ok_or_else(none)?;
            known.replace(token, call.now);
            Ok(Reply::empty(204))
        }
        _ => secrets.remove(user).map(|_| Reply::empty(204)).ok_or_else(none),
    }
}

fn view(hook: &Hook) -> Value {
    json!({"hookId": hook.id, "event": hook.event, "system": SYSTEM, "status": hook.status,
        "callbackUrl": hook.callback_url, "createdBy": hook.created_by, "createdDate": hook.created_at.to_string(),
        "creatorType": "O2User", "scope": {"project": hook.project_id}, "hookAttribute": hook.attribute,
        "autoReactivateHook": hook.auto_reactivate, "callbackWithEventPayloadOnly": hook.payload_only,
        "hookExpiry": null, "tenant": hook.project_id, "urn": format!("urn:adsk.webhooks:events.hook:{}", hook.id),
        "__self__": format!("/systems/{SYSTEM}/events/{}/hooks/{}", hook.event, hook.id)})
}

/// Says that an issue changed, to the hooks of its project in its own region. `changed` is for updates.
pub(super) fn raise(world: &mut World, event: &str, issue_id: &str, changed: Option<Vec<String>>) {
    let Some(issue) = world.issues.iter().find(|issue| issue.id == issue_id) else { return };
    let project = world.projects.iter().find(|project| project.id == issue.project_id);
    let account = project.and_then(|project| world.accounts.iter().find(|account| account.id == project.account_id));
    let region = account.map(|account| account.region.clone()).unwrap_or_default();
    let get = |name: &str| issue.fields.get(name).cloned().unwrap_or(Value::Null);
    let mut payload = json!({"projectId": issue.project_id, "id": issue.id, "status": get("status"),
        "updatedAt": issue.updated_at.to_string(), "issueTypeId": issue.type_id, "issueSubtypeId": get("issueSubtypeId"),
        "assignedTo": get("assignedTo"), "assignedToType": get("assignedToType"), "dueDate": get("dueDate"),
        "watchers": issue.fields.get("watchers").cloned().unwrap_or(json!([]))});
    if let Some(changed) = changed {
        payload["changedAttributes"] = json!(changed);
    }
    let wants = |hook: &&Hook| {
        hook.event == event && hook.project_id == issue.project_id && hook.region == region && hook.status != "inactive"
    };
    let hooks: Vec<Hook> = world.hooks.hooks.iter().filter(wants).cloned().collect();
    for hook in hooks {
        let mut body = json!({"version": "1.0", "resourceUrn": format!("urn:adsk.issues:issues.issue:{issue_id}"),
            "payload": payload});
        if !hook.payload_only {
            body["hook"] = view(&hook);
        }
        for _ in 0..world.settings.deliveries_per_event {
            let id = world.id();
            let (hook_id, body) = (hook.id.clone(), body.to_string());
            world.hooks.fresh.push(id.clone());
            world.hooks.deliveries.push(Delivery { id, hook_id, body, attempts: 0, status: "waiting".to_owned() });
        }
    }
}

/// Waits for events and sends each on a task of its own: no order is kept.
pub(super) async fn dispatch(core: Arc<Core>) {
    loop {
        core.waiting.notified().await;
        let (era, fresh) = {
            let hooks = &mut core.world().hooks;
            (hooks.era, std::mem::take(&mut hooks.fresh))
        };
        for id in fresh {
            tokio::spawn(send(Arc::downgrade(&core), era, id));
        }
    }
}

async fn send(core: Weak<Core>, era: u64, id: String) {
    let mut pause = FIRST_PAUSE;
    for attempt in 0..=RETRIES {
        let Some(held) = core.upgrade() else { return };
        let Some((url, body, signature)) = prepared(&held, era, &id) else { return };
        let http = held.http.clone();
        let clock = held.clock.clone();
        drop(held);
        let mut request = http.post(url).header("content-type", "application/json").header("x-adsk-delivery-id", &id);
        if let Some(signature) = signature {
            request = request.header("x-adsk-signature", signature);
        }
        let taken = request.body(body).send().await.is_ok_and(|answer| answer.status().is_success());
        let Some(held) = core.upgrade() else { return };
        settle(&held, era, &id, taken, attempt == RETRIES);
        drop(held);
        if taken {
            return;
        }
        clock.sleep(pause).await;
        pause *= 2;
    }
}

fn prepared(core: &Core, era: u64, id: &str) -> Option<(String, String, Option<String>)> {
    let now = core.clock.now();
    let world = &mut *core.world();
    if world.hooks.era != era {
        return None;
    }
    let lag = SignedDuration::from_secs(world.settings.secret_lag_seconds);
    let delivery = world.hooks.deliveries.iter_mut().find(|delivery| delivery.id == id)?;
    let hook = world.hooks.hooks.iter().find(|hook| hook.id == delivery.hook_id)?;
    delivery.attempts += 1;
    let secret = hook.secret.as_ref().or_else(|| world.hooks.secrets.get(&hook.created_by));
    let signature = secret.map(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.current(now, lag).as_bytes());
        let tag = hmac::sign(&key, delivery.body.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha1hash={hex}")
    });
    Some((hook.callback_url.clone(), delivery.body.clone(), signature))
}

fn settle(core: &Core, era: u64, id: &str, taken: bool, last: bool) {
    let hooks = &mut core.world().hooks;
    let Some(delivery) = hooks.deliveries.iter_mut().find(|delivery| delivery.id == id && hooks.era == era) else {
        return;
    };
    if taken {
        delivery.status = "delivered".to_owned();
    } else if last {
        delivery.status = "lost".to_owned();
        let hook_id = delivery.hook_id.clone();
        if let Some(hook) = hooks.hooks.iter_mut().find(|hook| hook.id == hook_id) {
            hook.exhausted += 1;
            if hook.exhausted >= EXHAUSTED_EVENTS {
                hook.status = "inactive".to_owned();
            }
        }
    }
}
