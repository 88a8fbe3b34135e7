use reqwest::Method;
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
