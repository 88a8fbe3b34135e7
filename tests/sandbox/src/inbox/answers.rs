//! How a box answers: as a receiver should, or as receivers do.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// 200 for what is right, a refusal for what is not.
    #[default]
    Take,
    Status {
        status: u16,
        #[serde(default)]
        retry_after: Option<u64>,
        #[serde(default)]
        body: Option<String>,
    },
    Redirect {
        /// Left out: to a box beside this one, which must stay empty.
        #[serde(default)]
        to: Option<String>,
    },
    /// The connection stays open, and nothing comes.
    Hang,
    /// The connection ends without an answer.
    Cut,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    #[serde(flatten)]
    pub kind: Kind,
    /// Waits so long before it answers.
    #[serde(default)]
    pub delay_ms: u64,
    /// Requests that are still taken first.
    #[serde(default)]
    pub skip: u64,
    /// Requests that it holds for; left out: for ever.
    #[serde(default)]
    pub times: Option<u64>,
}

impl Answer {
    pub fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    pub fn status(status: u16) -> Self {
        Self::of(Kind::Status { status, retry_after: None, body: None })
    }

    /// What is said to the next request; counts it.
    pub(super) fn next(&mut self) -> (Kind, u64) {
        if self.skip > 0 {
            self.skip -= 1;
            return (Kind::Take, 0);
        }
        let told = (self.kind.clone(), self.delay_ms);
        if let Some(times) = &mut self.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                *self = Self::default();
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_as_often_as_it_says() {
        let mut answer = Answer { skip: 1, times: Some(2), ..Answer::status(503) };
        let told: Vec<bool> = (0..5).map(|_| answer.next().0 == Kind::Take).collect();
        assert_eq!(told, [true, false, false, true, true]);
        assert_eq!(answer, Answer::default());
    }
}
