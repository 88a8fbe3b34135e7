use sandbox::procore::Level;
use serde_json::{Value, json};

use crate::support::{Rig, rig};

#[tokio::test]
async fn a_company_and_a_project_that_are_not_the_callers() {
    let mut rig = rig().await;
    let home = rig.company;
    let away = rig.sandbox.companies()[1].id;
    assert_eq!(rig.get(&format!("/rest/v1.0/companies/{away}/hazards")).await.status, 403);
    rig.company = away;
    assert_eq!(rig.get(&rig.project_path("incidents")).await.status, 404, "the project is not in that company");
    rig.company = 12;
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 403);
    rig.company = home;
    rig.clean();
}

#[tokio::test]
async fn permitted_projects_and_switched_off_tools() {
    let rig = rig().await;
    let others = rig.sandbox.projects(rig.company)[1].id;
    rig.sandbox.set_permitted_projects(rig.company, Some([others].into()));
    assert_eq!(rig.get(&rig.project_path("incidents")).await.status, 403);
    let listed = rig.get(&format!("/rest/v1.1/projects?company_id={}&view=ids", rig.company)).await.body;
    assert_eq!(listed, json!([others]));
    rig.sandbox.set_permitted_projects(rig.company, None);
    rig.sandbox.set_tool(rig.project, "incidents", false);
    assert_eq!(rig.get(&rig.project_path("incidents")).await.status, 403);
    assert_eq!(rig.get(&rig.project_path("notes_logs")).await.status, 200);
    rig.clean();
}

#[tokio::test]
async fn an_uninstalled_app_may_only_list_companies() {
    let rig = rig().await;
    rig.sandbox.set_connected(rig.company, false);
    let refused = rig.get(&rig.project_path("incidents")).await;
    assert_eq!((refused.status, refused.body), (403, json!({"errors": ["App is not connected to this company."]})));
    assert_eq!(rig.get("/rest/v1.0/companies").await.body.as_array().map(Vec::len), Some(1));
    rig.clean();
}

#[tokio::test]
async fn a_standard_service_account_edits_its_own_only() {
    let rig = rig().await;
    let ours = rig.incident("ours").await;
    let theirs =
        serde_json::from_value(json!({"kind": "incident", "project_id": rig.project, "fields": {"title": "theirs"}}));
    let theirs = rig.sandbox.person_edit(&theirs.expect("an edit")).expect("made");
    rig.sandbox.set_service_level(rig.company, Level::Standard);
    let path = |id: i64| rig.project_path(&format!("incidents/{id}"));
    let body = || json!({"incident": {"title": "new"}});
    assert_eq!(rig.patch(&path(ours), body()).await.status, 200);
    assert_eq!(rig.patch(&path(theirs), body()).await.status, 403);
    rig.sandbox.set_service_level(rig.company, Level::ReadOnly);
    assert_eq!(rig.post(&rig.project_path("incidents"), body()).await.status, 403);
    rig.clean();
}

async fn names(rig: &Rig, path: &str) -> Vec<String> {
    let answer = rig.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    let rows = answer.body.as_array().expect("a list").clone();
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_person_of_two_companies_sees_some_projects_of_each() {
    let mut rig = rig().await;
    let (first, second) = (rig.company, rig.sandbox.companies()[1].id);
    rig.sign_in("regional.safety@example.com").await;
    assert_eq!(names(&rig, "/rest/v1.0/companies").await, ["Sandbox Contractor", "Second Sandbox Contractor"]);
    assert_eq!(names(&rig, &format!("/rest/v1.1/projects?company_id={first}")).await, ["Depot B", "Tower A"]);
    let hidden = rig.sandbox.projects(first)[2].id;
    assert_eq!(rig.get(&format!("/rest/v1.0/projects/{hidden}?company_id={first}")).await.status, 403);
    let here = rig.get("/rest/v1.0/me").await.body["id"].clone();
    rig.company = second;
    assert_eq!(names(&rig, &format!("/rest/v1.1/projects?company_id={second}")).await, ["Torre Norte"]);
    let there = rig.get(&format!("/rest/v1.0/me?company_id={second}")).await.body;
    assert_eq!((&there["id"], &there["name"]), (&here, &json!("Regional Safety Manager")), "one id everywhere");
    rig.company = first;
    rig.sign_in("company.admin@example.com").await;
    let all = names(&rig, &format!("/rest/v1.1/projects?company_id={first}")).await;
    assert_eq!(all, ["Depot B", "Hospital C", "Tower A"]);
    rig.company = second;
    assert_eq!(rig.get(&format!("/rest/v1.1/projects?company_id={second}")).await.status, 403);
    rig.clean();
}

#[tokio::test]
async fn a_person_may_sign_in_where_the_app_is_not_installed() {
    let mut rig = rig().await;
    rig.company = rig.sandbox.companies()[2].id;
    rig.sign_in("no.app@example.com").await;
    assert_eq!(names(&rig, "/rest/v1.0/companies").await, ["Third Sandbox Contractor"]);
    let projects = format!("/rest/v1.1/projects?company_id={}", rig.company);
    let refused = rig.get(&projects).await;
    assert_eq!((refused.status, refused.body), (403, json!({"errors": ["App is not connected to this company."]})));
    assert!(rig.sandbox.install(rig.company));
    assert_eq!(names(&rig, &projects).await, ["Bridge D"]);
    rig.token = rig.service_token().await;
    assert_eq!(rig.get(&projects).await.body, json!([]), "no project is permitted until an admin picks one");
    rig.clean();
}

#[tokio::test]
async fn companies_of_the_service_account_are_those_with_the_app() {
    let rig = rig().await;
    assert_eq!(names(&rig, "/rest/v1.0/companies").await, ["Sandbox Contractor", "Second Sandbox Contractor"]);
    let url = format!("{}/rest/v1.0/companies", rig.sandbox.url());
    let nameless = rig.http.get(url).bearer_auth(&rig.token).send().await.expect("answered");
    assert_eq!(nameless.status(), 400, "a service account names a company even there");
    let base = rig.get("/rest/v1.0/company_base_url").await.body;
    assert_eq!(base["web_base_url"], Value::String(rig.sandbox.url().to_owned()));
}
