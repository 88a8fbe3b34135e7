//! Refusals as pages: what happened in a sentence, and the next step. What the log gets and what a person reads are kept apart.
use crate::layout::{Page, SUPPORT};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use grants::GrantError;
use maud::html;
use people::{Forbidden, PeopleError};
use std::fmt::Display;
use store::TableError;
use store::again::AgainError;
use store::reports::ReportError;

#[derive(Debug)]
pub enum Refusal {
    Page { status: StatusCode, title: &'static str, sentence: String, next: (String, &'static str) },
}

impl Refusal {
    fn page(status: StatusCode, title: &'static str, sentence: impl Into<String>) -> Self {
        Self::Page { status, title, sentence: sentence.into(), next: ("/setup".into(), "Back to the start page") }
    }

    /// The same words for what is not there and for what belongs to someone else.
    pub fn not_found() -> Self {
        Self::page(
            StatusCode::NOT_FOUND,
            "Not found",
            "There is no such page, or your account does not have access to it. If a colleague sent you the link, ask them \
             whether you were given access to the project.",
        )
    }

    pub fn forbidden(sentence: impl Into<String>) -> Self {
        Self::page(StatusCode::FORBIDDEN, "Not allowed", sentence)
    }

    /// A form that did not come from a page of ours, or whose page is too old.
    pub fn stale_form() -> Self {
        Self::forbidden(
            "This form was open for too long or was sent from another page, so nothing was changed. Go back, load the page \
             again and send it once more.",
        )
    }

    pub fn unreadable() -> Self {
        Self::page(
            StatusCode::BAD_REQUEST,
            "That could not be read",
            "What was sent could not be read, so nothing was changed. Go back and try once more.",
        )
    }

    /// Someone else changed the same thing between the page and the form.
    pub fn changed_meanwhile(back: String) -> Self {
        let sentence =
            "Somebody else changed these settings after you opened the page, so yours were not saved over them.";
        let next = (back, "See the settings as they are now");
        Self::Page { status: StatusCode::CONFLICT, title: "Changed meanwhile", sentence: sentence.into(), next }
    }

    /// The lane, or somebody else, took the conflict away between the page and the press.
    pub fn decided_meanwhile(back: String) -> Self {
        let sentence = "This field is no conflict any more: it was decided or changed after you opened the page. Nothing was changed now.";
        let next = (back, "See the record as it is now");
        Self::Page { status: StatusCode::CONFLICT, title: "Decided meanwhile", sentence: sentence.into(), next }
    }

    /// Something stands in the way, which the sentence names with its remedy.
    pub fn not_now(sentence: String, back: &str) -> Self {
        let next = (back.to_owned(), "Back");
        Self::Page { status: StatusCode::CONFLICT, title: "Not possible yet", sentence, next }
    }

    pub fn internal(what: &str, error: &dyn Display) -> Self {
        tracing::error!(error = %error, "{what} failed");
        Self::page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side",
            format!("Nothing that was saved is lost. Try again in a moment; if it happens again, write to {SUPPORT}."),
        )
    }

    pub fn unavailable(what: &str, error: &dyn Display) -> Self {
        tracing::error!(error = %error, "{what} did not answer");
        Self::page(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not available at the moment",
            "Our storage did not answer. Nothing that was saved is lost. Try again in a minute.",
        )
    }
}

impl From<TableError> for Refusal {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Unavailable(_) => Self::unavailable("the table", &error),
            TableError::Condition(_) | TableError::Malformed { .. } => Self::internal("the table", &error),
        }
    }
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Table(error) => error.into(),
            ReportError::NotSet => Self::page(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Too much for a preview",
                "So much happened in this time that its note can't be shown for an hour or shifts that are not saved. Go back, save them, and press \"Show today's note\" then.",
            ),
            ReportError::Counting => Self::page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Still being counted",
                "So much happened in this time that it is not counted yet. What was counted is kept: load the page again.",
            ),
        }
    }
}

impl From<PeopleError> for Refusal {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Table(error) => error.into(),
            PeopleError::Vault(error) => Self::unavailable("the vault", &error),
            PeopleError::NoRandomness | PeopleError::Passkey(_) => Self::internal("people", &error),
        }
    }
}

impl From<Forbidden> for Refusal {
    fn from(_: Forbidden) -> Self {
        Self::forbidden(
            "Your account may look but not change this. A manager of your organization can raise your role under People and \
             sessions.",
        )
    }
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Table(error) => error.into(),
            GrantError::Vault(error) => Self::unavailable("the vault", &error),
            GrantError::Later(why) | GrantError::SignInAgain(why) => {
                Self::not_now(format!("Nothing was changed: {why}. Try again in a minute."), "/setup/connect")
            }
        }
    }
}

impl From<AgainError> for Refusal {
    fn from(error: AgainError) -> Self {
        match error {
            AgainError::Table(error) => error.into(),
            AgainError::Gone => Self::not_found(),
            AgainError::Busy => Self::page(
                StatusCode::CONFLICT,
                "Busy at this moment",
                "It is being written at this moment. Go back, look again, and try once more if it still waits.",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self::Page { status, title, sentence, next } = self;
        let body = html! {
            h1 { (title) }
            p { (sentence) }
            p { a.button href=(next.0) { (next.1) } }
        };
        let mut response = Page::new(title, body).status(status).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}
