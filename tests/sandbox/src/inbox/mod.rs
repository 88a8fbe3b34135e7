//! A customer's own receiver, as strict as one should be: every path below the address is a box, which takes signed messages
//! (Standard Webhooks, CloudEvents or a Teams card) and can be told to be unkind.
//!
//! - `check`: what is wrong with a request; `schemas`: the published schema that its data must fit
//! - `receive`: a message comes in; `answers`: how a box was told to answer
//! - `control`, `pages`: what a test and a person do

mod answers;
mod check;
mod control;
mod pages;
mod receive;
mod schemas;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::clock::{Clock, Now, real_time};
use crate::http::{self, Server};

pub use answers::{Answer, Kind};
use schemas::Schemas;

/// Arrivals kept one by one; what each box has taken is known beyond that.
const KEPT: usize = 20_000;

/// One request that came in, whatever became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Arrival {
    pub number: u64,
    #[serde(rename = "box")]
    pub name: String,
    pub at: Timestamp,
    /// The webhook-id.
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Without its parameters.
    pub content_type: String,
    pub signatures: usize,
    /// None while the box knows no secret.
    pub verified: Option<bool>,
    /// What a strict receiver refuses it for.
    pub problems: Vec<String>,
    /// None: no answer at all.
    pub status: Option<u16>,
    pub body: Value,
}

/// A receiver, by the path that it listens at.
#[derive(Debug, Default)]
struct Receiver {
    /// Any of them verifies: two, while one is rotated.
    secrets: Vec<String>,
    token: Option<String>,
    answer: Answer,
    /// Bodies by webhook-id: the same id never comes with another.
    bodies: BTreeMap<String, Bytes>,
    /// Webhook-ids answered with 2xx, in the order in which they were first.
    taken: Vec<String>,
}

#[derive(Default)]
struct State {
    receivers: BTreeMap<String, Receiver>,
    arrivals: VecDeque<Arrival>,
    number: u64,
}

#[derive(Clone)]
pub struct Options {
    pub bind: IpAddr,
    /// 0 takes any free one.
    pub port: u16,
    pub now: Now,
}

impl Default for Options {
    fn default() -> Self {
        Self { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0, now: real_time() }
    }
}

pub struct Core {
    clock: Clock,
    base_url: String,
    state: Mutex<State>,
    schemas: Schemas,
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn url(&self) -> &str {
        &self.base_url
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn arrivals(&self, name: &str) -> Vec<Arrival> {
        self.state().arrivals.iter().filter(|arrival| arrival.name == name).cloned().collect()
    }

    pub fn set_secrets(&self, name: &str, secrets: &[&str]) {
        self.state().receivers.entry(name.to_owned()).or_default().secrets =
            secrets.iter().map(|secret| (*secret).to_owned()).collect();
    }

    pub fn set_token(&self, name: &str, token: Option<&str>) {
        self.state().receivers.entry(name.to_owned()).or_default().token = token.map(str::to_owned);
    }

    pub fn set_answer(&self, name: &str, answer: Answer) {
        self.state().receivers.entry(name.to_owned()).or_default().answer = answer;
    }
}

pub struct Inbox;

impl Inbox {
    /// Listens on the caller's runtime until the answer is dropped.
    pub async fn start(options: Options) -> std::io::Result<Running> {
        let (listener, address) = http::bind(SocketAddr::new(options.bind, options.port)).await?;
        let core = Arc::new(Core {
            clock: Clock::new(options.now),
            base_url: format!("http://{address}"),
            state: Mutex::default(),
            schemas: Schemas::default(),
        });
        let server = http::serve(listener, address, router(&core));
        Ok(Running { core, _server: server })
    }
}

fn router(core: &Arc<Core>) -> Router {
    Router::new()
        .route("/", get(pages::boxes).post(receive::at_root))
        .route("/_page/open", post(pages::open))
        .route("/_page/change/{*name}", post(pages::change))
        .fallback(receive::anywhere)
        .with_state(Arc::clone(core))
        .merge(control::router(Arc::clone(core)))
}

/// An inbox that listens. Its methods are those of `Core`.
pub struct Running {
    core: Arc<Core>,
    _server: Server,
}

impl Deref for Running {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}
