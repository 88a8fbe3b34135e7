//! OAuth: client credentials, codes that a person agreed to, and refresh tokens that any use burns.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Payload, Refusal, Reply};
use super::state::World;

const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
const DEAD_GRANT: &str = "The provided authorization grant is invalid, expired, revoked, does not match the \
    redirection URI used in the authorization request, or was issued to another client.";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    pub secret: String,
    /// Compared character by character.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            id: "sandbox-client".to_owned(),
            secret: "sandbox-secret".to_owned(),
            redirect_uris: vec!["http://localhost".to_owned(), "urn:ietf:wg:oauth:2.0:oob".to_owned()],
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
    /// Refresh token to the client and person that it was given to.
    refreshes: HashMap<String, (String, String)>,
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

    /// Ends every access token at once, as if each had reached its age.
    pub(crate) fn expire_tokens(&mut self, now: Timestamp) {
        self.tokens.values_mut().for_each(|token| token.expires_at = now);
    }

    fn proves(&self, id: &str, secret: &str) -> bool {
        self.clients.iter().any(|client| client.id == id && client.secret == secret)
    }

    fn issue(&mut self, client_id: &str, owner: Owner, now: Timestamp, lifetime: i64) -> Value {
        let access = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzUxMiJ9.{}.{}", random(), random());
        let refresh = match &owner {
            Owner::ServiceAccount => None,
            Owner::Login(login) => {
                let refresh = random();
                self.refreshes.insert(refresh.clone(), (client_id.to_owned(), login.clone()));
                Some(refresh)
            }
        };
        let mut answer = json!({"access_token": access, "token_type": "bearer", "expires_in": lifetime,
            "created_at": now.as_second()});
        if let Some(refresh) = &refresh {
            answer["refresh_token"] = json!(refresh);
        }
        let expires_at = now.saturating_add(SignedDuration::from_secs(lifetime)).unwrap_or(Timestamp::MAX);
        let token = Token { client_id: client_id.to_owned(), owner, created_at: now, expires_at, refresh };
        self.tokens.insert(access, token);
        answer
    }
}

pub(crate) fn token(world: &mut World, body: &Value, now: Timestamp) -> Reply {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let lifetime = world.settings.token_lifetime_seconds;
    let oauth = &mut world.oauth;
    // Any use burns a refresh token, a failing one too: so it is taken out before anything is checked.
    let burnt = oauth.refreshes.remove(text("refresh_token"));
    if !oauth.proves(text("client_id"), text("client_secret")) {
        return Refusal::oauth(
            401,
            "invalid_client",
            "Client authentication failed due to unknown client or bad secret.",
        );
    }
    let owner = match text("grant_type") {
        "client_credentials" => Some(Owner::ServiceAccount),
        "refresh_token" => {
            burnt.filter(|(client, _)| client == text("client_id")).map(|(_, login)| Owner::Login(login))
        }
        "authorization_code" => {
            let code = oauth.codes.remove(text("code"));
            let fits = |code: &Code| {
                code.client_id == text("client_id")
                    && code.redirect_uri == text("redirect_uri")
                    && code.expires_at > now
            };
            code.filter(fits).map(|code| Owner::Login(code.login))
        }
        _ => None,
    };
    match owner {
        Some(owner) => Reply::ok(oauth.issue(text("client_id"), owner, now, lifetime)),
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

/// What an application asks of a person.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Consent {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    #[serde(default)]
    pub(crate) state: Option<String>,
    /// Who agrees. Left out on the way in; an empty one refuses.
    #[serde(default)]
    pub(crate) login: Option<String>,
}

pub(crate) fn authorize(world: &mut World, consent: &Consent, now: Timestamp) -> Reply {
    let registered = world.oauth.clients.iter().any(|client| {
        client.id == consent.client_id && client.redirect_uris.iter().any(|known| known == &consent.redirect_uri)
    });
    if !registered {
        return Refusal::oauth(400, "invalid_request", "Unknown client, or its redirect URI is not registered.");
    }
    let Some(login) = consent.login.clone().or_else(|| world.settings.consent_as.clone()) else {
        let page = crate::pages::consent::page(world, consent);
        return Reply { status: 200, headers: Vec::new(), payload: Payload::Html(page.into_string()) };
    };
    let mut answer = vec![("state", consent.state.clone())];
    if world.people.values().any(|person| person.login.as_ref() == Some(&login) && !person.service_account) {
        let code = random();
        let expires_at = now.saturating_add(CODE_LIFETIME).unwrap_or(Timestamp::MAX);
        let (client_id, redirect_uri) = (consent.client_id.clone(), consent.redirect_uri.clone());
        world.oauth.codes.insert(code.clone(), Code { client_id, redirect_uri, login, expires_at });
        answer.insert(0, ("code", Some(code)));
    } else {
        answer.insert(0, ("error", Some("access_denied".to_owned())));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let joint = if consent.redirect_uri.contains('?') { '&' } else { '?' };
    Reply::empty(302).with("Location", format!("{}{joint}{}", consent.redirect_uri, query.finish()))
}

fn random() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}
