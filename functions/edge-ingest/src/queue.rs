//! The site queue: FIFO, one group per site.
use crate::pack::Packed;
use async_trait::async_trait;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use std::sync::{Mutex, PoisonError};

/// What SQS takes in one request. Ten messages of 60 KB are well within its size limit of 1 MiB.
const BATCH: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub group: String,
    pub deduplication_id: String,
    pub body: String,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the site queue did not take the messages: {0}")]
    Unavailable(String),
    #[error("the site queue took only some of the messages; {refused} were refused, the first with {code}")]
    Partly { refused: usize, code: String },
    #[error("a message can't be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// Sends at most ten messages in one request. All or an error: what was sent is dropped as a duplicate when sent again.
#[async_trait]
pub trait SiteQueue: Send + Sync {
    async fn send(&self, entries: &[Entry]) -> Result<(), QueueError>;
}

/// In order, and one request after the other: a part must not overtake an earlier one.
pub async fn send_all(queue: &dyn SiteQueue, messages: &[Packed]) -> Result<(), QueueError> {
    let entries: Vec<Entry> = messages.iter().map(entry).collect::<Result<_, _>>()?;
    for batch in entries.chunks(BATCH) {
        queue.send(batch).await?;
    }
    Ok(())
}

fn entry(message: &Packed) -> Result<Entry, QueueError> {
    let body = serde_json::to_string(message)?;
    Ok(Entry { group: message.site_id.to_string(), deduplication_id: message.id(), body })
}

pub struct SqsSiteQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl SqsSiteQueue {
    pub fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }
}

#[async_trait]
impl SiteQueue for SqsSiteQueue {
    async fn send(&self, entries: &[Entry]) -> Result<(), QueueError> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (at, entry) in entries.iter().enumerate() {
            let built = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_group_id(&entry.group)
                .message_deduplication_id(&entry.deduplication_id)
                .message_body(&entry.body)
                .build();
            request = request.entries(built.map_err(|error| QueueError::Unavailable(error.to_string()))?);
        }
        let sent = request.send().await;
        let sent = sent.map_err(|error| QueueError::Unavailable(DisplayErrorContext(&error).to_string()))?;
        match sent.failed() {
            [] => Ok(()),
            failed => Err(QueueError::Partly { refused: failed.len(), code: failed[0].code().to_owned() }),
        }
    }
}

/// The twin: keeps each request, drops duplicates as a FIFO queue does, and can fail after some messages of a request.
#[derive(Default)]
pub struct MemoryQueue {
    state: Mutex<MemoryState>,
}

#[derive(Default)]
struct MemoryState {
    requests: usize,
    messages: Vec<Entry>,
    /// How many more messages are taken before all are refused.
    room: Option<usize>,
}

impl MemoryQueue {
    fn state<T>(&self, look: impl FnOnce(&mut MemoryState) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn requests(&self) -> usize {
        self.state(|state| state.requests)
    }

    pub fn messages(&self) -> Vec<Entry> {
        self.state(|state| state.messages.clone())
    }

    pub fn set_room(&self, room: Option<usize>) {
        self.state(|state| state.room = room);
    }
}

#[async_trait]
impl SiteQueue for MemoryQueue {
    async fn send(&self, entries: &[Entry]) -> Result<(), QueueError> {
        self.state(|state| {
            state.requests += 1;
            let size: usize = entries.iter().map(|entry| entry.body.len()).sum();
            if entries.is_empty() || entries.len() > BATCH || size > 1 << 20 {
                return Err(QueueError::Unavailable("the request is beyond what SQS takes".into()));
            }
            let taken = state.room.unwrap_or(usize::MAX).min(entries.len());
            state.room = state.room.map(|room| room - taken);
            for entry in &entries[..taken] {
                if !state.messages.iter().any(|known| known.deduplication_id == entry.deduplication_id) {
                    state.messages.push(entry.clone());
                }
            }
            match entries.len() - taken {
                0 => Ok(()),
                refused => Err(QueueError::Partly { refused, code: "InternalError".into() }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::config::{BehaviorVersion, Region};

    #[tokio::test]
    async fn why_the_queue_took_nothing_is_told_to_its_cause() {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .build();
        let queue = SqsSiteQueue::new(aws_sdk_sqs::Client::from_conf(config), "http://127.0.0.1:9/site.fifo".into());
        let entry = Entry { group: "site".into(), deduplication_id: "1".into(), body: "{}".into() };
        let error = queue.send(&[entry]).await.expect_err("this client has no credentials").to_string();
        assert!(error.contains("credentials"), "{error}");
    }
}
