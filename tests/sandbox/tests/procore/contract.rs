use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, read, rig};

fn one_violation(rig: &Rig, about: &str) {
    let violations = rig.sandbox.violations();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].reason.contains(about), "{violations:?}");
}

#[tokio::test]
async fn what_the_document_does_not_have_is_404_and_counted() {
    let rig = rig().await;
    assert_eq!(rig.get("/rest/v1.0/projects/1/rfis").await.status, 404);
    one_violation(&rig, "no such operation");
}

#[tokio::test]
async fn a_missing_company_header_is_refused_as_text_or_as_404() {
    let rig = rig().await;
    let url = format!("{}{}", rig.sandbox.url(), rig.project_path("incidents"));
    let bare = || rig.http.get(&url).bearer_auth(&rig.token).send();
    let answer = read(bare().await.expect("answered")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.as_str().is_some_and(|text| text.starts_with("Missing Procore-Company-Id header!")));
    one_violation(&rig, "Procore-Company-Id");
    rig.sandbox.set(|settings| settings.missing_header_is_404 = true);
    assert_eq!(bare().await.expect("answered").status(), 404);
    // A service account must name a company on these two as well.
    let me = format!("{}/rest/v1.0/me", rig.sandbox.url());
    assert_eq!(rig.http.get(me).bearer_auth(&rig.token).send().await.expect("answered").status(), 404);
}

#[tokio::test]
async fn misspelt_members_and_parameters_are_refused() {
    let cases: [(Method, &str, Value, u16); 7] = [
        (Method::POST, "incidents", json!({"incident": {}, "incidnt": 1}), 400),
        (Method::POST, "incidents", json!({}), 400),
        (Method::POST, "incidents", json!({"incident": {"event_date": "2026-05-06"}}), 422),
        (Method::POST, "incidents", json!({"incident": {"location_id": "12"}}), 422),
        (Method::GET, "incidents?filters[updated_at]=2026-05-06T00:00:00Z", Value::Null, 400),
        (Method::GET, "incidents?sort=updated_at", Value::Null, 400),
        (Method::GET, "incidents/injuries?filters[updated_at]=2026-05-06...2026-05-07", Value::Null, 400),
    ];
    for (method, path, body, status) in cases {
        let rig = rig().await;
        let mut request = rig.request(method, &rig.project_path(path));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = read(request.send().await.expect("answered")).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert_eq!(rig.sandbox.violations().len(), 1, "{path} {body}");
        assert!(rig.sandbox.incidents(rig.project).is_empty());
    }
}

#[tokio::test]
async fn observations_are_written_with_the_project_in_the_body() {
    let rig = rig().await;
    let mut body = rig.observation_body("x");
    body.as_object_mut().expect("an object").remove("project_id");
    let path = format!("/rest/v1.0/observations/items?project_id={}", rig.project);
    assert_eq!(rig.post(&path, body.clone()).await.status, 400);
    assert_eq!(rig.post("/rest/v1.0/observations/items", body).await.status, 400);
    assert_eq!(rig.sandbox.violations().len(), 2);
    let id = rig.observation("x").await;
    let path = format!("/rest/v1.0/observations/items/{id}");
    let partial = json!({"project_id": rig.project, "observation": {"priority": "High"}});
    assert_eq!(rig.patch(&path, partial).await.status, 422, "name and type are needed on PATCH too");
    assert_eq!(rig.get(&path).await.status, 400, "reads name the project in the query");
}

#[tokio::test]
async fn custom_fields_are_taken_where_the_document_allows_them() {
    let rig = rig().await;
    let answer = rig.post(&rig.project_path("incidents"), json!({"incident": {"custom_field_77": "k"}})).await;
    assert_eq!(answer.body["custom_fields"]["custom_field_77"]["value"], "k");
    rig.clean();
}

#[tokio::test]
async fn version_two_wraps_its_errors() {
    let rig = rig().await;
    let path = format!("/rest/v2.0/companies/{}/projects/{}/webhooks/hooks", rig.company, rig.project);
    let answer = rig.post(&path, json!({"namespace": "Not Allowed"})).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!("BAD_REQUEST")));
}
