//! What the platform holds, and what stands there at the start.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Options;
use super::auth::Grants;
use super::forms::{self, Form, Template};
use super::hooks::Hooks;
use crate::journal::Journal;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    pub secret: String,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

impl Default for Client {
    fn default() -> Self {
        let redirect_uris = vec!["http://localhost/callback".to_owned()];
        Self { id: "sandbox-client".to_owned(), secret: "sandbox-secret".to_owned(), redirect_uris }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Of one user, all calls of Issues together.
    pub issues_per_minute: u64,
    /// Of the client, for all its customers together.
    pub forms_per_minute: u64,
    /// v2 of Forms answers with the status words of v1, as its reference shows.
    pub old_words_in_v2: bool,
    pub tokens_per_minute: u64,
    pub admin_per_minute: u64,
    /// Each webhook event is sent this many times.
    pub deliveries_per_event: u32,
    /// How long after a change of the secret events are still signed with the old one.
    pub secret_lag_seconds: i64,
    /// How old an issue must be before lists show it.
    pub list_lag_seconds: i64,
    /// What calls may change of an issue; `None`: everything.
    pub permitted_attributes: Option<Vec<String>>,
    /// Every answer is held against the document.
    pub check_answers: bool,
    /// The e-mail address of the person who agrees on the consent page without being asked.
    pub consent_as: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issues_per_minute: 500,
            forms_per_minute: 100,
            old_words_in_v2: false,
            tokens_per_minute: 500,
            admin_per_minute: 600,
            deliveries_per_event: 1,
            secret_lag_seconds: 600,
            list_lag_seconds: 0,
            permitted_attributes: None,
            check_answers: false,
            consent_as: None,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub region: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Project {
    pub id: String,
    pub account_id: String,
    pub name: String,
    /// May be null, as on the platform.
    pub timezone: Option<String>,
    /// `acc` or `bim360`: the latter has no Issues here.
    pub platform: String,
    /// `active` or `archived`
    pub status: String,
    pub members: BTreeSet<String>,
    pub admins: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// The Autodesk ID.
    pub id: String,
    pub name: String,
    pub email: String,
    pub service_account: bool,
}

/// A node of a project's tree of locations.
#[derive(Clone, Debug, Serialize)]
pub struct Location {
    pub id: String,
    pub project_id: String,
    pub name: String,
    pub barcode: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Subtype {
    pub id: String,
    pub type_id: String,
    pub type_title: String,
    pub project_id: String,
    pub title: String,
    pub active: bool,
}

/// A custom field, of a subtype or of the type above it.
#[derive(Clone, Debug, Serialize)]
pub struct Attribute {
    pub id: String,
    pub project_id: String,
    pub title: String,
    pub item_id: String,
    pub required: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Issue {
    pub id: String,
    pub project_id: String,
    pub display_id: u64,
    pub type_id: String,
    /// What was written, by the API's names.
    pub fields: Map<String, Value>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_by: String,
    pub updated_at: Timestamp,
    pub closed: Option<(Timestamp, String)>,
    pub deleted: Option<(Timestamp, String)>,
}

impl Issue {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub fn published(&self) -> bool {
        self.fields.get("published") == Some(&Value::Bool(true))
    }

    /// Unpublished, it exists for two people only.
    pub(super) fn seen_by(&self, user: &str) -> bool {
        self.published() || self.created_by == user || self.text("assignedTo") == Some(user)
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Comment {
    pub id: String,
    pub issue_id: String,
    pub body: String,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// An account to be added.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountSeed {
    pub name: String,
    #[serde(default = "us")]
    pub region: String,
    pub projects: Vec<ProjectSeed>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ProjectSeed {
    pub name: String,
    #[serde(default)]
    pub timezone: Option<String>,
}

fn us() -> String {
    "US".to_owned()
}

pub(super) struct World {
    made: u64,
    pub(super) settings: Settings,
    pub(super) client: Client,
    pub(super) grants: Grants,
    pub(super) windows: HashMap<String, (i64, u64)>,
    pub(super) journal: Journal,
    pub(super) own_problems: Vec<String>,
    pub(super) accounts: Vec<Account>,
    pub(super) projects: Vec<Project>,
    pub(super) users: Vec<User>,
    pub(super) subtypes: Vec<Subtype>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) issues: Vec<Issue>,
    pub(super) comments: Vec<Comment>,
    pub(super) templates: Vec<Template>,
    pub(super) forms: Vec<Form>,
    pub(super) locations: Vec<Location>,
    pub(super) hooks: Hooks,
    numbers: BTreeMap<String, u64>,
}

impl World {
    pub(super) fn new(options: &Options) -> Self {
        let mut world = Self {
            made: 0,
            settings: options.settings.clone(),
            client: options.client.clone(),
            grants: Grants::default(),
            windows: HashMap::new(),
            journal: Journal::default(),
            own_problems: Vec::new(),
            accounts: Vec::new(),
            projects: Vec::new(),
            users: Vec::new(),
            subtypes: Vec::new(),
            attributes: Vec::new(),
            issues: Vec::new(),
            comments: Vec::new(),
            templates: Vec::new(),
            forms: Vec::new(),
            locations: Vec::new(),
            hooks: Hooks::default(),
            numbers: BTreeMap::new(),
        };
        world.seed();
        for project in world.projects.clone() {
            forms::seed(&mut world, &project.id);
        }
        world
    }

    /// The same ids at every start.
    pub(super) fn id(&mut self) -> String {
        self.made += 1;
        format!("5a0db0c5-0000-4000-8000-{:012x}", self.made)
    }

    pub(super) fn display_id(&mut self, project_id: &str) -> u64 {
        let last = self.numbers.entry(project_id.to_owned()).or_default();
        *last += 1;
        *last
    }

    /// Takes one call of a minute's window, or says how many seconds to wait.
    pub(super) fn take(&mut self, who: String, limit: u64, now: i64) -> Result<(), i64> {
        let minute = now.div_euclid(60);
        let window = self.windows.entry(who).or_insert((minute, 0));
        if window.0 != minute {
            *window = (minute, 0);
        }
        if window.1 >= limit {
            return Err(60 - now.rem_euclid(60));
        }
        window.1 += 1;
        Ok(())
    }

    fn seed(&mut self) {
        let mut user = |id: &str, name: &str, email: &str| {
            let service_account = email.ends_with(".adskserviceaccount.autodesk.com");
            let (id, name, email) = (id.to_owned(), name.to_owned(), email.to_owned());
            self.users.push(User { id, name, email, service_account });
        };
        let address = "hardhat-pulse@sandbox-client.adskserviceaccount.autodesk.com";
        user("SBXSERVICE01", "hardhat-pulse", address);
        user("SBXMANAGER01", "Safety Manager", "safety.manager@example.com");
        user("SBXWORKER001", "Superintendent", "superintendent@example.com");
        user("SBXOUTSIDER1", "Outsider", "outsider@example.com");
        let us = self.account("Sandbox Builders", "US");
        let emea = self.account("Sandbox Builders Europe", "EMEA");
        self.project(&us, "Tower A", Some("America/Los_Angeles"), "acc", "active");
        self.project(&us, "Depot B", None, "acc", "active");
        self.project(&us, "Old Hospital", Some("America/New_York"), "bim360", "active");
        self.project(&us, "Closed Bridge", Some("America/Denver"), "acc", "archived");
        self.project(&emea, "Torre Norte", Some("Europe/Madrid"), "acc", "active");
    }

    /// An account like the seeded ones, with the same people.
    pub(super) fn add_account(&mut self, seed: &AccountSeed) -> Account {
        let id = self.account(&seed.name, &seed.region);
        for ProjectSeed { name, timezone } in &seed.projects {
            let project = self.project(&id, name, timezone.as_deref(), "acc", "active");
            forms::seed(self, &project);
        }
        Account { id, name: seed.name.clone(), region: seed.region.clone() }
    }

    fn account(&mut self, name: &str, region: &str) -> String {
        let id = self.id();
        self.accounts.push(Account { id: id.clone(), name: name.to_owned(), region: region.to_owned() });
        id
    }

    fn project(&mut self, account: &str, name: &str, timezone: Option<&str>, platform: &str, status: &str) -> String {
        let id = self.id();
        for (kind, subtypes) in
            [("Safety", ["Safety Hazard", "Near Miss"]), ("Quality", ["Defect", "Work to Complete"])]
        {
            let type_id = self.id();
            for title in subtypes {
                let subtype_id = self.id();
                self.subtypes.push(Subtype {
                    id: subtype_id,
                    type_id: type_id.clone(),
                    type_title: kind.to_owned(),
                    project_id: id.clone(),
                    title: title.to_owned(),
                    active: true,
                });
            }
        }
        self.projects.push(Project {
            id: id.clone(),
            account_id: account.to_owned(),
            name: name.to_owned(),
            timezone: timezone.map(str::to_owned),
            platform: platform.to_owned(),
            status: status.to_owned(),
            members: ["SBXSERVICE01", "SBXMANAGER01", "SBXWORKER001"].map(str::to_owned).into(),
            admins: ["SBXSERVICE01", "SBXMANAGER01"].map(str::to_owned).into(),
        });
        id
    }
}
