//! What arrived, as a person looks at it, and the receiver's settings as a person makes them. Asked for with `Accept:
//! application/json`, or by what does not ask for a page, the same as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Arrival, Core, Kind, Receiver, control};
use crate::pages::layout;

/// Rows on one page.
const SHOWN: usize = 200;

/// The answers that the page offers, each with its words.
const ANSWERS: [(&str, &str); 8] = [
    ("take", "take what is right"),
    ("fail", "fail with 503"),
    ("pause", "ask for a pause of a minute (429)"),
    ("refuse", "refuse with 401"),
    ("gone", "want no more (410)"),
    ("redirect", "redirect"),
    ("hang", "hang"),
    ("cut", "end the connection"),
];

fn told(word: &str) -> Answer {
    let status = |status, retry_after| Kind::Status { status, retry_after, body: None };
    Answer::of(match word {
        "fail" => status(503, None),
        "pause" => status(429, Some(60)),
        "refuse" => status(401, None),
        "gone" => status(410, None),
        "redirect" => Kind::Redirect { to: None },
        "hang" => Kind::Hang,
        "cut" => Kind::Cut,
        _ => Kind::Take,
    })
}

fn page(title: &str, body: &Markup) -> Response {
    Html(layout::bare("Webhook inbox", title, body).into_string()).into_response()
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

pub(super) async fn boxes(Shared(core): Shared<Arc<Core>>, headers: HeaderMap) -> Response {
    let state = core.state();
    if !wants_page(&headers) {
        let boxes: Vec<Value> = state.receivers.iter().map(|(name, receiver)| control::shown(name, receiver)).collect();
        return Json(json!({"boxes": boxes, "arrivals": state.arrivals})).into_response();
    }
    let of = |name: &str| state.arrivals.iter().filter(|arrival| arrival.name == name).count();
    let body = html! {
        p { "A receiver of webhooks that stands for a customer's own. Every path below " code { (core.url()) } " is a box that takes messages." }
        table {
            tr { th { "Box" } th { "Arrivals" } th { "Messages taken" } th { "Answers" } }
            @for (name, receiver) in &state.receivers {
                tr {
                    td { a href={ "/" (name) } { (name) } }
                    td { (of(name)) }
                    td { (receiver.taken.len()) }
                    td { (words(&receiver.answer)) }
                }
            }
        }
        form.stack method="post" action="/_page/open" {
            label { "Name of a box" input name="name" required pattern="[A-Za-z0-9._\\-]{1,80}" value="inbox"; }
            button { "Open the box" }
        }
    };
    page("Boxes", &body)
}

fn words(answer: &Answer) -> &'static str {
    let same = |word: &&(&'static str, &'static str)| told(word.0).kind == answer.kind;
    ANSWERS.iter().find(same).map_or("as it was told", |(_, words)| words)
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

pub(super) async fn open(Shared(core): Shared<Arc<Core>>, Form(form): Form<Named>) -> Redirect {
    core.state().receivers.entry(form.name.clone()).or_default();
    Redirect::to(&format!("/{}", form.name))
}

pub(super) fn one(core: &Core, name: &str, headers: &HeaderMap) -> Response {
    let state = core.state();
    let arrivals = || state.arrivals.iter().filter(|arrival| arrival.name == name);
    let Some(receiver) = state.receivers.get(name) else {
        let body = html! { p { "Nothing has come to this box yet. " a href="/" { "All boxes" } } };
        return match wants_page(headers) {
            true => (StatusCode::NOT_FOUND, page("No such box", &body)).into_response(),
            false => (StatusCode::NOT_FOUND, Json(json!({"detail": "no such box"}))).into_response(),
        };
    };
    if !wants_page(headers) {
        let arrivals: Vec<&Arrival> = arrivals().collect();
        return Json(json!({"box": control::shown(name, receiver), "arrivals": arrivals})).into_response();
    }
    let body = html! {
        p { a href="/" { "All boxes" } }
        p { "Enter as the endpoint's URL: " code { (core.url()) "/" (name) } }
        (settings(name, receiver))
        h2 { "What arrived" }
        @if arrivals().next().is_none() { p.dim { "Nothing yet." } }
        @for arrival in arrivals().rev().take(SHOWN) { (row(arrival)) }
    };
    page(name, &body)
}

fn settings(name: &str, receiver: &Receiver) -> Markup {
    html! {
        form.stack method="post" action={ "/_page/change/" (name) } {
            label { "Signing secret (two, while one is rotated: with a blank between)"
                input name="secrets" value=(receiver.secrets.join(" ")) autocomplete="off"; }
            label { "Token" input name="token" value=(receiver.token.as_deref().unwrap_or_default()) autocomplete="off"; }
            label { "To the next messages, " select name="answer" {
                @for (word, words) in ANSWERS { option value=(word) selected[told(word).kind == receiver.answer.kind] { (words) } }
            } }
            button { "Save" }
        }
    }
}

fn row(arrival: &Arrival) -> Markup {
    let body = serde_json::to_string_pretty(&arrival.body).unwrap_or_default();
    html! {
        div.card {
            p {
                strong { (arrival.kind.as_deref().unwrap_or("not readable")) } " "
                @match arrival.verified {
                    Some(true) => span.tag.good { "signature verified" },
                    Some(false) => span.tag.bad { "signature does not fit" },
                    None => span.tag { "not verified: no secret entered" },
                }
                " "
                @match arrival.status {
                    Some(status) if status < 300 => span.tag.good { "answered " (status) },
                    Some(status) => span.tag.bad { "answered " (status) },
                    None => span.tag.bad { "not answered" },
                }
            }
            p.dim { (arrival.at.strftime("%Y-%m-%d %H:%M:%S UTC")) ", " (arrival.id.as_deref().unwrap_or("no webhook-id")) }
            @if let Some(title) = arrival.body["data"]["title"].as_str() { p { (title) } }
            @for problem in &arrival.problems { p { span.tag.bad { (problem) } } }
            details { summary { "The body" } pre.pre { (body) } }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Settings {
    secrets: String,
    token: String,
    answer: String,
}

pub(super) async fn change(
    Shared(core): Shared<Arc<Core>>,
    Path(name): Path<String>,
    Form(form): Form<Settings>,
) -> Redirect {
    {
        let state = &mut *core.state();
        let receiver = state.receivers.entry(name.clone()).or_default();
        receiver.secrets = form.secrets.split_whitespace().map(str::to_owned).collect();
        receiver.token = Some(form.token.trim().to_owned()).filter(|token| !token.is_empty());
        receiver.answer = told(&form.answer);
    }
    Redirect::to(&format!("/{name}"))
}
