//! Configuration from environment variables, as `template.yaml` sets them. A missing one stops the start with its name.
use std::str::FromStr;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("environment variable {0} is not set: template.yaml names it for this function")]
    Missing(&'static str),
    #[error("environment variable {name} is {value:?}, which is not {expected}")]
    Invalid { name: &'static str, value: String, expected: &'static str },
    #[error("the HTTPS client for AWS could not be made: {0}")]
    Tls(String),
}

pub fn text(name: &'static str) -> Result<String, ConfigError> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(ConfigError::Missing(name))
}

/// `true` or `false`; left out: false.
pub fn flag(name: &'static str) -> Result<bool, ConfigError> {
    match text(name).ok().as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(value) => Err(ConfigError::Invalid { name, value: value.to_owned(), expected: "true or false" }),
    }
}

pub fn number<T: FromStr>(name: &'static str, default: T) -> Result<T, ConfigError> {
    match text(name) {
        Err(_) => Ok(default),
        Ok(value) => value.parse().map_err(|_| ConfigError::Invalid { name, value, expected: "a number" }),
    }
}
