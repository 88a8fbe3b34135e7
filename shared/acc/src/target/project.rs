//! Whether a project is one of the connection's account, and one that has issues. A service account may be a member of several
//! customers' projects: what it can see says nothing about whose it is.
use super::At;
use crate::client::Acc;
use crate::errors::AccManners;
use crate::request::{Effect, Place, Request, Tool};
use domain::record::Mender;
use platform::known::{Known, Stop};
use platform::unreadable;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync::target::{Block, Call, TargetError};

pub(super) const NEED: &str = "project";

/// What is kept of it.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    /// In the account, active, and shown to the service account.
    there: bool,
    /// Of the product that this is for; BIM 360 has no such issues.
    acc: bool,
}

pub(super) fn check(known: Known<'_>) -> Result<(), Stop> {
    match known.get(NEED)? {
        Found { there: true, acc: true } => Ok(()),
        Found { there: true, acc: false } => Err(Stop::Block(Block {
            reason: "This is a BIM 360 project: Autodesk's Issues of today do not exist there.".into(),
            who: Mender::SafetyManager,
            what_to_do: "Map the site to a project of Autodesk Construction Cloud (Forma), or disconnect this one.".into(),
        })),
        Found { there: false, .. } => Err(Stop::Block(Block {
            reason: "Autodesk shows HardHat Pulse no such active project in the connected account.".into(),
            who: Mender::PlatformAdmin,
            what_to_do: "An Autodesk project admin checks that the project is active and that HardHat Pulse's service account, or the person \
                         whose access the connection works with, is its member; a project of another account can't be used in this connection."
                .into(),
        })),
    }
}

pub(super) async fn find(acc: &Acc, call: Call<'_>, at: &At) -> Result<Value, TargetError> {
    let path = format!("/project/v1/hubs/{}/projects", at.account.prefixed());
    let prefixed = at.project.prefixed();
    let request = Request::get(at.region, path, Place::Account, Tool::Projects).with("filter[id]", &prefixed);
    let reply = acc.send(call, &request).await?;
    let Some(Value::Array(projects)) = reply.body.get("data") else {
        return Err(unreadable::<AccManners>(Effect::Repeatable));
    };
    let named = |project: &&Value| {
        project.get("id").and_then(Value::as_str).is_some_and(|id| id.eq_ignore_ascii_case(&prefixed))
    };
    let project = projects.iter().find(named);
    let product = project.and_then(|project| project.pointer("/attributes/extension/data/projectType")?.as_str());
    // Only what is surely BIM 360 is refused: the word is not documented for all.
    let found = Found { there: project.is_some(), acc: product != Some("BIM360") };
    Ok(json!(found))
}
