//! A message as it is sent, made by the very code that makes it, of the last event of the visitor's own sites.
use super::fields::Fields;
use super::{path, visible};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use axum::extract::{Path, State};
use domain::arrival::ArrivalLine;
use domain::fact::{FactBody, FactKind};
use domain::ids::{EndpointId, OrganizationId};
use domain::webhook::message::Content;
use domain::webhook::{Format, Platform, Wants};
use jiff::Timestamp;
use maud::{Markup, html};
use people::Visitor;
use serde_json::Value;
use store::endpoints::{Endpoint, EndpointState};
use store::facts::SiteFacts;
use webhook::Composer;
use webhook::settings::Reader;

/// Arrivals of a site that are looked through for one that the endpoint wants.
const LOOKED_AT: u64 = 100;
/// Sites that are looked at.
const SITES: usize = 20;
/// A number to show: each endpoint counts its own.
const NUMBER: u64 = 1;

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
) -> Result<Page, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    let shown = section(&app, &sites, &endpoint).await?;
    let title = format!("A message to {}", endpoint.name);
    let body = html! {
        p { a href=(path(&endpoint)) { "Status of " (endpoint.name) } }
        h1 { (title) }
        (shown)
    };
    Ok(Page::new(title, body))
}

/// By a form that is not saved; what is wrong with it is told when it is.
pub(super) async fn of_form(
    app: &AppState,
    sites: &Sites,
    organization_id: &OrganizationId,
    id: &EndpointId,
    fields: &Fields,
) -> Result<Markup, Refusal> {
    let ids = sites.ids();
    let reader = Reader { guard: app.guard(), names: app.names(), sites: &ids };
    let mut body = fields.body(true);
    // Neither changes a message's body.
    for name in ["name", "url", "token"] {
        body.as_object_mut().map(|members| members.remove(name));
    }
    let change = match reader.change(&body).await {
        Ok(change) => change,
        Err(wrong) => return Ok(fields.errors(&wrong).summary()),
    };
    let mut wants = Wants::default();
    change.apply(&mut wants);
    let endpoint = Endpoint {
        id: id.clone(),
        organization_id: organization_id.clone(),
        platform: fields.platform.unwrap_or(Platform::Own),
        format: change.format.unwrap_or_default(),
        name: fields.name.clone(),
        url: String::new(),
        token: (!fields.token.is_empty() || fields.has_token).then(String::new),
        secrets: Vec::new(),
        wants,
        state: EndpointState::Untested,
        disabled: None,
        created_at: app.now(),
        fresh_since: None,
        edition: 1,
        version: 0,
    };
    section(app, sites, &endpoint).await
}

async fn section(app: &AppState, sites: &Sites, endpoint: &Endpoint) -> Result<Markup, Refusal> {
    let last = last(app, sites, endpoint).await?;
    let (content, words) = match last {
        Some((content, site)) => (content, format!("The last event of {site} that it wants, as it would be sent.")),
        None => {
            let ping = Content::Ping { id: "example".into(), asked_at: app.now() };
            (ping, "Your sites have sent nothing yet that it wants, so this is the test event.".to_owned())
        }
    };
    let id = content.id(&endpoint.id);
    let composer = Composer::new(app.table(), app.people().url().as_str());
    let body = composer.body(endpoint, &content, &id, NUMBER).await?.map(|composed| composed.body).unwrap_or_default();
    Ok(html! {
        section.notice aria-labelledby="preview" {
            h2 #preview { "What is sent" }
            p { (words) " Nothing was sent now." }
            pre.code #headers tabindex="0" role="region" aria-label="Headers" { (headers(endpoint, &id, app.now())) }
            pre.code #payload tabindex="0" role="region" aria-label="Message" { (pretty(&body)) }
            @if endpoint.format != Format::Teams && endpoint.platform != Platform::Own {
                p { "What a relay needs for one call at the platform stands under " code { "ready" } "." }
            }
            p.dim { "It is sent without these line breaks, and signed as it is sent." }
        }
    })
}

fn headers(endpoint: &Endpoint, id: &str, at: Timestamp) -> String {
    let token = if endpoint.token.is_some() { "\nAuthorization: Bearer <your token>" } else { "" };
    format!(
        "POST <your address>\nContent-Type: {}\nwebhook-id: {id}\nwebhook-timestamp: {}\nwebhook-signature: v1,<signature>{token}",
        endpoint.format.content_type(),
        at.as_second()
    )
}

/// As a person reads it, in the order in which it is sent.
fn pretty(body: &str) -> String {
    let read: Result<Value, _> = serde_json::from_str(body);
    read.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| body.to_owned())
}

/// The latest event that the endpoint wants, with its site's name.
async fn last(app: &AppState, sites: &Sites, endpoint: &Endpoint) -> Result<Option<(Content, String)>, Refusal> {
    let mut latest: Option<(Timestamp, Content, String)> = None;
    let organization_id = &endpoint.organization_id;
    for site in sites.seen.iter().filter(|site| endpoint.wants.site(&site.id)).take(SITES) {
        let facts = SiteFacts { table: app.table(), organization_id, site_id: &site.id };
        let Some(end) = facts.last_arrival().await? else { continue };
        if latest.as_ref().is_some_and(|(at, ..)| *at >= end.arrived_at) {
            continue;
        }
        let from = end.number.saturating_sub(LOOKED_AT - 1).max(1);
        let entries = facts.arrivals(from, LOOKED_AT as usize).await?;
        for entry in entries.iter().rev() {
            if let Some(content) = newest(&facts, &endpoint.wants, &entry.lines).await? {
                latest = Some((entry.arrived_at, content, site.name.clone()));
                break;
            }
        }
    }
    Ok(latest.map(|(_, content, site)| (content, site)))
}

async fn newest(
    facts: &SiteFacts<'_>,
    wants: &Wants,
    lines: &[ArrivalLine],
) -> Result<Option<Content>, store::TableError> {
    for line in lines.iter().rev() {
        let wanted = match line.fact {
            FactKind::Detection => wants.kind(&line.kind, line.priority.unwrap_or_default()),
            FactKind::Incident => true,
            FactKind::Zone | FactKind::Worker | FactKind::PpeSample => false,
        };
        if !wanted {
            continue;
        }
        // It may have been forgotten since.
        if let Some(fact) = facts.get(line.fact, &line.id).await?
            && matches!(fact.body, FactBody::Detection(_) | FactBody::Incident(_))
        {
            return Ok(Content::of(wants, Timestamp::MIN, facts.site_id, &fact));
        }
    }
    Ok(None)
}
