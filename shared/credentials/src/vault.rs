//! Envelope encryption: a secret is sealed with a data key under AES-256-GCM, the data key with the master key; both bind the
//! context. Our own AEAD authenticates the context too, so a sealed text copied to another tenant's item never opens, whatever
//! the key service checks. Data keys stay in this process for a while: a warm function makes no call.
use crate::Secret;
use crate::data_key::{DataKeys, Key, KmsKeys, LocalKeys};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a data key is kept; a right that was withdrawn at KMS ends for a warm function after this.
const KEY_KEPT: Duration = Duration::from_secs(3600);
const KEYS_KEPT: usize = 512;
const NONCE: usize = 12;
const VERSION: &str = "v1";

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the sealed text does not open in this context")]
    Refused,
    #[error("the sealed text is damaged: {0}")]
    Damaged(&'static str),
    #[error("the key service did not answer {call}: {detail}")]
    Unavailable { call: &'static str, detail: String },
    #[error("the system gave no random bytes")]
    NoRandomness,
}

/// What a secret belongs to: organization, purpose and so on. It opens only where the same is said again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context(BTreeMap<String, String>);

impl Context {
    /// A secret of an organization, for one purpose (such as `edge-secret`).
    pub fn new(organization_id: impl ToString, purpose: &str) -> Self {
        Self(BTreeMap::new()).with("organization_id", organization_id).with("purpose", purpose)
    }

    /// One more thing that the secret belongs to, such as `edge_id`.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Bytes that no other context has: sorted, each part with its length before it.
    fn bytes(&self) -> Vec<u8> {
        let parts = self.0.iter().flat_map(|(name, value)| [name, value]);
        parts.flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes())).collect()
    }
}

/// Seals secrets, so that they may stand in the table, and opens them.
#[async_trait]
pub trait Vault: Send + Sync {
    async fn seal(&self, context: &Context, plaintext: &Secret) -> Result<String, VaultError>;
    async fn open(&self, context: &Context, sealed: &str) -> Result<Secret, VaultError>;
}

/// The vault over any maker of data keys. Sealed text: `v1.<wrapped key>.<nonce and ciphertext>`, in base64url.
pub struct Envelope<K> {
    keys: K,
    known: Mutex<KnownKeys>,
}

pub type KmsVault = Envelope<KmsKeys>;
pub type MemoryVault = Envelope<LocalKeys>;

#[derive(Default)]
struct KnownKeys {
    /// The key that seals for a context.
    sealing: HashMap<Context, (Key, Vec<u8>, Instant)>,
    /// Keys that were unwrapped, by context and wrapped form.
    opening: HashMap<(Context, Vec<u8>), (Key, Instant)>,
}

impl KmsVault {
    pub fn kms(client: aws_sdk_kms::Client, key_id: impl Into<String>) -> Self {
        Self::over(KmsKeys::new(client, key_id))
    }
}

impl MemoryVault {
    pub fn local(master: Key) -> Self {
        Self::over(LocalKeys::new(master))
    }
}

impl Default for MemoryVault {
    fn default() -> Self {
        Self::local([7; 32])
    }
}

impl<K: DataKeys> Envelope<K> {
    pub fn over(keys: K) -> Self {
        Self { keys, known: Mutex::default() }
    }

    pub fn keys(&self) -> &K {
        &self.keys
    }

    fn known<T>(&self, look: impl FnOnce(&mut KnownKeys) -> T) -> T {
        // What is kept are whole entries only: a panic elsewhere leaves none half written.
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn sealing_key(&self, context: &Context) -> Result<(Key, Vec<u8>), VaultError> {
        let known = self.known(|known| known.sealing.get(context).filter(|(.., at)| fresh(*at)).cloned());
        if let Some((key, wrapped, _)) = known {
            return Ok((key, wrapped));
        }
        let (key, wrapped) = self.keys.generate(context).await?;
        self.known(|known| {
            make_room(&mut known.sealing);
            known.sealing.insert(context.clone(), (key, wrapped.clone(), Instant::now()));
            make_room(&mut known.opening);
            known.opening.insert((context.clone(), wrapped.clone()), (key, Instant::now()));
        });
        Ok((key, wrapped))
    }

    async fn opening_key(&self, context: &Context, wrapped: Vec<u8>) -> Result<Key, VaultError> {
        let name = (context.clone(), wrapped);
        if let Some((key, _)) = self.known(|known| known.opening.get(&name).filter(|(_, at)| fresh(*at)).copied()) {
            return Ok(key);
        }
        let key = self.keys.unwrap(context, &name.1).await?;
        self.known(|known| {
            make_room(&mut known.opening);
            known.opening.insert(name, (key, Instant::now()));
        });
        Ok(key)
    }
}

fn fresh(at: Instant) -> bool {
    at.elapsed() < KEY_KEPT
}

/// Forgets everything when full: a vault that serves so many contexts asks again for those it still needs.
fn make_room<N, V>(map: &mut HashMap<N, V>) {
    if map.len() >= KEYS_KEPT {
        map.clear();
    }
}

#[async_trait]
impl<K: DataKeys> Vault for Envelope<K> {
    async fn seal(&self, context: &Context, plaintext: &Secret) -> Result<String, VaultError> {
        let (key, wrapped) = self.sealing_key(context).await?;
        let body = aes_seal(&key, context, plaintext.expose().as_bytes())?;
        Ok(format!("{VERSION}.{}.{}", URL_SAFE_NO_PAD.encode(wrapped), URL_SAFE_NO_PAD.encode(body)))
    }

