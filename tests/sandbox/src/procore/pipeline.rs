//! The way of one request: faults, token, header, limits, document, operation, answer.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;

use super::Core;
use super::call::Call;
use super::dispatch::dispatch;
use super::gate::{self, CompanyHeader};
use super::oauth::{self, Ask};
use super::reply::{Refusal, Reply};
use super::state::World;
use crate::faults::{Effect, Plan, Probe, Shape};
use crate::intake::{pause, read_body};
use crate::journal::CallRecord;
use crate::openapi::{Found, Incoming, Problem, Valid, check};
use crate::reply::{cut, respond};

/// The platform documents none of these; a server of OAuth passes over what it does not know, so they protect nothing.
const PKCE: [&str; 3] = ["code_challenge", "code_challenge_method", "code_verifier"];

/// What is known of a request before its body is read.
struct Asked {
    method: String,
    path: String,
    query: String,
    pairs: Vec<(String, String)>,
    company: CompanyHeader,
    found: Option<Found>,
}

/// An answer with what the journal says about it.
struct Answered {
    reply: Reply,
    client_id: Option<String>,
    body: Option<Value>,
}

pub(crate) async fn serve(core: Arc<Core>, request: Request) -> Response {
    // On a task of its own: the platform goes on with a call whose caller hung up.
    match tokio::spawn(handle(core, request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a call to the sandbox ended in a panic");
            respond(Refusal::new(500, Shape::Flat, "the sandbox failed; see its log").reply())
        }
    }
}

async fn handle(core: Arc<Core>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = ask(&core, &parts);
    let operation_id = asked.found.as_ref().map(|found| found.operation.id.as_str());
    let probe = Probe { method: &asked.method, path: &asked.path, operation_id, company: asked.company.id() };
    let plan = core.faults.plan(&probe);
    pause(plan.delay_before_ms).await;
    if let Some(instead) = before(&plan) {
        core.record(&asked, instead.as_ref().map(|reply| reply.status), &plan, None, None);
        return instead.map_or_else(cut, respond);
    }
    let incoming = read_body(&parts, body).await;
    let Answered { reply, client_id, body } = core.answer(&asked, &parts, incoming);
    let after = after(&plan);
    let reply = match after {
        Some(instead) => instead,
        None => Some(reply),
    };
    core.record(&asked, reply.as_ref().map(|reply| reply.status), &plan, client_id, body);
    core.waiting.notify_one();
    pause(plan.delay_after_ms).await;
    reply.map_or_else(cut, respond)
}

fn ask(core: &Core, parts: &Parts) -> Asked {
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
    Asked {
        pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        company: CompanyHeader::read(&parts.headers),
        found: core.document.find(&method, &path),
        query,
        method,
        path,
    }
}

/// What answers instead of the operation: None for nothing, an inner None for a cut connection.
fn before(plan: &Plan) -> Option<Option<Reply>> {
    match plan.effect.as_ref()? {
        Effect::LostBefore | Effect::Down { cut: true, .. } => Some(None),
        Effect::Down { cut: false, retry_after } => {
            let wait = retry_after.and_then(|seconds| i64::try_from(seconds).ok());
            Some(Some(Refusal::new(503, Shape::Text, "Service Unavailable").retry_after(wait).reply()))
        }
        Effect::AppNotConnected => Some(Some(Refusal::app_not_connected().reply())),
        effect @ Effect::Status { done: false, .. } => Some(Some(status_reply(effect))),
        Effect::Status { .. } | Effect::LostAfter | Effect::DelayBefore { .. } | Effect::DelayAfter { .. } => None,
    }
}

fn after(plan: &Plan) -> Option<Option<Reply>> {
    match plan.effect.as_ref()? {
        Effect::LostAfter => Some(None),
        effect @ Effect::Status { done: true, .. } => Some(Some(status_reply(effect))),
        _ => None,
    }
}

fn status_reply(effect: &Effect) -> Reply {
    let Effect::Status { status, shape, retry_after, message, .. } = effect else { return Reply::empty(500) };
    let wait = retry_after.and_then(|seconds| i64::try_from(seconds).ok());
    let message = message.clone().unwrap_or_else(|| "a fault that was asked for".to_owned());
    Refusal::new(*status, *shape, message).retry_after(wait).reply()
}

impl Core {
    fn record(&self, asked: &Asked, status: Option<u16>, plan: &Plan, client_id: Option<String>, body: Option<Value>) {
        let fault = plan.effect.as_ref().map(|effect| format!("{effect:?}"));
        let delay = (plan.delay_before_ms + plan.delay_after_ms > 0)
            .then(|| format!("delay {} ms before, {} ms after", plan.delay_before_ms, plan.delay_after_ms));
        let call = CallRecord {
            sequence: 0,
            at: self.clock.now(),
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            operation_id: asked.found.as_ref().map(|found| found.operation.id.clone()),
            company_id: asked.company.id(),
            client_id,
            status,
            fault: fault.or(delay),
            body,
        };
        self.world().journal.record(call);
    }

