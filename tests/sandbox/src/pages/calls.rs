//! What was called lately, how it was answered, and what broke the contract.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::layout;
use crate::journal::CallRecord;
use crate::procore::Core;

const SHOWN: usize = 200;

pub(crate) async fn page(State(core): State<Arc<Core>>) -> Response {
    let rules = core.faults().list();
    let world = core.world();
    let journal = &world.journal;
    let body = html! {
        p.dim { (journal.calls.len()) " calls, the newest " (SHOWN) " shown; " (journal.violations.len()) " broke the contract." }
        @if !rules.is_empty() {
            h2 { "Faults in force" }
            ul { @for rule in &rules { li { "#" (rule.id) ": " (format!("{:?}", rule.effect)) " on " (rule.method.as_deref().unwrap_or("any method")) " "
                (rule.path.as_deref().or(rule.operation_id.as_deref()).unwrap_or("any path")) } } }
        }
        @if !journal.violations.is_empty() {
            h2 { "Violations" }
            table {
                tr { th { "Call" } th { "Reason" } }
                @for violation in journal.violations.iter().rev().take(SHOWN) {
                    tr { td { (violation.method) " " (violation.path) } td { (violation.reason) } }
                }
            }
        }
        h2 { "Calls" }
        table {
            tr { th { "Time (UTC)" } th { "Call" } th { "Operation" } th { "Answer" } th { "Fault" } }
            @for call in journal.calls.iter().rev().take(SHOWN) { (row(call)) }
        }
    };
    layout::page("API calls", None, body)
}

fn row(call: &CallRecord) -> Markup {
    html! {
        tr {
            td { (call.at.strftime("%H:%M:%S%.3f")) }
            td { (call.method) " " (call.path) @if !call.query.is_empty() { span.dim { "?" (call.query) } } }
            td { (call.operation_id.as_deref().unwrap_or("unknown")) }
            td {
                @match call.status {
                    Some(status) if status < 400 => span.tag.good { (status) },
                    Some(status) => span.tag.bad { (status) },
                    None => span.tag.bad { "cut" },
                }
            }
            td { (call.fault.as_deref().unwrap_or("")) }
        }
    }
}
