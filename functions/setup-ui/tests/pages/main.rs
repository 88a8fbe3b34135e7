//! The pages from the outside: HTTP in, HTML out, the table's twin behind.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic, in its helpers too")]

mod api_keys;
mod authenticator;
mod autodesk;
mod consent;
mod disconnect;
mod filters;
mod frame;
mod guard;
mod looking;
mod matrix;
mod mending;
mod moved;
mod passkeys;
mod people;
mod reports;
mod schedule;
mod settings;
mod sign_in;
mod trial;
mod webhooks;
mod wizard;
mod world;
