//! Identifiers. Ours carry a prefix and are unique everywhere; an edge's (zones, workers, detections) are plain strings that
//! are unique in their site only, so they never stand in a key without organization and site.
use serde::{Deserialize, Serialize};

/// An identifier was not of the expected form.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a valid {what}: expected `{prefix}` and 26 characters of Crockford's base32")]
pub struct InvalidId {
    pub what: &'static str,
    pub prefix: &'static str,
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn new(ulid: ulid::Ulid) -> Self {
                Self(format!("{}{}", $prefix, ulid.to_string()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                let rest = text.strip_prefix($prefix).unwrap_or("");
                match rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
                    true => Ok(Self(text)),
                    false => Err(InvalidId { what: $what, prefix: $prefix }),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

prefixed_id!(/// A contractor.
    OrganizationId, "org_", "organization id");
prefixed_id!(/// A construction site of an organization.
    SiteId, "site_", "site id");
prefixed_id!(/// An edge server on a site.
    EdgeId, "edge_", "edge id");
prefixed_id!(/// An organization's API key (not the key itself).
    ApiKeyId, "key_", "API key id");
prefixed_id!(/// One organization's link to one platform account.
    ConnectionId, "con_", "connection id");
prefixed_id!(/// A receiver of a customer's own.
    EndpointId, "whe_", "webhook endpoint id");
prefixed_id!(/// Someone who may look at an organization's things.
    PersonId, "per_", "person id");

impl ConnectionId {
    /// The id comes from organization, provider and account, so reconnecting finds the same connection with its links.
    pub fn derive(organization: &OrganizationId, provider: Provider, account: &str) -> Self {
        let text = format!("{organization}\n{}\n{account}", provider.as_str());
        Self(format!("{}{}", Self::PREFIX, crate::marker::crockford(text.as_bytes(), 26)))
    }
}

impl EndpointId {
    /// An endpoint is a lane too, and lanes are named as connections are.
    pub fn lane(&self) -> ConnectionId {
        ConnectionId(format!("{}{}", ConnectionId::PREFIX, &self.0[Self::PREFIX.len()..]))
    }

    /// Whose lane it is.
    pub fn of_lane(lane: &ConnectionId) -> Self {
        Self(format!("{}{}", Self::PREFIX, &lane.0[ConnectionId::PREFIX.len()..]))
    }
}

/// A platform whose connections are lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Provider {
    Procore,
    Acc,
    /// Receivers of customers' own: each endpoint is a lane.
    Webhook,
}

impl Provider {
    pub const ALL: [Provider; 3] = [Provider::Procore, Provider::Acc, Provider::Webhook];

    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Procore => "procore",
            Provider::Acc => "acc",
            Provider::Webhook => "webhook",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_prefix_is_refused() {
        let id = SiteId::new(ulid::Ulid::from_parts(1, 2)).to_string();
        assert!(id.parse::<SiteId>().is_ok());
        assert!(id.parse::<EdgeId>().is_err());
        assert!("site_../../x".parse::<SiteId>().is_err());
    }

    #[test]
    fn an_endpoint_and_its_lane_lead_to_each_other() {
        let endpoint = EndpointId::new(ulid::Ulid::from_parts(1, 2));
        assert!(endpoint.lane().to_string().parse::<ConnectionId>().is_ok());
        assert_eq!(EndpointId::of_lane(&endpoint.lane()), endpoint);
    }

    #[test]
    fn a_connection_is_found_again_by_its_account_and_only_in_its_organization() {
        let (a, b) =
            (OrganizationId::new(ulid::Ulid::from_parts(1, 1)), OrganizationId::new(ulid::Ulid::from_parts(1, 2)));
        let id = ConnectionId::derive(&a, Provider::Procore, "562949953425831");
        assert_eq!(id, ConnectionId::derive(&a, Provider::Procore, "562949953425831"));
        assert_ne!(id, ConnectionId::derive(&b, Provider::Procore, "562949953425831"));
        assert!(id.to_string().parse::<ConnectionId>().is_ok());
    }
}
