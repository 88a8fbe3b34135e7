//! A person, as far as we need to know one.
use domain::ids::{ConnectionId, OrganizationId, PersonId, Provider};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a person may do. A manager may all that a viewer may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Manager,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Viewer, Role::Manager];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Manager => "manager",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// Whom a platform says that a person is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub provider: Provider,
    /// The platform's own id of the user, the same in all its companies.
    pub user_id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// How the page of people tells this one from others: the platform's login, or what the inviter called them.
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Of people who sign in at a platform: the mapped projects that they can list there, as of their last sign-in. `None`:
    /// nobody's list limits them (setup and invite links).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<BTreeMap<ConnectionId, BTreeSet<String>>>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    #[serde(default)]
    pub version: u64,
}
