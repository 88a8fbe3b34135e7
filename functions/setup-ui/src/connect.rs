//! Step 1 for Procore ([`autodesk`] for Autodesk): a company, chosen by name and never by default; what to do where the app is not installed; and the same
//! page again for a connection that waits for someone.
pub mod autodesk;

use crate::form::{self, Errors};
use crate::layout::Page;
use crate::overview::blocked;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::{consent, platform, words};
use ::platform::lists::ListError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use credentials::Secret;
use domain::ids::{ConnectionId, Provider};
use grants::Grant;
use maud::{Markup, html};
use people::{Role, Visitor};
use procore::lists::Company;
use store::directory::{Connection, Site};
use store::lanes::LaneId;
use store::{TableError, again};
use sync::target::Block;

const PATH: &str = "/setup/connect";

/// Step 1 of a platform.
pub fn path(provider: Provider) -> &'static str {
    match provider {
        Provider::Acc => autodesk::PATH,
        Provider::Procore | Provider::Webhook => PATH,
    }
}

/// Where who is signed in here signs in at a platform, and comes back to `next`.
pub fn sign_in(provider: Provider, next: &str) -> Markup {
    let (platform, name) = match provider {
        Provider::Acc => ("autodesk", "Autodesk"),
        Provider::Procore | Provider::Webhook => ("procore", "Procore"),
    };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    html! { a.button id={ "sign-in-" (platform) } href={ "/sign-in/" (platform) "?" (query) } { "Sign in with " (name) } }
}

/// What the page knows of the visitor's companies.
enum Known {
    /// Not signed in at Procore, or too long ago.
    SignIn,
    Companies(Vec<Company>, Secret),
    Failed(String),
}

async fn known(app: &AppState, visitor: &Visitor) -> Result<Known, Refusal> {
    let Some(token) = platform::token(app, visitor, Provider::Procore).await? else { return Ok(Known::SignIn) };
    Ok(match platform::companies(app, &token).await {
        Ok(companies) => Known::Companies(companies, token),
        Err(ListError::SignInAgain) => Known::SignIn,
        Err(error) => Known::Failed(error.to_string()),
    })
}

pub async fn show(State(app): State<AppState>, visitor: Visitor) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let known = known(&app, &visitor).await?;
    page(&app, &visitor, &known, "", &Errors::default(), None).await
}

