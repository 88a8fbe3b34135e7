//! A person decides a conflict of a record: `{"use": "ours"}` or `{"use": "theirs"}` for one field.
use crate::auth::{Caller, Scope};
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::records::View;
use crate::retry::{busy, find};
use crate::state::AppState;
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::fields::{Checks, Members};
use domain::record::RecordKind;
use store::conflicts::{self, Choice};

/// No id and no field of a platform is longer.
const LONGEST: usize = 128;

pub async fn settle(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, kind, id, field)): Path<(String, String, String, String)>,
    params: Params,
    body: JsonBody,
) -> Result<(StatusCode, Json<View>), Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    params.only(&["site_id"])?;
    let missing = || Problem::not_found("conflict of a record in this connection");
    if id.len() > LONGEST || field.len() > LONGEST {
        return Err(missing());
    }
    let kind: RecordKind = kind.parse().map_err(|()| missing())?;
    let found = find(&app, &caller, &connection.lane(), kind, &id, params.get("site_id")).await?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let choice = Members::of(&body, "", &["use"], &mut checks).and_then(|members| {
        let choice = members.required_text("use", &mut checks)?.parse::<Choice>();
        if choice.is_err() {
            checks.fail(members.pointer("use"), "must be `ours` or `theirs`");
        }
        choice.ok()
    });
    checks.done()?;
    let choice = choice.ok_or_else(missing)?;
    let record = found.record().clone();
    let settled = conflicts::settle(app.table(), app.bell(), &connection, &record, (&field, choice), app.now());
    let link = settled.await.map_err(busy)?.ok_or_else(missing)?;
    tracing::info!(
        organization_id = %connection.organization_id, connection_id = %connection.id, site_id = %record.site_id,
        record = %record.fact_id, field, choice = ?choice, "a conflict was decided"
    );
    Ok((StatusCode::ACCEPTED, Json(View::of_link(link))))
}
