//! What describes us, for anyone: the JSON Schemas of what edges send, at the addresses that their ids name.
use crate::problem::Problem;
use crate::state::AppState;
use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use domain::validate::SCHEMAS;

/// Routes that need no key.
pub fn routes() -> Router<AppState> {
    Router::new().route("/schemas/{*path}", get(schema))
}

async fn schema(Path(path): Path<String>) -> Result<impl IntoResponse, Problem> {
    let found = SCHEMAS.iter().find(|(known, _)| *known == path);
    let (_, text) = found.ok_or_else(|| Problem::not_found("schema"))?;
    Ok(([(CONTENT_TYPE, "application/schema+json"), (CACHE_CONTROL, "public, max-age=3600")], *text))
}
