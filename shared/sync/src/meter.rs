//! Applies the budget to each call of a run: short waits happen here, longer ones end the run.
use crate::budget::{Admission, Answered, Budget};
use crate::clock::Clock;
use crate::outage::Outage;
use crate::target::Meter;
use async_trait::async_trait;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::lanes::LaneId;

/// Waits of up to this length happen inside the run.
pub const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(11);

pub struct LaneMeter<'a> {
    clock: &'a dyn Clock,
    budget: Mutex<Budget>,
    /// No wait goes beyond the end of the run.
    deadline: Timestamp,
    /// No call begins that may last beyond this: the process could be ended in the middle of it.
    cut_off: Timestamp,
    /// A long outage ended in this run, and nobody asked yet.
    recovered: AtomicBool,
    lane: Option<&'a LaneId>,
}

impl<'a> LaneMeter<'a> {
    pub fn new(clock: &'a dyn Clock, budget: Budget, deadline: Timestamp, cut_off: Timestamp) -> Self {
        let (budget, recovered) = (Mutex::new(budget), AtomicBool::new(false));
        Self { clock, budget, deadline, cut_off, recovered, lane: None }
    }

    pub fn of(self, lane: &'a LaneId) -> Self {
        Self { lane: Some(lane), ..self }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The budget as it stands, to be kept.
    pub fn snapshot(&self) -> Budget {
        self.budget().clone()
    }

    /// Waits until a call of this class may be made, without making it: asked before anything is noted for a call.
    pub async fn ready(&self, class: WorkClass) -> Admission {
        self.wait(|budget, now| budget.would_admit(class, now)).await
    }

    /// Whether calls of this class must pause for longer than a run waits. During an outage the run waits by itself, so that
    /// one call goes ahead of the others.
    pub fn held(&self, class: WorkClass) -> Option<(Timestamp, bool)> {
        let now = self.clock.now();
        let mut budget = self.budget();
        match budget.would_admit(class, now) {
            Admission::Pause { until, everything } if budget.outage().is_some() || self.is_long(until, now) => {
                Some((until, everything))
            }
            _ => None,
        }
    }

    pub fn outage(&self) -> Option<Outage> {
        self.budget().outage()
    }

    /// Whether a long outage ended since this was asked.
    pub fn take_recovered(&self) -> bool {
        self.recovered.swap(false, Ordering::Relaxed)
    }

    fn is_long(&self, until: Timestamp, now: Timestamp) -> bool {
        until.duration_since(now) > SHORT_WAIT || until > self.deadline
    }

    async fn wait(&self, mut ask: impl FnMut(&mut Budget, Timestamp) -> Admission + Send) -> Admission {
        loop {
            let now = self.clock.now();
            let (admission, outage) = {
                let mut budget = self.budget();
                (ask(&mut budget, now), budget.outage())
            };
            let Admission::Pause { until, .. } = admission else { return admission };
            let wait = until.duration_since(now);
            if outage.is_some() || self.is_long(until, now) {
                return admission;
            }
            self.clock.sleep(wait.max(SignedDuration::from_millis(5))).await;
        }
    }
}

#[async_trait]
impl Meter for LaneMeter<'_> {
    async fn before(&self, class: WorkClass, longest: SignedDuration) -> Admission {
        let now = self.clock.now();
        if now.checked_add(longest).map_or(true, |end| end > self.cut_off) {
            return Admission::Pause { until: now, everything: true };
        }
        self.wait(|budget, now| budget.admit(class, now)).await
    }

    fn after(&self, answered: Answered) {
        let now = self.clock.now();
        let mut budget = self.budget();
        let before = budget.outage();
        budget.learn(answered, now);
        if budget.outage().is_none() && before.is_some_and(|outage| outage.is_long(now)) {
            self.recovered.store(true, Ordering::Relaxed);
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn lane(&self) -> Option<&LaneId> {
        self.lane
    }
}
