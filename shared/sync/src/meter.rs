//! Applies the budget to each call of a run: short waits happen here, longer ones end the run.
use crate::budget::{Admission, Answered, Budget};
use crate::clock::Clock;
use crate::target::Meter;
use async_trait::async_trait;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::lanes::LaneId;

/// Waits of up to this length happen inside the run.
pub const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(11);

pub struct LaneMeter<'a> {
    clock: &'a dyn Clock,
    budget: Mutex<Budget>,
    /// No wait goes beyond the end of the run.
    deadline: Timestamp,
    lane: Option<&'a LaneId>,
}

impl<'a> LaneMeter<'a> {
    pub fn new(clock: &'a dyn Clock, budget: Budget, deadline: Timestamp) -> Self {
        Self { clock, budget: Mutex::new(budget), deadline, lane: None }
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

    async fn wait(&self, mut ask: impl FnMut(&mut Budget, Timestamp) -> Admission + Send) -> Admission {
        loop {
            let now = self.clock.now();
            let admission = ask(&mut self.budget(), now);
            let Admission::Pause { until, .. } = admission else { return admission };
            let wait = until.duration_since(now);
            if wait > SHORT_WAIT || until > self.deadline {
                return admission;
            }
            self.clock.sleep(wait.max(SignedDuration::from_millis(5))).await;
        }
    }
}

#[async_trait]
impl Meter for LaneMeter<'_> {
    async fn before(&self, class: WorkClass) -> Admission {
        self.wait(|budget, now| budget.admit(class, now)).await
    }

    fn after(&self, answered: Answered) {
        let now = self.clock.now();
        self.budget().learn(answered, now);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn lane(&self) -> Option<&LaneId> {
        self.lane
    }
}
