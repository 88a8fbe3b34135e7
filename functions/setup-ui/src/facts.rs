//! The pages that links in records open: a detection, an incident, and where each is shown at the platforms.
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::treatment;
use crate::visible::{self, LONGEST_ID, on_clock};
use crate::words as ours;
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::event::{Detection, Incident};
use domain::fact::{Fact, FactBody, FactKind};
use domain::record::{RecordKey, RecordKind};
use domain::treatment::Treatment;
use domain::wording::{priority_words, words};
use maud::{Markup, html};
use people::Visitor;
use store::directory::{Connection, Site};
use store::facts::SiteFacts;
use store::lanes::{Lane, Link};
use store::trials;

fn facts_of<'a>(app: &'a AppState, site: &'a Site) -> SiteFacts<'a> {
    SiteFacts { table: app.table(), organization_id: &site.organization_id, site_id: &site.id }
}

async fn fact(app: &AppState, site: &Site, kind: FactKind, id: &str) -> Result<Fact, Refusal> {
    facts_of(app, site).get(kind, id).await?.ok_or_else(Refusal::not_found)
}

async fn zone_name(app: &AppState, site: &Site, zone: &str) -> Result<String, Refusal> {
    Ok(match facts_of(app, site).get(FactKind::Zone, zone).await? {
        Some(Fact { body: FactBody::Zone(zone), .. }) => zone.name,
        _ => zone.to_owned(),
    })
}

/// Where the platforms show a fact.
async fn links(app: &AppState, site: &Site, kind: RecordKind, id: &str) -> Result<Vec<(Connection, Link)>, Refusal> {
    let record = RecordKey { kind, site_id: site.id.clone(), fact_id: id.to_owned() };
    let mut links = Vec::new();
    for connection in app.directory().connections(&site.organization_id).await? {
        let link = Lane { table: app.table(), id: &connection.lane() }.link(&record).await?;
        links.extend(link.map(|link| (connection, link)));
    }
    Ok(links)
}

fn platforms(links: &[(Connection, Link)], treatment: &Treatment, site: &Site) -> Markup {
    html! {
        h2 { "At the platform" }
        @if links.is_empty() { p { "Not sent to a project." } }
        @for (connection, link) in links {
            p {
                (ours::kind(link.record.kind)) " " (link.marker) " " (ours::tag(link.state, connection.provider))
                @if let Some(url) = &link.remote_url { " " a href=(url) rel="noopener" target="_top" { "Open in " (ours::platform(connection.provider)) } }
            }
            @if let Some(reason) = &link.reason { p { (reason) } }
            @if let Some(status) = treatment.of_connection(&connection.id).and_then(|told| told.status.as_ref()) {
                p { "Status there: " (words(status)) }
            }
            p.dim { "Last changed " (on_clock(link.updated_at, site)) }
        }
    }
}

pub async fn detection(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((site, id)): Path<(String, String)>,
) -> Result<Page, Refusal> {
    let site = visible::site_of_fact(&app, &visitor, &site, RecordKind::Observation, &id).await?;
    let fact = match fact(&app, &site, FactKind::Detection, &id).await {
        Ok(fact) => fact,
        Err(refusal) => return trial(&app, &site, &id).await?.ok_or(refusal),
    };
    let FactBody::Detection(detection) = &fact.body else { return Err(Refusal::not_found()) };
    let zone = zone_name(&app, &site, &detection.zone_id).await?;
    let links = links(&app, &site, RecordKind::Observation, &id).await?;
    let private = match &detection.worker {
        Some(_) => facts_of(&app, &site).incidents_of(&id).await?.iter().any(is_privacy_case),
        None => false,
    };
    let title = format!("{} at {zone}", words(&detection.kind));
    let body = html! {
        h1 { (title) }
        (detection_facts(detection, &site, &zone, private))
        (platforms(&links, &fact.treatment, &site))
    };
    Ok(Page::new(title, body))
}

/// The edge names its place: nothing counts but what stands under the prefix of its own organization and site.
fn footage_key<'a>(detection: &'a Detection, site: &Site) -> Option<&'a str> {
    let key = detection.footage.as_ref()?.s3_key.as_deref()?;
    domain::footage::is_own(&site.organization_id, &site.id, key).then_some(key)
}

/// Leads to the footage by a link that is good for minutes, made for who asks now.
pub async fn footage(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((site, id)): Path<(String, String)>,
) -> Result<Redirect, Refusal> {
    let site = visible::site_of_fact(&app, &visitor, &site, RecordKind::Observation, &id).await?;
    let FactBody::Detection(detection) = fact(&app, &site, FactKind::Detection, &id).await?.body else {
        return Err(Refusal::not_found());
    };
    let key = footage_key(&detection, &site).ok_or_else(Refusal::not_found)?;
    let link =
        app.footage().link(key, app.now()).await.map_err(|error| Refusal::internal("a link to footage", &error))?;
    Ok(Redirect::to(&link.url))
}

/// A test record's link leads here, too.
async fn trial(app: &AppState, site: &Site, id: &str) -> Result<Option<Page>, Refusal> {
    for connection in app.directory().connections(&site.organization_id).await? {
        let found = trials::get(app.table(), &connection.lane(), id).await?;
        let Some(trial) = found.filter(|trial| trial.site_id == site.id) else { continue };
        let links = links(app, site, RecordKind::Observation, id).await?;
        let body = html! {
            h1 { "A test record" }
            p { "It was asked for " (on_clock(trial.asked_at, site)) " to test the connection. Nothing happened on " (site.name) "." }
            (platforms(&links, &Treatment::default(), site))
        };
        return Ok(Some(Page::new("A test record", body)));
    }
    Ok(None)
}

