//! How Procore refuses, and what a person then does.
use crate::request::{Place, Tool};
use domain::record::Mender;
use grants::GrantError;
use platform::Manners;
use serde_json::Value;
use sync::target::{Block, TargetError};

/// Procore's manners.
#[derive(Debug, Clone, Copy)]
pub enum ProcoreManners {}

impl Manners for ProcoreManners {
    type Tool = Tool;
    const NAME: &'static str = "Procore";

    fn tool(tool: Tool) -> &'static str {
        tool.words()
    }

    fn said(body: &Value) -> Option<String> {
        from_json(body)
    }

    fn unauthorized() -> Block {
        unauthorized()
    }

    fn forbidden(tool: Tool, words: &str) -> TargetError {
        match not_connected(words) {
            true => TargetError::Connection(disconnected()),
            false => TargetError::Project(forbidden(tool, words)),
        }
    }

    fn invisible(place: Place) -> Block {
        invisible(place)
    }
}

fn not_connected(words: &str) -> bool {
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
        Tool::Incidents | Tool::Observations | Tool::DailyLog | Tool::Webhooks => format!("{}: Standard", tool.words()),
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
    let what = if place == Place::Account { "company" } else { "project" };
    Block {
        reason: format!("Procore shows HardHat Pulse no such {what} (404)."),
        who: Mender::PlatformAdmin,
        what_to_do: "A Procore admin adds the project to the app's permitted projects in App Management (an app update or \
                     reinstall empties that list); if the project is gone, the safety manager maps the site to another one."
            .into(),
    }
}

/// The login host refuses the app's credentials.
pub(crate) fn refused_credentials(code: &str) -> Block {
    Block {
        reason: format!("Procore's login refuses HardHat Pulse's own credentials ({code})."),
        who: Mender::HardhatPulse,
        what_to_do:
            "HardHat Pulse renews its Procore client secret; nothing is lost meanwhile. contact@hardhatpulse.com helps."
                .into(),
    }
}

pub(crate) fn without_credentials(reason: String) -> Block {
    Block {
        reason,
        who: Mender::HardhatPulse,
        what_to_do: "HardHat Pulse writes its Procore client id and secret at deployment; nothing is lost meanwhile."
            .into(),
    }
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
    use platform::{Ask, Effect, Refusal, classify};

    #[test]
    fn only_the_words_tell_a_disconnected_app_from_a_missing_permission() {
        let read = Ask { effect: Effect::Repeatable, place: Place::Record, tool: Tool::Observations };
        let refused = |body: &str| {
            let refusal = Refusal { status: 403, body: body.as_bytes(), retry_after: None, pause_until: None };
            classify::<ProcoreManners>(&refusal, read)
        };
        let gone = refused(r#"{"errors":["App is not connected to this company."]}"#);
        assert!(matches!(&gone, TargetError::Connection(block) if block.who == Mender::PlatformAdmin));
        let barred = refused(r#"{"message":"No permission."}"#);
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
            (r#"{"errors":{}}"#, "status 500 without words"),
            ("[1]", "status 500 without words"),
        ] {
            assert_eq!(platform::words::<ProcoreManners>(500, body.as_bytes()), expected, "{body}");
        }
    }
}
