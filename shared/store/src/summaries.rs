//! A site's days as cut off and counted, the hour at which that is done, and when the site must be looked at for it. The function
//! `daily-summary` is the one writer of days; the hour comes from project settings.
use crate::directory::{Directory, Project, Site};
use crate::due::{self, Reason, SiteRef};
use crate::endpoints::Endpoints;
use crate::facts::SiteFacts;
use crate::keys;
use crate::lanes::LaneId;
use crate::table::{Condition, Item, Query, Table, TableError, get_as, item, read};
use domain::ids::{OrganizationId, SiteId};
use domain::localtime::TimeError;
use domain::route::Route;
use domain::settings::Shift;
use domain::summary::count::Day;
use domain::summary::shifts::Shifts;
use domain::summary::window::{Cut, SummaryHour, Window};
use domain::summary::{DEFAULT_HOUR, FINAL_AFTER};
use domain::webhook::message::Content;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const TRIES: usize = 5;
/// Days: a date may end so much later by one clock than by another.
const CLOCKS_APART: i64 = 2;

/// The hour of a site's summary, and how far its days are cut off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryState {
    /// `HH:MM` on the site's clock, the same for all its platforms.
    pub at: String,
    /// Whether anybody takes the summary: a platform of the site, or a webhook endpoint.
    pub on: bool,
    /// Kept also while it is off, so that what was cut is never cut again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Cut>,
    /// The arrival entry up to which it was looked for what came late.
    #[serde(default)]
    pub looked_to: u64,
    /// The last day that its lanes were asked for once more, since nothing changes it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_to: Option<Date>,
    #[serde(default)]
    pub version: u64,
}

impl Default for SummaryState {
    fn default() -> Self {
        Self { at: DEFAULT_HOUR.into(), on: false, last: None, looked_to: 0, final_to: None, version: 0 }
    }
}

impl SummaryState {
    pub fn hour(&self, site: &Site) -> Result<SummaryHour, TableError> {
        SummaryHour::new(&site.time_zone, &self.at).map_err(|error| unreadable("a site's clock", error))
    }

    /// The next day to be cut off.
    pub fn next(&self, hour: &SummaryHour) -> Option<(Date, Window)> {
        self.last.filter(|_| self.on).map(|last| hour.next(last))
    }

    /// Where cutting begins: at the last time that the hour passed, or where it left off.
    async fn begin(&mut self, days: &Summaries<'_>, hour: &SummaryHour, now: Timestamp) -> Result<(), TableError> {
        let last = hour.last_cut(now);
        self.last = match self.cut_last(days, last.date).await? {
            Some(known) if known.date >= last.date => Some(known),
            // By a clock that was moved east meanwhile, a later date may have ended earlier.
            known => Some(Cut { date: last.date, to: known.map_or(last.to, |known| known.to.max(last.to)) }),
        };
        Ok(())
    }

    /// What was cut last, as far as it can matter to cutting on from a date. Where it was switched on and off before any day ended,
    /// nothing was.
    async fn cut_last(&self, days: &Summaries<'_>, from: Date) -> Result<Option<Cut>, TableError> {
        let earliest = from.saturating_sub(CLOCKS_APART.days());
        let Some(known) = self.last.filter(|known| known.date >= earliest) else { return Ok(self.last) };
        match days.get(known.date).await? {
            Some(_) => Ok(Some(known)),
            None => Ok(days.between(earliest, known.date).await?.last().map(Summary::cut)),
        }
    }

    /// Takes another hour. Where that hour is still to come today and no day was cut since it was switched on, cutting begins a day
    /// earlier: who sets up in the evening gets today's summary.
    async fn take_hour(
        &mut self,
        days: &Summaries<'_>,
        site: &Site,
        at: &str,
        now: Timestamp,
    ) -> Result<SummaryHour, TableError> {
        at.clone_into(&mut self.at);
        let hour = self.hour(site)?;
        if self.on && self.last.is_some_and(|last| hour.last_cut(now).date < last.date) {
            self.begin(days, &hour, now).await?;
        }
        Ok(hour)
    }

    fn write(mut self, site: &SiteRef) -> Result<(Item, Condition), TableError> {
        let condition = match self.version {
            0 => Condition::Absent,
            version => Condition::Equals("version", version.into()),
        };
        self.version += 1;
        Ok((item(&keys::summary_state(&site.organization_id, &site.site_id), &self)?, condition))
    }
}

fn unreadable(what: &'static str, error: TimeError) -> TableError {
    TableError::Malformed { what, why: error.to_string() }
}

/// A day as counted last for the note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub day: Day,
    /// What its PPE is told by. Unknown of a day that was kept before they were: then the site's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifts: Option<Vec<Shift>>,
    /// Grows when what arrived late changes it.
    pub revision: u64,
    pub counted_at: Timestamp,
}

impl Summary {
    pub fn date(&self) -> Date {
        self.day.report.date
    }

    pub fn cut(&self) -> Cut {
        Cut { date: self.date(), to: self.day.report.window.to }
    }

    /// Whether nothing changes it any more.
    pub fn is_final(&self, now: Timestamp) -> bool {
        self.cut().to.checked_add(FINAL_AFTER).is_ok_and(|end| end <= now)
    }

