//! When a message that failed is tried again. The queue gives it up after a thousand tries; until then the site's later messages
//! wait behind it, in their order. So it depends on why it failed:
//!
//! - The table or a queue does not answer: everything fails alike, and passes. Tries get rarer, and their number lasts for ten days.
//! - Anything else is ours to mend, and may be this one message. Tries stay close, so that a message that can't be handled holds up
//!   its site for ten hours and not for days before it is kept apart.
//!
//! A process that dies sets no time: its message comes back when the queue's own time is over.
use crate::handle::HandleError;
use crate::route::RouterError;
use async_trait::async_trait;
use aws_sdk_sqs::error::DisplayErrorContext;
use std::time::Duration;
use store::TableError;
use store::bell::BellError;

const OUTAGE_FIRST: Duration = Duration::from_secs(35);
const OUTAGE_AT_MOST: Duration = Duration::from_secs(15 * 60);
const OURS: Duration = Duration::from_secs(35);

/// How long a message stays hidden that failed at its `delivery`, the first being 1.
pub fn pause(error: &HandleError, delivery: u32) -> Duration {
    match is_outage(error) {
        true => OUTAGE_FIRST.saturating_mul(1 << delivery.saturating_sub(1).min(10)).min(OUTAGE_AT_MOST),
        false => OURS,
    }
}

fn is_outage(error: &HandleError) -> bool {
    match error {
        HandleError::Router(RouterError::Table(error)) => matches!(error, TableError::Unavailable(_)),
        HandleError::Router(RouterError::Bell(error)) => matches!(error, BellError::Unavailable(_)),
        HandleError::Message(_) => false,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the time of the next try: {0}")]
pub struct PauseError(pub String);

/// The queue that a message came from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Hides a delivered message for that long from now.
    async fn hide(&self, receipt_handle: &str, pause: Duration) -> Result<(), PauseError>;
}

#[derive(Debug, Clone)]
pub struct SqsSource {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

impl SqsSource {
    pub fn new(client: aws_sdk_sqs::Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

#[async_trait]
impl Source for SqsSource {
    async fn hide(&self, receipt_handle: &str, pause: Duration) -> Result<(), PauseError> {
        let request = self.client.change_message_visibility().queue_url(&self.queue_url).receipt_handle(receipt_handle);
        let seconds = i32::try_from(pause.as_secs()).unwrap_or(i32::MAX);
        let answer = request.visibility_timeout(seconds).send().await;
        answer.map(drop).map_err(|error| PauseError(DisplayErrorContext(&error).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `template.yaml` says of the site queue.
    const DELIVERIES: u32 = 1_000;

    fn in_all(error: &HandleError) -> Duration {
        (1..DELIVERIES).map(|delivery| pause(error, delivery)).sum()
    }

    #[test]
    fn an_outage_of_ten_days_is_waited_out_and_its_end_is_seen_within_a_quarter_of_an_hour() {
        for error in [
            RouterError::Table(TableError::Unavailable("throttled".into())),
            RouterError::Bell(BellError::Unavailable("no answer".into())),
        ] {
            let error = HandleError::Router(error);
            assert!(in_all(&error) >= Duration::from_secs(10 * 86_400), "{:?}", in_all(&error));
            assert!((1..DELIVERIES).all(|delivery| pause(&error, delivery) <= OUTAGE_AT_MOST));
            assert!(pause(&error, 1) < pause(&error, 2), "a short one is over soon");
        }
    }

    #[test]
    fn a_message_that_cannot_be_handled_holds_up_its_site_for_ten_hours() {
        let unreadable = serde_json::from_str::<u8>("x").expect_err("not a number");
        let malformed = TableError::Malformed { what: "a fact", why: "no kind".into() };
        for error in [HandleError::Message(unreadable), HandleError::Router(RouterError::Table(malformed))] {
            assert!(in_all(&error) <= Duration::from_secs(10 * 3_600), "{error}: {:?}", in_all(&error));
        }
    }
}
