use serde_json::{Value, json};

use crate::support::rig;

#[tokio::test]
async fn an_incident_keeps_what_was_written_as_the_platform_writes_it() {
    let rig = rig().await;
    let location = rig
        .post(
            &rig.project_path("locations/find_or_create_by_path"),
            json!({"location": {"path": ["Level 1", "Zone C"]}}),
        )
        .await;
    assert_eq!((location.status, &location.body["name"]), (201, &json!("Level 1>Zone C")));
    let again = rig
        .post(
            &rig.project_path("locations/find_or_create_by_path"),
            json!({"location": {"path": ["Level 1", "Zone C"]}}),
        )
        .await;
    assert_eq!((again.status, again.id()), (200, location.id()));
    let hazard = rig.get(&format!("/rest/v1.0/companies/{}/hazards", rig.company)).await.body[0].clone();
    let body = json!({"incident": {"title": "  Fall, Zone C, HHP-7F3K9Q2M ", "description": "a\r\nb\r\n",
        "event_date": "2026-05-06T09:41:07.25-07:00", "recordable": true, "location_id": location.id(), "hazard_id": hazard["id"]}});
    let made = rig.post(&rig.project_path("incidents"), body).await;
    assert_eq!(made.status, 201);
    assert!(made.id() > i64::from(u32::MAX) * 2);
    let shown = rig.get(&rig.project_path(&format!("incidents/{}", made.id()))).await.body;
    for (member, value) in [
        ("title", json!("Fall, Zone C, HHP-7F3K9Q2M")),
        ("description", json!("a\nb")),
        ("event_date", json!("2026-05-06T16:41:07Z")),
        ("status", json!("open")),
        ("number", json!(1)),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    assert_eq!(shown["location"]["id"], location.id());
    assert_eq!(shown["hazard"]["name"], hazard["name"]);
    let found = rig.get(&rig.project_path("incidents?filters[query]=hhp-7f3k9q2m")).await.body;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    rig.clean();
}

#[tokio::test]
async fn references_must_point_into_the_same_project_and_company() {
    let rig = rig().await;
    let other = rig.sandbox.projects(rig.company)[1].id;
    let path = format!("/rest/v1.0/projects/{other}/locations/find_or_create_by_path");
    let location = rig.post(&path, json!({"location": {"path": ["Z"]}})).await.id();
    let refused = rig.post(&rig.project_path("incidents"), json!({"incident": {"location_id": location}})).await;
    assert_eq!((refused.status, &refused.body), (422, &json!({"errors": {"location": ["must exist"]}})));
    rig.clean();
}

#[tokio::test]
async fn nested_injuries_on_patch_are_added_again() {
    let rig = rig().await;
    let injuries = json!([{"description": "<p>Cut</p>"}]);
    let made =
        rig.post(&rig.project_path("incidents"), json!({"incident": {"title": "x", "injuries": injuries}})).await;
    assert_eq!(made.body["injuries"].as_array().map(Vec::len), Some(1));
    assert_eq!(made.body["injuries"][0]["description_plain_text"], "Cut");
    let path = rig.project_path(&format!("incidents/{}", made.id()));
    let patched = rig.patch(&path, json!({"incident": {"injuries": injuries}})).await;
    assert_eq!(patched.body["injuries"].as_array().map(Vec::len), Some(2));
    let listed = rig.get(&rig.project_path("incidents/injuries")).await.body;
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    rig.clean();
}

#[tokio::test]
async fn a_filing_type_pages_people() {
    let rig = rig().await;
    let incident = rig.incident("x").await;
    assert!(rig.sandbox.alerts().is_empty());
    let body = json!({"injury": {"incident_id": incident, "filing_type": "lost_time"}});
    assert_eq!(rig.post(&rig.project_path("incidents/injuries"), body).await.status, 201);
    assert_eq!(rig.sandbox.alerts()[0].filing_type, "lost_time");
    let before = rig.sandbox.incidents(rig.project)[0].updated_at;
    rig.sandbox.advance(5);
    rig.post(&rig.project_path("incidents/injuries"), json!({"injury": {"incident_id": incident}})).await;
    assert_eq!(rig.sandbox.incidents(rig.project)[0].updated_at, before, "injuries do not move the incident");
    let parts = json!({"injury": {"incident_id": incident, "body_part_ids": [1]}});
    assert_eq!(rig.post(&rig.project_path("incidents/injuries"), parts).await.status, 422);
    rig.clean();
}

#[tokio::test]
async fn status_filters_of_observations_are_numbers() {
    let rig = rig().await;
    let id = rig.observation("x").await;
    let list = |filter: &str| format!("/rest/v1.0/observations/items?project_id={}&{filter}", rig.project);
    assert_eq!(rig.get(&list("filters[status][]=0&filters[status][]=2")).await.body[0]["id"], id);
    assert_eq!(rig.get(&list("filters[status]=3")).await.body, json!([]));
    rig.clean();
    assert_eq!(rig.get(&list("filters[status]=closed")).await.status, 400);
    assert_eq!(rig.sandbox.violations().len(), 1);
}

#[tokio::test]
async fn a_response_log_comments_and_may_close() {
    let rig = rig().await;
    let id = rig.observation("x").await;
    let path = format!("/rest/v1.0/observations/items/{id}/response_logs");
    let comment = json!({"project_id": rig.project, "response_log": {"comment": "seen "}});
    assert_eq!(rig.post(&path, comment).await.body["status"], "Initiated");
    let closing =
        json!({"project_id": rig.project, "status": "closed", "response_log": {"comment": "part of incident 4"}});
    assert_eq!(rig.post(&path, closing).await.body["status"], "Closed");
    let item = rig.get(&format!("/rest/v1.0/observations/items/{id}?project_id={}", rig.project)).await.body;
    assert_eq!(item["status"], "closed");
    assert_ne!(item["closed_at"], Value::Null);
    let logs = rig.get(&format!("{path}?project_id={}", rig.project)).await.body;
    assert_eq!(logs[0]["comment"], "seen");
    assert_eq!(logs.as_array().map(Vec::len), Some(2));
    rig.clean();
}

#[tokio::test]
async fn send_unsent_mails_everything_of_the_project() {
    let rig = rig().await;
    rig.observation("ours").await;
    rig.observation("another's").await;
    assert!(rig.sandbox.mails().is_empty(), "creating sends nothing");
    let sent = rig.post("/rest/v1.0/observations/items/send_unsent", json!({"project_id": rig.project})).await;
    assert_eq!((sent.status, rig.sandbox.mails().len()), (200, 2));
    rig.clean();
}

#[tokio::test]
async fn deleted_incidents_go_to_the_bin_and_come_back() {
    let rig = rig().await;
    let id = rig.incident("x").await;
    let path = rig.project_path(&format!("incidents/{id}"));
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.get(&path).await.status, 404);
    assert_eq!(rig.get(&rig.project_path("incidents")).await.body, json!([]));
    assert_eq!(rig.get(&rig.project_path(&format!("recycle_bin/incidents?filters[id]={id}"))).await.body[0]["id"], id);
    assert_eq!(
        rig.patch(&rig.project_path(&format!("recycle_bin/incidents/{id}/restore")), json!({})).await.status,
        200
    );
    assert_eq!(rig.get(&path).await.status, 200);
    rig.clean();
}

