//! `/sign-in/procore?next=…`: notes the sign-in and leads to Procore's login.
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::Provider;
use people::Visitor;
use std::collections::BTreeMap;

pub async fn begin(
    State(app): State<AppState>,
    visitor: Option<Visitor>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let next = asked.get("next").map_or("", String::as_str);
    let begun = app.people().begin_sign_in(&headers, Provider::Procore, next, visitor.as_ref()).await?;
    let url = app.procore().consent_url(&app.redirect_uri(), &begun.state).await?;
    Ok(([(SET_COOKIE, begun.set_cookie)], Redirect::to(&url)).into_response())
}
