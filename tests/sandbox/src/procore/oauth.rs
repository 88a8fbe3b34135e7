//! OAuth: client credentials, codes that a person agreed to, and refresh tokens that any use burns.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Payload, Refusal, Reply};
use super::state::World;
use crate::pages::consent as pages;

const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Shows the code instead of sending it anywhere.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
const DEAD_GRANT: &str = "The provided authorization grant is invalid, expired, revoked, does not match the \
    redirection URI used in the authorization request, or was issued to another client.";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    pub secret: String,
    /// Compared character by character.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// What the app shows inside the platform, full screen.
    #[serde(default)]
    pub embedded_url: Option<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            id: "sandbox-client".to_owned(),
            secret: "sandbox-secret".to_owned(),
            redirect_uris: vec!["http://localhost".to_owned(), OUT_OF_BAND.to_owned()],
            embedded_url: None,
        }
    }
}

/// Who stands behind a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    ServiceAccount,
    Login(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) client_id: String,
    pub(crate) owner: Owner,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    refresh: Option<String>,
    /// What a person agreed to once; refreshing goes on with it. None for a service account.
    grant: Option<u64>,
}

struct Refresh {
    client_id: String,
    login: String,
    grant: u64,
}

struct Code {
    client_id: String,
    redirect_uri: String,
    login: String,
    expires_at: Timestamp,
}

#[derive(Default)]
pub(crate) struct OAuth {
    pub(crate) clients: Vec<Client>,
    tokens: HashMap<String, Token>,
    refreshes: HashMap<String, Refresh>,
    /// Refresh tokens that were used, with their grants.
    burnt: HashMap<String, u64>,
    grants: u64,
    codes: HashMap<String, Code>,
}

impl OAuth {
    pub(crate) fn new(clients: Vec<Client>) -> Self {
        Self { clients, ..Self::default() }
    }

    pub(crate) fn set_client(&mut self, client: Client) {
        self.clients.retain(|known| known.id != client.id);
        self.clients.push(client);
    }

    pub(crate) fn token(&self, access: &str) -> Option<&Token> {
        self.tokens.get(access)
    }

    /// An access token as somebody gets it by logging in and agreeing.
    pub(crate) fn agreed(&mut self, client_id: &str, login: &str, now: Timestamp, lifetime: i64) -> String {
        let issued = self.issue(client_id, Owner::Login(login.to_owned()), None, now, lifetime);
        issued["access_token"].as_str().unwrap_or_default().to_owned()
    }

    /// Ends every access token at once, as if each had reached its age.
    pub(crate) fn expire_tokens(&mut self, now: Timestamp) {
        self.tokens.values_mut().for_each(|token| token.expires_at = now);
    }

    pub(crate) fn burn_refresh_tokens(&mut self) {
        self.burnt.extend(self.refreshes.drain().map(|(text, refresh)| (text, refresh.grant)));
    }

    /// Ends what one person agreed to, for every application.
    pub(crate) fn take_back(&mut self, login: &str) {
        let theirs = Owner::Login(login.to_owned());
        self.tokens.retain(|_, token| token.owner != theirs);
        self.refreshes.retain(|_, refresh| refresh.login != login);
    }

    /// Any use burns a refresh token, a failing one too: so it is taken out before anything is checked.
    fn burn(&mut self, text: &str, reuse_ends_grant: bool) -> Option<Refresh> {
        if let Some(grant) = self.burnt.get(text).copied().filter(|_| reuse_ends_grant) {
            self.refreshes.retain(|_, refresh| refresh.grant != grant);
            self.tokens.retain(|_, token| token.grant != Some(grant));
        }
        let live = self.refreshes.remove(text)?;
        self.burnt.insert(text.to_owned(), live.grant);
        Some(live)
    }

    /// The page that an application shows inside the platform.
    pub(crate) fn embedded(&self, client_id: &str) -> Option<&str> {
        self.clients.iter().find(|client| client.id == client_id)?.embedded_url.as_deref()
    }

