//! What stands on the page of a day.
use super::chart::{Bar, bars};
use crate::layout::{Page, SUPPORT};
use domain::localtime;
use domain::summary::count::incidents_counted;
use domain::summary::report::{Report, ShiftPpe};
use domain::summary::shifts::OTHER;
use domain::summary::tally::Tally;
use domain::summary::trend::{self, By};
use domain::wording::{percent, words};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use store::directory::Site;
use store::reports::Reported;

pub fn path(site: &Site, date: Date) -> String {
    format!("/sites/{}/reports/{date}", site.id)
}

fn in_words(date: Date) -> String {
    date.strftime("%A, %B %-d, %Y").to_string()
}

/// A date whose window has not begun.
pub fn not_yet(site: &Site, date: Date, today: Date) -> Page {
    let title = format!("{}: {}", site.name, in_words(date));
    let body = html! {
        h1 { (title) }
        p { "This day has not begun on the site's clock (" (site.time_zone) "), so there is nothing to report yet." }
        p { a.button href=(path(site, today)) { "See the day that is under way" } }
    };
    Page::new(title, body)
}

pub struct Shown<'a> {
    pub site: &'a Site,
    pub reported: &'a Reported,
    /// `None`: not all of them are counted yet.
    pub days: Option<&'a [(Date, Tally)]>,
    pub today: Date,
    pub now: Timestamp,
}

