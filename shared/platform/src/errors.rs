//! What an answer that is no success means for the lane. Pure: status, body and what was asked go in, one [`TargetError`] comes
//! out. The rule: where a write may have been carried out it is `Unclear`, and nothing else is.
use crate::request::{Ask, Effect, Place};
use crate::text::sentence;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::fmt::Debug;
use sync::target::{Block, TargetError};

/// The platform's own words are kept up to here.
const LONGEST: usize = 500;

/// How a platform refuses.
pub trait Manners {
    /// The parts of the platform that are asked.
    type Tool: Copy + Debug + Send + Sync + 'static;
    const NAME: &'static str;

    fn tool(tool: Self::Tool) -> &'static str;
    /// The platform's words, from any of its error shapes.
    fn said(body: &Value) -> Option<String>;
    /// A 401, with a fresh token too.
    fn unauthorized() -> Block;
    /// A 403 with these words.
    fn forbidden(tool: Self::Tool, words: &str) -> TargetError;
    /// Whether a record waits while this tool is away, as long as it asks us to.
    fn waits_for(_tool: Self::Tool) -> bool {
        true
    }
    /// A 404 that speaks of the project or the account.
    fn invisible(place: Place) -> Block;
}

/// An answer that is no success.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    pub status: u16,
    pub body: &'a [u8],
    pub retry_after: Option<SignedDuration>,
    pub pause_until: Option<Timestamp>,
}

/// What a refusal means.
pub fn classify<M: Manners>(refusal: &Refusal, ask: Ask<M::Tool>) -> TargetError {
    let words = words::<M>(refusal.status, refusal.body);
    match (refusal.status, ask.place) {
        (429, _) => match refusal.pause_until {
            Some(until) => TargetError::Paused { until, everything: true },
            None => TargetError::NotDone { why: said::<M>(429, &words) },
        },
        (401, _) => TargetError::Connection(M::unauthorized()),
        (403, _) => M::forbidden(ask.tool, &words),
        // 405: the operation is not there for this record.
        (404 | 405 | 410, Place::Record) => TargetError::NotFound,
        (404 | 410, _) => TargetError::Project(M::invisible(ask.place)),
        // A conflict was surely not carried out, and may pass.
        (409 | 425, _) => TargetError::NotDone { why: said::<M>(refusal.status, &words) },
        (status, _) if is_unclear(status) => match (ask.effect, refusal.pause_until) {
            (Effect::Once, _) => {
                TargetError::Unclear { why: said::<M>(status, &words), retry_after: refusal.retry_after }
            }
            (Effect::Repeatable, Some(until)) if M::waits_for(ask.tool) => {
                TargetError::Paused { until, everything: true }
            }
            (Effect::Repeatable, _) => TargetError::NotDone { why: said::<M>(status, &words) },
        },
        (_, _) => TargetError::Refused { words },
    }
}

/// Whether a write may have been carried out although it was answered so. A redirect is never followed: whoever sent it may be
/// some gateway before or behind the platform.
fn is_unclear(status: u16) -> bool {
    status == 408 || !(400..500).contains(&status)
}

pub fn said<M: Manners>(status: u16, words: &str) -> String {
    format!("{} answered {status}: {words}", M::NAME)
}

/// The platform's own words as one sentence.
pub fn words<M: Manners>(status: u16, body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => M::said(&value),
        Err(_) => from_text(&String::from_utf8_lossy(body)),
    };
    match sentence(&text.unwrap_or_default(), LONGEST) {
        empty if empty.is_empty() => format!("status {status} without words"),
        words => words,
    }
}

/// A gateway's HTML page says nothing to a person.
fn from_text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::record::Mender;

    struct Plain;

    impl Manners for Plain {
        type Tool = ();
        const NAME: &'static str = "Somewhere";

        fn tool((): ()) -> &'static str {
            "all"
        }
        fn said(body: &Value) -> Option<String> {
            body.as_str().map(str::to_owned)
        }
        fn unauthorized() -> Block {
            block("no")
        }
        fn forbidden((): (), words: &str) -> TargetError {
            TargetError::Project(block(words))
        }
        fn invisible(_: Place) -> Block {
            block("gone")
        }
    }

    fn block(reason: &str) -> Block {
        Block { reason: reason.into(), who: Mender::PlatformAdmin, what_to_do: String::new() }
    }

    const ONCE: Ask<()> = Ask { effect: Effect::Once, place: Place::Project, tool: () };
    const READ: Ask<()> = Ask { effect: Effect::Repeatable, place: Place::Record, tool: () };

    fn refusal(status: u16, body: &str) -> Refusal<'_> {
        Refusal { status, body: body.as_bytes(), retry_after: None, pause_until: None }
    }

    #[test]
    fn a_status_means_one_thing_for_a_create_and_another_for_a_read() {
        for (status, once, read) in [
            (302, "unclear", "not done"),
            (400, "refused", "refused"),
            (401, "connection", "connection"),
            (403, "project", "project"),
            (404, "project", "not found"),
            (405, "refused", "not found"),
            (406, "refused", "refused"),
            (408, "unclear", "not done"),
            (409, "not done", "not done"),
            (410, "project", "not found"),
            (413, "refused", "refused"),
            (422, "refused", "refused"),
            (429, "not done", "not done"),
            (500, "unclear", "not done"),
            (502, "unclear", "not done"),
            (503, "unclear", "not done"),
            (504, "unclear", "not done"),
        ] {
            assert_eq!(TargetError::kind(&classify::<Plain>(&refusal(status, "{}"), ONCE)), once, "create {status}");
            assert_eq!(TargetError::kind(&classify::<Plain>(&refusal(status, "{}"), READ)), read, "read {status}");
        }
    }

    #[test]
    fn a_time_to_wait_pauses_a_read_and_leaves_a_write_unclear() {
        let until: Timestamp = "2026-11-24T16:00:09Z".parse().unwrap();
        let nine = SignedDuration::from_secs(9);
        let told = |status| Refusal { retry_after: Some(nine), pause_until: Some(until), ..refusal(status, "busy") };
        let classify = |status, ask| classify::<Plain>(&told(status), ask);
        assert!(matches!(classify(503, READ), TargetError::Paused { until: at, everything: true } if at == until));
        assert!(matches!(classify(503, ONCE), TargetError::Unclear { retry_after: Some(wait), .. } if wait == nine));
        assert!(matches!(classify(429, ONCE), TargetError::Paused { until: at, everything: true } if at == until));
    }

    #[test]
    fn words_are_one_short_sentence() {
        for (body, expected) in [
            (r#""text""#, "text"),
            ("Plain\u{0}\n text", "Plain text"),
            ("<html>Bad gateway</html>", "status 500 without words"),
            ("", "status 500 without words"),
            ("[1]", "status 500 without words"),
        ] {
            assert_eq!(words::<Plain>(500, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(words::<Plain>(500, "x".repeat(9000).as_bytes()).chars().count(), LONGEST);
    }
}
