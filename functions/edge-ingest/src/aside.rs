//! Refused events are kept aside in S3: what they named, what was wrong and a hash, never a refused value. One object a request.
use async_trait::async_trait;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use domain::ids::{OrganizationId, SiteId};
use domain::message::Origin;
use domain::validate::FieldError;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::{Mutex, PoisonError};

/// The object: the refused events of one request.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    #[serde(skip)]
    pub key: String,
    pub organization_id: OrganizationId,
    pub site_id: SiteId,
    pub received_at: Timestamp,
    pub origin: Origin,
    pub events: Vec<Kept>,
}

/// What is kept of one refused event.
#[derive(Debug, Clone, Serialize)]
pub struct Kept {
    pub index: usize,
    pub id: Option<String>,
    pub errors: Vec<FieldError>,
    pub known: Map<String, Value>,
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
#[error("S3 did not keep the refused events: {0}")]
pub struct AsideError(pub String);

/// Keeps a record. The key is the same when an edge repeats its request on the same day, so that a repeat keeps nothing twice.
#[async_trait]
pub trait Aside: Send + Sync {
    async fn put(&self, record: &Record) -> Result<(), AsideError>;
}

pub struct S3Aside {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl S3Aside {
    pub fn new(client: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { client, bucket }
    }
}

fn json(record: &Record) -> Result<Vec<u8>, AsideError> {
    serde_json::to_vec(record).map_err(|error| AsideError(error.to_string()))
}

#[async_trait]
impl Aside for S3Aside {
    async fn put(&self, record: &Record) -> Result<(), AsideError> {
        let request = self.client.put_object().bucket(&self.bucket).key(&record.key);
        let request = request.content_type("application/json").body(ByteStream::from(json(record)?));
        request.send().await.map(drop).map_err(|error| AsideError(DisplayErrorContext(&error).to_string()))
    }
}

/// The twin: objects by key, in the order of their writing.
#[derive(Default)]
pub struct MemoryAside {
    objects: Mutex<Vec<(String, Vec<u8>)>>,
    down: std::sync::atomic::AtomicBool,
}

impl MemoryAside {
    pub fn objects(&self) -> Vec<(String, Vec<u8>)> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, std::sync::atomic::Ordering::Relaxed);
    }
}

#[async_trait]
impl Aside for MemoryAside {
    async fn put(&self, record: &Record) -> Result<(), AsideError> {
        if self.down.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(AsideError("down".into()));
        }
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.retain(|(key, _)| *key != record.key);
        objects.push((record.key.clone(), json(record)?));
        Ok(())
    }
}
