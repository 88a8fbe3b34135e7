//! Whether what people change in a project comes back: late, where the platform lets no webhook of ours be made, or not at all, where we
//! may not read there. It is said where somebody looks whether all works.
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::Mapped;
use crate::words;
use maud::{Markup, html};
use store::lanes::Lane;

pub async fn notice(app: &AppState, mapped: &Mapped) -> Result<Markup, Refusal> {
    let (id, project) = (mapped.connection.lane(), &mapped.project.project_id);
    let lane = Lane { table: app.table(), id: &id };
    let refused = lane.rereads().await?.refused.remove(project);
    let trouble = lane.hooks().await?.projects.remove(project).and_then(|hook| hook.trouble);
    let platform = words::platform(mapped.connection.provider);
    Ok(match (refused, trouble) {
        (Some(why), _) => html! {
            div.notice role="status" {
                p { strong { "Changes do not come back" } }
                p { "HardHat Pulse could not read this project in " (platform) " the last time. It tries again each half hour, and what was \
                     missed comes back then." }
                p { (why) }
            }
        },
        (None, Some(why)) => html! {
            div.notice role="status" {
                p { strong { "Changes come back by polling only" } }
                p { "What people change in " (platform) " comes back within about half an hour, not within seconds. Nothing is lost." }
                p { (why) }
            }
        },
        (None, None) => html! {},
    })
}
