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
    /// A field of a form that is sent before anybody is signed in; that it came from a page of ours was checked before.
    pub fn before_sign_in(&self, name: &str) -> &str {
        self.0.iter().find(|(each, _)| each == name).map_or("", |(_, value)| value.trim())
    }

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

    /// Fields whose names begin so, by what follows.
    pub fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.trim())))
    }

    /// All values of a field that may come several times.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(each, _)| each == name).map(|(_, value)| value.trim())
    }
}

/// What is wrong with a form, by the id of the field.
#[derive(Debug, Default)]
pub struct Errors(Vec<(String, String)>);

impl Errors {
    pub fn add(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.0.push((field.into(), sentence.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(each, _)| each == field)
    }

    /// Above the form: all of it, each with a link to its field.
    pub fn summary(&self) -> Markup {
        html! { @if !self.is_empty() {
            div.errors #errors role="alert" {
                h2 { "Not saved yet" }
                ul { @for (field, sentence) in &self.0 { li { a href={ "#" (field) } { (sentence) } } } }
            }
        } }
    }

    /// At the field, which names it by `aria-describedby`.
    pub fn at(&self, field: &str) -> Markup {
        html! { @for (_, sentence) in self.0.iter().filter(|(each, _)| each == field) {
            p.error id={ (field) "-error" } { (sentence) }
        } }
    }

    pub fn described(&self, field: &str) -> Option<String> {
        self.has(field).then(|| format!("{field}-error"))
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
