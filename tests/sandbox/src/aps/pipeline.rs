//! The way of one request: faults, token, limits, document, operation, answer.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::auth::{self, Ask};
use super::state::World;
use super::{Core, forms, hooks, hubs, issues, locations};
use crate::faults::{Effect, Plan, Probe};
use crate::intake::{pause, read_body};
use crate::journal::CallRecord;
use crate::openapi::{Found, Incoming, Place, Problem, Valid, check};
use crate::reply::{Reply, cut, respond};

struct Asked {
    method: String,
    path: String,
    query: String,
    pairs: Vec<(String, String)>,
    found: Option<Found>,
}

/// One accepted call.
pub(super) struct Call {
    pub(super) operation: String,
    pub(super) valid: Valid,
    /// None for the app alone.
    pub(super) user: Option<String>,
    pub(super) region: Option<String>,
    /// Where hooks are kept: by the header, else by the query, else US.
    pub(super) hook_region: String,
    pub(super) now: Timestamp,
}

pub(super) type Outcome = Result<Reply, Reply>;

impl Call {
    pub(super) fn path(&self, name: &str) -> &str {
        self.valid.path.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.valid.query.get(name).and_then(Value::as_str)
    }

    pub(super) fn count(&self, name: &str, default: usize) -> usize {
        let value = self.valid.query.get(name).and_then(Value::as_u64);
        value.and_then(|value| usize::try_from(value).ok()).unwrap_or(default)
    }
}

/// How the gateway before every service words a refusal.
pub(super) fn gateway(status: u16, code: &str, message: &str) -> Reply {
    let more = "https://aps.autodesk.com/en/docs/oauth/v2/developers_guide/error_handling/";
    Reply::json(status, json!({"developerMessage": message, "moreInfo": more, "errorCode": code}))
}

pub(super) async fn serve(core: Arc<Core>, request: Request) -> Response {
    // On a task of its own: the platform goes on with a call whose caller hung up.
    match tokio::spawn(handle(core, request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a call to the sandbox ended in a panic");
            respond(gateway(500, "SYS-500", "the sandbox failed; see its log"))
        }
    }
}

async fn handle(core: Arc<Core>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let found = core.document.find(&method, &path);
    let asked = Asked { method, path, query, pairs, found };
    let operation_id = asked.found.as_ref().map(|found| found.operation.id.as_str());
    let plan = core.faults.plan(&Probe { method: &asked.method, path: &asked.path, operation_id, company: None });
    pause(plan.delay_before_ms).await;
    if let Some(instead) = before(&plan) {
        core.record(&asked, instead.as_ref().map(|reply| reply.status), &plan, None);
        return instead.map_or_else(cut, respond);
    }
    let incoming = read_body(&parts, body).await;
    let (reply, written) = core.answer(&asked, &parts, incoming);
    let reply = match plan.effect.as_ref() {
        Some(Effect::LostAfter) => None,
        Some(effect @ Effect::Status { done: true, .. }) => Some(status_reply(effect)),
        _ => Some(reply),
    };
    core.record(&asked, reply.as_ref().map(|reply| reply.status), &plan, written);
    core.waiting.notify_one();
    pause(plan.delay_after_ms).await;
    reply.map_or_else(cut, respond)
}

/// What answers instead of the operation: None for nothing, an inner None for a cut connection.
fn before(plan: &Plan) -> Option<Option<Reply>> {
    match plan.effect.as_ref()? {
        Effect::LostBefore | Effect::Down { cut: true, .. } => Some(None),
        Effect::Down { cut: false, retry_after } => {
            Some(Some(wait(gateway(503, "SYS-503", "Service Unavailable"), *retry_after)))
        }
        Effect::AppNotConnected => Some(Some(gateway(403, "AUTH-012", "You don't have permission to access this API"))),
        effect @ Effect::Status { done: false, .. } => Some(Some(status_reply(effect))),
        Effect::Status { .. } | Effect::LostAfter | Effect::DelayBefore { .. } | Effect::DelayAfter { .. } => None,
    }
}

fn wait(reply: Reply, seconds: Option<u64>) -> Reply {
    match seconds {
        Some(seconds) => reply.with("Retry-After", seconds),
        None => reply,
    }
}

fn status_reply(effect: &Effect) -> Reply {
    let Effect::Status { status, retry_after, message, .. } = effect else { return Reply::empty(500) };
    let message = message.as_deref().unwrap_or("a fault that was asked for");
    wait(gateway(*status, "SANDBOX", message), *retry_after)
}

fn refuse(problem: &Problem, operation: &str) -> Reply {
    let message = format!("{} {}", problem.name, problem.detail);
    match problem.place {
        Place::Path => issues::refusal(404, "ISSUES_SERVICE_NOT_FOUND", &message, &problem.name),
        _ if matches!(operation, "authorize" | "fetchToken" | "revokeToken" | "introspectToken") => {
            auth::refused(400, "invalid_request", &message)
        }
        _ => issues::refusal(400, "ISSUES_SERVICE_BAD_REQUEST", &message, &problem.name),
    }
}

impl Core {
    fn record(&self, asked: &Asked, status: Option<u16>, plan: &Plan, body: Option<Value>) {
        let call = CallRecord {
            sequence: 0,
            at: self.clock.now(),
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: if asked.path.starts_with("/authentication/") { String::new() } else { asked.query.clone() },
            operation_id: asked.found.as_ref().map(|found| found.operation.id.clone()),
            company_id: None,
            client_id: None,
            status,
            fault: plan.effect.as_ref().map(|effect| format!("{effect:?}")),
            body,
        };
        self.world().journal.record(call);
    }

