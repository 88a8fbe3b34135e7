//! What Autodesk announces of issues. Each delivery is signed with the secret of its hook: HMAC-SHA1 over the body as it came, to
//! the byte. An event names neither an actor nor what changed to what; the lane reads the issue. Nothing in it tells a repeated
//! delivery from an old one that somebody kept: all that one gets by sending it again is one more read.
use async_trait::async_trait;
use credentials::{Vault, VaultError};
use domain::ids::Provider;
use hook_function::{Announced, Announcer, Refusal, id};
use lambda_http::http::HeaderMap;
use ring::hmac;
use serde_json::Value;
use store::hooks::Hooks;
use store::lanes::LaneId;
use sync::hooks::secret_context;

const SIGNATURE: &str = "x-adsk-signature";
const SCHEME: &str = "sha1hash=";
const DELIVERY: &str = "x-adsk-delivery-id";

pub struct Autodesk<'a> {
    pub vault: &'a dyn Vault,
}

#[async_trait]
impl Announcer for Autodesk<'_> {
    fn provider(&self) -> Provider {
        Provider::Acc
    }

    /// The project that the event names, if one of its hook's secrets signed it: while the secret changes, either may have.
    async fn projects(
        &self,
        lane: &LaneId,
        hooks: &Hooks,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<String>, Refusal> {
        let Some(signature) = signature(headers) else { return Ok(Vec::new()) };
        // Not believed before the signature is: it only says which secrets to try.
        let named = payload(body).and_then(|payload| id(payload.get("projectId")?));
        let Some((project, hook)) = named.and_then(|named| hooks.projects.get_key_value(&named)) else {
            return Ok(Vec::new());
        };
        let context = secret_context(lane);
        for sealed in &hook.secrets {
            let secret = match self.vault.open(&context, sealed).await {
                Ok(secret) => secret,
                Err(error @ VaultError::Unavailable { .. }) => return Err(Refusal::Secret(error.to_string())),
                Err(error) => {
                    tracing::error!(connection_id = %lane.connection_id, "a hook's secret does not open: {error}");
                    continue;
                }
            };
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
            if hmac::verify(&key, body, &signature).is_ok() {
                return Ok(vec![project.clone()]);
            }
        }
        Ok(Vec::new())
    }

    fn read(&self, headers: &HeaderMap, body: &[u8]) -> Option<Announced> {
        let payload = payload(body)?;
        let member = |name: &str| payload.get(name).and_then(id);
        let delivery = headers.get(DELIVERY).and_then(|value| value.to_str().ok());
        Some(Announced {
            delivery: delivery.and_then(|text| id(&Value::from(text))),
            record: member("id"),
            project_id: member("projectId"),
            user_id: None,
            updated_at: payload.get("updatedAt").and_then(Value::as_str).and_then(|text| text.parse().ok()),
        })
    }
}

/// `{"version", "resourceUrn", "hook", "payload"}`; only the payload where a hook was made so.
fn payload(body: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    match value.get_mut("payload") {
        Some(payload) => Some(payload.take()),
        None => value.is_object().then_some(value),
    }
}

/// The one signature that the delivery bears.
fn signature(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut values = headers.get_all(SIGNATURE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let hex = value.to_str().ok()?.strip_prefix(SCHEME)?;
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_in_its_one_form() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(SIGNATURE, text.parse().unwrap());
            signature(&headers)
        };
        assert_eq!(read("sha1hash=00ff10"), Some(vec![0, 255, 16]));
        for text in ["", "00ff10", "sha1hash=0g", "sha256=00ff"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(signature(&HeaderMap::new()), None);
    }

    #[test]
    fn an_event_is_read_with_and_without_its_hook() {
        let payload = r#"{"projectId":"p-1","id":"i-1","updatedAt":"2026-11-24T16:00:00.123Z","status":"closed"}"#;
        let whole = format!(r#"{{"version":"1.0","hook":{{"hookId":"h"}},"payload":{payload}}}"#);
        for body in [payload, whole.as_str()] {
            assert_eq!(super::payload(body.as_bytes()).unwrap()["id"], "i-1");
        }
        assert_eq!(super::payload(b"[1]"), None);
        assert_eq!(super::payload(b"{"), None);
    }
}
