//! `/setup`: the organization's connections and what each project does, at a glance.
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::{Mapped, on_clock};
use crate::{connect, consent, form, passkeys, sign_in, steps, webhooks, words};
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::ids::Provider;
use grants::Grant;
use maud::{Markup, html};
use people::{Role, Visitor};
use store::again;
use store::directory::{Connection, Site};

/// What is known of a connection's projects: by site, since a connection shows each site in one project.
struct Row {
    site: Site,
    project: Option<String>,
    /// A step of the set-up that was left before, for a manager: its name and address.
    left: Option<(&'static str, String)>,
}

pub async fn show(State(app): State<AppState>, visitor: Visitor) -> Result<Page, Refusal> {
    let sites = app.people().visible_sites(&visitor).await?;
    let mut sections = Vec::new();
    let connections = app.directory().connections(&visitor.session.organization_id).await?;
    for connection in &connections {
        let mut rows = Vec::new();
        for site in &sites {
            let route = app.directory().route(&connection.lane(), &site.id).await?;
            let project = route.map(|route| route.project_id).filter(|id| visitor.sees_project(&connection.id, id));
            let left = match &project {
                Some(project) if visitor.session.role >= Role::Manager => left(&app, connection, site, project).await?,
                _ => None,
            };
            rows.push(Row { site: site.clone(), project, left });
        }
        let grant = grants::grant(app.table(), &connection.lane()).await?;
        sections.push(section(&visitor, connection, grant.as_ref(), &rows));
    }
    let accounts = connections.iter().any(|connection| connection.provider == Provider::Acc);
    let webhooks = webhooks::overview(&app, &visitor).await?;
    let body = html! {
        h1 { "Overview" }
        (passkeys::reminder(&app, &visitor).await?)
        @if sections.is_empty() {
            p { "No platform is connected yet. Until one is, detections are kept here and nothing is sent anywhere." }
            @if visitor.session.role >= Role::Manager { p { a.button #set-up href="/setup/connect" { "Set up Procore" } } }
        }
        @if visitor.session.role >= Role::Manager && !accounts {
            p { a #set-up-autodesk href=(connect::autodesk::PATH) { "Set up Autodesk Construction Cloud" } }
        }
        @for section in sections { (section) }
        (webhooks)
        (sign_in::signed_in(&visitor))
    };
    Ok(Page::new("Overview", body))
}

/// Where the set-up of a project was left. One that was saved often enough was gone through: no more is read for it.
async fn left(
    app: &AppState,
    connection: &Connection,
    site: &Site,
    project: &str,
) -> Result<Option<(&'static str, String)>, Refusal> {
    let Some(project) = app.directory().project(&connection.lane(), project).await? else { return Ok(None) };
    if project.version > steps::SAVED_BY_THE_STEPS {
        return Ok(None);
    }
    let mapped = Mapped { connection: connection.clone(), project, site: site.clone(), former: Vec::new() };
    Ok(steps::open(app, &mapped).await?.map(|(step, path)| (steps::name(step), path)))
}

fn section(visitor: &Visitor, connection: &Connection, grant: Option<&Grant>, rows: &[Row]) -> Markup {
    html! {
        section aria-labelledby={ "connection-" (connection.id) } {
            h2 id={ "connection-" (connection.id) } { (words::platform(connection.provider)) ", " (words::company(connection)) }
            (blocked(visitor, connection, rows.first().map(|row| &row.site)))
            @if visitor.session.role >= Role::Manager {
                p.links {
                    @if rows.iter().all(|row| row.project.is_none()) {
                        a.button href={ "/setup/" (connection.id) "/projects" } { "Go on with the set-up: choose projects" }
                    } @else {
                        a href={ "/setup/" (connection.id) "/projects" } { "Projects of " (words::company(connection)) }
                    }
                    @if connection.blocked.is_some() { a href=(connect::path(connection.provider)) { "Connect it again" } }
                    a href={ "/setup/" (connection.id) "/disconnect" } { "Disconnect " (words::company(connection)) }
                }
            }
            (consent::whose(visitor, connection, grant, "/setup"))
            ul.cards {
                @for row in rows {
                    li {
                        h3 { (row.site.name) }
                        @if let Some((step, path)) = &row.left { p { a.button href=(path) { "Go on with the set-up: " (step) } } }
                        @match &row.project {
                            Some(project) => p {
                                a href={ "/setup/" (connection.id) "/projects/" (project) } {
                                    "Status of " (row.site.name) " in project " (project)
                                }
                            },
                            None => p.dim { "Not mapped to a project: nothing of this site is sent to " (words::platform(connection.provider)) "." },
                        }
                    }
                }
            }
        }
    }
}

/// Why nothing is sent, who can mend it, and the one button.
pub fn blocked(visitor: &Visitor, connection: &Connection, site: Option<&Site>) -> Markup {
    let Some(block) = &connection.blocked else { return html! { p { span.tag.synced { "Connected" } } } };
    html! {
        div.notice role="status" {
            p { strong { "Nothing is being sent" } }
            p { (block.reason) }
            p { "Nothing is lost: everything since is kept here and is sent when this is mended." }
            dl {
                dt { "Who can mend it" } dd { (words::mender(block.who, connection.provider)) }
                dt { "What to do" } dd { (block.what_to_do) }
                @if let Some(site) = site { dt { "Since" } dd { (on_clock(block.since, site)) } }
            }
            @if visitor.session.role >= Role::Manager {
                form method="post" action={ "/setup/" (connection.id) "/again" } {
                    (form::token_field(visitor))
                    button #connection-again type="submit" { "It is mended: try again" }
                }
            }
        }
    }
}

/// A person says that what blocked the connection is mended.
pub async fn try_again(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(connection): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    visitor.require(Role::Manager)?;
    form.verified(&visitor)?;
    let connection = crate::visible::connection(&app, &visitor, &connection).await?;
    again::connection(app.table(), app.bell(), &connection, app.now()).await?;
    tracing::info!(
        organization_id = %connection.organization_id, connection_id = %connection.id, "a connection is tried again"
    );
    Ok(Redirect::to("/setup"))
}
