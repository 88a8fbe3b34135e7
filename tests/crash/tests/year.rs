//! A year of a site through router, clock, daily-summary, lane and Procore target, on a clock that jumps: its notes against a
//! straight count of what was sent. Edges are late by minutes, hours and days, some clocks are ahead, and both changes of the
//! clocks are in it.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{at, confirmed, detected, incident, retracted, sample, zone};
use crash::fault::Fault;
use crash::history::violations;
use crash::platform::number;
use crash::world::World;
use domain::event::Event;
use domain::summary::DEFAULT_HOUR;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeMap;

const DAYS: i64 = 365;
const CLOCK: &str = "America/Chicago";

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
    checked: u64,
    compliant: u64,
}

/// The straight count: by the date whose five o'clock comes next, unless it arrived more than 72 hours after that.
#[derive(Default)]
struct Count {
    days: BTreeMap<Date, Figures>,
    sent: Figures,
    too_late: Figures,
}

fn five(date: Date) -> Timestamp {
    date.at(17, 0, 0, 0).in_tz(CLOCK).unwrap().timestamp()
}

impl Count {
    fn add(&mut self, happened: Timestamp, arrives: Timestamp, add: impl Fn(&mut Figures)) {
        let mut date = happened.in_tz(CLOCK).unwrap().date();
        if happened >= five(date) {
            date = date.tomorrow().unwrap();
        }
        add(&mut self.sent);
        match arrives <= five(date) + SignedDuration::from_hours(72) {
            true => add(self.days.entry(date).or_default()),
            false => add(&mut self.too_late),
        }
    }
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
                events.push(detected(id(), happened, kind));
                count.add(happened, arrives, |figures| {
                    figures.alerts += 1;
                    figures.breaches += u64::from(kind == "zone_breach");
                });
            }
            if numbers.below(3) == 0 {
                let (checked, wrong) = (20 + numbers.below(30), numbers.below(4));
                events.push(sample(id(), happened, checked, checked - wrong));
                count.add(happened, arrives, |figures| {
                    figures.checked += checked;
                    figures.compliant += checked - wrong;
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
                false => count.add(confirmed_at, arrives, |figures| figures.incidents += 1),
            }
        }
    }
    (messages, count)
}

/// The number after a line's head.
fn figure(text: &str, head: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(head)).unwrap_or_else(|| panic!("no {head} in {text}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn rate(figures: &Figures) -> String {
    match figures.checked {
        0 => "no data".to_owned(),
        checked => {
            let tenths = figures.compliant * 1_000 / checked;
            format!("{}.{}%", tenths / 10, tenths % 10)
        }
    }
}

#[tokio::test]
async fn a_year_has_a_note_for_each_day_and_their_sums_are_those_of_a_straight_count() {
    let never = Fault::never();
    let world = World::unmapped(1).await.unwrap();
    assert!(world.settle(DEFAULT_HOUR, true, &never).await);
    world.route(&world.message(vec![zone(1)]), &never).await.unwrap();
    let first: Date = "2026-11-24".parse().unwrap();
    let (messages, count) = messages(first);
    for (arrives, events) in messages {
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
    let (mut sum, mut none) = (Figures::default(), 0);
    for (date, text) in &notes {
        let want = count.days.get(date).cloned().unwrap_or_default();
        let said = Figures {
            alerts: figure(text, "Alerts: "),
            breaches: figure(text, "Zone breaches: "),
            incidents: figure(text, "Confirmed incidents: "),
            ..want
        };
        assert_eq!(said, want, "{date}: {text}");
        assert!(text.contains(&format!("\nPPE compliance: {}", rate(&want))), "{date}: {want:?} {text}");
        none += u64::from(want.checked == 0);
        (sum.alerts, sum.breaches) = (sum.alerts + said.alerts, sum.breaches + said.breaches);
        (sum.incidents, sum.checked, sum.compliant) =
            (sum.incidents + said.incidents, sum.checked + want.checked, sum.compliant + want.compliant);
    }
    assert_eq!(sum.alerts + count.too_late.alerts, count.sent.alerts);
    assert_eq!(sum.breaches + count.too_late.breaches, count.sent.breaches);
    assert_eq!(sum.incidents, count.sent.incidents);
    assert!(count.too_late.alerts > 0 && none > 0 && none < DAYS as u64, "the year shows too little");
    assert!(world.todos().await.unwrap().is_empty());
    violations(&world, "a year");
}
