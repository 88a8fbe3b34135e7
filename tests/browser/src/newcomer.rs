//! A contractor whom HardHat Pulse has just made, with a company, two projects and a safety manager in Procore.
use crate::Person;
use end_to_end::http;
use end_to_end::tenant::Stack;
use serde_json::{Value, json};

pub struct Newcomer {
    pub stack: Stack,
    pub organization: String,
    pub company: i64,
    pub company_name: String,
    /// The safety manager's at Procore.
    pub login: String,
}

impl Default for Newcomer {
    fn default() -> Self {
        Self::new()
    }
}

impl Newcomer {
    pub fn new() -> Self {
        let stack = Stack::named();
        let unique = format!("{}", jiff::Timestamp::now().as_nanosecond());
        let company_name = "Sandbox Builders".to_owned();
        let project =
            |name: &str| json!({"name": name, "tz_name": "America/Denver", "time_zone": "Mountain Time (US & Canada)"});
        let seed = json!({"company": {"name": company_name, "projects": [project("Bridge D"), project("Depot E")]}});
        let company = stack.control("seed", seed)["id"].as_i64().expect("the company's id");
        let login = format!("manager.{unique}");
        let person = json!({"login": login, "name": "Site Safety Manager", "companies": [company]});
        stack.control("seed", json!({"person": person}));
        let made = stack.operator("POST", "/v1/organizations", json!({"name": "Contractor"})).ok("organization");
        let organization = made["id"].as_str().expect("an id").to_owned();
        Self { stack, organization, company, company_name, login }
    }

    pub fn setup_link(&self) -> String {
        self.stack.setup_link(&self.organization)
    }

    /// Observations of the company's projects.
    pub fn observations(&self) -> Vec<Value> {
        let state = http::call("GET", &format!("{}/_control/state", self.stack.sandbox), &[], b"").json();
        let projects: Vec<i64> = state["projects"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|project| project["company_id"] == self.company)
            .filter_map(|project| project["id"].as_i64())
            .collect();
        let all = state["observations"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|one| one["project_id"].as_i64().is_some_and(|id| projects.contains(&id))).collect()
    }

    /// From the setup link to the list of companies, with this one chosen.
    pub async fn chooses_its_company(&self, person: &Person) {
        person.open(&self.setup_link()).await;
        person.presses("Sign in").await;
        person.presses("Set up Procore").await;
        self.logs_in_at_procore(person).await;
        person.ticks(&self.company_name).await;
    }

    /// The way through Procore's login, from its button on.
    pub async fn logs_in_at_procore(&self, person: &Person) {
        person.presses("Sign in with Procore").await;
        self.logs_in(person).await;
    }

    /// From Procore's page on.
    pub async fn logs_in(&self, person: &Person) {
        person.sees("Log in").await;
        person.chooses("Person", &format!("Site Safety Manager, {} ({})", self.company_name, self.login)).await;
        person.presses("Log in").await;
        person.presses("Allow").await;
    }
}
