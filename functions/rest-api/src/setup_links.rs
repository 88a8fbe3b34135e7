//! Links that let a person in: the operator hands one to a customer's safety manager. Its secret stands in the answer alone.
use crate::auth::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::ids::OrganizationId;
use jiff::Timestamp;
use people::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// What the person is called on the page of people, until they sign in at a platform.
const LABEL: &str = "Setup link";

#[derive(Serialize, ToSchema)]
#[schema(as = SetupLink)]
pub struct Made {
    url: String,
    organization_id: OrganizationId,
    /// manager or viewer
    #[schema(value_type = String)]
    role: Role,
    expires_at: Timestamp,
}

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Path(organization): Path<String>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    caller.operator_only()?;
    let organization_id = visible::organization(&app, &caller, &organization).await?.id;
    // A repeat after a lost answer makes another: the secret of the first was never seen, so it opens nothing.
    let made = app.people().make_link(&organization_id, Role::Manager, LABEL, None).await?;
    let made = Made { url: made.url, organization_id, role: made.link.role, expires_at: made.link.ends_at };
    Ok((StatusCode::CREATED, Json(made)))
}
