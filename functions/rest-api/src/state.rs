//! What every handler needs: the outside world behind traits, and a clock.
use crate::problem::Problem;
use crate::rate_limit::Windows;
use credentials::{CredentialError, Parameters, Vault};
use domain::autodesk::Region;
use grants::shared_email;
use jiff::Timestamp;
use people::{People, PublicUrl};
use std::sync::Arc;
use store::Table;
use store::bell::Bell;
use store::directory::Directory;
use store::footage::FootageLinks;
use store::outbox::Outbox;
use ulid::Ulid;
use webhook::endpoints::Desk;
use webhook::{Guard, Names, Post};

pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The outside world.
#[derive(Clone)]
pub struct Services {
    pub table: Arc<dyn Table>,
    pub bell: Arc<dyn Bell>,
    pub outbox: Arc<dyn Outbox>,
    pub vault: Arc<dyn Vault>,
    pub parameters: Arc<dyn Parameters>,
    pub footage: Arc<dyn FootageLinks>,
    /// Which addresses a customer may enter, how names are looked up for that, and how a test goes there.
    pub guard: Guard,
    pub names: Arc<dyn Names>,
    pub post: Arc<dyn Post>,
    pub clock: Clock,
    /// The stack's name: parameters are named under it.
    pub stack: String,
    /// The base of links to our own pages.
    pub public_url: PublicUrl,
}

#[derive(Clone)]
pub struct AppState {
    services: Services,
    pub(crate) windows: Arc<Windows>,
}

impl AppState {
    pub fn new(services: Services) -> Self {
        Self { services, windows: Arc::default() }
    }

    pub(crate) fn table(&self) -> &dyn Table {
        self.services.table.as_ref()
    }

    pub(crate) fn directory(&self) -> Directory<'_> {
        Directory(self.table())
    }

    pub(crate) fn bell(&self) -> &dyn Bell {
        self.services.bell.as_ref()
    }

    pub(crate) fn outbox(&self) -> &dyn Outbox {
        self.services.outbox.as_ref()
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        self.services.vault.as_ref()
    }

    /// Whom an Autodesk account's admin invites.
    pub(crate) async fn service_account_email(&self, region: Region) -> Result<String, CredentialError> {
        shared_email(self.parameters(), &self.services.stack, region).await
    }

    pub(crate) fn parameters(&self) -> &dyn Parameters {
        self.services.parameters.as_ref()
    }

    pub(crate) fn footage(&self) -> &dyn FootageLinks {
        self.services.footage.as_ref()
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.services.guard
    }

    pub(crate) fn names(&self) -> &dyn Names {
        self.services.names.as_ref()
    }

    pub(crate) fn post(&self) -> &dyn Post {
        self.services.post.as_ref()
    }

    /// Where webhook endpoints are made and changed.
    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk { table: self.table(), bell: self.bell(), vault: self.vault(), now: self.now() }
    }

    pub(crate) fn public_url(&self) -> &str {
        self.services.public_url.as_str()
    }

    pub(crate) fn people(&self) -> People {
        let Services { table, clock, public_url, .. } = &self.services;
        People::new(table.clone(), clock.clone(), public_url.clone())
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.services.clock)()
    }

    pub(crate) fn operator_key_parameter(&self) -> String {
        format!("/{stack}/operator-key-sha256", stack = self.services.stack)
    }

    /// A new id that sorts by the time it was made.
    pub(crate) fn fresh_id(&self) -> Result<Ulid, Problem> {
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|error| Problem::internal("random bytes", &error))?;
        Ok(Ulid::from_parts(self.now().as_millisecond().max(0).unsigned_abs(), u128::from_le_bytes(random)))
    }
}

/// 32 random bytes for a new secret.
pub(crate) fn random_bytes() -> Result<[u8; 32], Problem> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal("random bytes", &error))?;
    Ok(bytes)
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256_hex(parts: &[&[u8]]) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for part in parts {
        // Each part's length goes before it, so that no two lists of parts read the same; one part alone is hashed as it is.
        if parts.len() > 1 {
            digest.update((part.len() as u64).to_be_bytes());
        }
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
