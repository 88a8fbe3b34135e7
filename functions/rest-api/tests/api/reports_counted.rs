//! What reports count against a straight count of what was sent in, and what they read for it.
use crate::edge::Edge;
use crate::world::{Tenant, World};
use async_trait::async_trait;
use domain::arrival::{ArrivalEntry, ArrivalLine, CommitMark};
use domain::fact::FactKind;
use domain::ids::{OrganizationId, SiteId};
use domain::summary::report::Previous;
use domain::summary::window::SummaryHour;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use store::counting::Counting;
use store::directory::{Directory, Site};
use store::facts::SiteFacts;
use store::memory::MemoryTable;
use store::reports::{Planned, ReportError, Reports};
use store::table::Query;
use store::{Condition, Item, Key, Table, TableError};

/// Something that a site's edge saw, and how long after (or, by a wrong clock, before) it is sent.
#[derive(Debug, Clone)]
struct Seen {
    minute: i64,
    delay: i64,
    breach: bool,
    sampled: Option<(u64, u64)>,
}

fn seen() -> impl Strategy<Value = Seen> {
    // Around the change to winter time in Chicago, 1 November, 2:00.
    let delay = prop_oneof![3 => 0i64..3, 2 => 0i64..300, 1 => 0i64..8_000, 1 => -3_000i64..0];
    let sampled = proptest::option::weighted(0.3, (1u64..20, 0u64..20));
    (0i64..7 * 1440, delay, any::<bool>(), sampled).prop_map(|(minute, delay, breach, sampled)| {
        let sampled = sampled.map(|(checked, compliant)| (checked, compliant.min(checked)));
        Seen { minute, delay, breach, sampled }
    })
}

impl Seen {
    fn at(&self) -> Timestamp {
        start() + SignedDuration::from_mins(self.minute)
    }

    fn sent_at(&self) -> Timestamp {
        self.at() + SignedDuration::from_mins(self.delay)
    }

    fn event(&self, number: usize) -> Value {
        let at = self.at();
        match self.sampled {
            Some((checked, compliant)) => json!({"type": "com.hardhatpulse.ppe.sampled.v1", "data": {
                "sample_id": format!("s-{number}"), "sampled_from": at, "sampled_to": at + SignedDuration::from_mins(15),
                "zone_id": "z", "checks": {"vest": {"checked": checked, "compliant": compliant}}}}),
            None => crate::edge::detection(number, at, if self.breach { "zone_breach" } else { "fall" }, 3),
        }
    }
}

fn start() -> Timestamp {
    "2026-10-29T05:00:00Z".parse().unwrap()
}

/// Alerts, zone breaches, and checks with what was compliant, by date.
type Count = BTreeMap<Date, (u64, u64, u64, u64)>;

fn straight(all: &[Seen], hour: &SummaryHour) -> Count {
    let mut count = Count::new();
    for seen in all {
        let day = count.entry(hour.date_of(seen.at())).or_default();
        match seen.sampled {
            Some((checked, compliant)) => (day.2, day.3) = (day.2 + checked, day.3 + compliant),
            None => (day.0, day.1) = (day.0 + 1, day.1 + u64::from(seen.breach)),
        }
    }
    count
}

async fn counted(table: &dyn Table, site: &Site, (from, to): (Date, Date), now: Timestamp, entries: usize) -> Count {
    loop {
        let reports = Reports::of(table, site).await.unwrap().reading_at_most(entries);
        match reports.days(from, to, now).await {
            // Goes on where it stopped.
            Err(ReportError::Counting) => continue,
            outcome => {
                let figures = outcome.unwrap().into_iter().map(|(date, tally)| (date, tally.total()));
                let counts =
                    figures.map(|(date, f)| (date, (f.alerts, f.zone_breaches, f.checks.checked, f.checks.compliant)));
                return counts.filter(|(_, count)| *count != (0, 0, 0, 0)).collect();
            }
        }
    }
}

