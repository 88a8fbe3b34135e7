//! What pages ask of Procore while someone waits: within the connection's budget, and in whose name.
use crate::refusal::Refusal;
use crate::state::AppState;
use async_trait::async_trait;
use credentials::Secret;
use domain::ids::Provider;
use grants::{GrantError, Grants};
use people::{PeopleError, Visitor};
use procore::Procore;
use procore::lists::{As, Company, Hazard, ListError, Lists, ObservationType, Project};
use std::sync::Arc;
use std::time::Duration;
use store::directory::Connection;
use store::lanes::LaneId;
use sync::clock::SystemClock;
use sync::visit::PageMeter;

/// The token of who signed in at Procore, for as long as their session keeps one.
#[async_trait]
pub trait PersonTokens: Send + Sync {
    async fn procore(&self, visitor: &Visitor) -> Result<Option<Secret>, PeopleError>;
}

/// Procore, as the pages reach it.
#[derive(Clone)]
pub struct Platform {
    pub procore: Arc<Procore>,
    pub tokens: Arc<dyn PersonTokens>,
    /// What connections work with that have no account of the app's; the client has it, too.
    pub grants: Arc<dyn Grants>,
    /// Where an admin installs the app; `{company}` stands for the company's id. Empty: the words alone must do.
    pub install_url: String,
    /// How long a page may wait for the lane to do what was asked.
    pub patience: Duration,
}

impl Platform {
    pub fn install_link(&self, company: Option<&str>) -> Option<String> {
        let url = self.install_url.replace("{company}", company.unwrap_or_default());
        (!url.is_empty()).then_some(url)
    }
}

pub async fn token(app: &AppState, visitor: &Visitor) -> Result<Option<Secret>, Refusal> {
    Ok(app.platform().tokens.procore(visitor).await?)
}

fn lists<'a>(app: &'a AppState, meter: &'a PageMeter<'a>) -> Lists<'a> {
    Lists { procore: &app.platform().procore, meter }
}

/// The companies of who signed in.
pub async fn companies(app: &AppState, person: &Secret) -> Result<Vec<Company>, ListError> {
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    lists(app, &meter).companies(person).await
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
pub async fn revoke(app: &AppState, lane: &LaneId) -> Result<(), GrantError> {
    let platform = app.platform();
    platform.grants.revoke(lane, platform.procore.as_ref(), app.now()).await.map(|_| ())
}

/// The projects of a company: those that the connection can work in, and those that the person can list.
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
        let lists = lists(app, &meter);
        let permitted = lists.projects(&connection.account, As::App).await?;
        let listed = match person {
            Some(person) => Some(lists.projects(&connection.account, As::Person(person)).await?),
            None => None,
        };
        Ok::<_, ListError>(Projects { permitted, listed })
    }
    .await;
    meter.close().await?;
    Ok(found)
}

/// What a mapping chooses from.
pub struct Choices {
    pub types: Vec<ObservationType>,
    pub hazards: Vec<Hazard>,
}

pub async fn choices(
    app: &AppState,
    connection: &Connection,
    project: &str,
) -> Result<Result<Choices, ListError>, Refusal> {
    let lane = connection.lane();
    let meter = PageMeter::open(app.table(), &lane, &SystemClock).await?;
    let found = async {
        let lists = lists(app, &meter);
        let types = lists.observation_types(&connection.account, project, As::App).await?;
        let hazards = match lists.hazards(&connection.account, true, As::App).await {
            // A service account that may not see the company's list: incidents go without a hazard.
            Err(ListError::Refused(_)) => Vec::new(),
            found => found?,
        };
        Ok::<_, ListError>(Choices { types, hazards })
    }
    .await;
    meter.close().await?;
    Ok(found)
}
