//! Secrets that an operator or xtask writes to SSM as SecureStrings, read with a cache.
use crate::Secret;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    #[error("SSM parameter {0} does not exist: it is written at deployment (docs: operations)")]
    Missing(String),
    #[error("SSM did not give parameter {name}: {detail}")]
    Unavailable { name: String, detail: String },
}

/// Why there are no credentials to ask with.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("{0}")]
    Missing(String),
    /// They are there, and are none.
    #[error("{0}")]
    Unusable(String),
    #[error("{0}")]
    Unavailable(String),
}

impl From<ParameterError> for CredentialError {
    fn from(error: ParameterError) -> Self {
        match &error {
            ParameterError::Missing(_) => Self::Missing(error.to_string()),
            ParameterError::Unavailable { .. } => Self::Unavailable(error.to_string()),
        }
    }
}

/// Reads parameters by name, such as `/<stack>/procore/client-id`.
#[async_trait]
pub trait Parameters: Send + Sync {
    async fn get(&self, name: &str) -> Result<Secret, ParameterError>;
}

/// Where parameters are kept: one call each time.
#[async_trait]
pub trait ParameterSource: Send + Sync {
    async fn fetch(&self, name: &str) -> Result<Secret, ParameterError>;
}

/// Keeps what was read for `ttl`, so that a rotated parameter is seen without a deployment. A failure is not kept; while SSM is
/// down, the last value goes on serving.
pub struct CachedParameters<S> {
    source: S,
    ttl: Duration,
    known: Mutex<HashMap<String, (Secret, Instant)>>,
}

pub type SsmParameters = CachedParameters<aws_sdk_ssm::Client>;

impl<S: ParameterSource> CachedParameters<S> {
    pub const TTL: Duration = Duration::from_secs(300);

    pub fn new(source: S) -> Self {
        Self::with_ttl(source, Self::TTL)
    }

    pub fn with_ttl(source: S, ttl: Duration) -> Self {
        Self { source, ttl, known: Mutex::default() }
    }

    fn known<T>(&self, look: impl FnOnce(&mut HashMap<String, (Secret, Instant)>) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<S: ParameterSource> Parameters for CachedParameters<S> {
    async fn get(&self, name: &str) -> Result<Secret, ParameterError> {
        let known = self.known(|known| known.get(name).cloned());
        if let Some((value, at)) = &known
            && at.elapsed() < self.ttl
        {
            return Ok(value.clone());
        }
        match (self.source.fetch(name).await, known) {
            (Ok(value), _) => {
                self.known(|known| known.insert(name.to_owned(), (value.clone(), Instant::now())));
                Ok(value)
            }
            (Err(ParameterError::Unavailable { .. }), Some((value, _))) => Ok(value),
            (Err(error), _) => Err(error),
        }
    }
}

#[async_trait]
impl ParameterSource for aws_sdk_ssm::Client {
    async fn fetch(&self, name: &str) -> Result<Secret, ParameterError> {
        let answer = self.get_parameter().name(name).with_decryption(true).send().await;
        let answer = answer.map_err(|error| match error.into_service_error() {
            missing if missing.is_parameter_not_found() => ParameterError::Missing(name.to_owned()),
            other => ParameterError::Unavailable { name: name.to_owned(), detail: other.to_string() },
        })?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.map(Secret::new).ok_or_else(|| ParameterError::Missing(name.to_owned()))
    }
}

/// The twin: parameters that a test sets.
#[derive(Default)]
pub struct MemoryParameters(Mutex<HashMap<String, Secret>>);

impl MemoryParameters {
    pub fn of<const N: usize>(values: [(&str, &str); N]) -> Self {
        Self(Mutex::new(values.map(|(name, value)| (name.to_owned(), Secret::new(value))).into()))
    }

    pub fn set(&self, name: &str, value: &str) {
        self.values(|values| values.insert(name.to_owned(), Secret::new(value)));
    }

    fn values<T>(&self, look: impl FnOnce(&mut HashMap<String, Secret>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl ParameterSource for MemoryParameters {
    async fn fetch(&self, name: &str) -> Result<Secret, ParameterError> {
        self.values(|values| values.get(name).cloned()).ok_or_else(|| ParameterError::Missing(name.to_owned()))
    }
}

#[async_trait]
impl Parameters for MemoryParameters {
    async fn get(&self, name: &str) -> Result<Secret, ParameterError> {
        self.fetch(name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// A source that counts, and can be down.
    #[derive(Default)]
    struct Counting {
        values: MemoryParameters,
        calls: AtomicUsize,
        down: AtomicBool,
    }

    #[async_trait]
    impl ParameterSource for Counting {
        async fn fetch(&self, name: &str) -> Result<Secret, ParameterError> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            match self.down.load(Ordering::Relaxed) {
                true => Err(ParameterError::Unavailable { name: name.to_owned(), detail: "down".into() }),
                false => self.values.fetch(name).await,
            }
        }
    }

    #[tokio::test]
    async fn a_value_is_read_once_and_a_failure_is_not_kept() {
        let parameters = CachedParameters::new(Counting::default());
        assert!(matches!(parameters.get("/a").await, Err(ParameterError::Missing(name)) if name == "/a"));
        parameters.source.values.set("/a", "1");
        for _ in 0..3 {
            assert_eq!(parameters.get("/a").await.unwrap().expose(), "1");
        }
        assert_eq!(parameters.source.calls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_rotated_value_is_seen_and_an_outage_is_bridged() {
        let parameters = CachedParameters::with_ttl(Counting::default(), Duration::ZERO);
        parameters.source.values.set("/a", "1");
        assert_eq!(parameters.get("/a").await.unwrap().expose(), "1");
        parameters.source.values.set("/a", "2");
        assert_eq!(parameters.get("/a").await.unwrap().expose(), "2");
        parameters.source.down.store(true, Ordering::Relaxed);
        assert_eq!(parameters.get("/a").await.unwrap().expose(), "2");
        assert!(parameters.get("/b").await.is_err());
    }
}
