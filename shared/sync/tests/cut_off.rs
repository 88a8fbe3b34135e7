//! Near the end of the process no call begins that could outlast it.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use async_trait::async_trait;
use domain::ids::Provider;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use sync::budget::{Admission, Budget};
use sync::clock::Clock;
use sync::meter::LaneMeter;
use sync::target::Meter;

struct Hand(AtomicI64);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    async fn sleep(&self, duration: SignedDuration) {
        self.0.fetch_add(duration.as_secs(), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_call_that_could_last_beyond_the_cut_off_is_not_begun() {
    let clock = Hand(AtomicI64::new(1_000));
    let at = |seconds| clock.now() + SignedDuration::from_secs(seconds);
    let meter = LaneMeter::new(&clock, Budget::of(Provider::Procore), at(22), at(55));
    for (seconds, longest, goes) in [(0, 12, true), (43, 12, true), (44, 8, true), (44, 12, false), (48, 8, false)] {
        clock.0.store(1_000 + seconds, Ordering::SeqCst);
        let admission = meter.before(WorkClass::Observation, SignedDuration::from_secs(longest)).await;
        assert_eq!(admission == Admission::Go, goes, "a call of {longest} s after {seconds} s: {admission:?}");
    }
    assert_eq!(meter.snapshot().calls, 3, "what was not begun is not counted");
}
