//! From what happened to a day's figures.
use super::occurrence::{Confirmed, Occurrence};
use super::report::{Checks, ItemPpe, Ppe, Previous, Report, ShiftPpe, ZoneAlerts};
use super::shifts::{OTHER, Shifts};
use super::tally::{self, Tally};
use super::window::Window;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Recordable incidents that are named; the report counts all.
const NAMED: usize = 100;

/// Incidents of a day that are counted. An edge that makes up ids must not make a day that the table can't hold.
pub const MOST_INCIDENTS: usize = 1_000;

/// How many incidents a day had, in words: so many, or more than are counted.
pub fn incidents_counted(count: u64) -> String {
    if count >= MOST_INCIDENTS as u64 { format!("{count} or more") } else { count.to_string() }
}

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
    tally: Tally,
    incidents: Vec<Confirmed>,
}

impl<'a> Counter<'a> {
    pub fn new(window: Window, shifts: &'a Shifts) -> Self {
        Self::resume(Tally::default(), window, shifts)
    }

    /// Goes on with what was counted before: alerts and samples. Incidents are what their facts say now, so they are added anew.
    pub fn resume(tally: Tally, window: Window, shifts: &'a Shifts) -> Self {
        Self { window, shifts, tally, incidents: Vec::new() }
    }

    pub fn add(&mut self, occurrence: &Occurrence) {
        if !self.window.holds(occurrence.at()) {
            return;
        }
        self.tally.add(occurrence, self.shifts);
        if let Occurrence::Incident(incident) = occurrence {
            self.incidents.push(incident.clone());
        }
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    pub fn into_tally(self) -> Tally {
        self.tally
    }

    /// The day. `names`: zones by id, as they are called on that day; one that is not known is called by its id.
    pub fn day(self, head: Head<'_>, names: &BTreeMap<String, String>) -> Day {
        let rest = self.tally.by_zone.len() > tally::ZONES;
        let name = |zone_id: &str| match names.get(zone_id) {
            Some(name) => name.clone(),
            None if rest && zone_id == OTHER => "Other zones".to_owned(),
            None => zone_id.to_owned(),
        };
        let alerted = self.tally.by_zone.iter().filter(|(_, figures)| figures.alerts > 0);
        let mut by_zone: Vec<ZoneAlerts> = alerted
            .map(|(zone_id, figures)| ZoneAlerts {
                zone_id: zone_id.clone(),
                name: name(zone_id),
                alerts: figures.alerts,
            })
            .collect();
        by_zone.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.zone_id.cmp(&b.zone_id)));
        let mut recordable: Vec<&Confirmed> = self.incidents.iter().filter(|incident| incident.recordable).collect();
        recordable.sort_by(|a, b| (a.at, &a.incident_id).cmp(&(b.at, &b.incident_id)));
        let total = self.tally.total();
        let by_kind = self.tally.by_kind.iter().filter(|(_, figures)| figures.alerts > 0);
        let report = Report {
            date: head.date,
            time_zone: head.time_zone.to_owned(),
            window: self.window,
            alerts: total.alerts,
            confirmed_incidents: self.incidents.len() as u64,
            recordable_incidents: recordable.len() as u64,
            zone_breaches: total.zone_breaches,
            ppe: ppe(self.shifts, &self.tally),
            by_zone,
            previous: head.previous,
            by_kind: by_kind.map(|(kind, figures)| (kind.clone(), figures.alerts)).collect(),
        };
        let named = |incident: &&Confirmed| Recordable {
            incident_id: incident.incident_id.clone(),
            incident_type: incident.incident_type.clone(),
            zone_id: incident.zone_id.clone(),
            zone_name: name(&incident.zone_id),
        };
        Day { recordable: recordable.iter().take(NAMED).map(named).collect(), report }
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

fn ppe(shifts: &Shifts, tally: &Tally) -> Ppe {
    let none = BTreeMap::new();
    let by_shift: Vec<ShiftPpe> = shifts
        .names()
        .chain(tally.ppe.contains_key(OTHER).then_some(OTHER))
        .map(|shift| {
            let items = tally.ppe.get(shift).unwrap_or(&none);
            ShiftPpe { shift: shift.to_owned(), rate: total(items.values()).rate(), items: rates(items) }
        })
        .collect();
    Ppe { rate: tally.total().ppe_rate(), by_shift }
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
