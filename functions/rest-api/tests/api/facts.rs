//! A site's facts: change feeds by cursor, filters, one by id.
use crate::edge::{Edge, detection, detection_id, incident, zone};
use crate::world::{Answer, OPERATOR, Tenant, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn edge<'a>(world: &'a World, tenant: &Tenant) -> Edge<'a> {
    Edge { world, organization: tenant.organization.clone(), site: tenant.site.clone() }
}

fn ids(answer: &Answer, name: &str) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let data = answer.body["data"].as_array().unwrap();
    data.iter().map(|fact| fact[name].as_str().unwrap().to_owned()).collect()
}

fn next(answer: &Answer) -> String {
    answer.body["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_detection_is_shown_as_the_edge_gave_it() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    edge(&world, &tenant).send(&[detection(1, world.now(), "fall", 5)]).await;
    let list = format!("/v1/sites/{}/detections", tenant.site);
    let one = world.get(&tenant.key, &format!("{list}/{}", detection_id(1))).await;
    let now = world.now().to_string();
    assert_eq!(
        one.body,
        json!({
            "detection_id": detection_id(1), "detected_at": now, "kind": "fall", "priority": 5, "zone_id": "zone-3",
            "camera_id": "cam-1", "worker": {"worker_id": "W-7", "role": "Rigger", "trade": "Ironwork"},
            "frame": {"captured_at": now}, "has_footage": true, "site_id": tenant.site, "received_at": now, "platforms": [],
        })
    );
    assert_eq!(world.get(OPERATOR, &list).await.body["data"], json!([one.body]));
    world.get(&tenant.key, &format!("{list}/{}", detection_id(2))).await.refused(404);
    world.get(&tenant.key, &format!("{list}/{}", "x".repeat(2000))).await.refused(404);
    let etag = one.header("etag");
    let path = format!("{list}/{}", detection_id(1));
    assert_eq!(world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", &etag)]).await.status, 304);
    let (other, _) = world.key(&tenant.organization, &["treatment:write"], None).await;
    world.get(&other, &list).await.refused(403);
}

#[tokio::test]
async fn a_kept_cursor_gives_what_came_since_and_a_changed_incident_again() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = edge(&world, &tenant);
    let list = format!("/v1/sites/{}/incidents", tenant.site);
    let start = world.get(&tenant.key, &list).await;
    assert_eq!((ids(&start, "incident_id").len(), &start.body["has_more"]), (0, &json!(false)));
    let at = world.now();
    edge.send(&[incident(1, 1, at, true, &[]), incident(2, 1, at, true, &[])]).await;
    let read = async |cursor: &str| world.get(&tenant.key, &format!("{list}?cursor={cursor}")).await;
    let first = read(&next(&start)).await;
    assert_eq!(ids(&first, "incident_id").len(), 2);
    let etag = world.get(&tenant.key, &list).await.header("etag");
    assert_eq!(world.call_with(&tenant.key, "GET", &list, None, &[("if-none-match", &etag)]).await.status, 304);
    edge.send(&[detection(1, at, "fall", 5), incident(1, 2, at, false, &[1])]).await;
    let since = read(&next(&first)).await;
    assert_eq!(
        (ids(&since, "incident_id"), &since.body["data"][0]["revision"]),
        (vec![format!("01JDN9Z4WQ{:016}", 1)], &json!(2))
    );
    // From the start each stands once, at its new place.
    let again = world.get(&tenant.key, &list).await;
    assert_eq!(ids(&again, "incident_id"), [format!("01JDN9Z4WQ{:016}", 2), format!("01JDN9Z4WQ{:016}", 1)]);
    edge.send(&[json!({"type": "com.hardhatpulse.incident.retracted.v1", "data": {
        "incident_id": format!("01JDN9Z4WQ{:016}", 2), "revision": 3, "reason": "doubled"}})])
        .await;
    let retracted = &read(&next(&since)).await.body["data"][0];
    assert_eq!((&retracted["retracted"], &retracted["retraction_reason"]), (&json!(true), &json!("doubled")));
}

#[tokio::test]
async fn zones_have_a_feed_too() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = edge(&world, &tenant);
    let list = format!("/v1/sites/{}/zones", tenant.site);
    edge.send(&[zone("b", 1, "B"), zone("a", 1, "A")]).await;
    edge.send(&[zone("c", 1, "C")]).await;
    let first = world.get(&tenant.key, &format!("{list}?limit=2")).await;
    assert_eq!((ids(&first, "zone_id"), &first.body["has_more"]), (vec!["a".to_owned(), "b".into()], &json!(true)));
    let second = world.get(&tenant.key, &format!("{list}?cursor={}", next(&first))).await;
    assert_eq!(ids(&second, "zone_id"), ["c"]);
    edge.send(&[zone("a", 2, "A2")]).await;
    let since = world.get(&tenant.key, &format!("{list}?cursor={}", next(&second))).await;
    assert_eq!(ids(&since, "zone_id"), ["a"]);
    assert_eq!(world.get(&tenant.key, &format!("{list}/a")).await.body["name"], "A2");
    assert_eq!(ids(&world.get(&tenant.key, &format!("/v1/sites/{}/workers", tenant.site)).await, "worker_id").len(), 0);
}

