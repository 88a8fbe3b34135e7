//! What a test, the control interface and the pages ask of a sandbox.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::access::Editor;
use super::hooks::{Delivery, Hook};
use super::oauth::{Client, OAuth};
use super::seed::{self, CompanySeed, PersonSeed, ProjectSeed};
use super::state::{
    Alert, Company, Entry, Incident, Injury, Level, Location, LogEntry, Mail, Observation, ObservationType, Person,
    Project, ResponseLog, Settings, World,
};
use super::{Core, Options, daily_log};
use crate::faults::Faults;
use crate::journal::{CallRecord, Violation};
use crate::limits::Limits;

pub(crate) fn new_world(options: &Options, now: Timestamp) -> World {
    let oauth = OAuth::new(options.clients.clone());
    let mut world = World::new(options.first_id, options.settings.clone(), oauth);
    for company in &options.companies {
        seed::add_company(&mut world, company, now);
    }
    seed::add_people_of_several_companies(&mut world);
    world
}

fn all<T>(records: impl Iterator<Item = T>) -> Vec<T> {
    records.collect()
}

impl Core {
    pub fn companies(&self) -> Vec<Company> {
        all(self.world().companies.values().cloned())
    }

    /// In the order of the seed.
    pub fn projects(&self, company_id: i64) -> Vec<Project> {
        all(self.world().projects.values().filter(|project| project.company_id == company_id).cloned())
    }

    pub fn people(&self, company_id: i64) -> Vec<Person> {
        all(self.world().people.values().filter(|person| person.is_in(company_id)).cloned())
    }

    pub fn entries(&self, company_id: i64, list: &str) -> Vec<Entry> {
        let world = self.world();
        all(world.entries.values().filter(|entry| entry.company_id == company_id && entry.list == list).cloned())
    }

    pub fn observation_types(&self, company_id: i64) -> Vec<ObservationType> {
        all(self.world().observation_types.values().filter(|kind| kind.company_id == company_id).cloned())
    }

    pub fn locations(&self, project_id: i64) -> Vec<Location> {
        all(self.world().locations.values().filter(|location| location.project_id == project_id).cloned())
    }

    /// Those that are not recycled, whether lists show them yet or not.
    pub fn incidents(&self, project_id: i64) -> Vec<Incident> {
        let world = self.world();
        all(world.incidents.values().filter(|one| one.project_id == project_id && one.deleted_at.is_none()).cloned())
    }

    pub fn recycled_incidents(&self, project_id: i64) -> Vec<Incident> {
        let world = self.world();
        all(world.incidents.values().filter(|one| one.project_id == project_id && one.deleted_at.is_some()).cloned())
    }

    /// Injuries and near misses.
    pub fn injuries(&self, project_id: i64) -> Vec<Injury> {
        let world = self.world();
        all(world.injuries.values().filter(|one| one.project_id == project_id && one.deleted_at.is_none()).cloned())
    }

    pub fn observations(&self, project_id: i64) -> Vec<Observation> {
        let world = self.world();
        all(world.observations.values().filter(|one| one.project_id == project_id && one.deleted_at.is_none()).cloned())
    }

    pub fn recycled_observations(&self, project_id: i64) -> Vec<Observation> {
        let world = self.world();
        all(world.observations.values().filter(|one| one.project_id == project_id && one.deleted_at.is_some()).cloned())
    }

    pub fn response_logs(&self, observation_id: i64) -> Vec<ResponseLog> {
        all(self.world().response_logs.values().filter(|log| log.item_id == observation_id).cloned())
    }

    /// Entries of every section of the daily log.
    pub fn log_entries(&self, project_id: i64) -> Vec<LogEntry> {
        all(self.world().log_entries.values().filter(|entry| entry.project_id == project_id).cloned())
    }

