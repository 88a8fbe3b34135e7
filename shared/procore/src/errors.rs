//! What an answer that is no success means for the lane. Pure: status, body and what was asked go in, one [`TargetError`] comes
//! out. The rule: where a write may have been carried out it is `Unclear`, and nothing else is.
use crate::request::{Ask, Effect, Place, Tool};
use crate::text::sentence;
use domain::record::Mender;
use grants::GrantError;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sync::target::{Block, TargetError};

/// The platform's own words are kept up to here.
const LONGEST: usize = 500;

/// An answer that is no success.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    pub status: u16,
    pub body: &'a [u8],
    pub retry_after: Option<SignedDuration>,
    pub pause_until: Option<Timestamp>,
}

/// What a refusal means.
pub fn classify(refusal: &Refusal, ask: Ask) -> TargetError {
    let words = words(refusal.status, refusal.body);
    match (refusal.status, ask.place) {
        (429, _) => match refusal.pause_until {
            Some(until) => TargetError::Paused { until, everything: true },
            None => TargetError::NotDone { why: said(429, &words) },
        },
        (401, _) => TargetError::Connection(unauthorized()),
        (403, _) if not_connected(&words) => TargetError::Connection(disconnected()),
        (403, _) => TargetError::Project(forbidden(ask.tool, &words)),
        // 405: the operation is not there for this record.
        (404 | 405 | 410, Place::Record) => TargetError::NotFound,
        (404 | 410, _) => TargetError::Project(invisible(ask.place)),
        // A conflict was surely not carried out, and may pass.
        (409 | 425, _) => TargetError::NotDone { why: said(refusal.status, &words) },
        (status, _) if is_unclear(status) => match (ask.effect, refusal.pause_until) {
            (Effect::Once, _) => TargetError::Unclear { why: said(status, &words), retry_after: refusal.retry_after },
            (Effect::Repeatable, Some(until)) => TargetError::Paused { until, everything: true },
            (Effect::Repeatable, None) => TargetError::NotDone { why: said(status, &words) },
        },
        (_, _) => TargetError::Refused { words },
    }
}

/// Whether a write may have been carried out although it was answered so. A redirect is never followed: whoever sent it may be
/// some gateway before or behind Procore.
fn is_unclear(status: u16) -> bool {
    status == 408 || !(400..500).contains(&status)
}

fn said(status: u16, words: &str) -> String {
    format!("Procore answered {status}: {words}")
}

pub(crate) fn not_connected(words: &str) -> bool {
    words.to_ascii_lowercase().contains("app is not connected")
}

pub fn disconnected() -> Block {
    Block {
        reason: "Procore says that the HardHat Pulse app is not connected to this company.".into(),
        who: Mender::PlatformAdmin,
        what_to_do: "A Procore company admin installs HardHat Pulse again in App Management and selects its permitted projects; \
                     nothing is lost meanwhile."
            .into(),
    }
}

/// A fresh token was refused too.
pub fn unauthorized() -> Block {
    Block {
        reason: "Procore refuses HardHat Pulse's access to this company (401), with a fresh token too.".into(),
        who: Mender::HardhatPulse,
        what_to_do: "HardHat Pulse checks its Procore credentials and whether the app is installed in the company; \
                     contact@hardhatpulse.com helps."
            .into(),
    }
}

/// The person whose grant a connection works with gives us no token now.
pub fn not_granted(error: GrantError) -> TargetError {
    match error {
        GrantError::SignInAgain(why) => TargetError::Connection(Block {
            reason: format!("HardHat Pulse may no longer act in Procore for the person who connected it: {why}."),
            who: Mender::SafetyManager,
            what_to_do: "A manager opens the overview in HardHat Pulse and signs in with Procore again at this connection; nothing \
                         is lost meanwhile."
                .into(),
        }),
        GrantError::Later(why) => TargetError::NotDone { why },
        GrantError::Table(_) | GrantError::Vault(_) => TargetError::NotDone { why: error.to_string() },
    }
}

fn forbidden(tool: Tool, words: &str) -> Block {
    let level = match tool {
        Tool::Incidents | Tool::Observations | Tool::Webhooks => format!("{}: Standard", tool.words()),
        Tool::Locations => "Locations: permission to create locations dynamically, or project Admin".to_owned(),
        Tool::Directory => "the project's membership".to_owned(),
    };
    Block {
        reason: format!("Procore does not let HardHat Pulse do this in the project: {words}"),
        who: Mender::PlatformAdmin,
        what_to_do: format!(
            "A Procore admin checks in App Management that the project is among the app's permitted projects, that the tool is \
             active in the project, and that the app's permissions include {level}."
        ),
    }
}

fn invisible(place: Place) -> Block {
    let what = if place == Place::Company { "company" } else { "project" };
    Block {
        reason: format!("Procore shows HardHat Pulse no such {what} (404)."),
        who: Mender::PlatformAdmin,
        what_to_do: "A Procore admin adds the project to the app's permitted projects in App Management (an app update or \
                     reinstall empties that list); if the project is gone, the safety manager maps the site to another one."
            .into(),
    }
}

