//! A message comes in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State as Shared};
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::answers::Kind;
use super::check::{Checked, Expected, check};
use super::{Arrival, Core, KEPT, pages};
use crate::intake::pause;
use crate::reply::{Payload, Reply, cut, respond};

const BODY_LIMIT: usize = 1024 * 1024;
/// Longer than any sender waits.
const HANG: Duration = Duration::from_secs(120);
/// The box of whoever posts to the bare address.
const ROOT: &str = "inbox";

pub(super) async fn at_root(Shared(core): Shared<Arc<Core>>, request: Request) -> Response {
    receive(core, ROOT.to_owned(), request).await
}

/// Every path is a box: for reading where it is asked with GET, for messages otherwise.
pub(super) async fn anywhere(Shared(core): Shared<Arc<Core>>, request: Request) -> Response {
    let name = request.uri().path().trim_matches('/').to_owned();
    let fits = |name: &str| {
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
        !name.is_empty() && name.len() <= 80 && letters && !name.starts_with('_')
    };
    match *request.method() {
        _ if !fits(&name) => {
            respond(Reply::json(404, json!({"detail": "a box has a name of letters, digits and . _ - /"})))
        }
        Method::GET | Method::HEAD => pages::one(&core, &name, request.headers()),
        _ => receive(core, name, request).await,
    }
}

async fn receive(core: Arc<Core>, name: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body) = read(body).await else { return respond(Reply::empty(413)) };
    let (secrets, token, (kind, delay_ms)) = {
        let receiver = &mut *core.state();
        let receiver = receiver.receivers.entry(name.clone()).or_default();
        (receiver.secrets.clone(), receiver.token.clone(), receiver.answer.next())
    };
    let expected = Expected { secrets: &secrets, token: token.as_deref(), now: core.now() };
    let mut checked = check(&expected, &parts.method, &parts.headers, &body);
    if let Some(address) = &checked.dataschema {
        for words in core.schemas.problems(address, &checked.body["data"]).await {
            checked.wrong(422, words);
        }
    }
    let reply = answer(&name, kind, &mut checked, &core, &body);
    note(&core, &name, checked, reply.as_ref().ok().map(|reply| reply.status));
    pause(delay_ms).await;
    match reply {
        Ok(reply) => respond(reply),
        Err(Silence::Cut) => cut(),
        Err(Silence::Hang) => {
            tokio::time::sleep(HANG).await;
            cut()
        }
    }
}

enum Silence {
    Cut,
    Hang,
}

async fn read(body: Body) -> Option<Bytes> {
    axum::body::to_bytes(body, BODY_LIMIT).await.ok()
}

fn answer(name: &str, kind: Kind, checked: &mut Checked, core: &Core, body: &Bytes) -> Result<Reply, Silence> {
    match kind {
        Kind::Take => Ok(take(name, checked, core, body)),
        Kind::Status { status, retry_after, body } => {
            let payload = body.map_or(Payload::Empty, Payload::Text);
            let reply = Reply { payload, ..Reply::empty(status) };
            Ok(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        Kind::Redirect { to } => {
            let to = to.unwrap_or_else(|| format!("{}/{name}-elsewhere", core.url()));
            Ok(Reply::empty(302).with("location", to))
        }
        Kind::Hang => Err(Silence::Hang),
        Kind::Cut => Err(Silence::Cut),
    }
}

/// What is right is taken once; the same once more is thanked for.
fn take(name: &str, checked: &mut Checked, core: &Core, body: &Bytes) -> Reply {
    let state = &mut *core.state();
    let receiver = state.receivers.entry(name.to_owned()).or_default();
    if let Some(id) = checked.id.clone() {
        if receiver.bodies.get(&id).is_some_and(|before| before != body) {
            checked.wrong(409, "another body came under this webhook-id before");
        }
        receiver.bodies.entry(id).or_insert_with(|| body.clone());
    }
    if let Some(first) = checked.problems.first() {
        let words: Vec<&str> = checked.problems.iter().map(|problem| problem.words.as_str()).collect();
        return Reply::json(first.status, json!({"problems": words}));
    }
    let id = checked.id.clone().unwrap_or_default();
    let again = receiver.taken.contains(&id);
    if !again {
        receiver.taken.push(id.clone());
    }
    Reply::ok(json!({"taken": id, "again": again}))
}

fn note(core: &Core, name: &str, checked: Checked, status: Option<u16>) {
    let at = core.now();
    let state = &mut *core.state();
    state.number += 1;
    if state.arrivals.len() == KEPT {
        state.arrivals.pop_front();
    }
    let Checked { id, kind, content_type, signatures, verified, body, problems, .. } = checked;
    let problems = problems.into_iter().map(|problem| problem.words).collect();
    let (number, name) = (state.number, name.to_owned());
    let arrival = Arrival { number, name, at, id, kind, content_type, signatures, verified, problems, status, body };
    state.arrivals.push_back(arrival);
}
