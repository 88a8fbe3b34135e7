//! Tokens: of the app alone, of a service account by its signed assertion, of a person by consent and single-use refresh.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use maud::html;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::state::World;
use super::{Core, assertion};
use crate::pages::layout;
use crate::reply::{Payload, Reply, respond};

const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(3599);
const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(15 * 24);

#[derive(Clone)]
pub(super) struct Token {
    /// None for the app alone.
    pub(super) user: Option<String>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires_at: Timestamp,
    refresh: Option<String>,
}

struct Code {
    ask: Ask,
    user: String,
    expires_at: Timestamp,
}

struct Refresh {
    user: String,
    scopes: BTreeSet<String>,
    expires_at: Timestamp,
}

#[derive(Default)]
pub(super) struct Grants {
    pub(super) tokens: HashMap<String, Token>,
    codes: HashMap<String, Code>,
    refreshes: HashMap<String, Refresh>,
}

pub(super) fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, json!({"error": error, "error_description": description}))
}

fn scopes(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn random() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}

/// Secret and id stand in the header or in the body, never in both.
fn proven(world: &World, headers: &HeaderMap, body: &Value) -> Result<(), Reply> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let basic = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
    let given = match (&basic, text("client_id"), text("client_secret")) {
        (Some(_), _, Some(_)) | (Some(_), Some(_), _) => {
            return Err(refused(400, "invalid_request", "Client credentials stand in the header and in the body."));
        }
        (Some(basic), None, None) => basic.split_once(':'),
        (None, Some(id), Some(secret)) => Some((id, secret)),
        _ => None,
    };
    let fits = given.is_some_and(|(id, secret)| id == world.client.id && secret == world.client.secret);
    fits.then_some(()).ok_or_else(|| refused(401, "invalid_client", "The client is unknown or its secret is wrong."))
}

pub(super) fn token(world: &mut World, headers: &HeaderMap, body: &Value, here: &str, now: Timestamp) -> Reply {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    // Any use burns a refresh token, a failing one too.
    let burnt = text("refresh_token").and_then(|token| world.grants.refreshes.remove(token));
    if let Err(refusal) = proven(world, headers, body) {
        return refusal;
    }
    let asked = text("scope").map(scopes);
    let dead = || refused(400, "invalid_grant", "The grant is unknown, used or expired.");
    let narrower = |granted: BTreeSet<String>| match asked.clone() {
        Some(asked) if asked.is_subset(&granted) => Ok(asked),
        Some(_) => Err(refused(400, "invalid_scope", "More is asked than was granted.")),
        None => Ok(granted),
    };
    match text("grant_type").unwrap_or_default() {
        "client_credentials" => match asked {
            Some(scopes) if !scopes.is_empty() => issue(world, None, scopes, false, now),
            _ => refused(400, "invalid_scope", "scope is missing."),
        },
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            let client = world.client.id.clone();
            let jwt = text("assertion").unwrap_or_default();
            match assertion::verify(jwt, &client, here, now.as_second()) {
                Err(reason) => refused(400, "invalid_grant", &reason),
                Ok(granted) => match narrower(granted) {
                    Ok(scopes) => issue(world, Some(assertion::SERVICE_ACCOUNT.to_owned()), scopes, false, now),
                    Err(refusal) => refusal,
                },
            }
        }
        "refresh_token" => match burnt.filter(|refresh| refresh.expires_at > now) {
            None => dead(),
            Some(refresh) => match narrower(refresh.scopes) {
                Ok(scopes) => issue(world, Some(refresh.user), scopes, true, now),
                Err(refusal) => refusal,
            },
        },
        "authorization_code" => {
            let code = text("code").and_then(|code| world.grants.codes.remove(code));
            let fits = |code: &Code| {
                code.expires_at > now
                    && text("redirect_uri") == Some(&code.ask.redirect_uri)
                    && code.ask.code_challenge.as_ref().is_none_or(|challenge| {
                        let hash = Sha256::digest(text("code_verifier").unwrap_or_default());
                        *challenge == URL_SAFE_NO_PAD.encode(hash)
                    })
            };
            match code.filter(fits) {
                Some(code) => issue(world, Some(code.user), scopes(&code.ask.scope), true, now),
                None => dead(),
            }
        }
        _ => refused(400, "unsupported_grant_type", "The grant type is not known."),
    }
}

fn issue(
    world: &mut World,
    user: Option<String>,
    scopes: BTreeSet<String>,
    refreshable: bool,
    now: Timestamp,
) -> Reply {
    let access = random();
    let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME.as_secs()});
    let refresh = user.clone().filter(|_| refreshable).map(|user| {
        let text = random();
        answer["refresh_token"] = json!(text);
        let refresh = Refresh { user, scopes: scopes.clone(), expires_at: later(now, REFRESH_LIFETIME) };
        world.grants.refreshes.insert(text.clone(), refresh);
        text
    });
    let token = Token { user, scopes, expires_at: later(now, TOKEN_LIFETIME), refresh };
    world.grants.tokens.insert(access, token);
    Reply::ok(answer)
}

/// A token of a person who agreed to be listed, as `token` would give it. None if there is no such person.
pub(super) fn of_person(world: &mut World, email: &str, now: Timestamp) -> Option<String> {
    of_person_for(world, email, "data:read account:read", now).map(|(access, _)| access)
}

