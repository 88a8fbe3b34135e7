//! Webhook endpoints as a safety manager sets them up: choose, enter, test, follow.
//!
//! - [`new`]: choose a platform, enter an address, see the secret once; [`settings`]: change it later; `fields`: the form of both
//! - [`endpoint`]: its status with the test, a new secret, trying again, the way out; [`log`]: what came of each message;
//!   [`delivery`]: one of them whole
//! - [`preview`]: what is sent, shown with the last event of the visitor's own sites; `guide`: what each platform can show, and how
pub mod delivery;
pub mod endpoint;
mod fields;
mod guide;
pub mod log;
pub mod new;
pub mod preview;
pub mod settings;

use crate::capabilities;
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use domain::ids::EndpointId;
use domain::webhook::Platform;
use maud::{Markup, html};
use people::{Role, Visitor};
use store::endpoints::{Endpoint, EndpointState, Endpoints};
use webhook::endpoints::EndpointError;

pub const NEW: &str = "/setup/webhooks/new";

pub fn path(endpoint: &Endpoint) -> String {
    format!("/setup/webhooks/{}", endpoint.id)
}

/// What people call where an endpoint leads to.
pub fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::TrimbleConnect => "Trimble Connect",
        Platform::Fieldwire => "Fieldwire",
        Platform::Own => "A system of your own",
    }
}

pub fn state(state: EndpointState) -> Markup {
    let (class, words) = match state {
        EndpointState::Untested => ("tag", "Not tested yet"),
        EndpointState::Active => ("tag synced", "Active"),
        EndpointState::Disabled => ("tag blocked", "Switched off"),
    };
    html! { span class=(class) { (words) } }
}

/// An endpoint of the visitor's organization that tells of no site which they may not see. It shows what a receiver answered, so it
/// is a manager's.
pub async fn visible(app: &AppState, visitor: &Visitor, id: &str) -> Result<(Endpoint, Sites), Refusal> {
    let id: EndpointId = id.parse().map_err(|_| Refusal::not_found())?;
    let found = Endpoints(app.table()).get(&visitor.session.organization_id, &id).await?;
    let endpoint = found.ok_or_else(Refusal::not_found)?;
    visitor.require(Role::Manager)?;
    let sites = Sites::of(app, visitor).await?;
    match sites.cover(&endpoint.wants.site_ids) {
        true => Ok((endpoint, sites)),
        false => Err(Refusal::not_found()),
    }
}

/// The part of the overview. Who is no manager sees names and states.
pub async fn overview(app: &AppState, visitor: &Visitor) -> Result<Markup, Refusal> {
    let manager = visitor.session.role >= Role::Manager;
    let mut endpoints = Endpoints(app.table()).list(&visitor.session.organization_id).await?;
    if !endpoints.is_empty() {
        let sites = Sites::of(app, visitor).await?;
        endpoints.retain(|endpoint| sites.cover(&endpoint.wants.site_ids));
    }
    if endpoints.is_empty() && !manager {
        return Ok(html! {});
    }
    Ok(html! {
        section aria-labelledby="webhooks" {
            h2 #webhooks { "Trimble Connect, Fieldwire and own systems" }
            @if endpoints.is_empty() {
                p { "Each detection, incident and daily summary can be sent as a signed message to a web address that you enter." }
            }
            ul.cards { @for endpoint in &endpoints {
                li {
                    h3 { (endpoint.name) " " (state(endpoint.state)) }
                    p.dim { (platform(endpoint.platform)) }
                    @if let Some(disabled) = &endpoint.disabled { p { (disabled.reason) } }
                    @if manager { p { a href=(path(endpoint)) { "Status of " (endpoint.name) } } }
                }
            } }
            @if manager {
                p.links {
                    a.button.quiet #set-up-webhook href=(NEW) { "Set up a webhook" }
                    a href=(crate::api_keys::PATH) { "API keys" }
                    a href=(capabilities::PATH) { (capabilities::TITLE) }
                }
            }
        }
    })
}

impl From<EndpointError> for Refusal {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Table(error) => error.into(),
            EndpointError::Vault(error) => Self::unavailable("the vault", &error),
            EndpointError::Gone => Self::not_found(),
            EndpointError::Stale => Self::changed_meanwhile("/setup".into()),
            EndpointError::Wrong(_) => Self::unreadable(),
            EndpointError::NotOfSite(_) => Self::not_now(
                "This webhook is not for the message's site any more. Add the site to what is sent first.".into(),
                "/setup",
            ),
            EndpointError::Disabled => Self::not_now(
                "This endpoint is switched off. Press “It is mended: try again” on its status page first.".into(),
                "/setup",
            ),
        }
    }
}