async fn site_of(world: &World, tenant: &Tenant) -> Site {
    let (organization, site): (OrganizationId, SiteId) =
        (tenant.organization.parse().unwrap(), tenant.site.parse().unwrap());
    Directory(world.table.as_ref()).site(&organization, &site).await.unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever arrives when, and however often and in how small steps it is counted meanwhile.
    #[test]
    fn reports_add_up_to_what_was_sent(
        all in prop::collection::vec(seen(), 1..60),
        at_once in 1usize..9,
        asks in prop::collection::vec(0usize..60, 0..6),
        entries in 1usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(async {
            let world = World::new();
            world.pass(start().duration_since(world.now()));
            let tenant = world.tenant("Acme").await;
            let site = site_of(&world, &tenant).await;
            let hour = SummaryHour::new("America/Chicago", "17:00").unwrap();
            let edge = Edge { world: &world, organization: tenant.organization.clone(), site: tenant.site.clone() };
            let mut sent: Vec<(usize, Seen)> = all.iter().cloned().enumerate().collect();
            sent.sort_by_key(|(_, seen)| seen.sent_at());
            let stretch = ("2026-10-27".parse().unwrap(), "2026-11-06".parse().unwrap());
            for (index, batch) in sent.chunks(at_once).enumerate() {
                let at = batch[batch.len() - 1].1.sent_at();
                world.pass(at.duration_since(world.now()));
                let events: Vec<Value> = batch.iter().map(|(number, seen)| seen.event(*number)).collect();
                edge.send(&events).await;
                if asks.contains(&index) {
                    counted(world.table.as_ref(), &site, stretch, at, entries).await;
                }
            }
            let end = start() + SignedDuration::from_hours(20 * 24);
            let first = counted(world.table.as_ref(), &site, stretch, end, entries).await;
            let again = counted(world.table.as_ref(), &site, stretch, end, entries).await;
            let fresh = forgotten(&world).await;
            let anew = counted(&fresh, &site, stretch, end, 100_000).await;
            (straight(&all, &hour), first, again, anew)
        });
        prop_assert_eq!(&outcome.1, &outcome.0);
        prop_assert_eq!(&outcome.2, &outcome.0);
        prop_assert_eq!(&outcome.3, &outcome.0);
    }
}

/// The same table without what was counted.
async fn forgotten(world: &World) -> MemoryTable {
    let table = MemoryTable::default();
    let kept = |item: &Item| !item["sk"].as_str().unwrap().starts_with("TALLY#");
    table.put_many(world.table.dump().into_iter().filter(kept).collect()).await.unwrap();
    table
}

/// Requests and read units, as DynamoDB bills them: each page of a query, and each item read by its key, by 4 KB.
#[derive(Default)]
struct Metered {
    table: MemoryTable,
    read: Mutex<(u64, u64)>,
}

fn size(item: &Item) -> u64 {
    serde_json::to_vec(item).unwrap().len() as u64
}

impl Metered {
    fn note(&self, requests: u64, units: u64) {
        let mut read = self.read.lock().unwrap();
        *read = (read.0 + requests, read.1 + units);
    }

    fn take(&self) -> (u64, u64) {
        std::mem::take(&mut *self.read.lock().unwrap())
    }
}

