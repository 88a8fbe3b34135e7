//! The budget against a platform that counts in fixed windows and tells of the one nearer exhaustion, as Procore does.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use domain::ids::Provider;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sync::budget::{Admission, Answered, Budget};

fn start() -> Timestamp {
    "2026-11-24T16:00:03Z".parse().unwrap()
}

/// The platform's side: windows that begin at full seconds of its own choosing.
struct Platform {
    hourly: u32,
    spike: u32,
    hour: (Timestamp, u32),
    ten: (Timestamp, u32),
    refused: u32,
    taken: u32,
}

impl Platform {
    fn new(hourly: u32, spike: u32, now: Timestamp) -> Self {
        let ends = |seconds| now + SignedDuration::from_secs(seconds);
        Self { hourly, spike, hour: (ends(3_600), 0), ten: (ends(10), 0), refused: 0, taken: 0 }
    }

    fn call(&mut self, now: Timestamp) -> Answered {
        for (window, length) in [(&mut self.hour, 3_600), (&mut self.ten, 10)] {
            while now >= window.0 {
                *window = (window.0 + SignedDuration::from_secs(length), 0);
            }
        }
        let (hour_left, ten_left) = (self.hourly.saturating_sub(self.hour.1), self.spike.saturating_sub(self.ten.1));
        if hour_left == 0 || ten_left == 0 {
            self.refused += 1;
            let reset = if hour_left == 0 { self.hour.0 } else { self.ten.0 };
            return Answered { pause_until: Some(reset), ..Answered::default() };
        }
        (self.hour.1, self.ten.1, self.taken) = (self.hour.1 + 1, self.ten.1 + 1, self.taken + 1);
        let (limit, remaining, reset) =
            match u64::from(hour_left) * u64::from(self.spike) < u64::from(ten_left) * u64::from(self.hourly) {
                true => (self.hourly, hour_left - 1, self.hour.0),
                false => (self.spike, ten_left - 1, self.ten.0),
            };
        Answered { limit: Some(limit), remaining: Some(remaining), reset: Some(reset), ..Answered::default() }
    }
}

/// Makes calls of a class as fast as the budget lets it, for that long.
fn drive(
    budget: &mut Budget,
    platform: &mut Platform,
    class: WorkClass,
    from: Timestamp,
    lasts: SignedDuration,
) -> Timestamp {
    let mut now = from;
    while now < from + lasts {
        match budget.admit(class, now) {
            Admission::Go => {
                now += SignedDuration::from_millis(20);
                let answered = platform.call(now);
                budget.learn(answered, now);
            }
            Admission::Pause { until, .. } => now = until.max(now + SignedDuration::from_millis(5)),
        }
    }
    now
}

#[test]
fn a_full_lane_uses_what_is_allowed_and_is_hardly_ever_refused() {
    for (hourly, spike) in [(600, 25), (3_600, 100), (3_600, 10), (20_000, 400)] {
        let mut platform = Platform::new(hourly, spike, start());
        let mut budget = Budget::of(Provider::Procore);
        drive(&mut budget, &mut platform, WorkClass::Incident, start(), SignedDuration::from_hours(3));
        let by_spike = spike * 360;
        let allowed = hourly.min(by_spike) * 3;
        assert!(platform.taken * 100 >= allowed * 95, "{hourly}/{spike}: {} of {allowed}", platform.taken);
        assert!(platform.refused * 100 < platform.taken, "{hourly}/{spike}: {} refused", platform.refused);
    }
}

#[test]
fn observations_leave_a_reserve_to_incidents_until_the_hour_is_nearly_over() {
    let mut platform = Platform::new(600, 100, start());
    let mut budget = Budget::of(Provider::Procore);
    let end = drive(&mut budget, &mut platform, WorkClass::Observation, start(), SignedDuration::from_mins(40));
    assert!(platform.taken <= 510, "{} taken: nothing of the reserve may be", platform.taken);
    assert!(platform.taken >= 480, "{} taken of 510", platform.taken);
    assert_eq!(budget.admit(WorkClass::Incident, end), Admission::Go, "an incident passes at once");
    drive(&mut budget, &mut platform, WorkClass::Observation, end, SignedDuration::from_mins(19));
    assert!(platform.taken >= 570, "{} taken: the reserve is released near the end", platform.taken);
}

#[test]
fn an_hour_that_the_platform_never_speaks_of_does_not_hold_a_lane() {
    let mut platform = Platform::new(1_000_000, 100, start());
    let mut budget = Budget::of(Provider::Procore);
    drive(&mut budget, &mut platform, WorkClass::Observation, start(), SignedDuration::from_mins(30));
    assert!(platform.taken >= 17_100, "{} of 18000 taken", platform.taken);
    assert_eq!(platform.refused, 0);
}

#[test]
fn a_refusal_holds_everything_until_the_time_named() {
    let mut budget = Budget::of(Provider::Procore);
    let until = start() + SignedDuration::from_secs(30);
    budget.learn(Answered { pause_until: Some(until), ..Answered::default() }, start());
    for class in WorkClass::ALL {
        assert_eq!(budget.admit(class, start()), Admission::Pause { until, everything: true });
    }
    assert_eq!(budget.admit(WorkClass::Incident, until), Admission::Go);
}

#[test]
fn timed_rereads_get_a_tenth_of_the_hour() {
    let mut platform = Platform::new(600, 100, start());
    let mut budget = Budget::of(Provider::Procore);
    drive(&mut budget, &mut platform, WorkClass::Reread, start(), SignedDuration::from_mins(50));
    assert!((50..=60).contains(&platform.taken), "{} taken", platform.taken);
}

proptest! {
    #[test]
    fn after_the_first_answers_the_platform_refuses_little_whatever_its_limits(hourly in 50u32..4_000, spike in 5u32..200, lead in 0i64..10) {
        let mut platform = Platform::new(hourly, spike, start() - SignedDuration::from_secs(lead));
        let mut budget = Budget::of(Provider::Procore);
        drive(&mut budget, &mut platform, WorkClass::Incident, start(), SignedDuration::from_hours(2));
        prop_assert!(platform.refused <= 3, "{} refused of {}", platform.refused, platform.taken);
        let text = serde_json::to_string(&budget).unwrap();
        prop_assert_eq!(serde_json::from_str::<Budget>(&text).unwrap(), budget);
    }
}
