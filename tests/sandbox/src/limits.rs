//! Fixed rate windows per client and company: one of an hour, one of ten seconds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

const HOUR: i64 = 3600;
const SPIKE: i64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub per_hour: u64,
    pub per_ten_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_hour: 3600, per_ten_seconds: 100 }
    }
}

/// What the headers of one answer say: the window that is nearer to running out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub limit: u64,
    pub remaining: u64,
    pub reset: i64,
    pub window_seconds: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed(Standing),
    Refused { standing: Standing, retry_after: i64 },
}

#[derive(Clone, Copy, Default)]
struct Window {
    start: i64,
    used: u64,
}

impl Window {
    /// Windows stand on the clock's grid, so they do not slide with use.
    fn at(self, now: i64, length: i64) -> Self {
        let start = now.div_euclid(length) * length;
        if start == self.start { self } else { Self { start, used: 0 } }
    }

    fn standing(self, limit: u64, length: i64) -> Standing {
        Standing {
            limit,
            remaining: limit.saturating_sub(self.used),
            reset: self.start + length,
            window_seconds: length,
        }
    }
}

#[derive(Default)]
pub struct Windows {
    by_scope: HashMap<(String, i64), [Window; 2]>,
}

impl Windows {
    /// Takes one call from both windows, or refuses it and takes nothing.
    pub fn take(&mut self, client: &str, company: i64, limits: Limits, now: i64) -> Verdict {
        let scope = self.by_scope.entry((client.to_owned(), company)).or_default();
        let mut hour = scope[0].at(now, HOUR);
        let mut spike = scope[1].at(now, SPIKE);
        let allowed = hour.used < limits.per_hour && spike.used < limits.per_ten_seconds;
        if allowed {
            hour.used += 1;
            spike.used += 1;
        }
        *scope = [hour, spike];
        let hour = hour.standing(limits.per_hour, HOUR);
        let spike = spike.standing(limits.per_ten_seconds, SPIKE);
        let standing = if hour.remaining < spike.remaining || (hour.remaining == 0 && !allowed) { hour } else { spike };
        if allowed {
            Verdict::Allowed(standing)
        } else {
            Verdict::Refused { standing, retry_after: (standing.reset - now).max(1) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(verdict: Verdict) -> (bool, Standing) {
        match verdict {
            Verdict::Allowed(standing) => (true, standing),
            Verdict::Refused { standing, .. } => (false, standing),
        }
    }

    #[test]
    fn reports_the_window_nearer_to_running_out() {
        let limits = Limits { per_hour: 4, per_ten_seconds: 3 };
        let mut windows = Windows::default();
        let (_, first) = standing(windows.take("c", 1, limits, 1_000_000));
        assert_eq!((first.limit, first.remaining, first.reset), (3, 2, 1_000_010));
        windows.take("c", 1, limits, 1_000_001);
        windows.take("c", 1, limits, 1_000_002);
        let (allowed, spent) = standing(windows.take("c", 1, limits, 1_000_003));
        assert!(!allowed);
        assert_eq!((spent.limit, spent.remaining), (3, 0));
        // The next ten seconds: one call of the hour is left, and the headers switch to the hour.
        let (allowed, hour) = standing(windows.take("c", 1, limits, 1_000_010));
        assert!(allowed);
        assert_eq!((hour.limit, hour.remaining, hour.reset % 3600), (4, 0, 0));
        assert_eq!(
            windows.take("c", 1, limits, 1_000_011),
            Verdict::Refused {
                standing: Standing { limit: 4, remaining: 0, reset: 1_000_800, window_seconds: 3600 },
                retry_after: 789
            }
        );
    }

    #[test]
    fn companies_and_clients_have_windows_of_their_own() {
        let limits = Limits { per_hour: 1, per_ten_seconds: 1 };
        let mut windows = Windows::default();
        assert!(standing(windows.take("c", 1, limits, 50)).0);
        assert!(standing(windows.take("c", 2, limits, 50)).0);
        assert!(standing(windows.take("d", 1, limits, 50)).0);
        assert!(!standing(windows.take("c", 1, limits, 50)).0);
    }
}
