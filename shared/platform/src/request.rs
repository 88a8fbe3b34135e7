//! What a request to a platform is made of.
use reqwest::Method;
use serde_json::Value;

/// What happens if it is carried out twice: that decides what an answer that never came means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing more than once (reads, find-or-create): an unclear answer is as good as none.
    Repeatable,
    /// A second record or comment.
    Once,
}

/// What the address names, and so what a 404 speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Record,
    Project,
    /// The platform account (Procore: the company).
    Account,
}

/// `tool`: the part of the platform that is asked, and so what a 403 is likely about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<T> {
    pub effect: Effect,
    pub place: Place,
    pub tool: T,
}

/// One request, without what every request has. `S`: in whose scope it is made (Procore: a company).
#[derive(Debug, Clone)]
pub struct Request<T, S> {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    pub scope: S,
    pub ask: Ask<T>,
}

impl<T, S> Request<T, S> {
    pub fn get(scope: impl Into<S>, path: String, place: Place, tool: T) -> Self {
        let ask = Ask { effect: Effect::Repeatable, place, tool };
        Self { method: Method::GET, path, query: Vec::new(), body: None, scope: scope.into(), ask }
    }

    /// A write that must not happen twice unseen.
    pub fn write(scope: impl Into<S>, method: Method, path: String, body: Value, place: Place, tool: T) -> Self {
        let ask = Ask { effect: Effect::Once, place, tool };
        Self { method, path, query: Vec::new(), body: Some(body), scope: scope.into(), ask }
    }

    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn repeatable(mut self) -> Self {
        self.ask.effect = Effect::Repeatable;
        self
    }
}
