//! What is asked for a person: who they are, and what someone who sets up a connection chooses from: companies, projects, observation types, hazards. By name, with the ids
//! that we keep. Procore has no list of incident types (reference, section 11), so there is none here.
use crate::client::{NAME, Procore};
use crate::errors::disconnected;
use crate::pages::id;
use crate::request::{Place, Request, Tool};
use crate::target::hazards::is_called;
use crate::target::names::same_name;
use crate::target::types::fitting;
use credentials::Secret;
use domain::record::WorkClass;
use serde_json::Value;
use std::collections::BTreeSet;
use sync::target::{Call, Meter, TargetError};

pub use platform::lists::{As, ListError, Project};

/// A person, as Procore knows them in all companies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    pub id: String,
    /// The e-mail address that they log in with.
    pub login: String,
}

/// A company that a person belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    pub id: String,
    pub name: String,
    pub active: bool,
    /// Procore's word for the company that the person works for; others only list them as a guest. `None`: it did not say.
    pub own: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationType {
    pub id: String,
    pub name: String,
    /// All that it is called: in the company's language, and in English where that is told.
    names: Vec<String>,
    pub category: String,
    /// By category key, since names are translated.
    pub safety: bool,
    pub active: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    pub id: String,
    pub name: String,
    pub active: bool,
}

/// Lists, read to their end or not at all.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    pub procore: &'a Procore,
    pub meter: &'a dyn Meter,
}

impl Lists<'_> {
    /// Who a token stands for.
    pub async fn me(&self, person: &Secret) -> Result<Me, ListError> {
        let request = Request::get(None, "/rest/v1.0/me".into(), Place::Account, Tool::Directory);
        let sent = self.procore.send_for(self.call(), &request, person).await;
        let said = sent.map_err(|error| refused(error, As::Person(person)))?.body;
        let unreadable = || ListError::Later { why: "Procore does not say who signed in.".into() };
        let me = id(&said).map(|id| id.to_string()).zip(text(&said, "login"));
        me.map(|(id, login)| Me { id, login }).ok_or_else(unreadable)
    }

    /// The companies of a person. The app's own list would tell of other customers, so there is no such call.
    pub async fn companies(&self, person: &Secret) -> Result<Vec<Company>, ListError> {
        let request = Request::get(None, "/rest/v1.0/companies".into(), Place::Account, Tool::Directory);
        let mut companies: Vec<Company> =
            self.read(&request, As::Person(person)).await?.iter().filter_map(company).collect();
        companies.sort_by_key(|company| company.name.to_lowercase());
        Ok(companies)
    }

    /// The projects of a company, all states, by name: with the app's token exactly those that an admin permitted to it.
    pub async fn projects(&self, company: &str, who: As<'_>) -> Result<Vec<Project>, ListError> {
        let company = number(company)?;
        let request = Request::get(company, "/rest/v1.1/projects".into(), Place::Account, Tool::Directory)
            .with("company_id", company)
            .with("view", "extended");
        let mut projects: Vec<Project> = self.read(&request, who).await?.iter().filter_map(project).collect();
        projects.sort_by_key(|project| project.name.to_lowercase());
        Ok(projects)
    }

    /// The ids of the active projects of a company that a person can list.
    pub async fn project_ids(&self, company: &str, person: &Secret) -> Result<BTreeSet<String>, ListError> {
        let company = number(company)?;
        let request = Request::get(company, "/rest/v1.1/projects".into(), Place::Account, Tool::Directory)
            .with("company_id", company)
            .with("view", "compact");
        let listed = self.read(&request, As::Person(person)).await?;
        let active = listed.iter().filter(|project| flag(project, "active") != Some(false));
        Ok(active.filter_map(id).map(|id| id.to_string()).collect())
    }

    /// One project, `None` where it is not shown to whoever asks.
    pub async fn project(&self, company: &str, id: &str, who: As<'_>) -> Result<Option<Project>, ListError> {
        let (company, id) = (number(company)?, number(id)?);
        let request = Request::get(company, format!("/rest/v1.0/projects/{id}"), Place::Record, Tool::Directory)
            .with("company_id", company);
        let sent = match who {
            As::App => self.procore.send(self.call(), &request).await,
            As::Person(person) => self.procore.send_for(self.call(), &request, person).await,
        };
        match sent {
            Ok(reply) => Ok(project(&reply.body)),
            Err(TargetError::NotFound | TargetError::Project(_)) => Ok(None),
            Err(error) => Err(refused(error, who)),
        }
    }

    /// The observation types of a project, active or not.
    pub async fn observation_types(
        &self,
        company: &str,
        project: &str,
        who: As<'_>,
    ) -> Result<Vec<ObservationType>, ListError> {
        let (company, project) = (number(company)?, number(project)?);
        let path = format!("/rest/v1.0/projects/{project}/observation_types");
        let request = Request::get(company, path, Place::Project, Tool::Observations);
        let mut types: Vec<ObservationType> =
            self.read(&request, who).await?.iter().filter_map(observation_type).collect();
        types.sort_by_key(|each| (!each.safety, each.category.clone(), each.name.to_lowercase()));
        Ok(types)
    }

    /// The company's hazards; Procore lists the active ones and the others apart.
    pub async fn hazards(&self, company: &str, active: bool, who: As<'_>) -> Result<Vec<Hazard>, ListError> {
        let company = number(company)?;
        let path = format!("/rest/v1.0/companies/{company}/hazards");
        let request = Request::get(company, path, Place::Account, Tool::Incidents).with("filters[active]", active);
        let found = self.read(&request, who).await?;
        let mut hazards: Vec<Hazard> = found.iter().filter_map(|each| hazard(each, active)).collect();
        hazards.sort_by_key(|each| each.name.to_lowercase());
        Ok(hazards)
    }

    /// A person waits for the answer.
    fn call(&self) -> Call<'_> {
        Call { class: WorkClass::ReadBack, meter: self.meter }
    }

    async fn read(&self, request: &Request, who: As<'_>) -> Result<Vec<Value>, ListError> {
        let person = match who {
            As::App => None,
            As::Person(person) => Some(person),
        };
        self.procore.list_for(self.call(), request, person).await.map_err(|error| refused(error, who))
    }
}

