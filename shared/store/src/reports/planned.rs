//! A day to be counted, and what its shifts, hours and zones are told by: where it was cut off as its note has it, so that the report
//! that the note links to is the same, whatever became of the site since; else as the site is now.
use crate::directory::Site;
use crate::summaries::Summary;
use domain::settings::Shift;
use domain::summary::window::Window;
use jiff::civil::Date;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct Planned {
    pub date: Date,
    pub window: Window,
    pub time_zone: String,
    pub shifts: Vec<Shift>,
    /// What the note calls zones. `None`: there is no note.
    pub(super) called: Option<BTreeMap<String, String>>,
}

impl Planned {
    pub fn new(date: Date, window: Window, site: &Site) -> Self {
        Self { date, window, time_zone: site.time_zone.clone(), shifts: site.shifts.clone(), called: None }
    }

    pub fn of(summary: &Summary, site: &Site) -> Self {
        let report = &summary.day.report;
        let zones = report.by_zone.iter().map(|zone| (&zone.zone_id, &zone.name));
        let incidents = summary.day.recordable.iter().map(|incident| (&incident.zone_id, &incident.zone_name));
        let called = zones.chain(incidents).map(|(id, name)| (id.clone(), name.clone())).collect();
        Self {
            date: report.date,
            window: report.window,
            time_zone: report.time_zone.clone(),
            shifts: summary.shifts.clone().unwrap_or_else(|| site.shifts.clone()),
            called: Some(called),
        }
    }
}
