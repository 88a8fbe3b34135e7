//! Procore: a typed client and its [`Target`](sync::target::Target) for the lane.
//!
//! - [`client`]: in whose name a call goes (the service account's token, or a person's: `grants`) and with which company header;
//!   what all platforms share is in `platform`. [`request`] says what a request is
//! - [`rates`] and [`errors`]: what an answer says about rate windows and about what went wrong; pure
//! - [`pages`]: lists, read to their end or not at all
//! - [`personal`]: how the token of a person who signed in comes to us
//! - [`lists`]: who that is, companies, projects and the pick lists of a mapping, for pages
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

pub use client::{Hosts, Procore};
pub use platform::{CredentialError, CredentialSource, Credentials, ParameterCredentials, SetupError, Timeouts};
pub use target::ProcoreTarget;
