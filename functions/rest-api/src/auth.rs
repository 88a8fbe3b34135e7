//! Who calls: the operator, or an organization's key. Keys are compared and looked up by their SHA-256; a key is 128 random
//! bits or more, so a slow hash would add nothing.
use crate::problem::Problem;
use crate::state::{AppState, sha256_hex};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, request::Parts};
use axum::middleware::Next;
use axum::response::Response;
use domain::ids::{OrganizationId, SiteId};
use jiff::SignedDuration;
use people::api_keys::PREFIX;
pub use people::api_keys::Scope;
use std::sync::Arc;
use store::directory::ApiKey;
use subtle::ConstantTimeEq;

const OPERATOR_PREFIX: &str = "hhp_op_";
/// `last_used_at` moves at most this often: a busy key costs two writes an hour.
const USE_NOTED_EACH: SignedDuration = SignedDuration::from_hours(1);

/// Who sent the request under way.
#[derive(Debug, Clone)]
pub enum Caller {
    Operator,
    Key(Arc<ApiKey>),
}

impl Caller {
    /// For counters and kept answers; the organization is part of it.
    pub fn id(&self) -> String {
        match self {
            Caller::Operator => "operator".into(),
            Caller::Key(key) => format!("{}#{}", key.organization_id, key.id),
        }
    }

    pub fn operator_only(&self) -> Result<(), Problem> {
        match self {
            Caller::Operator => Ok(()),
            Caller::Key(_) => Err(Problem::forbidden("Only the operator may do this; an organization's key may not.")),
        }
    }

    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        match self {
            Caller::Operator => Ok(()),
            Caller::Key(key) if key.scopes.iter().any(|s| s == scope.as_str()) => Ok(()),
            Caller::Key(_) => Err(Problem::forbidden(format!("The key lacks the scope `{}`.", scope.as_str()))),
        }
    }

    /// One of several scopes will do.
    pub fn require_any(&self, scopes: &[Scope]) -> Result<(), Problem> {
        let refusals = scopes.iter().map(|scope| self.require(*scope)).collect::<Vec<_>>();
        match refusals.iter().any(Result::is_ok) {
            true => Ok(()),
            false => refusals.into_iter().next().unwrap_or(Ok(())),
        }
    }

    /// Whether anything of this organization exists for the caller.
    pub fn sees(&self, organization: &OrganizationId) -> bool {
        match self {
            Caller::Operator => true,
            Caller::Key(key) => key.organization_id == *organization,
        }
    }

    /// Whether a site of an organization that the caller sees is among those that the key is for.
    pub fn sees_site(&self, site: &SiteId) -> bool {
        match self {
            Caller::Operator => true,
            Caller::Key(key) => key.site_ids.as_ref().is_none_or(|sites| sites.contains(site)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Absent only if a route was built without the layer below: closed, not open.
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// The layer that lets nobody in without a key.
pub async fn identify(State(app): State<AppState>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let caller = caller(&app, request.headers()).await?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn caller(app: &AppState, headers: &HeaderMap) -> Result<Caller, Problem> {
    let text = bearer(headers).ok_or_else(Problem::unauthorized)?;
    let hash = sha256_hex(&[text.as_bytes()]);
    match text.starts_with(OPERATOR_PREFIX) {
        true => operator(app, &hash).await,
        false => organization_key(app, &hash).await,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(PREFIX)).then_some(key)
}

async fn operator(app: &AppState, hash: &str) -> Result<Caller, Problem> {
    let expected = app.parameters().get(&app.operator_key_parameter()).await?;
    let expected = expected.expose().trim().to_ascii_lowercase();
    match bool::from(expected.as_bytes().ct_eq(hash.as_bytes())) {
        true => Ok(Caller::Operator),
        false => Err(Problem::unauthorized()),
    }
}

async fn organization_key(app: &AppState, hash: &str) -> Result<Caller, Problem> {
    let mut key = app.directory().api_key(hash).await?.ok_or_else(Problem::unauthorized)?;
    let now = app.now();
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(Problem::unauthorized());
    }
    if key.last_used_at.is_none_or(|at| at + USE_NOTED_EACH <= now) {
        key.last_used_at = Some(now);
        // A note for people: that it can't be written is no reason to refuse the request.
        if let Err(error) = app.directory().touch_api_key(&key).await {
            tracing::warn!(organization_id = %key.organization_id, error = %error, "a key's use was not noted");
        }
    }
    Ok(Caller::Key(Arc::new(key)))
}
