//! Organizations: the contractors. Only the operator makes them.
use crate::auth::Caller;
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::fields::{Checks, Members};
use domain::ids::OrganizationId;
use store::TableError;
use store::directory::Organization;

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    seed: FreshId,
    body: JsonBody,
) -> Result<(StatusCode, Json<Organization>), Problem> {
    caller.operator_only()?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let members = Members::of(&body, "", &["name"], &mut checks);
    let name = members.and_then(|members| members.required_name("name", &mut checks));
    checks.done()?;
    let name = name.unwrap_or_default();
    let organization = Organization { id: OrganizationId::new(seed.0), name, created_at: app.now() };
    match app.directory().put_organization(&organization).await {
        // Ids are ours: what stands there was made by this very request, before its answer was lost.
        Ok(()) | Err(TableError::Condition(_)) => {}
        Err(error) => return Err(error.into()),
    }
    tracing::info!(organization_id = %organization.id, "an organization was made");
    Ok((StatusCode::CREATED, Json(organization)))
}
