//! `/sign-in/procore?next=…`: notes the sign-in and leads to Procore's login. With `connection=…` a manager lets that connection
//! work with their own consent. Procore's login stands in no frame, so that a frame is led to a page of ours that opens a window.
use crate::grant;
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
    if people::is_framed(&headers) {
        return Ok(Redirect::to(&beside_the_frame(&asked, next)).into_response());
    }
    let connection = match (asked.get("connection"), &visitor) {
        (Some(id), Some(visitor)) => {
            grant::require_ours(&headers)?;
            Some(grant::connection(&app, visitor, id, Provider::Procore).await?.id)
        }
        (Some(_), None) => return Ok(Redirect::to(&people::sign_in_path(next)).into_response()),
        (None, _) => None,
    };
    let begun = app.people().begin_sign_in(&headers, Provider::Procore, next, visitor.as_ref(), connection).await?;
    let url = app.procore().consent_url(&app.redirect_uri(), &begun.state).await?;
    Ok(([(SET_COOKIE, begun.set_cookie)], Redirect::to(&url)).into_response())
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Our page in the frame that leads to a step of ours in a tab of its own.
pub fn in_a_tab(step: &str, asked: &BTreeMap<String, String>) -> String {
    let asked: Vec<(&str, &str)> =
        ["connection", "next"].into_iter().filter_map(|name| Some((name, asked.get(name)?.as_str()))).collect();
    format!("/sign-in/tab?{}", query(&[("path", &format!("{step}?{}", query(&asked)))]))
}

fn beside_the_frame(asked: &BTreeMap<String, String>, next: &str) -> String {
    match asked.get("connection") {
        Some(_) => in_a_tab("/sign-in/procore", asked),
        None => format!("/sign-in?{}", query(&[("again", "1"), ("next", people::local(next))])),
    }
}
