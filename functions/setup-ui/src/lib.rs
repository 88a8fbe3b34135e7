//! The safety manager's pages, rendered here and readable without a script.
//!
//! - [`routes`]: the one table of routes; [`state`]: what handlers need
//! - `layout`, `refusal`, `assets`: the frame around every page, what a refusal says, the style sheet
//! - `headers`, `origin`, `form`: security headers, whose frames and forms are ours, form tokens
//! - `sign_in`: the ways in, and out
//! - `visible`: what exists for a visitor; `words`: our terms for people
//! - `overview`, `status`, `activity`: connections, a project's status, its records; `settings`: what it sends
//! - `facts`: the pages that links in records open
mod activity;
mod assets;
mod facts;
mod form;
mod headers;
mod layout;
mod origin;
mod overview;
mod refusal;
mod routes;
mod settings;
mod sign_in;
mod state;
mod status;
mod visible;
mod words;

pub use origin::{OriginError, Origins};
pub use routes::{ROUTES, app};
pub use state::{AppState, Services};
