//! The target against Autodesk's sandbox, which holds every request against the OpenAPI document. `traps.rs` lists what
//! Autodesk's pages and others' reports warn of, and where each is tried.
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends")]

mod faults;
mod forms;
mod gates;
mod hooks;
mod lists;
mod promises;
mod records;
mod site;
mod told;
mod traps;
