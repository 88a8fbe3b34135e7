//! The lanes' queues, one per provider, by the environment variables that name them.
use crate::config::{ConfigError, text};
use domain::ids::Provider;
use std::collections::BTreeMap;

fn variable(provider: Provider) -> &'static str {
    match provider {
        Provider::Procore => "PROCORE_QUEUE_URL",
        Provider::Acc => "ACC_QUEUE_URL",
        Provider::Webhook => "WEBHOOK_QUEUE_URL",
    }
}

/// Of these providers.
pub fn of(providers: &[Provider]) -> Result<BTreeMap<Provider, String>, ConfigError> {
    providers.iter().map(|provider| Ok((*provider, text(variable(*provider))?))).collect()
}

/// Of whoever rings any lane.
pub fn all() -> Result<BTreeMap<Provider, String>, ConfigError> {
    of(&Provider::ALL)
}
