//! What a request to Procore is made of.
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
    Company,
}

/// The tool of Procore that a request needs, and so what a 403 is likely about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Incidents,
    Observations,
    Locations,
    Webhooks,
    /// Companies and projects themselves.
    Directory,
}

impl Tool {
    pub fn words(self) -> &'static str {
        match self {
            Tool::Incidents => "Incidents",
            Tool::Observations => "Observations",
            Tool::Locations => "Locations",
            Tool::Webhooks => "Webhooks API",
            Tool::Directory => "Projects",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub effect: Effect,
    pub place: Place,
    pub tool: Tool,
}

/// One request, without what every request has.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    /// Goes into `Procore-Company-Id`; only the list of a person's companies goes without.
    pub company: Option<i64>,
    pub ask: Ask,
}

impl Request {
    pub fn get(company: i64, path: String, place: Place, tool: Tool) -> Self {
        let ask = Ask { effect: Effect::Repeatable, place, tool };
        Self { method: Method::GET, path, query: Vec::new(), body: None, company: Some(company), ask }
    }

    /// A read that belongs to no company yet.
    pub fn get_anywhere(path: &str, tool: Tool) -> Self {
        let ask = Ask { effect: Effect::Repeatable, place: Place::Company, tool };
        Self { method: Method::GET, path: path.to_owned(), query: Vec::new(), body: None, company: None, ask }
    }

    /// A write that must not happen twice unseen.
    pub fn write(company: i64, method: Method, path: String, body: Value, place: Place, tool: Tool) -> Self {
        let ask = Ask { effect: Effect::Once, place, tool };
        Self { method, path, query: Vec::new(), body: Some(body), company: Some(company), ask }
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
