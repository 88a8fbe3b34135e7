//! The target against Autodesk's sandbox, which holds every request against the OpenAPI document. Each trap that Autodesk's pages
//! and others' reports name has a test here, or none can be made without Autodesk itself.
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends")]

mod faults;
mod gates;
mod hooks;
mod lists;
mod promises;
mod records;
mod site;
mod told;