/// The platform's own words, from any of its four error shapes, as one sentence.
pub fn words(status: u16, body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => from_json(&value),
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

fn from_json(value: &Value) -> Option<String> {
    match (value.get("errors"), value.get("error")) {
        (Some(errors), _) => complaints(errors),
        (None, Some(envelope @ Value::Object(_))) => enveloped(envelope),
        (None, error) => {
            let member = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
            let first = member("error_description").or(member("message")).or(member("reason"));
            let said = first.or(error.and_then(Value::as_str)).or(value.as_str())?;
            Some(match member("fields") {
                Some(fields) => format!("{said} ({fields})"),
                None => said.to_owned(),
            })
        }
    }
}

/// `"errors"`: a text, a list of texts, or complaints by field; fields are named, but for the record itself (`base`).
fn complaints(errors: &Value) -> Option<String> {
    let all = match errors {
        Value::String(text) => return Some(text.clone()),
        Value::Array(items) => items.iter().filter_map(complaints).collect::<Vec<_>>(),
        Value::Object(fields) => {
            let named = |(field, complaint): (&String, &Value)| {
                let complaint = complaints(complaint)?;
                Some(if field == "base" { complaint } else { format!("{field}: {complaint}") })
            };
            fields.iter().filter_map(named).collect()
        }
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    };
    (!all.is_empty()).then(|| all.join("; "))
}

/// `{"code","message","details":[{"message","source"}]}`: the details say what the message only hints at.
fn enveloped(error: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten().filter_map(|detail| {
        let message = text(detail, "message")?;
        Some(match text(detail, "source").filter(|source| !source.is_empty()) {
            Some(source) => format!("{source}: {message}"),
            None => message,
        })
    });
    let details = details.collect::<Vec<_>>().join("; ");
    let message = text(error, "message").or_else(|| text(error, "code"));
    match (message, details.is_empty()) {
        (message, true) => message,
        (Some(message), false) => Some(format!("{message}: {details}")),
        (None, false) => Some(details),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: Ask = Ask { effect: Effect::Once, place: Place::Project, tool: Tool::Incidents };
    const READ: Ask = Ask { effect: Effect::Repeatable, place: Place::Record, tool: Tool::Observations };

    fn refusal(status: u16, body: &str) -> Refusal<'_> {
        Refusal { status, body: body.as_bytes(), retry_after: None, pause_until: None }
    }

    fn name(error: &TargetError) -> &'static str {
        match error {
            TargetError::NotDone { .. } => "not done",
            TargetError::Paused { .. } => "paused",
            TargetError::Unclear { .. } => "unclear",
            TargetError::Connection(_) => "connection",
            TargetError::Project(_) => "project",
            TargetError::NotFound => "not found",
            TargetError::Refused { .. } => "refused",
        }
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
            assert_eq!(name(&classify(&refusal(status, "{}"), ONCE)), once, "create {status}");
            assert_eq!(name(&classify(&refusal(status, "{}"), READ)), read, "read {status}");
        }
    }

    #[test]
    fn a_time_to_wait_pauses_a_read_and_leaves_a_write_unclear() {
        let until: Timestamp = "2026-11-24T16:00:09Z".parse().unwrap();
        let nine = SignedDuration::from_secs(9);
        let told = |status| Refusal { retry_after: Some(nine), pause_until: Some(until), ..refusal(status, "busy") };
        assert!(
            matches!(classify(&told(503), READ), TargetError::Paused { until: at, everything: true } if at == until)
        );
        assert!(
            matches!(classify(&told(503), ONCE), TargetError::Unclear { retry_after: Some(wait), .. } if wait == nine)
        );
        assert!(
            matches!(classify(&told(429), ONCE), TargetError::Paused { until: at, everything: true } if at == until)
        );
    }

    #[test]
    fn only_the_words_tell_a_disconnected_app_from_a_missing_permission() {
        let gone = classify(&refusal(403, r#"{"errors":["App is not connected to this company."]}"#), READ);
        assert!(matches!(&gone, TargetError::Connection(block) if block.who == Mender::PlatformAdmin));
        let barred = classify(&refusal(403, r#"{"message":"No permission."}"#), READ);
        let TargetError::Project(block) = &barred else { panic!("{barred:?}") };
        assert!(
            block.reason.ends_with("No permission.") && block.what_to_do.contains("Observations: Standard"),
            "{block:?}"
        );
    }

    #[test]
    fn the_platforms_words_are_found_in_each_of_its_shapes() {
        for (body, expected) in [
            (r#"{"code":404,"message":"Not here","fields":"","reason":"not found","error":"not found"}"#, "Not here"),
            (r#"{"code":400,"message":"Bad","fields":"title"}"#, "Bad (title)"),
            (r#"{"reason":"not found"}"#, "not found"),
            (r#"{"errors":["One.","Two."]}"#, "One.; Two."),
            (r#"{"errors":"One."}"#, "One."),
            (r#"{"errors":{"assignees":["required"],"base":["Bad day"]}}"#, "assignees: required; Bad day"),
            (r#"{"errors":{"injuries":{"body":["bad","worse"]}}}"#, "injuries: body: bad; worse"),
            (
                r#"{"error":{"code":"BAD","message":"Bad Request","details":[{"reason_code":"X","message":"must be","source":"name"},{"message":"b"}]}}"#,
                "Bad Request: name: must be; b",
            ),
            (r#"{"error":{"code":"BAD"}}"#, "BAD"),
            (r#"{"error":"invalid_grant","error_description":"Dead."}"#, "Dead."),
            (r#""text""#, "text"),
            ("Plain\u{0}\n text", "Plain text"),
            ("<html>Bad gateway</html>", "status 500 without words"),
            (r#"{"errors":{}}"#, "status 500 without words"),
            ("", "status 500 without words"),
            ("[1]", "status 500 without words"),
        ] {
            assert_eq!(words(500, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(words(500, "x".repeat(9000).as_bytes()).chars().count(), LONGEST);
    }
}
