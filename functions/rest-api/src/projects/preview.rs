//! What the last day would have sent to a project, had it had these settings; and "send these": facts from before the mapping
//! are not sent otherwise.
use super::read_settings;
use crate::auth::{Caller, Scope};
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::projects::named_project;
use crate::query::Params;
use crate::state::AppState;
use crate::visible;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use store::preview::{Preview, last_day, send};
use store::reports::note_so_far;
use store::{TableError, again};
use utoipa::ToSchema;

/// What would be sent, with the note of the day that is under way as it would read now; null where none is wanted.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownPreview)]
pub struct Shown {
    #[serde(flatten)]
    preview: Preview,
    note: Option<String>,
}

pub async fn preview(
    State(app): State<AppState>,
    caller: Caller,
    Path((connection, named)): Path<(String, String)>,
    params: Params,
    body: JsonBody,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    caller.require(Scope::Read)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let project_id = named_project(&connection, &named)?;
    params.only(&["send"])?;
    let sends = match params.get("send") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::invalid_parameter("send", "must be true or false")),
    };
    if sends {
        caller.require(Scope::ConnectionsWrite)?;
    }
    let settings = read_settings(&app, &caller, &connection, &body.value()?).await?;
    let site = app.directory().site(&connection.organization_id, &settings.site_id).await?;
    let site = site.ok_or_else(|| Problem::not_found("site"))?;
    let preview = last_day(app.table(), &site, &settings, app.public_url(), app.now()).await?;
    let note = match settings.daily_summary.enabled {
        true => {
            let (at, url) = (&settings.daily_summary.at, app.public_url());
            Some(note_so_far(app.table(), &site, at, &site.shifts, url, app.now()).await?)
        }
        false => None,
    };
    if !sends {
        return Ok((StatusCode::OK, Json(Shown { preview, note })));
    }
    let lane = connection.lane();
    let standing = app.directory().project(&lane, &project_id).await?;
    let Some(mut project) = standing.filter(|project| project.settings == settings) else {
        return Err(Problem::conflict(
            "The project is not mapped with these settings: PUT them first, then send what their preview shows.",
        ));
    };
    match send(app.table(), &lane, &mut project, &preview, app.now()).await {
        Err(TableError::Condition(_)) => {
            return Err(Problem::conflict(
                "The project's settings are being changed at this moment: repeat the request.",
            ));
        }
        outcome => outcome?,
    }
    again::wake(app.table(), app.bell(), &lane, app.now()).await?;
    tracing::info!(
        organization_id = %lane.organization_id, connection_id = %lane.connection_id, site_id = %site.id,
        records = preview.keys.len(), "the last day's records are sent"
    );
    Ok((StatusCode::ACCEPTED, Json(Shown { preview, note })))
}