    /// The applications that have such a page.
    pub(crate) fn embedding(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().filter(|client| client.embedded_url.is_some()).map(|client| client.id.as_str())
    }

    fn proves(&self, id: &str, secret: &str) -> bool {
        self.clients.iter().any(|client| client.id == id && client.secret == secret)
    }

    fn issue(&mut self, client_id: &str, owner: Owner, grant: Option<u64>, now: Timestamp, lifetime: i64) -> Value {
        let access = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzUxMiJ9.{}.{}", random(), random());
        let grant = match &owner {
            Owner::ServiceAccount => None,
            Owner::Login(_) => grant.or_else(|| {
                self.grants += 1;
                Some(self.grants)
            }),
        };
        let refresh = match (&owner, grant) {
            (Owner::Login(login), Some(grant)) => {
                let refresh = random();
                let (client_id, login) = (client_id.to_owned(), login.clone());
                self.refreshes.insert(refresh.clone(), Refresh { client_id, login, grant });
                Some(refresh)
            }
            _ => None,
        };
        let mut answer = json!({"access_token": access, "token_type": "bearer", "expires_in": lifetime,
            "created_at": now.as_second()});
        if let Some(refresh) = &refresh {
            answer["refresh_token"] = json!(refresh);
        }
        let expires_at = now.saturating_add(SignedDuration::from_secs(lifetime)).unwrap_or(Timestamp::MAX);
        let token = Token { client_id: client_id.to_owned(), owner, created_at: now, expires_at, refresh, grant };
        self.tokens.insert(access, token);
        answer
    }
}

pub(crate) fn token(world: &mut World, body: &Value, now: Timestamp) -> Reply {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let lifetime = world.settings.token_lifetime_seconds;
    let reuse_ends_grant = world.settings.reused_refresh_ends_grant;
    let oauth = &mut world.oauth;
    let burnt = oauth.burn(text("refresh_token"), reuse_ends_grant);
    if !oauth.proves(text("client_id"), text("client_secret")) {
        return Refusal::oauth(
            401,
            "invalid_client",
            "Client authentication failed due to unknown client or bad secret.",
        );
    }
    let owner = match text("grant_type") {
        "client_credentials" => Some((Owner::ServiceAccount, None)),
        "refresh_token" => burnt
            .filter(|refresh| refresh.client_id == text("client_id"))
            .map(|refresh| (Owner::Login(refresh.login), Some(refresh.grant))),
        "authorization_code" => {
            let code = oauth.codes.remove(text("code"));
            let fits = |code: &Code| {
                code.client_id == text("client_id")
                    && code.redirect_uri == text("redirect_uri")
                    && code.expires_at > now
            };
            code.filter(fits).map(|code| (Owner::Login(code.login), None))
        }
        _ => None,
    };
    match owner {
        Some((owner, grant)) => Reply::ok(oauth.issue(text("client_id"), owner, grant, now, lifetime)),
        None => Refusal::oauth(401, "invalid_grant", DEAD_GRANT),
    }
}

pub(crate) fn info(world: &World, access: &str, now: Timestamp) -> Reply {
    let Some(token) = world.oauth.token(access).filter(|token| token.expires_at > now) else {
        return Refusal::oauth(401, "invalid_token", "The access token is unknown or expired.");
    };
    let owner = match &token.owner {
        Owner::ServiceAccount => world.people.values().find(|person| person.service_account),
        Owner::Login(login) => world.people.values().find(|person| person.login.as_ref() == Some(login)),
    };
    Reply::ok(json!({"resource_owner_id": owner.map(|person| person.id), "scopes": [],
        "expires_in_seconds": token.expires_at.as_second() - now.as_second(),
        "application": {"uid": token.client_id}, "created_at": token.created_at.as_second()}))
}

