//! Standard Webhooks signing (<https://www.standardwebhooks.com>): HMAC-SHA256 over `id.timestamp.body`. Used on what edges
//! send us and on what we send out. Pure: the caller says what time it is.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far a sender's clock may be from ours, in seconds.
pub const TOLERANCE_SECONDS: i64 = 300;
const SECRET_PREFIX: &str = "whsec_";
const ID_MAX: usize = 256;
/// Two secrets while one rotates; more room for senders that sign with several versions.
const SIGNATURES_MAX: usize = 16;

/// A signing key. Its `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a signing secret is `whsec_` and the base64 of 16 to 64 bytes")]
pub struct InvalidSecret;

impl SigningKey {
    /// Reads `whsec_…`.
    pub fn parse(secret: &str) -> Result<Self, InvalidSecret> {
        let encoded = secret.strip_prefix(SECRET_PREFIX).ok_or(InvalidSecret)?;
        Self::of_bytes(&STANDARD.decode(encoded).map_err(|_| InvalidSecret)?)
    }

    /// A key of random bytes that the caller made.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        match (16..=64).contains(&bytes.len()) {
            true => Ok(Self(bytes.to_vec())),
            false => Err(InvalidSecret),
        }
    }

    /// The `whsec_…` to hand out, once.
    pub fn secret(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length, so this never fails; a zero MAC would match no signature anyway.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp}.").as_bytes());
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

/// The value of `webhook-signature` for one key; join several with a space while a secret rotates.
pub fn sign(key: &SigningKey, id: &str, timestamp: i64, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(key.mac(id, timestamp, body)))
}

/// The three headers, as far as the request has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    pub id: Option<&'a str>,
    pub timestamp: Option<&'a str>,
    pub signature: Option<&'a str>,
}

/// What a good signature tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub id: String,
    pub timestamp: i64,
    /// The one signature that matched, as sent.
    pub signature: String,
}

/// Why a signature is not taken. For logs: senders get one answer for all of these.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    #[error("header webhook-id is missing, or is not 1 to 256 visible ASCII characters")]
    Id,
    #[error("header webhook-timestamp is missing, or is not a whole number of seconds since 1970")]
    Timestamp,
    #[error("header webhook-signature is missing, or holds no signature of the form v1,<base64>")]
    Signature,
    #[error("the timestamp is more than five minutes in the past")]
    TooOld,
    #[error("the timestamp is more than five minutes in the future")]
    TooNew,
    #[error("no signature matches any valid secret")]
    Mismatch,
}

/// Checks the headers against each key that is valid now: one match will do.
pub fn verify(
    headers: Headers<'_>,
    body: &[u8],
    keys: &[SigningKey],
    now: Timestamp,
) -> Result<Verified, SignatureError> {
    let id = headers.id.filter(|id| is_webhook_id(id)).ok_or(SignatureError::Id)?;
    let timestamp = headers.timestamp.and_then(seconds).ok_or(SignatureError::Timestamp)?;
    let candidates = candidates(headers.signature.unwrap_or_default());
    if candidates.is_empty() {
        return Err(SignatureError::Signature);
    }
    let ahead = timestamp.saturating_sub(now.as_second());
    if ahead < -TOLERANCE_SECONDS {
        return Err(SignatureError::TooOld);
    }
    if ahead > TOLERANCE_SECONDS {
        return Err(SignatureError::TooNew);
    }
    let macs: Vec<[u8; 32]> = keys.iter().map(|key| key.mac(id, timestamp, body)).collect();
    let matches = |mac: &[u8]| macs.iter().fold(Choice::from(0), |any, known| any | known.as_slice().ct_eq(mac));
    let signature = candidates.into_iter().find(|(_, mac)| matches(mac).into()).ok_or(SignatureError::Mismatch)?.0;
    Ok(Verified { id: id.to_owned(), timestamp, signature: signature.to_owned() })
}

