//! What a request to Procore is made of.
pub use platform::{Effect, Place};

/// The tool of Procore that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Incidents,
    Observations,
    Locations,
    DailyLog,
    Webhooks,
    /// Companies and projects themselves.
    Directory,
}

impl Tool {
    pub fn words(self) -> &'static str {
        match self {
            Tool::Incidents => "Incidents",
            Tool::Observations => "Observations",
            Tool::Locations => "Locations",
            Tool::DailyLog => "Daily Log",
            Tool::Webhooks => "Webhooks API",
            Tool::Directory => "Projects",
        }
    }
}

/// In the scope of a company, which goes into `Procore-Company-Id`; only the list of a person's companies goes without.
pub type Request = platform::Request<Tool, Option<i64>>;
