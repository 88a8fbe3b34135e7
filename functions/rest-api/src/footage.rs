//! Where a detection's footage lies (contracts 6.3): on the site's edge server, in the bucket, or nowhere.
use crate::auth::{Caller, Scope};
use crate::facts::find;
use crate::problem::Problem;
use crate::state::AppState;
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use domain::fact::{FactBody, FactKind};
use domain::footage;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = Footage)]
pub struct View {
    /// As the edge named it: a path on the site's edge server.
    edge_url: Option<String>,
    cloud_url: Option<String>,
    expires_at: Option<Timestamp>,
}

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path((site, id)): Path<(String, String)>,
) -> Result<([(HeaderName, &'static str); 1], Json<View>), Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(&app, &caller, &site).await?;
    let Some(FactBody::Detection(detection)) = find(&app, &site, FactKind::Detection, &id).await?.map(|fact| fact.body)
    else {
        return Err(Problem::not_found("detection"));
    };
    let kept = detection.footage.unwrap_or_default();
    let key = kept.s3_key.filter(|key| footage::is_own(&site.organization_id, &site.id, key));
    let link = match key {
        Some(key) => {
            Some(app.footage().link(&key, app.now()).await.map_err(|error| Problem::internal("footage", &error))?)
        }
        None => None,
    };
    if kept.edge_path.is_none() && link.is_none() {
        return Err(Problem::not_found("footage of this detection"));
    }
    let (cloud_url, expires_at) = link.map(|link| (link.url, link.expires_at)).unzip();
    Ok(([(CACHE_CONTROL, "no-store")], Json(View { edge_url: kept.edge_path, cloud_url, expires_at })))
}
