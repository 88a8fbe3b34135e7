//! Webhook endpoints: where a customer's own systems are told of facts. Address, token and secrets are kept sealed; the secret is
//! shown once.
pub mod deliveries;

use crate::auth::{Caller, Scope};
use crate::cursor::Paging;
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::ids::{EndpointId, OrganizationId, SiteId};
use domain::settings::Kinds;
use domain::validate::FieldError;
use domain::webhook::{Attempt, Format, Platform, Wants};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use store::endpoints::{Endpoint, EndpointState, Endpoints};
use utoipa::ToSchema;
use webhook::endpoints::MOST;
use webhook::sealed;
use webhook::settings::{Change, Reader};

/// Who reads may read with either.
const READERS: [Scope; 2] = [Scope::Read, Scope::WebhooksWrite];

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub struct View {
    id: EndpointId,
    organization_id: OrganizationId,
    platform: Platform,
    name: String,
    /// Whole to who may set it.
    url: String,
    /// Whether a token was entered; it is never shown.
    has_token: bool,
    site_ids: Option<Vec<SiteId>>,
    min_priority: u8,
    kinds: Kinds,
    daily_summary: bool,
    format: Format,
    state: EndpointState,
    disabled_reason: Option<String>,
    created_at: Timestamp,
}

/// The answer to its making, and to a rotation, which alone hold the secret.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
pub struct Made {
    #[serde(flatten)]
    view: View,
    secret: String,
    /// After a rotation: until when the secret before signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_expires_at: Option<Timestamp>,
}

impl View {
    async fn of(app: &AppState, caller: &Caller, endpoint: Endpoint) -> Result<Self, Problem> {
        let url = sealed::url(app.vault(), &endpoint).await?;
        let whole = caller.require(Scope::WebhooksWrite).is_ok();
        let Endpoint { id, organization_id, platform, format, name, token, wants, state, disabled, created_at, .. } =
            endpoint;
        let Wants { site_ids, min_priority, kinds, daily_summary } = wants;
        Ok(Self {
            id,
            organization_id,
            platform,
            name,
            url: if whole { url.expose().to_owned() } else { sealed::masked(&url) },
            has_token: token.is_some(),
            site_ids,
            min_priority,
            kinds,
            daily_summary,
            format,
            state,
            disabled_reason: disabled.map(|disabled| disabled.reason),
            created_at,
        })
    }
}

/// Of what people set and of the state, which changes by itself.
fn version(endpoint: &Endpoint) -> u64 {
    endpoint.edition * STATES + endpoint.state as u64
}

const STATES: u64 = 3;

/// The versions that an edition has had or may have.
fn versions(endpoint: &Endpoint) -> Vec<u64> {
    (0..STATES).map(|state| endpoint.edition * STATES + state).collect()
}

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    seed: FreshId,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let body = body.value()?;
    let organization = organization(&app, &caller, &body).await?;
    let sites = match &organization {
        Ok(organization) => sites(&app, &caller, organization).await?,
        Err(_) => BTreeSet::new(),
    };
    let reader = Reader { guard: app.guard(), names: app.names(), sites: &sites };
    let (organization_id, mut new) = match (organization, reader.new_endpoint(&body).await) {
        (Ok(organization), Ok(new)) => (organization, new),
        (organization, new) => {
            let errors = organization.err().into_iter().chain(new.err().into_iter().flatten());
            return Err(errors.collect::<Vec<_>>().into());
        }
    };
    limit_sites(&caller, &mut new.wants.site_ids);
    if !app.desk().has_room(&organization_id).await? {
        let detail = format!("An organization may have {MOST} webhook endpoints: delete one that is not used.");
        return Err(Problem::conflict(detail));
    }
    let (endpoint, secret) = app.desk().make(&organization_id, EndpointId::new(seed.0), new).await?;
    tracing::info!(%organization_id, endpoint_id = %endpoint.id, "a webhook endpoint was made");
    let version = version(&endpoint);
    let view = View::of(&app, &caller, endpoint).await?;
    let made = Made { view, secret: secret.expose().to_owned(), previous_secret_expires_at: None };
    Ok(etag::tagged(StatusCode::CREATED, version, made))
}