/// Role and trade of such a case name nobody, but with place and time they might (29 CFR 1904.29(b)(7)).
fn is_privacy_case(fact: &Fact) -> bool {
    matches!(&fact.body, FactBody::Incident(incident) if incident.is_privacy_case())
}

fn detection_facts(detection: &Detection, site: &Site, zone: &str, private: bool) -> Markup {
    html! {
        dl {
            dt { "Detected" } dd { (on_clock(detection.detected_at, site)) }
            dt { "Site" } dd { (site.name) }
            dt { "Zone" } dd { (zone) }
            dt { "Priority" } dd { (priority_words(detection.priority)) }
            @if !detection.missing_ppe.is_empty() {
                dt { "Missing PPE" } dd { (detection.missing_ppe.iter().map(|item| words(item)).collect::<Vec<_>>().join(", ")) }
            }
            @if let Some(worker) = &detection.worker {
                dt { "Role and trade" }
                dd { @if private { "Not shown: a privacy case (29 CFR 1904.29(b)(7))" } @else { (worker.role) ", " (worker.trade) } }
            }
            dt { "Camera" } dd { (detection.camera_id) }
            dt { "Frame" } dd {
                (on_clock(detection.frame.captured_at, site))
                @if let Some(index) = detection.frame.index { ", number " (index) }
            }
            @if let Some(path) = detection.footage.as_ref().and_then(|footage| footage.edge_path.as_ref()) {
                dt { "Footage on the site's edge server" } dd { code { (path) } }
            }
            @if footage_key(detection, site).is_some() {
                dt { "Footage" } dd { a href={ "/sites/" (site.id) "/detections/" (detection.detection_id) "/footage" } { "Watch the footage" } }
            }
            dt { "Detection id" } dd { code { (detection.detection_id) } }
        }
    }
}

pub async fn incident(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((site, id)): Path<(String, String)>,
) -> Result<Page, Refusal> {
    let site = visible::site_of_fact(&app, &visitor, &site, RecordKind::Incident, &id).await?;
    let fact = fact(&app, &site, FactKind::Incident, &id).await?;
    let FactBody::Incident(body) = &fact.body else { return Err(Refusal::not_found()) };
    let incident = body.incident.as_ref().ok_or_else(Refusal::not_found)?;
    let zone = zone_name(&app, &site, &incident.zone_id).await?;
    let links = links(&app, &site, RecordKind::Incident, &id).await?;
    let title = format!("{} at {zone}", words(&incident.incident_type));
    let body = html! {
        h1 { (title) }
        @if body.is_retracted() { div.notice { p { "This incident was retracted." } } }
        (incident_facts(incident, &site, &zone))
        @if !incident.detection_ids.is_empty() {
            h2 { "Detections" }
            ul { @for id in &incident.detection_ids {
                li { a href={ "/sites/" (site.id) "/detections/" (id) } { "Detection " (id) } }
            } }
        }
        (treatment::section(&fact.treatment, incident, &site))
        (platforms(&links, &fact.treatment, &site))
    };
    Ok(Page::new(title, body))
}

fn incident_facts(incident: &Incident, site: &Site, zone: &str) -> Markup {
    html! {
        dl {
            dt { "Occurred" } dd { (on_clock(incident.occurred_at, site)) }
            dt { "Site" } dd { (site.name) }
            dt { "Zone" } dd { (zone) }
            dt { "Recordable (29 CFR 1904.7)" } dd { @if incident.recordable { "Yes" } @else { "No" } }
            dt { "Classification (OSHA 300, column M)" } dd { (incident.classification.words()) }
            dt { "OSHA 300 log" } dd { (incident.osha_log.year) ", case " (incident.osha_log.case_number) }
            @if incident.privacy_case {
                dt { "Privacy case" } dd { "29 CFR 1904.29(b)(7): role, trade and summary are not shown." }
            } @else {
                dt { "Role and trade" } dd { (incident.worker.role) ", " (incident.worker.trade) }
                @if let Some(summary) = &incident.summary { dt { "Summary" } dd { (summary) } }
            }
        }
    }
}

/// `/detections/{id}` and `/incidents/{id}`: the site is looked for.
pub async fn find_detection(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, Refusal> {
    find(&app, &visitor, (FactKind::Detection, RecordKind::Observation), &id).await
}

pub async fn find_incident(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, Refusal> {
    find(&app, &visitor, (FactKind::Incident, RecordKind::Incident), &id).await
}

async fn find(
    app: &AppState,
    visitor: &Visitor,
    (kind, record): (FactKind, RecordKind),
    id: &str,
) -> Result<Redirect, Refusal> {
    if id.len() > LONGEST_ID {
        return Err(Refusal::not_found());
    }
    for site in app.directory().sites(&visitor.session.organization_id).await? {
        let Some(fact) = facts_of(app, &site).get(kind, id).await? else { continue };
        match visible::site_of_fact(app, visitor, site.id.as_str(), record, id).await {
            Ok(site) => {
                let record = RecordKey { kind: record, site_id: site.id, fact_id: fact.body.id().to_owned() };
                return Ok(Redirect::to(&record.link("")));
            }
            Err(Refusal::Page { status: axum::http::StatusCode::NOT_FOUND, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Refusal::not_found())
}
