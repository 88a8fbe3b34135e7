//! A platform that does not answer, or only with errors of its own: everything is held for a pause that doubles, then one call
//! goes ahead of the others. So an outage of hours costs few calls, and leaves few records with an unclear answer.
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const FIRST: SignedDuration = SignedDuration::from_secs(10);
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// An outage that lasted so long is the platform's, not one record's.
const LONG: SignedDuration = SignedDuration::from_mins(10);

/// Kept beside the budget; ended by the first answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    since: Timestamp,
    /// Calls that failed, one for each pause.
    pub failures: u32,
    pub until: Timestamp,
}

impl Outage {
    /// After a call that failed. Those that were under way when the pause began tell nothing new.
    pub fn after_failure(standing: Option<Self>, now: Timestamp) -> Self {
        match standing {
            Some(outage) if now < outage.until => outage,
            Some(outage) => Self::paused(outage.since, outage.failures + 1, now),
            None => Self::paused(now, 1, now),
        }
    }

    fn paused(since: Timestamp, failures: u32, now: Timestamp) -> Self {
        let doubled = FIRST * (1 << (failures - 1).min(10));
        Self { since, failures, until: now + doubled.min(LONGEST) }
    }

    pub fn is_long(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) >= LONG
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn pauses_double_to_a_quarter_of_an_hour() {
        let (mut outage, mut now, mut pauses) = (None, at(0), Vec::new());
        for _ in 0..20 {
            let standing = Outage::after_failure(outage, now);
            pauses.push(standing.until.duration_since(now).as_secs());
            (outage, now) = (Some(standing), standing.until);
        }
        assert_eq!(pauses[..9], [10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(pauses.last(), Some(&900));
    }

    #[test]
    fn calls_that_were_under_way_when_it_began_change_nothing() {
        let outage = Outage::after_failure(None, at(0));
        assert_eq!(Outage::after_failure(Some(outage), at(3)), outage);
        assert_eq!(Outage::after_failure(Some(outage), at(10)).failures, 2);
        assert!(!outage.is_long(at(599)) && outage.is_long(at(600)));
    }
}