#[tokio::test]
async fn lists_page_with_link_and_total() {
    let rig = rig().await;
    for number in 0..5 {
        rig.incident(&format!("n{number}")).await;
    }
    let second = rig.get(&rig.project_path("incidents?per_page=2&page=2")).await;
    assert_eq!((second.header("total"), second.header("per-page")), ("5", "2"));
    assert_eq!(second.body[0]["number"], 3);
    assert!(second.header("link").contains("page=3&per_page=2>; rel=\"next\""), "{}", second.header("link"));
    let last = rig.get(&rig.project_path("incidents?per_page=2&page=3")).await;
    assert!(!last.header("link").contains("next"));
    assert_eq!(rig.get(&rig.project_path("incidents?per_page=1001")).await.status, 400);
}

#[tokio::test]
async fn notes_without_a_date_are_todays_and_a_completed_day_takes_none() {
    let rig = rig().await;
    let notes = rig.project_path("notes_logs");
    let note = |date: &str| json!({"notes_log": {"comment": "4 alerts HHP-1", "date": date}});
    let made = rig.post(&notes, note("2026-05-06")).await;
    assert_eq!(made.status, 201);
    assert_eq!(rig.get(&notes).await.body, json!([]), "only today");
    assert_eq!(rig.get(&format!("{notes}?log_date=2026-05-06&filters[status]=all")).await.body[0]["id"], made.id());
    let changed =
        rig.patch(&format!("{notes}/{}", made.id()), json!({"notes_log": {"comment": "5 alerts HHP-1"}})).await;
    assert_eq!(changed.body["comment"], "5 alerts HHP-1");
    let day = "2026-05-06".parse().expect("a date");
    assert!(rig.sandbox.complete_day(rig.project, day, true));
    let header = rig.get(&rig.project_path("daily_log_headers?log_date=2026-05-06")).await.body;
    assert_eq!(header["completed"], true);
    assert_eq!(rig.post(&notes, note("2026-05-06")).await.status, 422);
    let both = json!({"notes_log": {"date": "2026-05-07", "datetime": "2026-05-07T00:00:00Z"}});
    assert_eq!(rig.post(&notes, both).await.status, 422);
    rig.clean();
}

