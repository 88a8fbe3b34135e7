//! The public HTTP API (contracts 6.3): what an operator, and a contractor's own tools, may do. One file per resource.
//!
//! - [`state`]: what handlers need; [`routes`]: the one table of routes, and the layers around them
//! - `auth`, `visible`: who calls, and what exists for them; `rate_limit`: how often
//! - `problem`, `json_body`, `query`: refusals, and the checks that make them
//! - `etag`, `idempotency`, `cursor`, `accept`: changing safely, repeating safely, listing, in which form
//! - `webhook_endpoints`: customers' own receivers, and what came of what they were sent
//! - `organizations`, `sites`, `site_hour`, `edges`, `api_keys`, `setup_links`, `connections`, `projects`, `records`, `retry`, `conflicts`, `facts`, `treatment`, `reports`: the resources; `documents`, `openapi`, `reference`: what describes us; `retiring`: what goes away
mod accept;
mod api_keys;
mod auth;
mod conflicts;
mod connections;
mod cursor;
mod documents;
mod edges;
mod etag;
mod facts;
mod footage;
mod idempotency;
mod json_body;
mod openapi;
mod organizations;
mod problem;
mod projects;
mod query;
mod rate_limit;
mod records;
mod reference;
mod reports;
mod request_log;
mod retiring;
mod retry;
mod routes;
mod setup_links;
mod site_hour;
mod sites;
mod state;
mod treatment;
mod visible;
mod webhook_endpoints;

pub use rate_limit::PER_MINUTE;
pub use routes::{ROUTES, app};
pub use state::{AppState, Clock, Services};
