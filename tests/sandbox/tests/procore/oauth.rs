use sandbox::faults::{Effect, Rule};
use serde_json::{Value, json};

use crate::support::{Rig, read, rig};

const REDIRECT: &str = "http://localhost";

fn token_body(grant: &str, more: Value) -> Value {
    let mut body = json!({"grant_type": grant, "client_id": "sandbox-client", "client_secret": "sandbox-secret"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

async fn person_grant(rig: &Rig) -> Value {
    let people = rig.sandbox.people(rig.company);
    let login =
        people.iter().find(|person| person.login.is_some() && !person.service_account).and_then(|p| p.login.clone());
    rig.sandbox.set(|settings| settings.consent_as = login);
    let url = format!(
        "{}/oauth/authorize?response_type=code&client_id=sandbox-client&redirect_uri={REDIRECT}&state=abc",
        rig.sandbox.url()
    );
    let answer = read(rig.http.get(url).send().await.expect("answered")).await;
    assert_eq!(answer.status, 302, "{}", answer.body);
    let location = answer.header("location").to_owned();
    let (_, code) = location.split_once("code=").expect("a code");
    let code = code.split('&').next().expect("a code").to_owned();
    assert!(location.ends_with("state=abc"));
    let body = token_body("authorization_code", json!({"code": code, "redirect_uri": REDIRECT}));
    let granted = rig.oauth(body.clone()).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    assert_eq!(rig.oauth(body).await.status, 401, "a code works once");
    granted.body
}

#[tokio::test]
async fn client_credentials_give_no_refresh_token() {
    let rig = rig().await;
    let answer = rig.oauth(token_body("client_credentials", json!({}))).await;
    assert_eq!(answer.body["expires_in"], 5400);
    assert_eq!(answer.body.get("refresh_token"), None);
    rig.clean();
}

#[tokio::test]
async fn a_refresh_token_works_once_and_a_failed_use_burns_it() {
    let rig = rig().await;
    let first = person_grant(&rig).await;
    let refresh = |token: &Value| token_body("refresh_token", json!({"refresh_token": token["refresh_token"]}));
    let second = rig.oauth(refresh(&first)).await;
    assert_eq!(second.status, 200);
    let again = rig.oauth(refresh(&first)).await;
    assert_eq!((again.status, again.body["error"].as_str()), (401, Some("invalid_grant")));
    let mut wrong = refresh(&second.body);
    wrong["client_secret"] = json!("not-it");
    assert_eq!(rig.oauth(wrong).await.status, 401);
    assert_eq!(rig.oauth(refresh(&second.body)).await.status, 401, "the failed use burnt it");
    rig.clean();
}

#[tokio::test]
async fn a_lost_refresh_answer_leaves_nothing_to_refresh_with() {
    let rig = rig().await;
    let grant = person_grant(&rig).await;
    rig.sandbox.faults().add(Rule::new(Effect::LostAfter).path("/oauth/token").times(1));
    let body = token_body("refresh_token", json!({"refresh_token": grant["refresh_token"]}));
    let url = format!("{}/oauth/token", rig.sandbox.url());
    assert!(rig.http.post(url).form(&body).send().await.is_err());
    assert_eq!(rig.oauth(body).await.status, 401);
}

#[tokio::test]
async fn tokens_expire_on_the_sandbox_clock_and_can_be_revoked() {
    let rig = rig().await;
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 200);
    rig.sandbox.advance(5399);
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 200);
    rig.sandbox.advance(2);
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 401);
    let token = rig.service_token().await;
    let info =
        |token: String| rig.http.get(format!("{}/oauth/token/info", rig.sandbox.url())).bearer_auth(token).send();
    assert_eq!(info(token.clone()).await.expect("answered").status(), 200);
    let revoke = json!({"token": token, "client_id": "sandbox-client", "client_secret": "sandbox-secret"});
    let url = format!("{}/oauth/revoke", rig.sandbox.url());
    assert_eq!(rig.http.post(url).form(&revoke).send().await.expect("answered").status(), 200);
    assert_eq!(info(token).await.expect("answered").status(), 401);
    rig.clean();
}

#[tokio::test]
async fn a_redirect_uri_must_be_registered_to_the_letter() {
    let rig = rig().await;
    let url = format!(
        "{}/oauth/authorize?response_type=code&client_id=sandbox-client&redirect_uri=http://localhost/",
        rig.sandbox.url()
    );
    assert_eq!(rig.http.get(url).send().await.expect("answered").status(), 400);
}

#[tokio::test]
async fn a_person_sees_the_consent_page() {
    let rig = rig().await;
    let url = format!(
        "{}/oauth/authorize?response_type=code&client_id=sandbox-client&redirect_uri={REDIRECT}",
        rig.sandbox.url()
    );
    let page = rig.http.get(url).send().await.expect("answered").text().await.expect("text");
    assert!(page.contains("Allow as Safety Manager"), "{page}");
    let form = json!({"client_id": "sandbox-client", "redirect_uri": REDIRECT, "login": ""});
    let denied = rig.http.post(format!("{}/consent", rig.sandbox.url())).form(&form).send().await.expect("answered");
    assert_eq!(read(denied).await.header("location"), "http://localhost?error=access_denied");
}
