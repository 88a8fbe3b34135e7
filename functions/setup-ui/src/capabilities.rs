//! What each platform can show and what comes back from it, in the words of docs/capabilities.md: both have one source.
use crate::layout::Page;
use domain::capabilities::{PLATFORMS, ROWS};
use maud::html;
use people::Visitor;

pub const PATH: &str = "/setup/capabilities";
pub const TITLE: &str = "What each platform can show";

pub async fn show(_: Visitor) -> Page {
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { (TITLE) }
        p { "What HardHat Pulse sends to each platform, and what it brings back. Where something is not possible, it says why." }
        @for (at, platform) in PLATFORMS.iter().enumerate() {
            section aria-labelledby={ "platform-" (at) } {
                h2 id={ "platform-" (at) } { (platform) }
                dl { @for row in ROWS { dt { (row.feature) } dd { (row.cells[at].words()) } } }
            }
        }
    };
    Page::new(TITLE, body)
}
