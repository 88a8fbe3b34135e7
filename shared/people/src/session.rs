//! A session: someone who has signed in, in one browser, for one organization.
use crate::Identity;
use crate::Role;
use axum::http::HeaderValue;
use domain::ids::{OrganizationId, PersonId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A session ends after this, used or not: then what the person may see is asked of the platform again.
pub const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Role and label are the person's of the moment it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// SHA-256 of the token: names the session without opening it.
    pub id: String,
    pub organization_id: OrganizationId,
    pub person_id: PersonId,
    pub role: Role,
    pub label: String,
    pub identity: Option<Identity>,
    pub csrf: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A session just opened: the answer must carry the cookie.
#[derive(Debug)]
pub struct Opened {
    pub session: Session,
    pub set_cookie: HeaderValue,
}

/// As it is kept. `expires_at` in Unix seconds is what the table forgets it by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub organization_id: OrganizationId,
    pub person_id: PersonId,
    pub csrf: String,
    pub created_at: Timestamp,
    pub ends_at: Timestamp,
    pub expires_at: i64,
}
