//! A sandbox with a service account's token, and short ways to call it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Method};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use sandbox::aps::{Options, Running, SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_KEY_ID, Sandbox, Settings};
use serde_json::{Value, json};

pub struct Rig {
    pub sandbox: Running,
    pub http: Client,
    pub token: String,
    pub project: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

pub const SERVICE: &str = "SBXSERVICE01";

pub async fn rig() -> Rig {
    let settings = Settings { check_answers: true, ..Settings::default() };
    let sandbox = Sandbox::start(Options { settings, ..Options::default() }).await.expect("the sandbox starts");
    // A second install in one process is refused harmlessly.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("client");
    let project = sandbox.projects()[0].id.clone();
    let mut rig = Rig { sandbox, http, token: String::new(), project };
    rig.token = rig.service_token().await;
    rig
}

pub fn assertion(claims: &Value) -> String {
    let body: String = SERVICE_ACCOUNT_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).expect("PEM");
    let key = RsaKeyPair::from_der(&der).expect("an RSA key");
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": SERVICE_ACCOUNT_KEY_ID});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("signed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

impl Rig {
    pub fn claims(&self) -> Value {
        json!({"iss": "sandbox-client", "sub": SERVICE, "exp": self.sandbox.now().as_second() + 290,
            "aud": "https://developer.api.autodesk.com/authentication/v2/token",
            "scope": ["data:read", "data:write", "data:create", "account:read"]})
    }

    pub async fn assert_with(&self, claims: &Value) -> Answer {
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.oauth(json!({"grant_type": grant, "assertion": assertion(claims)})).await
    }

    pub async fn service_token(&self) -> String {
        let answer = self.assert_with(&self.claims()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body.get("refresh_token"), None);
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    pub async fn oauth(&self, form: Value) -> Answer {
        let url = format!("{}/authentication/v2/token", self.sandbox.url());
        let request = self.http.post(url).basic_auth("sandbox-client", Some("sandbox-secret"));
        read(request.form(&form).send().await.expect("answered")).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.sandbox.url())).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        read(request.send().await.expect("answered")).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub fn issues(&self, rest: &str) -> String {
        format!("/construction/issues/v1/projects/{}/issues{rest}", self.project)
    }

    pub fn body(&self, title: &str) -> Value {
        let subtypes = self.sandbox.subtypes();
        let safety = subtypes.iter().find(|one| one.project_id == self.project).expect("a subtype");
        json!({"title": title, "issueSubtypeId": safety.id, "status": "open", "published": true})
    }

    pub async fn issue(&self, body: Value) -> String {
        let answer = self.call(Method::POST, &self.issues(""), Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["id"].as_str().expect("an id").to_owned()
    }

    pub async fn sign_in(&mut self, email: &str) -> Value {
        self.sandbox.set(|settings| settings.consent_as = Some(email.to_owned()));
        let url = format!(
            "{}/authentication/v2/authorize?response_type=code&client_id=sandbox-client&redirect_uri=http://localhost/callback&scope=data:read%20data:write%20data:create&state=s1",
            self.sandbox.url()
        );
        let asked = read(self.http.get(url).send().await.expect("answered")).await;
        let location = asked.headers["location"].to_str().expect("text").to_owned();
        let code = location.strip_prefix("http://localhost/callback?code=").expect("a code");
        let code = code.strip_suffix("&state=s1").expect("the state");
        let body =
            json!({"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost/callback"});
        let granted = self.oauth(body).await;
        assert_eq!(granted.status, 200, "{}", granted.body);
        self.token = granted.body["access_token"].as_str().expect("a token").to_owned();
        granted.body
    }

    pub fn clean(&self) {
        assert_eq!(self.sandbox.violations(), []);
        assert_eq!(self.sandbox.own_problems(), Vec::<String>::new());
    }
}

pub async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("body");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}
