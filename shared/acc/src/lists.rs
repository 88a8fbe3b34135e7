//! What someone who sets up a connection chooses from: accounts, projects, issue types. By name, with the ids that we keep.
use crate::client::Acc;
use crate::errors::AccManners;
use crate::ids::{AccountId, ProjectId};
use crate::request::{Effect, Place, Request, Tool};
use crate::target::{At, required, subtypes, templates};
use domain::autodesk::{Region, bare_id};
use domain::record::WorkClass;
use domain::settings::form_fields::FormField;
use platform::{Manners, unreadable};
use serde_json::Value;
use std::collections::BTreeMap;
use sync::target::{Call, Meter, TargetError};

pub use crate::target::required::Attribute;
pub use crate::target::subtypes::Subtype;
pub use crate::target::templates::Template;
pub use platform::lists::{As, ListError, Project};

const BIM_360: &str =
    "It is a BIM 360 project: Autodesk's Issues of today do not exist there, so that nothing of ours can stand in it.";
const PER_PAGE: usize = 200;
const MOST_PAGES: usize = 50;

/// An account, which newer pages call a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub region: Region,
}

/// What the issues of a project can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueTypes {
    pub subtypes: Vec<Subtype>,
    /// The custom fields that each of them demands, by the subtype's id.
    pub required: BTreeMap<String, Vec<Attribute>>,
}

impl IssueTypes {
    /// The subtype that issues have where none is chosen: as the lane chooses.
    pub fn suggested(&self) -> Option<&Subtype> {
        subtypes::suggested(&self.subtypes)
    }
}

/// Lists, read to their end or not at all.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    pub acc: &'a Acc,
    pub meter: &'a dyn Meter,
}

impl Lists<'_> {
    /// The accounts that a person belongs to, by name. One whose region has no name that we know is none that we can use.
    pub async fn accounts(&self, person: As<'_>) -> Result<Vec<Account>, ListError> {
        let request = Request::get(Region::Us, "/project/v1/hubs".into(), Place::Account, Tool::Projects)
            .with("filter[extension.type]", "hubs:autodesk.bim360:Account");
        let found = self.page(&request, person, "data").await.map_err(|error| refused(error, person))?;
        let mut accounts: Vec<Account> = found.iter().filter_map(account).collect();
        accounts.sort_by_key(|account| account.name.to_lowercase());
        Ok(accounts)
    }

    /// The projects of an account that somebody is a member of, by name: also those of which nothing can be used, with the reason.
    pub async fn projects(&self, account: &str, region: Region, who: As<'_>) -> Result<Vec<Project>, ListError> {
        self.every_project(account, region, who).await.map_err(|error| refused(error, who))
    }

    async fn every_project(&self, account: &str, region: Region, who: As<'_>) -> Result<Vec<Project>, TargetError> {
        let account: AccountId = account.parse().map_err(|error| wrong(&error))?;
        let path = format!("/project/v1/hubs/{}/projects", account.prefixed());
        let request = Request::get(region, path, Place::Account, Tool::Projects);
        let paged = |page: usize| request.clone().with("page[limit]", PER_PAGE).with("page[number]", page);
        let active = self.whole(who, "data", paged).await?;
        let by_id = |project: Project| (project.id.clone(), project);
        let mut projects: BTreeMap<String, Project> = active.iter().filter_map(listed).map(by_id).collect();
        // Time zones, and what is archived, stand in Account Admin alone, which may be closed to who asks.
        match self.details(&account, region, who).await {
            Ok(found) => projects.extend(found.iter().filter_map(detailed).map(by_id)),
            Err(TargetError::Project(_) | TargetError::NotFound | TargetError::Connection(_)) => {
                tracing::info!("Account Admin is closed to who lists an account's projects");
            }
            Err(error) => return Err(error),
        }
        let mut projects: Vec<Project> = projects.into_values().collect();
        projects.sort_by_key(|project| project.name.to_lowercase());
        Ok(projects)
    }

    async fn details(&self, account: &AccountId, region: Region, who: As<'_>) -> Result<Vec<Value>, TargetError> {
        let path = format!("/construction/admin/v1/accounts/{}/projects", account.bare());
        let request = Request::get(region, path, Place::Account, Tool::AccountAdmin);
        let paged = |page: usize| request.clone().with("limit", PER_PAGE).with("offset", page * PER_PAGE);
        self.whole(who, "results", paged).await
    }

    /// The issue types of a project with the custom fields that they demand.
    pub async fn issue_types(&self, account: &str, project: &str, region: Region) -> Result<IssueTypes, ListError> {
        self.every_type(account, project, region).await.map_err(|error| refused(error, As::App))
    }

    async fn every_type(&self, account: &str, project: &str, region: Region) -> Result<IssueTypes, TargetError> {
        let at = at(account, project, region)?;
        let subtypes = subtypes::list(self.acc, self.call(), &at).await?;
        let required = required::of_each(self.acc, self.call(), &at, &subtypes).await?;
        Ok(IssueTypes { subtypes, required })
    }

    /// The form templates of a project that a daily summary can be made from, and the one that it is where none is chosen.
    pub async fn form_templates(
        &self,
        account: &str,
        project: &str,
        region: Region,
    ) -> Result<Vec<Template>, ListError> {
        let found = async { templates::list(self.acc, self.call(), &at(account, project, region)?).await }.await;
        found.map_err(|error| refused(error, As::App))
    }

    /// Which figures of a day a template has fields for.
    pub async fn form_fields(
        &self,
        account: &str,
        project: &str,
        region: Region,
        template: &Template,
    ) -> Result<BTreeMap<String, FormField>, ListError> {
        let found =
            async { templates::fields(self.acc, self.call(), &at(account, project, region)?, template).await }.await;
        found.map_err(|error| refused(error, As::App))
    }

    async fn whole(
        &self,
        who: As<'_>,
        member: &str,
        paged: impl Fn(usize) -> Request,
    ) -> Result<Vec<Value>, TargetError> {
        let mut all = Vec::new();
        for page in 0..MOST_PAGES {
            let found = self.page(&paged(page), who, member).await?;
            let full = found.len() >= PER_PAGE;
            all.extend(found);
            if !full {
                return Ok(all);
            }
        }
        Err(TargetError::NotDone { why: "Autodesk's list of projects was too long to be read to its end".into() })
    }

    async fn page(&self, request: &Request, who: As<'_>, member: &str) -> Result<Vec<Value>, TargetError> {
        let reply = self.acc.send_for(self.call(), request, who).await?;
        match reply.body.get(member) {
            Some(Value::Array(items)) => Ok(items.clone()),
            _ => Err(unreadable::<AccManners>(Effect::Repeatable)),
        }
    }

    /// A person waits for the answer.
    fn call(&self) -> Call<'_> {
        Call { class: WorkClass::ReadBack, meter: self.meter }
    }
}

