//! Forms as browsers send them, with the session's token checked before a handler sees a value.
use crate::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use maud::{Markup, html};
use people::{Visitor, csrf, token};

/// The hidden field of every form.
pub fn token_field(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(csrf::FIELD) value=(visitor.session.csrf); }
}

/// What a form carried. Its values are to be had only through [`Form::verified`].
#[derive(Debug)]
pub struct Form(Vec<(String, String)>);

/// The values of a form whose token was right.
#[derive(Debug)]
pub struct Values(Vec<(String, String)>);

impl Form {
    pub fn verified(self, visitor: &Visitor) -> Result<Values, Refusal> {
        let given = self.0.iter().find(|(name, _)| name == csrf::FIELD).map_or("", |(_, value)| value);
        match token::same(given, &visitor.session.csrf) {
            true => Ok(Values(self.0)),
            false => Err(Refusal::stale_form()),
        }
    }
}

impl Values {
    /// The trimmed value of a field; empty where it was left out.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(each, _)| each == name).map_or("", |(_, value)| value.trim())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Refusal::unreadable());
        }
        let body = Bytes::from_request(request, state).await.map_err(|_| Refusal::unreadable())?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }
}
