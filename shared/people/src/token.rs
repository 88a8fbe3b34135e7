//! Random texts that let somebody in. 256 bits each; we keep only their SHA-256, so that a copy of the table opens nothing.
use crate::PeopleError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// A new random text, fit for a cookie or an address.
pub fn fresh() -> Result<String, PeopleError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| PeopleError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new id that sorts by time. It lets nobody in.
pub fn fresh_ulid(now: Timestamp) -> Result<Ulid, PeopleError> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|_| PeopleError::NoRandomness)?;
    Ok(Ulid::from_parts(now.as_millisecond().max(0).unsigned_abs(), u128::from_le_bytes(random)))
}

/// The id of what a text says, the same each time: so that a form that is sent twice makes one thing, and nobody's form another's.
pub fn ulid_of(text: &str, milliseconds: u64) -> Ulid {
    let mut random = [0u8; 16];
    random[..10].copy_from_slice(&Sha256::digest(text.as_bytes())[..10]);
    Ulid::from_parts(milliseconds, u128::from_le_bytes(random))
}

/// The form in which it is kept and looked up.
pub fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text can be one of ours at all; spares the table nonsense.
pub fn plausible(token: &str) -> bool {
    token.len() == 43 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Equal, told in constant time.
pub fn same(a: &str, b: &str) -> bool {
    use subtle::ConstantTimeEq;
    bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_new_and_plausible() {
        let (a, b) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(a, b);
        assert!(plausible(&a) && !plausible("") && !plausible(&format!("{a}=")));
        assert!(same(&a, &a) && !same(&a, &b));
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
