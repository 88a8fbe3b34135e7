//! Signing in, and the page on which a person lets an application act for them.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{COOKIE, layout, signed_in};
use crate::procore::{Ask, Core, Person, World, decide};
use crate::reply::respond;

const PROCORE: &str = "Procore";

/// Forms may lead anywhere: agreeing sends the browser back to the application.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

pub(crate) fn sign_in(world: &World, then: &str, problem: Option<&str>) -> Markup {
    let people = world.people.values().filter(|person| person.signs_in());
    let people = people.filter_map(|person| Some((person.login.as_deref()?, person)));
    let body = html! {
        @if let Some(problem) = problem { p role="alert" { span.tag.bad { (problem) } } }
        form.stack method="post" action="/login" {
            input type="hidden" name="then" value=(then);
            label { "Person" select name="login" required {
                @for (login, person) in people {
                    option value=(login) { (person.name) ", " (companies(world, person).join(" and ")) " (" (login) ")" }
                }
            } }
            button { "Log in" }
        }
    };
    layout::bare(PROCORE, "Log in", &body)
}

fn companies<'a>(world: &'a World, person: &Person) -> Vec<&'a str> {
    let known = person.companies.iter().filter_map(|id| world.companies.get(id));
    known.map(|company| company.name.as_str()).collect()
}

pub(crate) fn consent(world: &World, ask: &Ask, person: &Person) -> Markup {
    let body = html! {
        p { strong { (ask.client_id) } " asks to act for " strong { (person.name) } " in " (companies(world, person).join(" and ")) "." }
        form.stack method="post" action="/consent" {
            input type="hidden" name="response_type" value=(ask.response_type);
            input type="hidden" name="client_id" value=(ask.client_id);
            input type="hidden" name="redirect_uri" value=(ask.redirect_uri);
            @if let Some(state) = &ask.state { input type="hidden" name="state" value=(state); }
            p {
                button name="decision" value="allow" { "Allow" } " "
                button.quiet name="decision" value="deny" { "Deny" }
            }
        }
        form method="get" action="/login" {
            input type="hidden" name="then" value=(ask.address());
            button.quiet { "Log in as somebody else" }
        }
    };
    layout::bare(PROCORE, "Let this application act for you?", &body)
}

/// What an application without a web address of its own has its user copy.
pub(crate) fn out_of_band(name: &str, value: &str) -> Markup {
    layout::bare(PROCORE, "Back to the application", &html! { p { (name) ": " code { (value) } } })
}

#[derive(Deserialize)]
pub(crate) struct Onwards {
    #[serde(default)]
    then: Option<String>,
}

impl Onwards {
    /// Only within these pages.
    fn address(&self) -> &str {
        let inside = |then: &&str| then.starts_with('/') && !then.starts_with("//") && !then.contains('\\');
        self.then.as_deref().filter(inside).unwrap_or("/")
    }
}

pub(crate) async fn login_page(State(core): State<Arc<Core>>, Query(onwards): Query<Onwards>) -> Response {
    framed(StatusCode::OK, &sign_in(&core.world(), onwards.address(), None))
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    login: String,
    #[serde(default)]
    then: Option<String>,
}

pub(crate) async fn login(State(core): State<Arc<Core>>, Form(sent): Form<SignIn>) -> Response {
    let onwards = Onwards { then: sent.then };
    let world = core.world();
    let mut people = world.people.values().filter(|person| person.signs_in());
    match people.find(|person| person.login.as_ref() == Some(&sent.login)) {
        Some(person) => remember(&person.id.to_string(), onwards.address()),
        None => {
            let page = sign_in(&world, onwards.address(), Some("Nobody has this login."));
            framed(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

pub(crate) async fn logout(Form(onwards): Form<Onwards>) -> Response {
    remember("; Max-Age=0", onwards.address())
}

fn remember(value: &str, then: &str) -> Response {
    let cookie = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(then)).into_response()
}

fn framed(status: StatusCode, page: &Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, page.0.clone()).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Said {
    #[serde(flatten)]
    ask: Ask,
    decision: String,
}

pub(crate) async fn answer(State(core): State<Arc<Core>>, headers: HeaderMap, Form(said): Form<Said>) -> Response {
    let now = core.now();
    let allowed = said.decision == "allow";
    respond(decide(&mut core.world(), &said.ask, signed_in(&headers), allowed, now))
}
