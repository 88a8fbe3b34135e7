//! Secrets, sealed and read: everything that must never stand in the table, a log or an error in plain text.
//!
//! - [`Secret`]: text that its `Debug` doesn't show
//! - [`Vault`]: seals secrets for the table (envelope encryption); [`KmsVault`] in the cloud, [`MemoryVault`] as its twin
//! - [`Parameters`]: reads SSM SecureStrings (provider client ids, the operator key's hash); [`MemoryParameters`] as its twin
//! - [`operator_key_hash`]: the form in which the operator key is kept
mod data_key;
mod parameters;
mod secret;
mod vault;

pub use data_key::{DataKeys, KmsKeys, LocalKeys};
pub use parameters::{
    CachedParameters, CredentialError, MemoryParameters, ParameterError, ParameterSource, Parameters, SsmParameters,
};
pub use secret::{Secret, operator_key_hash};
pub use vault::{Context, Envelope, KmsVault, MemoryVault, Vault, VaultError};