impl Shown<'_> {
    fn report(&self) -> &Report {
        &self.reported.day.report
    }

    fn zone(&self) -> TimeZone {
        localtime::zone(&self.report().time_zone).unwrap_or(TimeZone::UTC)
    }

    fn local(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone()).strftime("%a, %b %-d, %H:%M %Z").to_string()
    }

    pub fn page(&self) -> Page {
        let report = self.report();
        let title = format!("{}: {}", self.site.name, in_words(report.date));
        let body = html! {
            (self.ways())
            h1 { (title) }
            p { "From " (self.local(report.window.from)) " to " (self.local(report.window.to)) ", on the site's clock (" (report.time_zone) ")." }
            @if report.window.to > self.now {
                div.notice role="status" { p { "This day is under way: it is counted so far, until " (self.local(self.now)) "." } }
            }
            (self.nothing())
            (self.figures())
            (self.recordable())
            (self.by_hour())
            (self.ppe())
            (self.kinds_and_zones())
            (self.fortnight())
        };
        Page::new(title, body)
    }

    /// To the days beside it.
    fn ways(&self) -> Markup {
        let date = self.report().date;
        let next = date.tomorrow().ok().filter(|next| *next <= self.today);
        html! {
            nav.screen aria-label="Days" { p.links {
                a href="/setup" { "Overview" }
                @if let Ok(before) = date.yesterday() { a rel="prev" href=(path(self.site, before)) { "Day before" } }
                @if let Some(next) = next { a rel="next" href=(path(self.site, next)) { "Next day" } }
            } }
        }
    }

    fn nothing(&self) -> Markup {
        let report = self.report();
        let sampled = report.ppe.rate.is_some();
        html! { @if report.alerts == 0 && report.confirmed_incidents == 0 && !sampled {
            div.notice {
                p { "Nothing has come from this site for this time." }
                p { "What is still on its way is counted when it arrives. If cameras and wearables were on, ask " a href={ "mailto:" (SUPPORT) } { (SUPPORT) } " whether the site's edge server is connected." }
            }
        } }
    }

    fn figures(&self) -> Markup {
        let (report, before) = (self.report(), &self.report().previous);
        html! {
            dl.figures {
                div { dt { "Alerts" } dd { (report.alerts) } (change(report.alerts, before.alerts)) }
                div {
                    dt { "Confirmed incidents" } dd { (incidents_counted(report.confirmed_incidents)) }
                    @if report.confirmed_incidents > 0 { dd.dim { (report.recordable_incidents) " recordable" } }
                    (change(report.confirmed_incidents, before.confirmed_incidents))
                }
                div { dt { "Zone breaches" } dd { (report.zone_breaches) } (change(report.zone_breaches, before.zone_breaches)) }
                div { dt { "PPE compliance" } dd { (percent(report.ppe.rate)) } dd.dim { "Day before: " (percent(before.ppe.rate)) } }
            }
        }
    }

    fn recordable(&self) -> Markup {
        let recordable = &self.reported.day.recordable;
        html! { @if !recordable.is_empty() {
            h2 { "Recordable incidents" }
            ul { @for incident in recordable {
                li { a href={ "/sites/" (self.site.id) "/incidents/" (incident.incident_id) } { (words(&incident.incident_type)) ", " (incident.zone_name) } }
            } }
            @if let Some(more) = self.report().recordable_incidents.checked_sub(recordable.len() as u64).filter(|more| *more > 0) {
                p { "And " (more) " more." }
            }
        } }
    }

    /// The hours in the order of the window.
    fn by_hour(&self) -> Markup {
        let first = self.report().window.from.to_zoned_datetime(self.zone()).hour().unsigned_abs();
        let hours: Vec<u8> = (first..24).chain(0..first).collect();
        let alerts = |hour: &u8| self.reported.tally.by_hour.get(hour).copied().unwrap_or(0);
        let shown: Vec<Bar> =
            hours.iter().map(|hour| Bar { label: format!("{hour:02}"), value: alerts(hour) }).collect();
        html! { @if self.report().alerts > 0 {
            h2 { "Alerts by hour" }
            div.beside {
                figure { (bars("chart-hours", "Alerts by hour of the site's clock; the table beside it has the figures", &shown, 3)) }
                table {
                    caption { "Hours without alerts are left out." }
                    thead { tr { th scope="col" { "Hour" } th.number scope="col" { "Alerts" } } }
                    tbody { @for hour in hours.iter().filter(|hour| alerts(hour) > 0) {
                        tr { th scope="row" { (format!("{hour:02}:00 to {hour:02}:59")) } td.number { (alerts(hour)) } }
                    } }
                }
            }
        } }
    }

    fn ppe(&self) -> Markup {
        let shifts = &self.report().ppe.by_shift;
        html! {
            h2 { "PPE compliance by shift" }
            @if self.report().ppe.rate.is_none() {
                p { "No data: no PPE was sampled in this time." }
            } @else {
                div.scroll role="region" aria-label="PPE compliance by shift" tabindex="0" { table {
                    thead { tr {
                        th scope="col" { "Shift" } th scope="col" { "PPE" } th.number scope="col" { "Checked" }
                        th.number scope="col" { "Compliant" } th.number scope="col" { "Rate" }
                    } }
                    @for shift in shifts { (shift_rows(shift)) }
                } }
            }
        }
    }

    fn kinds_and_zones(&self) -> Markup {
        let report = self.report();
        let mut kinds: Vec<(&String, &u64)> = report.by_kind.iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        html! { @if report.alerts > 0 {
            div.beside {
                div {
                    h2 { "Alerts by kind" }
                    table {
                        thead { tr { th scope="col" { "Kind" } th.number scope="col" { "Alerts" } } }
                        tbody { @for (kind, alerts) in kinds { tr { th scope="row" { (words(kind)) } td.number { (alerts) } } } }
                    }
                }
                div {
                    h2 { "Alerts by zone" }
                    table {
                        thead { tr { th scope="col" { "Zone" } th.number scope="col" { "Alerts" } } }
                        tbody { @for zone in &report.by_zone { tr { th scope="row" { (zone.name) } td.number { (zone.alerts) } } } }
                    }
                }
            }
        } }
    }

    fn fortnight(&self) -> Markup {
        let date = self.report().date;
        let csv = |by: By| format!("{}/trend.csv?by={}", path(self.site, date), by.as_str());
        html! {
            h2 { "The last 14 days" }
            @match self.days {
                None => p { "Not all of these days are counted yet: " a href=(path(self.site, date)) { "load the page again" } "." },
                Some(days) => (self.days(days)),
            }
            p.links.screen { @for by in By::ALL { a href=(csv(by)) { "As CSV, by " (by.as_str()) } } }
        }
    }

    fn days(&self, days: &[(Date, Tally)]) -> Markup {
        let rows = trend::trend(days.iter().map(|(date, tally)| (*date, tally)), By::Day);
        let label = |date: &Date| date.strftime("%-m/%-d").to_string();
        let shown: Vec<Bar> =
            days.iter().zip(&rows).map(|((date, _), row)| Bar { label: label(date), value: row.alerts }).collect();
        html! { div.beside {
            figure { (bars("chart-days", "Alerts by day of the last 14 days; the table beside it has the figures", &shown, 2)) }
            div.scroll role="region" aria-label="The last 14 days" tabindex="0" { table {
                thead { tr {
                    th scope="col" { "Day" } th.number scope="col" { "Alerts" } th.number scope="col" { "Incidents" }
                    th.number scope="col" { "Zone breaches" } th.number scope="col" { "PPE" }
                } }
                tbody { @for ((date, _), row) in days.iter().zip(&rows) { tr {
                    th.day scope="row" { a href=(path(self.site, *date)) { (date.strftime("%a, %b %-d").to_string()) } }
                    td.number { (row.alerts) } td.number { (row.confirmed_incidents) } td.number { (row.zone_breaches) }
                    td.number { (percent(row.ppe_rate)) }
                } } }
            } }
        } }
    }
}

fn shift_rows(shift: &ShiftPpe) -> Markup {
    let name = if shift.shift == OTHER { "Outside shifts" } else { &shift.shift };
    let (checked, compliant) =
        shift.items.values().fold((0, 0), |(checked, ok), item| (checked + item.checked, ok + item.compliant));
    html! { tbody {
        tr {
            th scope="row" { (name) } td { "All" } td.number { (checked) } td.number { (compliant) } td.number { (percent(shift.rate)) }
        }
        @for (item, checks) in &shift.items { tr {
            th scope="row" { span.dim { (name) } } td { (words(item)) } td.number { (checks.checked) } td.number { (checks.compliant) }
            td.number { (percent(checks.rate)) }
        } }
    } }
}

fn change(now: u64, before: u64) -> Markup {
    html! { dd.dim {
        @match now.cmp(&before) {
            std::cmp::Ordering::Greater => { (now - before) " more than the day before" },
            std::cmp::Ordering::Less => { (before - now) " fewer than the day before" },
            std::cmp::Ordering::Equal => "As many as the day before",
        }
    } }
}
