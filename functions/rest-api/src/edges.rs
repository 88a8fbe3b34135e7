//! Edge servers of a site, and the secrets that they sign with: shown once, kept sealed.
use crate::auth::Caller;
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::state::{AppState, random_bytes};
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credentials::{Context, Secret};
use domain::fields::{Checks, Members};
use domain::ids::{EdgeId, OrganizationId, SiteId};
use jiff::Timestamp;
use serde::Serialize;
use store::TableError;
use store::directory::{Edge, SealedSecret, rotate};
use utoipa::ToSchema;

const TRIES: usize = 4;

#[derive(Serialize, ToSchema)]
#[schema(as = Edge)]
pub struct View {
    id: EdgeId,
    organization_id: OrganizationId,
    site_id: SiteId,
    name: String,
    /// Never shown again.
    secret: String,
    /// After a rotation: until when the secret before is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl View {
    fn of(edge: Edge, secret: &Secret, previous_secret_expires_at: Option<Timestamp>) -> Self {
        let Edge { id, organization_id, site_id, name, created_at, secrets: _, version: _ } = edge;
        let secret = secret.expose().to_owned();
        Self { id, organization_id, site_id, name, secret, previous_secret_expires_at, created_at }
    }
}

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Path(site): Path<String>,
    seed: FreshId,
    body: JsonBody,
) -> Result<(StatusCode, Json<View>), Problem> {
    caller.operator_only()?;
    let site = visible::site(&app, &caller, &site).await?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let members = Members::of(&body, "", &["name"], &mut checks);
    let name = members.and_then(|members| members.required_name("name", &mut checks));
    checks.done()?;
    let mut edge = Edge {
        id: EdgeId::new(seed.0),
        organization_id: site.organization_id,
        site_id: site.id,
        name: name.unwrap_or_default(),
        secrets: Vec::new(),
        created_at: app.now(),
        version: 0,
    };
    let (secret, sealed) = new_secret(&app, &edge).await?;
    edge.secrets = vec![sealed];
    // Ids are ours: what stands there was made by this very request before its answer, and with it the secret, was lost.
    if let Err(error) = app.directory().put_edge(&mut edge).await {
        let TableError::Condition(Some(standing)) = error else { return Err(error.into()) };
        edge.version = store::table::read::<Edge>("an edge", standing)?.version;
        app.directory().put_edge(&mut edge).await?;
    }
    tracing::info!(organization_id = %edge.organization_id, site_id = %edge.site_id, edge_id = %edge.id, "an edge was made");
    Ok((StatusCode::CREATED, Json(View::of(edge, &secret, None))))
}

/// A new secret; those before stay good for a day, so that the edge can change over without a gap.
pub async fn rotate_secret(
    State(app): State<AppState>,
    caller: Caller,
    Path((site, edge)): Path<(String, String)>,
) -> Result<(StatusCode, Json<View>), Problem> {
    caller.operator_only()?;
    let site = visible::site(&app, &caller, &site).await?;
    let missing = || Problem::not_found("edge");
    let id: EdgeId = edge.parse().map_err(|_| missing())?;
    for _ in 0..TRIES {
        let found = app.directory().edge(&id).await?.filter(|edge| edge.site_id == site.id);
        let mut edge = found.ok_or_else(missing)?;
        let (secret, sealed) = new_secret(&app, &edge).await?;
        let until = rotate(&mut edge.secrets, sealed, app.now());
        match app.directory().put_edge(&mut edge).await {
            Err(TableError::Condition(_)) => continue,
            outcome => outcome?,
        }
        tracing::info!(organization_id = %edge.organization_id, site_id = %edge.site_id, edge_id = %edge.id, "an edge's secret was rotated");
        return Ok((StatusCode::CREATED, Json(View::of(edge, &secret, until))));
    }
    Err(Problem::conflict("The secret is being rotated by someone else at the same moment."))
}

async fn new_secret(app: &AppState, edge: &Edge) -> Result<(Secret, SealedSecret), Problem> {
    let secret = Secret::new(format!("whsec_{}", STANDARD.encode(random_bytes()?)));
    let context = Context::new(&edge.organization_id, "edge-secret").with("edge_id", &edge.id);
    let sealed = app.vault().seal(&context, &secret).await?;
    Ok((secret, SealedSecret { sealed, created_at: app.now(), expires_at: None }))
}
