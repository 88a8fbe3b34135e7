//! The daily report, as the API and webhooks show it (contracts 6.3).
use super::tally::is_zero;
use super::window::Window;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Report {
    /// The local date at the end of the window.
    pub date: Date,
    pub time_zone: String,
    pub window: Window,
    pub alerts: u64,
    pub confirmed_incidents: u64,
    pub recordable_incidents: u64,
    pub zone_breaches: u64,
    pub ppe: Ppe,
    /// Alerts by detection kind.
    pub by_kind: BTreeMap<String, u64>,
    /// The zones with alerts, most first.
    pub by_zone: Vec<ZoneAlerts>,
    pub previous: Previous,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ppe {
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub rate: Rate,
    /// The site's shifts in the order they are set, then `other` if anything was sampled outside them.
    pub by_shift: Vec<ShiftPpe>,
}

/// Compliant checks by checks, 0 to 1. `None`: nothing was sampled.
pub type Rate = Option<f64>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ShiftPpe {
    pub shift: String,
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub rate: Rate,
    pub items: BTreeMap<String, ItemPpe>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ItemPpe {
    pub checked: u64,
    pub compliant: u64,
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub rate: Rate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ZoneAlerts {
    pub zone_id: String,
    pub name: String,
    pub alerts: u64,
}

/// The window before, in the members that a change is told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Previous {
    pub date: Date,
    pub window: Window,
    pub alerts: u64,
    pub confirmed_incidents: u64,
    pub recordable_incidents: u64,
    pub zone_breaches: u64,
    pub ppe: PreviousPpe,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PreviousPpe {
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub rate: Rate,
}

impl Previous {
    /// A window of which nothing is known.
    pub fn nothing(date: Date, window: Window) -> Self {
        let (alerts, confirmed_incidents, recordable_incidents, zone_breaches) = (0, 0, 0, 0);
        let ppe = PreviousPpe { rate: None };
        Self { date, window, alerts, confirmed_incidents, recordable_incidents, zone_breaches, ppe }
    }
}

impl Report {
    /// Keeps so many of each list: the zones and kinds with most alerts, the first shifts and their first items. Sums stay what they are.
    pub fn shorten(&mut self, entries: usize) {
        self.by_zone.truncate(entries);
        let mut counts: Vec<u64> = self.by_kind.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(most_left_out) = counts.get(entries).copied() {
            self.by_kind.retain(|_, alerts| *alerts > most_left_out);
        }
        self.ppe.by_shift.truncate(entries);
        for shift in &mut self.ppe.by_shift {
            let last = shift.items.keys().nth(entries).cloned();
            shift.items.retain(|item, _| last.as_ref().is_none_or(|last| item < last));
        }
    }

    /// What the next day's report says of this one.
    pub fn as_previous(&self) -> Previous {
        Previous {
            date: self.date,
            window: self.window,
            alerts: self.alerts,
            confirmed_incidents: self.confirmed_incidents,
            recordable_incidents: self.recordable_incidents,
            zone_breaches: self.zone_breaches,
            ppe: PreviousPpe { rate: self.ppe.rate },
        }
    }
}

/// Checks added up; rates are weighted by them, so that a zone with two workers doesn't count like one with two hundred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checks {
    #[serde(skip_serializing_if = "is_zero")]
    pub checked: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub compliant: u64,
}

impl Checks {
    pub fn add(&mut self, checked: u64, compliant: u64) {
        self.checked = self.checked.saturating_add(checked);
        self.compliant = self.compliant.saturating_add(compliant);
    }

    pub fn rate(self) -> Rate {
        (self.checked > 0).then(|| self.compliant as f64 / self.checked as f64)
    }
}
