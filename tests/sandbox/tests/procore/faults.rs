use std::time::{Duration, Instant};

use reqwest::Method;
use sandbox::faults::{Effect, Rule, Shape};
use serde_json::json;

use crate::support::rig;

#[tokio::test]
async fn lost_before_does_nothing_and_lost_after_does_it() {
    let rig = rig().await;
    let body = json!({"incident": {"title": "x"}});
    let send = || rig.request(Method::POST, &rig.project_path("incidents")).json(&body).send();
    rig.sandbox.faults().add(Rule::new(Effect::LostBefore).operation("createIncident").times(1));
    let error = send().await.expect_err("cut");
    assert!(error.is_request(), "{error:?}");
    assert!(rig.sandbox.incidents(rig.project).is_empty());
    rig.sandbox.faults().add(Rule::new(Effect::LostAfter).method("POST").path("*/incidents").times(1));
    assert!(send().await.is_err());
    assert_eq!(rig.sandbox.incidents(rig.project).len(), 1);
    assert_eq!(send().await.expect("answered").status(), 201);
    assert_eq!(rig.sandbox.incidents(rig.project).len(), 2, "a repeated POST makes a second one");
    let statuses: Vec<Option<u16>> = rig.sandbox.calls_of("createIncident").iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, None, Some(201)]);
    rig.clean();
}

#[tokio::test]
async fn statuses_come_in_each_shape_before_or_after_it_is_done() {
    let rig = rig().await;
    let status =
        |shape, done| Effect::Status { status: 502, shape, retry_after: Some(7), message: Some("m".into()), done };
    for (shape, pointer) in [
        (Shape::Flat, "/message"),
        (Shape::List, "/errors/0"),
        (Shape::Fields, "/errors/base/0"),
        (Shape::Envelope, "/error/details/0/message"),
        (Shape::Text, ""),
    ] {
        rig.sandbox.faults().add(Rule::new(status(shape, false)).operation("createIncident").times(1));
        let answer = rig.post(&rig.project_path("incidents"), json!({"incident": {}})).await;
        assert_eq!((answer.status, answer.header("retry-after")), (502, "7"));
        assert_eq!(answer.body.pointer(pointer), Some(&json!("m")), "{shape:?}: {}", answer.body);
    }
    assert!(rig.sandbox.incidents(rig.project).is_empty());
    rig.sandbox.faults().add(Rule::new(status(Shape::List, true)).operation("createIncident").times(1));
    assert_eq!(rig.post(&rig.project_path("incidents"), json!({"incident": {}})).await.status, 502);
    assert_eq!(rig.sandbox.incidents(rig.project).len(), 1);
}

#[tokio::test]
async fn a_delayed_call_takes_effect_though_its_caller_hung_up() {
    let rig = rig().await;
    rig.sandbox.faults().add(Rule::new(Effect::DelayAfter { ms: 60_000 }).operation("createIncident").times(1));
    let body = json!({"incident": {"title": "late"}});
    let request = rig.request(Method::POST, &rig.project_path("incidents")).json(&body);
    let error = request.timeout(Duration::from_millis(300)).send().await.expect_err("timed out");
    assert!(error.is_timeout());
    assert_eq!(rig.sandbox.incidents(rig.project).len(), 1);
    rig.sandbox.faults().add(Rule::new(Effect::DelayBefore { ms: 50 }).times(1));
    let start = Instant::now();
    rig.incident("after a delay").await;
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_disconnected_app_and_a_provider_that_is_down() {
    let rig = rig().await;
    rig.sandbox.faults().add(Rule::new(Effect::AppNotConnected).company(rig.company).times(1));
    let refused = rig.get(&rig.project_path("incidents")).await;
    assert_eq!((refused.status, refused.body), (403, json!({"errors": ["App is not connected to this company."]})));
    let down = rig.sandbox.faults().add(Rule::new(Effect::Down { cut: false, retry_after: Some(30) }));
    let answer = rig.get(&rig.project_path("incidents")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "30"));
    assert_eq!(rig.oauth(json!({})).await.status, 503);
    rig.sandbox.faults().remove(down);
    rig.sandbox.faults().add(Rule::new(Effect::Down { cut: true, retry_after: None }));
    assert!(rig.request(Method::GET, "/rest/v1.0/me").send().await.is_err());
    rig.sandbox.faults().clear();
    assert_eq!(rig.get("/rest/v1.0/me").await.status, 200);
}

#[tokio::test]
async fn new_records_are_not_in_lists_until_the_index_knows_them() {
    let rig = rig().await;
    rig.sandbox.set(|settings| settings.list_lag_seconds = 60);
    let incident = rig.incident("HHP-1 fall").await;
    let observation = rig.observation("HHP-2 no hard hat").await;
    let incidents = rig.project_path("incidents");
    let items = format!("/rest/v1.0/observations/items?project_id={}", rig.project);
    let searches = [
        incidents.clone(),
        format!("{incidents}?filters[query]=HHP-1"),
        items.clone(),
        format!("{items}&filters[search]=HHP-2"),
    ];
    for path in &searches {
        assert_eq!(rig.get(path).await.body, json!([]), "{path}");
    }
    assert_eq!(rig.get(&format!("{incidents}/{incident}")).await.status, 200, "by id it is there at once");
    rig.sandbox.advance(61);
    for path in &searches {
        let found = rig.get(path).await.body;
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{path}");
    }
    rig.sandbox.set(|settings| settings.bin_lag_seconds = 60);
    assert_eq!(rig.delete(&format!("{incidents}/{incident}")).await.status, 204);
    let bin = rig.project_path("recycle_bin/incidents");
    assert_eq!(rig.get(&bin).await.body, json!([]));
    assert_eq!(rig.get(&format!("{incidents}/{incident}")).await.status, 404);
    rig.sandbox.advance(61);
    assert_eq!(rig.get(&bin).await.body[0]["id"], incident);
    let _ = observation;
    rig.clean();
}
