//! The way to the site queue for those who have news about a fact: lanes that read something back, and the API. The router, at
//! its other end, is the one writer of facts.
use crate::bell::fresh_token;
use async_trait::async_trait;
use aws_sdk_sqs::error::DisplayErrorContext;
use domain::message::UpdateMessage;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, thiserror::Error)]
#[error("the site queue did not take the message: {0}")]
pub struct OutboxError(pub String);

#[async_trait]
pub trait Outbox: Send + Sync {
    /// When it answers, the message is safe. The same message may be sent any number of times.
    async fn send(&self, message: &UpdateMessage) -> Result<(), OutboxError>;
}

/// The site queue: FIFO, message group = site.
#[derive(Debug, Clone)]
pub struct SqsOutbox {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl SqsOutbox {
    pub fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }
}

#[async_trait]
impl Outbox for SqsOutbox {
    async fn send(&self, message: &UpdateMessage) -> Result<(), OutboxError> {
        let body = serde_json::to_string(message).map_err(|error| OutboxError(error.to_string()))?;
        // Never de-duplicated away: whoever sends again has a reason, and the router knows what it has.
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(message.site_id.as_str())
            .message_deduplication_id(fresh_token())
            .message_body(body)
            .send()
            .await
            .map_err(|error| OutboxError(DisplayErrorContext(&error).to_string()))?;
        Ok(())
    }
}

/// The twin: keeps what was sent until someone takes it.
#[derive(Debug, Default)]
pub struct MemoryOutbox {
    sent: Mutex<Vec<UpdateMessage>>,
}

impl MemoryOutbox {
    /// Takes what was sent since the last call.
    pub fn take(&self) -> Vec<UpdateMessage> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn send(&self, message: &UpdateMessage) -> Result<(), OutboxError> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        Ok(())
    }
}
