//! Every way that a sign-in can end without a session: what happened, and the next step. Nobody is to blame for most of them.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use credentials::VaultError;
use grants::GrantError;
use people::sign_in::NotOurs;
use people::{PeopleError, calm};
use platform::LoginError;
use procore::lists::ListError;
use store::TableError;
use store::again::AgainError;

/// Why no organization is open to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nowhere {
    NoCompany,
    NoProject,
    /// Of the connection that they wanted to let work with their consent.
    NotThisCompany,
    NotThisAccount,
}

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such page")]
    NotHere,
    #[error("a form from elsewhere")]
    Elsewhere,
    #[error("the person did not agree")]
    Denied { next: String },
    #[error("the manager did not agree that a connection works with their access")]
    Kept { next: String },
    #[error("the manager did not agree that a connection to Autodesk works with their access")]
    KeptAtAutodesk { next: String },
    #[error("the person did not agree that their accounts at Autodesk are listed")]
    NotListed { next: String },
    #[error("the sign-in is {0:?}")]
    NotOurs(NotOurs),
    #[error("no organization is open to the person: {0:?}")]
    Nowhere(Nowhere),
    #[error("only a manager may do this")]
    NotAManager,
    #[error("only a manager who sees all projects of the connection may do this")]
    SeesSome,
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("{0}")]
    Autodesk(LoginError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Again(#[from] AgainError),
    /// Said without Procore's words, which may hold anything.
    #[error("Procore does not say what the person can see: {}", .0.kind())]
    Lists(#[from] ListError),
    #[error("Autodesk does not say what the person can see: {}", .0.kind())]
    AutodeskLists(ListError),
    #[error(transparent)]
    People(#[from] PeopleError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Refusal {
    /// Of what Procore gave for this sign-in nothing was kept, so that it can be taken back. Where our storage failed that is not
    /// known.
    pub fn keeps_nothing(&self) -> bool {
        matches!(
            self,
            Self::NotHere
                | Self::NotOurs(_)
                | Self::Nowhere(_)
                | Self::NotAManager
                | Self::SeesSome
                | Self::Lists(_)
                | Self::AutodeskLists(_)
                | Self::Autodesk(_)
        )
    }
}

const AGAIN: (&str, &str) = ("/sign-in", "Begin again");

struct Words {
    status: StatusCode,
    title: &'static str,
    words: &'static str,
}

fn words(refusal: &Refusal) -> Words {
    let (status, title, words) = match refusal {
        Refusal::NotHere => (
            StatusCode::NOT_FOUND,
            "Not found",
            "There is no such page, or what led here is not good any more. Begin your sign-in again.",
        ),
        Refusal::Elsewhere => (
            StatusCode::FORBIDDEN,
            "Not from here",
            "This was sent or linked from a page that is not ours, so nothing was done. Begin again on a page of HardHat Pulse.",
        ),
        Refusal::Denied { .. } => (
            StatusCode::FORBIDDEN,
            "You did not agree",
            "In Procore you chose not to let HardHat Pulse know who you are, so you are not signed in. Nothing was kept. You can \
             begin again, or sign in by a link that a manager of your organization makes for you.",
        ),
        Refusal::Kept { .. } => (
            StatusCode::FORBIDDEN,
            "You did not agree",
            "In Procore you chose not to let HardHat Pulse work with your access. Nothing was changed: the connection works with what \
             it had before.",
        ),
        Refusal::KeptAtAutodesk { .. } => (
            StatusCode::FORBIDDEN,
            "You did not agree",
            "In Autodesk you chose not to let HardHat Pulse work with your access. Nothing was changed: the connection works with what \
             it had before.",
        ),
        Refusal::NotListed { .. } => (
            StatusCode::FORBIDDEN,
            "You did not agree",
            "In Autodesk you chose not to let HardHat Pulse list your accounts and projects, so none can be chosen here. Nothing was \
             changed.",
        ),
        Refusal::NotOurs(NotOurs::Unknown) => (
            StatusCode::BAD_REQUEST,
            "This sign-in is not known",
            "It has ended already, or it never began here. Nothing was done.",
        ),
        Refusal::NotOurs(NotOurs::TooOld) => (
            StatusCode::BAD_REQUEST,
            "That took too long",
            "A sign-in must be finished within minutes, so that nobody else finishes it. Nothing was done.",
        ),
        Refusal::NotOurs(NotOurs::OtherBrowser) => (
            StatusCode::BAD_REQUEST,
            "This sign-in began in another browser",
            "It can be finished only where it began, and only if that browser keeps our cookie. If somebody sent you this link, \
             do not trust it. Nothing was done.",
        ),
        Refusal::Nowhere(Nowhere::NoCompany) => (
            StatusCode::FORBIDDEN,
            "None of your companies is connected",
            "You are signed in at Procore, but no company that you belong to there is connected to HardHat Pulse. Ask your safety \
             manager for an invitation, or, if you are to set it up, open the setup link that you were sent and sign in from there.",
        ),
        Refusal::Nowhere(Nowhere::NoProject) => (
            StatusCode::FORBIDDEN,
            "None of your projects is connected",
            "Your company is connected to HardHat Pulse, but none of the projects that you can see in Procore is. Ask to be added to \
             the project in Procore, or ask your safety manager for an invitation.",
        ),
        Refusal::Nowhere(Nowhere::NotThisCompany) => (
            StatusCode::FORBIDDEN,
            "You do not belong to this company",
            "In Procore you do not belong to the company of this connection, so it can't work with your consent. Nothing was changed. \
             Sign in as somebody who does.",
        ),
        Refusal::Nowhere(Nowhere::NotThisAccount) => (
            StatusCode::FORBIDDEN,
            "You do not belong to this account",
            "In Autodesk you do not belong to the account of this connection, so it can't work with your access. Nothing was changed. \
             Sign in as somebody who does.",
        ),
        Refusal::NotAManager => (
            StatusCode::FORBIDDEN,
            "Not for your role",
            "Only a manager of your organization decides what a connection works with. A manager can raise your role under People and \
             sessions.",
        ),
        Refusal::SeesSome => (
            StatusCode::FORBIDDEN,
            "Not for all of its projects",
            "This connection also serves projects that you can't list there, so a manager who sees all of them decides what it works \
             with. Nothing was changed.",
        ),
        Refusal::Login(LoginError::Refused(_)) | Refusal::Lists(ListError::SignInAgain) => (
            StatusCode::BAD_REQUEST,
            "Procore did not accept this sign-in",
            "What it gave us works once and for ten minutes, and it was used or is too old. Nothing was done.",
        ),
        Refusal::Login(LoginError::OurCredentials { .. } | LoginError::NoCredentials { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Signing in with Procore does not work at the moment",
            "Procore does not accept HardHat Pulse itself, which is ours to mend. Nothing was lost. A link from a manager of your \
             organization still lets you in.",
        ),
        Refusal::Login(LoginError::NotSent(_) | LoginError::Unclear(_)) | Refusal::Lists(ListError::Later { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Procore does not answer",
            "Procore could not be reached, or answered nothing that we can use. Nothing was lost: begin again in a minute.",
        ),
        Refusal::Autodesk(LoginError::Refused(_)) | Refusal::AutodeskLists(ListError::SignInAgain) => (
            StatusCode::BAD_REQUEST,
            "Autodesk did not accept this sign-in",
            "What it gave us works once and for five minutes, and it was used or is too old. Nothing was done.",
        ),
        Refusal::Autodesk(LoginError::OurCredentials { .. } | LoginError::NoCredentials { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Signing in with Autodesk does not work at the moment",
            "Autodesk does not accept HardHat Pulse itself, which is ours to mend. Nothing was lost.",
        ),
        Refusal::AutodeskLists(ListError::NotInstalled(_) | ListError::Refused(_)) => (
            StatusCode::FORBIDDEN,
            "Autodesk does not let you look",
            "Autodesk did not tell HardHat Pulse what you belong to. Ask the admin of your account whether HardHat Pulse is added to it as a \
             custom integration. Nothing was changed.",
        ),
        Refusal::Autodesk(LoginError::NotSent(_) | LoginError::Unclear(_))
        | Refusal::AutodeskLists(ListError::Later { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Autodesk does not answer",
            "Autodesk could not be reached, or answered nothing that we can use. Nothing was lost: begin again in a minute.",
        ),
        Refusal::Lists(ListError::NotInstalled(_) | ListError::Refused(_)) => (
            StatusCode::FORBIDDEN,
            "Procore does not let you look",
            "Procore did not tell HardHat Pulse who you are. Ask your Procore admin whether the app is installed in your company.",
        ),
        Refusal::People(_) | Refusal::Table(_) | Refusal::Vault(_) | Refusal::Grant(_) | Refusal::Again(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not available at the moment",
            "Our storage did not answer. Nothing was lost: begin again in a minute.",
        ),
    };
    Words { status, title, words }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Words { status, title, words } = words(&self);
        match status.is_server_error() {
            true => tracing::error!(error = %self, "a sign-in failed"),
            false => tracing::info!(reason = %self, "a sign-in was refused"),
        }
        let (again, says) = match &self {
            Refusal::Denied { next } => (people::sign_in_path(next), AGAIN.1),
            Refusal::Kept { next } | Refusal::KeptAtAutodesk { next } | Refusal::NotListed { next } => {
                (people::local(next).to_owned(), "Go on")
            }
            _ => (AGAIN.0.to_owned(), AGAIN.1),
        };
        calm(status, title, words, Some((&again, says)))
    }
}
