//! Links to footage in the bucket: good for minutes, for one object, for reading only.
use async_trait::async_trait;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::presigning::PresigningConfig;
use jiff::{SignedDuration, Timestamp};

/// A link is good for so long.
pub const LINK_LIFE: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, thiserror::Error)]
#[error("a link to footage could not be made: {0}")]
pub struct FootageError(String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FootageLink {
    pub url: String,
    pub expires_at: Timestamp,
}

/// Makes a link to an object of the bucket. Whether the key may be read is asked before ([`domain::footage::is_own`]).
#[async_trait]
pub trait FootageLinks: Send + Sync {
    async fn link(&self, key: &str, now: Timestamp) -> Result<FootageLink, FootageError>;
}

/// Signs with the function's own credentials: no call is made.
pub struct S3Footage {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl S3Footage {
    pub fn new(client: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { client, bucket }
    }
}

#[async_trait]
impl FootageLinks for S3Footage {
    async fn link(&self, key: &str, now: Timestamp) -> Result<FootageLink, FootageError> {
        let config =
            PresigningConfig::expires_in(LINK_LIFE.unsigned_abs()).map_err(|error| FootageError(error.to_string()))?;
        let signed = self.client.get_object().bucket(&self.bucket).key(key).presigned(config).await;
        let signed = signed.map_err(|error| FootageError(DisplayErrorContext(&error).to_string()))?;
        Ok(FootageLink { url: signed.uri().to_owned(), expires_at: now + LINK_LIFE })
    }
}

/// The twin: an address that says what was asked for.
#[derive(Debug, Default)]
pub struct MemoryFootage;

#[async_trait]
impl FootageLinks for MemoryFootage {
    async fn link(&self, key: &str, now: Timestamp) -> Result<FootageLink, FootageError> {
        Ok(FootageLink { url: format!("https://bucket.example.com/{key}?signed"), expires_at: now + LINK_LIFE })
    }
}
