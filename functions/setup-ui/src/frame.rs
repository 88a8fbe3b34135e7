//! Signing in from Procore's frame. No platform shows its login in a frame, and the frame's cookies are its own: so a window of
//! its own is opened, and hands back a one-time code. A new tab is always there for who wants no second window.
use crate::assets::FRAME_PATH;
use crate::form::Form;
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use people::{Visitor, local};
use std::collections::BTreeMap;

/// A browser says where a page is to be shown.
pub fn is_framed(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|dest| matches!(dest.as_bytes(), b"iframe" | b"frame"))
}

pub fn sign_in(next: &str) -> Page {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let body = html! {
        h1 { "Sign in" }
        p { "Procore's login opens in a window of its own; afterwards you go on here." }
        p { button #open-window type="button" data-path="/sign-in/hand-over" hidden { "Sign in" } }
        p #no-window role="status" hidden { "Your browser did not open a window. Open HardHat Pulse in a new tab instead." }
        form #take-over method="post" action={ "/sign-in/frame?" (query) } { input type="hidden" name="code"; }
        p { a #new-tab href=(next) target="_blank" rel="noopener" { "Open HardHat Pulse in a new tab" } }
        script src=(*FRAME_PATH) defer {}
    };
    Page::new("Sign in", body)
}

/// In the window, once somebody is signed in there.
pub async fn hand_over(State(app): State<AppState>, visitor: Visitor, headers: HeaderMap) -> Result<Page, Refusal> {
    if is_framed(&headers) {
        return Err(Refusal::not_found());
    }
    let code = app.people().hand_over(&visitor).await?;
    let body = html! {
        h1 { "You are signed in" }
        div #hand-over data-code=(code) {}
        p #no-opener hidden { "You can close this window. If the page in Procore does not go on by itself, use HardHat Pulse here." }
        p { a.button href="/setup" { "Go on in this window" } }
        script src=(*FRAME_PATH) defer {}
    };
    Ok(Page::new("You are signed in", body))
}

/// In the frame: the code becomes a session with a cookie of the frame's own.
pub async fn take_over(
    State(app): State<AppState>,
    Query(asked): Query<BTreeMap<String, String>>,
    form: Form,
) -> Result<Response, Refusal> {
    let next = local(asked.get("next").map_or("", String::as_str));
    match app.people().take_over(app.vault(), form.before_sign_in("code")).await? {
        Some(opened) => Ok(([(SET_COOKIE, opened.set_cookie)], Redirect::to(next)).into_response()),
        None => Ok(Redirect::to(&people::sign_in_path(next)).into_response()),
    }
}