#[tokio::test]
async fn filters_look_at_the_facts_own_time_late_ones_included() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = edge(&world, &tenant);
    let start = world.now();
    for number in 1..=6 {
        edge.send(&[detection(number, world.now(), if number % 2 == 0 { "fall" } else { "zone_breach" }, 2)]).await;
        world.pass(SignedDuration::from_hours(24));
    }
    let late = start + SignedDuration::from_hours(25);
    edge.send(&[detection(7, late, "fall", 5)]).await;
    let list = format!("/v1/sites/{}/detections", tenant.site);
    let read = async |query: &str| ids(&world.get(&tenant.key, &format!("{list}?{query}")).await, "detection_id");
    let named = |numbers: &[usize]| numbers.iter().map(|number| detection_id(*number)).collect::<Vec<_>>();
    let (from, to) = (start + SignedDuration::from_hours(24), start + SignedDuration::from_hours(72));
    assert_eq!(read(&format!("from={from}&to={to}")).await, named(&[2, 3, 7]));
    assert_eq!(read(&format!("from={from}&to={to}&kind=fall")).await, named(&[2, 7]));
    assert_eq!(read("min_priority=3").await, named(&[7]));
    assert_eq!(read("zone_id=elsewhere").await, named(&[]));
    let bad = world.get(&tenant.key, &format!("{list}?from=x&to=y&kind=No&min_priority=6&zone_id=&cursor=z")).await;
    assert_eq!(bad.refused(422), ["from", "to", "kind", "min_priority", "zone_id"]);
    assert_eq!(world.get(&tenant.key, &format!("{list}?cursor=z")).await.refused(422), ["cursor"]);
    let zones = format!("/v1/sites/{}/zones?min_priority=3", tenant.site);
    assert_eq!(world.get(&tenant.key, &zones).await.refused(422), ["min_priority"]);
}

#[tokio::test]
async fn a_cursor_is_for_its_list_and_site_and_a_key_for_its_sites() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let south = world.site(&tenant.organization, "South").await;
    let cursor = next(&world.get(&tenant.key, &format!("/v1/sites/{}/detections", tenant.site)).await);
    for path in [format!("/v1/sites/{south}/detections"), format!("/v1/sites/{}/incidents", tenant.site)] {
        assert_eq!(world.get(&tenant.key, &format!("{path}?cursor={cursor}")).await.refused(422), ["cursor"]);
    }
    let (key, _) = world.key(&tenant.organization, &["read"], Some(&[&south])).await;
    world.get(&key, &format!("/v1/sites/{}/detections", tenant.site)).await.refused(404);
    assert_eq!(world.get(&key, &format!("/v1/sites/{south}/detections")).await.status, 200);
}

#[tokio::test]
async fn thousands_are_paged_through_while_new_ones_arrive_none_missed_or_doubled() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = edge(&world, &tenant);
    let batch = async |from: usize, count: usize| {
        let events: Vec<Value> =
            (from..from + count).map(|n| detection(n, world.now(), "fall", 1 + (n % 5) as u8)).collect();
        for part in events.chunks(25) {
            edge.send(part).await;
        }
    };
    batch(0, 18_000).await;
    let (mut seen, mut cursor, mut arrived) = (Vec::new(), String::new(), 18_000);
    loop {
        let path = format!("/v1/sites/{}/detections?limit=499{cursor}", tenant.site);
        let page = world.get(OPERATOR, &path).await;
        seen.extend(ids(&page, "detection_id"));
        cursor = format!("&cursor={}", next(&page));
        if arrived < 20_000 {
            batch(arrived, 100).await;
            arrived += 100;
        } else if page.body["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, (0..20_000).map(detection_id).collect::<Vec<_>>());
}

#[tokio::test]
async fn footage_is_linked_for_minutes_and_only_from_the_sites_own_place() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let edge = edge(&world, &tenant);
    let own = format!("footage/{}/{}/cam-1/1.mp4", tenant.organization, tenant.site);
    let other = "footage/org_01JDN3Z4WQ0000000000000009/site_01JDN3Z4WQ0000000000000009/x.mp4";
    let with = |number: usize, footage: Value| {
        let mut event = detection(number, world.now(), "fall", 5);
        event["data"]["footage"] = footage;
        event
    };
    edge.send(&[
        with(1, json!({"edge_path": "/f/1.mp4", "s3_key": own})),
        with(2, json!({"edge_path": "/f/2.mp4", "s3_key": other})),
        with(3, json!({"s3_key": other})),
        with(4, json!({"s3_key": format!("{own}/../../x")})),
    ])
    .await;
    let footage = async |number: usize| {
        world.get(&tenant.key, &format!("/v1/sites/{}/detections/{}/footage", tenant.site, detection_id(number))).await
    };
    let both = footage(1).await;
    assert_eq!((&both.body["edge_url"], both.header("cache-control").as_str()), (&json!("/f/1.mp4"), "no-store"));
    assert!(both.body["cloud_url"].as_str().unwrap().contains(&own), "{}", both.body);
    assert_eq!(both.body["expires_at"], json!((world.now() + SignedDuration::from_mins(5)).to_string()));
    assert_eq!(footage(2).await.body, json!({"edge_url": "/f/2.mp4", "cloud_url": null, "expires_at": null}));
    for number in [3, 4, 5] {
        footage(number).await.refused(404);
    }
}
