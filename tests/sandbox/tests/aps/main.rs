//! Autodesk's side from outside: each trap behaves as documented.

mod auth;
mod forms;
mod hooks;
mod issues;
mod support;
