//! What someone who sets up chooses from at a platform, and why it can't be listed.
use credentials::Secret;
use sync::target::{Block, TargetError};

/// In whose name a list is read.
#[derive(Debug, Clone, Copy)]
pub enum As<'a> {
    /// What the connection works with: the app's service account, which sees what an admin at the platform lets it see, or the
    /// consent of a person. Where there is no connection yet, the service account.
    App,
    /// Someone who signed in: what they see themselves.
    Person(&'a Secret),
}

#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("{why}")]
    Later { why: String },
    /// The person's token is not accepted any more.
    #[error("The platform asks you to sign in again")]
    SignInAgain,
    #[error("{}", .0.reason)]
    NotInstalled(Block),
    #[error("{}", .0.reason)]
    Refused(Block),
}

impl ListError {
    /// Which it is: for logs, which get none of a platform's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Later { .. } => "later",
            Self::SignInAgain => "sign in again",
            Self::NotInstalled(_) => "not installed",
            Self::Refused(_) => "refused",
        }
    }

    /// `not_installed`: whether a block of the whole connection means that the app is not in the account.
    pub fn of(error: TargetError, who: As<'_>, platform: &str, not_installed: impl Fn(&Block) -> bool) -> Self {
        match (error, who) {
            (TargetError::Connection(block), _) if not_installed(&block) => Self::NotInstalled(block),
            (TargetError::Connection(_), As::Person(_)) => Self::SignInAgain,
            (TargetError::Connection(block) | TargetError::Project(block), _) => Self::Refused(block),
            (TargetError::Paused { until, .. }, _) => {
                Self::Later { why: format!("{platform}'s limit of calls is reached until {until}.") }
            }
            (error, _) => Self::Later { why: error.to_string() },
        }
    }
}

/// A project, as far as whoever maps it to a site looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub id: String,
    pub name: String,
    pub number: Option<String>,
    pub active: bool,
    /// Why nothing of ours can stand in it, where that is so whatever anybody does.
    pub unsupported: Option<&'static str>,
    /// IANA name.
    pub tz_name: Option<String>,
    pub city: Option<String>,
    /// Street, city, state and country, as far as they are known.
    pub address: Option<String>,
}
