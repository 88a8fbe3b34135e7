//! What Autodesk's ids and regions look like.
use serde::{Deserialize, Serialize};

/// What some of Autodesk's APIs want before an account's or a project's id, and others refuse.
pub const PREFIX: &str = "b.";

/// An id in the one form that we keep: in small letters, without the prefix. Ids are opaque: not all that stand in Autodesk's own
/// examples are UUIDs.
pub fn bare_id(text: &str) -> Option<String> {
    let bare = text.strip_prefix(PREFIX).unwrap_or(text);
    let fits = (8..=64).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| bare.to_ascii_lowercase())
}

/// Where an account's data is kept, and so where its hooks live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Region {
    Us,
    Emea,
    Aus,
    Can,
    Deu,
    Ind,
    Jpn,
    Gbr,
}

impl Region {
    pub const ALL: [Region; 8] =
        [Region::Us, Region::Emea, Region::Aus, Region::Can, Region::Deu, Region::Ind, Region::Jpn, Region::Gbr];

    /// Autodesk's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Region::Us => "US",
            Region::Emea => "EMEA",
            Region::Aus => "AUS",
            Region::Can => "CAN",
            Region::Deu => "DEU",
            Region::Ind => "IND",
            Region::Jpn => "JPN",
            Region::Gbr => "GBR",
        }
    }
}

/// Not one of Autodesk's regions.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be one of Autodesk's regions: US, EMEA, AUS, CAN, DEU, IND, JPN, GBR")]
pub struct UnknownRegion;

impl std::str::FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        Self::ALL.into_iter().find(|region| region.as_str() == text).ok_or(UnknownRegion)
    }
}
