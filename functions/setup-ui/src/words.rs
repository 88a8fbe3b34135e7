//! Words of our own terms for people, and a few pieces that several pages show.
use domain::record::{Mender, RecordKind, RecordState};
use maud::{Markup, html};
use store::directory::{Connection, Project};

pub fn kind(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Incident => "Incident",
        RecordKind::Observation => "Observation",
        RecordKind::DailySummary => "Daily summary",
    }
}

pub fn kinds(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Incident => "Incidents",
        RecordKind::Observation => "Observations",
        RecordKind::DailySummary => "Daily summaries",
    }
}

/// What a connection's account is called.
pub fn company(connection: &Connection) -> String {
    connection.name.clone().unwrap_or_else(|| format!("company {}", connection.account))
}

/// What a project is called.
pub fn project(project: &Project) -> String {
    project.name.clone().unwrap_or_else(|| format!("project {}", project.project_id))
}

pub fn state(state: RecordState) -> &'static str {
    match state {
        RecordState::Pending => "Waiting",
        RecordState::Synced => "In Procore",
        RecordState::Blocked => "Needs someone",
        RecordState::Failed => "Refused",
    }
}

pub fn tag(of: RecordState) -> Markup {
    html! { span class={ "tag " (of.as_str()) } { (state(of)) } }
}

pub fn mender(who: Mender) -> &'static str {
    match who {
        Mender::SafetyManager => "You, or another safety manager of your organization",
        Mender::PlatformAdmin => "An admin of your company in Procore",
        Mender::HardhatPulse => "HardHat Pulse (contact@hardhatpulse.com)",
    }
}