    fn answer(&self, asked: &Asked, parts: &Parts, incoming: Incoming) -> (Reply, Option<Value>) {
        let world = &mut *self.world();
        let Some(found) = &asked.found else {
            world.journal.violate(&asked.method, &asked.path, "the document has no such operation");
            return (gateway(404, "SYS-404", "The requested resource does not exist."), None);
        };
        let mut written = None;
        let outcome = self.run(world, asked, found, parts, incoming, &mut written);
        let reply = outcome.unwrap_or_else(|refusal| refusal);
        if world.settings.check_answers
            && reply.status < 400
            && let Some(problem) = found.operation.answer_problem(reply.status, reply.body())
        {
            world.own_problems.push(problem);
        }
        (reply, written)
    }

    fn run(
        &self,
        world: &mut World,
        asked: &Asked,
        found: &Found,
        parts: &Parts,
        incoming: Incoming,
        written: &mut Option<Value>,
    ) -> Outcome {
        let now = self.clock.stamp();
        let operation = found.operation.id.as_str();
        let anonymous = asked.path.starts_with("/authentication/");
        let user = if anonymous {
            let limit = world.settings.tokens_per_minute;
            meter(world, "authentication".to_owned(), limit, now)?;
            None
        } else {
            admit(world, parts, operation, now)?
        };
        let valid = check(found, &asked.pairs, incoming).map_err(|problem| {
            let reason = format!("{:?} {}: {}", problem.place, problem.name, problem.detail);
            world.journal.violate(&asked.method, &asked.path, &reason);
            refuse(&problem, operation)
        })?;
        let here = format!("{}/authentication/v2/token", self.base_url);
        match operation {
            "authorize" => return Ok(auth::authorize(world, Ask::read(&valid.query), now)),
            "fetchToken" => return Ok(auth::token(world, &parts.headers, &valid.body, &here, now)),
            "revokeToken" => return Ok(auth::revoke(world, &parts.headers, &valid.body)),
            "introspectToken" => return Ok(auth::introspect(world, &parts.headers, &valid.body, now)),
            _ => {}
        }
        *written = Some(valid.body.clone()).filter(|body| !body.is_null());
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let asked_region = valid.query.get("region").and_then(Value::as_str).map(str::to_owned);
        let hook_region = header("x-ads-region").or(asked_region).unwrap_or_else(|| "US".to_owned());
        let region = header("region");
        let call = Call { operation: operation.to_owned(), valid, user, region, hook_region, now };
        match operation {
            "getUserInfo" => hubs::profile(world, &call),
            "getHubs" | "getHubProjects" | "adminListProjects" | "adminGetProject" | "adminListProjectUsers" => {
                hubs::answer(world, &call)
            }
            _ if asked.path.starts_with("/construction/issues/") => issues::answer(world, &call),
            _ if asked.path.starts_with("/webhooks/") => hooks::answer(world, &call),
            _ if asked.path.starts_with("/construction/forms/") => forms::answer(world, &call),
            "listLocationNodes" => locations::answer(world, &call),
            _ => Err(gateway(501, "SANDBOX", &format!("the sandbox does not offer {operation}"))),
        }
    }
}

fn meter(world: &mut World, who: String, limit: u64, now: Timestamp) -> Result<(), Reply> {
    world.take(who, limit, now.as_second()).map_err(|seconds| {
        Reply::json(429, json!({"developerMessage": "Quota limit exceeded."})).with("Retry-After", seconds)
    })
}

/// The token must be alive, have the scope, and for Issues and Forms stand for somebody.
fn admit(world: &mut World, parts: &Parts, operation: &str, now: Timestamp) -> Result<Option<String>, Reply> {
    let bearer = parts.headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = bearer.and_then(|text| world.grants.tokens.get(text)).filter(|token| token.expires_at > now);
    let token =
        token.cloned().ok_or_else(|| gateway(401, "AUTH-006", "The access token is missing, unknown or expired."))?;
    let path = parts.uri.path();
    let writes = parts.method != "GET";
    let scope = match path {
        _ if path.starts_with("/construction/admin/") => "account:read",
        _ if operation == "createHook" => "data:create",
        _ if writes => "data:write",
        _ => "data:read",
    };
    if !token.scopes.contains(scope) {
        return Err(gateway(403, "AUTH-010", &format!("The token lacks the scope {scope}, which {operation} needs.")));
    }
    if path.starts_with("/construction/admin/") {
        let limit = world.settings.admin_per_minute;
        meter(world, "admin".to_owned(), limit, now)?;
    }
    if path.starts_with("/construction/issues/") {
        let Some(user) = &token.user else { return Err(gateway(401, "AUTH-001", "Authorization failed.")) };
        let limit = world.settings.issues_per_minute;
        // Of a user in an account.
        let project = world.projects.iter().find(|project| path.contains(&project.id));
        let account = project.map(|project| project.account_id.clone()).unwrap_or_default();
        meter(world, format!("issues {user} {account}"), limit, now)?;
    }
    if path.starts_with("/construction/forms/") {
        if token.user.is_none() {
            return Err(gateway(401, "AUTH-001", "Authorization failed."));
        }
        let limit = world.settings.forms_per_minute;
        meter(world, "forms".to_owned(), limit, now)?;
    }
    Ok(token.user)
}
