//! The target against Procore's sandbox, which holds every request against the OpenAPI document.
mod faults;
mod gates;
mod lists;
mod promises;
mod records;
mod site;
