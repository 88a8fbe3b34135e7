//! A site's days in figures, as they are asked for.
use crate::edge::{Edge, detection, incident, zone};
use crate::world::{Answer, OPERATOR, Tenant, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn edge<'a>(world: &'a World, tenant: &Tenant) -> Edge<'a> {
    Edge { world, organization: tenant.organization.clone(), site: tenant.site.clone() }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sample(id: &str, from: &str, checked: u64, compliant: u64) -> Value {
    let (from, to) = (at(from), at(from) + SignedDuration::from_mins(10));
    json!({"type": "com.hardhatpulse.ppe.sampled.v1", "data": {"sample_id": id, "sampled_from": from, "sampled_to": to,
        "zone_id": "zone-3", "checks": {"hard_hat": {"checked": checked, "compliant": compliant}}}})
}

async fn daily(world: &World, tenant: &Tenant, date: &str) -> Value {
    let answer = world.get(&tenant.key, &format!("/v1/sites/{}/reports/daily?date={date}", tenant.site)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn trend(world: &World, tenant: &Tenant, query: &str) -> Answer {
    let answer = world.get(&tenant.key, &format!("/v1/sites/{}/reports/trend?{query}", tenant.site)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

async fn set_shifts(world: &World, tenant: &Tenant, shifts: Value) {
    let path = format!("/v1/sites/{}", tenant.site);
    let changed =
        world.call_with(&tenant.key, "PATCH", &path, Some(json!({"shifts": shifts})), &[("if-match", "*")]).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
}

/// Days of a site that is in Chicago, where it is 10:03 on 24 November.
async fn site(world: &World) -> Tenant {
    let tenant = world.tenant("Acme").await;
    let shifts =
        json!([{"name": "Day", "start": "06:00", "end": "14:30"}, {"name": "Night", "start": "22:00", "end": "06:00"}]);
    set_shifts(world, &tenant, shifts).await;
    tenant
}

#[tokio::test]
async fn a_day_in_figures() {
    let world = World::new();
    let tenant = site(&world).await;
    let edge = edge(&world, &tenant);
    edge.send(&[
        zone("zone-3", 1, "Crane 2"),
        detection(1, at("2026-11-23T22:59:59.999Z"), "fall", 5),
        detection(2, at("2026-11-23T23:00:00Z"), "zone_breach", 1),
        detection(3, at("2026-11-24T13:00:00Z"), "zone_breach", 3),
        detection(4, at("2026-11-24T16:00:00Z"), "ppe_non_compliance", 3),
        incident(1, 1, at("2026-11-24T15:00:00Z"), true, &[4]),
        incident(2, 1, at("2026-11-24T15:30:00Z"), false, &[]),
        sample("s-1", "2026-11-24T12:30:00Z", 100, 90),
        sample("s-2", "2026-11-24T05:00:00Z", 10, 10),
        sample("s-3", "2026-11-24T02:00:00Z", 4, 1),
    ])
    .await;
    let shown = daily(&world, &tenant, "2026-11-24").await;
    let item = |checked: u64, compliant: u64, rate: f64| json!({"hard_hat": {"checked": checked, "compliant": compliant, "rate": rate}});
    assert_eq!(
        shown,
        json!({
            "date": "2026-11-24", "time_zone": "America/Chicago",
            "window": {"from": "2026-11-23T23:00:00Z", "to": "2026-11-24T23:00:00Z"},
            "alerts": 3, "confirmed_incidents": 2, "recordable_incidents": 1, "zone_breaches": 2,
            "ppe": {"rate": 101.0 / 114.0, "by_shift": [
                {"shift": "Day", "rate": 0.9, "items": item(100, 90, 0.9)},
                {"shift": "Night", "rate": 1.0, "items": item(10, 10, 1.0)},
                {"shift": "other", "rate": 0.25, "items": item(4, 1, 0.25)},
            ]},
            "by_kind": {"ppe_non_compliance": 1, "zone_breach": 2},
            "by_zone": [{"zone_id": "zone-3", "name": "Crane 2", "alerts": 3}],
            "previous": {"date": "2026-11-23", "window": {"from": "2026-11-22T23:00:00Z", "to": "2026-11-23T23:00:00Z"},
                "alerts": 1, "confirmed_incidents": 0, "recordable_incidents": 0, "zone_breaches": 0, "ppe": {"rate": null}},
        })
    );
    // Nothing sampled is no rate, never 100 %.
    let quiet = daily(&world, &tenant, "2026-11-22").await;
    assert_eq!((&quiet["alerts"], &quiet["ppe"]["rate"]), (&json!(0), &json!(null)));
    assert_eq!(quiet["ppe"]["by_shift"][0], json!({"shift": "Day", "rate": null, "items": {}}));
}

#[tokio::test]
async fn what_comes_later_is_in_the_next_answer_however_late_it_is() {
    let world = World::new();
    let tenant = site(&world).await;
    let edge = edge(&world, &tenant);
    edge.send(&[detection(1, world.now(), "fall", 5), incident(1, 1, world.now(), true, &[])]).await;
    let alerts = async |date: &str| daily(&world, &tenant, date).await["alerts"].clone();
    assert_eq!(alerts("2026-11-24").await, 1);
    world.pass(SignedDuration::from_mins(10));
    edge.send(&[detection(2, world.now(), "fall", 5)]).await;
    assert_eq!(alerts("2026-11-24").await, 2);
    // An hour after the cut-off, a week after it, and what an edge whose clock is wrong says of tomorrow.
    world.pass(SignedDuration::from_hours(8));
    edge.send(&[detection(3, at("2026-11-24T22:59:00Z"), "fall", 5)]).await;
    assert_eq!(alerts("2026-11-24").await, 3);
    let tomorrow = world.now() + SignedDuration::from_hours(30);
    edge.send(&[detection(4, tomorrow, "fall", 5)]).await;
    world.pass(SignedDuration::from_hours(7 * 24));
    edge.send(&[detection(5, at("2026-11-24T20:00:00Z"), "fall", 5), detection(6, world.now(), "fall", 1)]).await;
    assert_eq!(alerts("2026-11-24").await, 4);
    assert_eq!(alerts("2026-11-26").await, 1);
    assert_eq!(daily(&world, &tenant, "2026-11-24").await["confirmed_incidents"], 1);
    // The same detection from another webhook is no second one, nor is an incident's revision; a retraction takes it back.
    edge.send(&[
        detection(5, at("2026-11-24T20:00:00Z"), "fall", 5),
        incident(1, 2, at("2026-11-24T16:03:05Z"), true, &[]),
    ])
    .await;
    let shown = daily(&world, &tenant, "2026-11-24").await;
    assert_eq!((&shown["alerts"], &shown["confirmed_incidents"]), (&json!(4), &json!(1)));
    let retraction = json!({"type": "com.hardhatpulse.incident.retracted.v1", "data": {
        "incident_id": incident(1, 1, world.now(), true, &[])["data"]["incident_id"], "revision": 3, "reason": "doubled"}});
    edge.send(&[retraction]).await;
    let shown = daily(&world, &tenant, "2026-11-24").await;
    assert_eq!((&shown["confirmed_incidents"], &shown["recordable_incidents"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_day_that_is_over_keeps_the_names_and_the_shifts_that_it_had() {
    let world = World::new();
    let tenant = site(&world).await;
    let edge = edge(&world, &tenant);
    edge.send(&[zone("zone-3", 1, "Crane 2"), detection(1, world.now(), "fall", 5)]).await;
    edge.send(&[sample("s-1", "2026-11-24T15:50:00Z", 10, 9)]).await;
    set_shifts(&world, &tenant, json!([{"name": "Early", "start": "06:00", "end": "14:30"}])).await;
    let shift = |shown: &Value| shown["ppe"]["by_shift"][0]["shift"].clone();
    assert_eq!(shift(&daily(&world, &tenant, "2026-11-24").await), "Early", "its note may still be amended");
    world.pass(SignedDuration::from_hours(100));
    edge.send(&[detection(2, world.now(), "fall", 5)]).await;
    daily(&world, &tenant, "2026-11-24").await;
    edge.send(&[zone("zone-3", 2, "Crane 3")]).await;
    set_shifts(&world, &tenant, json!([])).await;
    let shown = daily(&world, &tenant, "2026-11-24").await;
    assert_eq!((shift(&shown), &shown["by_zone"][0]["name"]), (json!("Early"), &json!("Crane 2")));
    let now = daily(&world, &tenant, "2026-11-28").await;
    assert_eq!(now["by_zone"][0]["name"], "Crane 3");
}

#[tokio::test]
async fn dates_before_there_was_a_site_are_answered_and_leave_nothing_behind() {
    let world = World::new();
    let tenant = site(&world).await;
    edge(&world, &tenant).send(&[detection(1, world.now(), "fall", 5)]).await;
    assert_eq!(daily(&world, &tenant, "1990-05-01").await["alerts"], 0);
    assert_eq!(trend(&world, &tenant, "from=2024-01-01&to=2024-12-31&by=day").await.status, 200);
    let kept = |item: &store::Item| item["sk"].as_str().unwrap().starts_with("TALLY#");
    assert_eq!(world.table.dump().iter().filter(|item| kept(item)).count(), 0);
}

#[tokio::test]
async fn the_hour_is_the_sites_and_a_change_to_winter_time_makes_a_day_of_25_hours() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let settings = json!({"site_id": tenant.site, "daily_summary": {"at": "06:00"}});
    let path = format!("/v1/connections/{connection}/projects/7");
    assert_eq!(world.call_with(&tenant.key, "PUT", &path, Some(settings), &[]).await.status, 201);
    for (date, from, to) in [
        ("2026-11-01", "2026-10-31T11:00:00Z", "2026-11-01T12:00:00Z"),
        ("2026-03-08", "2026-03-07T12:00:00Z", "2026-03-08T11:00:00Z"),
        ("2026-11-25", "2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z"),
    ] {
        assert_eq!(daily(&world, &tenant, date).await["window"], json!({"from": from, "to": to}));
    }
}

#[tokio::test]
async fn a_trend_by_day_shift_zone_and_kind() {
    let world = World::new();
    let tenant = site(&world).await;
    let mut elsewhere = detection(3, at("2026-11-24T13:00:00Z"), "zone_breach", 3);
    elsewhere["data"]["zone_id"] = json!("=cmd|'/c calc'!A1");
    edge(&world, &tenant)
        .send(&[
            detection(1, at("2026-11-22T23:30:00Z"), "fall", 5),
            detection(2, at("2026-11-24T05:00:00Z"), "zone_breach", 1),
            elsewhere,
            incident(1, 1, at("2026-11-24T15:00:00Z"), true, &[]),
            sample("s-1", "2026-11-24T12:30:00Z", 8, 6),
        ])
        .await;
    let row = |key: &str, alerts: u64, incidents: u64, breaches: u64, rate: Value| {
        json!({"key": key, "alerts": alerts,
        "confirmed_incidents": incidents, "zone_breaches": breaches, "ppe_rate": rate})
    };
    let null = || Value::Null;
    let stretch = "from=2026-11-22&to=2026-11-24";
    for (query, expected) in [
        (
            stretch.to_owned(),
            json!([
                row("2026-11-22", 0, 0, 0, null()),
                row("2026-11-23", 1, 0, 0, null()),
                row("2026-11-24", 2, 1, 2, json!(0.75))
            ]),
        ),
        (
            format!("{stretch}&by=shift"),
            json!([row("Day", 1, 1, 1, json!(0.75)), row("Night", 1, 0, 1, null()), row("other", 1, 0, 0, null())]),
        ),
        (
            format!("{stretch}&by=zone"),
            json!([row("zone-3", 2, 1, 1, json!(0.75)), row("=cmd|'/c calc'!A1", 1, 0, 1, null())]),
        ),
        (format!("{stretch}&by=kind"), json!([row("zone_breach", 2, 0, 2, null()), row("fall", 1, 1, 0, null())])),
    ] {
        assert_eq!(trend(&world, &tenant, &query).await.body, json!({"data": expected}), "{query}");
    }

    let path = format!("/v1/sites/{}/reports/trend?{stretch}&by=zone", tenant.site);
    let answer =
        world.call_with(&tenant.key, "GET", &path, None, &[("accept", "text/csv, application/json;q=0.5")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("vary").as_str()), (200, "Accept"));
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let mut reader = csv::Reader::from_reader(answer.body.as_str().unwrap().as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["key", "alerts", "confirmed_incidents", "zone_breaches", "ppe_rate"]);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows, [vec!["zone-3", "2", "1", "1", "0.75"], vec!["'=cmd|'/c calc'!A1", "1", "0", "1", ""]]);
    let etag = answer.header("etag");
    let as_csv =
        world.call_with(&tenant.key, "GET", &path, None, &[("accept", "text/csv"), ("if-none-match", &etag)]).await;
    assert_eq!((as_csv.status.as_u16(), as_csv.body), (304, Value::Null));
    let as_json = world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", &etag)]).await;
    assert_eq!(as_json.status, 200, "another form is another answer");
    world.call_with(&tenant.key, "GET", &path, None, &[("accept", "text/html")]).await.refused(406);
    let day = format!("/v1/sites/{}/reports/daily?date=2026-11-24", tenant.site);
    world.call_with(&tenant.key, "GET", &day, None, &[("accept", "text/csv")]).await.refused(406);
    let etag = world.get(&tenant.key, &day).await.header("etag");
    assert_eq!(world.call_with(&tenant.key, "GET", &day, None, &[("if-none-match", &etag)]).await.status, 304);
}

#[tokio::test]
async fn parameters_are_checked_and_named() {
    let world = World::new();
    let tenant = site(&world).await;
    let refused = async |query: &str| {
        let path = format!("/v1/sites/{}/reports/{query}", tenant.site);
        world.get(&tenant.key, &path).await.refused(422)
    };
    for date in ["", "today", "2026-11-25", "2026-02-30", "20261124", "2026-11-24T00:00", "+002026-11-24", "2026-W48-2"]
    {
        assert_eq!(refused(&format!("daily?date={date}")).await, ["date"], "{date}");
    }
    assert_eq!(refused("daily").await, ["date"]);
    assert_eq!(refused("daily?date=2026-11-24&day=1").await, ["day"]);
    assert_eq!(refused("trend").await, ["from", "to"]);
    assert_eq!(refused("trend?from=2026-11-25&to=x&by=week").await, ["from", "to", "by"]);
    assert_eq!(refused("trend?from=2026-11-24&to=2026-11-23").await, ["to"]);
    assert_eq!(refused("trend?from=2025-11-23&to=2026-11-24").await, ["to"]);
    let days = trend(&world, &tenant, "from=2025-11-24&to=2026-11-24").await.body;
    assert_eq!(days["data"].as_array().unwrap().len(), 366);
    // From 17:00 on, the next day's window is under way.
    world.pass(SignedDuration::from_hours(7));
    assert_eq!(daily(&world, &tenant, "2026-11-25").await["window"]["from"], "2026-11-24T23:00:00Z");
}

#[tokio::test]
async fn only_who_sees_the_site_reads_its_days() {
    let world = World::new();
    let (tenant, other) = (site(&world).await, world.tenant("Bolt").await);
    let second = world.site(&tenant.organization, "South Tower").await;
    let (elsewhere, _) = world.key(&tenant.organization, &["read"], Some(&[&second])).await;
    let (writes, _) = world.key(&tenant.organization, &["connections:write"], None).await;
    for path in ["daily?date=2026-11-24", "trend?from=2026-11-24&to=2026-11-24"] {
        let path = format!("/v1/sites/{}/reports/{path}", tenant.site);
        world.get(&other.key, &path).await.refused(404);
        world.get(&elsewhere, &path).await.refused(404);
        world.get(&writes, &path).await.refused(403);
        assert_eq!(world.get(OPERATOR, &path).await.status, 200);
    }
}
