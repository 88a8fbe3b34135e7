//! Signing in from the outside: a browser's requests to us, the sandbox's Procore over loopback, the table's twin behind.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic, in its helpers too")]

mod autodesk;
mod consent;
mod refusals;
mod signing_in;
mod world;
