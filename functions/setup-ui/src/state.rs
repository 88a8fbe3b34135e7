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
use webhook::endpoints::Desk;
use webhook::{Guard, Names, Post};

/// The outside world.
#[derive(Clone)]
pub struct Services {
    pub origins: Origins,
    pub people: People,
    pub bell: Arc<dyn Bell>,
    pub platform: Platform,
    pub footage: Arc<dyn FootageLinks>,
    pub vault: Arc<dyn Vault>,
    /// Which addresses may be entered, and what sends a test event there.
    pub guard: Guard,
    pub names: Arc<dyn Names>,
    pub post: Arc<dyn Post>,
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

    pub(crate) fn guard(&self) -> &Guard {
        &self.services.guard
    }

    pub(crate) fn names(&self) -> &dyn Names {
        self.services.names.as_ref()
    }

    pub(crate) fn post(&self) -> &dyn Post {
        self.services.post.as_ref()
    }

    /// What people do with webhook endpoints, at this moment.
    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk { table: self.table(), bell: self.bell(), vault: self.vault(), now: self.now() }
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
