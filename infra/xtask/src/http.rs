//! Plain HTTP to this machine: the emulator, the sandbox, our own API.
use crate::error::{Error, Result, unexpected};
use serde_json::Value;
use std::time::Duration;

pub struct Answer {
    pub status: u16,
    pub body: String,
}

pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Result<Answer> {
    let what = || format!("{method} {url}");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.unwrap_or_default().to_vec()).map_err(|e| unexpected(&what(), e))?;
    let call = |source| Error::Call { what: what(), source: Box::new(source) };
    let mut response = agent.run(request).map_err(call)?;
    let body = response.body_mut().read_to_string().map_err(call)?;
    Ok(Answer { status: response.status().as_u16(), body })
}

impl Answer {
    pub fn ok(self, what: &str) -> Result<Self> {
        match self.status {
            200..300 => Ok(self),
            status => Err(Error::Answer { what: what.into(), status, body: self.body }),
        }
    }

    pub fn json(&self, what: &str) -> Result<Value> {
        serde_json::from_str(&self.body).map_err(|e| unexpected(what, e))
    }
}

/// A member that must be text (or a number, as text).
pub fn text(value: &Value, member: &str, what: &str) -> Result<String> {
    match &value[member] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(unexpected(what, format!("no `{member}` in {value}"))),
    }
}