    fn answer(&self, asked: &Asked, parts: &Parts, incoming: Incoming) -> Answered {
        let world = &mut *self.world();
        let Some(found) = &asked.found else {
            world.journal.violate(&asked.method, &asked.path, "the document has no such operation");
            return Answered { reply: Refusal::not_found().reply(), client_id: None, body: None };
        };
        let answered = if asked.path.starts_with("/oauth/") {
            self.answer_oauth(world, asked, found, parts, incoming)
        } else {
            self.answer_rest(world, asked, found, parts, incoming)
        };
        let status = answered.reply.status;
        // The document describes this view in words only: bare integers where its schema has objects.
        let bare_ids = asked.pairs.iter().any(|(name, value)| name == "view" && value == "ids");
        if world.settings.check_answers
            && !bare_ids
            && status < 400
            && let Some(problem) = found.operation.answer_problem(status, answered.reply.body())
        {
            world.own_problems.push(problem);
        }
        answered
    }

    fn validate(&self, world: &mut World, asked: &Asked, found: &Found, incoming: Incoming) -> Result<Valid, Refusal> {
        check(found, &asked.pairs, incoming).map_err(|problem| {
            self.note(world, asked, &problem);
            gate::refuse(&problem, asked.path.starts_with("/rest/v2"))
        })
    }

    fn note(&self, world: &mut World, asked: &Asked, problem: &Problem) {
        let reason = format!("{:?} {}: {}", problem.place, problem.name, problem.detail);
        world.journal.violate(&asked.method, &asked.path, &reason);
    }

    fn answer_oauth(
        &self,
        world: &mut World,
        asked: &Asked,
        found: &Found,
        parts: &Parts,
        incoming: Incoming,
    ) -> Answered {
        let valid = check(found, &without_pkce(&asked.pairs), incoming.without(&PKCE));
        let valid = match valid {
            Ok(valid) => valid,
            Err(problem) => {
                self.note(world, asked, &problem);
                let reply =
                    Refusal::oauth(400, "invalid_request", "The request is missing a parameter or has one too many.");
                return Answered { reply, client_id: None, body: None };
            }
        };
        let now = self.clock.stamp();
        let client_id = valid.body.get("client_id").and_then(Value::as_str).map(str::to_owned);
        let text = |name: &str| valid.query.get(name).and_then(Value::as_str).map(str::to_owned);
        let reply = match found.operation.id.as_str() {
            "oauthToken" => oauth::token(world, &valid.body, now),
            "oauthRevoke" => oauth::revoke(world, &valid.body),
            "oauthTokenInfo" => oauth::info(world, gate::bearer(&parts.headers).unwrap_or_default(), now),
            _ => {
                let ask = Ask {
                    response_type: text("response_type").unwrap_or_default(),
                    client_id: text("client_id").unwrap_or_default(),
                    redirect_uri: text("redirect_uri").unwrap_or_default(),
                    state: text("state"),
                };
                oauth::authorize(world, &ask, crate::pages::signed_in(&parts.headers), now)
            }
        };
        Answered { reply, client_id, body: None }
    }

    fn answer_rest(
        &self,
        world: &mut World,
        asked: &Asked,
        found: &Found,
        parts: &Parts,
        incoming: Incoming,
    ) -> Answered {
        let now = self.clock.stamp();
        let identified = gate::identify(world, &parts.headers, &asked.company, &found.operation, now);
        let (actor, company_id) = match identified {
            Ok(identified) => identified,
            Err(refusal) => {
                let nobody_yet = gate::may_go_without_company(&found.operation) && refusal.status() == 401;
                if gate::bearer(&parts.headers).is_some() && asked.company.id().is_none() && !nobody_yet {
                    world.journal.violate(&asked.method, &asked.path, "Procore-Company-Id is missing or not a number");
                }
                return Answered { reply: refusal.reply(), client_id: None, body: None };
            }
        };
        let client_id = Some(actor.client_id.clone());
        let (standing, metered) = gate::meter(world, &actor, company_id, self.clock.now());
        let mut body = None;
        let outcome = metered.and_then(|()| {
            let valid = self.validate(world, asked, found, incoming)?;
            body = Some(valid.body.clone()).filter(|body| !body.is_null());
            let call = Call {
                operation_id: found.operation.id.clone(),
                valid,
                actor,
                company_id,
                base_url: self.base_url.clone(),
                path: asked.path.clone(),
                raw_query: asked.pairs.clone(),
                now,
            };
            gate::admit(world, &call, &found.operation.tag)?;
            dispatch(world, &call)
        });
        let reply = outcome.unwrap_or_else(Refusal::reply);
        let reply = reply
            .with("X-Rate-Limit-Limit", standing.limit)
            .with("X-Rate-Limit-Remaining", standing.remaining)
            .with("X-Rate-Limit-Reset", standing.reset);
        Answered { reply, client_id, body }
    }
}

fn without_pkce(pairs: &[(String, String)]) -> Vec<(String, String)> {
    pairs.iter().filter(|(name, _)| !PKCE.contains(&name.as_str())).cloned().collect()
}