fn is_webhook_id(id: &str) -> bool {
    (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

fn seconds(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Signatures of version 1 in the header, each with its bytes; other versions are not ours to judge.
fn candidates(header: &str) -> Vec<(&str, Vec<u8>)> {
    let all = header.split(' ').take(SIGNATURES_MAX);
    all.filter_map(|part| Some((part, STANDARD.decode(part.strip_prefix("v1,")?).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The vector that the Standard Webhooks libraries publish.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1614265330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn check(headers: Headers<'_>, keys: &[SigningKey], now: i64) -> Result<Verified, SignatureError> {
        verify(headers, BODY, keys, at(now))
    }

    fn headers(signature: &str) -> Headers<'_> {
        Headers { id: Some(ID), timestamp: Some("1614265330"), signature: Some(signature) }
    }

    #[test]
    fn the_published_vector_holds_both_ways() {
        let key = SigningKey::parse(SECRET).unwrap();
        assert_eq!(sign(&key, ID, AT, BODY), SIGNATURE);
        let verified = check(headers(SIGNATURE), &[key], AT).unwrap();
        assert_eq!(verified, Verified { id: ID.into(), timestamp: AT, signature: SIGNATURE.into() });
    }

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        let keys = [SigningKey::parse(SECRET).unwrap()];
        for now in [AT - 300, AT, AT + 300] {
            assert!(check(headers(SIGNATURE), &keys, now).is_ok(), "{now}");
        }
        assert_eq!(check(headers(SIGNATURE), &keys, AT + 301), Err(SignatureError::TooOld));
        assert_eq!(check(headers(SIGNATURE), &keys, AT - 301), Err(SignatureError::TooNew));
    }

    #[test]
    fn while_a_secret_rotates_any_pair_matches() {
        let (old, new) = (SigningKey::parse(SECRET).unwrap(), SigningKey::of_bytes(&[5; 32]).unwrap());
        let both = format!("{} v1a,AAAA {SIGNATURE}", sign(&new, ID, AT, BODY));
        for keys in [vec![old.clone()], vec![new.clone()], vec![new.clone(), old.clone()]] {
            assert!(check(headers(&both), &keys, AT).is_ok());
        }
        assert!(check(headers(SIGNATURE), &[new.clone(), old], AT).is_ok());
        assert_eq!(check(headers(SIGNATURE), &[new], AT), Err(SignatureError::Mismatch));
        assert_eq!(check(headers(SIGNATURE), &[], AT), Err(SignatureError::Mismatch));
    }

    #[test]
    fn each_bad_header_has_its_own_reason() {
        let good = headers(SIGNATURE);
        let long = "x".repeat(257);
        for id in [None, Some(""), Some("a b"), Some("ä"), Some(long.as_str())] {
            assert_eq!(check(Headers { id, ..good }, &[], AT), Err(SignatureError::Id));
        }
        for timestamp in [None, Some(""), Some("-1"), Some("1.5"), Some("+5"), Some("99999999999999999999")] {
            assert_eq!(check(Headers { timestamp, ..good }, &[], AT), Err(SignatureError::Timestamp));
        }
        for signature in [None, Some(""), Some("v1"), Some("v1,%"), Some("v2,AAAA"), Some("g0hM9SsE")] {
            assert_eq!(check(Headers { signature, ..good }, &[], AT), Err(SignatureError::Signature));
        }
        for far in ["0", "9223372036854775807"] {
            assert!(check(Headers { timestamp: Some(far), ..good }, &[], AT).is_err());
        }
    }

    #[test]
    fn a_secret_reads_back_and_is_not_shown() {
        let key = SigningKey::parse(SECRET).unwrap();
        assert_eq!(key.secret(), SECRET);
        assert!(!format!("{key:?}").contains("MfKQ"));
        for bad in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_AAAA", "whsec_%%%"] {
            assert_eq!(SigningKey::parse(bad), Err(InvalidSecret), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_any_other_body_does_not(
            key in proptest::collection::vec(any::<u8>(), 16..=64),
            id in "[!-~]{1,64}",
            second in 0i64..4_000_000_000,
            body in proptest::collection::vec(any::<u8>(), 0..200),
            flip in any::<prop::sample::Index>(),
        ) {
            let key = SigningKey::of_bytes(&key).unwrap();
            let signature = sign(&key, &id, second, &body);
            let text = second.to_string();
            let headers = Headers { id: Some(&id), timestamp: Some(&text), signature: Some(&signature) };
            prop_assert!(verify(headers, &body, std::slice::from_ref(&key), at(second)).is_ok());
            let mut other = [body.as_slice(), b"."].concat();
            let place = flip.index(other.len());
            other[place] ^= 1;
            prop_assert_eq!(verify(headers, &other, &[key], at(second)), Err(SignatureError::Mismatch));
        }

        #[test]
        fn arbitrary_headers_never_panic(id in ".*", timestamp in ".*", signature in ".*") {
            let headers = Headers { id: Some(&id), timestamp: Some(&timestamp), signature: Some(&signature) };
            prop_assert!(verify(headers, b"", &[SigningKey(vec![1; 16])], at(0)).is_err());
        }
    }
}
