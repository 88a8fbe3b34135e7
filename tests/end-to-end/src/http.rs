//! Plain HTTP calls, any status an answer.
use serde_json::Value;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{} {}: {e}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The answer to a call that must succeed.
    pub fn ok(self, what: &str) -> Value {
        assert!((200..300).contains(&self.status), "{what}: {} {}", self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

pub fn call(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_vec()).unwrap_or_else(|e| panic!("{method} {url}: {e}"));
    let mut answer =
        ureq::Agent::new_with_config(config).run(request).unwrap_or_else(|e| panic!("{method} {url}: {e}"));
    let pair = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    let headers = answer.headers().iter().map(pair).collect();
    let text = answer.body_mut().read_to_string().unwrap_or_else(|e| panic!("{method} {url}: {e}"));
    Answer { status: answer.status().as_u16(), headers, text }
}

/// A call with a JSON body.
pub fn json(method: &str, url: &str, bearer: Option<&str>, body: &Value) -> Answer {
    let authorization = bearer.map(|key| format!("Bearer {key}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    call(method, url, &headers, &bytes)
}
