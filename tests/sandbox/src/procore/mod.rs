//! Procore: `Sandbox::start` gives a `Running` that answers on loopback and can be asked what arrived.

mod access;
mod call;
mod daily_log;
mod deliveries;
mod directory;
mod dispatch;
mod edit;
mod gate;
mod handle;
mod hooks;
mod hooks_api;
mod incidents;
mod injuries;
mod oauth;
mod observations;
mod paging;
mod pipeline;
mod reply;
mod seed;
mod state;
mod views;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::routing::any;
use thiserror::Error;
use tokio::sync::Notify;

use crate::clock::{Clock, Now, real_time};
use crate::faults::Faults;
use crate::http::{self, Server, Task};
use crate::openapi::{Document, DocumentError};

pub use edit::{EditError, PersonEdit};
pub use hooks::{Delivery, Hook};
pub use oauth::Client;
pub(crate) use oauth::{Ask, decide};
pub use seed::{CompanySeed, PersonSeed, ProjectSeed, default_companies};
pub(crate) use state::World;
pub use state::{
    Action, Alert, Company, DayHeader, Entry, Incident, Injury, Level, Location, LogEntry, Mail, Observation,
    ObservationType, Person, Project, ResponseLog, Settings,
};

/// Ids begin beyond 32 bits, as in the platform's newer regions.
pub const FIRST_ID: i64 = 8_600_000_000;

const DOCUMENT: &str = include_str!("../../openapi/procore.openapi.yaml");
const MORE: &str = include_str!("../../openapi/procore-more.yaml");

#[derive(Debug, Error)]
pub enum StartError {
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    #[error(transparent)]
    Document(#[from] &'static DocumentError),
}

/// How a sandbox starts.
#[derive(Clone)]
pub struct Options {
    pub bind: IpAddr,
    /// 0 takes any free one.
    pub port: u16,
    pub now: Now,
    pub settings: Settings,
    pub clients: Vec<Client>,
    pub companies: Vec<CompanySeed>,
    /// Two sandboxes with the same one give out equal ids.
    pub first_id: i64,
    /// The first pause of a webhook queue whose destination failed; it doubles from there.
    pub hook_retry: std::time::Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            now: real_time(),
            settings: Settings::default(),
            clients: vec![Client::default()],
            companies: default_companies(),
            first_id: FIRST_ID,
            hook_retry: std::time::Duration::from_secs(1),
        }
    }
}

/// What requests, the control interface and a test's handle share.
pub struct Core {
    pub(crate) document: &'static Document,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) base_url: String,
    options: Options,
    world: Mutex<World>,
    http: reqwest::Client,
    /// Rung when webhooks may be waiting.
    waiting: Notify,
}

impl Core {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Sandbox;

impl Sandbox {
    /// Listens on the caller's runtime until the answer is dropped.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let document = document()?;
        let (listener, address) = http::bind(SocketAddr::new(options.bind, options.port)).await?;
        let clock = Clock::new(Arc::clone(&options.now));
        let world = handle::new_world(&options, clock.stamp());
        let core = Arc::new(Core {
            document,
            clock,
            faults: Faults::default(),
            base_url: format!("http://{address}"),
            options,
            world: Mutex::new(world),
            http: http::client(deliveries::ANSWER_WITHIN),
            waiting: Notify::new(),
        });
        let server = http::serve(listener, address, router(&core));
        let deliveries = Task::spawn(deliveries::dispatch(Arc::clone(&core)));
        Ok(Running { core, server, _deliveries: deliveries })
    }
}

fn router(core: &Arc<Core>) -> Router {
    let platform = Arc::clone(core);
    let serve = move |request| pipeline::serve(Arc::clone(&platform), request);
    Router::new()
        .route("/rest/{*rest}", any(serve.clone()))
        .route("/oauth/{*rest}", any(serve))
        .merge(crate::control::router(Arc::clone(core)))
        .merge(crate::pages::router(Arc::clone(core)))
}

/// Read once per process: the sandboxes of a test run share it.
pub(crate) fn document() -> Result<&'static Document, &'static DocumentError> {
    static LOADED: OnceLock<Result<Document, DocumentError>> = OnceLock::new();
    LOADED.get_or_init(|| Document::parse(&[DOCUMENT, MORE])).as_ref()
}

/// A sandbox that listens. Its methods are those of `Core`.
pub struct Running {
    core: Arc<Core>,
    server: Server,
    _deliveries: Task,
}

impl Running {
    pub fn url(&self) -> &str {
        &self.core.base_url
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }
}

impl Deref for Running {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}
