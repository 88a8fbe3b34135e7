//! Bugs of our own, and what heals behind them.
use end_to_end::aws::Queue;
use end_to_end::events::{detection, incident, zone};
use end_to_end::eventually;
use end_to_end::tenant::{SOON, Tenant};
use serde_json::json;
use std::time::Duration;
use store::keys;

/// A ring that failed is hidden for 70 s before the queue gives it up.
const GIVEN_UP: Duration = Duration::from_secs(120);

#[test]
fn a_ring_that_dies_in_the_dead_letter_queue_is_rung_again_by_the_clock() {
    let tenant = Tenant::new();
    let stack = &tenant.stack;
    let queue = Queue { stack, url: stack.variable("-clock", "PROCORE_QUEUE_URL") };
    tenant.take(&[zone(&tenant), detection(&tenant, 1)]);
    tenant.settled("observations", 1);
    eventually("an idle lane", SOON, || (queue.messages(&tenant.connection) == 0).then_some(()));

    // A connection that no lane can read, and nothing but the router to set its alarm.
    let (organization, id) = (tenant.organization.parse().expect("an id"), tenant.connection.parse().expect("an id"));
    let connection = keys::connection(&organization, &id);
    let due = keys::due(&keys::lane_pk(&organization, &id));
    let (connection, due) = ((connection.pk.as_str(), connection.sk.as_str()), (due.pk.as_str(), due.sk.as_str()));
    let sound = stack.item(connection)["created_at"].take();
    stack.update_item(connection, "SET created_at = :v", &json!({"S": "broken"}));
    stack.delete_item(due);
    {
        let _once = queue.give_up_after(1);
        tenant.take(&[detection(&tenant, 2)]);
        let dead = queue.dead_letters();
        eventually("a dead ring", GIVEN_UP, || (dead.messages(&tenant.connection) == 1).then_some(()));
    }
    assert_eq!(queue.messages(&tenant.connection), 0, "nothing rings the lane any more");

    // Mended, and ten minutes later: the clock finds what the router armed before it rang.
    stack.update_item(connection, "SET created_at = :v", &sound);
    assert_eq!(tenant.remote("observations").len(), 1, "the lane was not broken: the test shows nothing");
    let armed = stack.item(due)["due_at"]["S"].as_str().expect("the router armed the lane").to_owned();
    let armed: jiff::Timestamp = armed.parse().expect("a time");
    let left = armed.duration_since(jiff::Timestamp::now());
    assert!(left.is_positive() && left <= store::due::RING_AGAIN, "due in {left}");
    stack.update_item(due, "SET due_at = :v", &json!({"S": store::table::instant(jiff::Timestamp::now())}));
    stack.invoke("-clock");
    tenant.settled("observations", 2);
}

#[test]
fn a_message_that_failed_is_tried_again_soon_and_holds_its_sites_order() {
    let tenant = Tenant::new();
    let stack = &tenant.stack;
    let queue = Queue { stack, url: stack.variable("-event-router", "SOURCE_QUEUE_URL") };
    // The site's last arrival entry, as no code could have written it.
    let (organization, site) = (tenant.organization.parse().expect("an id"), tenant.site.parse().expect("an id"));
    let broken = keys::arrival(&organization, &site, 999_999_999_999);
    stack.put_item((&broken.pk, &broken.sk), "number", &json!({"S": "broken"}));
    let sent = jiff::Timestamp::now().as_second();
    tenant.take(&[incident(&tenant, 1, 1, &[])]);
    tenant.take(&[incident(&tenant, 1, 2, &[])]);
    // The queue by itself hides it for 70 s, as it did when it was delivered.
    let hidden = || queue.hidden_until(&tenant.site).filter(|until| *until < sent + 65);
    eventually("a delivery that failed, hidden for less", SOON, hidden);
    assert_eq!(queue.messages(&tenant.site), 2, "the second waits behind the first");
    stack.delete_item((&broken.pk, &broken.sk));
    tenant.settled("incidents", 1);
    let facts = tenant.get(&format!("/v1/sites/{}/incidents", tenant.site)).ok("incidents");
    assert_eq!(facts["data"][0]["revision"], 2);
    assert_eq!(queue.messages(&tenant.site), 0);
}
