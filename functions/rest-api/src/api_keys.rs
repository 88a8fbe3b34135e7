//! An organization's API keys. The key itself is shown once; we keep its hash.
use crate::auth::Caller;
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
use domain::ids::{ApiKeyId, SiteId};
use jiff::Timestamp;
use people::api_keys;
use serde::Serialize;
use store::directory::ApiKey;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct View {
    id: ApiKeyId,
    name: String,
    scopes: Vec<String>,
    site_ids: Option<Vec<SiteId>>,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// The answer to its making, which alone holds the key.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub struct Made {
    #[serde(flatten)]
    view: View,
    key: String,
}

impl From<ApiKey> for View {
    fn from(key: ApiKey) -> Self {
        let ApiKey { id, name, scopes, site_ids, expires_at, last_used_at, created_at, organization_id: _, sha256: _ } =
            key;
        Self { id, name, scopes, site_ids, expires_at, last_used_at, created_at }
    }
}

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Path(organization): Path<String>,
    seed: FreshId,
    body: JsonBody,
) -> Result<(StatusCode, Json<Made>), Problem> {
    caller.operator_only()?;
    let organization_id = visible::organization(&app, &caller, &organization).await?.id;
    let sites = app.directory().sites(&organization_id).await?.into_iter().map(|site| site.id).collect();
    let new = api_keys::read(&body.value()?, &sites, app.now())?;
    let id = ApiKeyId::new(seed.0);
    let (key, text) = api_keys::make(&app.directory(), organization_id, id, new, app.now()).await?;
    Ok((StatusCode::CREATED, Json(Made { view: key.into(), key: text.expose().to_owned() })))
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Path(organization): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.operator_only()?;
    params.only(&["limit", "cursor"])?;
    let organization = visible::organization(&app, &caller, &organization).await?.id;
    let paging = Paging::of(&params, format!("{organization}/api-keys"))?;
    let keys = app.directory().api_keys(&organization).await?;
    etag::current_content(&headers, &paging.slice(keys, |key| key.id.to_string(), View::from))
}

/// Revokes a key: the next request with it is refused.
pub async fn revoke(
    State(app): State<AppState>,
    caller: Caller,
    Path((organization, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.operator_only()?;
    let organization = visible::organization(&app, &caller, &organization).await?.id;
    let missing = || Problem::not_found("API key");
    let id: ApiKeyId = id.parse().map_err(|_| missing())?;
    let key = app.directory().api_key_by_id(&organization, &id).await?.ok_or_else(missing)?;
    api_keys::revoke(&app.directory(), &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
