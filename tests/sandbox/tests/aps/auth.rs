use sandbox::faults::{Effect, Rule};
use serde_json::{Value, json};

use crate::support::{read, rig};

#[tokio::test]
async fn an_assertion_must_hold_in_every_claim() {
    let rig = rig().await;
    let now = rig.sandbox.now().as_second();
    let wrong = [
        ("iss", json!("another")),
        ("sub", json!("SBXMANAGER01")),
        ("aud", json!("https://elsewhere.example")),
        ("exp", json!(now - 1)),
        ("exp", json!(now + 400)),
        ("scope", json!("data:read data:write")),
    ];
    for (claim, value) in wrong {
        let mut claims = rig.claims();
        claims[claim] = value;
        assert_eq!(rig.assert_with(&claims).await.body["error"], "invalid_grant", "{claims}");
    }
    rig.clean();
}

#[tokio::test]
async fn credentials_stand_in_one_place_and_the_app_alone_has_no_issues() {
    let mut rig = rig().await;
    let both = json!({"grant_type": "client_credentials", "scope": "data:read", "client_id": "sandbox-client",
        "client_secret": "sandbox-secret"});
    assert_eq!(rig.oauth(both).await.status, 400);
    let alone = rig.oauth(json!({"grant_type": "client_credentials", "scope": "data:read account:read"})).await;
    rig.token = alone.body["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(rig.get("/project/v1/hubs").await.status, 200);
    assert_eq!(rig.get(&rig.issues("")).await.status, 401);
    rig.clean();
}

#[tokio::test]
async fn a_refresh_token_works_once_even_if_its_answer_is_lost() {
    let mut rig = rig().await;
    let first = rig.sign_in("safety.manager@example.com").await;
    let refresh = |token: &Value| json!({"grant_type": "refresh_token", "refresh_token": token["refresh_token"]});
    let second = rig.oauth(refresh(&first)).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(rig.oauth(refresh(&first)).await.body["error"], "invalid_grant");
    rig.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("fetchToken").times(1));
    let url = format!("{}/authentication/v2/token", rig.sandbox.url());
    let lost = rig.http.post(url).basic_auth("sandbox-client", Some("sandbox-secret")).form(&refresh(&second.body));
    assert!(lost.send().await.is_err());
    assert_eq!(rig.oauth(refresh(&second.body)).await.status, 400);
    rig.clean();
}

#[tokio::test]
async fn a_person_is_asked_and_may_deny() {
    let rig = rig().await;
    let ask = "response_type=code&client_id=sandbox-client&redirect_uri=http://localhost/callback&scope=data:read";
    let url = |more: &str| format!("{}/authentication/v2/authorize?{ask}{more}", rig.sandbox.url());
    let page = read(rig.http.get(url("&state=s1")).send().await.expect("answered")).await;
    assert!(page.body.as_str().is_some_and(|text| text.contains("Safety Manager")), "{}", page.body);
    let odd = read(rig.http.get(url("&state=a%2Bb")).send().await.expect("answered")).await;
    assert_eq!(odd.status, 400, "the state's alphabet is small");
    let said = json!({"client_id": "sandbox-client", "redirect_uri": "http://localhost/callback", "scope": "data:read",
        "state": "s1", "user": "SBXMANAGER01", "decision": "deny"});
    let denied = rig.http.post(format!("{}/consent", rig.sandbox.url())).form(&said).send().await.expect("answered");
    let location = denied.headers()["location"].to_str().expect("text");
    assert_eq!(location, "http://localhost/callback?error=access_denied&state=s1");
}

#[tokio::test]
async fn prefixes_and_regions_are_told_apart() {
    let mut rig = rig().await;
    let hubs = rig.get("/project/v1/hubs").await.body;
    let hub = hubs["data"][0]["id"].as_str().expect("an id");
    assert_eq!(hubs["data"][1]["attributes"]["region"], "EMEA");
    let bare = hub.strip_prefix("b.").expect("the prefix");
    assert_eq!(rig.get(&format!("/project/v1/hubs/{bare}/projects")).await.status, 404);
    let listed = rig.get(&format!("/project/v1/hubs/{hub}/projects")).await.body;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(3), "active ones only");
    let shown = rig.get(&format!("/construction/admin/v1/projects/{}", rig.project)).await.body;
    assert_eq!(shown["timezone"], "America/Los_Angeles");
    let abroad = rig.sandbox.projects()[4].id.clone();
    assert_eq!(rig.get(&format!("/construction/admin/v1/projects/{abroad}")).await.status, 404, "another region");
    rig.sign_in("outsider@example.com").await;
    let nothing = rig.get("/project/v1/hubs").await;
    assert_eq!((nothing.status, &nothing.body["data"]), (200, &json!([])));
    assert_eq!(nothing.body["meta"]["warnings"][0]["ErrorCode"], "BIM360DM_ERROR");
    rig.clean();
}
