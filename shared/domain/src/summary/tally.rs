//! What was counted in one window. It can be kept, and added to as more arrives; tallies of several days add up to a trend.
use super::occurrence::{Occurrence, ZONE_BREACH};
use super::report::{Checks, Rate};
use super::shifts::{OTHER, Shifts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many zones, kinds, and items of a shift are told apart; the rest is `other`. An edge that makes up ids must not make a day that
/// the table can't hold.
pub const ZONES: usize = 500;
const KINDS: usize = 100;
const ITEMS: usize = 50;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// By detection kind, and for incidents by incident type. PPE samples have no kind.
    pub by_kind: BTreeMap<String, Figures>,
    pub by_zone: BTreeMap<String, Figures>,
    /// All that counts is in one shift, or in `other`: these add up to the whole.
    pub by_shift: BTreeMap<String, Figures>,
    /// Alerts by hour of the site's clock. An hour that comes twice counts both times.
    pub by_hour: BTreeMap<u8, u64>,
    /// PPE checks by shift and item.
    pub ppe: BTreeMap<String, BTreeMap<String, Checks>>,
}

/// The figures that a trend shows of a day, a shift, a zone or a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    #[serde(skip_serializing_if = "is_zero")]
    pub alerts: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub confirmed_incidents: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub zone_breaches: u64,
    #[serde(flatten)]
    pub checks: Checks,
}

pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Figures {
    pub fn add(&mut self, other: &Figures) {
        self.alerts += other.alerts;
        self.confirmed_incidents += other.confirmed_incidents;
        self.zone_breaches += other.zone_breaches;
        self.checks.add(other.checks.checked, other.checks.compliant);
    }

    pub fn ppe_rate(&self) -> Rate {
        self.checks.rate()
    }

    fn of(occurrence: &Occurrence) -> Self {
        let mut figures = Self::default();
        match occurrence {
            Occurrence::Alert(alert) => {
                figures.alerts = 1;
                figures.zone_breaches = u64::from(alert.kind == ZONE_BREACH);
            }
            Occurrence::Incident(_) => figures.confirmed_incidents = 1,
            Occurrence::Sample(sample) => {
                sample.checks.values().for_each(|check| figures.checks.add(check.checked, check.compliant));
            }
        }
        figures
    }
}

impl Tally {
    /// Counts what happened, whatever its time: whoever counts a window looks at that before.
    pub fn add(&mut self, occurrence: &Occurrence, shifts: &Shifts) {
        let (figures, shift) = (Figures::of(occurrence), shifts.at(occurrence.at()));
        let (kind, zone_id) = match occurrence {
            Occurrence::Alert(alert) => (Some(&alert.kind), &alert.zone_id),
            Occurrence::Incident(incident) => (Some(&incident.incident_type), &incident.zone_id),
            Occurrence::Sample(sample) => (None, &sample.zone_id),
        };
        if let Some(kind) = kind {
            at(&mut self.by_kind, kind, KINDS, |entry| entry.add(&figures));
        }
        at(&mut self.by_zone, zone_id, ZONES, |entry| entry.add(&figures));
        at(&mut self.by_shift, shift, usize::MAX, |entry| entry.add(&figures));
        if figures.alerts > 0 {
            *self.by_hour.entry(shifts.hour(occurrence.at())).or_default() += figures.alerts;
        }
        if let Occurrence::Sample(sample) = occurrence {
            at(&mut self.ppe, shift, usize::MAX, |items| {
                for (item, check) in &sample.checks {
                    at(items, item, ITEMS, |checks: &mut Checks| checks.add(check.checked, check.compliant));
                }
            });
        }
    }

    pub fn total(&self) -> Figures {
        let mut total = Figures::default();
        self.by_shift.values().for_each(|figures| total.add(figures));
        total
    }
}

/// Changes what stands at a key. Nearly always something does, and then no text is made for it.
fn at<T: Default>(map: &mut BTreeMap<String, T>, key: &str, most: usize, change: impl FnOnce(&mut T)) {
    match map.get_mut(key) {
        Some(standing) => change(standing),
        None => {
            let key = if map.len() < most { key } else { OTHER };
            change(map.entry(key.to_owned()).or_default());
        }
    }
}
