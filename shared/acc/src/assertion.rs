//! The signed statement with which a service account asks for a token (RFC 7523, RS256).
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use credentials::Secret;
use grants::ServiceAccount;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// Autodesk takes at most 300 seconds ahead of its own clock; ours may be ahead of it.
const LIFE: i64 = 240;

/// The private key can't be used. Never what stands in it.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("the service account's private key is not PEM")]
    Pem,
    #[error("the service account's private key is no RSA key of at least 2048 bits")]
    Rsa,
    #[error("the service account's private key did not sign")]
    Sign,
}

pub(crate) fn sign(
    account: &ServiceAccount,
    client_id: &str,
    audience: &str,
    scopes: &[&str],
    now: Timestamp,
) -> Result<Secret, KeyError> {
    let key = key_pair(account.private_key.expose())?;
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": account.key_id});
    // A list here, one text in the form.
    let claims =
        json!({"iss": client_id, "sub": account.id, "aud": audience, "exp": now.as_second() + LIFE, "scope": scopes});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(|_| KeyError::Sign)?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Whether a private key can sign, before it is kept.
pub fn check_private_key(pem: &Secret) -> Result<(), KeyError> {
    key_pair(pem.expose()).map(drop)
}

fn key_pair(pem: &str) -> Result<RsaKeyPair, KeyError> {
    let lines = || pem.lines().map(str::trim).filter(|line| !line.is_empty());
    let armour = |line: &&str| line.starts_with("-----");
    let body: String = lines().filter(|line| !armour(line)).collect();
    let kind = lines().next().filter(armour).ok_or(KeyError::Pem)?;
    let der = STANDARD.decode(body).map_err(|_| KeyError::Pem)?;
    let key = match kind {
        "-----BEGIN RSA PRIVATE KEY-----" => RsaKeyPair::from_der(&der),
        "-----BEGIN PRIVATE KEY-----" => RsaKeyPair::from_pkcs8(&der),
        _ => return Err(KeyError::Pem),
    };
    key.map_err(|_| KeyError::Rsa)
}
