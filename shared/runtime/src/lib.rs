//! What every `main.rs` needs: configuration from the environment, AWS clients on one HTTP stack, the lanes' queues, logs, metrics.
pub mod clients;
pub mod config;
pub mod logs;
pub mod metrics;
pub mod queues;
pub mod sqs;
