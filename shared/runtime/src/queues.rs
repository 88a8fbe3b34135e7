//! The lanes' queues, one per provider, by the environment variables that name them.
use crate::config::{self, ConfigError};
use domain::ids::Provider;
use std::collections::BTreeMap;

pub type Queues = BTreeMap<Provider, String>;

pub fn procore() -> Result<Queues, ConfigError> {
    Ok(Queues::from([(Provider::Procore, config::text("PROCORE_QUEUE_URL")?)]))
}

pub fn acc() -> Result<Queues, ConfigError> {
    Ok(Queues::from([(Provider::Acc, config::text("ACC_QUEUE_URL")?)]))
}

pub fn webhook() -> Result<Queues, ConfigError> {
    Ok(Queues::from([(Provider::Webhook, config::text("WEBHOOK_QUEUE_URL")?)]))
}

/// Of whoever rings any lane.
pub fn all() -> Result<Queues, ConfigError> {
    Ok(procore()?.into_iter().chain(acc()?).chain(webhook()?).collect())
}