/// What a detection kind becomes that is not mapped: as the lane chooses.
pub fn default_type<'a>(kind: &str, types: &'a [ObservationType]) -> Option<&'a ObservationType> {
    let mut safety: Vec<&ObservationType> = types.iter().filter(|each| each.safety && each.active).collect();
    safety.sort_by_key(|each| each.id.parse::<i64>().unwrap_or(i64::MAX));
    let called = |name: &str| safety.iter().find(|each| each.names.iter().any(|known| same_name(known, name))).copied();
    fitting(kind).iter().find_map(|name| called(name)).or_else(|| safety.first().copied())
}

/// The hazard of an incident type that is not mapped: as the lane chooses.
pub fn default_hazard<'a>(incident_type: &str, hazards: &'a [Hazard]) -> Option<&'a Hazard> {
    let called = hazards.iter().filter(|each| each.active && is_called(&each.name, incident_type));
    called.min_by_key(|each| each.id.parse::<i64>().unwrap_or(i64::MAX))
}

fn refused(error: TargetError, who: As<'_>) -> ListError {
    ListError::of(error, who, NAME, |block| *block == disconnected())
}

fn number(id: &str) -> Result<i64, ListError> {
    let number = id.parse::<i64>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| ListError::Later { why: format!("{id:?} is not an id of Procore") })
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).and_then(Value::as_bool)
}

fn company(value: &Value) -> Option<Company> {
    let active = flag(value, "is_active") != Some(false);
    Some(Company { id: id(value)?.to_string(), name: text(value, "name")?, active, own: flag(value, "my_company") })
}

fn project(value: &Value) -> Option<Project> {
    let parts: Vec<String> =
        ["address", "city", "state_code", "country_code"].iter().filter_map(|name| text(value, name)).collect();
    Some(Project {
        id: id(value)?.to_string(),
        name: text(value, "name").or_else(|| text(value, "display_name"))?,
        number: text(value, "project_number"),
        active: flag(value, "active") != Some(false),
        unsupported: None,
        tz_name: text(value, "tz_name"),
        city: text(value, "city"),
        address: (!parts.is_empty()).then(|| parts.join(", ")),
    })
}

fn observation_type(value: &Value) -> Option<ObservationType> {
    let category = text(value, "category").unwrap_or_default();
    let safety = match text(value, "category_key") {
        Some(key) => key.eq_ignore_ascii_case("safety"),
        None => category.eq_ignore_ascii_case("safety"),
    };
    let off = flag(value, "active") == Some(false)
        || flag(value, "company_active") == Some(false)
        || flag(value, "parent_inactive") == Some(true);
    let english = value.get("name_translations").and_then(|names| text(names, "en"));
    let names: Vec<String> =
        [text(value, "localized_name"), text(value, "name"), english].into_iter().flatten().collect();
    Some(ObservationType {
        id: id(value)?.to_string(),
        name: names.first()?.clone(),
        names,
        category,
        safety,
        active: !off,
    })
}

fn hazard(value: &Value, active: bool) -> Option<Hazard> {
    let active = flag(value, "active").unwrap_or(active);
    Some(Hazard { id: id(value)?.to_string(), name: text(value, "name")?, active })
}
