//! What a page's handler begins with: `visitor: Visitor`, then `visitor.require(Role::Manager)?`.
use crate::{People, PeopleError, Person, Role, Session, calm};
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

/// Someone who is signed in. Without a session the answer is 303 to the sign-in page, which leads back here.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub session: Session,
    pub person: Person,
}

impl Visitor {
    /// Refuses with a calm page who has not this role.
    pub fn require(&self, role: Role) -> Result<(), Forbidden> {
        if self.session.role >= role { Ok(()) } else { Err(Forbidden(role)) }
    }
}

/// Signed in, but not allowed to do this.
#[derive(Debug, Clone, Copy)]
pub struct Forbidden(pub Role);

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        let words = "Your account may look but not change this. A manager of your organization can raise your role under \
                     People and sessions.";
        calm(StatusCode::FORBIDDEN, "Not for your role", words, Some(("/setup", "Back to the overview")))
    }
}

/// Nobody is signed in.
#[derive(Debug)]
pub enum SignInFirst {
    /// The sign-in page, which leads back.
    To(String),
    Failed(PeopleError),
}

impl IntoResponse for SignInFirst {
    fn into_response(self) -> Response {
        match self {
            Self::To(path) => Redirect::to(&path).into_response(),
            Self::Failed(error) => error.into_response(),
        }
    }
}

/// Whether a page is to be shown in a frame: a browser says so.
pub fn is_framed(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|dest| matches!(dest.as_bytes(), b"iframe" | b"frame"))
}

/// The sign-in page that leads to `next` afterwards.
pub fn sign_in_path(next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", local(next)).finish();
    format!("/sign-in?{query}")
}

/// A path of ours, else the overview: nobody is sent elsewhere by a link to us.
pub fn local(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t'])
        && next.len() <= 512;
    if ours { next } else { "/setup" }
}

impl<S> FromRequestParts<S> for Visitor
where
    People: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = SignInFirst;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SignInFirst> {
        let found = People::from_ref(state).visitor(&parts.headers).await.map_err(SignInFirst::Failed)?;
        found.ok_or_else(|| {
            // A form that was sent can't be sent again by a redirect.
            let next = match parts.method {
                Method::GET | Method::HEAD => parts.uri.path_and_query().map_or("/setup", |path| path.as_str()),
                _ => "/setup",
            };
            SignInFirst::To(sign_in_path(next))
        })
    }
}

impl<S> OptionalFromRequestParts<S> for Visitor
where
    People: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PeopleError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, PeopleError> {
        People::from_ref(state).visitor(&parts.headers).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away() {
        assert_eq!(sign_in_path("/setup?step=2"), "/sign-in?next=%2Fsetup%3Fstep%3D2");
        for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example", "", "evil", "/a\r\nb"] {
            assert_eq!(local(elsewhere), "/setup", "{elsewhere:?}");
        }
    }
}
