use sandbox::procore::Level;
use serde_json::json;

use crate::support::rig;

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
