//! What Procore announces. It signs nothing, so the Authorization value that we gave the hook is what counts; it waits five
//! seconds, and stalls everything after a failure.
//!
//! - [`event`]: payloads v2.0 to v4.0
pub mod event;

use async_trait::async_trait;
use domain::ids::Provider;
use hook_function::{Announced, Announcer, Refusal};
use lambda_http::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use store::hooks::Hooks;
use store::lanes::LaneId;
use subtle::ConstantTimeEq;

pub struct Procore;

#[async_trait]
impl Announcer for Procore {
    fn provider(&self) -> Provider {
        Provider::Procore
    }

    /// The projects whose hook has this Authorization value. All are compared, each in constant time.
    async fn projects(&self, _: &LaneId, hooks: &Hooks, headers: &HeaderMap, _: &[u8]) -> Result<Vec<String>, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Ok(Vec::new()) };
        let digest = Sha256::digest(value.as_bytes());
        let given: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let opens = |secret: &String| bool::from(secret.as_bytes().ct_eq(given.as_bytes()));
        let opened =
            hooks.projects.iter().filter(|(_, hook)| hook.secrets.iter().filter(|secret| opens(secret)).count() > 0);
        Ok(opened.map(|(project, _)| project.clone()).collect())
    }

    fn read(&self, _: &HeaderMap, body: &[u8]) -> Option<Announced> {
        event::read(body)
    }
}
