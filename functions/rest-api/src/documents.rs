//! What describes us, for anyone: the OpenAPI document, the same as a page, and the JSON Schemas of what edges send and webhook endpoints get, at the
//! addresses that their ids name.
use crate::problem::Problem;
use crate::reference;
use crate::state::AppState;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use domain::validate::SCHEMAS;
use domain::webhook;

/// Routes that need no key.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(reference::page))
        .route("/schemas/{*path}", get(schema))
}

async fn openapi() -> impl IntoResponse {
    ([(CACHE_CONTROL, "public, max-age=3600")], Json(crate::openapi::document()))
}

async fn schema(Path(path): Path<String>) -> Result<impl IntoResponse, Problem> {
    let edge = SCHEMAS.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned());
    let found = edge.or_else(|| webhook::schemas::at(&path).map(|schema| schema.to_string()));
    let text = found.ok_or_else(|| Problem::not_found("schema"))?;
    Ok(([(CONTENT_TYPE, "application/schema+json"), (CACHE_CONTROL, "public, max-age=3600")], text))
}