/// The same for these scopes, with the refresh token that comes with it.
pub(super) fn of_person_for(world: &mut World, email: &str, to: &str, now: Timestamp) -> Option<(String, String)> {
    let user = world.users.iter().find(|user| user.email == email)?.id.clone();
    let reply = issue(world, Some(user), scopes(to), true, now);
    let text = |name: &str| reply.body()?.get(name)?.as_str().map(str::to_owned);
    Some((text("access_token")?, text("refresh_token")?))
}

pub(super) fn revoke(world: &mut World, headers: &HeaderMap, body: &Value) -> Reply {
    if let Err(refusal) = proven(world, headers, body) {
        return refusal;
    }
    let text = body.get("token").and_then(Value::as_str).unwrap_or_default();
    if let Some(refresh) = world.grants.tokens.remove(text).and_then(|token| token.refresh) {
        world.grants.refreshes.remove(&refresh);
    }
    if world.grants.refreshes.remove(text).is_some() {
        world.grants.tokens.retain(|_, token| token.refresh.as_deref() != Some(text));
    }
    Reply::ok(json!({}))
}

pub(super) fn introspect(world: &World, headers: &HeaderMap, body: &Value, now: Timestamp) -> Reply {
    if let Err(refusal) = proven(world, headers, body) {
        return refusal;
    }
    let text = body.get("token").and_then(Value::as_str).unwrap_or_default();
    let token = world.grants.tokens.get(text).filter(|token| token.expires_at > now);
    let scope = |token: &Token| token.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let mut answer = json!({"active": token.is_some(), "client_id": world.client.id,
        "exp": token.map_or(0, |token| token.expires_at.as_second()), "scope": token.map(scope).unwrap_or_default()});
    if let Some(user) = token.and_then(|token| token.user.as_ref()) {
        answer["userid"] = json!(user);
    }
    Reply::ok(answer)
}

/// What an application asks of a person.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Ask {
    client_id: String,
    redirect_uri: String,
    scope: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    code_challenge: Option<String>,
}

impl Ask {
    pub(super) fn read(query: &std::collections::BTreeMap<String, Value>) -> Self {
        let text = |name: &str| query.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            client_id: text("client_id").unwrap_or_default(),
            redirect_uri: text("redirect_uri").unwrap_or_default(),
            scope: text("scope").unwrap_or_default(),
            state: text("state"),
            code_challenge: text("code_challenge"),
        }
    }

    fn back(&self, name: &str, value: &str) -> Reply {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, value);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        Reply::empty(302).with("Location", format!("{}{joint}{}", self.redirect_uri, query.finish()))
    }
}

pub(super) fn authorize(world: &mut World, ask: Ask, now: Timestamp) -> Reply {
    let plain = |c: char| c.is_ascii_alphanumeric() || ",._-".contains(c);
    if ask.client_id != world.client.id || !world.client.redirect_uris.contains(&ask.redirect_uri) {
        return refused(400, "invalid_request", "Unknown client, or its redirect URI is not registered.");
    }
    if ask.state.as_ref().is_some_and(|state| !state.chars().all(plain)) {
        return refused(400, "invalid_request", "state may hold letters, digits and , . _ - only.");
    }
    let email = world.settings.consent_as.clone();
    match email.and_then(|email| world.users.iter().find(|user| user.email == email).map(|user| user.id.clone())) {
        Some(user) => allow(world, ask, user, now),
        None => consent_page(world, &ask),
    }
}

fn allow(world: &mut World, ask: Ask, user: String, now: Timestamp) -> Reply {
    let code = random();
    let reply = ask.back("code", &code);
    world.grants.codes.insert(code, Code { ask, user, expires_at: later(now, CODE_LIFETIME) });
    reply
}

fn consent_page(world: &World, ask: &Ask) -> Reply {
    let body = html! {
        p { strong { (ask.client_id) } " asks for " (ask.scope) "." }
        form.stack method="post" action="/consent" {
            input type="hidden" name="client_id" value=(ask.client_id);
            input type="hidden" name="redirect_uri" value=(ask.redirect_uri);
            input type="hidden" name="scope" value=(ask.scope);
            @if let Some(state) = &ask.state { input type="hidden" name="state" value=(state); }
            @if let Some(challenge) = &ask.code_challenge { input type="hidden" name="code_challenge" value=(challenge); }
            label { "Person" select name="user" {
                @for user in world.users.iter().filter(|user| !user.service_account) {
                    option value=(user.id) { (user.name) " (" (user.email) ")" }
                }
            } }
            p { button name="decision" value="allow" { "Allow" } " " button.quiet name="decision" value="deny" { "Deny" } }
        }
    };
    let page = layout::bare("Autodesk", "Let this application act for you?", &body);
    let reply = Reply { status: 200, headers: Vec::new(), payload: Payload::Html(page.into_string()) };
    reply
        .with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .with("X-Frame-Options", "DENY")
}

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(flatten)]
    ask: Ask,
    user: String,
    decision: String,
}

pub(super) async fn answer(State(core): State<Arc<Core>>, Form(said): Form<Said>) -> Response {
    let now = core.clock.stamp();
    let world = &mut *core.world();
    let known = world.users.iter().any(|user| user.id == said.user && !user.service_account);
    let registered =
        said.ask.client_id == world.client.id && world.client.redirect_uris.contains(&said.ask.redirect_uri);
    respond(match said.decision.as_str() {
        _ if !registered => refused(400, "invalid_request", "The redirect URI is not registered."),
        "allow" if known => allow(world, said.ask, said.user, now),
        _ => said.ask.back("error", "access_denied"),
    })
}
