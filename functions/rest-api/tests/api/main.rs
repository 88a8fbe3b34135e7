//! The API from outside: every route, every refusal, two organizations side by side. Nothing is on the network.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic, in its helpers too")]

mod auth;
mod autodesk;
mod connections;
mod crashes;
mod deliveries_meanwhile;
mod descriptions;
mod directory;
mod edge;
mod facts;
mod idempotency;
mod isolation;
mod lists;
mod preview;
mod projects;
mod rate_limit;
mod records;
mod refusals;
mod reports;
mod reports_counted;
mod treatment;
mod webhook_endpoints;
mod world;
