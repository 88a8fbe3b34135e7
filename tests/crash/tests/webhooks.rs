//! A customer's webhook endpoint, with the router and its lane killed or lied to at every step of I/O: each message arrives, always
//! in the same bytes under the same id; nothing is left over, nothing forgotten.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, incident, retracted, zone};
use crash::fault::{Fault, Mode};
use crash::receiver::Receiver;
use domain::message::SiteMessage;
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::due;
use store::endpoints::EndpointState;
use store::messages::DeliveryState;
use store::{Condition, Table};
use sync::clock::Clock;
use webhook::post::{Got, MemoryPost, Reply};
use webhook::settings::Change;

const HOUR: i64 = 3_600;

fn saying(status: u16) -> Reply {
    Reply { status: Some(status), retry_after: None }
}

fn data(got: &Got) -> Value {
    serde_json::from_str::<Value>(&got.body).unwrap()["data"].clone()
}

fn sequence(got: &Got) -> u64 {
    data(got)["sequence"].as_u64().unwrap()
}

/// What a site tells: seven messages follow.
fn messages(world: &Receiver) -> Vec<SiteMessage> {
    vec![
        world.message(vec![zone(1), detection(1), detection(2)]),
        world.message(vec![detection(2), detection(3), confirmed(incident(9, 1, &[1]))]),
        world.message(vec![confirmed(incident(9, 3, &[1, 2])), retracted(8, 1)]),
        world.message(vec![retracted(9, 4)]),
    ]
}

/// Each id came in one body, and each body has a number of its own.
fn same_bytes(got: &[Got], case: &str) -> BTreeMap<String, usize> {
    let (mut bodies, mut counts) = (BTreeMap::<&str, &str>::new(), BTreeMap::<String, usize>::new());
    for one in got {
        let first = bodies.entry(&one.id).or_insert(&one.body);
        assert_eq!(*first, one.body, "{case}: another body under {}", one.id);
        *counts.entry(one.id.clone()).or_default() += 1;
    }
    let numbers: BTreeSet<u64> = got.iter().map(sequence).collect();
    assert_eq!(numbers.len(), counts.len(), "{case}: two messages share a number");
    counts
}

async fn at_rest(world: &Receiver, case: &str) {
    assert!(world.todos().await.unwrap().is_empty(), "{case}: {:?}", world.todos().await.unwrap());
    assert_eq!(due::get(&world.table, &world.lane).await.unwrap().at(), None, "{case}");
    for row in world.rows().await.unwrap() {
        assert_eq!(row.state, DeliveryState::Delivered, "{case}: {row:?}");
    }
}

