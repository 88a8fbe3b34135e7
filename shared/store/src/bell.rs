//! Rings: a message that names a lane, no more. Never de-duplicated away (a body of its own): a lost ring is a stuck lane, a
//! spare one costs one query.
use crate::lanes::LaneId;
use async_trait::async_trait;
use aws_sdk_sqs::error::DisplayErrorContext;
use domain::ids::Provider;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, thiserror::Error)]
pub enum BellError {
    #[error("no queue is configured for {0}")]
    NoQueue(&'static str),
    #[error("the queue did not take the ring: {0}")]
    Unavailable(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ring {
    pub lane: LaneId,
    /// Makes each body its own.
    pub nonce: String,
}

#[async_trait]
pub trait Bell: Send + Sync {
    async fn ring(&self, lane: &LaneId) -> Result<(), BellError>;
}

/// A number that no other message of ours carries.
pub fn fresh_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}{:016x}", RandomState::new().hash_one(0u8), RandomState::new().hash_one(1u8))
}

/// One SQS FIFO queue per provider; message group = connection.
#[derive(Debug, Clone)]
pub struct SqsBell {
    client: aws_sdk_sqs::Client,
    queues: BTreeMap<Provider, String>,
}

impl SqsBell {
    pub fn new(client: aws_sdk_sqs::Client, queues: BTreeMap<Provider, String>) -> Self {
        Self { client, queues }
    }
}

#[async_trait]
impl Bell for SqsBell {
    async fn ring(&self, lane: &LaneId) -> Result<(), BellError> {
        let queue = self.queues.get(&lane.provider).ok_or(BellError::NoQueue(lane.provider.as_str()))?;
        let ring = Ring { lane: lane.clone(), nonce: fresh_token() };
        let body = serde_json::to_string(&ring).map_err(|e| BellError::Unavailable(e.to_string()))?;
        self.client
            .send_message()
            .queue_url(queue)
            .message_group_id(lane.connection_id.as_str())
            .message_deduplication_id(&ring.nonce)
            .message_body(body)
            .send()
            .await
            .map_err(|e| BellError::Unavailable(DisplayErrorContext(&e).to_string()))?;
        Ok(())
    }
}

/// The twin: remembers who was rung.
#[derive(Debug, Default)]
pub struct MemoryBell {
    rung: Mutex<Vec<LaneId>>,
}

impl MemoryBell {
    /// Takes what was rung since the last call.
    pub fn take(&self) -> Vec<LaneId> {
        std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Bell for MemoryBell {
    async fn ring(&self, lane: &LaneId) -> Result<(), BellError> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner).push(lane.clone());
        Ok(())
    }
}
