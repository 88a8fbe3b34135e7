use reqwest::Method;
use sandbox::faults::{Effect, Rule};
use serde_json::json;

use crate::support::{SERVICE, read, rig};

#[tokio::test]
async fn an_issue_is_made_read_changed_and_commented() {
    let rig = rig().await;
    let id = rig.issue(rig.body("Zone breach HHP-1")).await;
    let at = rig.issues(&format!("/{id}"));
    assert_eq!(rig.get(&at).await.body["createdBy"], SERVICE);
    rig.sandbox.advance(5);
    let patch = |body| rig.call(Method::PATCH, &at, Some(body));
    assert_eq!(patch(json!({"status": "closed"})).await.body["closedBy"], SERVICE);
    assert_eq!(patch(json!({"status": "open"})).await.body["closedAt"], json!(null));
    let comment = rig.call(Method::POST, &format!("{at}/comments"), Some(json!({"body": "seen"}))).await;
    assert_eq!(comment.status, 201, "{}", comment.body);
    assert_eq!(rig.get(&format!("{at}/comments")).await.body["results"][0]["body"], "seen");
    let found = rig.get(&rig.issues("?filter[search]=hhp-1&filter[status]=open,closed&sortBy=-updatedAt")).await.body;
    assert_eq!((&found["results"][0]["id"], &found["results"][0]["commentCount"]), (&json!(id), &json!(1)));
    assert_eq!(rig.get(&rig.issues("?filter[updatedAt]=..2020-01-01T00:00:00Z")).await.body["results"], json!([]));
    for path in ["users/me", "issue-types", "issue-attribute-definitions", "issue-root-cause-categories"] {
        let path = format!("/construction/issues/v1/projects/{}/{path}", rig.project);
        assert_eq!(rig.get(&path).await.status, 200, "{path}");
    }
    rig.clean();
}

#[tokio::test]
async fn what_is_too_long_or_half_said_is_refused() {
    let rig = rig().await;
    let post = |body| async { rig.call(Method::POST, &rig.issues(""), Some(body)).await.status };
    let with = |name: &str, value: serde_json::Value| {
        let mut body = rig.body("x");
        body[name] = value;
        body
    };
    assert_eq!(post(with("title", json!("t".repeat(101)))).await, 400);
    assert_eq!(post(with("description", json!("d".repeat(1001)))).await, 400);
    assert_eq!(post(with("assignedToType", json!(null))).await, 400);
    assert_eq!(post(with("assignedTo", json!("SBXMANAGER01"))).await, 400);
    assert_eq!(post(with("issueSubtypeId", json!("00000000-0000-4000-8000-000000000000"))).await, 400);
    let subtype = rig.body("x")["issueSubtypeId"].as_str().expect("an id").to_owned();
    assert!(rig.sandbox.set_subtype_active(&subtype, false));
    assert_eq!(post(rig.body("x")).await, 400);
    assert!(rig.sandbox.issues(&rig.project).is_empty());
}

#[tokio::test]
async fn subtypes_come_only_when_they_are_asked_for() {
    let rig = rig().await;
    let types = format!("/construction/issues/v1/projects/{}/issue-types", rig.project);
    assert_eq!(rig.get(&types).await.body["results"][0].get("subtypes"), None);
    let with = rig.get(&format!("{types}?include=subtypes")).await.body;
    assert_eq!(with["results"][0]["subtypes"][0]["title"], "Safety Hazard");
    rig.clean();
}

#[tokio::test]
async fn an_unpublished_issue_is_there_for_two_only() {
    let mut rig = rig().await;
    let mut body = rig.body("secret");
    body["published"] = json!(false);
    let id = rig.issue(body).await;
    let at = rig.issues(&format!("/{id}"));
    assert_eq!(rig.get(&at).await.status, 200, "its maker sees it");
    let service = rig.token.clone();
    rig.sign_in("safety.manager@example.com").await;
    assert_eq!(rig.get(&at).await.status, 404);
    assert_eq!(rig.get(&rig.issues("")).await.body["results"], json!([]));
    rig.token = service;
    rig.call(Method::PATCH, &at, Some(json!({"published": true}))).await;
    rig.sign_in("superintendent@example.com").await;
    assert_eq!(rig.get(&at).await.status, 200);
    rig.clean();
}

