//! All companies with their projects.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;

use super::{apps, layout, signed_in, tools};
use crate::procore::Core;

pub(crate) async fn page(State(core): State<Arc<Core>>, headers: HeaderMap) -> Response {
    let world = core.world();
    let person = signed_in(&headers).and_then(|id| world.people.get(&id));
    let body = html! {
        @match person {
            Some(person) => form.inline method="post" action="/logout" { p { "Logged in as " strong { (person.name) } ": edits carry this name where the person belongs. " button.quiet { "Log out" } } },
            None => p { "Edits carry the name of the company's safety manager. " a href="/login" { "Log in" } " as somebody else." },
        }
        @for company in world.companies.values() {
            section.card {
                h2 { (company.name) " " span.dim { (company.id) } }
                p {
                    @if !company.connected { span.tag.bad { "app not connected" } " " }
                    a href=(apps::address(company.id)) aria-label={ "Apps of " (company.name) } { "Apps" }
                }
                table {
                    tr { th { "Project" } th { "Time zone" } th { "Incidents" } th { "Observations" } th { "Daily log entries" } }
                    @for project in world.projects.values().filter(|project| project.company_id == company.id) {
                        @let tools = tools(project);
                        @let incidents = world.incidents.values().filter(|one| one.project_id == project.id && one.deleted_at.is_none()).count();
                        @let items = world.observations.values().filter(|one| one.project_id == project.id && one.deleted_at.is_none()).count();
                        @let entries = world.log_entries.values().filter(|one| one.project_id == project.id).count();
                        tr {
                            td { (project.name) " " span.dim { (project.id) } }
                            td { (project.tz_name) }
                            td { a href={ (tools) "/incidents" } { (incidents) } }
                            td { a href={ (tools) "/observations" } { (items) } }
                            td { a href={ (tools) "/dailylog" } { (entries) } }
                        }
                    }
                }
            }
        }
    };
    layout::page("Companies", None, body)
}
