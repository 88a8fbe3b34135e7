//! Accounts and projects. Data Management (hubs, projects, storage) wants the prefix `b.`; Issues, Forms, Locations, Account Admin
//! and webhooks want none, and answer 404 or 400 to it. So an id is kept bare, and each address says which form it takes.

use domain::autodesk::{PREFIX, bare_id};

/// Text that is no id of an account or a project.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is no id of an Autodesk {0}: 8 to 64 letters, digits and hyphens, with or without `b.` before it")]
pub struct InvalidId(&'static str);

macro_rules! bare_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// As Issues, Forms, Account Admin and webhooks want it.
            pub fn bare(&self) -> &str {
                &self.0
            }

            /// As Data Management wants it.
            pub fn prefixed(&self) -> String {
                format!("{PREFIX}{}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                bare_id(text).map(Self).ok_or(InvalidId($what))
            }
        }
    };
}

bare_id!(/// An account, which newer pages call a hub.
    AccountId, "account");
bare_id!(/// A project of an account.
    ProjectId, "project");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_two_forms_and_one_meaning() {
        let id: ProjectId = "b.5A0DB0C5-0000-4000-8000-000000000001".parse().unwrap();
        assert_eq!(id, "5a0db0c5-0000-4000-8000-000000000001".parse().unwrap());
        assert_eq!(id.bare(), "5a0db0c5-0000-4000-8000-000000000001");
        assert_eq!(id.prefixed(), "b.5a0db0c5-0000-4000-8000-000000000001");
        for text in ["", "b.", "a/../../b/cdefgh", "5a0db0c5 0000", "b.b.5a0db0c5"] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
