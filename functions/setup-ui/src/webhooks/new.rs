//! Choose a platform, enter an address, and see the signing secret: it stands in this one answer alone.
use super::fields::{Fields, title};
use super::{NEW, guide, path, platform, preview};
use crate::capabilities;
use crate::form::{self, Errors};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use credentials::Secret;
use domain::ids::{EndpointId, OrganizationId};
use domain::webhook::Platform;
use maud::{Markup, html};
use people::{Role, Visitor, token};
use std::collections::BTreeMap;
use store::endpoints::Endpoints;
use ulid::Ulid;
use webhook::endpoints::MOST;
use webhook::settings::{New, Reader};

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let chosen = asked.get("platform").map(String::as_str);
    let Some(chosen) = Platform::ALL.into_iter().find(|platform| Some(platform.as_str()) == chosen) else {
        return Ok(choice());
    };
    let sites = Sites::of(&app, &visitor).await?;
    let press = token::fresh_ulid(app.now())?.to_string();
    Ok(page(&visitor, &sites, &Fields::new(chosen, &sites, press), &Errors::default(), None))
}

fn choice() -> Page {
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { "Set up a webhook" }
        p { "A webhook sends each detection, incident and daily summary as a signed message to a web address, within seconds. Where shall it go?" }
        ul.cards { @for each in Platform::ALL {
            li {
                h2 { (platform(each)) }
                p { (guide::promise(each)) }
                p { a.button href={ (NEW) "?platform=" (each.as_str()) } { "Choose " (choose(each)) } }
            }
        } }
        p { a href=(capabilities::PATH) { (capabilities::TITLE) } ", side by side." }
        p { "Procore needs no webhook: " a href="/setup/connect" { "connect it directly" } "." }
    };
    Page::new("Set up a webhook", body)
}

fn choose(of: Platform) -> &'static str {
    match of {
        Platform::Own => "a system of your own",
        of => platform(of),
    }
}

fn page(visitor: &Visitor, sites: &Sites, fields: &Fields, errors: &Errors, preview: Option<Markup>) -> Page {
    let of = fields.platform.unwrap_or(Platform::Own);
    let body = html! {
        p { a href=(NEW) { "Choose another platform" } }
        h1 { (title(of)) }
        p { (guide::promise(of)) }
        (guide::steps(of))
        (errors.summary())
        @if let Some(preview) = preview { (preview) }
        form method="post" action=(NEW) novalidate {
            (form::token_field(visitor))
            (fields.markup(sites, errors))
            p.links {
                button #make type="submit" { "Make the webhook" }
                button #show-preview.quiet type="submit" name="do" value="preview" { "Show what would be sent" }
            }
        }
    };
    Page::new(title(of), body)
}

pub async fn make(State(app): State<AppState>, visitor: Visitor, form: form::Form) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let mut fields = Fields::sent(&values);
    let sites = Sites::of(&app, &visitor).await?;
    // Who sees some sites only chooses among them.
    fields.all_sites &= sites.all;
    let press: Ulid = fields.version.parse().map_err(|_| Refusal::unreadable())?;
    let organization_id = visitor.session.organization_id.clone();
    let id = id_of(&organization_id, press);
    if values.get("do") == "preview" {
        let preview = preview::of_form(&app, &sites, &organization_id, &id, &fields).await?;
        return Ok(page(&visitor, &sites, &fields, &Errors::default(), Some(preview)).into_response());
    }
    let reader = Reader { guard: app.guard(), names: app.names(), sites: &sites.ids() };
    let new = match reader.new_endpoint(&fields.body(false)).await {
        Ok(new) => new,
        Err(wrong) => {
            let page = page(&visitor, &sites, &fields, &fields.errors(&wrong), None);
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    if let Some(standing) = Endpoints(app.table()).get(&organization_id, &id).await? {
        // The same press once more: its secret was shown, or was lost with the answer, and can be rotated.
        return Ok(Redirect::to(&format!("{}?made", path(&standing))).into_response());
    }
    if !app.desk().has_room(&organization_id).await? {
        let sentence = format!("An organization may have {MOST} webhooks: remove one that is not used.");
        return Err(Refusal::not_now(sentence, "/setup"));
    }
    made(&app, &visitor, organization_id, id, new).await
}

async fn made(
    app: &AppState,
    visitor: &Visitor,
    organization_id: OrganizationId,
    id: EndpointId,
    new: New,
) -> Result<Response, Refusal> {
    let (endpoint, secret) = app.desk().make(&organization_id, id, new).await?;
    tracing::info!(
        organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, person_id = %visitor.person.id,
        "a webhook endpoint was made by a person"
    );
    let body = html! {
        h1 { (endpoint.name) " is made" }
        p { "A test event is on its way to it. It becomes active with the first message that its receiver takes." }
        (secret_once(&secret, "This is its signing secret"))
        (guide::steps(endpoint.platform))
        p { a.button #to-status href=(path(&endpoint)) { "Go on: test it and see its status" } }
    };
    Ok(Page::new("The webhook is made", body).into_response())
}

/// Shown in one answer, and never again.
pub fn secret_once(secret: &Secret, title: &str) -> Markup {
    html! {
        section.notice.good aria-labelledby="secret-title" role="status" {
            h2 #secret-title { (title) }
            p { code #secret { (secret.expose()) } }
            p { "Copy it now: it is shown this once. With it the receiver checks that a message comes from HardHat Pulse. A relay without code \
                 can't check it; there the token, or the secret in the address, does." }
        }
    }
}

/// The same press makes the same endpoint; nobody's press makes somebody else's.
fn id_of(organization: &OrganizationId, press: Ulid) -> EndpointId {
    EndpointId::new(token::ulid_of(&format!("webhook endpoint\n{organization}\n{press}"), press.timestamp_ms()))
}
