//! Autodesk Construction Cloud: a typed client of Autodesk Platform Services, and its [`Target`](sync::target::Target) for the lane.
//!
//! - [`client`]: with whose token (a service account's, or that of a manager who lent their access) a call goes, and in which region's header
//! - [`assertion`]: how its service account asks for a token
//! - [`own_account`]: a service account that a customer brings
//! - [`ids`]: accounts and projects, which some APIs want with a prefix and others without
//! - [`errors`] and [`rates`]: what an answer says about what went wrong and how long to wait; pure
//! - [`pages`]: lists, read to their end or not at all
//! - [`personal`]: what a person who signs in lets us see; [`lists`]: what they choose from
//! - [`target`]: incidents and observations as issues, a site's day as a form
//!
//! What Autodesk's pages warn of, and which test tries each, stands in `tests/it/traps.rs`.
pub mod assertion;
pub mod client;
pub mod errors;
pub mod ids;
pub mod lists;
pub mod own_account;
mod pages;
pub mod personal;
mod rates;
mod request;
pub mod target;

pub use client::{Acc, Hosts};
pub use grants::{ParameterServiceAccounts, ServiceAccount, ServiceAccounts};
pub use platform::{CredentialError, CredentialSource, Credentials, ParameterCredentials, SetupError, Timeouts};
pub use target::AccTarget;
