//! Which location of the project a zone is: the one that the settings name, else the one whose barcode is our zone's id (barcodes are
//! unique in a project); without either, the zone's path stands as text.
use super::At;
use crate::client::Acc;
use crate::pages::id;
use crate::request::{Place, Request, Tool};
use domain::settings::Mapping;
use jiff::{SignedDuration, Timestamp};
use platform::known::{Known, Stop};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sync::target::{Call, TargetError};

pub(super) const NEED: &str = "locations";
const PER_PAGE: usize = 10_000;
/// Barcodes that are kept; a project has a location for each zone at the most.
const MOST: usize = 2_000;
/// What is longer is no zone's id.
const LONGEST: usize = 128;

/// After a look-up without an answer, it is tried again so much later.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What is kept of a look-up.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Locations {
    by_barcode: BTreeMap<String, String>,
    /// There was no answer, and it is tried again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again_at: Option<Timestamp>,
}

/// `None`: no location is known for the zone.
pub(super) fn of_zone(zone_id: &str, mapping: &Mapping, known: Known<'_>) -> Result<Option<String>, Stop> {
    if let Some(node) = mapping.locations.get(zone_id) {
        return Ok(Some(node.clone()));
    }
    let Locations { by_barcode, again_at } = known.get(NEED)?;
    match again_at.is_some_and(|at| at <= known.now) {
        true => Err(Stop::Need(NEED.to_owned())),
        false => Ok(by_barcode.get(zone_id).cloned()),
    }
}

/// Locations by their barcodes. Where we may not see them there are none for us that day, and none for some minutes where they don't
/// answer: no record waits for them, the text does.
pub(super) async fn find(acc: &Acc, call: Call<'_>, at: &At) -> Result<Value, TargetError> {
    let path = format!("/construction/locations/v2/projects/{}/trees/default/nodes", at.project.bare());
    let request = Request::get(at.region, path, Place::Record, Tool::Locations).with("limit", PER_PAGE);
    let reply = match acc.send(call, &request).await {
        Ok(reply) => reply,
        Err(error @ (TargetError::Connection(_) | TargetError::Paused { .. })) => return Err(error),
        Err(error) => {
            tracing::warn!(project_id = at.project.bare(), failure = error.kind(), "locations can't be read");
            let passes = matches!(error, TargetError::NotDone { .. } | TargetError::Unclear { .. });
            let again_at = passes.then(|| call.meter.now() + AGAIN_AFTER);
            return Ok(json!(Locations { again_at, ..Locations::default() }));
        }
    };
    let nodes = reply.body.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
    let coded = |node: &Value| {
        let barcode = node.get("barcode")?.as_str().filter(|code| !code.is_empty() && code.len() <= LONGEST)?;
        Some((barcode.to_owned(), id(node)?.to_owned()))
    };
    let by_barcode = nodes.iter().filter_map(coded).take(MOST).collect();
    Ok(json!(Locations { by_barcode, again_at: None }))
}
