//! What pages ask of a platform while someone waits: within the connection's budget, and in whose name.
use crate::refusal::Refusal;
use crate::state::AppState;
use acc::Acc;
use acc::lists::{Account, IssueTypes, Template};
use async_trait::async_trait;
use credentials::{CredentialError, Parameters, Secret};
use domain::autodesk::Region;
use domain::ids::Provider;
use domain::settings::form_fields::FormField;
use grants::{GrantError, Grants, Refresher};
use people::{PeopleError, Visitor};
use platform::lists::{As, ListError, Project};
use procore::Procore;
use procore::lists::{Company, Hazard, Lists, ObservationType};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::directory::Connection;
use sync::clock::SystemClock;
use sync::visit::PageMeter;

/// The token of who signed in at a platform, for as long as their session keeps one.
#[async_trait]
pub trait PersonTokens: Send + Sync {
    async fn of(&self, visitor: &Visitor, provider: Provider) -> Result<Option<Secret>, PeopleError>;
}

/// The platforms, as the pages reach them.
#[derive(Clone)]
pub struct Platform {
    pub procore: Arc<Procore>,
    pub acc: Arc<Acc>,
    pub tokens: Arc<dyn PersonTokens>,
    /// What connections work with that have no account of the app's; the client has it, too.
    pub grants: Arc<dyn Grants>,
    /// Where an admin installs the app; `{company}` stands for the company's id. Empty: the words alone must do.
    pub install_url: String,
    /// Where the addresses of the app's service accounts at Autodesk stand, under the stack's name.
    pub parameters: Arc<dyn Parameters>,
    pub stack: String,
    /// How long a page may wait for the lane to do what was asked.
    pub patience: Duration,
}

impl Platform {
    pub fn install_link(&self, company: Option<&str>) -> Option<String> {
        let url = self.install_url.replace("{company}", company.unwrap_or_default());
        (!url.is_empty()).then_some(url)
    }
}

pub async fn token(app: &AppState, visitor: &Visitor, provider: Provider) -> Result<Option<Secret>, Refusal> {
    Ok(app.platform().tokens.of(visitor, provider).await?)
}

/// Whom an Autodesk account's admin invites. `None`: the app has no account in this region.
pub async fn invited(app: &AppState, region: Region) -> Result<Option<String>, Refusal> {
    match grants::shared_email(app.platform().parameters.as_ref(), &app.platform().stack, region).await {
        Ok(email) => Ok(Some(email)),
        Err(CredentialError::Missing(_) | CredentialError::Unusable(_)) => Ok(None),
        Err(error @ CredentialError::Unavailable(_)) => Err(Refusal::unavailable("the parameters", &error)),
    }
}

fn lists<'a>(app: &'a AppState, meter: &'a PageMeter<'a>) -> Lists<'a> {
    Lists { procore: &app.platform().procore, meter }
}

fn autodesk<'a>(app: &'a AppState, meter: &'a PageMeter<'a>) -> acc::lists::Lists<'a> {
    acc::lists::Lists { acc: &app.platform().acc, meter }
}

/// Autodesk's own default.
fn region(connection: &Connection) -> Region {
    connection.region.unwrap_or(Region::Us)
}

/// The companies of who signed in.
pub async fn companies(app: &AppState, person: &Secret) -> Result<Vec<Company>, ListError> {
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    lists(app, &meter).companies(person).await
}

/// The accounts of who signed in at Autodesk.
pub async fn accounts(app: &AppState, person: &Secret) -> Result<Vec<Account>, ListError> {
    let meter = PageMeter::unconnected(Provider::Acc, &SystemClock);
    autodesk(app, &meter).accounts(As::Person(person)).await
}

/// The projects that the app's own account may use in a company; none of it where the app is not installed there.
pub async fn permitted(app: &AppState, company: &str) -> Result<Vec<Project>, ListError> {
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    lists(app, &meter).projects(company, As::App).await
}

/// Whether somebody can work in a company through the app, told by whether they may list projects there.
pub async fn opens_to(app: &AppState, company: &str, person: &Secret) -> Result<(), ListError> {
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    lists(app, &meter).projects(company, As::Person(person)).await.map(|_| ())
}