pub async fn save(State(app): State<AppState>, visitor: Visitor, form: form::Form) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let known = known(&app, &visitor).await?;
    let chosen = values.get("company").to_owned();
    let again = |errors: Errors, missing: Option<(String, Block)>| {
        let (app, visitor, known, chosen) = (&app, &visitor, &known, &chosen);
        async move {
            let page = page(app, visitor, known, chosen, &errors, missing).await?;
            Ok::<_, Refusal>(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    };
    let mut errors = Errors::default();
    let Known::Companies(companies, token) = &known else {
        errors.add("company", "Company: sign in with Procore first, so that your companies can be listed.");
        return again(errors, None).await;
    };
    let Some(company) = companies.iter().find(|company| company.id == chosen && unusable(company).is_none()) else {
        errors.add("company", "Company: choose one of those that are listed.");
        return again(errors, None).await;
    };
    let organization = &visitor.session.organization_id;
    let id = ConnectionId::derive(organization, Provider::Procore, &company.id);
    let lane = LaneId { organization_id: organization.clone(), connection_id: id, provider: Provider::Procore };
    let standing = app.directory().connection(organization, &lane.connection_id).await?;
    let by_consent = values.get(consent::WAY) == consent::BY_CONSENT;
    let looked = match &standing {
        _ if by_consent => platform::opens_to(&app, &company.id, token).await,
        Some(standing) => platform::projects(&app, standing, None).await?.map(|_| ()),
        None => platform::permitted(&app, &company.id).await.map(|_| ()),
    };
    match looked {
        Ok(()) => {}
        Err(ListError::NotInstalled(block)) => {
            errors.add("company", format!("Company: the HardHat Pulse app is not installed in {}.", company.name));
            return again(errors, Some((company.name.clone(), block))).await;
        }
        Err(error) => {
            errors.add("company", format!("Company: Procore did not let us look into {}. {error}", company.name));
            return again(errors, None).await;
        }
    }
    if standing.is_none() && app.directory().removal(&lane).await?.is_some() {
        errors.add(
            "company",
            "Company: it was disconnected a moment ago and is still being cleared up. Press again in a minute.",
        );
        return again(errors, None).await;
    }
    let mut connection = Connection::new(organization.clone(), Provider::Procore, &company.id, app.now());
    connection.name = Some(company.name.clone());
    let connection = keep(&app, &visitor, connection).await?;
    let onward = format!("/setup/{}/projects", connection.id);
    if by_consent {
        return Ok(Redirect::to(&consent::ask_for(&connection, &onward)).into_response());
    }
    again::connection(app.table(), app.bell(), &connection, app.now()).await?;
    Ok(Redirect::to(&onward).into_response())
}

/// Makes the connection, or finds the one that the organization has to this account: it keeps its links.
async fn keep(app: &AppState, visitor: &Visitor, mut connection: Connection) -> Result<Connection, Refusal> {
    match app.directory().put_connection(&mut connection).await {
        Err(TableError::Condition(Some(standing))) => {
            let mut standing: Connection = store::table::read("a connection", standing)?;
            app.directory().point_to_connection(&standing).await?;
            if standing.name != connection.name {
                standing.name.clone_from(&connection.name);
                app.directory().put_connection(&mut standing).await?;
            }
            Ok(standing)
        }
        outcome => {
            outcome?;
            tracing::info!(
                organization_id = %connection.organization_id, connection_id = %connection.id,
                person_id = %visitor.person.id, "a connection was made by a person"
            );
            Ok(connection)
        }
    }
}

/// Why a company can't be chosen.
fn unusable(company: &Company) -> Option<&'static str> {
    match company {
        Company { active: false, .. } => Some("It is not active in Procore."),
        Company { own: Some(false), .. } => {
            Some("Procore lists you there as another company's guest. Someone who works for it can connect it.")
        }
        _ => None,
    }
}

async fn page(
    app: &AppState,
    visitor: &Visitor,
    known: &Known,
    chosen: &str,
    errors: &Errors,
    missing: Option<(String, Block)>,
) -> Result<Page, Refusal> {
    let mut connections = app.directory().connections(&visitor.session.organization_id).await?;
    connections.retain(|connection| connection.provider == Provider::Procore);
    let site = app.people().visible_sites(visitor).await?.into_iter().next();
    let mut standing = Vec::new();
    for connection in &connections {
        standing.push((connection, grants::grant(app.table(), &connection.lane()).await?));
    }
    let company = (!chosen.is_empty()).then_some(chosen);
    let body = html! {
        (steps::nav(Step::Connect))
        h1 { "Connect Procore" }
        (errors.summary())
        @if let Some((name, block)) = &missing { (not_installed(app, name, company, block)) }
        @for (connection, grant) in &standing { (stands(app, visitor, connection, grant.as_ref(), site.as_ref())) }
        h2 { @if connections.is_empty() { "Your company" } @else { "Another company" } }
        @match known {
            Known::SignIn => {
                p { "Sign in with Procore, so that you can choose your company by its name. HardHat Pulse sees what you can see \
                     there, for this session only, and writes nothing in your name." }
                p { (sign_in(Provider::Procore, PATH)) }
                p.dim { "No Procore account? Someone of your organization who has one can do this step: invite them under People, or \
                         send them the address of this page." }
            }
            Known::Failed(why) => p.notice role="status" { "Your companies can't be listed at the moment. " (why) " Load the page again in a minute." },
            Known::Companies(companies, _) if companies.is_empty() => p { "Your Procore account belongs to no company." },
            Known::Companies(companies, _) => (choice(visitor, companies, chosen, errors)),
        }
        @if connections.is_empty() { p { "You work with Autodesk Construction Cloud? " a href=(autodesk::PATH) { "Set up Autodesk" } "." } }
        @if missing.is_none() {
            details {
                summary { "The app must be installed by an admin of your company in Procore" }
                (admin_step(app, None, company))
            }
        }
    };
    Ok(Page::new("Connect Procore", body))
}

