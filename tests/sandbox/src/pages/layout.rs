//! The frame around every page.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::tools;
use crate::procore::Project;

const STYLE: &str = "
:root{--ink:#1c2530;--dim:#5d6b7a;--line:#dfe4ea;--paper:#fff;--ground:#f4f6f8;--brand:#c2410c}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header{background:#1c2530;color:#fff;padding:.7rem 1.5rem;display:flex;gap:1.5rem;align-items:baseline;flex-wrap:wrap}
header a{color:#fff;text-decoration:none}header b{color:#fdba74}header nav{display:flex;gap:1.2rem;margin-left:auto}
iframe{display:block;width:100%;height:75vh;border:1px solid var(--line);background:var(--paper)}
nav.tools{background:var(--paper);border-bottom:1px solid var(--line);padding:.5rem 1.5rem;display:flex;gap:1.2rem;flex-wrap:wrap}
main{max-width:70rem;margin:1.5rem auto;padding:0 1.5rem}
h1{font-size:1.5rem;margin:.2rem 0 1rem}h2{font-size:1.1rem;margin:1.6rem 0 .6rem}
a{color:var(--brand)}
.card{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:1rem 1.2rem;margin:0 0 1rem}
table{width:100%;border-collapse:collapse;background:var(--paper);border:1px solid var(--line)}
th,td{text-align:left;padding:.45rem .7rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th{font-size:.8rem;color:var(--dim);font-weight:600}
dl{display:grid;grid-template-columns:11rem 1fr;gap:.3rem 1rem;margin:0}dt{color:var(--dim)}dd{margin:0}
.pre{white-space:pre-wrap}.dim{color:var(--dim)}
.tag{display:inline-block;white-space:nowrap;border-radius:999px;padding:0 .6rem;font-size:.85rem;background:#e5e9ee}
.tag.open,.tag.initiated,.tag.High,.tag.bad{background:#fde3cf;color:#8a2f06}.tag.Urgent{background:#fbd0d0;color:#8f1414}
.tag.closed,.tag.good{background:#d6efdd;color:#14532d}
form.stack{display:grid;gap:.6rem;max-width:38rem}form.inline{display:inline}
label{display:grid;gap:.15rem;color:var(--dim);font-size:.9rem}
label.check{display:flex;gap:.5rem;align-items:center}
input,select,textarea{font:inherit;padding:.4rem .5rem;border:1px solid #b9c2cc;border-radius:5px;color:var(--ink)}
input[type=checkbox]{width:auto}
button{font:inherit;padding:.4rem .9rem;border:0;border-radius:5px;background:var(--brand);color:#fff;cursor:pointer;width:max-content}
button.quiet{background:#e5e9ee;color:var(--ink)}
";

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

pub(crate) fn page(title: &str, project: Option<&Project>, body: Markup) -> Response {
    with_policy(title, project, &body, POLICY)
}

/// An application's own page inside ours.
pub(crate) fn framing(title: &str, url: &str) -> Response {
    let body = html! { iframe src=(url) title=(title) {} };
    // By its origin: the page inside goes from path to path.
    let origin: Vec<&str> = url.split('/').take(3).collect();
    with_policy(title, None, &body, &format!("{POLICY}; frame-src {}", origin.join("/")))
}

fn with_policy(title: &str, project: Option<&Project>, body: &Markup, policy: &str) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Procore sandbox" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    a href="/" { b { "Procore" } " sandbox" }
                    span { "a stand-in for tests: nothing here leaves this machine" }
                    nav { a href="/" { "Companies" } a href="/calls" { "API calls" } }
                }
                @if let Some(project) = project { (tool_links(project)) }
                main { h1 { (title) } (body) }
            }
        }
    };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, page.into_string()).into_response()
}

fn tool_links(project: &Project) -> Markup {
    let tools = tools(project);
    html! {
        nav.tools {
            strong { (project.name) }
            a href={ (tools) "/incidents" } { "Incidents" }
            a href={ (tools) "/observations" } { "Observations" }
            a href={ (tools) "/dailylog" } { "Daily Log" }
            a href={ (tools) "/recyclebin" } { "Recycle bin" }
            span.dim { (project.tz_name) }
        }
    }
}

/// A page without the tools around it.
pub(crate) fn bare(platform: &str, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (platform) " sandbox" }
                style { (PreEscaped(STYLE)) }
            }
            body { header { b { (platform) } span { "sandbox" } } main { div.card { h1 { (title) } (body) } } }
        }
    }
}

pub(crate) fn missing() -> Response {
    let body = html! { p { "There is no such record. " a href="/" { "All companies" } } };
    (StatusCode::NOT_FOUND, page("Not found", None, body)).into_response()
}

/// A status or priority as a coloured word.
pub(crate) fn tag(word: &str) -> Markup {
    html! { span class={ "tag " (word) } { (word.replace('_', " ")) } }
}
