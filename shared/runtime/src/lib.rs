//! What every `main.rs` needs: configuration from the environment, AWS clients on one HTTP stack, logs, metrics.
pub mod clients;
pub mod config;
pub mod logs;
pub mod metrics;
pub mod sqs;