    async fn open(&self, context: &Context, sealed: &str) -> Result<Secret, VaultError> {
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(wrapped), Some(body), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VaultError::Damaged("it does not have the form v1.key.body"));
        };
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| VaultError::Damaged("it is not base64url"));
        let (wrapped, body) = (decode(wrapped)?, decode(body)?);
        let key = self.opening_key(context, wrapped).await?;
        let text = aes_open(&key, context, &body)?;
        String::from_utf8(text).map(Secret::new).map_err(|_| VaultError::Damaged("it is not text"))
    }
}

/// Nonce and ciphertext with its tag. The nonce is random: 96 bits are enough for the few seals that one data key lives for.
pub(crate) fn aes_seal(key: &Key, context: &Context, plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
    let payload = Payload { msg: plaintext, aad: &context.bytes() };
    let body = Aes256Gcm::new(key.into())
        .encrypt(&nonce.into(), payload)
        .map_err(|_| VaultError::Damaged("the plaintext is too long"))?;
    Ok([nonce.as_slice(), &body].concat())
}

pub(crate) fn aes_open(key: &Key, context: &Context, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(VaultError::Damaged("it is too short"))?;
    let payload = Payload { msg: body, aad: &context.bytes() };
    Aes256Gcm::new(key.into()).decrypt(&(*nonce).into(), payload).map_err(|_| VaultError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(organization: &str) -> Context {
        Context::new(organization, "edge-secret").with("edge_id", "edge_1")
    }

    /// What every vault must do; a vault on KMS passes the same.
    async fn keeps_its_promises(vault: &dyn Vault) {
        let (ours, theirs) = (context("org_1"), context("org_2"));
        let secret = Secret::new("whsec_c2VjcmV0");
        let sealed = vault.seal(&ours, &secret).await.unwrap();
        assert!(!sealed.contains("c2VjcmV0"));
        assert_eq!(vault.open(&ours, &sealed).await.unwrap(), secret);
        assert!(matches!(vault.open(&theirs, &sealed).await, Err(VaultError::Refused)));
        assert_ne!(vault.seal(&ours, &secret).await.unwrap(), sealed, "two seals of one secret must not be told apart");
    }

    #[tokio::test]
    async fn the_memory_vault_keeps_its_promises() {
        keeps_its_promises(&MemoryVault::default()).await;
    }

    /// Keys that any context unwraps, as a key service does that ignores the encryption context.
    struct CarelessKeys;

    #[async_trait]
    impl DataKeys for CarelessKeys {
        async fn generate(&self, _: &Context) -> Result<(Key, Vec<u8>), VaultError> {
            Ok(([9; 32], vec![1]))
        }
        async fn unwrap(&self, _: &Context, _: &[u8]) -> Result<Key, VaultError> {
            Ok([9; 32])
        }
    }

    #[tokio::test]
    async fn the_context_binds_even_where_the_key_service_ignores_it() {
        keeps_its_promises(&Envelope::over(CarelessKeys)).await;
    }

    #[tokio::test]
    async fn each_changed_character_is_noticed() {
        let vault = MemoryVault::default();
        let sealed = vault.seal(&context("org_1"), &Secret::new("s")).await.unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(vault.open(&context("org_1"), &changed).await.is_err(), "character {at}");
        }
        for text in ["", "v1", "v1..", "v2.a.b", "v1.a.b.c", "v1.!.!"] {
            assert!(vault.open(&context("org_1"), text).await.is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_warm_vault_asks_for_no_key() {
        let writer = MemoryVault::default();
        let sealed = writer.seal(&context("org_1"), &Secret::new("one")).await.unwrap();
        let again = writer.seal(&context("org_1"), &Secret::new("two")).await.unwrap();
        writer.open(&context("org_1"), &sealed).await.unwrap();
        assert_eq!(writer.keys().calls(), 1);
        let reader = MemoryVault::default();
        for text in [&sealed, &again, &sealed] {
            reader.open(&context("org_1"), text).await.unwrap();
        }
        assert_eq!(reader.keys().calls(), 1);
    }

    #[test]
    fn contexts_with_the_same_letters_differ() {
        let (a, b) = (Context::new("o", "p").with("ab", "c"), Context::new("o", "p").with("a", "bc"));
        assert_ne!(a.bytes(), b.bytes());
    }
}
