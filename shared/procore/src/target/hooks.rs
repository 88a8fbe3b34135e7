//! Our hook on a project: one, in our own namespace, with an Authorization value of our choice. Injuries raise no event, so
//! incidents are all there is to subscribe to; our own observations would ring for each of our own writes.
use super::At;
use crate::client::{Procore, unreadable};
use crate::pages::id;
use crate::request::{Effect, Place, Request, Tool};
use platform::Reply;
use reqwest::Method;
use serde_json::{Value, json};
use sync::target::{Call, FoundHook, TargetError};

const NAMESPACE: &str = "hardhat-pulse";
const PAYLOAD: &str = "v4.0";
const RESOURCE: &str = "Incidents";
const EVENTS: [&str; 3] = ["create", "update", "delete"];
/// The most that the second version of the API gives at once; ours are few.
const PER_PAGE: usize = 100;

pub(super) async fn own_user(procore: &Procore, call: Call<'_>, at: At) -> Result<String, TargetError> {
    let request = Request::get(at.company, "/rest/v1.0/me".into(), Place::Account, Tool::Webhooks);
    let reply = procore.send(call, &request.with("company_id", at.company)).await?;
    id(&reply.body).map(|id| id.to_string()).ok_or_else(|| unreadable(Effect::Repeatable))
}

pub(super) async fn find(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    url: &str,
) -> Result<Option<FoundHook>, TargetError> {
    let Some(hook) = ours(procore, call, at, url).await?.into_iter().next() else { return Ok(None) };
    let id = id_of(&hook)?;
    let active = hook.get("status").and_then(Value::as_str) == Some("active");
    let sound = active && missing(procore, call, at, &id).await?.is_empty();
    Ok(Some(FoundHook { id, sound }))
}

/// Makes the hook, or gives a standing one a new secret, its triggers, and life. Doubles of ours go.
pub(super) async fn mend(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    url: &str,
    authorization: &str,
    standing: Option<String>,
) -> Result<String, TargetError> {
    let headers = json!({"Authorization": authorization});
    let id = match standing {
        Some(id) => {
            let body = json!({"status": "active", "payload_version": PAYLOAD, "destination_headers": headers});
            write(procore, call, at, Method::PATCH, format!("{}/{id}", base(at)), body).await?;
            id
        }
        None => {
            let body = json!({"payload_version": PAYLOAD, "namespace": NAMESPACE, "destination_url": url,
                "destination_headers": headers});
            let reply = write(procore, call, at, Method::POST, base(at), body).await?;
            id_of(reply.body.get("data").unwrap_or(&Value::Null))?
        }
    };
    let wanted = missing(procore, call, at, &id).await?;
    if !wanted.is_empty() {
        let body = Value::Array(wanted);
        write(procore, call, at, Method::POST, format!("{}/{id}/triggers/bulk", base(at)), body).await?;
    }
    for double in ours(procore, call, at, url).await? {
        let other = id_of(&double)?;
        if other != id {
            delete(procore, call, at, &other).await?;
        }
    }
    Ok(id)
}

/// Deletes all hooks of ours that ring there.
pub(super) async fn drop(procore: &Procore, call: Call<'_>, at: At, url: &str) -> Result<(), TargetError> {
    for hook in ours(procore, call, at, url).await? {
        delete(procore, call, at, &id_of(&hook)?).await?;
    }
    Ok(())
}

async fn delete(procore: &Procore, call: Call<'_>, at: At, id: &str) -> Result<(), TargetError> {
    let request =
        Request::get(at.company, format!("{}/{id}", base(at)), Place::Record, Tool::Webhooks).method(Method::DELETE);
    match procore.send(call, &request).await {
        Ok(_) | Err(TargetError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn ours(procore: &Procore, call: Call<'_>, at: At, url: &str) -> Result<Vec<Value>, TargetError> {
    let request = read(at, base(at)).with("namespace", NAMESPACE);
    let hooks = data(procore.send(call, &request).await?)?;
    let rings_here = |hook: &Value| hook.get("destination_url").and_then(Value::as_str) == Some(url);
    Ok(hooks.into_iter().filter(rings_here).collect())
}

/// Triggers that the hook lacks.
async fn missing(procore: &Procore, call: Call<'_>, at: At, id: &str) -> Result<Vec<Value>, TargetError> {
    let triggers = data(procore.send(call, &read(at, format!("{}/{id}/triggers", base(at)))).await?)?;
    let text = |trigger: &Value, name: &str| {
        trigger.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase()
    };
    let has = |event: &str| {
        triggers.iter().any(|each| {
            text(each, "resource_name") == RESOURCE.to_ascii_lowercase() && text(each, "event_type") == event
        })
    };
    let wanted = EVENTS.into_iter().filter(|event| !has(event));
    Ok(wanted.map(|event| json!({"resource_name": RESOURCE, "event_type": event})).collect())
}

fn base(at: At) -> String {
    format!("/rest/v2.0/companies/{}/projects/{}/webhooks/hooks", at.company, at.project)
}

fn read(at: At, path: String) -> Request {
    Request::get(at.company, path, Place::Project, Tool::Webhooks).with("per_page", PER_PAGE)
}

async fn write(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    method: Method,
    path: String,
    body: Value,
) -> Result<Reply, TargetError> {
    procore.send(call, &Request::write(at.company, method, path, body, Place::Project, Tool::Webhooks)).await
}

fn data(reply: Reply) -> Result<Vec<Value>, TargetError> {
    match reply.body.get("data") {
        Some(Value::Array(items)) => Ok(items.clone()),
        _ => Err(unreadable(Effect::Repeatable)),
    }
}

fn id_of(hook: &Value) -> Result<String, TargetError> {
    id(hook).map(|id| id.to_string()).ok_or_else(|| unreadable(Effect::Repeatable))
}
