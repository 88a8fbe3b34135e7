//! A year of a site through router, clock, daily-summary, lane and Procore target, on a clock that jumps: its notes, line by line,
//! against a straight count of what was sent. Edges are late by minutes, hours and days, some clocks are ahead, both changes of the
//! clocks are in it, and one day the site is given another clock.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{ZONE, at, confirmed, detected, incident, retracted, sample, zone};
use crash::fault::Fault;
use crash::history::violations;
use crash::platform::number;
use crash::world::World;
use domain::event::{Event, EventBody};
use domain::settings::Shift;
use domain::summary::DEFAULT_HOUR;
use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeMap;
use store::directory::Directory;
use store::summaries;

const DAYS: i64 = 365;
/// Zones by id, with their names.
const ZONES: [(&str, &str); 3] = [(ZONE, "Crane 2"), ("zone-pit", "Pit"), ("zone-roof", "Roof")];
/// At noon of this day the site's clock is put right.
const MOVED: &str = "2027-06-15";

/// The clock that a day is told by.
fn clock(date: Date) -> &'static str {
    if date < MOVED.parse().unwrap() { "America/Chicago" } else { "America/Denver" }
}

/// Numbers that are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// How long after it happened something arrives.
    fn lag(&mut self) -> SignedDuration {
        match self.below(200) {
            0 => SignedDuration::from_mins(self.below(4 * 1440) as i64 + 4 * 1440),
            1..=4 => SignedDuration::from_mins(self.below(3 * 1440) as i64),
            5..=14 => SignedDuration::from_secs(self.below(4 * 3600) as i64),
            15..=19 => -SignedDuration::from_secs(self.below(1800) as i64),
            _ => SignedDuration::from_secs(self.below(90) as i64),
        }
    }
}

/// What a day's note must say.
#[derive(Debug, Default, Clone, PartialEq)]
struct Figures {
    alerts: u64,
    breaches: u64,
    incidents: u64,
    /// By zone.
    zones: BTreeMap<&'static str, u64>,
    /// Checked and compliant, by shift.
    ppe: BTreeMap<&'static str, (u64, u64)>,
}

/// The straight count: by the date whose five o'clock comes next, unless it arrived more than 72 hours after that.
#[derive(Default)]
struct Count {
    days: BTreeMap<Date, Figures>,
    sent: Figures,
    too_late: Figures,
}

fn five(date: Date) -> Timestamp {
    date.at(17, 0, 0, 0).in_tz(clock(date)).unwrap().timestamp()
}

fn shift(happened: Timestamp, date: Date) -> &'static str {
    match happened.in_tz(clock(date)).unwrap().time() {
        day if time(6, 0, 0, 0) <= day && day < time(14, 30, 0, 0) => "Day",
        night if time(22, 0, 0, 0) <= night || night < time(6, 0, 0, 0) => "Night",
        _ => "Outside shifts",
    }
}

