//! A sandbox with a token, and short ways to call it.

use reqwest::{Client, Method, RequestBuilder, Response};
use sandbox::procore::{Options, Running, Sandbox, Settings};
use serde_json::{Value, json};

pub struct Rig {
    pub sandbox: Running,
    pub http: Client,
    pub token: String,
    pub company: i64,
    pub project: i64,
}

pub const REDIRECT: &str = "http://localhost";

pub fn token_body(grant: &str, more: Value) -> Value {
    let mut body = json!({"grant_type": grant, "client_id": "sandbox-client", "client_secret": "sandbox-secret"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("header is text"))
    }

    pub fn id(&self) -> i64 {
        self.body["id"].as_i64().unwrap_or_else(|| panic!("no id in {} {}", self.status, self.body))
    }
}

pub async fn rig() -> Rig {
    rig_with(Options::default()).await
}

/// A clock that stands at a full hour until the test moves it.
pub async fn standing() -> Rig {
    let at: jiff::Timestamp = "2026-05-06T14:00:00Z".parse().expect("a time");
    rig_with(Options { now: std::sync::Arc::new(move || at), ..Options::default() }).await
}

pub async fn rig_with(mut options: Options) -> Rig {
    options.settings = Settings { check_answers: true, ..options.settings };
    let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("client");
    let company = sandbox.companies()[0].id;
    let project = sandbox.projects(company)[0].id;
    let mut rig = Rig { sandbox, http, token: String::new(), company, project };
    rig.token = rig.service_token().await;
    rig
}

impl Rig {
    pub async fn service_token(&self) -> String {
        let answer = self.oauth(token_body("client_credentials", json!({}))).await;
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// A code that this person agreed to.
    pub async fn code(&self, login: &str) -> String {
        self.sandbox.set(|settings| settings.consent_as = Some(login.to_owned()));
        let url = format!(
            "{}/oauth/authorize?response_type=code&client_id=sandbox-client&redirect_uri={REDIRECT}&state=abc",
            self.sandbox.url()
        );
        let answer = read(self.http.get(url).send().await.expect("answered")).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        let query = answer.header("location").strip_prefix("http://localhost?code=").expect("a code");
        query.strip_suffix("&state=abc").expect("the state").to_owned()
    }

    /// The tokens of this person.
    pub async fn grant(&self, login: &str) -> Value {
        let code = self.code(login).await;
        let body = token_body("authorization_code", json!({"code": code, "redirect_uri": REDIRECT}));
        let granted = self.oauth(body.clone()).await;
        assert_eq!(granted.status, 200, "{}", granted.body);
        assert_eq!(self.oauth(body).await.status, 401, "a code works once");
        granted.body
    }

    pub async fn sign_in(&mut self, login: &str) {
        self.token = self.grant(login).await["access_token"].as_str().expect("a token").to_owned();
    }

    pub async fn oauth(&self, form: Value) -> Answer {
        read(self.http.post(format!("{}/oauth/token", self.sandbox.url())).form(&form).send().await.expect("answered"))
            .await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.url());
        self.http.request(method, url).bearer_auth(&self.token).header("Procore-Company-Id", self.company)
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path).send().await.expect("answered")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        read(self.request(Method::POST, path).json(&body).send().await.expect("answered")).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        read(self.request(Method::PATCH, path).json(&body).send().await.expect("answered")).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        read(self.request(Method::DELETE, path).send().await.expect("answered")).await
    }

    pub fn project_path(&self, rest: &str) -> String {
        format!("/rest/v1.0/projects/{}/{rest}", self.project)
    }

    pub async fn incident(&self, title: &str) -> i64 {
        let answer = self.post(&self.project_path("incidents"), json!({"incident": {"title": title}})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.id()
    }

    pub fn safety_type(&self) -> i64 {
        let types = self.sandbox.observation_types(self.company);
        types.iter().find(|kind| kind.category_key == "safety").expect("a safety type").id
    }

    pub fn observation_body(&self, name: &str) -> Value {
        json!({"project_id": self.project, "observation": {"name": name, "type_id": self.safety_type()}})
    }

    pub async fn observation(&self, name: &str) -> i64 {
        let answer = self.post("/rest/v1.0/observations/items", self.observation_body(name)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.id()
    }

    /// Nothing that was asked broke the document, and no answer did.
    pub fn clean(&self) {
        assert_eq!(self.sandbox.violations(), []);
        assert_eq!(self.sandbox.own_problems(), Vec::<String>::new());
    }
}

pub async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("body");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}
