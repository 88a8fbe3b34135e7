//! Keys of the REST API, as the operator and an organization's managers make them. The key itself is shown once; we keep its hash.
use crate::{PeopleError, token};
use credentials::Secret;
use domain::fields::{Checks, Members, child};
use domain::ids::{ApiKeyId, OrganizationId, SiteId};
use domain::validate::FieldError;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use store::directory::{ApiKey, Directory};

pub const PREFIX: &str = "hhp_";
/// Keys of an organization; its list is read at once.
pub const MOST: usize = 200;

/// What an organization's key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Read,
    TreatmentWrite,
    WebhooksWrite,
    ConnectionsWrite,
}

impl Scope {
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::TreatmentWrite, Scope::WebhooksWrite, Scope::ConnectionsWrite];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::TreatmentWrite => "treatment:write",
            Scope::WebhooksWrite => "webhooks:write",
            Scope::ConnectionsWrite => "connections:write",
        }
    }
}

/// What was asked for, and is in order.
#[derive(Debug)]
pub struct NewKey {
    pub name: String,
    pub scopes: Vec<String>,
    /// `None`: all sites.
    pub site_ids: Option<Vec<SiteId>>,
    pub expires_at: Option<Timestamp>,
}

/// Reads `{"name","scopes","site_ids"?,"expires_at"?}`. `known`: the sites that may be named.
pub fn read(body: &Value, known: &BTreeSet<SiteId>, now: Timestamp) -> Result<NewKey, Vec<FieldError>> {
    let mut checks = Checks::default();
    let (mut name, mut scopes, mut site_ids, mut expires_at) = (None, Vec::new(), None, None);
    if let Some(members) = Members::of(body, "", &["name", "scopes", "site_ids", "expires_at"], &mut checks) {
        name = members.required_name("name", &mut checks);
        scopes = read_scopes(&members, &mut checks);
        site_ids = members.site_ids(known, &mut checks);
        expires_at = read_expiry(&members, now, &mut checks);
    }
    checks.done()?;
    Ok(NewKey { name: name.unwrap_or_default(), scopes, site_ids, expires_at })
}

fn read_scopes(members: &Members<'_>, checks: &mut Checks) -> Vec<String> {
    let pointer = members.pointer("scopes");
    members.required("scopes", checks);
    let given = members.array("scopes", Scope::ALL.len(), checks);
    if given.is_some_and(Vec::is_empty) {
        checks.fail(&pointer, "must name one scope at least");
    }
    let mut scopes = BTreeSet::new();
    for (at, value) in given.into_iter().flatten().enumerate() {
        match Scope::ALL.into_iter().find(|scope| value.as_str() == Some(scope.as_str())) {
            Some(scope) => {
                scopes.insert(scope.as_str().to_owned());
            }
            None => {
                let known = Scope::ALL.map(Scope::as_str).join(", ");
                checks.fail(child(&pointer, &at.to_string()), format!("is not a scope; scopes are: {known}"));
            }
        }
    }
    scopes.into_iter().collect()
}

fn read_expiry(members: &Members<'_>, now: Timestamp, checks: &mut Checks) -> Option<Timestamp> {
    members.given("expires_at")?;
    let text = members.required_text("expires_at", checks)?;
    match text.parse::<Timestamp>() {
        Ok(at) if at > now => return Some(at),
        Ok(_) => checks.fail(members.pointer("expires_at"), "must be in the future"),
        Err(_) => checks.fail(members.pointer("expires_at"), "must be an RFC 3339 time, such as 2027-01-31T17:00:00Z"),
    }
    None
}

/// Makes the key. The same id again is a repeat of the very request, whose answer was lost: what that answer gave out must not stay
/// valid unseen.
pub async fn make(
    directory: &Directory<'_>,
    organization_id: OrganizationId,
    id: ApiKeyId,
    new: NewKey,
    now: Timestamp,
) -> Result<(ApiKey, Secret), PeopleError> {
    // Hexadecimal: no key can be taken for an operator's.
    let text = format!("{PREFIX}{}", token::hash(&token::fresh()?));
    let NewKey { name, scopes, site_ids, expires_at } = new;
    let key = ApiKey {
        id,
        organization_id,
        name,
        scopes,
        site_ids,
        expires_at,
        last_used_at: None,
        created_at: now,
        sha256: token::hash(&text),
    };
    if let Some(lost) = directory.api_key_by_id(&key.organization_id, &key.id).await? {
        directory.delete_api_key(&lost).await?;
    }
    directory.put_api_key(&key).await?;
    tracing::info!(organization_id = %key.organization_id, api_key_id = %key.id, "an API key was made");
    Ok((key, Secret::new(text)))
}

/// The next request with it is refused.
pub async fn revoke(directory: &Directory<'_>, key: &ApiKey) -> Result<(), PeopleError> {
    directory.delete_api_key(key).await?;
    tracing::info!(organization_id = %key.organization_id, api_key_id = %key.id, "an API key was revoked");
    Ok(())
}
