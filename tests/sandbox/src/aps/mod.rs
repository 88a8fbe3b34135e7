//! Autodesk Platform Services: signing in, hubs and projects, Issues with comments and webhooks, Forms.

mod assertion;
mod auth;
mod control;
mod forms;
mod hooks;
mod hubs;
mod issues;
mod locations;
mod pages;
mod people;
mod pipeline;
mod state;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::routing::any;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock::{Clock, Now, real_time};
use crate::faults::Faults;
use crate::http::{self, Server, Task};
use crate::journal::{CallRecord, Violation};
use crate::openapi::{Document, DocumentError};
pub use crate::procore::StartError;

pub use forms::{Field, Form, Template};
pub use hooks::{Delivery, Hook};
pub use people::Undone;
use state::World;
pub use state::{
    Account, AccountSeed, Attribute, Client, Comment, Issue, Project, ProjectSeed, Settings, Subtype, User,
};

const DOCUMENT: &str = include_str!("../../openapi/acc.openapi.yaml");
/// The private half of the service account's key: a key for tests, which opens nothing anywhere.
pub const SERVICE_ACCOUNT_KEY: &str = include_str!("../../keys/service-account.pem");
pub const SERVICE_ACCOUNT_KEY_ID: &str = "sandbox-key-1";

#[derive(Clone)]
pub struct Options {
    pub bind: IpAddr,
    /// 0 takes any free one.
    pub port: u16,
    pub now: Now,
    pub settings: Settings,
    pub client: Client,
}

impl Default for Options {
    fn default() -> Self {
        let (settings, client) = (Settings::default(), Client::default());
        Self { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0, now: real_time(), settings, client }
    }
}

pub struct Core {
    document: &'static Document,
    clock: Clock,
    faults: Faults,
    base_url: String,
    options: Options,
    world: Mutex<World>,
    http: reqwest::Client,
    /// Rung when webhooks may be waiting.
    waiting: Notify,
}

impl Core {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn url(&self) -> &str {
        &self.base_url
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    pub fn accounts(&self) -> Vec<Account> {
        self.world().accounts.clone()
    }

    /// In the order of the seed.
    pub fn projects(&self) -> Vec<Project> {
        self.world().projects.clone()
    }

    pub fn users(&self) -> Vec<User> {
        self.world().users.clone()
    }

    /// A token of a person who consented. None if there is no such person.
    pub fn person_token(&self, email: &str) -> Option<String> {
        let now = self.clock.stamp();
        auth::of_person(&mut self.world(), email, now)
    }

    /// Of someone who agreed that we work with their access: the token, and what renews it.
    pub fn person_consents(&self, email: &str) -> Option<(String, String)> {
        let now = self.clock.stamp();
        auth::of_person_for(&mut self.world(), email, "data:read data:write data:create account:read", now)
    }

    pub fn subtypes(&self) -> Vec<Subtype> {
        self.world().subtypes.clone()
    }

    /// Deleted ones and unpublished ones too.
    pub fn issues(&self, project_id: &str) -> Vec<Issue> {
        self.world().issues.iter().filter(|issue| issue.project_id == project_id).cloned().collect()
    }

    pub fn hooks(&self) -> Vec<Hook> {
        self.world().hooks.hooks.clone()
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world().hooks.deliveries.clone()
    }

    /// Discarded ones too.
    pub fn forms(&self, project_id: &str) -> Vec<Form> {
        self.world().forms.iter().filter(|form| form.project_id == project_id).cloned().collect()
    }

    pub fn comments(&self, issue_id: &str) -> Vec<Comment> {
        self.world().comments.iter().filter(|comment| comment.issue_id == issue_id).cloned().collect()
    }

    pub fn violations(&self) -> Vec<Violation> {
        self.world().journal.violations.clone()
    }

    /// Answers of the sandbox that its document does not allow; kept while `check_answers` is set.
    pub fn own_problems(&self) -> Vec<String> {
        self.world().own_problems.clone()
    }

    pub fn calls(&self) -> Vec<CallRecord> {
        self.world().journal.calls.iter().cloned().collect()
    }

    /// Whether somebody belongs to a project. False if there is no such project or user.
    pub fn set_member(&self, project_id: &str, user_id: &str, member: bool) -> bool {
        let world = &mut *self.world();
        let known = world.users.iter().any(|user| user.id == user_id);
        let project = world.projects.iter_mut().find(|project| project.id == project_id && known);
        let change = |project: &mut Project| match member {
            true => project.members.insert(user_id.to_owned()),
            false => project.members.remove(user_id),
        };
        project.map(change).is_some()
    }

