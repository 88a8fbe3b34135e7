//! What the last day would have sent.
use crate::edge::{Edge, detection, detection_id, incident, zone};
use crate::world::{OPERATOR, World};
use domain::ids::Provider;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::lanes::{Lane, LaneId};

async fn asked(world: &World, lane: &LaneId) -> Vec<String> {
    let todos = Lane { table: world.table.as_ref(), id: lane }.ready(1000).await.unwrap();
    todos.into_iter().map(|todo| todo.record.fact_id).collect()
}

#[tokio::test]
async fn the_preview_shows_what_the_last_day_would_have_sent_and_sends_it_only_when_told() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let edge = Edge { world: &world, organization: tenant.organization.clone(), site: tenant.site.clone() };
    edge.send(&[zone("zone-3", 1, "Crane 2"), detection(1, world.now(), "zone_breach", 5)]).await;
    world.pass(SignedDuration::from_hours(25));
    let at = world.now();
    edge.send(&[
        detection(2, at, "zone_breach", 3),
        detection(3, at, "zone_breach", 2),
        detection(4, at, "fall", 5),
        detection(5, at, "ppe_non_compliance", 4),
    ])
    .await;
    world.pass(SignedDuration::from_mins(1));
    edge.send(&[incident(1, 1, at, true, &[5]), incident(2, 1, at, false, &[2])]).await;
    world.pass(SignedDuration::from_hours(1));

    let project = format!("/v1/connections/{connection}/projects/7");
    let path = format!("{project}/preview");
    let body = json!({"site_id": tenant.site});
    let answer = world.post(&tenant.key, &path, body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["from"], (world.now() - SignedDuration::from_hours(24)).to_string());
    let counts = ["detections", "incidents", "observations", "observations_by_kind"].map(|n| answer.body[n].clone());
    assert_eq!(counts, [json!(4), json!(1), json!(1), json!({"zone_breach": 1})]);
    let records = answer.body["records"].as_array().unwrap();
    let shown: Vec<(&Value, &Value)> = records.iter().map(|r| (&r["kind"], &r["fact_kind"])).collect();
    assert_eq!(shown, [(&json!("incident"), &json!("fall")), (&json!("observation"), &json!("zone_breach"))]);
    assert!(records[1]["title"].as_str().unwrap().starts_with("Zone breach - Crane 2 [HHP-"), "{records:?}");
    assert!(records[1]["description"].as_str().unwrap().contains("https://pulse.example/sites/"));
    assert!(!answer.body.to_string().contains("W-7"), "the worker id goes to no platform");

    let note = answer.body["note"].as_str().unwrap();
    assert!(
        note.starts_with("Safety summary for Wed, Nov 25, 2026\nTue 17:00 to Wed 17:00 CST\n\nAlerts: 4 (+3 from"),
        "{note}"
    );
    assert!(note.contains("- Recordable: Fall, Crane 2\n") && note.contains("/reports/2026-11-25\n[HHP-"), "{note}");
    let hour = json!({"site_id": tenant.site, "daily_summary": {"at": "06:00"}});
    let other_hour = world.post(&tenant.key, &path, hour).await.body["note"].as_str().unwrap().to_owned();
    assert!(other_hour.contains("Nov 26, 2026\nWed 06:00 to Thu 06:00 CST"), "{other_hour}");
    let off = json!({"site_id": tenant.site, "daily_summary": {"enabled": false}});
    assert_eq!(world.post(&tenant.key, &path, off).await.body["note"], Value::Null);

    let all = json!({"site_id": tenant.site, "observations": {"kinds": "all", "min_priority": 1}});
    let wider = world.post(&tenant.key, &path, all.clone()).await;
    assert_eq!(wider.body["observations_by_kind"], json!({"zone_breach": 2, "fall": 1}));

    // Not before the project is mapped, and with these very settings.
    let sending = format!("{path}?send=true");
    world.post(&tenant.key, &sending, body.clone()).await.refused(409);
    world.project(&tenant.key, &connection, "7", &tenant.site).await;
    world.post(&tenant.key, &sending, all).await.refused(409);
    let lane = LaneId {
        organization_id: tenant.organization.parse().unwrap(),
        connection_id: connection.parse().unwrap(),
        provider: Provider::Procore,
    };
    assert!(asked(&world, &lane).await.is_empty(), "a mapping by itself sends nothing of before");
    world.bell.take();
    assert_eq!(world.post(&tenant.key, &sending, body).await.status, 202);
    let mut sent = asked(&world, &lane).await;
    sent.sort();
    assert_eq!(sent, [detection_id(2), format!("01JDN9Z4WQ{:016}", 1)]);
    assert_eq!(world.bell.take(), std::slice::from_ref(&lane));
    let directory = store::directory::Directory(world.table.as_ref());
    let route = directory.route(&lane, &tenant.site.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(route.since.to_string(), answer.body["from"].as_str().unwrap(), "the lane finds them wanted");
}

#[tokio::test]
async fn a_preview_checks_settings_as_a_mapping_does_and_sending_needs_the_scope() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let path = format!("/v1/connections/{connection}/projects/7/preview");
    let bad = json!({"site_id": "site_00000000000000000000000000", "observations": {"min_priority": 9}});
    assert_eq!(world.post(OPERATOR, &path, bad).await.refused(422), ["/site_id", "/observations/min_priority"]);
    let (reader, _) = world.key(&tenant.organization, &["read"], None).await;
    let body = json!({"site_id": tenant.site});
    let empty = world.post(&reader, &path, body.clone()).await;
    assert_eq!((empty.status.as_u16(), &empty.body["records"]), (200, &json!([])));
    world.post(&reader, &format!("{path}?send=true"), body.clone()).await.refused(403);
    assert_eq!(world.post(&tenant.key, &format!("{path}?send=1"), body).await.refused(422), ["send"]);
}
