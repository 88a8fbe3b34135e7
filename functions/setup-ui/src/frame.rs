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

/// Where the window begins. Who is signed in there goes on at once.
const WINDOW: &str = "/sign-in/hand-over";
/// The same with Procore asked in any case: the frame needs what Procore gives anew.
const WINDOW_AT_PROCORE: &str = "/sign-in/procore?next=%2Fsign-in%2Fhand-over";

/// `again`: somebody is signed in, and Procore is to be asked anew.
pub fn sign_in(next: &str, again: bool) -> Page {
    let window = if again { WINDOW_AT_PROCORE } else { WINDOW };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let body = html! {
        h1 { "Sign in" }
        p { "Procore's login opens in a window of its own; afterwards you go on here." }
        p { button #open-window type="button" data-path=(window) hidden { "Sign in" } }
        p #no-window role="status" hidden { "Your browser did not open a window. Open HardHat Pulse in a new tab instead." }
        form #take-over method="post" action={ "/sign-in/frame?" (query) } { input type="hidden" name="code"; }
        p { a #new-tab href=(next) target="_blank" rel="noopener" { "Open HardHat Pulse in a new tab" } }
        script src=(*FRAME_PATH) defer {}
    };
    Page::new("Sign in", body)
}

/// In a frame: a step at a platform that comes back to a page, not to the frame, and so has a tab of its own.
pub async fn tab(Query(asked): Query<BTreeMap<String, String>>) -> Result<Page, Refusal> {
    let known =
        |path: &&String| ["/sign-in/procore?", "/sign-in/autodesk?"].iter().any(|known| path.starts_with(known));
    let path = asked.get("path").filter(known).ok_or_else(Refusal::not_found)?;
    let platform = if path.starts_with("/sign-in/autodesk?") { "Autodesk" } else { "Procore" };
    let body = html! {
        h1 { "This step has a tab of its own" }
        p { (platform) " asks you there whether you agree. Go on in that tab, or come back here when it is done." }
        p { a.button href=(local(path)) target="_blank" { "Go on in a new tab" } }
        p { a href="/setup" { "Overview" } }
    };
    Ok(Page::new("This step has a tab of its own", body))
}

/// In the window, once somebody is signed in there.
pub async fn hand_over(State(app): State<AppState>, visitor: Visitor, headers: HeaderMap) -> Result<Page, Refusal> {
    if people::is_framed(&headers) {
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

/// In the frame: the code becomes a session with a cookie of the frame's own. One that it had before ends.
pub async fn take_over(
    State(app): State<AppState>,
    before: Option<Visitor>,
    Query(asked): Query<BTreeMap<String, String>>,
    form: Form,
) -> Result<Response, Refusal> {
    let next = local(asked.get("next").map_or("", String::as_str));
    match app.people().take_over(app.vault(), form.before_sign_in("code")).await? {
        Some(opened) => {
            if let Some(before) = before {
                app.people().close(&before.session).await?;
            }
            Ok(([(SET_COOKIE, opened.set_cookie)], Redirect::to(next)).into_response())
        }
        None => Ok(Redirect::to(&people::sign_in_path(next)).into_response()),
    }
}