impl Count {
    fn add(&mut self, happened: Timestamp, arrives: Timestamp, add: impl Fn(&mut Figures, &'static str)) {
        let mut date = happened.in_tz("UTC").unwrap().date().yesterday().unwrap();
        while five(date) <= happened {
            date = date.tomorrow().unwrap();
        }
        let shift = shift(happened, date);
        add(&mut self.sent, shift);
        match arrives <= five(date) + SignedDuration::from_hours(72) {
            true => add(self.days.entry(date).or_default(), shift),
            false => add(&mut self.too_late, shift),
        }
    }
}

fn placed(mut event: Event, zone_id: &str) -> Event {
    match &mut event.body {
        EventBody::Detection(detection) => detection.zone_id = zone_id.into(),
        EventBody::PpeSample(sample) => sample.zone_id = zone_id.into(),
        EventBody::Zone(zone) => zone.zone_id = zone_id.into(),
        _ => {}
    }
    event
}

/// A year of messages by the time at which they arrive, and what they come to.
fn messages(first: Date) -> (BTreeMap<Timestamp, Vec<Event>>, Count) {
    let (mut numbers, mut count, mut n) = (Numbers(7), Count::default(), 0);
    let mut messages: BTreeMap<Timestamp, Vec<Event>> = BTreeMap::new();
    let mut id = || {
        n += 1;
        n
    };
    for day in 0..DAYS {
        // From one five o'clock to the next, the hours of a change of the clocks too.
        let date = first + day.days();
        let from = five(date.yesterday().unwrap()).max(at());
        let length = five(date).duration_since(from).as_secs().unsigned_abs();
        for _ in 0..3 + numbers.below(5) {
            let happened = from + SignedDuration::from_secs(numbers.below(length) as i64);
            let arrives = match numbers.below(100) {
                // At the edge of what its note is still amended for.
                0 => {
                    five(date)
                        + SignedDuration::from_hours(72)
                        + SignedDuration::from_mins(numbers.below(120) as i64 - 60)
                }
                _ => (happened + numbers.lag()).max(at() + SignedDuration::from_secs(1)),
            };
            let mut events = Vec::new();
            for k in 0..1 + numbers.below(4) {
                let happened = (happened - SignedDuration::from_secs(20 * k as i64)).max(from);
                let kind = if numbers.below(3) == 0 { "fall" } else { "zone_breach" };
                let zone = ZONES[numbers.below(3) as usize].0;
                events.push(placed(detected(id(), happened, kind), zone));
                count.add(happened, arrives, |figures, _| {
                    figures.alerts += 1;
                    figures.breaches += u64::from(kind == "zone_breach");
                    *figures.zones.entry(zone).or_default() += 1;
                });
            }
            if numbers.below(3) == 0 {
                let (checked, wrong) = (20 + numbers.below(30), numbers.below(4));
                events.push(sample(id(), happened, checked, checked - wrong));
                count.add(happened, arrives, |figures, shift| {
                    let of_shift = figures.ppe.entry(shift).or_default();
                    (of_shift.0, of_shift.1) = (of_shift.0 + checked, of_shift.1 + checked - wrong);
                });
            }
            messages.entry(arrives).or_default().extend(events);
        }
        if day % 9 == 4 {
            let fact = id();
            let mut injury = incident(fact, 1, &[]);
            let confirmed_at = from + SignedDuration::from_hours(3);
            let arrives = confirmed_at + SignedDuration::from_mins(2);
            (injury.confirmed_at, injury.occurred_at) = (confirmed_at, confirmed_at - SignedDuration::from_mins(40));
            messages.entry(arrives).or_default().push(confirmed(injury));
            // Each third one is taken back a day later, and counts on no day.
            match day % 27 == 4 {
                true => {
                    let back = arrives + SignedDuration::from_hours(24);
                    messages.entry(back).or_default().push(retracted(fact, 2));
                }
                false => count.add(confirmed_at, arrives, |figures, _| figures.incidents += 1),
            }
        }
    }
    (messages, count)
}

/// In tenths of a percent.
fn rate<'a>(checks: impl Iterator<Item = &'a (u64, u64)>) -> Option<u64> {
    let (checked, compliant) = checks.fold((0, 0), |sum, (checked, ok)| (sum.0 + checked, sum.1 + ok));
    (checked > 0).then(|| compliant * 1_000 / checked)
}

fn percent(rate: Option<u64>) -> String {
    rate.map_or("no data".to_owned(), |tenths| format!("{}.{}%", tenths / 10, tenths % 10))
}

/// An opened bracket with the change.
fn change(now: u64, before: u64) -> String {
    if now == before { " (no change".to_owned() } else { format!(" ({:+}", now as i64 - before as i64) }
}

/// All but the note's last lines.
fn told(date: Date, day: &Figures, before: &Figures) -> String {
    let local = |at: Timestamp, format: &str| at.in_tz(clock(date)).unwrap().strftime(format).to_string();
    let (from, to) = (local(five(date.yesterday().unwrap()), "%a %H:%M"), local(five(date), "%a %H:%M %Z"));
    let mut lines = vec![
        format!("Safety summary for {}", date.strftime("%a, %b %-d, %Y")),
        format!("{from} to {to}"),
        String::new(),
        format!("Alerts: {}{} from the day before)", day.alerts, change(day.alerts, before.alerts)),
        format!("Zone breaches: {}{})", day.breaches, change(day.breaches, before.breaches)),
        format!("Confirmed incidents: {}{})", day.incidents, change(day.incidents, before.incidents)),
    ];
    lines.extend((0..day.incidents).map(|_| "- Recordable: Struck by, Crane 2".to_owned()));
    let (now, then) = (rate(day.ppe.values()), rate(before.ppe.values()));
    let points = match now.zip(then) {
        None => String::new(),
        Some((now, then)) if now == then => " (no change)".to_owned(),
        Some((now, then)) => {
            let sign = if now > then { '+' } else { '-' };
            format!(" ({sign}{}.{} points)", now.abs_diff(then) / 10, now.abs_diff(then) % 10)
        }
    };
    lines.push(format!("PPE compliance: {}{points}", percent(now)));
    for shift in ["Day", "Night"] {
        lines.push(format!("- {shift}: {}", percent(rate(day.ppe.get(shift).into_iter()))));
    }
    lines.extend(
        day.ppe.get("Outside shifts").map(|other| format!("- Outside shifts: {}", percent(rate([other].into_iter())))),
    );
    let mut zones: Vec<_> = ZONES.iter().filter_map(|(id, name)| Some((day.zones.get(id)?, id, name))).collect();
    zones.sort_by(|a, b| b.0.cmp(a.0).then_with(|| a.1.cmp(b.1)));
    lines.extend((!zones.is_empty()).then(|| "Top zones by alerts:".to_owned()));
    lines.extend(zones.iter().map(|(alerts, _, name)| format!("- {name}: {alerts}")));
    lines.join("\n")
}

