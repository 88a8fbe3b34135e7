//! What can go wrong, each as one sentence that says what to do.
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Environment(String),
    #[error("cannot {doing}: {source}")]
    Io { doing: String, source: std::io::Error },
    #[error("{what} failed ({status}); its last words, in full in {}:\n{tail}", log.display())]
    Command { what: String, status: String, tail: String, log: PathBuf },
    #[error("{what} failed: see above")]
    Shown { what: String },
    #[error("{what} answered {status}: {body}")]
    Answer { what: String, status: u16, body: String },
    #[error("{what} could not be called: {source}")]
    Call { what: String, source: Box<ureq::Error> },
    #[error("{what} is not as expected: {detail}")]
    Unexpected { what: String, detail: String },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what was being done when I/O failed.
pub trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { doing: what(), source })
    }
}

pub fn unexpected(what: &str, detail: impl ToString) -> Error {
    Error::Unexpected { what: what.to_owned(), detail: detail.to_string() }
}
