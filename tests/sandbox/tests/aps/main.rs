//! Autodesk's side from outside: each trap behaves as documented.

mod auth;
mod issues;
mod support;
