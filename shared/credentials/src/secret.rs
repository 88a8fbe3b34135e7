//! Text that must not be shown.
use sha2::{Digest, Sha256};

/// A secret. `Debug` hides it and there is no `Display`: to use it is to say [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The operator key as SSM keeps it (`/<stack>/operator-key-sha256`): the SHA-256 of the whole key in lower-case hex. The key
/// is 128 random bits or more, so a slow hash would add nothing.
pub fn operator_key_hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        let secret = Secret::new("whsec_c2VjcmV0");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(..) Some(Secret(..))");
    }

    #[test]
    fn the_operator_key_hash_is_hex_sha_256() {
        assert_eq!(operator_key_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
