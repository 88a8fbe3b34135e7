//! All companies with their projects.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::{layout, tools};
use crate::procore::Core;

pub(crate) async fn page(State(core): State<Arc<Core>>) -> Response {
    let world = core.world();
    let body = html! {
        @for company in world.companies.values() {
            section.card {
                h2 { (company.name) " " span.dim { (company.id) } }
                @if !company.connected { p { span.tag.bad { "app not connected" } } }
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