    /// What a webhook endpoint is told of it.
    pub fn content(&self, site_id: &SiteId) -> Content {
        Content::Summary {
            site_id: site_id.clone(),
            day: Box::new(self.day.clone()),
            revision: self.revision,
            counted_at: self.counted_at,
        }
    }
}

/// The days of one site.
#[derive(Clone, Copy)]
pub struct Summaries<'a> {
    pub table: &'a dyn Table,
    pub site: &'a SiteRef,
}

impl<'a> Summaries<'a> {
    pub fn facts(&self) -> SiteFacts<'a> {
        SiteFacts { table: self.table, organization_id: &self.site.organization_id, site_id: &self.site.site_id }
    }

    pub async fn state(&self) -> Result<SummaryState, TableError> {
        let key = keys::summary_state(&self.site.organization_id, &self.site.site_id);
        Ok(get_as(self.table, "a summary's state", &key).await?.unwrap_or_default())
    }

    /// Writes the state, only if nobody did since it was read. `false`: somebody did.
    pub async fn put_state(&self, state: &mut SummaryState) -> Result<bool, TableError> {
        let (item, condition) = state.clone().write(self.site)?;
        let ours = held(self.table.put(item, condition).await)?;
        state.version += u64::from(ours);
        Ok(ours)
    }

    pub async fn get(&self, date: Date) -> Result<Option<Summary>, TableError> {
        let key = keys::summary(&self.site.organization_id, &self.site.site_id, date);
        get_as(self.table, "a summary", &key).await
    }

    /// Days from one to another, both inclusive, that were cut off.
    pub async fn between(&self, from: Date, to: Date) -> Result<Vec<Summary>, TableError> {
        let key = |date| keys::summary(&self.site.organization_id, &self.site.site_id, date);
        let query = Query { pk: key(from).pk, from: key(from).sk, to: key(to).sk, forward: true, limit: usize::MAX };
        self.table.query(query).await?.into_iter().map(|item| read("a summary", item)).collect()
    }

    /// Keeps a day as counted: the first time where none stands, later in place of the revision that was read. `false`: somebody
    /// else did.
    pub async fn put(&self, summary: &Summary) -> Result<bool, TableError> {
        let key = keys::summary(&self.site.organization_id, &self.site.site_id, summary.date());
        let condition = match summary.revision {
            0 | 1 => Condition::Absent,
            revision => Condition::Equals("revision", (revision - 1).into()),
        };
        held(self.table.put(item(&key, summary)?, condition).await)
    }

    /// A day's window: as it was cut, as it will be cut next, or as the hour has it for a day without a summary.
    pub async fn window(&self, hour: &SummaryHour, state: &SummaryState, date: Date) -> Result<Window, TableError> {
        if let Some(summary) = self.get(date).await? {
            return Ok(summary.day.report.window);
        }
        Ok(match state.next(hour) {
            Some((next, window)) if next == date => window,
            _ => hour.window(date),
        })
    }
}

/// Shifts on a clock.
pub fn shifts(shifts: &[Shift], time_zone: &str) -> Result<Shifts, TableError> {
    let zone = domain::localtime::zone(time_zone).map_err(|error| unreadable("a site's clock", error))?;
    Shifts::new(shifts, &zone).map_err(|error| unreadable("a site's shifts", error))
}

/// The hour of a site's summary.
pub async fn hour_of(table: &dyn Table, organization: &OrganizationId, site: &SiteId) -> Result<String, TableError> {
    let site = SiteRef { organization_id: organization.clone(), site_id: site.clone() };
    Ok(Summaries { table, site: &site }.state().await?.at)
}

/// The writes by which a project's settings become those of its site's summary, for the same transaction. The state is written
/// each time: of two projects whose settings change at once, the second one must see the first one's. An hour that nobody changed
/// is the site's, whatever the project had.
pub async fn settled(
    table: &dyn Table,
    lane: &LaneId,
    project: &mut Project,
    now: Timestamp,
) -> Result<Vec<(Item, Condition)>, TableError> {
    let standing = Directory(table).project(lane, &project.project_id).await?;
    let settings = &mut project.settings;
    let site_ref = SiteRef { organization_id: lane.organization_id.clone(), site_id: settings.site_id.clone() };
    let directory = Directory(table);
    let Some(site) = directory.site(&lane.organization_id, &settings.site_id).await? else { return Ok(Vec::new()) };
    let days = Summaries { table, site: &site_ref };
    let mut state = days.state().await?;
    let others = directory.routes(&lane.organization_id, &settings.site_id).await?;
    let others = others.iter().any(|route| route.connection_id != lane.connection_id && takes_summaries(route));
    let was_on = state.on;
    if standing.is_some_and(|standing| standing.settings.daily_summary.at == settings.daily_summary.at) {
        settings.daily_summary.at.clone_from(&state.at);
    }
    let hour = state.take_hour(&days, &site, &settings.daily_summary.at, now).await?;
    let endpoints = Endpoints(table).of_summaries(&lane.organization_id, &settings.site_id).await?;
    state.on = settings.daily_summary.enabled || others || !endpoints.is_empty();
    if state.on && !was_on {
        state.begin(&days, &hour, now).await?;
    }
    let due = due::get(table, &site_ref).await?;
    let alarm = due.changed(|reasons| alarm(reasons, &state, &hour))?;
    Ok(alarm.into_iter().chain([state.write(&site_ref)?]).collect())
}

