//! The same budget for pages: someone waits for an answer that a platform must give. The calls are added to the lane's budget as
//! it stands afterwards, since the lane may have run meanwhile.
use crate::budget::{Admission, Answered, Budget};
use crate::clock::Clock;
use crate::meter::LaneMeter;
use crate::target::Meter;
use async_trait::async_trait;
use domain::ids::Provider;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use store::lanes::{Lane, LaneId};
use store::{Table, TableError};

/// A page waits no longer than this for its turn.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

enum Event {
    Asked(WorkClass, Timestamp),
    Answered(Answered, Timestamp),
}

/// Meters the calls that one page makes.
pub struct PageMeter<'a> {
    inner: LaneMeter<'a>,
    events: Mutex<Vec<Event>>,
    kept: Option<(&'a dyn Table, &'a LaneId)>,
}

impl<'a> PageMeter<'a> {
    /// Of a connection's lane.
    pub async fn open(table: &'a dyn Table, lane: &'a LaneId, clock: &'a dyn Clock) -> Result<Self, TableError> {
        let budget = Lane { table, id: lane }.budget().await?.unwrap_or_else(|| Budget::of(lane.provider));
        Ok(Self::of(budget, clock, Some((table, lane))))
    }

    /// Where there is no connection yet.
    pub fn unconnected(provider: Provider, clock: &'a dyn Clock) -> Self {
        Self::of(Budget::of(provider), clock, None)
    }

    fn of(budget: Budget, clock: &'a dyn Clock, kept: Option<(&'a dyn Table, &'a LaneId)>) -> Self {
        // A page only reads: it may be cut off in the middle of a call.
        let inner = LaneMeter::new(clock, budget, clock.now() + PATIENCE, Timestamp::MAX);
        Self { inner, events: Mutex::default(), kept }
    }

    fn note(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Adds what was called to the lane's budget.
    pub async fn close(self) -> Result<(), TableError> {
        let events = self.events.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some((table, lane)) = self.kept.filter(|_| !events.is_empty()) else { return Ok(()) };
        let lane = Lane { table, id: lane };
        let mut budget: Budget = lane.budget().await?.unwrap_or_else(|| Budget::of(lane.id.provider));
        for event in events {
            match event {
                Event::Asked(class, at) => budget.charge(class, at),
                Event::Answered(answered, at) => budget.learn(answered, at),
            }
        }
        lane.put_budget(&budget).await
    }
}

#[async_trait]
impl Meter for PageMeter<'_> {
    async fn before(&self, class: WorkClass, longest: SignedDuration) -> Admission {
        let admission = self.inner.before(class, longest).await;
        if admission == Admission::Go {
            self.note(Event::Asked(class, self.inner.now()));
        }
        admission
    }

    fn after(&self, answered: Answered) {
        self.note(Event::Answered(answered, self.inner.now()));
        self.inner.after(answered);
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn lane(&self) -> Option<&LaneId> {
        self.kept.map(|(_, lane)| lane)
    }
}
