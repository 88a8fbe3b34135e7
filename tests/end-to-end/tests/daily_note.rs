//! A site's day: cut off when its hour comes, by the schedule, the bus and its rule, written into the Daily Log or a form, and told to a
//! webhook endpoint; and counted again for what came late.
use end_to_end::events::{detection, zone};
use end_to_end::eventually;
use end_to_end::receiver::Receiver;
use end_to_end::tenant::{Platform, SOON, Tenant};
use jiff::{Timestamp, ToSpan, Unit};
use serde_json::{Value, json};
use std::time::Duration;
use store::keys;

const SUMMARY: &str = "summary.daily";
/// The hour is two minutes ahead at most, and the clock ticks each minute.
const CUT: Duration = Duration::from_secs(240);

fn detected(tenant: &Tenant, n: u128, at: &Timestamp) -> Value {
    let mut event = detection(tenant, n);
    event["data"]["detected_at"] = at.to_string().into();
    event
}

fn notes(tenant: &Tenant, on: Platform) -> Vec<String> {
    let (kind, member) = match on {
        Platform::Procore => ("log_entries", "comment"),
        Platform::Acc => ("forms", "notes"),
    };
    let notes =
        tenant.remote(kind).into_iter().filter(|entry| entry["section"].is_null() || entry["section"] == "notes_logs");
    notes.map(|entry| entry["fields"][member].as_str().unwrap_or_default().to_owned()).collect()
}

fn told(receiver: &Receiver<'_>) -> Vec<(u64, u64)> {
    let number = |data: &Value, member: &str| data[member].as_u64().expect("a number");
    let arrivals = receiver.arrivals(SUMMARY);
    arrivals.iter().map(|one| &one["body"]["data"]).map(|d| (number(d, "revision"), number(d, "alerts"))).collect()
}

#[test]
fn a_note_stands_once_when_the_sites_hour_has_come_and_follows_what_came_late() {
    a_day(Platform::Procore);
}

#[test]
fn a_form_stands_once_when_the_sites_hour_has_come_and_follows_what_came_late() {
    a_day(Platform::Acc);
}

fn a_day(on: Platform) {
    let tenant = Tenant::on(on);
    let stack = &tenant.stack;
    let receiver = Receiver::new(&tenant, "fieldwire");
    let now = Timestamp::now().in_tz("America/Chicago").expect("a clock");
    // The next whole minute that is far enough away for what comes before it.
    let cut = (&now + 80.seconds()).round(Unit::Minute).expect("a minute");
    let settings = json!({"site_id": tenant.site, "observations": {"min_priority": 5, "kinds": "all"},
        "daily_summary": {"enabled": true, "at": cut.strftime("%H:%M").to_string()}});
    // A number there, a text here.
    let project = tenant.project.as_str().map_or_else(|| tenant.project.to_string(), str::to_owned);
    let path = format!("{}/v1/connections/{}/projects/{project}", stack.api, tenant.connection);
    let authorization = format!("Bearer {}", stack.operator_key);
    let read = end_to_end::http::call("GET", &path, &[("authorization", &authorization)], b"");
    let etag = read.header("etag").expect("an ETag").to_owned();
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "application/json"), ("if-match", &etag)];
    end_to_end::http::call("PUT", &path, &headers, settings.to_string().as_bytes()).ok("the hour");
    let happened = now.timestamp() - 30.seconds();
    tenant.take(&[zone(&tenant), detected(&tenant, 1, &happened), detected(&tenant, 2, &happened)]);

    let note = eventually("a note", CUT, || notes(&tenant, on).pop());
    assert!(Timestamp::now() >= cut.timestamp(), "before its hour");
    assert!(note.contains("\nAlerts: 2 (") && note.contains("- Crane 2: 2"), "{note}");
    assert!(note.contains(&format!("/sites/{}/reports/{}", tenant.site, cut.date())), "{note}");
    eventually("the day's message", SOON, || (told(&receiver) == [(1, 2)]).then_some(()));

    // What came late is looked for a quarter of an hour later: its alarm is set to now, and the clock finds it.
    tenant.take(&[detected(&tenant, 3, &happened)]);
    let (organization, site) = (tenant.organization.parse().expect("an id"), tenant.site.parse().expect("an id"));
    let due = keys::site_due(&organization, &site);
    let kept = format!("/v1/sites/{}/detections", tenant.site);
    eventually("the late detection", SOON, || {
        let data = tenant.get(&kept).ok("detections")["data"].take();
        (data.as_array().map_or(0, Vec::len) == 3).then_some(())
    });
    stack.update_item((&due.pk, &due.sk), "SET due_at = :v", &json!({"S": store::table::instant(Timestamp::now())}));
    stack.invoke("-clock");
    eventually("the amended note", SOON, || {
        notes(&tenant, on).iter().any(|note| note.contains("\nAlerts: 3 (")).then_some(())
    });
    eventually("the second message", SOON, || (told(&receiver).len() == 2).then_some(()));
    assert_eq!(told(&receiver), [(1, 2), (2, 3)]);
    tenant.at_rest();
    assert_eq!(notes(&tenant, on).len(), 1, "{:#?}", notes(&tenant, on));
    receiver.no_problems();
    tenant.no_violations();
}