/// Sees to it that a site's days are cut off, for a webhook endpoint that wants them. The state is written each time: who is about
/// to switch it off, because nobody took them, must see that.
pub async fn take_up(table: &dyn Table, site: &Site, now: Timestamp) -> Result<(), TableError> {
    let site_ref = SiteRef { organization_id: site.organization_id.clone(), site_id: site.id.clone() };
    for _ in 0..TRIES {
        let days = Summaries { table, site: &site_ref };
        let mut state = days.state().await?;
        let hour = state.hour(site)?;
        if !state.on {
            state.on = true;
            state.begin(&days, &hour, now).await?;
        }
        let due = due::get(table, &site_ref).await?;
        let alarm = due.changed(|reasons| alarm(reasons, &state, &hour))?;
        let writes = alarm.into_iter().chain([state.write(&site_ref)?]).collect();
        match table.put_together(writes).await {
            Err(TableError::Condition(_)) => {}
            outcome => return outcome,
        }
    }
    Err(changing())
}

/// The same for a site that is made now, if an endpoint wants all sites of the organization.
pub async fn take_up_new(table: &dyn Table, site: &Site) -> Result<(), TableError> {
    match Endpoints(table).of_summaries(&site.organization_id, &site.id).await?.is_empty() {
        true => Ok(()),
        false => take_up(table, site, site.created_at).await,
    }
}

/// Sets the hour of a site, for all who take its summary.
pub async fn set_hour(table: &dyn Table, site: &Site, at: &str, now: Timestamp) -> Result<(), TableError> {
    let site_ref = SiteRef { organization_id: site.organization_id.clone(), site_id: site.id.clone() };
    for _ in 0..TRIES {
        let days = Summaries { table, site: &site_ref };
        let mut state = days.state().await?;
        let hour = state.take_hour(&days, site, at, now).await?;
        let due = due::get(table, &site_ref).await?;
        let alarm = due.changed(|reasons| alarm(reasons, &state, &hour))?;
        let writes = alarm.into_iter().chain([state.write(&site_ref)?]).collect();
        match table.put_together(writes).await {
            Err(TableError::Condition(_)) => {}
            outcome => {
                outcome?;
                return share_hour(table, &site_ref, at).await;
            }
        }
    }
    Err(changing())
}

fn changing() -> TableError {
    TableError::Unavailable("the summary's state kept changing".into())
}

/// The hour of the summary is the site's: another value changes it for all platforms of the site.
pub async fn share_hour(table: &dyn Table, site: &SiteRef, at: &str) -> Result<(), TableError> {
    let directory = Directory(table);
    for route in directory.routes(&site.organization_id, &site.site_id).await? {
        if route.settings.daily_summary.at == at {
            continue;
        }
        let lane = lane_of(site, &route);
        let Some(mut other) = directory.project(&lane, &route.project_id).await? else { continue };
        at.clone_into(&mut other.settings.daily_summary.at);
        match directory.put_project(&lane, &mut other).await {
            // It is being changed at this moment, and takes an hour of its own along.
            Err(TableError::Condition(_)) => {
                tracing::info!(connection_id = %lane.connection_id, "a summary hour was not shared")
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

/// The lane that a site's route leads to.
pub fn lane_of(site: &SiteRef, route: &Route) -> LaneId {
    LaneId {
        organization_id: site.organization_id.clone(),
        connection_id: route.connection_id.clone(),
        provider: route.provider,
    }
}

/// Sets a site's alarm anew, after its clock was changed.
pub async fn rearrange(table: &dyn Table, site: &Site) -> Result<(), TableError> {
    let site_ref = SiteRef { organization_id: site.organization_id.clone(), site_id: site.id.clone() };
    let state = Summaries { table, site: &site_ref }.state().await?;
    let hour = state.hour(site)?;
    due::change(table, &site_ref, |reasons| alarm(reasons, &state, &hour)).await
}

/// When the site is cut off next; never, while nobody takes its summary.
pub fn alarm(reasons: &mut BTreeMap<Reason, Timestamp>, state: &SummaryState, hour: &SummaryHour) {
    match state.next(hour) {
        Some((_, window)) => {
            reasons.insert(Reason::Summary, window.to);
        }
        None => {
            reasons.remove(&Reason::Summary);
            reasons.remove(&Reason::Amendment);
        }
    }
}

pub fn takes_summaries(route: &Route) -> bool {
    route.settings.daily_summary.enabled
}

/// Whether a day's record is closed there once nothing changes it any more.
pub fn submits_summaries(route: &Route) -> bool {
    takes_summaries(route) && route.settings.mapping.submit_form
}

/// Whether a conditional write held.
fn held(outcome: Result<(), TableError>) -> Result<bool, TableError> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TableError::Condition(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
