//! The target against Procore's sandbox, which holds every request against the OpenAPI document.
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends")]

mod choices;
mod faults;
mod gates;
mod grants;
mod lists;
mod notes;
mod promises;
mod records;
mod site;
