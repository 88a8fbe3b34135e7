use serde_json::{Value, json};

use crate::support::{Answer, Rig, read, rig, standing};

async fn control(rig: &Rig, path: &str, body: Value) -> Answer {
    let url = format!("{}/_control/{path}", rig.sandbox.url());
    read(rig.http.post(url).json(&body).send().await.expect("answered")).await
}

async fn state(rig: &Rig) -> Value {
    let url = format!("{}/_control/state", rig.sandbox.url());
    read(rig.http.get(url).send().await.expect("answered")).await.body
}

#[tokio::test]
async fn faults_limits_and_clock_over_http() {
    let rig = standing().await;
    let fault = json!({"operation_id": "createIncident", "times": 1, "effect": {"kind": "lost_after"}});
    assert_eq!(control(&rig, "faults", fault).await.status, 201);
    let lost =
        rig.request(reqwest::Method::POST, &rig.project_path("incidents")).json(&json!({"incident": {}})).send().await;
    assert!(lost.is_err());
    assert_eq!(state(&rig).await["incidents"].as_array().map(Vec::len), Some(1));
    assert_eq!(control(&rig, "limits", json!({"per_hour": 1, "per_ten_seconds": 1})).await.status, 204);
    control(&rig, "clock", json!({"advance_seconds": 3600})).await;
    assert_eq!(rig.get("/rest/v1.0/me").await.status, 200);
    assert_eq!(rig.get("/rest/v1.0/me").await.status, 429);
    assert_eq!(control(&rig, "settings", json!({"list_lag_seconds": 9})).await.body["list_lag_seconds"], 9);
    assert_eq!(control(&rig, "settings", json!({"lst_lag_seconds": 9})).await.status, 422);
    assert_eq!(control(&rig, "faults", json!({"effect": {"kind": "nonsense"}})).await.status, 422);
}

#[tokio::test]
async fn a_persons_edit_has_another_author_and_moves_updated_at() {
    let rig = rig().await;
    let id = rig.incident("ours").await;
    rig.sandbox.advance(60);
    let before = rig.sandbox.incidents(rig.project)[0].clone();
    let edit = json!({"kind": "incident", "id": id, "fields": {"title": "theirs"}});
    assert_eq!(control(&rig, "person-edit", edit).await.status, 200);
    let after = rig.sandbox.incidents(rig.project)[0].clone();
    assert_eq!(after.title.as_deref(), Some("theirs"));
    assert!(after.updated_at > before.updated_at && after.updated_by != before.updated_by);
    let injury = json!({"kind": "injury", "fields": {"incident_id": id, "treatment_provider": "Clinic"}});
    assert_eq!(control(&rig, "person-edit", injury).await.status, 200);
    assert_eq!(rig.get(&rig.project_path("incidents/injuries")).await.body[0]["treatment_provider"], "Clinic");
    let gone = json!({"kind": "incident", "id": id, "action": "delete"});
    assert_eq!(control(&rig, "person-edit", gone).await.status, 200);
    assert_eq!(rig.sandbox.recycled_incidents(rig.project).len(), 1);
    assert_eq!(control(&rig, "person-edit", json!({"kind": "incident", "id": 1, "fields": {}})).await.status, 404);
}

#[tokio::test]
async fn seeds_companies_and_a_reset() {
    let rig = rig().await;
    let company = json!({"company": {"name": "Third", "projects": [{"name": "P", "tz_name": "America/Denver", "time_zone": "Mountain Time (US & Canada)"}]}});
    assert_eq!(control(&rig, "seed", company).await.status, 201);
    let project = json!({"project": {"company_id": rig.company, "name": "Q", "tz_name": "UTC", "time_zone": "UTC"}});
    assert_eq!(control(&rig, "seed", project).await.status, 201);
    assert_eq!((rig.sandbox.companies().len(), rig.sandbox.projects(rig.company).len()), (4, 4));
    let person = json!({"person": {"login": "x@example.com", "name": "X", "companies": [rig.company]}});
    assert_eq!(control(&rig, "seed", person.clone()).await.status, 201);
    assert_eq!(control(&rig, "seed", person).await.status, 422, "the login is taken");
    assert_eq!(control(&rig, &format!("companies/{}/disconnect", rig.company), json!({})).await.status, 204);
    assert!(!rig.sandbox.companies()[0].connected);
    assert_eq!(control(&rig, "reset", json!({})).await.status, 204);
    assert_eq!(rig.sandbox.companies().len(), 3);
    assert_eq!(rig.sandbox.companies()[0].id, rig.company, "ids begin again at the same place");
    assert_eq!(rig.get("/rest/v1.0/me").await.status, 401, "tokens are gone");
}

#[tokio::test]
async fn two_sandboxes_give_out_equal_ids() {
    let (one, two) = (rig().await, rig().await);
    assert_eq!(one.incident("a").await, two.incident("b").await);
}

#[tokio::test]
async fn dropping_a_sandbox_frees_its_port() {
    let rig = rig().await;
    let address = rig.sandbox.address();
    drop(rig.sandbox);
    // The listener's task ends at its next turn.
    for _ in 0..1000 {
        if tokio::net::TcpListener::bind(address).await.is_ok() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{address} is still taken");
}
