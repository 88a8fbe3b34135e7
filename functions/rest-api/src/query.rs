//! Query parameters. One that the route does not know is refused: a misspelt filter must not look like an empty answer.
use crate::problem::{FieldError, Place, Problem};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

/// The query, as pairs.
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Problem::new(axum::http::StatusCode::BAD_REQUEST, "The query can't be read."))?;
        Ok(Self(pairs))
    }
}

impl Params {
    /// Every parameter must be one of these, and stand once.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let mut errors = Vec::new();
        for (at, (name, _)) in self.0.iter().enumerate() {
            let repeated = self.0[..at].iter().any(|(earlier, _)| earlier == name);
            let detail = match (known.contains(&name.as_str()), repeated) {
                (false, _) => format!("is not known here; known are: {}", known.join(", ")),
                (true, true) => "stands more than once".to_owned(),
                (true, false) => continue,
            };
            errors.push(FieldError { place: Place::Parameter(name.chars().take(64).collect()), detail });
        }
        match errors.is_empty() {
            true => Ok(()),
            false => Err(Problem::invalid(errors)),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
