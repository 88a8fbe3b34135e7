//! The signed statement with which a service account asks for a token.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::SERVICE_ACCOUNT_KEY_ID;

const PUBLIC_KEY: &[u8] = include_bytes!("../../keys/service-account.pub.der");
pub(super) const SERVICE_ACCOUNT: &str = "SBXSERVICE01";
const AUDIENCE: &str = "https://developer.api.autodesk.com/authentication/v2/token";
/// How far ahead an assertion may end.
const LONGEST: i64 = 300;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    /// A list, although the form's scope is one text.
    scope: Vec<String>,
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// The scopes that it asks for, if it holds. `here` is this sandbox's token address, which stands for the platform's.
pub(super) fn verify(assertion: &str, client: &str, here: &str, now: i64) -> Result<BTreeSet<String>, String> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or("is not a JWT")?;
    let (header, claims) = signed.split_once('.').ok_or("is not a JWT")?;
    let header: Header = part(header)?;
    if header.alg != "RS256" || header.kid != SERVICE_ACCOUNT_KEY_ID {
        return Err("alg must be RS256 and kid one of the service account's keys".to_owned());
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|error| error.to_string())?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY);
    key.verify(signed.as_bytes(), &signature).map_err(|_| "the signature does not fit")?;
    let claims: Claims = part(claims)?;
    if claims.iss != client || claims.sub != SERVICE_ACCOUNT {
        return Err("iss must be the client and sub its service account".to_owned());
    }
    if claims.aud != AUDIENCE && claims.aud != here {
        return Err("aud must be the token address".to_owned());
    }
    if claims.exp <= now || claims.exp > now + LONGEST {
        return Err("exp must lie within the next 300 seconds".to_owned());
    }
    Ok(claims.scope.into_iter().collect())
}
