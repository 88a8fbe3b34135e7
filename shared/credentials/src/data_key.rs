//! Data keys: made and unwrapped by a master key that never leaves its keeper (KMS).
use crate::vault::{Context, VaultError, aes_open, aes_seal};
use async_trait::async_trait;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;

/// A key of AES-256.
pub type Key = [u8; 32];

/// Who makes data keys and unwraps them again.
#[async_trait]
pub trait DataKeys: Send + Sync {
    /// A new key, and the same wrapped by the master key for this context.
    async fn generate(&self, context: &Context) -> Result<(Key, Vec<u8>), VaultError>;
    async fn unwrap(&self, context: &Context, wrapped: &[u8]) -> Result<Key, VaultError>;
}

/// KMS, with our context as its encryption context, so that CloudTrail says what was opened.
pub struct KmsKeys {
    client: aws_sdk_kms::Client,
    key_id: String,
}

impl KmsKeys {
    pub fn new(client: aws_sdk_kms::Client, key_id: impl Into<String>) -> Self {
        Self { client, key_id: key_id.into() }
    }
}

#[async_trait]
impl DataKeys for KmsKeys {
    async fn generate(&self, context: &Context) -> Result<(Key, Vec<u8>), VaultError> {
        let answer = self
            .client
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(context.pairs().collect()))
            .send()
            .await
            .map_err(|error| unavailable("GenerateDataKey", error.into_service_error()))?;
        let wrapped = answer.ciphertext_blob.ok_or(VaultError::Damaged("KMS gave no wrapped key"))?;
        Ok((key(answer.plaintext)?, wrapped.into_inner()))
    }

    async fn unwrap(&self, context: &Context, wrapped: &[u8]) -> Result<Key, VaultError> {
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(Some(context.pairs().collect()))
            .send()
            .await
            .map_err(|error| match error.into_service_error() {
                refused if refused.is_invalid_ciphertext_exception() || refused.is_incorrect_key_exception() => {
                    VaultError::Refused
                }
                other => unavailable("Decrypt", other),
            })?;
        key(answer.plaintext)
    }
}

fn key(plaintext: Option<Blob>) -> Result<Key, VaultError> {
    let bytes = plaintext.map(Blob::into_inner).unwrap_or_default();
    Key::try_from(bytes).map_err(|_| VaultError::Damaged("KMS gave a key that is not 32 bytes long"))
}

fn unavailable(call: &'static str, error: impl std::error::Error) -> VaultError {
    VaultError::Unavailable { call, detail: error.to_string() }
}

/// The twin of [`KmsKeys`]: a master key of this process, with the same promises.
pub struct LocalKeys {
    master: Key,
    calls: std::sync::atomic::AtomicUsize,
}

impl LocalKeys {
    pub fn new(master: Key) -> Self {
        Self { master, calls: Default::default() }
    }

    /// How often a key was made or unwrapped: what KMS would have billed.
    pub fn calls(&self) -> usize {
        self.calls.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn count(&self) {
        self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[async_trait]
impl DataKeys for LocalKeys {
    async fn generate(&self, context: &Context) -> Result<(Key, Vec<u8>), VaultError> {
        self.count();
        let mut key = Key::default();
        getrandom::fill(&mut key).map_err(|_| VaultError::NoRandomness)?;
        let wrapped = aes_seal(&self.master, context, &key)?;
        Ok((key, wrapped))
    }

    async fn unwrap(&self, context: &Context, wrapped: &[u8]) -> Result<Key, VaultError> {
        self.count();
        let key = aes_open(&self.master, context, wrapped)?;
        Key::try_from(key).map_err(|_| VaultError::Damaged("the wrapped key is not 32 bytes long"))
    }
}