fn refused(error: TargetError, who: As<'_>) -> ListError {
    // An account that shows us nothing answers like one that has none: there is no word for "not installed".
    ListError::of(error, who, AccManners::NAME, |_| false)
}

fn at(account: &str, project: &str, region: Region) -> Result<At, TargetError> {
    let account: AccountId = account.parse().map_err(|error| wrong(&error))?;
    let project: ProjectId = project.parse().map_err(|error| wrong(&error))?;
    Ok(At { account, project, region })
}

fn wrong(error: &impl std::fmt::Display) -> TargetError {
    TargetError::NotDone { why: format!("what is kept {error}") }
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer).and_then(Value::as_str).map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn account(value: &Value) -> Option<Account> {
    let id = bare_id(value.get("id")?.as_str()?)?;
    let region = text(value, "/attributes/region").map_or(Ok(Region::Us), |region| region.parse()).ok()?;
    Some(Account { id, name: text(value, "/attributes/name")?, region })
}

/// As Data Management has it: active ones only.
fn listed(value: &Value) -> Option<Project> {
    let bim_360 = text(value, "/attributes/extension/data/projectType").as_deref() == Some("BIM360");
    Some(Project {
        id: bare_id(value.get("id")?.as_str()?)?,
        name: text(value, "/attributes/name")?,
        number: None,
        active: true,
        unsupported: bim_360.then_some(BIM_360),
        tz_name: None,
        city: None,
        address: None,
    })
}

/// As Account Admin has it.
fn detailed(value: &Value) -> Option<Project> {
    let parts: Vec<String> = ["/addressLine1", "/city", "/stateOrProvince", "/country"]
        .iter()
        .filter_map(|part| text(value, part))
        .collect();
    let city = text(value, "/city");
    Some(Project {
        id: bare_id(value.get("id")?.as_str()?)?,
        name: text(value, "/name")?,
        number: text(value, "/jobNumber"),
        active: text(value, "/status").is_none_or(|status| status == "active"),
        unsupported: (text(value, "/platform").as_deref() == Some("bim360")).then_some(BIM_360),
        tz_name: text(value, "/timezone"),
        city,
        address: (!parts.is_empty()).then(|| parts.join(", ")),
    })
}
