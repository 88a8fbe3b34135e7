//! A grant as it is kept. Every change is conditional on `turn`, which each change moves on.
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A token is renewed this long before its end, a short-lived one at half its life.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// Longer than a renewal can take: who began one and is not done by then has died, and its answer is lost.
pub(crate) const LONGEST_RENEWAL: SignedDuration = SignedDuration::from_secs(90);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The platform's id of the person who agreed.
    pub user_id: String,
    /// Their login, for pages.
    pub label: String,
    pub sealed_access: String,
    pub granted_at: Timestamp,
    pub renew_at: Timestamp,
    pub ends_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_refresh: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewing: Option<Renewing>,
    /// Why it is over, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    pub turn: u64,
}

/// A renewal that somebody began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renewing {
    pub since: Timestamp,
}

/// What to do about a grant now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Use,
    Renew,
    /// Another caller renews, and the token at hand is over.
    Wait,
    /// Another caller began to renew and died.
    Lost,
    Over,
}

impl Grant {
    /// `refused`: the platform does not take the kept token although it should.
    pub(crate) fn step(&self, refused: bool, now: Timestamp) -> Step {
        match (&self.ended, &self.renewing) {
            (Some(_), _) => Step::Over,
            (None, Some(renewing)) if now >= renewing.since + LONGEST_RENEWAL => Step::Lost,
            (None, Some(_)) if !refused && now < self.ends_at => Step::Use,
            (None, Some(_)) => Step::Wait,
            (None, None) if !refused && now < self.renew_at => Step::Use,
            (None, None) => Step::Renew,
        }
    }
}

pub(crate) fn renew_at(now: Timestamp, ends_at: Timestamp) -> Timestamp {
    let life = ends_at.duration_since(now);
    ends_at - MARGIN.min(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn grant() -> Grant {
        Grant {
            user_id: "1".into(),
            label: "a@example.com".into(),
            sealed_access: "a".into(),
            granted_at: at(0),
            renew_at: renew_at(at(0), at(5_400)),
            ends_at: at(5_400),
            sealed_refresh: Some("r".into()),
            renewing: None,
            ended: None,
            turn: 1,
        }
    }

    #[test]
    fn the_old_token_serves_while_another_caller_renews() {
        let idle = grant();
        let renewing = Grant { renewing: Some(Renewing { since: at(5_350) }), ..grant() };
        let over = Grant { ended: Some("gone".into()), ..grant() };
        for (grant, refused, now, expected) in [
            (&idle, false, 5_099, Step::Use),
            (&idle, false, 5_100, Step::Renew),
            (&idle, true, 0, Step::Renew),
            (&renewing, false, 5_399, Step::Use),
            (&renewing, true, 5_399, Step::Wait),
            (&renewing, false, 5_400, Step::Wait),
            (&renewing, false, 5_440, Step::Lost),
            (&over, false, 0, Step::Over),
        ] {
            assert_eq!(grant.step(refused, at(now)), expected, "{now} {refused}");
        }
    }
}
