//! The safety manager's pages, rendered here and readable without a script.
//!
//! - [`routes`]: the one table of routes; [`state`]: what handlers need
//! - `layout`, `refusal`, `assets`: the frame around every page, what a refusal says, the style sheet
//! - `headers`, `origin`, `form`: security headers, whose frames and forms are ours, form tokens
//! - `sign_in`: the ways in, and out
//! - `frame`: signing in from Procore's frame, by a window of its own
//! - `passkeys`: how people whom a link let in sign in again
//! - `people_page`: who has access, invitations, sessions
//! - `visible`: what exists for a visitor; `words`: our terms for people
//! - `overview`, `status`, `activity`: connections, a project's status, its records; `settings`: what it sends
//! - `steps`: the set-up, in order: `connect`, `projects`, `settings`, `schedule`, `trial`; `platform`: what they ask of Procore
//! - `consent`: what a connection works with; `disconnect`: the way out
//! - `hour`: when a site's day is summed up
//! - `webhooks`: endpoints of the customer's own; `kinds`: the choice of detection kinds
//! - `api_keys`: keys of the REST API; `sites`: those that a visitor sees; `capabilities`: what each platform can show
//! - `facts`, `reports`: the pages that links in records open; `treatment`: what people added, on an incident's
mod activity;
mod api_keys;
mod assets;
mod capabilities;
mod connect;
mod consent;
mod disconnect;
mod facts;
mod form;
mod frame;
mod headers;
mod hour;
mod kinds;
mod layout;
mod origin;
mod overview;
mod passkeys;
mod people_page;
mod platform;
mod polling;
mod projects;
mod refusal;
mod reports;
mod routes;
mod schedule;
mod settings;
mod sign_in;
mod sites;
mod state;
mod status;
mod steps;
mod treatment;
mod trial;
mod visible;
mod webhooks;
mod words;

pub use origin::{OriginError, Origins};
pub use platform::{PersonTokens, Platform};
pub use routes::{ROUTES, app};
pub use state::{AppState, Services};
