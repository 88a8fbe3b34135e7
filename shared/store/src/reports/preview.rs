//! The note of the day that is under way, before there is one.
use super::{ReportError, Reports};
use crate::directory::Site;
use crate::table::{Table, TableError};
use domain::marker::marker;
use domain::record::RecordKey;
use domain::settings::Shift;
use domain::summary::count::Day;
use domain::summary::window::SummaryHour;
use domain::wording::{Place, summary_note};
use jiff::Timestamp;

/// Entries that are read for an hour that is not set: nothing of it is kept, so there is no going on.
const ENTRIES_AT_ONCE: usize = 40_000;

/// The note as a platform would show it now, with an hour and shifts that may not be set yet.
pub async fn note_so_far(
    table: &dyn Table,
    site: &Site,
    at: &str,
    shifts: &[Shift],
    public_url: &str,
    now: Timestamp,
) -> Result<String, ReportError> {
    let planned = Site { shifts: shifts.to_vec(), ..site.clone() };
    let mut reports = Reports::of(table, &planned).await?;
    let malformed = |why: String| TableError::Malformed { what: "a site's clock", why };
    let hour = SummaryHour::new(&site.time_zone, at).map_err(|error| malformed(error.to_string()))?;
    let today = reports.today(now);
    let set = reports.hour.cut_off(today) == hour.cut_off(today) && planned.shifts == site.shifts;
    (reports.hour, reports.keeps) = (hour, set);
    if !set {
        reports.entries_at_most = ENTRIES_AT_ONCE;
    }
    let date = reports.today(now);
    let reported = match reports.day(date, now).await {
        Err(ReportError::Counting) if !set => Err(ReportError::NotSet),
        reported => reported,
    };
    let reported = reported?.ok_or_else(|| malformed(format!("it leaves out {date}")))?;
    Ok(note(&reports, &reported.day, public_url))
}

fn note(reports: &Reports<'_>, day: &Day, public_url: &str) -> String {
    let site = reports.site;
    let record = RecordKey::summary(&site.id, day.report.date);
    let marker = marker(&site.organization_id, site.id.as_str(), record.kind, &record.fact_id);
    let link = record.link(public_url);
    summary_note(day, &Place { zone_name: "", time_zone: reports.hour.zone(), marker: &marker, link: &link })
}
