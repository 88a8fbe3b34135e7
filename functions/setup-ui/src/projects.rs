//! Step 2: which project goes to which site. What can't be chosen says why; a site is suggested by name and place.
use crate::connect::{SIGN_IN, admin_step};
use crate::form::{self, Errors, Values};
use crate::layout::Page;
use crate::overview::blocked;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::{consent, platform, visible, words};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::choose::{self, Closed, Named, Standing, Suggestion};
use domain::fields::is_name;
use domain::ids::SiteId;
use domain::localtime;
use domain::settings::ProjectSettings;
use grants::Grant;
use maud::{Markup, html};
use people::{Role, Visitor, token};
use procore::lists::{ListError, Project};
use std::collections::{BTreeMap, BTreeSet};
use store::directory::{Connection, Site};
use store::mapping::{self, MapError, Wanted};

/// The value that stands for a site to be made.
const NEW: &str = "new";

/// A project with what decides whether it can be chosen.
struct Row {
    project: Project,
    closed: Option<Closed>,
}

struct Choice {
    connection: Connection,
    rows: Vec<Row>,
    /// Sites that go to no project of this connection yet.
    free: Vec<Site>,
    suggestions: BTreeMap<String, Suggestion>,
    /// Who chooses signed in at Procore, but the session's token has ended.
    sign_in: bool,
    /// What the connection works with, where that is a person's consent.
    grant: Option<Grant>,
}

/// What was sent for one project, to be shown again.
#[derive(Default)]
struct Sent {
    project: String,
    site: String,
    name: String,
    time_zone: String,
}

impl Sent {
    fn of(values: &Values) -> Self {
        let text = |name: &str| values.get(name).to_owned();
        Self { project: text("project"), site: text("site"), name: text("name"), time_zone: text("time_zone") }
    }
}

async fn gather(
    app: &AppState,
    visitor: &Visitor,
    connection: Connection,
) -> Result<Result<Choice, ListError>, Refusal> {
    let person = platform::token(app, visitor).await?;
    let sign_in = person.is_none() && visitor.session.identity.is_some();
    let found = match platform::projects(app, &connection, person.as_ref()).await? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let sites = app.people().visible_sites(visitor).await?;
    let (mut free, mut mapped) = (Vec::new(), BTreeMap::new());
    for site in sites {
        match app.directory().route(&connection.lane(), &site.id).await? {
            Some(route) => drop(mapped.insert(route.project_id, site.name)),
            None => free.push(site),
        }
    }
    let permitted: BTreeSet<&str> = found.permitted.iter().map(|project| project.id.as_str()).collect();
    let listed: Option<BTreeSet<&str>> =
        found.listed.as_ref().map(|listed| listed.iter().map(|project| project.id.as_str()).collect());
    let mut all: BTreeMap<&str, &Project> = BTreeMap::new();
    // What neither the app may use nor the person can list is nobody's business here.
    for project in found.listed.iter().flatten().chain(&found.permitted) {
        all.insert(&project.id, project);
    }
    let mut rows = Vec::new();
    for project in all.into_values() {
        let claimant = app.directory().claimant(&connection, &project.id).await?;
        let standing = Standing {
            permitted: permitted.contains(project.id.as_str()),
            listed: match &listed {
                Some(listed) => Some(listed.contains(project.id.as_str())),
                // Without a token, what was seen at the last sign-in counts.
                None if sign_in => Some(visitor.sees_project(&connection.id, &project.id)),
                None => None,
            },
            active: project.active,
            taken: claimant.is_some_and(|organization| organization != connection.organization_id),
            site: mapped.get(&project.id).cloned(),
        };
        let closed = choose::closed(&standing);
        if closed == Some(Closed::NotYours) {
            continue;
        }
        rows.push(Row { project: project.clone(), closed });
    }
    rows.sort_by_key(|row| (row.closed.is_some(), row.project.name.to_lowercase()));
    let suggestions = suggestions(&rows, &free);
    let grant = grants::grant(app.table(), &connection.lane()).await?;
    Ok(Ok(Choice { connection, rows, free, suggestions, sign_in, grant }))
}

