//! Rate windows, as the platform tells of them: how many calls a lane may still make, and who goes first.
//!
//! A platform counts in fixed windows (Procore: an hour, and ten seconds against spikes) and tells in headers about whichever is
//! nearer exhaustion, or tells nothing before it refuses (Autodesk: a minute). About 15 % of the long window is kept for incidents,
//! summaries and asked-for read-backs until it is near its end; timed re-reads get at most 10 %. A pause holds observations only,
//! or everything.
use crate::outage::Outage;
use domain::ids::Provider;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// Not before then. `everything`: no class may.
    Pause {
        until: Timestamp,
        everything: bool,
    },
}

/// What an answer said about rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered {
    pub limit: Option<u32>,
    pub remaining: Option<u32>,
    pub reset: Option<Timestamp>,
    /// The platform said 429 (or 503 with a time): nothing more until then.
    pub pause_until: Option<Timestamp>,
    /// There was no answer, or one that says that the platform is not well (5xx).
    pub down: bool,
}

/// A spike window is at most this long; a longer reset speaks of the hour.
const SPIKE: SignedDuration = SignedDuration::from_secs(10);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Share of the long window, in percent, that observations and re-reads leave to others.
const RESERVE: u32 = 15;
/// The reserve is released when no more than this part of the long window is left.
const RELEASED_WITHIN: i32 = 10;
/// Share of it, in percent, for timed re-reads.
const REREADS: u32 = 10;

/// One window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Window {
    /// What the platform said it allows; before it said anything, the numbers of its guide.
    limit: u32,
    used: u32,
    rereads: u32,
    resets_at: Option<Timestamp>,
}

impl Window {
    fn roll(&mut self, now: Timestamp) {
        if self.resets_at.is_some_and(|at| now >= at) {
            (self.used, self.rereads, self.resets_at) = (0, 0, None);
        }
    }

    fn begin(&mut self, now: Timestamp, length: SignedDuration) {
        if self.resets_at.is_none() {
            self.resets_at = Some(now + length);
        }
    }
}

/// A lane's budget at its platform; kept between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The long window: Procore's is an hour.
    hour: Window,
    /// How long it is, in seconds.
    #[serde(default = "an_hour")]
    long: i64,
    spike: Window,
    /// Nothing goes before then.
    paused_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outage: Option<Outage>,
    /// Calls made and refused since the budget began, for figures.
    pub calls: u64,
    pub refused: u64,
}

fn an_hour() -> i64 {
    HOUR.as_secs()
}

impl Budget {
    /// What a platform allows, until its answers say better.
    pub fn of(provider: Provider) -> Self {
        match provider {
            // The sample values of Procore's guide.
            Provider::Procore => Self::fresh(600, HOUR, 25),
            // 500 a minute for a user in an account, all calls of Issues together, and no word before a refusal: spread, so that
            // no wait is longer than a run waits.
            Provider::Acc => Self::fresh(500, SignedDuration::from_mins(1), 83),
            // An endpoint names no limit before it refuses.
            Provider::Webhook => Self::fresh(1_000_000, HOUR, 1_000_000),
        }
    }

    fn fresh(limit: u32, long: SignedDuration, spike: u32) -> Self {
        let window = |limit| Window { limit, used: 0, rereads: 0, resets_at: None };
        let (hour, spike) = (window(limit), window(spike));
        Self { hour, long: long.as_secs(), spike, paused_until: None, outage: None, calls: 0, refused: 0 }
    }

    fn long(&self) -> SignedDuration {
        SignedDuration::from_secs(self.long)
    }

    /// Asks for one call and, if it may go, counts it.
    pub fn admit(&mut self, class: WorkClass, now: Timestamp) -> Admission {
        let admission = self.would_admit(class, now);
        if admission == Admission::Go {
            self.count(class);
        }
        admission
    }

    /// Counts a call that was made beside this budget.
    pub fn charge(&mut self, class: WorkClass, now: Timestamp) {
        let _ = self.would_admit(class, now);
        self.count(class);
    }

