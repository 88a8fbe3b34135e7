use sandbox::faults::{Effect, Rule};
use serde_json::{Value, json};

use crate::support::{Answer, REDIRECT, Rig, read, rig, token_body};

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
    let first = rig.grant("company.admin@example.com").await;
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
    let grant = rig.grant("company.admin@example.com").await;
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

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn browse(rig: &Rig, path: &str, cookie: &str) -> Answer {
    let request = rig.http.get(format!("{}{path}", rig.sandbox.url())).header("cookie", cookie);
    read(request.send().await.expect("answered")).await
}

async fn send(rig: &Rig, path: &str, cookie: &str, form: Value) -> Answer {
    let request = rig.http.post(format!("{}{path}", rig.sandbox.url())).header("cookie", cookie);
    read(request.form(&form).send().await.expect("answered")).await
}

#[tokio::test]
async fn a_person_logs_in_and_is_asked_for_consent() {
    let rig = rig().await;
    let ask = format!("/oauth/authorize?response_type=code&client_id=sandbox-client&redirect_uri={REDIRECT}&state=s1");
    let page = browse(&rig, &ask, "").await;
    let text = page.body.as_str().expect("a page");
    assert!(text.contains("<h1>Log in</h1>") && text.contains("regional.safety@example.com"), "{text}");
    assert!(!text.contains("service+"), "a service account signs in nowhere");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let login = send(&rig, "/login", "", json!({"login": "regional.safety@example.com", "then": ask})).await;
    assert_eq!((login.status, login.header("location")), (303, ask.as_str()));
    let cookie = cookie(&login);
    let asked = browse(&rig, &ask, &cookie).await;
    let text = asked.body.as_str().expect("a page");
    assert!(text.contains("Regional Safety Manager") && text.contains("Allow"), "{text}");
    let said = |decision: &str| {
        json!({"response_type": "code", "client_id": "sandbox-client", "redirect_uri": REDIRECT, "state": "s1",
            "decision": decision})
    };
    let denied = send(&rig, "/consent", &cookie, said("deny")).await;
    assert_eq!(denied.header("location"), "http://localhost?error=access_denied&state=s1");
    let allowed = send(&rig, "/consent", &cookie, said("allow")).await;
    let code = allowed.header("location").strip_prefix("http://localhost?code=").expect("a code").to_owned();
    let code = code.strip_suffix("&state=s1").expect("the state");
    let body = token_body("authorization_code", json!({"code": code, "redirect_uri": REDIRECT}));
    assert_eq!(rig.oauth(body).await.status, 200);
    let nobody = send(&rig, "/consent", "", said("allow")).await;
    assert!(nobody.body.as_str().is_some_and(|text| text.contains("Log in")), "who is not signed in cannot agree");
    rig.clean();
}

#[tokio::test]
async fn logging_in_leads_nowhere_else() {
    let rig = rig().await;
    for then in ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"] {
        let login = send(&rig, "/login", "", json!({"login": "no.app@example.com", "then": then})).await;
        assert_eq!(login.header("location"), "/", "{then}");
    }
    assert_eq!(send(&rig, "/login", "", json!({"login": "nobody@example.com"})).await.status, 422);
}

#[tokio::test]
async fn a_code_lives_ten_minutes_and_belongs_to_its_address() {
    let rig = rig().await;
    let exchange = |code: String, redirect: &str| {
        rig.oauth(token_body("authorization_code", json!({"code": code, "redirect_uri": redirect})))
    };
    let code = rig.code("company.admin@example.com").await;
    rig.sandbox.advance(601);
    assert_eq!(exchange(code, REDIRECT).await.body["error"], "invalid_grant");
    let code = rig.code("company.admin@example.com").await;
    assert_eq!(exchange(code.clone(), "urn:ietf:wg:oauth:2.0:oob").await.status, 401);
    assert_eq!(exchange(code, REDIRECT).await.status, 401, "the failed exchange used it up");
    let code = rig.code("company.admin@example.com").await;
    rig.sandbox.advance(599);
    assert_eq!(exchange(code, REDIRECT).await.status, 200);
    rig.clean();
}

#[tokio::test]
async fn parameters_of_pkce_are_passed_over() {
    let rig = rig().await;
    rig.sandbox.set(|settings| settings.consent_as = Some("company.admin@example.com".to_owned()));
    let url = format!(
        "{}/oauth/authorize?response_type=code&client_id=sandbox-client&redirect_uri={REDIRECT}&code_challenge=x&code_challenge_method=S256",
        rig.sandbox.url()
    );
    let answer = read(rig.http.get(url).send().await.expect("answered")).await;
    let code = answer.header("location").split_once("code=").expect("a code").1;
    let more = json!({"code": code, "redirect_uri": REDIRECT, "code_verifier": "not what was challenged"});
    assert_eq!(rig.oauth(token_body("authorization_code", more)).await.status, 200);
    rig.clean();
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_is_answered() {
    let rig = rig().await;
    let grant = rig.grant("company.admin@example.com").await;
    let refresh = token_body("refresh_token", json!({"refresh_token": grant["refresh_token"]}));
    let calls = (0..20).map(|_| rig.oauth(refresh.clone()));
    let answers = futures::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let won = answers.iter().find(|answer| answer.status == 200).expect("one");
    let onwards = token_body("refresh_token", json!({"refresh_token": won.body["refresh_token"]}));
    rig.sandbox.set(|settings| settings.reused_refresh_ends_grant = true);
    assert_eq!(rig.oauth(refresh).await.status, 401);
    assert_eq!(rig.oauth(onwards).await.status, 401, "the reuse ended what the winner got, too");
}

#[tokio::test]
async fn a_refresh_token_may_die_by_itself() {
    let rig = rig().await;
    let grant = rig.grant("company.admin@example.com").await;
    rig.sandbox.burn_refresh_tokens();
    let refresh = token_body("refresh_token", json!({"refresh_token": grant["refresh_token"]}));
    assert_eq!(rig.oauth(refresh).await.body["error"], "invalid_grant");
}

#[tokio::test]
async fn a_consent_that_one_person_takes_back_ends_theirs_alone() {
    let rig = rig().await;
    let theirs = rig.grant("company.admin@example.com").await;
    let other = rig.grant("regional.safety@example.com").await;
    rig.sandbox.take_consent_back("company.admin@example.com");
    let renew = |grant: &Value| token_body("refresh_token", json!({"refresh_token": grant["refresh_token"]}));
    assert_eq!(rig.oauth(renew(&theirs)).await.body["error"], "invalid_grant");
    assert_eq!(rig.oauth(renew(&other)).await.status, 200);
}