#[tokio::test]
async fn every_plain_list_answers_as_the_document_says() {
    let rig = rig().await;
    let (company, project) = (rig.company, rig.project);
    rig.incident("x").await;
    let id = rig.observation("y").await;
    for path in [
        "/rest/v1.0/me".to_owned(),
        "/rest/v1.0/companies".to_owned(),
        "/rest/v1.0/company_base_url".to_owned(),
        format!("/rest/v1.1/projects?company_id={company}&view=extended"),
        format!("/rest/v1.0/projects/{project}?company_id={company}"),
        format!("/rest/v1.0/projects/{project}/people"),
        format!("/rest/v1.0/projects/{project}/locations"),
        format!("/rest/v1.0/projects/{project}/incidents/configuration"),
        format!("/rest/v1.0/projects/{project}/observation_types"),
        format!("/rest/v1.0/observations/types?project_id={project}"),
        format!("/rest/v1.0/observations/items/{id}?project_id={project}"),
        format!("/rest/v1.0/observations/category_configurable_field_sets?project_id={project}"),
        format!("/rest/v1.1/projects/{project}/daily_logs/counts"),
        format!("/rest/v1.0/companies/{company}/trades"),
        format!("/rest/v1.0/companies/{company}/contributing_behaviors"),
        format!("/rest/v1.0/companies/{company}/incidents/filing_types"),
        format!("/rest/v1.0/companies/{company}/incidents/injury_filing_types"),
        format!("/rest/v1.0/companies/{company}/incidents/severity_levels"),
        format!("/rest/v1.0/companies/{company}/incidents/body_parts"),
        format!("/rest/v1.0/webhooks/resources?project_id={project}"),
        format!("/rest/v2.0/companies/{company}/projects/{project}/webhooks/resources?payload_version=v4.0"),
        format!("/rest/v1.0/app_installations?company_id={company}"),
    ] {
        assert_eq!(rig.get(&path).await.status, 200, "{path}");
    }
    let shown = rig.get(&format!("/rest/v1.0/projects/{project}?company_id={company}")).await.body;
    assert_eq!(shown["tz_name"], "America/Los_Angeles");
    let listed = rig.get(&format!("/rest/v1.1/projects?company_id={company}")).await.body;
    assert_eq!(listed[0].get("tz_name"), None, "only the extended view has it");
    rig.clean();
}
