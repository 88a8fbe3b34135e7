//! `template.yaml` held against code and pages: the tests are in `tests/`.
//!
//! - [`template`]: its resources, and what a role allows
//! - [`source`]: our code as functions and what each calls, read as tokens
//! - [`reach`]: what a Lambda's code can get to from its `main`
pub mod reach;
pub mod source;
pub mod template;

use std::path::PathBuf;

pub fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
}

/// A file of the repository.
pub fn file(relative: &str) -> String {
    let path = path(relative);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