/// A connection that stands: what it is, whether it works, and the way onward.
fn stands(
    app: &AppState,
    visitor: &Visitor,
    connection: &Connection,
    grant: Option<&Grant>,
    site: Option<&Site>,
) -> Markup {
    let name = words::company(connection);
    html! {
        section aria-labelledby={ "connection-" (connection.id) } {
            h2 id={ "connection-" (connection.id) } { (name) }
            (blocked(visitor, connection, site))
            (consent::whose(visitor, connection, grant, "/setup/connect"))
            @if connection.blocked.is_some() { (admin_step(app, connection.name.as_deref(), Some(&connection.account))) }
            p { a.button href={ "/setup/" (connection.id) "/projects" } { "Choose projects of " (name) } }
            (consent::change(visitor, connection, grant))
        }
    }
}

fn choice(visitor: &Visitor, companies: &[Company], chosen: &str, errors: &Errors) -> Markup {
    html! {
        form method="post" action="/setup/connect" novalidate {
            (form::token_field(visitor))
            fieldset #company tabindex="-1" aria-describedby=[errors.described("company")] {
                legend { "Company in Procore" }
                (errors.at("company"))
                @for company in companies {
                    @match unusable(company) {
                        Some(why) => p.dim { (company.name) ": " (why) },
                        None => label.check {
                            input type="radio" name="company" value=(company.id) checked[company.id == chosen] required;
                            (company.name)
                        },
                    }
                }
            }
            button #connect type="submit" { "Connect this company" }
            (consent::offer(Provider::Procore))
        }
    }
}

fn not_installed(app: &AppState, name: &str, company: Option<&str>, block: &Block) -> Markup {
    html! {
        section.notice aria-labelledby="not-installed" {
            h2 #not-installed { "App is not installed" }
            p { (block.reason) }
            (admin_step(app, Some(name), company))
            p { "When that is done, press “Connect this company” once more." }
        }
    }
}

/// "Send this step to my Procore admin": the step as a link and as text to copy.
pub fn admin_step(app: &AppState, name: Option<&str>, company: Option<&str>) -> Markup {
    let link = app.platform().install_link(company);
    let text = admin_text(name, link.as_deref());
    let mail: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("subject", "Please install HardHat Pulse in Procore")
        .append_pair("body", &text)
        .finish()
        .replace('+', "%20");
    html! {
        p.links {
            @if let Some(link) = &link { a href=(link) rel="noopener" target="_blank" { "Install HardHat Pulse in Procore (opens a new tab)" } }
            a href={ "mailto:?" (mail) } { "Send this step to my Procore admin" }
        }
        details { summary { "The same as text to copy" } pre { (text) } }
    }
}

fn admin_text(name: Option<&str>, link: Option<&str>) -> String {
    let company = name.map_or_else(|| "our company".to_owned(), |name| format!("the company {name}"));
    let place = link.map_or_else(|| "the App Marketplace".to_owned(), str::to_owned);
    format!(
        "Please install the app HardHat Pulse for {company} in Procore (this needs Admin in the company's Directory):\n\
         1. Open {place} and press Install.\n\
         2. In App Management, open HardHat Pulse and add the projects that it may use to its permitted projects. \
         After an update or a reinstall of the app that list is empty and must be filled again.\n\
         The app writes Incidents, Observations and a daily note in the Daily Log in those projects. \
         Questions: contact@hardhatpulse.com"
    )
}
