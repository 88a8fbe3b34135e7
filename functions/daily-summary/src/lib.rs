//! Looks at one site: cuts off each day whose hour has passed, keeps it as counted, asks the lanes of the site's platforms for its
//! note and those of webhook endpoints for a message, amends the days of the last 72 hours to which something came late, and sets when
//! the site is looked at next.
//!
//! - [`cut`]: days that are due, each its own; [`late`]: what came late, and which days it changes; [`over`]: days that nothing changes
//!   any more
//!
//! Every step may be repeated: what was cut stands, asking twice is one todo, and the state moves on last. So a look that is
//! missed, doubled or died half done makes no missing or doubled note.
pub mod cut;
pub mod late;
pub mod over;

use domain::record::RecordKey;
use domain::route::Route;
use domain::summary::window::SummaryHour;
use jiff::{SignedDuration, Timestamp};
use store::bell::{Bell, fresh_token};
use store::directory::{Directory, Site};
use store::due::{self, Reason, SiteRef};
use store::endpoints::{Endpoint, Endpoints};
use store::lanes::{Lane, Todo};
use store::messages::{self, MessageLane};
use store::reports::{ReportError, Reports};
use store::summaries::{self, Summaries, Summary, SummaryState, lane_of, takes_summaries};
use store::{Table, TableError, again};

/// What is still on its way at a cut-off is looked for so long after it, and then each hour.
const FIRST_LOOK: SignedDuration = SignedDuration::from_mins(15);
const LOOKS_APART: SignedDuration = SignedDuration::from_hours(1);
const TRIES: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    #[error("a site's day could not be counted or kept: {0}")]
    Table(#[from] TableError),
    #[error("a site's day could not be counted: {0}")]
    Count(#[from] ReportError),
    #[error("the site's summary is being changed by someone else at this moment; it is looked at again")]
    Busy,
}

/// What a look came to, for the log.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// Days cut off.
    pub cut: usize,
    /// Days that something late has changed.
    pub amended: usize,
}

/// What a look works with.
#[derive(Clone, Copy)]
pub struct DailySummary<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
}

/// One look at one site.
struct Look<'a> {
    table: &'a dyn Table,
    bell: &'a dyn Bell,
    site_ref: &'a SiteRef,
    site: &'a Site,
    reports: Reports<'a>,
    hour: SummaryHour,
    /// The site's ways to the platforms that take its summary.
    routes: Vec<Route>,
    /// The webhook endpoints that are told of it.
    endpoints: Vec<Endpoint>,
    now: Timestamp,
}

impl DailySummary<'_> {
    /// May be repeated, after an error too.
    pub async fn look(&self, site_ref: &SiteRef, now: Timestamp) -> Result<Looked, SummaryError> {
        let DailySummary { table, bell } = *self;
        let summaries = Summaries { table, site: site_ref };
        let directory = Directory(table);
        let mut routes = directory.routes(&site_ref.organization_id, &site_ref.site_id).await?;
        routes.retain(takes_summaries);
        let mut state = summaries.state().await?;
        let endpoints = Endpoints(table).of_summaries(&site_ref.organization_id, &site_ref.site_id).await?;
        let site = directory.site(&site_ref.organization_id, &site_ref.site_id).await?;
        let Some(site) = site.filter(|_| state.on && !(routes.is_empty() && endpoints.is_empty())) else {
            return self.switch_off(&summaries, state).await;
        };
        if routes.iter().any(|route| route.settings.daily_summary.at != state.at) {
            summaries::share_hour(table, site_ref, &state.at).await?;
        }
        let hour = state.hour(&site)?;
        let reports = Reports::by(table, &site, &state)?;
        let look = Look { table, bell, site_ref, site: &site, reports, hour, routes, endpoints, now };
        let committed = summaries.facts().last_arrival().await?.map_or(0, |entry| entry.number);
        let amended = look.amend(&state, committed).await?;
        let cut = look.cut(&mut state, committed).await?;
        if cut == 0 && state.looked_to != committed {
            state.looked_to = committed;
            look.keep(&mut state).await?;
        }
        look.close(&mut state).await?;
        look.set_alarm(&state).await?;
        Ok(Looked { cut, amended })
    }

    /// Nobody takes the summary any more: the site is left alone. What was cut is remembered.
    async fn switch_off(&self, summaries: &Summaries<'_>, mut state: SummaryState) -> Result<Looked, SummaryError> {
        if state.on {
            state.on = false;
            if !summaries.put_state(&mut state).await? {
                return Err(SummaryError::Busy);
            }
        }
        let clear = |reasons: &mut std::collections::BTreeMap<Reason, Timestamp>| reasons.clear();
        due::change(self.table, summaries.site, clear).await?;
        match summaries.state().await?.on {
            // Switched on between: its alarm may just have been cleared.
            true => Err(SummaryError::Busy),
            false => Ok(Looked::default()),
        }
    }
}