    pub fn notes(&self, project_id: i64) -> Vec<LogEntry> {
        let mut entries = self.log_entries(project_id);
        entries.retain(|entry| entry.section == daily_log::NOTES);
        entries
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.world().mails.clone()
    }

    pub fn alerts(&self) -> Vec<Alert> {
        self.world().alerts.clone()
    }

    pub fn hooks(&self) -> Vec<Hook> {
        all(self.world().hooks.hooks.values().cloned())
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        all(self.world().hooks.deliveries.values().cloned())
    }

    pub fn calls(&self) -> Vec<CallRecord> {
        all(self.world().journal.calls.iter().cloned())
    }

    /// Calls of one operation that were answered or cut, by its id in the document.
    pub fn calls_of(&self, operation_id: &str) -> Vec<CallRecord> {
        let world = self.world();
        let calls = world.journal.calls.iter().filter(|call| call.operation_id.as_deref() == Some(operation_id));
        calls.cloned().collect()
    }

    pub fn violations(&self) -> Vec<Violation> {
        self.world().journal.violations.clone()
    }

    /// Answers of the sandbox that its document does not allow; kept while `check_answers` is set.
    pub fn own_problems(&self) -> Vec<String> {
        self.world().own_problems.clone()
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    pub fn set_limits(&self, limits: Limits) {
        self.set(|settings| settings.limits = limits);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// Installs or removes the app in a company.
    pub fn set_connected(&self, company_id: i64, connected: bool) -> bool {
        let found = self.world().companies.get_mut(&company_id).map(|company| company.connected = connected);
        found.is_some()
    }

    /// None permits all projects.
    pub fn set_permitted_projects(&self, company_id: i64, projects: Option<BTreeSet<i64>>) -> bool {
        let found = self.world().companies.get_mut(&company_id).map(|company| company.permitted_projects = projects);
        found.is_some()
    }

    /// As an admin installs the app: after that no project is permitted until one is picked, again after a reinstall.
    pub fn install(&self, company_id: i64) -> bool {
        self.set_permitted_projects(company_id, Some(BTreeSet::new())) && self.set_connected(company_id, true)
    }

    pub fn set_service_level(&self, company_id: i64, level: Level) -> bool {
        let found = self.world().companies.get_mut(&company_id).map(|company| company.service_level = level);
        found.is_some()
    }

    /// Switches a tool of a project: `incidents`, `observations` or `daily_log`.
    pub fn set_tool(&self, project_id: i64, tool: &str, on: bool) -> bool {
        let found =
            self.world().projects.get_mut(&project_id).map(|project| {
                if on { project.tools_off.remove(tool) } else { project.tools_off.insert(tool.to_owned()) }
            });
        found.is_some()
    }

    pub fn set_client(&self, client: Client) {
        self.world().oauth.set_client(client);
    }

    /// An access token of this person, as if they had logged in and agreed.
    pub fn person_token(&self, login: &str) -> String {
        let world = &mut *self.world();
        let lifetime = world.settings.token_lifetime_seconds;
        world.oauth.agreed(&Client::default().id, login, self.clock.stamp(), lifetime)
    }

    pub fn set_project_active(&self, project_id: i64, active: bool) -> bool {
        self.world().projects.get_mut(&project_id).map(|project| project.active = active).is_some()
    }

    /// As the company's admin switches an observation type on or off.
    pub fn set_type_active(&self, type_id: i64, active: bool) -> bool {
        self.world().observation_types.get_mut(&type_id).map(|kind| kind.active = active).is_some()
    }

    /// The same for an entry of a pick list.
    pub fn set_entry_active(&self, entry_id: i64, active: bool) -> bool {
        self.world().entries.get_mut(&entry_id).map(|entry| entry.active = active).is_some()
    }

    pub fn expire_tokens(&self) {
        self.world().oauth.expire_tokens(self.clock.stamp());
    }

    /// Ends every refresh token at once, as if each had been used up elsewhere.
    pub fn burn_refresh_tokens(&self) {
        self.world().oauth.burn_refresh_tokens();
    }

    /// As if this person had taken back what they agreed to.
    pub fn take_consent_back(&self, login: &str) {
        self.world().oauth.take_back(login);
    }

    pub fn remove_hook(&self, hook_id: i64) -> bool {
        self.world().hooks.hooks.remove(&hook_id).is_some()
    }

    /// As the platform does after a destination failed for long.
    pub fn deactivate_hook(&self, hook_id: i64) -> bool {
        self.world().hooks.hooks.get_mut(&hook_id).map(|hook| hook.active = false).is_some()
    }

    /// Completes a day of a project's daily log, as its superintendent would.
    pub fn complete_day(&self, project_id: i64, date: Date, completed: bool) -> bool {
        let world = &mut *self.world();
        let Some(editor) = person_at(world, project_id, None, self.clock.stamp()) else { return false };
        daily_log::set_completed(world, &editor, project_id, date, completed);
        true
    }

    pub fn add_company(&self, seed: &CompanySeed) -> i64 {
        seed::add_company(&mut self.world(), seed, self.clock.stamp())
    }

    pub fn add_project(&self, company_id: i64, seed: &ProjectSeed) -> Option<i64> {
        let world = &mut *self.world();
        let known = world.companies.contains_key(&company_id);
        known.then(|| seed::add_project(world, company_id, seed, self.clock.stamp()))
    }

    /// The new person's id; None if a company is not known or the login is taken.
    pub fn add_person(&self, seed: &PersonSeed) -> Option<i64> {
        let world = &mut *self.world();
        let taken = world.people.values().any(|person| person.login.as_ref() == Some(&seed.login));
        let known = !seed.companies.is_empty() && seed.companies.iter().all(|id| world.companies.contains_key(id));
        (known && !taken).then(|| seed::add_person(world, seed))
    }

    /// Everything as at the start, the clock too. Tokens are gone.
    pub fn reset(&self) {
        self.faults.clear();
        let world = &mut *self.world();
        let era = world.hooks.era + 1;
        self.clock.reset();
        *world = new_world(&self.options, self.clock.stamp());
        world.hooks.era = era;
    }

    /// The whole state as JSON, calls last.
    pub fn dump(&self) -> Value {
        let world = self.world();
        json!({
            "now": self.clock.now().to_string(), "settings": world.settings, "faults": self.faults.list(),
            "companies": values(&world.companies), "projects": values(&world.projects),
            "people": values(&world.people), "observation_types": values(&world.observation_types),
            "locations": values(&world.locations), "incidents": values(&world.incidents),
            "injuries": values(&world.injuries), "actions": values(&world.actions),
            "observations": values(&world.observations), "response_logs": values(&world.response_logs),
            "log_entries": values(&world.log_entries), "day_headers": values(&world.day_headers),
            "mails": world.mails, "alerts": world.alerts, "hooks": values(&world.hooks.hooks),
            "deliveries": values(&world.hooks.deliveries), "violations": world.journal.violations,
            "own_problems": world.own_problems, "counts": world.journal.count_rows(), "calls": world.journal.calls,
        })
    }
}

fn values<K, V: serde::Serialize>(map: &std::collections::BTreeMap<K, V>) -> Vec<&V> {
    map.values().collect()
}

/// Who edits in the browser: the person who signed in there, else the first full user of the project's company.
pub(crate) fn person_at(world: &World, project_id: i64, signed_in: Option<i64>, now: Timestamp) -> Option<Editor> {
    let company_id = world.projects.get(&project_id)?.company_id;
    let mut people = world.people.values().filter(|person| person.is_in(company_id) && person.signs_in());
    let person = signed_in.and_then(|id| world.people.get(&id)).filter(|person| person.is_in(company_id));
    let person = person.or_else(|| people.next())?;
    Some(Editor { user_id: person.id, client_id: None, company_id, now, level: Level::Admin })
}
