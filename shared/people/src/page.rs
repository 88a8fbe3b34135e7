//! The few pages that must work where no layout is at hand: one sentence of what happened, one step onward.
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

const CSP: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page in plain words. `onward`: a path of ours and what its link says.
pub fn calm(status: StatusCode, title: &str, words: &str, onward: Option<(&str, &str)>) -> Response {
    let onward = onward.map_or_else(String::new, |(path, text)| {
        format!("<p><a id=\"onward\" href=\"{}\">{}</a></p>", escape(path), escape(text))
    });
    let body = format!("<p>{}</p>{onward}", escape(words));
    page(status, title, &body)
}

/// The same frame around other content, which is HTML already.
pub fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} - HardHat Pulse</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}}button{{font:inherit;padding:.5rem 1rem;min-height:2.75rem}}</style></head>\
         <body><main><h1>{title}</h1>{content}\
         <p>Questions: <a href=\"mailto:contact@hardhatpulse.com\">contact@hardhatpulse.com</a></p></main></body></html>",
        title = escape(title),
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP)),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (status, headers, body).into_response()
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
