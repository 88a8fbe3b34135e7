//! From what happened to a day's figures.
use super::occurrence::{Confirmed, Occurrence, Sample, ZONE_BREACH};
use super::report::{Checks, ItemPpe, Ppe, Previous, Report, ShiftPpe, ZoneAlerts};
use super::shifts::{OTHER, Shifts};
use super::window::Window;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A day as counted: the report, and what the note names beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Day {
    pub report: Report,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordable: Vec<Recordable>,
}

/// A recordable incident, as the note names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recordable {
    pub incident_id: String,
    pub incident_type: String,
    pub zone_id: String,
    pub zone_name: String,
}

/// Adds up what falls into one window; the rest is left to others.
#[derive(Debug, Clone)]
pub struct Counter<'a> {
    window: Window,
    shifts: &'a Shifts,
    alerts: u64,
    by_kind: BTreeMap<String, u64>,
    by_zone: BTreeMap<String, u64>,
    incidents: Vec<Confirmed>,
    ppe: BTreeMap<String, BTreeMap<String, Checks>>,
}

impl<'a> Counter<'a> {
    pub fn new(window: Window, shifts: &'a Shifts) -> Self {
        let (by_kind, by_zone, ppe) = Default::default();
        Self { window, shifts, alerts: 0, by_kind, by_zone, incidents: Vec::new(), ppe }
    }

    pub fn add(&mut self, occurrence: &Occurrence) {
        if !self.window.holds(occurrence.at()) {
            return;
        }
        match occurrence {
            Occurrence::Alert(alert) => {
                self.alerts += 1;
                *self.by_kind.entry(alert.kind.clone()).or_default() += 1;
                *self.by_zone.entry(alert.zone_id.clone()).or_default() += 1;
            }
            Occurrence::Incident(incident) => self.incidents.push(incident.clone()),
            Occurrence::Sample(sample) => self.sample(sample),
        }
    }

    fn sample(&mut self, sample: &Sample) {
        let items = self.ppe.entry(self.shifts.at(sample.from).to_owned()).or_default();
        for (item, check) in &sample.checks {
            items.entry(item.clone()).or_default().add(check.checked, check.compliant);
        }
    }

    /// The day. `names`: zones by id, as they are called on that day; one that is not known is called by its id.
    pub fn day(self, head: Head<'_>, names: &BTreeMap<String, String>) -> Day {
        let name = |zone_id: &str| names.get(zone_id).cloned().unwrap_or_else(|| zone_id.to_owned());
        let mut by_zone: Vec<ZoneAlerts> = self
            .by_zone
            .iter()
            .map(|(zone_id, alerts)| ZoneAlerts { zone_id: zone_id.clone(), name: name(zone_id), alerts: *alerts })
            .collect();
        by_zone.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.zone_id.cmp(&b.zone_id)));
        let mut recordable: Vec<&Confirmed> = self.incidents.iter().filter(|incident| incident.recordable).collect();
        recordable.sort_by(|a, b| (a.at, &a.incident_id).cmp(&(b.at, &b.incident_id)));
        let report = Report {
            date: head.date,
            time_zone: head.time_zone.to_owned(),
            window: self.window,
            alerts: self.alerts,
            confirmed_incidents: self.incidents.len() as u64,
            recordable_incidents: recordable.len() as u64,
            zone_breaches: self.by_kind.get(ZONE_BREACH).copied().unwrap_or(0),
            ppe: ppe(self.shifts, &self.ppe),
            by_zone,
            previous: head.previous,
            by_kind: self.by_kind.clone(),
        };
        let named = |incident: &&Confirmed| Recordable {
            incident_id: incident.incident_id.clone(),
            incident_type: incident.incident_type.clone(),
            zone_id: incident.zone_id.clone(),
            zone_name: name(&incident.zone_id),
        };
        Day { recordable: recordable.iter().map(named).collect(), report }
    }
}

/// What a report says beside its figures.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    pub date: Date,
    pub time_zone: &'a str,
    pub previous: Previous,
}

/// Counts what falls into a window.
pub fn count<'o>(
    occurrences: impl IntoIterator<Item = &'o Occurrence>,
    window: Window,
    shifts: &Shifts,
    head: Head<'_>,
    names: &BTreeMap<String, String>,
) -> Day {
    let mut counter = Counter::new(window, shifts);
    occurrences.into_iter().for_each(|occurrence| counter.add(occurrence));
    counter.day(head, names)
}

fn ppe(shifts: &Shifts, sampled: &BTreeMap<String, BTreeMap<String, Checks>>) -> Ppe {
    let outside = sampled.contains_key(OTHER).then_some(OTHER);
    let none = BTreeMap::new();
    let by_shift: Vec<ShiftPpe> = shifts
        .names()
        .chain(outside)
        .map(|shift| {
            let items = sampled.get(shift).unwrap_or(&none);
            ShiftPpe { shift: shift.to_owned(), rate: total(items.values()).rate(), items: rates(items) }
        })
        .collect();
    Ppe { rate: total(sampled.values().flat_map(BTreeMap::values)).rate(), by_shift }
}

fn total<'a>(checks: impl Iterator<Item = &'a Checks>) -> Checks {
    let mut sum = Checks::default();
    checks.for_each(|checks| sum.add(checks.checked, checks.compliant));
    sum
}

fn rates(items: &BTreeMap<String, Checks>) -> BTreeMap<String, ItemPpe> {
    let rate = |checks: &Checks| ItemPpe { checked: checks.checked, compliant: checks.compliant, rate: checks.rate() };
    items.iter().map(|(item, checks)| (item.clone(), rate(checks))).collect()
}