    fn count(&mut self, class: WorkClass) {
        self.hour.used += 1;
        self.spike.used += 1;
        self.calls += 1;
        self.hour.rereads += u32::from(class == WorkClass::Reread);
    }

    /// Whether a call may go now.
    pub fn would_admit(&mut self, class: WorkClass, now: Timestamp) -> Admission {
        let down_until = self.outage.map(|outage| outage.until);
        if let Some(until) = self.paused_until.max(down_until).filter(|until| now < *until) {
            return Admission::Pause { until, everything: true };
        }
        self.paused_until = None;
        self.hour.roll(now);
        self.spike.roll(now);
        self.hour.begin(now, self.long());
        self.spike.begin(now, SPIKE);
        let (hour_end, spike_end) = (self.hour.resets_at.unwrap_or(now), self.spike.resets_at.unwrap_or(now));
        if self.hour.used >= self.hour.limit {
            return Admission::Pause { until: hour_end, everything: true };
        }
        if self.hour.used + self.reserve(class, now) >= self.hour.limit {
            return Admission::Pause { until: hour_end - self.long() / RELEASED_WITHIN, everything: false };
        }
        if class == WorkClass::Reread && self.hour.rereads >= self.hour.limit * REREADS / 100 {
            return Admission::Pause { until: hour_end, everything: false };
        }
        if self.spike.used >= self.spike.limit {
            return Admission::Pause { until: spike_end, everything: true };
        }
        Admission::Go
    }

    /// What this class leaves to others in this hour. Small limits still leave one call.
    fn reserve(&self, class: WorkClass, now: Timestamp) -> u32 {
        let end = self.hour.resets_at.unwrap_or(now);
        let released = end.duration_since(now) <= self.long() / RELEASED_WITHIN;
        match class {
            WorkClass::Observation | WorkClass::Reread if !released => (self.hour.limit * RESERVE / 100).max(1),
            _ => 0,
        }
    }

    /// Learns from an answer. Headers speak of whichever window is nearer exhaustion; how far off its reset is tells which.
    pub fn learn(&mut self, answered: Answered, now: Timestamp) {
        self.outage = answered.down.then(|| Outage::after_failure(self.outage, now));
        if let Some(until) = answered.pause_until {
            self.refused += 1;
            self.paused_until = Some(self.paused_until.map_or(until, |standing| standing.max(until)));
        }
        let (Some(limit), Some(remaining), Some(reset)) = (answered.limit, answered.remaining, answered.reset) else {
            return;
        };
        let until_reset = reset.duration_since(now);
        if until_reset <= SignedDuration::ZERO || until_reset > self.long() + SPIKE {
            return;
        }
        // A whole hour's window has a reset within ten seconds too, near its end: then the limits tell them apart.
        let speaks_of_spike = until_reset <= SPIKE + SignedDuration::from_secs(1)
            && self.hour.resets_at.is_none_or(|end| {
                end.duration_since(reset).abs() > SignedDuration::from_secs(2) || limit != self.hour.limit
            });
        if speaks_of_spike && remaining < limit {
            // The spike window is the nearer to exhaustion, so the hour has at least this share left: its limit is no smaller
            // than what that makes of our count. Only a platform that never speaks of its hour needs this.
            let least = u64::from(self.hour.used) * u64::from(limit) / u64::from(limit - remaining);
            self.hour.limit = self.hour.limit.max(u32::try_from(least).unwrap_or(u32::MAX));
        }
        let window = if speaks_of_spike { &mut self.spike } else { &mut self.hour };
        window.limit = limit.max(1);
        window.resets_at = Some(reset);
        // Others may share the account: the platform's count is the truth when it is higher than ours.
        window.used = window.used.max(limit.saturating_sub(remaining));
    }

    /// That the platform failed us, and has not answered since.
    pub fn outage(&self) -> Option<Outage> {
        self.outage
    }

    /// How long everything is held, if it is.
    pub fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.paused_until.filter(|until| now < *until)
    }
}