pub(crate) fn revoke(world: &mut World, body: &Value) -> Reply {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let oauth = &mut world.oauth;
    if !oauth.proves(text("client_id"), text("client_secret")) {
        return Refusal::oauth(401, "invalid_client", "Client authentication failed.");
    }
    if let Some(refresh) = oauth.tokens.remove(text("token")).and_then(|token| token.refresh) {
        oauth.refreshes.remove(&refresh);
    }
    if oauth.refreshes.remove(text("token")).is_some() {
        oauth.tokens.retain(|_, token| token.refresh.as_deref() != Some(text("token")));
    }
    Reply::ok(json!({}))
}

/// What an application asks of a person who signs in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ask {
    pub(crate) response_type: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    #[serde(default)]
    pub(crate) state: Option<String>,
}

impl Ask {
    /// The address that asks the same.
    pub(crate) fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("response_type", &self.response_type).append_pair("client_id", &self.client_id);
        query.append_pair("redirect_uri", &self.redirect_uri);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        format!("/oauth/authorize?{}", query.finish())
    }

    /// Back to the application, its state with it.
    fn answer(&self, name: &str, value: &str) -> Reply {
        if self.redirect_uri == OUT_OF_BAND {
            return page(pages::out_of_band(name, value));
        }
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, value);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        Reply::empty(302).with("Location", format!("{}{joint}{}", self.redirect_uri, query.finish()))
    }
}

/// An application that is not known, or an address that is not its own to the letter, sends nobody anywhere.
fn registered(world: &World, ask: &Ask) -> Result<(), Reply> {
    let known = world.oauth.clients.iter().any(|client| {
        client.id == ask.client_id && client.redirect_uris.iter().any(|known| known == &ask.redirect_uri)
    });
    let refusal = || Refusal::oauth(400, "invalid_request", "Unknown client, or its redirect URI is not registered.");
    known.then_some(()).ok_or_else(refusal)
}

/// Shows who is signed in what the application asks; without anybody, the page to sign in on.
pub(crate) fn authorize(world: &mut World, ask: &Ask, signed_in: Option<i64>, now: Timestamp) -> Reply {
    if let Err(refusal) = registered(world, ask) {
        return refusal;
    }
    if ask.response_type != "code" {
        return ask.answer("error", "unsupported_response_type");
    }
    let unasked = world.settings.consent_as.clone();
    let unasked = unasked.and_then(|login| world.people.values().find(|person| person.login.as_ref() == Some(&login)));
    if let Some(id) = unasked.map(|person| person.id) {
        return decide(world, ask, Some(id), true, now);
    }
    match signed_in.and_then(|id| world.people.get(&id)).filter(|person| person.signs_in()) {
        Some(person) => page(pages::consent(world, ask, person)),
        None => page(pages::sign_in(world, &ask.address(), None)),
    }
}

/// What the person on the consent page said.
pub(crate) fn decide(world: &mut World, ask: &Ask, signed_in: Option<i64>, allowed: bool, now: Timestamp) -> Reply {
    if let Err(refusal) = registered(world, ask) {
        return refusal;
    }
    let person = signed_in.and_then(|id| world.people.get(&id)).filter(|person| person.signs_in());
    let Some(login) = person.and_then(|person| person.login.clone()) else {
        return page(pages::sign_in(world, &ask.address(), None));
    };
    if !allowed {
        return ask.answer("error", "access_denied");
    }
    let code = random();
    let expires_at = now.saturating_add(CODE_LIFETIME).unwrap_or(Timestamp::MAX);
    let (client_id, redirect_uri) = (ask.client_id.clone(), ask.redirect_uri.clone());
    world.oauth.codes.insert(code.clone(), Code { client_id, redirect_uri, login, expires_at });
    ask.answer("code", &code)
}

/// Never inside a frame: an embedded page needs a window of its own for this.
fn page(markup: maud::Markup) -> Reply {
    let reply = Reply { status: 200, headers: Vec::new(), payload: Payload::Html(markup.into_string()) };
    reply.with("Content-Security-Policy", pages::POLICY).with("X-Frame-Options", "DENY")
}

fn random() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}
