//! A project in which the platform lets no webhook of ours be made: what people change there comes back late, which is said where
//! somebody looks whether all works.
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::Mapped;
use crate::words;
use maud::{Markup, html};
use store::lanes::Lane;

pub async fn notice(app: &AppState, mapped: &Mapped) -> Result<Markup, Refusal> {
    let id = mapped.connection.lane();
    let mut hooks = Lane { table: app.table(), id: &id }.hooks().await?;
    let trouble = hooks.projects.remove(&mapped.project.project_id).and_then(|hook| hook.trouble);
    Ok(html! {
        @if let Some(why) = trouble {
            div.notice role="status" {
                p { strong { "Changes come back by polling only" } }
                p { "What people change in " (words::platform(mapped.connection.provider)) " comes back within about half an hour, not within \
                     seconds. Nothing is lost, and all else works." }
                p { (why) }
            }
        }
    })
}
