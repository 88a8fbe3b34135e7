use reqwest::Method;
use sandbox::procore::Client;
use serde_json::{Value, json};

use crate::support::{Answer, Rig, read, rig};

async fn page(rig: &Rig, path: &str) -> String {
    let answer = read(rig.http.get(format!("{}{path}", rig.sandbox.url())).send().await.expect("answered")).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.body.as_str().expect("a page").to_owned()
}

async fn form(rig: &Rig, path: &str, form: Value) -> Answer {
    let url = format!("{}{path}", rig.sandbox.url());
    read(rig.http.request(Method::POST, url).form(&form).send().await.expect("answered")).await
}

fn tools(rig: &Rig) -> String {
    format!("/webclients/host/companies/{}/projects/{}/tools", rig.company, rig.project)
}

#[tokio::test]
async fn records_are_shown_as_text_whatever_stands_in_them() {
    let rig = rig().await;
    let incident = rig.incident("<script>alert(1)</script> & Co").await;
    let observation = rig.observation("No hard hat <b>").await;
    let tools = tools(&rig);
    assert!(page(&rig, "/").await.contains("Tower A"));
    for path in ["incidents".to_owned(), format!("incidents/{incident}")] {
        let shown = page(&rig, &format!("{tools}/{path}")).await;
        assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co"), "{shown}");
        assert!(!shown.contains("<script>"));
    }
    for path in ["observations".to_owned(), format!("observations/{observation}")] {
        assert!(page(&rig, &format!("{tools}/{path}")).await.contains("No hard hat &lt;b&gt;"));
    }
    assert!(page(&rig, "/calls").await.contains("createObservationItem"));
    let other = rig.sandbox.projects(rig.company)[1].id;
    let elsewhere = format!(
        "{}/webclients/host/companies/{}/projects/{other}/tools/incidents/{incident}",
        rig.sandbox.url(),
        rig.company
    );
    assert_eq!(rig.http.get(elsewhere).send().await.expect("answered").status(), 404);
}

#[tokio::test]
async fn a_person_edits_on_the_pages() {
    let rig = rig().await;
    let (incident, observation) = (rig.incident("ours").await, rig.observation("ours").await);
    let tools = tools(&rig);
    let at = format!("{tools}/incidents/{incident}");
    assert_eq!(form(&rig, &at, json!({"title": "theirs", "description": "", "status": "closed"})).await.status, 303);
    let injury =
        json!({"filing_type": "lost_time", "work_days_absent": "4", "treatment_provider": "", "treated_in_er": "true"});
    assert_eq!(form(&rig, &format!("{at}/injuries"), injury).await.status, 303);
    let shown = rig.get(&rig.project_path(&format!("incidents/{incident}"))).await.body;
    assert_eq!((&shown["title"], &shown["status"]), (&json!("theirs"), &json!("closed")));
    let injury = &shown["injuries"][0];
    assert_eq!(
        (&injury["work_days_absent"], &injury["treated_in_er"], &injury["treatment_provider"]),
        (&json!(4), &json!(true), &Value::Null)
    );
    let at = format!("{tools}/observations/{observation}");
    assert_eq!(
        form(&rig, &format!("{at}/comments"), json!({"comment": "fixed", "status": "closed"})).await.status,
        303
    );
    assert!(page(&rig, &at).await.contains("fixed"));
    assert_eq!(rig.sandbox.observations(rig.project)[0].status, "closed");
    assert_eq!(form(&rig, &format!("{at}/delete"), json!({})).await.status, 303);
    assert!(page(&rig, &format!("{tools}/recyclebin")).await.contains(&at));
    assert_eq!(form(&rig, &format!("{at}/restore"), json!({})).await.status, 303);
    assert_eq!(rig.sandbox.observations(rig.project).len(), 1);
    rig.clean();
}

#[tokio::test]
async fn the_daily_log_shows_notes_by_day() {
    let rig = rig().await;
    let note = json!({"notes_log": {"comment": "4 alerts, 1 zone breach", "date": "2026-05-06"}});
    assert_eq!(rig.post(&rig.project_path("notes_logs"), note).await.status, 201);
    let shown = page(&rig, &format!("{}/dailylog", tools(&rig))).await;
    assert!(shown.contains("Wednesday, 06 May 2026") && shown.contains("4 alerts, 1 zone breach"), "{shown}");
}

#[tokio::test]
async fn injuries_are_edited_recycled_and_restored() {
    let rig = rig().await;
    let incident = rig.incident("fall").await;
    let at = format!("{}/incidents/{incident}", tools(&rig));
    for days in ["3", "9"] {
        let injury = json!({"filing_type": "lost_time", "work_days_absent": days, "treatment_facility": "Clinic"});
        assert_eq!(form(&rig, &format!("{at}/injuries"), injury).await.status, 303);
    }
    let injuries = rig.sandbox.injuries(rig.project);
    let one = format!("{at}/injuries/{}", injuries[0].id);
    assert!(page(&rig, &at).await.contains(&one));
    let shown = page(&rig, &one).await;
    assert!(shown.contains("value=\"Clinic\"") && shown.contains("value=\"lost_time\" selected"), "{shown}");
    let edit = json!({"filing_type": "restricted_work", "description": "Sprain", "treatment_facility": "",
        "work_days_absent": "", "work_days_restricted": "5", "date_returned_to_work": "2026-05-09", "treated_in_er": "true"});
    assert_eq!(form(&rig, &one, edit).await.status, 303);
    let read = rig.get(&rig.project_path(&format!("incidents/injuries/{}", injuries[0].id))).await.body;
    let expected = json!({"filing_type": "restricted_work", "description": "Sprain", "treatment_facility": null,
        "work_days_absent": null, "work_days_restricted": 5, "date_returned_to_work": "2026-05-09", "treated_in_er": true});
    for (member, value) in expected.as_object().expect("members") {
        assert_eq!(&read[member], value, "{member}");
    }
    assert_eq!(form(&rig, &format!("{one}/delete"), json!({})).await.status, 303);
    let bin = page(&rig, &format!("{}/recyclebin", tools(&rig))).await;
    assert!(bin.contains("Sprain") && bin.contains(&format!("{one}/restore")), "{bin}");
    assert_eq!(rig.get(&rig.project_path("incidents/injuries")).await.body.as_array().map(Vec::len), Some(1));
    assert_eq!(form(&rig, &format!("{one}/restore"), json!({})).await.status, 303);
    assert_eq!(rig.sandbox.injuries(rig.project).len(), 2);
    rig.clean();
}

