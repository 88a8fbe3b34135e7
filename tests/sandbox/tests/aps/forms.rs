use reqwest::Method;
use sandbox::faults::{Effect, Rule};
use serde_json::{Value, json};

use crate::support::{Answer, Rig, rig};

const FORM: &str = "b7c1f3a2-4d55-4c0e-9a57-1f0a4b7f9d10";

fn at(rig: &Rig, version: &str, rest: &str) -> String {
    format!("/construction/forms/{version}/projects/{}/{rest}", rig.project)
}

async fn template(rig: &Rig) -> Value {
    rig.get(&at(rig, "v1", "form-templates")).await.body["data"][0].clone()
}

async fn create(rig: &Rig, body: Value) -> Answer {
    let template = template(rig).await;
    let path = at(rig, "v1", &format!("form-templates/{}/forms", template["id"].as_str().expect("an id")));
    rig.call(Method::POST, &path, Some(body)).await
}

async fn patch(rig: &Rig, body: Value) -> Answer {
    let template = template(rig).await;
    let path = at(rig, "v1", &format!("form-templates/{}/forms/{FORM}", template["id"].as_str().expect("an id")));
    rig.call(Method::PATCH, &path, Some(body)).await
}

async fn fields(rig: &Rig) -> Vec<Value> {
    let layout = template(rig).await["currentLayoutId"].as_str().expect("a layout").to_owned();
    let shown = rig.get(&at(rig, "v1", &format!("layouts/{layout}"))).await.body;
    let section = shown["sections"][0]["uid"].as_str().expect("a section");
    let section = rig.get(&at(rig, "v2", &format!("layouts/{layout}/sections/{section}"))).await.body;
    section["sectionItems"].as_array().expect("items").clone()
}

async fn write(rig: &Rig, body: Value) -> Answer {
    let path = at(rig, "v2", &format!("forms/{FORM}/values:batch-update?excludeFormResponse=true"));
    rig.call(Method::PUT, &path, Some(body)).await
}

#[tokio::test]
async fn a_day_becomes_a_form_with_values_and_is_submitted_last() {
    let rig = rig().await;
    let made = create(&rig, json!({"id": FORM, "formDate": "2026-05-06", "notes": "4 alerts"})).await;
    assert_eq!((made.status, &made.body["status"]), (200, &json!("draft")), "{}", made.body);
    let fields = fields(&rig).await;
    assert_eq!((&fields[0]["label"], &fields[0]["valueName"]), (&json!("Alerts"), &json!("numberVal")));
    let value = json!({"fieldId": fields[0]["uid"], "numberVal": 4});
    assert_eq!(write(&rig, json!({"customValues": [value]})).await.status, 204);
    let row = json!({"id": "2f1c5b1e-0a0b-4c0d-8e0f-101112131415", "schema": "worklogEntries",
        "columns": [{"columnName": "timespan", "timespanVal": 3600000}]});
    assert_eq!(write(&rig, json!({"tabularValues": [row]})).await.status, 204);
    let values = rig.get(&at(&rig, "v2", &format!("forms/{FORM}/values"))).await.body;
    assert_eq!(values["data"][0]["numberVal"], 4);
    let listed = rig.get(&at(&rig, "v2", &format!("forms?ids={FORM}&formDateMin=2026-05-06"))).await.body;
    assert_eq!(listed["data"][0]["status"], "inProgress", "v2 has words of its own");
    assert_eq!(patch(&rig, json!({"status": "submitted"})).await.body["status"], "submitted");
    let late = json!({"fieldId": fields[0]["uid"], "numberVal": 5});
    assert_eq!(write(&rig, json!({"customValues": [late]})).await.status, 409);
    assert_eq!(patch(&rig, json!({"notes": "late"})).await.status, 409);
    assert_eq!(rig.sandbox.forms(&rig.project)[0].rows.len(), 1);
    rig.clean();
}

#[tokio::test]
async fn eleven_values_or_a_value_of_another_kind_are_refused() {
    let rig = rig().await;
    create(&rig, json!({"id": FORM})).await;
    let fields = fields(&rig).await;
    let value = json!({"fieldId": fields[0]["uid"], "numberVal": 4});
    assert_eq!(write(&rig, json!({"customValues": vec![value.clone(); 11]})).await.status, 400);
    let text = json!({"fieldId": fields[0]["uid"], "textVal": "four"});
    assert_eq!(write(&rig, json!({"customValues": [value, text]})).await.status, 400);
    assert!(rig.sandbox.forms(&rig.project)[0].values.is_empty(), "all of it or nothing");
    assert_eq!(create(&rig, json!({"name": "n".repeat(101)})).await.status, 400);
    assert_eq!(create(&rig, json!({"formDate": "1949-12-31"})).await.status, 400);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_by_the_id_that_was_sent() {
    let rig = rig().await;
    rig.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("createForm").times(1));
    let template = template(&rig).await["id"].as_str().expect("an id").to_owned();
    let url = format!("{}{}", rig.sandbox.url(), at(&rig, "v1", &format!("form-templates/{template}/forms")));
    assert!(rig.http.post(url).bearer_auth(&rig.token).json(&json!({"id": FORM})).send().await.is_err());
    assert_eq!(create(&rig, json!({"id": FORM})).await.status, 409);
    let found = rig.get(&at(&rig, "v2", &format!("forms?ids={FORM}"))).await.body;
    assert_eq!(found["data"][0]["id"], FORM);
    assert_eq!(patch(&rig, json!({"status": "discarded"})).await.status, 200);
    assert_eq!(rig.get(&at(&rig, "v2", "forms")).await.body["data"], json!([]), "discarded ones do not come back");
    rig.clean();
}

#[tokio::test]
async fn all_customers_share_one_limit_and_the_app_alone_has_none() {
    let mut rig = rig().await;
    rig.sandbox.set(|settings| settings.forms_per_minute = 1);
    let forms = at(&rig, "v2", "forms");
    // Where the minute turns between two calls, it is tried again.
    let mut refused = 0;
    for _ in 0..3 {
        rig.sandbox.advance(60);
        assert_eq!(rig.get(&forms).await.status, 200);
        rig.sign_in("safety.manager@example.com").await;
        refused = rig.get(&forms).await.status;
        if refused == 429 {
            break;
        }
    }
    assert_eq!(refused, 429, "another user, the same limit");
    let alone = rig.oauth(json!({"grant_type": "client_credentials", "scope": "data:read"})).await;
    rig.token = alone.body["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(rig.get(&forms).await.status, 401);
}
