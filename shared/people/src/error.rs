//! What can go wrong while people are looked after. None of it is the person's fault.
use crate::page::calm;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use credentials::VaultError;
use store::TableError;

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the system gave no random bytes")]
    NoRandomness,
    #[error("what is kept of a passkey or asked of a browser is not in order: {0}")]
    Passkey(String),
}

impl IntoResponse for PeopleError {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "a page about people failed");
        let words = "Nothing was lost. Please try again in a moment.";
        calm(StatusCode::SERVICE_UNAVAILABLE, "Not available at the moment", words, None)
    }
}