/// The key's organization, or the one that the body names: any for the operator, no other for a key.
async fn organization(
    app: &AppState,
    caller: &Caller,
    body: &Value,
) -> Result<Result<OrganizationId, FieldError>, Problem> {
    let pointer = || "/organization_id".to_owned();
    let named = body.get("organization_id").filter(|named| !named.is_null());
    let Some(named) = named else {
        return Ok(match caller {
            Caller::Key(key) => Ok(key.organization_id.clone()),
            Caller::Operator => {
                let detail = "is required with the operator key: name the organization".into();
                Err(FieldError { pointer: pointer(), detail })
            }
        });
    };
    let id = named.as_str().and_then(|text| text.parse().ok()).filter(|id| caller.sees(id));
    let found = match id {
        Some(id) => app.directory().organization(&id).await?,
        None => None,
    };
    let missing = || FieldError { pointer: pointer(), detail: "no such organization".into() };
    Ok(found.map(|organization| organization.id).ok_or_else(missing))
}

/// The organization's sites that the caller may name.
async fn sites(app: &AppState, caller: &Caller, organization: &OrganizationId) -> Result<BTreeSet<SiteId>, Problem> {
    let sites = app.directory().sites(organization).await?;
    Ok(sites.into_iter().map(|site| site.id).filter(|site| caller.sees_site(site)).collect())
}

/// All sites of a key that is for some of them are these.
fn limit_sites(caller: &Caller, site_ids: &mut Option<Vec<SiteId>>) {
    if let (Caller::Key(key), None) = (caller, &site_ids) {
        site_ids.clone_from(&key.site_ids);
    }
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_any(&READERS)?;
    params.only(&["organization_id", "limit", "cursor"])?;
    let organization = visible::listed_organization(&app, &caller, &params).await?;
    let paging = Paging::of(&params, format!("{organization}/webhook-endpoints"))?;
    let mut endpoints = Endpoints(app.table()).list(&organization).await?;
    endpoints.retain(|endpoint| visible::sees_endpoint(&caller, endpoint));
    let position = |endpoint: &Endpoint| endpoint.id.to_string();
    endpoints.retain(|endpoint| position(endpoint) > paging.after);
    let has_more = endpoints.len() > paging.limit;
    endpoints.truncate(paging.limit);
    let end = endpoints.last().map_or_else(|| paging.after.clone(), position);
    let mut views = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        views.push(View::of(&app, &caller, endpoint).await?);
    }
    etag::current_content(&headers, &paging.page(views, &end, has_more))
}

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_any(&READERS)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    let version = version(&endpoint);
    Ok(etag::current(&headers, version, View::of(&app, &caller, endpoint).await?))
}

/// Changes what the body names, and leaves the rest.
pub async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    etag::require_match_of(&headers, &versions(&endpoint))?;
    let sites = sites(&app, &caller, &endpoint.organization_id).await?;
    let reader = Reader { guard: app.guard(), names: app.names(), sites: &sites };
    let mut change: Change = reader.change(&body.value()?).await?;
    if let Some(site_ids) = &mut change.site_ids {
        limit_sites(&caller, site_ids);
    }
    let endpoint = app.desk().change(&endpoint, endpoint.edition, &change).await?;
    let version = version(&endpoint);
    Ok(etag::tagged(StatusCode::OK, version, View::of(&app, &caller, endpoint).await?))
}

pub async fn remove(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    app.desk().remove(&endpoint).await?;
    tracing::info!(organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, "a webhook endpoint was removed");
    Ok(StatusCode::NO_CONTENT)
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = TestResult)]
pub struct Tested {
    delivered: bool,
    status_code: Option<u16>,
    duration_ms: u64,
    response_excerpt: Option<String>,
    error: Option<String>,
}

/// Sends a ping and waits for the receiver's answer.
pub async fn test(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
    seed: FreshId,
) -> Result<Json<Tested>, Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    let attempt = app.desk().test(&endpoint, app.post(), app.public_url(), seed.0).await?;
    let delivered = attempt.delivered();
    let Attempt { at: _, status_code, duration_ms, response_excerpt, error } = attempt;
    Ok(Json(Tested { delivered, status_code, duration_ms, response_excerpt, error }))
}

/// A new secret; the one before signs too for a day, so that the receiver can change over without a gap.
pub async fn rotate_secret(
    State(app): State<AppState>,
    caller: Caller,
    Path(endpoint): Path<String>,
) -> Result<Response, Problem> {
    caller.require(Scope::WebhooksWrite)?;
    let endpoint = visible::endpoint(&app, &caller, &endpoint).await?;
    let (endpoint, secret, previous_secret_expires_at) = app.desk().rotate_secret(&endpoint).await?;
    tracing::info!(
        organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, "a webhook endpoint's secret was rotated"
    );
    let version = version(&endpoint);
    let view = View::of(&app, &caller, endpoint).await?;
    let made = Made { view, secret: secret.expose().to_owned(), previous_secret_expires_at };
    Ok(etag::tagged(StatusCode::CREATED, version, made))
}