impl Look<'_> {
    fn summaries(&self) -> Summaries<'_> {
        Summaries { table: self.table, site: self.site_ref }
    }

    async fn keep(&self, state: &mut SummaryState) -> Result<(), SummaryError> {
        match self.summaries().put_state(state).await? {
            true => Ok(()),
            false => Err(SummaryError::Busy),
        }
    }

    /// Asks the lanes for a day's note. A platform whose project was mapped after the cut-off never had that day.
    async fn ask(&self, summary: &Summary) -> Result<(), SummaryError> {
        self.ask_lanes(summary, |_| true).await?;
        self.tell(summary).await
    }

    async fn ask_lanes(&self, summary: &Summary, of: impl Fn(&Route) -> bool) -> Result<(), SummaryError> {
        for route in self.routes.iter().filter(|route| route.since <= summary.cut().to && of(route)) {
            let lane = lane_of(self.site_ref, route);
            let record = RecordKey::summary(&self.site_ref.site_id, summary.date());
            let todo = Todo::new(record, self.now, fresh_token());
            Lane { table: self.table, id: &lane }.ask(&[todo]).await?;
            again::wake(self.table, self.bell, &lane, self.now).await?;
        }
        Ok(())
    }

    /// Asks the lanes of webhook endpoints to tell of a day as it is counted now: one message for each revision, however often it is
    /// asked for. A disabled one gets nothing: what it missed can be recovered.
    async fn tell(&self, summary: &Summary) -> Result<(), SummaryError> {
        let there = |endpoint: &&Endpoint| !endpoint.is_disabled() && endpoint.created_at <= summary.cut().to;
        for endpoint in self.endpoints.iter().filter(there) {
            let (lane, content) = (endpoint.lane(), summary.content(&self.site_ref.site_id));
            let todo = messages::Todo::new(content.id(&endpoint.id), content, self.now, fresh_token());
            MessageLane { table: self.table, id: &lane }.ask(&[todo]).await?;
            again::wake(self.table, self.bell, &lane, self.now).await?;
        }
        Ok(())
    }

    /// When the site is looked at next: at its next cut-off, and for what came late. Should hour or zone be changed at this
    /// moment, it is set by the new ones.
    async fn set_alarm(&self, state: &SummaryState) -> Result<(), SummaryError> {
        let summaries = self.summaries();
        let (mut state, mut hour) = (state.clone(), self.hour.clone());
        for _ in 0..TRIES {
            let first = state.last.map_or(self.now, |last| last.to + FIRST_LOOK);
            let look = if first > self.now { first } else { self.now + LOOKS_APART };
            due::change(self.table, self.site_ref, |reasons| {
                reasons.insert(Reason::Amendment, look);
                summaries::alarm(reasons, &state, &hour);
            })
            .await?;
            let standing = summaries.state().await?;
            if standing.version == state.version {
                return Ok(());
            }
            hour = standing.hour(self.site)?;
            state = standing;
        }
        Err(SummaryError::Busy)
    }
}
