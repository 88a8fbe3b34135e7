//! The steps of the set-up. Where someone stands follows from what is stored, so that closing the tab loses nothing.
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::Mapped;
use domain::record::RecordKind;
use maud::{Markup, html};
use store::lanes::Lane;
use store::trials;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Connect,
    Projects,
    Sends,
    Schedule,
    Test,
}

/// A project is mapped, its settings are saved, then its hour.
pub const SAVED_BY_THE_STEPS: u64 = 3;

const STEPS: [(Step, &str); 5] = [
    (Step::Connect, "Connect"),
    (Step::Projects, "Projects"),
    (Step::Sends, "What is sent"),
    (Step::Schedule, "Hour and shifts"),
    (Step::Test, "Test record"),
];

/// Where in the set-up this page stands.
pub fn nav(at: Step) -> Markup {
    html! {
        nav.steps aria-label="Steps of the set-up" {
            ol { @for (step, name) in STEPS {
                li aria-current=[(step == at).then_some("step")] { (name) }
            } }
        }
    }
}

/// What a mapped project still lacks: `None` when its set-up was gone through. Its version counts how often it was saved.
pub async fn open(app: &AppState, mapped: &Mapped) -> Result<Option<(Step, String)>, Refusal> {
    // Mapped through the API, where no name is looked up: whoever did that goes through no steps.
    if mapped.project.name.is_none() {
        return Ok(None);
    }
    let lane = mapped.connection.lane();
    // As mapped by a press on the list of projects, and never saved since.
    if mapped.project.version <= 1 {
        return Ok(Some((Step::Sends, format!("{}/settings?setup=1", mapped.path()))));
    }
    if trials::last(app.table(), &lane, &mapped.project.project_id).await?.is_some() {
        return Ok(None);
    }
    let keeping = Lane { table: app.table(), id: &lane };
    for kind in [RecordKind::Observation, RecordKind::Incident] {
        if !keeping.links_of(kind, &mapped.site.id, None, 1).await?.is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(match mapped.project.version {
        ..=2 => (Step::Schedule, format!("{}/schedule?setup=1", mapped.path())),
        _ => (Step::Test, format!("{}/test?setup=1", mapped.path())),
    }))
}

pub fn name(of: Step) -> &'static str {
    STEPS.iter().find(|(step, _)| *step == of).map_or("", |(_, name)| name)
}
