//! A site's day on its way to webhook endpoints: one message for each revision, also of a site that no platform takes.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::detected;
use crash::fault::{Fault, Mode};
use crash::receiver::Receiver;
use domain::ids::SiteId;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use store::directory::{Directory, Site};
use store::due::SiteRef;
use store::summaries::Summaries;
use sync::clock::Clock;
use ulid::Ulid;
use webhook::post::{MemoryPost, Reply};
use webhook::settings::Change;

/// The world begins at ten in the morning in Chicago; at five, this day is cut off.
const CUT: &str = "2026-11-24T23:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

fn saying(status: u16) -> Reply {
    Reply { status: Some(status), retry_after: None }
}

/// What was told of days: date and revision, each with its alerts and how often it was sent.
fn told(world: &Receiver) -> BTreeMap<(String, u64), (u64, usize)> {
    let mut told = BTreeMap::new();
    for got in world.got() {
        let event: Value = serde_json::from_str(&got.body).unwrap();
        if event["type"] != "com.hardhatpulse.summary.daily.v1" {
            continue;
        }
        let data = &event["data"];
        let key = (data["date"].as_str().unwrap().to_owned(), data["revision"].as_u64().unwrap());
        let (alerts, times) = told.entry(key).or_insert((data["alerts"].as_u64().unwrap(), 0));
        assert_eq!(data["alerts"], *alerts, "one revision, two contents");
        *times += 1;
    }
    told
}

async fn receiver() -> Receiver {
    Receiver::new(MemoryPost::taking()).await.unwrap()
}

#[tokio::test]
async fn each_revision_of_a_day_is_told_once_whatever_step_fails() {
    for mode in Mode::ALL {
        for step in 0.. {
            let (world, fault, case) = (receiver().await, Fault::new(step, mode), format!("{mode:?} at step {step}"));
            world.tell(vec![detected(1, at("2026-11-24T15:00:00Z"), "zone_breach")]).await.unwrap();
            world.rest(&Fault::never()).await.unwrap();
            assert_eq!(world.next_look().await.unwrap(), Some(at(CUT)), "no platform takes the site, an endpoint does");
            let end = |e: crash::receiver::ReceiverError| -> ! { panic!("{case}: {e}") };
            world.look(at(CUT) + SignedDuration::from_secs(1), &fault).await.unwrap_or_else(|e| end(e));
            world.rest(&fault).await.unwrap_or_else(|e| end(e));
            world.tell(vec![detected(2, at("2026-11-24T22:00:00Z"), "fall")]).await.unwrap();
            world.look(at(CUT) + minutes(90), &fault).await.unwrap_or_else(|e| end(e));
            world.rest(&fault).await.unwrap_or_else(|e| end(e));
            let told = told(&world);
            let day = |revision| ("2026-11-24".to_owned(), revision);
            let (first, second) = (told.get(&day(1)), told.get(&day(2)));
            assert_eq!(told.len(), 2, "{case}: {told:?}");
            assert_eq!((first.map(|t| t.0), second.map(|t| t.0)), (Some(1), Some(2)), "{case}: {told:?}");
            if !fault.struck() {
                assert!(told.values().all(|(_, times)| *times == 1), "{case}: {told:?}");
                assert!(step > 30, "only {step} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn days_missed_while_disabled_are_made_by_a_recovery() {
    let status = Arc::new(AtomicU16::new(200));
    let answer = status.clone();
    let world = Receiver::new(MemoryPost::answering(move |_| saying(answer.load(Ordering::SeqCst)))).await.unwrap();
    let since = world.clock.now();
    status.store(410, Ordering::SeqCst);
    world.tell(vec![detected(1, at("2026-11-24T15:00:00Z"), "fall")]).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert!(world.endpoint().await.unwrap().is_disabled());
    for day in 0..3 {
        world.look(at(CUT) + days(day) + minutes(1), &Fault::never()).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
    }
    assert!(told(&world).is_empty());
    status.store(200, Ordering::SeqCst);
    let endpoint = world.endpoint().await.unwrap();
    let activate = Change { activate: true, ..Change::default() };
    let endpoint = world.desk().change(&endpoint, endpoint.edition, &activate).await.unwrap();
    let dates = || told(&world).keys().map(|(date, _)| date.clone()).collect::<Vec<_>>();
    // Of what was counted since the second day's cut-off, and then all of it.
    world.desk().recover(&endpoint, at(CUT) + days(1)).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(dates(), ["2026-11-25", "2026-11-26"]);
    world.desk().recover(&endpoint, since).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(dates(), ["2026-11-24", "2026-11-25", "2026-11-26"]);
    assert!(told(&world).values().all(|(_, times)| *times == 1), "nothing is sent again that was taken");
}

#[tokio::test]
async fn a_site_is_cut_off_while_an_endpoint_wants_it_and_no_longer() {
    let world = receiver().await;
    let endpoint = world.endpoint().await.unwrap();
    let change = |wanted| Change { daily_summary: Some(wanted), ..Change::default() };
    let endpoint = world.desk().change(&endpoint, endpoint.edition, &change(false)).await.unwrap();
    world.look(at(CUT) + minutes(1), &Fault::never()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert!(told(&world).is_empty());
    assert_eq!((world.is_taken_up().await.unwrap(), world.next_look().await.unwrap()), (false, None));
    world.desk().change(&endpoint, endpoint.edition, &change(true)).await.unwrap();
    assert_eq!(world.next_look().await.unwrap(), Some(at(CUT) + days(1)));
    world.look(at(CUT) + days(1) + minutes(1), &Fault::never()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(told(&world).keys().map(|(date, _)| date.as_str()).collect::<Vec<_>>(), ["2026-11-25"]);
    // A site that is made later is one of all sites.
    let mut site = Site {
        id: SiteId::new(Ulid::from_parts(2, 2)),
        organization_id: world.lane.organization_id.clone(),
        name: "Annex".into(),
        time_zone: "America/Denver".into(),
        shifts: vec![],
        created_at: world.clock.now(),
        version: 0,
    };
    Directory(&world.table).put_site(&mut site).await.unwrap();
    let site = SiteRef { organization_id: site.organization_id, site_id: site.id };
    assert!(Summaries { table: &world.table, site: &site }.state().await.unwrap().on);
    assert!(store::due::get(&world.table, &site).await.unwrap().at().is_some());
}