#[tokio::test]
async fn every_fact_is_asked_for_whatever_step_of_the_router_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let world = Receiver::new(MemoryPost::taking()).await.unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            for message in messages(&world) {
                world.route(&message, &fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            }
            let ids: BTreeSet<String> = world.todos().await.unwrap().into_iter().map(|todo| todo.message_id).collect();
            assert_eq!(ids.len(), 7, "{case}");
            assert!(
                due::get(&world.table, &world.lane).await.unwrap().at().is_some(),
                "{case}: nobody would ring again"
            );
            world.rest(&Fault::never()).await.unwrap();
            assert_eq!(same_bytes(&world.got(), &case).len(), 7, "{case}");
            if !fault.struck() {
                assert!(at > 20, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_is_routed_again_after_it_was_sent_is_not_sent_again() {
    // The router dies before its commit mark; the lane is faster than the queue's second delivery.
    for at in 0.. {
        let world = Receiver::new(MemoryPost::taking()).await.unwrap();
        let fault = Fault::new(at, Mode::DieBefore);
        let message = world.message(vec![detection(1), confirmed(incident(9, 1, &[1]))]);
        let table = crash::fault::Faulty { inner: &world.table as &dyn store::Table, fault: fault.clone() };
        let router = event_router::route::Router {
            table: &table,
            bell: &world.bell,
            bus: &world.bus,
            detection_retention_days: 400,
        };
        tokio::select! {
            _ = router.route(&message, world.clock.now()) => {}
            () = fault.died.notified() => {}
        }
        world.rest(&Fault::never()).await.unwrap();
        world.clock.advance(SignedDuration::from_secs(70));
        world.route(&message, &Fault::never()).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
        let counts = same_bytes(&world.got(), &format!("step {at}"));
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [1, 1], "step {at}");
        if !fault.struck() {
            assert!(at > 8, "only {at} steps");
            break;
        }
    }
}

#[tokio::test]
async fn every_message_arrives_whatever_step_of_the_lane_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let world = Receiver::unpinged(MemoryPost::taking()).await.unwrap();
            for message in messages(&world) {
                world.route(&message, &Fault::never()).await.unwrap();
            }
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            at_rest(&world, &case).await;
            let counts = same_bytes(&world.got(), &case);
            assert_eq!(counts.len(), 7, "{case}");
            let repeated: usize = counts.values().map(|count| count - 1).sum();
            assert!(repeated <= 5, "{case}: a run has five messages under way at most: {counts:?}");
            assert_eq!(world.endpoint().await.unwrap().state, EndpointState::Active, "{case}");
            if !fault.struck() {
                assert_eq!(repeated, 0, "{case}");
                assert!(at > 30, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_failed_is_tried_again_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            // The first two tries of each message fail.
            let tries = Arc::new(std::sync::Mutex::new(BTreeMap::<String, usize>::new()));
            let world = Receiver::unpinged(MemoryPost::answering(move |got| {
                let mut tries = tries.lock().unwrap();
                let tries = tries.entry(got.id.clone()).or_default();
                *tries += 1;
                saying(if *tries < 3 { 503 } else { 200 })
            }))
            .await
            .unwrap();
            world.tell(vec![detection(1), confirmed(incident(9, 1, &[]))]).await.unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            at_rest(&world, &case).await;
            let counts = same_bytes(&world.got(), &case);
            assert_eq!(counts.len(), 2, "{case}");
            assert!(counts.values().all(|count| (3..=4).contains(count)), "{case}: {counts:?}");
            if !fault.struck() {
                assert!(at > 30, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn two_runners_side_by_side_lose_nothing_and_share_no_number() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    let events: Vec<_> = (1..=30).map(detection).collect();
    world.tell(events).await.unwrap();
    let yielding = Fault::yielding();
    let (one, other) = tokio::join!(world.run(&yielding), world.run(&yielding));
    one.unwrap();
    other.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    at_rest(&world, "two runners").await;
    let counts = same_bytes(&world.got(), "two runners");
    assert_eq!(counts.len(), 30);
    assert!(counts.values().all(|count| *count <= 2), "{counts:?}");
}

#[tokio::test]
async fn a_failing_message_is_tried_ten_times_in_three_days_and_holds_up_nobody() {
    // One detection is refused whenever it comes; all others are taken.
    let world = Receiver::new(MemoryPost::answering(|got| {
        saying(if got.body.contains(&crash::facts::id(1)) { 500 } else { 200 })
    }))
    .await
    .unwrap();
    let start = world.clock.now();
    world.tell(vec![zone(1), detection(1), detection(2)]).await.unwrap();
    world.rest_until(&Fault::never(), Some(start + SignedDuration::from_hours(1))).await.unwrap();
    world.tell(vec![detection(3)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let failing: Vec<Got> = world.got().into_iter().filter(|got| got.body.contains(&crash::facts::id(1))).collect();
    let after: Vec<i64> = failing.iter().map(|got| got.at.duration_since(start).as_secs()).collect();
    assert_eq!(after.len(), 10, "{after:?}");
    let waits: Vec<i64> = after.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, expected) in
        waits.iter().zip([5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 20 * HOUR])
    {
        // The clock rings within a minute.
        assert!((expected * 8 / 10..=expected * 12 / 10 + 62).contains(wait), "{waits:?}");
    }
    let rows = world.rows().await.unwrap();
    let states: Vec<DeliveryState> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Failed, DeliveryState::Delivered, DeliveryState::Delivered]);
    assert_eq!((rows[0].attempts.len(), rows[0].next_attempt_at), (10, None));
    let third = world.got().into_iter().find(|got| got.body.contains(&crash::facts::id(3))).unwrap();
    assert!(third.at.duration_since(start).as_secs() - HOUR < 60, "a later message had to wait");
    assert_eq!(world.endpoint().await.unwrap().state, EndpointState::Active);
    assert!(world.todos().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_receivers_wish_for_patience_is_followed_up_to_a_day() {
    let first = Arc::new(AtomicBool::new(true));
    let world = Receiver::new(MemoryPost::answering(move |got| {
        let ping = got.body.contains("ping.v1");
        match !ping && first.swap(false, Ordering::SeqCst) {
            true => Reply { status: Some(429), retry_after: Some(SignedDuration::from_hours(7)) },
            false => saying(200),
        }
    }))
    .await
    .unwrap();
    world.tell(vec![detection(1)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let got = world.got();
    assert_eq!(got.len(), 2);
    let wait = got[1].at.duration_since(got[0].at).as_secs();
    assert!((7 * HOUR..7 * HOUR + 62).contains(&wait), "{wait}");
}

#[tokio::test]
async fn gone_disables_at_once_and_a_person_can_have_it_tried_again() {
    let status = Arc::new(AtomicU64::new(200));
    let answer = status.clone();
    let world =
        Receiver::new(MemoryPost::answering(move |_| saying(u16::try_from(answer.load(Ordering::SeqCst)).unwrap())))
            .await
            .unwrap();
    status.store(410, Ordering::SeqCst);
    world.tell((1..=30).map(detection).collect()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let endpoint = world.endpoint().await.unwrap();
    assert!(endpoint.is_disabled() && endpoint.disabled.unwrap().reason.contains("410"));
    assert!(world.got().len() <= 5, "no more than were under way");
    assert!(world.bus.published().iter().any(|(kind, _)| *kind == "Webhook Endpoint Disabled"));
    // What comes in meanwhile is not sent, and can be recovered.
    world.tell(vec![detection(40)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let before = world.got().len();
    status.store(200, Ordering::SeqCst);
    let endpoint = world.endpoint().await.unwrap();
    assert!(world.desk().recover(&endpoint, world.clock.now()).await.is_err(), "first it must be active");
    let activate = Change { activate: true, ..Change::default() };
    let endpoint = world.desk().change(&endpoint, endpoint.edition, &activate).await.unwrap();
    assert_eq!(endpoint.state, EndpointState::Active);
    world.rest(&Fault::never()).await.unwrap();
    let ids: BTreeSet<String> = world.got()[before..].iter().map(|got| got.id.clone()).collect();
    assert!(ids.len() >= 25, "what was left waiting goes out: {}", ids.len());
    let since = world.clock.now() - SignedDuration::from_hours(24);
    world.desk().recover(&endpoint, since).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let rows = world.rows().await.unwrap();
    assert_eq!(rows.len(), 31);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn gone_as_the_answer_to_a_test_disables_too_and_is_heard() {
    let status = Arc::new(AtomicU64::new(200));
    let answer = status.clone();
    let post = move |_: &Got| saying(u16::try_from(answer.load(Ordering::SeqCst)).unwrap());
    let world = Receiver::new(MemoryPost::answering(post)).await.unwrap();
    status.store(410, Ordering::SeqCst);
    let endpoint = world.endpoint().await.unwrap();
    let attempt = world
        .desk()
        .test(&endpoint, &world.post, "https://pulse.example.org", ulid::Ulid::from_parts(8, 1))
        .await
        .unwrap();
    assert_eq!(attempt.status_code, Some(410));
    world.rest(&Fault::never()).await.unwrap();
    assert!(world.endpoint().await.unwrap().disabled.unwrap().reason.contains("410"));
    let told = world.bus.published().iter().filter(|(kind, _)| *kind == "Webhook Endpoint Disabled").count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn whoever_listens_hears_that_an_endpoint_was_disabled_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let gone = |got: &Got| saying(if got.body.contains("ping.v1") { 200 } else { 410 });
            let world = Receiver::new(MemoryPost::answering(gone)).await.unwrap();
            world.tell(vec![detection(1)]).await.unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            // A run that ended between the answer and what follows from it: the next message shows it.
            world.tell(vec![detection(2)]).await.unwrap();
            world.rest(&Fault::never()).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            world.run(&Fault::never()).await.unwrap();
            assert!(world.endpoint().await.unwrap().is_disabled(), "{case}");
            let told = world.bus.published().iter().filter(|(kind, _)| *kind == "Webhook Endpoint Disabled").count();
            assert!((1..=1 + usize::from(fault.struck())).contains(&told), "{case}: told {told} times");
            if !fault.struck() {
                assert!(at > 12, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn five_days_of_nothing_but_failures_disable_with_notice() {
    let world =
        Receiver::new(MemoryPost::answering(|got| saying(if got.body.contains("ping.v1") { 200 } else { 500 })))
            .await
            .unwrap();
    let start = world.clock.now();
    for day in 0..6 {
        world.tell(vec![detection(100 + day)]).await.unwrap();
        let end = start + SignedDuration::from_hours(24 * (i64::try_from(day).unwrap() + 1));
        world.rest_until(&Fault::never(), Some(end)).await.unwrap();
        let expected = day >= 5;
        assert_eq!(world.endpoint().await.unwrap().is_disabled(), expected, "day {day}");
    }
    assert_eq!(world.bus.published().iter().filter(|(kind, _)| *kind == "Webhook Endpoint Disabled").count(), 1);
}

#[tokio::test]
async fn one_success_in_between_begins_the_five_days_anew() {
    let world = Receiver::new(MemoryPost::answering(|got| {
        let taken = got.body.contains("ping.v1") || got.body.contains(&crash::facts::id(103));
        saying(if taken { 200 } else { 500 })
    }))
    .await
    .unwrap();
    let start = world.clock.now();
    for day in 0..7 {
        world.tell(vec![detection(100 + day)]).await.unwrap();
        let end = start + SignedDuration::from_hours(24 * (i64::try_from(day).unwrap() + 1));
        world.rest_until(&Fault::never(), Some(end)).await.unwrap();
    }
    assert!(!world.endpoint().await.unwrap().is_disabled());
}

#[tokio::test]
async fn a_person_retries_one_and_recovers_all_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let down = Arc::new(AtomicBool::new(false));
            let answer = down.clone();
            let world = Receiver::new(MemoryPost::answering(move |_| {
                saying(if answer.load(Ordering::SeqCst) { 500 } else { 200 })
            }))
            .await
            .unwrap();
            let start = world.clock.now();
            world.tell(vec![detection(1)]).await.unwrap();
            world.rest(&Fault::never()).await.unwrap();
            down.store(true, Ordering::SeqCst);
            world.tell(vec![detection(2), detection(3)]).await.unwrap();
            world.rest(&Fault::never()).await.unwrap();
            assert_eq!(world.rows().await.unwrap().iter().filter(|r| r.state == DeliveryState::Failed).count(), 2);
            down.store(false, Ordering::SeqCst);
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            let endpoint = world.endpoint().await.unwrap();
            let failed = world.rows().await.unwrap().remove(1);
            let row = world.desk().retry(&endpoint, &failed.message_id).await.unwrap().unwrap();
            assert_eq!(row.state, DeliveryState::Pending);
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            world.desk().recover(&endpoint, start).await.unwrap();
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            at_rest(&world, &case).await;
            let counts = same_bytes(&world.got(), &case);
            assert_eq!(counts.len(), 3, "{case}");
            let delivered = world.rows().await.unwrap().into_iter().find(|row| row.attempts.len() == 1).unwrap();
            assert_eq!(counts[&delivered.message_id], 1, "{case}: what was taken is not sent again");
            if !fault.struck() {
                assert!(at > 30, "only {at} steps");
                break;
            }
        }
    }
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    let endpoint = world.endpoint().await.unwrap();
    assert!(world.desk().retry(&endpoint, "msg_00000000000000000000000000").await.unwrap().is_none());
}

#[tokio::test]
async fn a_later_attempt_that_ends_run_after_run_is_given_up() {
    for (first, asked) in [(200, true), (500, false)] {
        let world = Receiver::new(MemoryPost::answering(move |got| {
            saying(if got.body.contains("ping.v1") { 200 } else { first })
        }));
        let world = world.await.unwrap();
        world.tell(vec![detection(1)]).await.unwrap();
        world.rest_until(&Fault::never(), Some(world.clock.now() + SignedDuration::from_hours(1))).await.unwrap();
        let row = world.rows().await.unwrap().remove(0);
        match row.next_attempt_at {
            Some(at) => world.clock.move_to(at),
            None => world.desk().retry(&world.endpoint().await.unwrap(), &row.message_id).await.map(drop).unwrap(),
        }
        assert_eq!(row.next_attempt_at.is_none(), asked);
        let before = world.got().len();
        for _ in 0..3 {
            assert!(world.run_once(&Fault::at_call("post", Mode::DieBefore)).await.is_none());
        }
        world.rest(&Fault::never()).await.unwrap();
        let row = world.rows().await.unwrap().remove(0);
        assert_eq!((row.state, world.got().len()), (DeliveryState::Failed, before), "asked for: {asked}");
        assert!(row.attempts.last().unwrap().error.as_ref().unwrap().contains("ended three runs"));
        assert!(world.todos().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_was_missed_goes_out_at_once_also_where_its_next_try_is_hours_away() {
    for mode in Mode::ALL {
        for at in 0.. {
            let down = Arc::new(AtomicBool::new(false));
            let answer = down.clone();
            let world = Receiver::new(MemoryPost::answering(move |_| {
                saying(if answer.load(Ordering::SeqCst) { 500 } else { 200 })
            }))
            .await
            .unwrap();
            let start = world.clock.now();
            down.store(true, Ordering::SeqCst);
            world.tell(vec![detection(1)]).await.unwrap();
            world.rest_until(&Fault::never(), Some(start + SignedDuration::from_hours(20))).await.unwrap();
            let row = world.rows().await.unwrap().remove(0);
            let wait = row.next_attempt_at.unwrap().duration_since(world.clock.now());
            assert!(wait > SignedDuration::from_hours(5), "{wait}");
            down.store(false, Ordering::SeqCst);
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            let asked = world.clock.now();
            let before = world.got().len();
            world.desk().recover(&world.endpoint().await.unwrap(), start).await.unwrap();
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            at_rest(&world, &case).await;
            let got = world.got().split_off(before);
            assert!(got[0].at.duration_since(asked) < SignedDuration::from_hours(1), "{case}");
            if !fault.struck() {
                assert_eq!(got.len(), 1, "{case}: nor is it sent again at the time that it waited for");
                assert!(at > 10, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn of_a_site_that_an_endpoint_is_not_for_any_more_nothing_is_sent_in_any_way() {
    let down = Arc::new(AtomicBool::new(true));
    let answer = down.clone();
    let world = Receiver::new(MemoryPost::answering(move |got| {
        saying(if answer.load(Ordering::SeqCst) && !got.body.contains("ping.v1") { 500 } else { 200 })
    }))
    .await
    .unwrap();
    let start = world.clock.now();
    world.tell(vec![detection(1)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    world.tell(vec![detection(2)]).await.unwrap();
    world.rest_until(&Fault::never(), Some(world.clock.now() + SignedDuration::from_hours(1))).await.unwrap();
    world.tell(vec![detection(3)]).await.unwrap();
    // One was given up, one waits for its next try, one for its first.
    let other = domain::ids::SiteId::new(ulid::Ulid::from_parts(2, 2));
    let narrow = |site_ids| Change { site_ids: Some(site_ids), ..Change::default() };
    let endpoint = world.endpoint().await.unwrap();
    let endpoint = world.desk().change(&endpoint, endpoint.edition, &narrow(Some(vec![other]))).await.unwrap();
    let before = world.got().len();
    down.store(false, Ordering::SeqCst);
    world.rest(&Fault::never()).await.unwrap();
    world.desk().recover(&endpoint, start).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let rows = world.rows().await.unwrap();
    for row in &rows {
        let refused = world.desk().retry(&endpoint, &row.message_id).await;
        assert!(matches!(refused, Err(webhook::endpoints::EndpointError::NotOfSite(_))), "{refused:?}");
        assert_eq!(row.state, DeliveryState::Failed);
    }
    let hindered = rows.iter().map(|row| {
        row.attempts.last().and_then(|attempt| attempt.error.as_ref()).is_some_and(|why| why.contains("its site"))
    });
    assert_eq!(hindered.collect::<Vec<_>>(), [false, true, true], "what was given up is not asked for again");
    assert_eq!((rows.len(), world.got().len()), (3, before), "nothing goes out");
    assert!(world.todos().await.unwrap().is_empty());
    // Widened again, what was missed can be had.
    let endpoint = world.desk().change(&endpoint, endpoint.edition, &narrow(None)).await.unwrap();
    world.desk().recover(&endpoint, start).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    at_rest(&world, "widened").await;
    assert_eq!(world.got().len(), before + 3);
}

const NEW: &str = "https://hooks.example.com/new";

/// At whose first message a person enters another address, before it is answered.
struct Moving<'a> {
    world: &'a Receiver,
    moved: AtomicBool,
    /// Where the latest message went.
    to: Mutex<String>,
}

#[async_trait::async_trait]
impl webhook::Post for Moving<'_> {
    async fn post(&self, letter: webhook::Letter<'_>) -> webhook::Outcome {
        if !self.moved.swap(true, Ordering::SeqCst) {
            let endpoint = self.world.endpoint().await.unwrap();
            let url = Some(credentials::Secret::new(NEW));
            let change = Change { url, ..Change::default() };
            self.world.desk().change(&endpoint, endpoint.edition, &change).await.unwrap();
        }
        letter.url.expose().clone_into(&mut self.to.lock().unwrap());
        self.world.post.post(letter).await
    }
}

impl<'a> Moving<'a> {
    fn of(world: &'a Receiver) -> Self {
        Self { world, moved: AtomicBool::new(false), to: Mutex::default() }
    }

    /// Runs the lane once. What is sent afterwards goes to the new address.
    async fn run(world: &Receiver) {
        let post = Moving::of(world);
        let engine = webhook::lane::Engine {
            table: &world.table,
            bell: &world.bell,
            bus: &world.bus,
            vault: &world.vault,
            post: &post,
            clock: &world.clock,
            public_url: "https://pulse.example.org",
            run_for: SignedDuration::from_secs(40),
        };
        engine.run(&world.lane).await.unwrap();
        assert_eq!(*post.to.lock().unwrap(), NEW);
    }
}

#[tokio::test]
async fn what_the_address_before_answers_late_is_not_held_against_the_new_one() {
    let detections = |got: &Got| !got.body.contains("ping.v1");
    // Gone at once.
    let world = Receiver::new(MemoryPost::answering(move |got| saying(if detections(got) { 410 } else { 200 }))).await;
    let world = world.unwrap();
    world.tell(vec![detection(1)]).await.unwrap();
    Moving::run(&world).await;
    assert_eq!(world.endpoint().await.unwrap().state, EndpointState::Active, "its ping was taken");
    assert!(world.bus.published().iter().all(|(kind, _)| *kind != "Webhook Endpoint Disabled"));
    // Failing for five days; the new one fails, too, but not for so long.
    let world = Receiver::new(MemoryPost::answering(move |got| saying(if detections(got) { 500 } else { 204 }))).await;
    let world = world.unwrap();
    let start = world.clock.now();
    for day in 0..5 {
        world.tell(vec![detection(100 + day)]).await.unwrap();
        let end = start + SignedDuration::from_hours(24 * (i64::try_from(day).unwrap() + 1) - 1);
        world.rest_until(&Fault::never(), Some(end)).await.unwrap();
    }
    world.clock.advance(SignedDuration::from_hours(2));
    world.tell(vec![detection(110)]).await.unwrap();
    Moving::run(&world).await;
    assert!(!world.endpoint().await.unwrap().is_disabled());
    world.tell(vec![detection(111)]).await.unwrap();
    world.run(&Fault::never()).await.unwrap();
    assert!(!world.endpoint().await.unwrap().is_disabled());
}

#[tokio::test]
async fn what_the_address_before_takes_late_does_not_speak_for_the_new_one() {
    // A message of the lane's, and a test of a person's.
    let answer = |got: &Got| saying(if got.body.contains("ping.v1") { 500 } else { 200 });
    let world = Receiver::new(MemoryPost::answering(answer)).await.unwrap();
    world.tell(vec![detection(1)]).await.unwrap();
    Moving::run(&world).await;
    assert_eq!((world.got().len(), world.endpoint().await.unwrap().state), (1, EndpointState::Untested));
    let world = Receiver::unpinged(MemoryPost::taking()).await.unwrap();
    let post = Moving::of(&world);
    let (endpoint, id) = (world.endpoint().await.unwrap(), ulid::Ulid::from_parts(9, 9));
    let attempt = world.desk().test(&endpoint, &post, "https://pulse.example.org", id).await.unwrap();
    assert_eq!((attempt.delivered(), world.endpoint().await.unwrap().state), (true, EndpointState::Untested));
}

#[tokio::test]
async fn what_is_tried_again_or_elsewhere_has_five_days_of_its_own() {
    let url = Some(credentials::Secret::new(NEW));
    let (again, elsewhere) = (Change { activate: true, ..Change::default() }, Change { url, ..Change::default() });
    for (change, hours, disabled) in [(again, 6 * 24, true), (elsewhere, 5 * 24 - 1, false)] {
        let world = Receiver::unpinged(MemoryPost::answering(|_| saying(500))).await.unwrap();
        let start = world.clock.now();
        for (n, half) in (1..).zip([hours / 2, hours]) {
            world.tell(vec![detection(n)]).await.unwrap();
            world.rest_until(&Fault::never(), Some(start + SignedDuration::from_hours(half))).await.unwrap();
        }
        let standing = world.endpoint().await.unwrap();
        assert_eq!(standing.is_disabled(), disabled);
        world.desk().change(&standing, standing.edition, &change).await.unwrap();
        world.clock.advance(SignedDuration::from_hours(2));
        let before = world.post.got().len();
        world.run(&Fault::never()).await.unwrap();
        assert!(world.post.got().len() > before && !world.endpoint().await.unwrap().is_disabled(), "{change:?}");
    }
}

#[tokio::test]
async fn failures_with_a_success_by_test_or_a_silence_between_do_not_add_up_to_five_days() {
    for tested in [true, false] {
        let up = Arc::new(AtomicBool::new(true));
        let answer = up.clone();
        let world = Receiver::new(MemoryPost::answering(move |_| {
            saying(if answer.load(Ordering::SeqCst) { 200 } else { 500 })
        }))
        .await
        .unwrap();
        up.store(false, Ordering::SeqCst);
        world.tell(vec![detection(1)]).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
        if tested {
            world.clock.advance(SignedDuration::from_hours(2));
            up.store(true, Ordering::SeqCst);
            let endpoint = world.endpoint().await.unwrap();
            let id = ulid::Ulid::from_parts(9, 9);
            let attempt = world.desk().test(&endpoint, &world.post, "https://pulse.example.org", id).await.unwrap();
            assert!(attempt.delivered());
            up.store(false, Ordering::SeqCst);
        } else {
            world.clock.advance(SignedDuration::from_hours(5 * 24));
        }
        world.tell(vec![detection(2)]).await.unwrap();
        let end = world.clock.now() + SignedDuration::from_hours(52);
        world.rest_until(&Fault::never(), Some(end)).await.unwrap();
        assert!(!world.endpoint().await.unwrap().is_disabled(), "tested: {tested}");
    }
}

#[tokio::test]
async fn a_removed_endpoint_is_sent_nothing_and_leaves_nothing_to_do() {
    for mode in Mode::ALL {
        for at in 0.. {
            let world = Receiver::new(MemoryPost::taking()).await.unwrap();
            world.tell(vec![detection(1), detection(2)]).await.unwrap();
            let endpoint = world.endpoint().await.unwrap();
            world.desk().remove(&endpoint).await.unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            assert!(world.got().is_empty(), "{case}");
            at_rest(&world, &case).await;
            if !fault.struck() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_lane_that_is_never_rung_is_rung_by_the_clock() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    world.tell(vec![detection(1)]).await.unwrap();
    world.bell.take();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(world.got().len(), 1);
}

#[tokio::test]
async fn while_a_secret_rotates_two_signatures_go_out_for_a_day() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    let endpoint = world.endpoint().await.unwrap();
    let (_, _, until) = world.desk().rotate_secret(&endpoint).await.unwrap();
    assert_eq!(until, Some(world.clock.now() + SignedDuration::from_hours(24)));
    world.tell(vec![detection(1)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(25));
    world.tell(vec![detection(2)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let signatures: Vec<usize> = world.got().iter().map(|got| got.signatures.split(' ').count()).collect();
    assert_eq!(signatures, [2, 1]);
    assert!(world.got().iter().all(|got| got.token.as_deref() == Some("T0ken")));
}

#[tokio::test]
async fn messages_say_what_became_of_an_incident_and_nothing_that_must_stay_here() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    for message in messages(&world) {
        world.route(&message, &Fault::never()).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
    }
    let got = world.got();
    let types: Vec<String> = got
        .iter()
        .map(|got| serde_json::from_str::<Value>(&got.body).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    let short: Vec<&str> = types.iter().map(|text| text.strip_prefix("com.hardhatpulse.").unwrap()).collect();
    assert_eq!(short.iter().filter(|t| **t == "detection.recorded.v1").count(), 3);
    for (kind, count) in [("incident.confirmed.v1", 1), ("incident.updated.v1", 1), ("incident.retracted.v1", 2)] {
        assert_eq!(short.iter().filter(|t| **t == kind).count(), count, "{short:?}");
    }
    assert!(got.iter().all(|got| !got.body.contains("W-4711")), "a worker's id left the house");
    let mut numbers: Vec<u64> = got.iter().map(sequence).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    numbers.dedup();
    assert_eq!(numbers.len(), 7);
    assert!(got.iter().any(|got| data(got)["title"].as_str().unwrap().contains("Crane 2")));
}

#[tokio::test]
async fn a_detection_of_a_privacy_case_goes_out_without_role_and_trade() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    let private = domain::event::Incident { privacy_case: true, ..incident(9, 1, &[1]) };
    world.tell(vec![confirmed(private)]).await.unwrap();
    world.tell(vec![detection(1), detection(2)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    for got in world.got() {
        let shown = got.body.contains("Rigger") || got.body.contains("Ironwork");
        assert_eq!(shown, data(&got)["detection_id"] == crash::facts::id(2), "{}", got.body);
    }
}

/// Whether it tells who it was, or what happened in free text.
fn tells(got: &Got) -> bool {
    ["Rigger", "Ironwork", "Slipped"].iter().any(|told| got.body.contains(told))
}

#[tokio::test]
async fn what_becomes_a_privacy_case_is_told_no_more_at_any_later_attempt() {
    let revised = |revision, privacy_case| {
        let summary = Some("Slipped on the ladder".to_owned());
        confirmed(domain::event::Incident { privacy_case, summary, ..incident(9, revision, &[1]) })
    };
    for mode in Mode::ALL {
        for at in 0.. {
            let down = Arc::new(AtomicBool::new(true));
            let answer = down.clone();
            let world = Receiver::new(MemoryPost::answering(move |got| {
                let taken = !answer.load(Ordering::SeqCst) || got.body.contains("ping.v1");
                saying(if taken { 200 } else { 500 })
            }))
            .await
            .unwrap();
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            let start = world.clock.now();
            world.tell(vec![detection(1), revised(1, false)]).await.unwrap();
            world.rest_until(&Fault::never(), Some(start + SignedDuration::from_hours(1))).await.unwrap();
            let open = world.got();
            assert!(open.len() > 4 && open.iter().all(tells), "{case}");
            // One more waits for its first turn when the next says that it is private.
            world.tell(vec![revised(2, false)]).await.unwrap();
            world.tell(vec![revised(3, true)]).await.unwrap();
            down.store(false, Ordering::SeqCst);
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            at_rest(&world, &case).await;
            let endpoint = world.endpoint().await.unwrap();
            for row in world.rows().await.unwrap() {
                world.desk().retry(&endpoint, &row.message_id).await.unwrap().unwrap();
            }
            world.rest(&Fault::never()).await.unwrap();
            let later = world.got().split_off(open.len());
            assert!(later.len() >= 8, "{case}: {later:?}");
            for got in &later {
                assert!(!tells(got), "{case}: {}", got.body);
            }
            let numbers: BTreeSet<(String, u64)> =
                world.got().iter().map(|got| (got.id.clone(), sequence(got))).collect();
            assert_eq!(numbers.len(), 4, "{case}: the id and the number of a message stay");
            if !fault.struck() {
                assert!(at > 30, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_was_taken_before_it_became_a_privacy_case_is_not_told_again() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    world.tell(vec![detection(1), confirmed(incident(9, 1, &[1]))]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let before = world.got();
    assert!(before.len() == 2 && before.iter().all(tells));
    world.tell(vec![confirmed(domain::event::Incident { privacy_case: true, ..incident(9, 2, &[1]) })]).await.unwrap();
    let endpoint = world.endpoint().await.unwrap();
    for got in &before {
        world.desk().retry(&endpoint, &got.id).await.unwrap().unwrap();
    }
    world.rest(&Fault::never()).await.unwrap();
    let after = world.got().split_off(2);
    assert_eq!(after.len(), 3);
    assert!(!after.iter().any(tells), "{after:?}");
}

#[tokio::test]
async fn of_what_became_a_privacy_case_and_is_not_kept_any_more_nothing_is_sent_again() {
    let world = Receiver::new(MemoryPost::taking()).await.unwrap();
    world.tell(vec![detection(1)]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let open = world.got().remove(0);
    world.tell(vec![confirmed(domain::event::Incident { privacy_case: true, ..incident(9, 1, &[1]) })]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let (organization, id) = (&world.lane.organization_id, crash::facts::id(1));
    let kept = store::keys::fact(organization, &world.site_id, domain::fact::FactKind::Detection, &id);
    world.table.delete(&kept, Condition::Always).await.unwrap();
    let before = world.got().len();
    world.desk().retry(&world.endpoint().await.unwrap(), &open.id).await.unwrap().unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(world.got().len(), before);
    let row = world.rows().await.unwrap().into_iter().find(|row| row.message_id == open.id).unwrap();
    assert!(row.attempts.last().unwrap().error.as_ref().unwrap().contains("not kept any more"), "{row:?}");
}
