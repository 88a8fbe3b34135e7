//! The classes of work that a pause holds in a run.
use crate::meter::LaneMeter;
use domain::record::WorkClass;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pauses of this run.
#[derive(Default)]
pub(super) struct Held {
    pub(super) everything: Option<Timestamp>,
    classes: BTreeMap<WorkClass, Timestamp>,
    /// When what waits is due first, where that was read after the last todo was handled.
    pub(super) next_try: Option<Option<Timestamp>>,
    /// When a record of a project that the platform refuses asks again.
    pub(super) next_probe: Option<Timestamp>,
}

impl Held {
    pub(super) fn holds(&self, class: WorkClass) -> bool {
        self.everything.is_some() || self.classes.contains_key(&class)
    }

    /// The classes that may go.
    pub(super) fn free(&self) -> impl Iterator<Item = WorkClass> {
        WorkClass::ALL.into_iter().filter(|class| !self.holds(*class))
    }

    pub(super) fn pause(&mut self, class: WorkClass, until: Timestamp, everything: bool) {
        match everything {
            true => self.everything = Some(self.everything.map_or(until, |at| at.max(until))),
            false => {
                self.classes.insert(class, until);
            }
        }
    }

    pub(super) fn until(&self) -> Option<Timestamp> {
        self.everything.into_iter().chain(self.classes.values().copied()).min()
    }
}

/// Notes what the budget holds, before any todo is touched for it.
pub(super) fn hold(held: &mut Held, meter: &LaneMeter<'_>) {
    for class in WorkClass::ALL {
        if let Some((until, everything)) = meter.held(class) {
            held.pause(class, until, everything);
        }
    }
}

pub(super) fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
