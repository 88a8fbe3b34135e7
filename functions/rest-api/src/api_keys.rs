//! An organization's API keys. The key itself is shown once; we keep its hash.
use crate::auth::{Caller, KEY_PREFIX, Scope};
use crate::cursor::{Page, Paging};
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::{AppState, random_bytes, sha256_hex};
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::fields::{Checks, Members, child};
use domain::ids::{ApiKeyId, OrganizationId, SiteId};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use store::directory::ApiKey;

const MOST_SITES: usize = 500;

#[derive(Serialize)]
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
#[derive(Serialize)]
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
    let body = body.value()?;
    let mut checks = Checks::default();
    let (mut name, mut scopes, mut site_ids, mut expires_at) = (None, Vec::new(), None, None);
    if let Some(members) = Members::of(&body, "", &["name", "scopes", "site_ids", "expires_at"], &mut checks) {
        name = members.required_name("name", &mut checks);
        scopes = read_scopes(&members, &mut checks);
        site_ids = read_sites(&app, &organization_id, &members, &mut checks).await?;
        expires_at = read_expiry(&members, app.now(), &mut checks);
    }
    checks.done()?;
    // Hexadecimal: no key can be taken for an operator's.
    let text: String = random_bytes()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("{KEY_PREFIX}{text}");
    let key = ApiKey {
        id: ApiKeyId::new(seed.0),
        organization_id,
        name: name.unwrap_or_default(),
        scopes,
        site_ids,
        expires_at,
        last_used_at: None,
        created_at: app.now(),
        sha256: sha256_hex(&[text.as_bytes()]),
    };
    if let Some(lost) = app.directory().api_key_by_id(&key.organization_id, &key.id).await? {
        // A repeat of this very request, whose answer was lost: what that answer gave out must not stay valid unseen.
        app.directory().delete_api_key(&lost).await?;
    }
    app.directory().put_api_key(&key).await?;
    tracing::info!(organization_id = %key.organization_id, api_key_id = %key.id, "an API key was made");
    Ok((StatusCode::CREATED, Json(Made { view: key.into(), key: text })))
}

fn read_scopes(members: &Members<'_>, checks: &mut Checks) -> Vec<String> {
    let pointer = members.pointer("scopes");
    members.required("scopes", checks);
    let given = members.array("scopes", Scope::ALL.len(), checks);
    if given.is_some_and(Vec::is_empty) {
        checks.fail(&pointer, "must name one scope at least");
    }
    let mut scopes = BTreeSet::new();
    for (at, value) in given.into_iter().flatten().enumerate() {
        match Scope::ALL.into_iter().find(|scope| value.as_str() == Some(scope.as_str())) {
            Some(scope) => {
                scopes.insert(scope.as_str().to_owned());
            }
            None => {
                let known = Scope::ALL.map(Scope::as_str).join(", ");
                checks.fail(child(&pointer, &at.to_string()), format!("is not a scope; scopes are: {known}"));
            }
        }
    }
    scopes.into_iter().collect()
}

async fn read_sites(
    app: &AppState,
    organization: &OrganizationId,
    members: &Members<'_>,
    checks: &mut Checks,
) -> Result<Option<Vec<SiteId>>, Problem> {
    let pointer = members.pointer("site_ids");
    let Some(given) = members.array("site_ids", MOST_SITES, checks) else { return Ok(None) };
    if given.is_empty() {
        checks.fail(&pointer, "must name one site at least; leave it out for all sites");
    }
    let known: BTreeSet<SiteId> = app.directory().sites(organization).await?.into_iter().map(|site| site.id).collect();
    let mut sites = BTreeSet::new();
    for (at, value) in given.iter().enumerate() {
        match value.as_str().and_then(|text| text.parse::<SiteId>().ok()).filter(|site| known.contains(site)) {
            Some(site) => {
                sites.insert(site);
            }
            None => checks.fail(child(&pointer, &at.to_string()), "no such site in this organization"),
        }
    }
    Ok(Some(sites.into_iter().collect()))
}

fn read_expiry(members: &Members<'_>, now: Timestamp, checks: &mut Checks) -> Option<Timestamp> {
    members.given("expires_at")?;
    let text = members.required_text("expires_at", checks)?;
    match text.parse::<Timestamp>() {
        Ok(at) if at > now => return Some(at),
        Ok(_) => checks.fail(members.pointer("expires_at"), "must be in the future"),
        Err(_) => checks.fail(members.pointer("expires_at"), "must be an RFC 3339 time, such as 2027-01-31T17:00:00Z"),
    }
    None
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Path(organization): Path<String>,
    params: Params,
) -> Result<Json<Page<View>>, Problem> {
    caller.operator_only()?;
    params.only(&["limit", "cursor"])?;
    let organization = visible::organization(&app, &caller, &organization).await?.id;
    let paging = Paging::of(&params, format!("{organization}/api-keys"))?;
    let keys = app.directory().api_keys(&organization).await?;
    Ok(Json(paging.slice(keys, |key| key.id.to_string(), View::from)))
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
    app.directory().delete_api_key(&key).await?;
    tracing::info!(organization_id = %organization, api_key_id = %id, "an API key was revoked");
    Ok(StatusCode::NO_CONTENT)
}
