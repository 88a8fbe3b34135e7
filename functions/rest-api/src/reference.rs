//! The API's reference as a page, from the same document: nothing but itself is loaded, and no script runs. [`members`] says what
//! bodies have.
mod members;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const STYLE: &str = include_str!("../assets/reference.css");
/// In this order; with what stands above each.
const PARTS: [(&str, &str, &str); 7] = [
    (
        "facts",
        "Facts",
        "What the edges of a site reported. Lists can be followed: a kept cursor later gives what has arrived since.",
    ),
    ("reports", "Reports", "A site's days in figures."),
    ("webhooks", "Webhook endpoints", "Receivers of your own, and what came of each message."),
    ("messages", "Messages to your receiver", "What is sent to a webhook endpoint, signed as Standard Webhooks says."),
    ("connections", "Connections", "Platforms that records go to, and where each record stands."),
    ("directory", "Sites", "The sites that a key is for."),
    ("operator", "For the operator", "Only with the operator key of HardHat Pulse."),
];
const POLICY: HeaderName = HeaderName::from_static("permissions-policy");

pub async fn page() -> impl IntoResponse {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let csp = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (CONTENT_SECURITY_POLICY, csp),
        (CACHE_CONTROL, "public, max-age=3600".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (POLICY, "camera=(), geolocation=(), microphone=()".to_owned()),
    ];
    (headers, Html(markup(&crate::openapi::document()).into_string()))
}

/// Operations by tag: method, path, and what the document says.
type Operations<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str, &'a Value)>>;

fn operations(document: &Value) -> Operations<'_> {
    let mut by_tag = Operations::new();
    for section in ["paths", "webhooks"] {
        for (path, item) in document[section].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                by_tag.entry(tag).or_default().push((method, path, operation));
            }
        }
    }
    by_tag
}

fn markup(document: &Value) -> Markup {
    let by_tag = operations(document);
    let parts = PARTS.iter().filter_map(|(tag, title, words)| Some((*tag, *title, *words, by_tag.get(tag)?)));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "The HardHat Pulse API" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { h1 { "The HardHat Pulse API" } p { (document["info"]["description"].as_str().unwrap_or_default()) } }
                nav aria-label="Parts of this page" { ul {
                    li { a href="#begin" { "Begin here" } }
                    @for (tag, title, ..) in parts.clone() { li { a href={ "#" (tag) } { (title) } } }
                    li { a href="#changes" { "How it changes" } }
                } }
                main {
                    (begin())
                    @for (tag, title, words, operations) in parts {
                        section aria-labelledby=(tag) {
                            h2 id=(tag) { (title) }
                            p { (words) }
                            @for (method, path, operation) in operations { (self::operation(document, method, path, operation)) }
                        }
                    }
                    (changes())
                }
                footer { p { "The same as OpenAPI 3.1: " a href="/openapi.json" { "openapi.json" } ". Questions: " a href="mailto:contact@hardhatpulse.com" { "contact@hardhatpulse.com" } "." } }
            }
        }
    }
}

fn begin() -> Markup {
    html! {
        section aria-labelledby="begin" {
            h2 #begin { "Begin here" }
            p { "A manager of your organization makes a key on the page “API keys” of the set-up pages; it is shown once. Send it with each request:" }
            (code("The first call", "curl -H \"Authorization: Bearer $KEY\" $API/v1/sites"))
            p { "A key may send 600 requests a minute: " code { "RateLimit" } " says how many are left, as far as the process that answers has counted. A refusal is "
                code { "application/problem+json" } ": its " code { "errors" } " name each wrong member or parameter, all at once. A POST or PATCH with an "
                code { "Idempotency-Key" } " may be repeated for 24 hours without being done twice. With " code { "Accept-Encoding: gzip" } " answers come compressed." }
        }
    }
}

fn changes() -> Markup {
    html! {
        section aria-labelledby="changes" {
            h2 #changes { "How it changes" }
            p { "Within " code { "/v1" } " and within a message's " code { ".v1" } " things are only added: take no notice of members, kinds and types that you do not know." }
            p { "What goes away says so in each of its answers, six months before at the least: " code { "Deprecation" } " since when, "
                code { "Sunset" } " until when, " code { "Link" } " to this part of the page. " @if crate::retiring::RETIRING.is_empty() { "Nothing goes away at present." } }
            @if !crate::retiring::RETIRING.is_empty() { ul { @for each in crate::retiring::RETIRING {
                li { code { (each.method.to_uppercase()) " " (each.path) } " ends " (each.ends) }
            } } }
        }
    }
}

fn operation(document: &Value, method: &str, path: &str, operation: &Value) -> Markup {
    let text = |member: &str| operation[member].as_str().unwrap_or_default();
    let id = text("operationId").replace(' ', "-");
    let good = operation["responses"].as_object().into_iter().flatten().find(|(status, _)| status.starts_with('2'));
    html! {
        article aria-labelledby=(id) {
            h3 id=(id) { (text("summary")) }
            p.call { code { b { (method.to_uppercase()) } " " (path) } }
            @if !text("description").is_empty() { p { (prose(text("description"))) } }
            (parameters(operation))
            @for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                (members::of(document, &content["schema"]))
                (examples("Body", kind, content))
            }
            @if let Some((status, answer)) = good {
                p { b { (status) } ": " (answer["description"].as_str().unwrap_or_default()) "." }
                @for (kind, content) in answer["content"].as_object().into_iter().flatten() { (examples("Answer", kind, content)) }
            }
            @let refusals = operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| !status.starts_with('2'));
            details { summary { "Other answers" } ul { @for (status, refusal) in refusals {
                li { b { (status) } " " (prose(refusal["description"].as_str().unwrap_or_default())) }
            } } }
        }
    }
}

fn parameters(operation: &Value) -> Markup {
    let all: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
    html! { @if !all.is_empty() {
        dl { @for each in all {
            dt { code { (each["name"].as_str().unwrap_or_default()) } " " small { (each["in"].as_str().unwrap_or_default()) } }
            dd { (prose(each["description"].as_str().unwrap_or_default())) }
        } }
    } }
}

fn examples(title: &str, kind: &str, content: &Value) -> Markup {
    let named = content["examples"].as_object().into_iter().flatten();
    let named = named.map(|(_, example)| (example["summary"].as_str().unwrap_or_default(), &example["value"]));
    let all: Vec<(&str, &Value)> =
        content.get("example").map(|example| ("", example)).into_iter().chain(named).collect();
    html! { @for (words, value) in all {
        @let label = if words.is_empty() { format!("{title}, {kind}") } else { format!("{title}: {words}") };
        details { summary { (label) } (code(&label, &shown(value))) }
    } }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

/// It may run over the side, so the keyboard can get there.
fn code(label: &str, text: &str) -> Markup {
    html! { pre tabindex="0" role="region" aria-label=(label) { code { (text) } } }
}

/// Words with `names` in them.
fn prose(text: &str) -> Markup {
    html! { @for (at, part) in text.split('`').enumerate() {
        @if at % 2 == 1 { code { (part) } } @else { (part) }
    } }
}
