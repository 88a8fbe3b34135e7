//! `/setup`: the organization's connections and what each project does, at a glance.
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::on_clock;
use crate::{form, passkeys, sign_in, words};
use axum::extract::{Path, State};
use axum::response::Redirect;
use grants::Grant;
use maud::{Markup, html};
use people::{Role, Visitor};
use store::again;
use store::directory::{Connection, Site};

/// What is known of a connection's projects: by site, since a connection shows each site in one project.
struct Row {
    site: Site,
    project: Option<String>,
}

pub async fn show(State(app): State<AppState>, visitor: Visitor) -> Result<Page, Refusal> {
    let sites = app.people().visible_sites(&visitor).await?;
    let mut sections = Vec::new();
    for connection in app.directory().connections(&visitor.session.organization_id).await? {
        let mut rows = Vec::new();
        for site in &sites {
            let route = app.directory().route(&connection.lane(), &site.id).await?;
            let project = route.map(|route| route.project_id).filter(|id| visitor.sees_project(&connection.id, id));
            rows.push(Row { site: site.clone(), project });
        }
        let grant = grants::grant(app.table(), &connection.lane()).await?;
        sections.push(section(&visitor, &connection, grant.as_ref(), &rows));
    }
    let body = html! {
        h1 { "Overview" }
        (passkeys::reminder(&app, &visitor).await?)
        @if sections.is_empty() {
            p { "No platform is connected yet. Until one is, detections are kept here and nothing is sent anywhere." }
            @if visitor.session.role >= Role::Manager { p { a.button #set-up href="/setup/connect" { "Set up Procore" } } }
        }
        @for section in sections { (section) }
        (sign_in::signed_in(&visitor))
    };
    Ok(Page::new("Overview", body))
}

fn section(visitor: &Visitor, connection: &Connection, grant: Option<&Grant>, rows: &[Row]) -> Markup {
    html! {
        section aria-labelledby={ "connection-" (connection.id) } {
            h2 id={ "connection-" (connection.id) } { "Procore, " (words::company(connection)) }
            (blocked(visitor, connection, rows.first().map(|row| &row.site)))
            @if visitor.session.role >= Role::Manager {
                p.links {
                    @if rows.iter().all(|row| row.project.is_none()) {
                        a.button href={ "/setup/" (connection.id) "/projects" } { "Go on with the set-up: choose projects" }
                    } @else {
                        a href={ "/setup/" (connection.id) "/projects" } { "Projects of " (words::company(connection)) }
                    }
                    @if connection.blocked.is_some() { a href="/setup/connect" { "Connect it again" } }
                    a href={ "/setup/" (connection.id) "/disconnect" } { "Disconnect " (words::company(connection)) }
                }
            }
            (consent(visitor, connection, grant))
            ul.cards {
                @for row in rows {
                    li {
                        h3 { (row.site.name) }
                        @match &row.project {
                            Some(project) => p {
                                a href={ "/setup/" (connection.id) "/projects/" (project) } {
                                    "Status of " (row.site.name) " in project " (project)
                                }
                            },
                            None => p.dim { "Not mapped to a project: nothing of this site is sent to Procore." },
                        }
                    }
                }
            }
        }
    }
}

/// Whose consent the connection works with, where it has no service account.
fn consent(visitor: &Visitor, connection: &Connection, grant: Option<&Grant>) -> Markup {
    let Some(grant) = grant else { return html! {} };
    let again = form_urlencoded::Serializer::new(String::new())
        .append_pair("connection", connection.id.as_str())
        .append_pair("next", "/setup")
        .finish();
    html! {
        p.dim { "Works with the consent of " (grant.label) "." }
        @if visitor.session.role >= Role::Manager && grant.ended.is_some() {
            p { a.button href={ "/sign-in/procore?" (again) } { "Sign in with Procore again" } }
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
                dt { "Who can mend it" } dd { (words::mender(block.who)) }
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
