//! What a connection works with: a service account, or a person's consent, renewed by refresh tokens that work once.
//!
//! Any use burns a refresh token, an unanswered one too. So one caller renews at a time (a conditional write says who), what came
//! back is kept before it is used, and where the answer is lost, or whoever renewed died, the person signs in again: nothing is
//! ever tried a second time with the same token.
//!
//! - [`Grants`]: what a platform's client asks for tokens; [`TableGrants`] keeps them in the table, sealed
//! - [`Refresher`]: the platform's login host, as the client speaks to it
//! - [`Grant`]: one as it is kept
//! - [`service_accounts`]: the app's own by region, and customers' own
mod kept;
pub mod service_accounts;
mod table_grants;

pub use kept::{Grant, Renewing};
pub use service_accounts::{
    NoServiceAccounts, ParameterServiceAccounts, ServiceAccount, ServiceAccounts, TableServiceAccounts, shared_email,
};
pub use table_grants::{TableGrants, grant};

use async_trait::async_trait;
use credentials::{Secret, VaultError};
use jiff::Timestamp;
use store::TableError;
use store::lanes::LaneId;

/// What a consent, or a renewal, gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: Secret,
    pub ends_at: Timestamp,
    /// Without one the person signs in again when the access token ends.
    pub refresh: Option<Secret>,
}

/// Why there are no new tokens.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RefreshError {
    /// Surely nothing was sent: the refresh token is as it was.
    #[error("{0}")]
    NotSent(String),
    /// Sent, and answered no, or not to the end: the refresh token is used up.
    #[error("{0}")]
    Burnt(String),
}

/// Asks the platform. It never tries again by itself.
#[async_trait]
pub trait Refresher: Send + Sync {
    async fn refresh(&self, refresh: &Secret, now: Timestamp) -> Result<Tokens, RefreshError>;
    /// Takes a token back, and all that came with it; may be repeated.
    async fn revoke(&self, token: &Secret, now: Timestamp) -> Result<(), RefreshError>;
}

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Nothing works until the person signs in again.
    #[error("{0}")]
    SignInAgain(String),
    /// Another caller renews at this moment, or the login host can't be reached: later.
    #[error("{0}")]
    Later(String),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A person's token for a connection, if it works with one.
#[async_trait]
pub trait Grants: Send + Sync {
    /// `None`: the connection has no person's grant, and works with the service account. `refused`: a token given before that
    /// the platform no longer takes.
    async fn token(
        &self,
        lane: &LaneId,
        refresher: &dyn Refresher,
        refused: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Option<Secret>, GrantError>;

    /// The platform's id of the person whose grant a connection works with, if it works with one.
    async fn user_id(&self, lane: &LaneId) -> Result<Option<String>, GrantError>;

    /// Takes a connection's grant back at the platform, then forgets it. `false`: there is none. After an error it may be
    /// called again.
    async fn revoke(&self, lane: &LaneId, refresher: &dyn Refresher, now: Timestamp) -> Result<bool, GrantError>;
}