    /// Whether a member is one of a project's admins. False if there is no such project.
    pub fn set_admin(&self, project_id: &str, user_id: &str, admin: bool) -> bool {
        let world = &mut *self.world();
        let project = world.projects.iter_mut().find(|project| project.id == project_id);
        let change = |project: &mut Project| match admin {
            true => project.admins.insert(user_id.to_owned()),
            false => project.admins.remove(user_id),
        };
        project.map(change).is_some()
    }

    /// As when it gave up on our address.
    pub fn deactivate_hook(&self, id: &str) -> bool {
        let hook = &mut self.world().hooks.hooks;
        let hook = hook.iter_mut().find(|hook| hook.id == id);
        hook.map(|hook| hook.status = "inactive".to_owned()).is_some()
    }

    pub fn remove_hook(&self, id: &str) -> bool {
        let hooks = &mut self.world().hooks.hooks;
        let before = hooks.len();
        hooks.retain(|hook| hook.id != id);
        hooks.len() < before
    }

    /// With the people of the seeded accounts.
    pub fn add_account(&self, seed: &AccountSeed) -> Account {
        self.world().add_account(seed)
    }

    /// Our client has this secret from now on.
    pub fn set_client(&self, client: Client) {
        self.world().client = client;
    }

    pub fn set_subtype_active(&self, subtype_id: &str, active: bool) -> bool {
        let world = &mut *self.world();
        let subtype = world.subtypes.iter_mut().find(|subtype| subtype.id == subtype_id);
        subtype.map(|subtype| subtype.active = active).is_some()
    }

    /// Makes a custom field that issues of a subtype, or of a type, must have. Gives its id.
    pub fn require_attribute(&self, project_id: &str, item_id: &str, title: &str) -> String {
        let world = &mut *self.world();
        let id = world.id();
        let (project_id, item_id, title) = (project_id.to_owned(), item_id.to_owned(), title.to_owned());
        world.attributes.push(Attribute { id: id.clone(), project_id, title, item_id, required: true });
        id
    }

    /// Everything as at the start, the clock too. Tokens are gone.
    pub fn reset(&self) {
        self.faults.clear();
        let world = &mut *self.world();
        let era = world.hooks.era + 1;
        self.clock.reset();
        *world = World::new(&self.options);
        world.hooks.era = era;
    }
}

pub struct Sandbox;

impl Sandbox {
    /// Listens on the caller's runtime until the answer is dropped.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let document = document()?;
        let (listener, address) = http::bind(SocketAddr::new(options.bind, options.port)).await?;
        let core = Arc::new(Core {
            document,
            clock: Clock::new(Arc::clone(&options.now)),
            faults: Faults::default(),
            base_url: format!("http://{address}"),
            world: Mutex::new(World::new(&options)),
            options,
            http: http::client(hooks::ANSWER_WITHIN),
            waiting: Notify::new(),
        });
        let server = http::serve(listener, address, router(&core));
        let deliveries = Task::spawn(hooks::dispatch(Arc::clone(&core)));
        Ok(Running { core, _server: server, _deliveries: deliveries })
    }
}

fn router(core: &Arc<Core>) -> Router {
    let platform = Arc::clone(core);
    let serve = move |request| pipeline::serve(Arc::clone(&platform), request);
    let mut router = Router::new();
    for root in ["authentication", "project", "construction", "webhooks", "data", "oss"] {
        router = router.route(&format!("/{root}/{{*rest}}"), any(serve.clone()));
    }
    // The profile service, which is another host there.
    router = router.route("/userinfo", any(serve));
    router.merge(control::router(Arc::clone(core))).merge(pages::router(Arc::clone(core)))
}

/// Read once per process.
fn document() -> Result<&'static Document, &'static DocumentError> {
    static LOADED: OnceLock<Result<Document, DocumentError>> = OnceLock::new();
    LOADED.get_or_init(|| Document::parse(&[DOCUMENT])).as_ref()
}

/// A sandbox that listens. Its methods are those of `Core`.
pub struct Running {
    core: Arc<Core>,
    _server: Server,
    _deliveries: Task,
}

impl Deref for Running {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}
