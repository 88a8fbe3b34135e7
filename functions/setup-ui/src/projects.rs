//! Step 2: which project goes to which site. What can't be chosen says why; a site is suggested by name and place.
mod page;

use crate::form::{self, Errors, Values};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{platform, visible};
use ::platform::lists::{ListError, Project};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::choose::{self, Closed, Named, Standing, Suggestion};
use domain::fields::is_name;
use domain::ids::{Provider, SiteId};
use domain::localtime;
use domain::settings::{ProjectSettings, SummarySettings};
use grants::Grant;
use page::{field, page, trouble};
use people::{Role, Visitor, token};
use std::collections::{BTreeMap, BTreeSet};
use store::TableError;
use store::directory::{Connection, Site};
use store::mapping::{self, MapError, Wanted};
use store::summaries;

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
    /// Who chooses has no sign-in at the platform, or none that lasts.
    sign_in: bool,
    /// What the connection works with, where that is a person's consent.
    grant: Option<Grant>,
    /// Whom an Autodesk project's admin invites, where that is the app's own account.
    invited: Option<String>,
}

impl Row {
    /// For the first time, or to another site.
    fn can_be_mapped(&self) -> bool {
        matches!(self.closed, None | Some(Closed::Mapped { .. }))
    }
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
    let person = platform::token(app, visitor, connection.provider).await?;
    // Only an account of the customer's own sees nothing but what is theirs: what the app's may use belongs to others, too.
    let sign_in = person.is_none() && connection.service_account.is_none();
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
    let last_visit = visitor.person.projects.as_ref().and_then(|known| known.get(&connection.id));
    let known = |id: &str| mapped.contains_key(id) || last_visit.is_some_and(|seen| seen.contains(id));
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
                None => sign_in.then(|| known(&project.id)),
            },
            active: project.active,
            unsupported: project.unsupported,
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
    let invited = match (connection.region, &connection.service_account) {
        (Some(region), None) => platform::invited(app, region).await?,
        _ => None,
    };
    Ok(Ok(Choice { connection, rows, free, suggestions, sign_in, grant, invited }))
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
    let row = choice.rows.iter().find(|row| row.project.id == sent.project && row.can_be_mapped());
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
    let standing = app.directory().project(&lane, &row.project.id).await?;
    let onward = format!("/setup/{}/projects/{}/settings?setup=1", connection.id, row.project.id);
    if standing.as_ref().is_some_and(|standing| standing.settings.site_id == site.id) {
        return Ok(Redirect::to(&onward).into_response());
    }
    let wanted = Wanted {
        project_id: row.project.id.clone(),
        name: Some(row.project.name.clone()),
        settings: settings(&app, connection.provider, &site, standing.as_ref()).await?,
        standing,
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
    Ok(Redirect::to(&onward).into_response())
}

/// Settings of a project for a site: those that it had for another one, else the defaults; at the site's hour.
async fn settings(
    app: &AppState,
    provider: Provider,
    site: &Site,
    standing: Option<&store::directory::Project>,
) -> Result<ProjectSettings, Refusal> {
    let mut settings = match standing {
        Some(standing) => ProjectSettings { site_id: site.id.clone(), ..standing.settings.clone() },
        None => ProjectSettings {
            site_id: site.id.clone(),
            observations: Default::default(),
            // In Autodesk it takes a form template, which is chosen two steps on.
            daily_summary: SummarySettings { enabled: provider != Provider::Acc, ..SummarySettings::default() },
            mapping: Default::default(),
        },
    };
    settings.daily_summary.at = summaries::hour_of(app.table(), &site.organization_id, &site.id).await?;
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
    let organization = &visitor.session.organization_id;
    let site_id = id_of_new(&choice.connection, sent);
    // A second press on the same button: the site that the first one made.
    if let Some(made) = app.directory().site(organization, &site_id).await? {
        return Ok(Ok(made));
    }
    let mut site = Site {
        id: site_id,
        organization_id: organization.clone(),
        name: sent.name.clone(),
        time_zone: sent.time_zone.clone(),
        shifts: Vec::new(),
        created_at: app.now(),
        version: 0,
    };
    match app.directory().put_site(&mut site).await {
        Err(TableError::Condition(_)) => {
            let made = app.directory().site(organization, &site.id).await?;
            let back = || Refusal::changed_meanwhile(format!("/setup/{}/projects", choice.connection.id));
            return Ok(Ok(made.ok_or_else(back)?));
        }
        done => done?,
    }
    tracing::info!(organization_id = %site.organization_id, site_id = %site.id, "a site was made by a person");
    Ok(Ok(site))
}

/// The same for the same project, name and clock, so that a form that is sent twice makes one site.
fn id_of_new(connection: &Connection, sent: &Sent) -> SiteId {
    let Sent { project, name, time_zone, .. } = sent;
    let said = format!("site\n{}\n{}\n{project}\n{name}\n{time_zone}", connection.organization_id, connection.id);
    let milliseconds = u64::try_from(connection.created_at.as_millisecond()).unwrap_or_default();
    SiteId::new(token::ulid_of(&said, milliseconds))
}
