//! Words of our own terms for people, and a few pieces that several pages show.
use domain::ids::Provider;
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
    let what = if connection.provider == Provider::Acc { "account" } else { "company" };
    connection.name.clone().unwrap_or_else(|| format!("{what} {}", connection.account))
}

/// What a project is called.
pub fn project(project: &Project) -> String {
    project.name.clone().unwrap_or_else(|| format!("project {}", project.project_id))
}

/// A platform by its name.
pub fn platform(provider: Provider) -> &'static str {
    match provider {
        Provider::Procore => "Procore",
        Provider::Acc => "Autodesk",
        Provider::Webhook => "your own system",
    }
}

pub fn state(state: RecordState, provider: Provider) -> &'static str {
    match (state, provider) {
        (RecordState::Pending, _) => "Waiting",
        (RecordState::Synced, Provider::Procore) => "In Procore",
        (RecordState::Synced, Provider::Acc) => "In Autodesk",
        (RecordState::Synced, Provider::Webhook) => "Delivered",
        (RecordState::Blocked, _) => "Needs someone",
        (RecordState::Failed, _) => "Refused",
    }
}

pub fn tag(of: RecordState, provider: Provider) -> Markup {
    html! { span class={ "tag " (of.as_str()) } { (state(of, provider)) } }
}

pub fn mender(who: Mender, provider: Provider) -> &'static str {
    match (who, provider) {
        (Mender::SafetyManager, _) => "You, or another safety manager of your organization",
        (Mender::PlatformAdmin, Provider::Acc) => "An admin of your account or project in Autodesk",
        (Mender::PlatformAdmin, _) => "An admin of your company in Procore",
        (Mender::HardhatPulse, _) => "HardHat Pulse (contact@hardhatpulse.com)",
    }
}
