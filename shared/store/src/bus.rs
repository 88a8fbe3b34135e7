//! Domain events of low volume (an incident confirmed, a connection blocked), for operators' and customers' own rules.
use async_trait::async_trait;
use aws_sdk_eventbridge::{error::DisplayErrorContext, types::PutEventsRequestEntry};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, thiserror::Error)]
#[error("the event bus did not take {detail_type}: {why}")]
pub struct BusError {
    pub detail_type: &'static str,
    pub why: String,
}

#[async_trait]
pub trait Bus: Send + Sync {
    async fn publish(&self, detail_type: &'static str, detail: Value) -> Result<(), BusError>;
}

/// Our EventBridge bus.
#[derive(Debug, Clone)]
pub struct EventBus {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

impl EventBus {
    pub fn new(client: aws_sdk_eventbridge::Client, name: String) -> Self {
        Self { client, name }
    }
}

#[async_trait]
impl Bus for EventBus {
    async fn publish(&self, detail_type: &'static str, detail: Value) -> Result<(), BusError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source("com.hardhatpulse.integrations")
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build();
        let refused = |why: String| BusError { detail_type, why };
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|e| refused(DisplayErrorContext(&e).to_string()))?;
        match answer.failed_entry_count {
            0 => Ok(()),
            _ => Err(refused(answer.entries().iter().filter_map(|e| e.error_message()).collect())),
        }
    }
}

/// The twin: remembers what was published.
#[derive(Debug, Default)]
pub struct MemoryBus {
    published: Mutex<Vec<(&'static str, Value)>>,
}

impl MemoryBus {
    pub fn published(&self) -> Vec<(&'static str, Value)> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what was published since the last call.
    pub fn take(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut *self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn publish(&self, detail_type: &'static str, detail: Value) -> Result<(), BusError> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).push((detail_type, detail));
        Ok(())
    }
}