#[async_trait]
impl Table for Metered {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        let found = self.table.get(key).await?;
        self.note(1, found.as_ref().map_or(1, |item| size(item).div_ceil(4096)));
        Ok(found)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        let found = self.table.get_many(keys).await?;
        self.note(keys.len().div_ceil(100) as u64, found.iter().map(|item| size(item).div_ceil(4096)).sum());
        Ok(found)
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, TableError> {
        let found = self.table.query(query).await?;
        let bytes: u64 = found.iter().map(size).sum();
        self.note(bytes.div_ceil(1 << 20).max(1), bytes.div_ceil(4096).max(1));
        Ok(found)
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<(), TableError> {
        self.table.put(item, condition).await
    }

    async fn put_together(&self, puts: Vec<(Item, Condition)>) -> Result<(), TableError> {
        self.table.put_together(puts).await
    }

    async fn put_many(&self, items: Vec<Item>) -> Result<(), TableError> {
        self.table.put_many(items).await
    }

    async fn delete(&self, key: &Key, condition: Condition) -> Result<(), TableError> {
        self.table.delete(key, condition).await
    }

    async fn due(&self, shard: &str, until: Timestamp, limit: usize) -> Result<Vec<Key>, TableError> {
        self.table.due(shard, until, limit).await
    }
}

const DETECTIONS: usize = 100_000;
const BATCH: usize = 25;

fn line(number: u64, n: usize, time: Timestamp) -> ArrivalLine {
    ArrivalLine {
        fact: FactKind::Detection,
        id: format!("01JDN3Z4WQ{:016}", number as usize * BATCH + n),
        time,
        kind: ["zone_breach", "ppe_non_compliance", "fall"][n % 3].into(),
        zone_id: format!("zone-{}", n % 7),
        priority: Some(3),
        again: false,
        checks: None,
        sampled_ms: None,
    }
}

async fn arrive(facts: &SiteFacts<'_>, last: &CommitMark, at: Timestamp, lines: Vec<ArrivalLine>) -> CommitMark {
    let entry = ArrivalEntry::after(last, format!("{:020}", last.number + 1), at, lines);
    facts.commit(&entry).await.unwrap();
    entry.mark()
}

/// A site with as many detections on 24 November, and a day of them before and after.
async fn busy(table: &dyn Table) -> Site {
    let site: Site = serde_json::from_value(json!({
        "id": format!("site_{:026}", 1), "organization_id": format!("org_{:026}", 1), "name": "Busy",
        "time_zone": "America/Chicago", "created_at": "2026-11-01T00:00:00Z",
    }))
    .unwrap();
    let facts = SiteFacts { table, organization_id: &site.organization_id, site_id: &site.id };
    let start: Timestamp = "2026-11-22T23:00:00Z".parse().unwrap();
    let entries = (3 * DETECTIONS / BATCH) as i64;
    let step = SignedDuration::from_millis(3 * 86_400_000 / entries);
    let mut last = CommitMark::default();
    for number in 1..=entries {
        let arrived_at = start + step * (number as i32);
        let lines = (0..BATCH).map(|n| line(number as u64, n, arrived_at - SignedDuration::from_secs(1))).collect();
        last = arrive(&facts, &last, arrived_at, lines).await;
    }
    site
}

#[tokio::test]
async fn a_day_of_100_000_detections_is_read_once_for_its_note_its_amendments_and_its_page() {
    let table = Metered::default();
    let site = busy(&table).await;
    let date: Date = "2026-11-24".parse().unwrap();
    let window = SummaryHour::new(&site.time_zone, "17:00").unwrap().window(date);
    let noted = async |now: Timestamp| {
        let reports = Reports::of(&table, &site).await.unwrap();
        let previous = Previous::nothing(date.yesterday().unwrap(), window);
        reports.noted(&Planned::new(date, window, &site), previous, now).await.unwrap().report.alerts
    };
    let alerts = async |date: Date, now: Timestamp| {
        let reports = Reports::of(&table, &site).await.unwrap();
        reports.day(date, now).await.unwrap().unwrap().day.report.alerts
    };
    let hours = |hours: i64| window.to + SignedDuration::from_hours(hours);
    alerts(date.yesterday().unwrap(), hours(0)).await;
    table.take();
    assert_eq!(noted(hours(2)).await, DETECTIONS as u64);
    let first = table.take();
    // Something of that day comes late.
    let facts = SiteFacts { table: &table, organization_id: &site.organization_id, site_id: &site.id };
    let late = async |at: Timestamp| {
        let last = facts.commit_mark().await.unwrap();
        Counting(facts).point(&[date].into(), last.number + 1).await.unwrap();
        arrive(&facts, &last, at, vec![line(last.number + 1, 0, hours(-5))]).await;
        table.take();
    };
    late(hours(30)).await;
    assert_eq!(noted(hours(31)).await, DETECTIONS as u64 + 1);
    let amended = table.take();
    assert_eq!(alerts(date, hours(32)).await, DETECTIONS as u64 + 1);
    let page = table.take();
    eprintln!(
        "a day of {DETECTIONS} detections, requests and read units: {first:?}, then {amended:?}, its page {page:?}"
    );
    assert!(first.0 <= 40 && first.1 <= 2_200, "{first:?}");
    assert!(amended.0 <= 8 && amended.1 <= 12, "{amended:?}");
    assert!(page.0 <= 8 && page.1 <= 16, "{page:?}");
    // What comes after 72 hours is the page's alone, also where the note is counted after that.
    late(hours(73)).await;
    assert_eq!(noted(hours(74)).await, DETECTIONS as u64 + 1);
    assert_eq!(alerts(date, hours(74)).await, DETECTIONS as u64 + 2);
}

/// A member of each event of a type, counted.
fn many(events: &[&Value], kind: &str, member: &str) -> BTreeMap<String, u64> {
    let mut count = BTreeMap::new();
    for event in events.iter().filter(|event| event["type"] == format!("com.hardhatpulse.{kind}.v1")) {
        *count.entry(event["data"][member].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    count
}

#[tokio::test]
async fn the_demo_days_report_is_what_stands_in_its_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/demo-day.json");
    let day: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for site in day["sites"].as_array().unwrap() {
        let world = World::new();
        world.pass("2026-03-10T00:00:00Z".parse::<Timestamp>().unwrap().duration_since(world.now()));
        let organization = world.organization("Acme").await;
        let made = json!({"name": site["name"], "time_zone": site["time_zone"], "shifts": site["shifts"]});
        let made = world.made(&format!("/v1/organizations/{organization}/sites"), made).await;
        let id = crate::world::id(&made);
        let events: Vec<&Value> =
            day["events"].as_array().unwrap().iter().filter(|event| event["subject"] == site["id"]).collect();
        let edge = Edge { world: &world, organization: organization.clone(), site: id.clone() };
        for batch in events.chunks(25) {
            let at: Timestamp = batch[batch.len() - 1]["time"].as_str().unwrap().parse().unwrap();
            world.pass(at.duration_since(world.now()));
            let bare = |event: &&Value| json!({"type": event["type"], "data": event["data"]});
            edge.send(&batch.iter().map(bare).collect::<Vec<Value>>()).await;
        }
        // The day of the file is from midnight: its evening counts in the next one.
        let mut shown = Vec::new();
        for date in ["2026-03-10", "2026-03-11"] {
            world.pass(SignedDuration::from_hours(24));
            let path = format!("/v1/sites/{id}/reports/daily?date={date}");
            shown.push(world.get(crate::world::OPERATOR, &path).await.body);
        }
        let sum = |member: &str| shown.iter().map(|report| report[member].as_u64().unwrap()).sum::<u64>();
        let sums = |members: &dyn Fn(&Value) -> Vec<(String, u64)>| {
            let mut sums = BTreeMap::new();
            shown.iter().flat_map(members).for_each(|(key, n)| *sums.entry(key).or_insert(0) += n);
            sums
        };
        let kinds = many(&events, "detection.recorded", "kind");
        assert_eq!(sum("alerts"), kinds.values().sum::<u64>());
        assert_eq!(sum("zone_breaches"), kinds["zone_breach"]);
        let by_kind = |report: &Value| {
            report["by_kind"].as_object().unwrap().iter().map(|(kind, n)| (kind.clone(), n.as_u64().unwrap())).collect()
        };
        assert_eq!(sums(&by_kind), kinds);
        let by_zone = |report: &Value| {
            let zones = report["by_zone"].as_array().unwrap().iter();
            zones.map(|zone| (zone["zone_id"].as_str().unwrap().to_owned(), zone["alerts"].as_u64().unwrap())).collect()
        };
        assert_eq!(sums(&by_zone), many(&events, "detection.recorded", "zone_id"));
        let confirmed = many(&events, "incident.confirmed", "incident_id");
        let retracted = many(&events, "incident.retracted", "incident_id");
        let stand = confirmed.keys().filter(|id| !retracted.contains_key(*id)).count();
        assert_eq!(sum("confirmed_incidents"), stand as u64);
        let checked = |member: &str| -> u64 {
            let samples = events.iter().filter(|event| event["type"] == "com.hardhatpulse.ppe.sampled.v1");
            samples
                .flat_map(|event| event["data"]["checks"].as_object().unwrap().values())
                .filter_map(|c| c[member].as_u64())
                .sum()
        };
        let shifts = shown.iter().flat_map(|report| report["ppe"]["by_shift"].as_array().unwrap());
        let items: Vec<&Value> = shifts.flat_map(|shift| shift["items"].as_object().unwrap().values()).collect();
        for member in ["checked", "compliant"] {
            assert_eq!(items.iter().filter_map(|item| item[member].as_u64()).sum::<u64>(), checked(member), "{member}");
        }
        assert!(checked("checked") > 0 && !confirmed.is_empty());
    }
}