/// Takes back the consent that a connection works with.
pub async fn revoke(app: &AppState, connection: &Connection) -> Result<(), GrantError> {
    let Platform { procore, acc, grants, .. } = app.platform();
    let refresher: &dyn Refresher = if connection.provider == Provider::Acc { acc.as_ref() } else { procore.as_ref() };
    grants.revoke(&connection.lane(), refresher, app.now()).await.map(|_| ())
}

/// The projects of an account: those that the connection can work in, and those that the person can list.
pub struct Projects {
    pub permitted: Vec<Project>,
    pub listed: Option<Vec<Project>>,
}

pub async fn projects(
    app: &AppState,
    connection: &Connection,
    person: Option<&Secret>,
) -> Result<Result<Projects, ListError>, Refusal> {
    let lane = connection.lane();
    let meter = PageMeter::open(app.table(), &lane, &SystemClock).await?;
    let found = async {
        let permitted = match listed(app, connection, &meter, As::App).await {
            // Autodesk has no word for "not installed": it shows the account's projects to nobody of ours.
            Err(ListError::Refused(_)) if connection.provider == Provider::Acc && person.is_some() => Vec::new(),
            found => found?,
        };
        let listed = match person {
            Some(person) => Some(listed(app, connection, &meter, As::Person(person)).await?),
            None => None,
        };
        Ok::<_, ListError>(Projects { permitted, listed })
    }
    .await;
    meter.close().await?;
    Ok(found)
}

async fn listed(
    app: &AppState,
    connection: &Connection,
    meter: &PageMeter<'_>,
    who: As<'_>,
) -> Result<Vec<Project>, ListError> {
    match connection.provider {
        Provider::Acc => autodesk(app, meter).projects(&connection.account, region(connection), who).await,
        Provider::Procore | Provider::Webhook => lists(app, meter).projects(&connection.account, who).await,
    }
}

/// The form templates of an Autodesk project.
pub async fn form_templates(
    app: &AppState,
    connection: &Connection,
    project: &str,
) -> Result<Result<Vec<Template>, ListError>, Refusal> {
    let lane = connection.lane();
    let meter = PageMeter::open(app.table(), &lane, &SystemClock).await?;
    let found = autodesk(app, &meter).form_templates(&connection.account, project, region(connection)).await;
    meter.close().await?;
    Ok(found)
}

/// The fields that a template has for figures of a day.
pub async fn form_fields(
    app: &AppState,
    connection: &Connection,
    project: &str,
    template: &Template,
) -> Result<Result<BTreeMap<String, FormField>, ListError>, Refusal> {
    let lane = connection.lane();
    let meter = PageMeter::open(app.table(), &lane, &SystemClock).await?;
    let found = autodesk(app, &meter).form_fields(&connection.account, project, region(connection), template).await;
    meter.close().await?;
    Ok(found)
}

/// What a mapping chooses from.
pub enum Choices {
    Procore { types: Vec<ObservationType>, hazards: Vec<Hazard> },
    Autodesk(IssueTypes),
}

pub async fn choices(
    app: &AppState,
    connection: &Connection,
    project: &str,
) -> Result<Result<Choices, ListError>, Refusal> {
    let lane = connection.lane();
    let meter = PageMeter::open(app.table(), &lane, &SystemClock).await?;
    let found = async {
        if connection.provider == Provider::Acc {
            let types = autodesk(app, &meter).issue_types(&connection.account, project, region(connection)).await?;
            return Ok(Choices::Autodesk(types));
        }
        let lists = lists(app, &meter);
        let types = lists.observation_types(&connection.account, project, As::App).await?;
        let hazards = match lists.hazards(&connection.account, true, As::App).await {
            // A service account that may not see the company's list: incidents go without a hazard.
            Err(ListError::Refused(_)) => Vec::new(),
            found => found?,
        };
        Ok::<_, ListError>(Choices::Procore { types, hazards })
    }
    .await;
    meter.close().await?;
    Ok(found)
}
