//! What every handler needs.
use crate::routes::{AUTODESK_CALLBACK, CALLBACK};
use acc::Acc;
use axum::extract::FromRef;
use credentials::Vault;
use grants::TableGrants;
use jiff::Timestamp;
use people::People;
use procore::Procore;
use procore::lists::Lists;
use std::sync::Arc;
use store::bell::Bell;
use store::directory::Directory;
use sync::visit::PageMeter;

pub struct Services {
    pub people: People,
    pub vault: Arc<dyn Vault>,
    pub procore: Procore,
    pub acc: Acc,
    pub grants: TableGrants,
    pub bell: Arc<dyn Bell>,
}

#[derive(Clone)]
pub struct AppState(Arc<Services>);

impl AppState {
    pub fn new(services: Services) -> Self {
        Self(Arc::new(services))
    }

    pub(crate) fn people(&self) -> &People {
        &self.0.people
    }

    pub(crate) fn directory(&self) -> Directory<'_> {
        self.0.people.directory()
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        self.0.vault.as_ref()
    }

    pub(crate) fn grants(&self) -> &TableGrants {
        &self.0.grants
    }

    pub(crate) fn bell(&self) -> &dyn Bell {
        self.0.bell.as_ref()
    }

    pub(crate) fn procore(&self) -> &Procore {
        &self.0.procore
    }

    pub(crate) fn acc(&self) -> &Acc {
        &self.0.acc
    }

    pub(crate) fn lists<'a>(&'a self, meter: &'a PageMeter<'a>) -> Lists<'a> {
        Lists { procore: self.procore(), meter }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.people.now()
    }

    /// As it is registered with Procore, to the letter.
    pub(crate) fn redirect_uri(&self) -> String {
        self.0.people.url().at(CALLBACK)
    }

    /// The same with Autodesk.
    pub(crate) fn autodesk_redirect_uri(&self) -> String {
        self.0.people.url().at(AUTODESK_CALLBACK)
    }
}

impl FromRef<AppState> for People {
    fn from_ref(state: &AppState) -> Self {
        state.0.people.clone()
    }
}
