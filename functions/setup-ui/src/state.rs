//! What every handler needs: the outside world behind traits, and a clock.
use crate::origin::Origins;
use crate::platform::Platform;
use axum::extract::FromRef;
use credentials::Vault;
use jiff::Timestamp;
use people::People;
use std::sync::Arc;
use store::Table;
use store::bell::Bell;
use store::directory::Directory;
use store::footage::FootageLinks;

/// The outside world.
#[derive(Clone)]
pub struct Services {
    pub origins: Origins,
    pub people: People,
    pub bell: Arc<dyn Bell>,
    pub platform: Platform,
    pub footage: Arc<dyn FootageLinks>,
    pub vault: Arc<dyn Vault>,
}

#[derive(Clone)]
pub struct AppState {
    services: Arc<Services>,
}

impl AppState {
    pub fn new(services: Services) -> Self {
        Self { services: Arc::new(services) }
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.services.origins
    }

    pub(crate) fn people(&self) -> &People {
        &self.services.people
    }

    pub(crate) fn table(&self) -> &dyn Table {
        self.services.people.table()
    }

    pub(crate) fn directory(&self) -> Directory<'_> {
        self.services.people.directory()
    }

    pub(crate) fn bell(&self) -> &dyn Bell {
        self.services.bell.as_ref()
    }

    pub(crate) fn footage(&self) -> &dyn FootageLinks {
        self.services.footage.as_ref()
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.services.platform
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        self.services.vault.as_ref()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.services.people.now()
    }
}

impl FromRef<AppState> for People {
    fn from_ref(state: &AppState) -> Self {
        state.services.people.clone()
    }
}