#[tokio::test]
async fn edits_carry_the_name_of_who_is_logged_in() {
    let rig = rig().await;
    let incident = rig.incident("ours").await;
    let login = form(&rig, "/login", json!({"login": "company.admin@example.com"})).await;
    let cookie = login.header("set-cookie").split(';').next().expect("a cookie");
    let url = format!("{}{}/incidents/{incident}", rig.sandbox.url(), tools(&rig));
    let edit = rig.http.post(url).header("cookie", cookie).form(&json!({"title": "theirs"}));
    assert_eq!(edit.send().await.expect("answered").status(), 303);
    let admin = rig.sandbox.people(rig.company).into_iter().find(|person| person.name == "Company Admin");
    assert_eq!(Some(rig.sandbox.incidents(rig.project)[0].updated_by), admin.map(|person| person.id));
    assert_eq!(rig.sandbox.incidents(rig.project)[0].title.as_deref(), Some("theirs"));
}

#[tokio::test]
async fn notes_are_written_edited_and_deleted_by_day() {
    let rig = rig().await;
    let log = format!("{}/dailylog", tools(&rig));
    assert_eq!(form(&rig, &log, json!({"comment": "Rain", "date": "2026-05-06"})).await.status, 303);
    let note = rig.sandbox.notes(rig.project)[0].clone();
    assert_eq!(note.date.to_string(), "2026-05-06");
    let at = format!("{log}/{}", note.id);
    assert!(page(&rig, &at).await.contains("Rain"));
    assert_eq!(form(&rig, &at, json!({"comment": "Snow", "is_issue_day": "true"})).await.status, 303);
    let note = rig.sandbox.notes(rig.project)[0].clone();
    assert_eq!((&note.fields["comment"], &note.fields["is_issue_day"]), (&json!("Snow"), &json!(true)));
    assert_eq!(form(&rig, &format!("{log}/days/2026-05-06"), json!({"completed": "true"})).await.status, 303);
    assert_eq!(form(&rig, &format!("{at}/delete"), json!({})).await.status, 422, "the day is completed");
    assert_eq!(form(&rig, &format!("{log}/days/2026-05-06"), json!({"completed": "false"})).await.status, 303);
    assert_eq!(form(&rig, &format!("{at}/delete"), json!({})).await.status, 303);
    assert!(rig.sandbox.notes(rig.project).is_empty());
    rig.clean();
}

#[tokio::test]
async fn an_admin_uninstalls_installs_and_permits_projects() {
    let rig = rig().await;
    let apps = format!("/webclients/host/companies/{}/tools/apps", rig.company);
    assert!(page(&rig, &apps).await.contains("Uninstall"));
    assert_eq!(form(&rig, &format!("{apps}/uninstall"), json!({})).await.status, 303);
    assert_eq!(rig.get(&rig.project_path("incidents")).await.status, 403);
    assert!(page(&rig, &apps).await.contains("not installed"));
    assert_eq!(form(&rig, &format!("{apps}/install"), json!({})).await.status, 303);
    assert_eq!(rig.get(&rig.project_path("incidents")).await.status, 403, "the projects are to be picked again");
    let picked = json!({"project_id": rig.project});
    assert_eq!(form(&rig, &format!("{apps}/permitted-projects"), picked).await.status, 303);
    assert_eq!(rig.get(&rig.project_path("incidents")).await.status, 200);
    let foreign = json!({"project_id": rig.sandbox.projects(rig.sandbox.companies()[1].id)[0].id});
    assert_eq!(form(&rig, &format!("{apps}/permitted-projects"), foreign).await.status, 404);
    rig.clean();
}

#[tokio::test]
async fn an_installed_app_stands_in_a_frame() {
    let rig = rig().await;
    let apps = format!("/webclients/host/companies/{}/tools/apps", rig.company);
    let open = format!("{apps}/embedded/sandbox-client");
    assert!(!page(&rig, &apps).await.contains(&open), "an app without such a page");
    let embedded_url = Some("http://localhost:9/setup".to_owned());
    rig.sandbox.set_client(Client { embedded_url, ..Client::default() });
    assert!(page(&rig, &apps).await.contains(&open));
    let framing = rig.http.get(format!("{}{open}", rig.sandbox.url())).send().await.expect("answered");
    let policy = framing.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.ends_with("; frame-src http://localhost:9"), "{policy}");
    assert!(framing.text().await.expect("a page").contains("src=\"http://localhost:9/setup\""));
    rig.sandbox.set_connected(rig.company, false);
    let gone = rig.http.get(format!("{}{open}", rig.sandbox.url())).send().await.expect("answered");
    assert_eq!(gone.status(), 404);
}
