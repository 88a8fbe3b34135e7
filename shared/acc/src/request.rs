//! What a request to Autodesk is made of.
use domain::autodesk::Region;
pub use platform::{Effect, Place};

/// The API that a request goes to: each wants its region in a header of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Issues,
    /// All calls of all customers together have one limit.
    Forms,
    Locations,
    /// Hubs and projects as Data Management lists them.
    Projects,
    Webhooks,
    /// Projects with their zone, platform and state.
    AccountAdmin,
}

impl Tool {
    pub fn words(self) -> &'static str {
        match self {
            Tool::Issues => "Issues",
            Tool::Forms => "Forms",
            Tool::Locations => "Locations",
            Tool::Projects => "Projects",
            Tool::Webhooks => "Webhooks",
            Tool::AccountAdmin => "Account Admin",
        }
    }

    /// `None`: it is found by the id, wherever it lies.
    pub fn region_header(self) -> Option<&'static str> {
        match self {
            // Without it a hook lies in the US and rings for nothing.
            Tool::Issues | Tool::Webhooks => Some("x-ads-region"),
            // Forms has one address for all regions.
            Tool::Projects | Tool::Forms => None,
            // Which looks in no other region.
            Tool::AccountAdmin => Some("Region"),
            Tool::Locations => Some("region"),
        }
    }
}

/// In the scope of an account's region.
pub type Request = platform::Request<Tool, Region>;
