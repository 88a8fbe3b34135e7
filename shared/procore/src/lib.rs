//! Procore: a typed client and its [`Target`](sync::target::Target) for the lane.
//!
//! - [`client`]: one request: token, company header, time-outs, rate headers, the classification of what came back; [`request`]
//!   says what one is
//! - [`token`]: the client-credentials token, cached and renewed early; a connection with a person's grant uses theirs (`grants`)
//! - [`rates`] and [`errors`]: what an answer says about rate windows and about what went wrong; pure
//! - [`pages`]: lists, read to their end or not at all
//! - [`personal`]: what is asked for a person who signed in, with a token of theirs
//! - [`lists`]: companies, projects and the pick lists of a mapping, for pages
//! - [`text`]: rich text as plain text, so that a merge compares like with like
//! - [`target`]: incidents and observations as records of the lane
pub mod client;
pub mod errors;
pub mod lists;
mod pages;
pub mod personal;
mod rates;
mod request;
pub mod target;
mod text;
pub mod token;

pub use client::{Hosts, Procore, SetupError, Timeouts};
pub use target::ProcoreTarget;
pub use token::{CredentialError, CredentialSource, Credentials, ParameterCredentials};
