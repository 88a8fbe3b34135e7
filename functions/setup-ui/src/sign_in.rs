//! The ways in: the sign-in page, and links that let one person in. A link opened by GET changes nothing, so that a mail
//! scanner or a chat's preview does not burn it; its button does.
use crate::form::{self, Form};
use crate::frame;
use crate::layout::{Page, SUPPORT};
use crate::passkeys;
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use people::cookie::Cookie;
use people::links::{Link, Standing};
use people::{Role, Visitor, local};
use std::collections::BTreeMap;

type Asked = Query<BTreeMap<String, String>>;

/// Where to go afterwards: a path of ours.
fn next(asked: &Asked) -> &str {
    local(asked.get("next").map_or("", String::as_str))
}

pub async fn show(State(app): State<AppState>, visitor: Option<Visitor>, headers: HeaderMap, asked: Asked) -> Response {
    let (framed, again) = (people::is_framed(&headers), asked.contains_key("again"));
    if visitor.is_some() && !(framed && again) {
        return Redirect::to(next(&asked)).into_response();
    }
    if framed {
        return frame::sign_in(next(&asked), again).into_response();
    }
    let body = html! {
        h1 { "Sign in" }
        @if asked.contains_key("out") { div.notice role="status" { p { "You are signed out." } } }
        p { a.button #sign-in-procore href={ "/sign-in/procore?" (query("next", next(&asked))) } { "Sign in with Procore" } }
        p { "You see the sites whose projects you can see in Procore. HardHat Pulse learns your login there, and no password." }
        h2 { "Without Procore" }
        (passkeys::way_in(&app, &query("next", next(&asked))))
        p {
            "The first time, open the set-up or invitation link that you were sent: it signs you in. Each link works once and for a week. \
             If yours was used or is too old, ask a manager of your organization for another, or write to " (SUPPORT) "."
        }
    };
    Page::new("Sign in", body).into_response()
}

/// What a link offers, with the button that uses it.
pub async fn link(
    State(app): State<AppState>,
    visitor: Option<Visitor>,
    Path(secret): Path<String>,
    asked: Asked,
) -> Result<Page, Refusal> {
    let link = match app.people().link(&secret).await? {
        Standing::Good(link) => link,
        other => return Ok(no_good(&other)),
    };
    let organization = app.directory().organization(&link.organization_id).await?.ok_or_else(Refusal::not_found)?;
    let name = organization.name;
    // The secret comes from the address and is put back there as it came: only what can be one of ours gets here.
    let action = format!("/sign-in/link/{secret}?{}", query("next", next(&asked)));
    let body = html! {
        h1 { "Sign in for " (name) }
        @match visitor.filter(|visitor| is_in_already(visitor, &link)) {
            Some(visitor) => {
                p { "You are signed in for " (name) " already, as " (visitor.session.label) ". This link is still unused: it \
                     can go to a colleague." }
                p { a.button #onward href=(next(&asked)) { "Go on" } }
            }
            None => {
                p { (may(link.role)) " The link works once, in this browser, until " (format!("{:.0}", link.ends_at)) "." }
                form method="post" action=(action) { button #use-link type="submit" { "Sign in" } }
            }
        }
    };
    Ok(Page::new(format!("Sign in for {name}"), body))
}

fn is_in_already(visitor: &Visitor, link: &Link) -> bool {
    visitor.session.organization_id == link.organization_id && visitor.session.role >= link.role
}

fn may(role: Role) -> &'static str {
    match role {
        Role::Manager => "You can connect platforms, choose what is sent, and invite others.",
        Role::Viewer => "You can look at everything and change nothing.",
    }
}

fn query(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

pub async fn use_link(
    State(app): State<AppState>,
    Path(secret): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    match app.people().use_link(&secret).await? {
        Ok(person) => {
            let opened = app.people().open(&person).await?;
            Ok(([(SET_COOKIE, opened.set_cookie)], Redirect::to(next(&asked))).into_response())
        }
        Err(standing) => Ok(no_good(&standing).into_response()),
    }
}

/// Why a link lets nobody in.
fn no_good(standing: &Standing) -> Page {
    let (title, sentence) = match standing {
        Standing::Used => {
            ("This link was used", "Each link lets one person in, once. If that was you, sign in as you did then.")
        }
        Standing::Expired => ("This link is too old", "A link works for a week."),
        Standing::Unknown | Standing::Good(_) => {
            ("This link is not known", "Perhaps a part of it was lost when it was copied.")
        }
    };
    let body = html! {
        h1 { (title) }
        p { (sentence) " A manager of your organization can make another under People and sessions; the first one comes from " (SUPPORT) "." }
        p { a.button #onward href="/sign-in" { "Other ways to sign in" } }
    };
    Page::new(title, body).status(StatusCode::GONE)
}

/// Who is signed in, and the way out.
pub fn signed_in(visitor: &Visitor) -> Markup {
    html! {
        form.signed-in method="post" action="/sign-out" {
            (form::token_field(visitor))
            p { "Signed in as " (visitor.session.label) " (" (visitor.session.role.as_str()) "). "
                button #sign-out type="submit" { "Sign out" } }
        }
    }
}

pub async fn out(State(app): State<AppState>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    form.verified(&visitor)?;
    app.people().close(&visitor.session).await?;
    let cleared = Cookie::Session.clear(app.people().url());
    Ok(([(SET_COOKIE, cleared)], Redirect::to("/sign-in?out=1")).into_response())
}