#[tokio::test]
async fn projects_that_are_not_open() {
    let mut rig = rig().await;
    let projects = rig.sandbox.projects();
    let path = |id: &str| format!("/construction/issues/v1/projects/{id}/issues");
    assert_eq!(rig.get(&path(&format!("b.{}", rig.project))).await.status, 404, "the prefix is not for Issues");
    assert_eq!(rig.get(&path(&projects[2].id)).await.status, 404, "BIM 360 has none of these");
    assert!(rig.sandbox.set_member(&rig.project, SERVICE, false));
    assert_eq!(rig.get(&path(&rig.project)).await.status, 403);
    rig.project = projects[3].id.clone();
    assert_eq!(rig.get(&path(&rig.project)).await.status, 200);
    assert_eq!(rig.call(Method::POST, &path(&rig.project), Some(rig.body("x"))).await.status, 403, "it is archived");
}

#[tokio::test]
async fn limits_are_per_minute_and_lost_answers_leave_what_was_made() {
    let rig = rig().await;
    rig.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("createIssue").times(1));
    let url = format!("{}{}", rig.sandbox.url(), rig.issues(""));
    let lost = rig.http.post(url).bearer_auth(&rig.token).json(&rig.body("once")).send().await;
    assert!(lost.is_err());
    assert_eq!(rig.sandbox.issues(&rig.project).len(), 1);
    rig.sandbox.set(|settings| settings.issues_per_minute = 1);
    // Where the minute turns between two calls, it is tried again.
    let mut refused = rig.get(&rig.issues("")).await;
    for _ in 0..3 {
        rig.sandbox.advance(60);
        assert_eq!(rig.get(&rig.issues("")).await.status, 200);
        refused = rig.get(&rig.issues("")).await;
        if refused.status == 429 {
            break;
        }
    }
    assert_eq!((refused.status, &refused.body), (429, &json!({"developerMessage": "Quota limit exceeded."})));
    assert!(refused.headers.contains_key("retry-after"));
    rig.sandbox.advance(60);
    assert_eq!(rig.get(&rig.issues("")).await.status, 200);
}

#[tokio::test]
async fn people_edit_delete_and_restore_on_the_pages() {
    let rig = rig().await;
    let id = rig.issue(rig.body("<b>ours</b>")).await;
    let page = format!("{}/build/issues/projects/{}/issues/{id}", rig.sandbox.url(), rig.project);
    let shown = read(rig.http.get(&page).send().await.expect("answered")).await;
    assert!(shown.body.as_str().is_some_and(|text| text.contains("&lt;b&gt;ours")), "{}", shown.body);
    let send = |path: &str, form: serde_json::Value| rig.http.post(format!("{page}{path}")).form(&form).send();
    let edit = json!({"title": "theirs", "description": "", "status": "in_progress"});
    assert_eq!(send("", edit).await.expect("answered").status(), 303);
    assert_eq!(send("/comment", json!({"body": "fixed"})).await.expect("answered").status(), 303);
    let read = rig.get(&rig.issues(&format!("/{id}"))).await.body;
    assert_eq!((&read["title"], &read["updatedBy"]), (&json!("theirs"), &json!("SBXMANAGER01")));
    assert_eq!(send("/delete", json!({})).await.expect("answered").status(), 303);
    assert_eq!(rig.get(&rig.issues("")).await.body["results"], json!([]));
    assert_eq!(rig.get(&rig.issues("?filter[deleted]=true")).await.body["results"][0]["id"], json!(id));
    let patch = rig.call(Method::PATCH, &rig.issues(&format!("/{id}")), Some(json!({"status": "open"}))).await;
    assert_eq!(patch.status, 409);
    assert_eq!(send("/restore", json!({})).await.expect("answered").status(), 303);
    assert_eq!(rig.sandbox.comments(&id).len(), 1);
    rig.clean();
}