fn suggestions(rows: &[Row], free: &[Site]) -> BTreeMap<String, Suggestion> {
    let open = rows.iter().filter(|row| row.closed.is_none()).map(|row| &row.project);
    let projects: Vec<Named> = open
        .map(|project| Named {
            id: project.id.clone(),
            name: project.name.clone(),
            time_zone: project.tz_name.clone(),
            town: project.city.clone(),
        })
        .collect();
    let sites: Vec<Named> = free
        .iter()
        .map(|site| Named {
            id: site.id.to_string(),
            name: site.name.clone(),
            time_zone: Some(site.time_zone.clone()),
            town: None,
        })
        .collect();
    choose::suggest(&projects, &sites).into_iter().map(|each| (each.project_id.clone(), each)).collect()
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(connection): Path<String>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let connection = visible::connection(&app, &visitor, &connection).await?;
    match gather(&app, &visitor, connection.clone()).await? {
        Ok(choice) => Ok(page(&visitor, &choice, &Sent::default(), &Errors::default())),
        Err(error) => Ok(trouble(&app, &visitor, &connection, &error)),
    }
}

pub async fn save(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(connection): Path<String>,
    form: form::Form,
) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let connection = visible::connection(&app, &visitor, &connection).await?;
    let choice = match gather(&app, &visitor, connection.clone()).await? {
        Ok(choice) => choice,
        Err(error) => return Ok(trouble(&app, &visitor, &connection, &error).into_response()),
    };
    let sent = Sent::of(&values);
    let row = choice.rows.iter().find(|row| row.project.id == sent.project && row.closed.is_none());
    let Some(row) = row else {
        let mut errors = Errors::default();
        errors.add("projects", "Projects: that project can't be chosen any more. Its reason stands in the list.");
        return Ok(page(&visitor, &choice, &sent, &errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    let site = match site(&app, &visitor, &choice, &sent).await? {
        Ok(site) => site,
        Err(errors) => {
            return Ok(page(&visitor, &choice, &sent, &errors)
                .status(StatusCode::UNPROCESSABLE_ENTITY)
                .into_response());
        }
    };
    let lane = connection.lane();
    let wanted = Wanted {
        project_id: row.project.id.clone(),
        name: Some(row.project.name.clone()),
        settings: settings(&app, &lane, &site).await?,
        standing: app.directory().project(&lane, &row.project.id).await?,
    };
    let project = match mapping::apply(app.table(), app.bell(), &connection, wanted, app.now()).await {
        Ok(project) => project,
        Err(MapError::Table(error)) => return Err(error.into()),
        Err(error) => {
            let mut errors = Errors::default();
            errors.add(field("site", &sent.project), format!("{}: {error}", row.project.name));
            return Ok(page(&visitor, &choice, &sent, &errors).status(StatusCode::CONFLICT).into_response());
        }
    };
    app.people().note_project(&visitor, &connection.id, &project.project_id).await?;
    let onward = format!("/setup/{}/projects/{}/settings?setup=1", connection.id, project.project_id);
    Ok(Redirect::to(&onward).into_response())
}

/// New settings of a site: the defaults, at the hour that the site has for its other platforms.
async fn settings(app: &AppState, lane: &store::lanes::LaneId, site: &Site) -> Result<ProjectSettings, Refusal> {
    let mut settings = ProjectSettings {
        site_id: site.id.clone(),
        observations: Default::default(),
        daily_summary: Default::default(),
        mapping: Default::default(),
    };
    let routes = app.directory().routes(&lane.organization_id, &site.id).await?;
    if let Some(route) = routes.iter().find(|route| route.connection_id != lane.connection_id) {
        settings.daily_summary.at.clone_from(&route.settings.daily_summary.at);
    }
    Ok(settings)
}

/// The site that was chosen, made where it is new.
async fn site(
    app: &AppState,
    visitor: &Visitor,
    choice: &Choice,
    sent: &Sent,
) -> Result<Result<Site, Errors>, Refusal> {
    let (mut errors, id) = (Errors::default(), &sent.project);
    if sent.site != NEW {
        let Some(site) = choice.free.iter().find(|site| site.id.as_str() == sent.site) else {
            errors.add(field("site", id), "Site: choose one of those that are listed, or a new one.");
            return Ok(Err(errors));
        };
        return Ok(Ok(site.clone()));
    }
    if !is_name(&sent.name) {
        errors.add(field("name", id), "Name of the new site: give it 1 to 200 characters on one line.");
    }
    if let Err(error) = localtime::zone(&sent.time_zone) {
        errors.add(field("zone", id), format!("Time zone of the new site: it {error}."));
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let mut site = Site {
        id: SiteId::new(token::fresh_ulid(app.now())?),
        organization_id: visitor.session.organization_id.clone(),
        name: sent.name.clone(),
        time_zone: sent.time_zone.clone(),
        shifts: Vec::new(),
        created_at: app.now(),
        version: 0,
    };
    app.directory().put_site(&mut site).await?;
    tracing::info!(organization_id = %site.organization_id, site_id = %site.id, "a site was made by a person");
    Ok(Ok(site))
}

/// The id of a project's field.
fn field(name: &str, project: &str) -> String {
    format!("{name}-{project}")
}

/// The projects can't be listed: why, and who can mend it.
fn trouble(app: &AppState, visitor: &Visitor, connection: &Connection, error: &ListError) -> Page {
    let name = words::company(connection);
    let body = html! {
        (steps::nav(Step::Projects))
        h1 { "Projects of " (name) }
        @if connection.blocked.is_some() { (blocked(visitor, connection, None)) }
        div.notice role="status" {
            p { strong { @match error {
                ListError::NotInstalled(_) => "App is not installed",
                ListError::SignInAgain => "Sign in again",
                _ => "The projects can't be listed at the moment",
            } } }
            p { (error) }
            @if let ListError::NotInstalled(block) | ListError::Refused(block) = error {
                dl { dt { "Who can mend it" } dd { (words::mender(block.who)) } dt { "What to do" } dd { (block.what_to_do) } }
            }
        }
        @if matches!(error, ListError::NotInstalled(_)) {
            (admin_step(app, connection.name.as_deref(), Some(&connection.account)))
        }
        @if matches!(error, ListError::SignInAgain) { p { a.button href=(SIGN_IN) { "Sign in with Procore" } } }
        p { a.button href={ "/setup/" (connection.id) "/projects" } { "Look again" } }
    };
    Page::new(format!("Projects of {name}"), body)
}

fn page(visitor: &Visitor, choice: &Choice, sent: &Sent, errors: &Errors) -> Page {
    let name = words::company(&choice.connection);
    let (open, closed): (Vec<&Row>, Vec<&Row>) = choice.rows.iter().partition(|row| row.closed.is_none());
    let body = html! {
        (steps::nav(Step::Projects))
        h1 { "Projects of " (name) }
        (errors.summary())
        p { "Map each project to the site whose detections it shall receive. Facts that arrived before are not sent." }
        @if choice.sign_in {
            p.notice { "Your sign-in at Procore has ended, so only projects of your last visit are listed. "
                a href=(SIGN_IN) { "Sign in with Procore" } " to see all of yours." }
        }
        @if !open.is_empty() { h2 { "These can be chosen" } }
        ul.cards #projects tabindex="-1" {
            @for row in &open { li { (open_project(visitor, choice, row, sent, errors)) } }
        }
        @if open.is_empty() {
            @match &choice.grant {
                Some(grant) => p { "No project can be chosen: the connection works with the consent of " (grant.label) ", and sees what " (grant.label) " can see in Procore." },
                None => {
                    p { "No project can be chosen. An admin of your company in Procore adds projects to the app's permitted projects in App \
                         Management; after an update or a reinstall of the app that list is empty." }
                    (consent::change(visitor, &choice.connection, None))
                }
            }
        }
        @if !closed.is_empty() {
            h2 { "These can't be chosen" }
            ul.cards { @for row in &closed { li { (closed_project(choice, row)) } } }
        }
        p { a href="/setup" { "Back to the overview" } }
    };
    Page::new(format!("Projects of {name}"), body)
}

fn title(project: &Project) -> Markup {
    html! { h3 { (project.name) @if let Some(number) = &project.number { " (" (number) ")" } } }
}

fn closed_project(choice: &Choice, row: &Row) -> Markup {
    html! {
        (title(&row.project))
        @if let Some(closed) = &row.closed {
            p {
                @match (closed, &choice.grant) {
                    (Closed::NotPermitted, Some(grant)) => { (grant.label) ", with whose consent the connection works, can't see it in Procore." }
                    (closed, _) => (closed.words()),
                }
            }
            @if matches!(closed, Closed::Mapped { .. }) {
                p { a href={ "/setup/" (choice.connection.id) "/projects/" (row.project.id) } { "Status of " (row.project.name) } }
            }
        }
    }
}

fn open_project(visitor: &Visitor, choice: &Choice, row: &Row, sent: &Sent, errors: &Errors) -> Markup {
    let project = &row.project;
    let suggestion = choice.suggestions.get(&project.id);
    let mine = sent.project == project.id;
    let chosen = match (mine, suggestion) {
        (true, _) => sent.site.as_str(),
        (false, Some(suggestion)) => suggestion.site_id.as_str(),
        (false, None) if choice.free.is_empty() => NEW,
        (false, None) => "",
    };
    let new_name = if mine { sent.name.as_str() } else { project.name.as_str() };
    let new_zone = if mine { sent.time_zone.as_str() } else { project.tz_name.as_deref().unwrap_or_default() };
    let [site, name, zone, why] = ["site", "name", "zone", "why"].map(|each| field(each, &project.id));
    let described: Vec<String> = suggestion.map(|_| why.clone()).into_iter().chain(errors.described(&site)).collect();
    html! {
        (title(project))
        @if let Some(address) = &project.address { p.dim { (address) } }
        form method="post" action={ "/setup/" (choice.connection.id) "/projects" } novalidate {
            (form::token_field(visitor))
            input type="hidden" name="project" value=(project.id);
            div.field {
                label for=(site) { "Site of " (project.name) }
                select id=(site) name="site" aria-describedby=[(!described.is_empty()).then(|| described.join(" "))]
                    aria-invalid=[errors.has(&site).then_some("true")] {
                    @if chosen.is_empty() { option value="" selected { "Choose a site" } }
                    @for each in &choice.free { option value=(each.id) selected[each.id.as_str() == chosen] { (each.name) } }
                    option value=(NEW) selected[chosen == NEW] { "A new site" }
                }
                @if let Some(suggestion) = suggestion { p.dim id=(why) { "Suggested: " (suggestion.reason) "." } }
                (errors.at(&site))
            }
            details open[chosen == NEW || choice.free.is_empty()] {
                summary { "Name and clock of a new site" }
                div.field {
                    label for=(name) { "Name" }
                    input id=(name) type="text" name="name" value=(new_name) aria-describedby=[errors.described(&name)]
                        aria-invalid=[errors.has(&name).then_some("true")];
                    (errors.at(&name))
                }
                div.field {
                    label for=(zone) { "Time zone (IANA name)" }
                    input id=(zone) type="text" name="time_zone" value=(new_zone) autocapitalize="none" spellcheck="false"
                        aria-describedby=[errors.described(&zone)] aria-invalid=[errors.has(&zone).then_some("true")];
                    (errors.at(&zone))
                }
                p.dim { "Both are taken from the project. HardHat Pulse sets up the edge server of a new site: contact@hardhatpulse.com." }
            }
            button type="submit" { "Map " (project.name) }
        }
    }
}