/// Puts the site's clock right.
async fn move_clock(world: &World) {
    let mut site = Directory(&world.table).site(&world.lane.organization_id, &world.site_id).await.unwrap().unwrap();
    site.time_zone = clock(MOVED.parse().unwrap()).into();
    Directory(&world.table).put_site(&mut site).await.unwrap();
    summaries::rearrange(&world.table, &site).await.unwrap();
}

#[tokio::test]
async fn a_year_has_a_note_for_each_day_and_their_sums_are_those_of_a_straight_count() {
    let never = Fault::never();
    let world = World::unmapped(1).await.unwrap();
    let mut site = Directory(&world.table).site(&world.lane.organization_id, &world.site_id).await.unwrap().unwrap();
    let shift = |name: &str, start: &str, end: &str| Shift { name: name.into(), start: start.into(), end: end.into() };
    site.shifts = vec![shift("Day", "06:00", "14:30"), shift("Night", "22:00", "06:00")];
    Directory(&world.table).put_site(&mut site).await.unwrap();
    assert!(world.settle(DEFAULT_HOUR, true, &never).await);
    let zones = ZONES.iter().map(|(id, name)| {
        let mut zone = placed(zone(1), id);
        if let EventBody::Zone(zone) = &mut zone.body {
            zone.name = (*name).into();
        }
        zone
    });
    world.route(&world.message(zones.collect()), &never).await.unwrap();
    let first: Date = "2026-11-24".parse().unwrap();
    let (messages, count) = messages(first);
    let noon = MOVED.parse::<Date>().unwrap().at(12, 0, 0, 0).in_tz("America/Chicago").unwrap().timestamp();
    for (arrives, events) in messages {
        if world.clock_now() < noon && noon <= arrives {
            world.days(noon, &never, &never).await.unwrap();
            move_clock(&world).await;
        }
        world.days(arrives, &never, &never).await.unwrap();
        world.route(&world.message(events), &never).await.unwrap();
    }
    // A week more, for what is still on its way and its amendments.
    let last = first + (DAYS - 1).days();
    world.days(five(last) + SignedDuration::from_hours(24 * 9), &never, &never).await.unwrap();

    let mut notes: BTreeMap<Date, String> = BTreeMap::new();
    for note in world.procore.notes(number(world.project())).into_iter().filter(|note| note.date <= last) {
        let text = note.fields["comment"].as_str().unwrap().to_owned();
        assert!(notes.insert(note.date, text).is_none(), "two notes of {}", note.date);
    }
    assert_eq!(notes.len() as i64, DAYS);
    let day = |date: Date| count.days.get(&date).cloned().unwrap_or_default();
    for (date, text) in &notes {
        let want = told(*date, &day(*date), &day(date.yesterday().unwrap()));
        assert_eq!(text.split_once("\n\nHardHat Pulse: ").unwrap().0, want, "{date}");
    }
    let sum = |of: &dyn Fn(&Figures) -> u64| count.days.values().chain([&count.too_late]).map(of).sum::<u64>();
    assert_eq!(sum(&|day| day.alerts), count.sent.alerts);
    assert_eq!(sum(&|day| day.breaches), count.sent.breaches);
    assert_eq!(sum(&|day| day.incidents), count.sent.incidents);
    let none = count.days.values().filter(|day| day.ppe.is_empty()).count();
    assert!(count.too_late.alerts > 0 && none > 0 && (none as i64) < DAYS, "the year shows too little");
    assert!(world.todos().await.unwrap().is_empty());
    violations(&world, "a year");
}
