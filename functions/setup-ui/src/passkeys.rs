//! Passkeys of people whom a link let in: adding one, signing in with one, removing one. A script asks and answers in JSON; what is
//! sent to us is a form like any other, with its token where somebody is signed in.
use crate::assets::PASSKEY_PATH;
use crate::form::{self, Form};
use crate::people_page;
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use people::passkeys::{Passkey, PasskeyRefusal, Question};
use people::{PeopleError, Person, Visitor, local};
use serde_json::json;
use std::collections::BTreeMap;

/// A refusal as the script reads it: a sentence with the next step.
pub struct Problem(StatusCode, String);

impl From<Refusal> for Problem {
    fn from(Refusal::Page { status, sentence, .. }: Refusal) -> Self {
        Self(status, sentence)
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<PasskeyRefusal> for Problem {
    fn from(refusal: PasskeyRefusal) -> Self {
        Self(StatusCode::FORBIDDEN, refusal.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "problem": self.1 }))).into_response()
    }
}

fn asked(question: Question) -> Response {
    let body = json!({ "state": question.state, "options": question.options });
    ([(SET_COOKIE, question.set_cookie)], Json(body)).into_response()
}

pub async fn ask_to_add(
    State(app): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    form.verified(&visitor)?;
    let organization = app.directory().organization(&visitor.session.organization_id).await.map_err(Refusal::from)?;
    let organization = organization.ok_or_else(Refusal::not_found)?;
    let name = format!("{}, {}", visitor.session.label, organization.name);
    Ok(asked(app.people().ask_for_passkey(&headers, &visitor, &name).await??))
}

pub async fn add(
    State(app): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let values = form.verified(&visitor)?;
    let (state, credential) = (values.get("state"), values.get("credential"));
    app.people().add_passkey(&headers, &visitor, state, credential).await??;
    Ok(Json(json!({ "next": "/people?added=1" })).into_response())
}

pub async fn ask_to_sign_in(State(app): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(asked(app.people().ask_to_sign_in(&headers).await??))
}

pub async fn sign_in(
    State(app): State<AppState>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
    form: Form,
) -> Result<Response, Problem> {
    let (state, credential) = (form.before_sign_in("state"), form.before_sign_in("credential"));
    let opened = app.people().sign_in_by_passkey(&headers, state, credential).await??;
    let next = local(query.get("next").map_or("", String::as_str));
    Ok(([(SET_COOKIE, opened.set_cookie)], Json(json!({ "next": next }))).into_response())
}

/// One's own passkey, or, for a manager, anybody's of the organization.
pub async fn remove(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(person): Path<String>,
    form: Form,
) -> Result<Redirect, Refusal> {
    let values = form.verified(&visitor)?;
    let person = people_page::oneself_or_managed(&app, &visitor, &person).await?;
    match app.people().remove_passkey(&person, values.get("passkey")).await? {
        true => Ok(Redirect::to("/people")),
        false => Err(Refusal::not_found()),
    }
}

/// The passkeys of a person on the page of people, each with the button that takes it away.
pub fn list(visitor: &Visitor, person: &Person, passkeys: &[Passkey]) -> Markup {
    html! {
        @if !passkeys.is_empty() {
            ul { @for passkey in passkeys { li {
                "Passkey added " (format!("{:.0}", passkey.created_at))
                @match passkey.last_used_at {
                    Some(at) => { ", last used " (format!("{at:.0}")) }
                    None => { ", not used yet" }
                }
                @if passkey.synced { " (kept for all devices of its owner)" }
                form method="post" action={ "/people/" (person.id) "/passkeys/remove" } {
                    (form::token_field(visitor))
                    input type="hidden" name="passkey" value=(passkey.id);
                    button.quiet type="submit" aria-label={ "Remove the passkey of " (person.label) " added " (format!("{:.0}", passkey.created_at)) } { "Remove this passkey" }
                }
            } } }
        }
    }
}

/// The button that adds one, for who may have one.
pub fn offer(app: &AppState, visitor: &Visitor) -> Markup {
    html! {
        @if app.people().offers_passkeys() && visitor.person.may_have_passkeys() {
            div.passkey data-kind="create" data-question="/people/passkeys/question" data-answer="/people/passkeys" data-csrf=(visitor.session.csrf) {
                p.without { "This browser has no passkeys, or runs no scripts: here an invitation or Procore is the way in." }
                button #add-passkey type="button" hidden { "Add a passkey to this account" }
                p role="status" {}
            }
            script src=(*PASSKEY_PATH) defer {}
        }
    }
}

/// After a link let somebody in who has no other way back.
pub async fn reminder(app: &AppState, visitor: &Visitor) -> Result<Markup, Refusal> {
    let person = &visitor.person;
    let could = app.people().offers_passkeys() && person.may_have_passkeys() && person.identity.is_none();
    if !could || !app.people().passkeys(person).await?.is_empty() {
        return Ok(html! {});
    }
    Ok(html! {
        section.notice aria-labelledby="come-back" {
            h2 #come-back { "How you sign in next time" }
            p { "The link that let you in is used up. With a passkey you sign in again by the fingerprint, face or PIN of your device." }
            (offer(app, visitor))
        }
    })
}

/// On the sign-in page; `query` carries where to go afterwards.
pub fn way_in(app: &AppState, query: &str) -> Markup {
    html! {
        @if app.people().offers_passkeys() {
            div.passkey data-kind="get" data-question="/sign-in/passkey/question" data-answer={ "/sign-in/passkey?" (query) } {
                p.without { "This browser has no passkeys, or runs no scripts: here a link or Procore is the way in." }
                button #sign-in-passkey type="button" hidden { "Sign in with a passkey" }
                p role="status" {}
            }
            script src=(*PASSKEY_PATH) defer {}
        }
    }
}
