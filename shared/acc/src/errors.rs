//! How Autodesk refuses, and what a person then does.
use crate::request::{Place, Tool};
use domain::record::Mender;
use grants::GrantError;
use platform::Manners;
use serde_json::Value;
use sync::target::{Block, TargetError};

/// Autodesk's manners.
#[derive(Debug, Clone, Copy)]
pub enum AccManners {}

impl Manners for AccManners {
    type Tool = Tool;
    const NAME: &'static str = "Autodesk";

    fn tool(tool: Tool) -> &'static str {
        tool.words()
    }

    /// Issues: a title and details with the member that each speaks of. The gateway: a message for developers. The login:
    /// OAuth's description.
    fn said(body: &Value) -> Option<String> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let said = text("details").or(text("title")).or(text("developerMessage")).or(text("detail"));
        let said = said.or(text("error_description")).or(text("message")).or(body.as_str());
        let details = body.pointer("/metadata/details").and_then(Value::as_array).into_iter().flatten();
        let details: Vec<String> = details.filter_map(detail).filter(|detail| Some(detail.as_str()) != said).collect();
        match (said, details.is_empty()) {
            (said, true) => said.map(str::to_owned),
            (Some(said), false) => Some(format!("{said}: {}", details.join("; "))),
            (None, false) => Some(details.join("; ")),
        }
    }

    fn unauthorized() -> Block {
        Block {
            reason: "Autodesk refuses HardHat Pulse's access (401), with a fresh token too.".into(),
            who: Mender::PlatformAdmin,
            what_to_do:
                "An Autodesk account admin checks that HardHat Pulse stands among the account's custom integrations; \
                         contact@hardhatpulse.com helps. Nothing is lost meanwhile."
                    .into(),
        }
    }

    fn forbidden(tool: Tool, words: &str) -> TargetError {
        TargetError::Project(forbidden(tool, words))
    }

    /// Without its location an issue still says where: its text does.
    fn waits_for(tool: Tool) -> bool {
        tool != Tool::Locations
    }

    fn invisible(place: Place) -> Block {
        let (what, whose) = match place {
            Place::Account => ("account", "custom integration is active in the account"),
            Place::Project | Place::Record => (
                "project",
                "service account, or the person whose access the connection works with, is a member of the project",
            ),
        };
        Block {
            reason: format!("Autodesk shows HardHat Pulse no such {what} (404)."),
            who: Mender::PlatformAdmin,
            what_to_do: format!(
                "An Autodesk account admin checks that HardHat Pulse's {whose}; if it is gone, the safety manager maps the site to \
                 another project."
            ),
        }
    }
}

/// One detail, with the member that it speaks of.
fn detail(detail: &Value) -> Option<String> {
    let message = detail.get("message")?.as_str()?;
    let path: Vec<String> = detail
        .get("path")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|part| part.as_str().map(str::to_owned).or_else(|| part.as_u64().map(|at| at.to_string())))
        .collect();
    Some(match path.is_empty() || message.contains(path.join(".").as_str()) {
        true => message.to_owned(),
        false => format!("{}: {message}", path.join(".")),
    })
}

fn forbidden(tool: Tool, words: &str) -> Block {
    if tool == Tool::Webhooks {
        return Block {
            reason: format!("Autodesk does not let HardHat Pulse make webhooks in the project: {words}"),
            who: Mender::PlatformAdmin,
            what_to_do: "Status and comments come back with each timed reading. For seconds instead, a project admin makes HardHat \
                         Pulse's service account, or the person whose access the connection works with, a project admin too."
                .into(),
        };
    }
    Block {
        reason: format!("Autodesk does not let HardHat Pulse do this in the project: {words}"),
        who: Mender::PlatformAdmin,
        what_to_do: format!(
            "An Autodesk project admin checks that HardHat Pulse's service account, or the person whose access the connection works with, \
             is a member of the project with access to Build and may create and edit in {}; an account admin, that HardHat Pulse is a custom integration of the account.",
            tool.words()
        ),
    }
}

/// The person whose grant a connection works with gives us no token now.
pub(crate) fn not_granted(error: GrantError) -> TargetError {
    match error {
        GrantError::SignInAgain(why) => TargetError::Connection(Block {
            reason: format!("HardHat Pulse may no longer act in Autodesk for the person who connected it: {why}."),
            who: Mender::SafetyManager,
            what_to_do: "A manager opens the overview in HardHat Pulse and signs in with Autodesk again at this connection; nothing is \
                         lost meanwhile."
                .into(),
        }),
        GrantError::Later(why) => TargetError::NotDone { why },
        GrantError::Table(_) | GrantError::Vault(_) => TargetError::NotDone { why: error.to_string() },
    }
}

/// The login host refuses the service account, or the app itself.
pub(crate) fn refused_credentials(code: &str, customers_own: bool) -> Block {
    match customers_own {
        true => Block {
            reason: format!("Autodesk's login refuses the service account's key ({code})."),
            who: Mender::SafetyManager,
            what_to_do: "Remove the connection and connect again with a key of the service account that is valid; what was sent stays \
                         linked, and nothing is lost meanwhile."
                .into(),
        },
        false => Block {
            reason: format!("Autodesk's login refuses HardHat Pulse's own credentials ({code})."),
            who: Mender::HardhatPulse,
            what_to_do: "HardHat Pulse renews its service account's key; nothing is lost meanwhile. contact@hardhatpulse.com helps."
                .into(),
        },
    }
}

pub(crate) fn without_credentials(reason: String) -> Block {
    Block {
        reason,
        who: Mender::HardhatPulse,
        what_to_do:
            "HardHat Pulse writes its Autodesk client and service accounts at deployment; nothing is lost meanwhile."
                .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn autodesks_words_are_found_in_each_of_its_shapes() {
        let issues = json!({"title": "Bad Request", "details": "Validation failed", "errorCode": "ISSUES_SERVICE_BAD_REQUEST",
        "metadata": {"command": "", "details": [
            {"message": "must be at most 100 characters", "path": ["title"], "type": "x", "context": {}},
            {"message": "is required", "path": ["customAttributes", 0, "value"]},
            {"message": "Validation failed", "path": []},
        ]}});
        let expected =
            "Validation failed: title: must be at most 100 characters; customAttributes.0.value: is required";
        for (body, expected) in [
            (issues, Some(expected)),
            (
                json!({"developerMessage": "Quota limit exceeded.", "moreInfo": "", "errorCode": "X"}),
                Some("Quota limit exceeded."),
            ),
            (json!({"error": "invalid_grant", "error_description": "Dead."}), Some("Dead.")),
            (json!("text"), Some("text")),
            (json!({"metadata": {"details": [{"message": "only"}]}}), Some("only")),
            (json!({"title": " "}), None),
            (json!([1]), None),
        ] {
            assert_eq!(AccManners::said(&body).as_deref(), expected, "{body}");
        }
    }
}
