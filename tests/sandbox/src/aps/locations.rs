//! A project's tree of locations, under one root. Autodesk counts its calls generously; no limit is held here.

use serde_json::{Value, json};

use super::Core;
use super::pipeline::{Call, Outcome, gateway};
use super::state::{Location, World};
use crate::reply::Reply;

pub(super) fn answer(world: &World, call: &Call) -> Outcome {
    let project = world.projects.iter().find(|project| project.id == call.path("projectId"));
    let project = project.ok_or_else(|| gateway(404, "SYS-404", "The requested resource does not exist."))?;
    if !call.user.as_ref().is_some_and(|user| project.members.contains(user)) {
        return Err(gateway(403, "AUTH-012", "You don't have permission to access this API"));
    }
    // The tree's own.
    let root = project.id.clone();
    let view = |node: &Location| json!({"id": node.id, "parentId": root, "type": "Area", "name": node.name, "barcode": node.barcode, "order": 0});
    let top = json!({"id": root, "parentId": null, "type": "Root", "name": project.name, "barcode": null, "order": 0});
    let nodes = world.locations.iter().filter(|node| node.project_id == project.id).map(view);
    let all: Vec<Value> = std::iter::once(top).chain(nodes).collect();
    let (limit, offset) = (call.count("limit", 10_000), call.count("offset", 0));
    let results: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
    Ok(Reply::ok(
        json!({"pagination": {"limit": limit, "offset": offset, "totalResults": all.len(), "nextUrl": null}, "results": results}),
    ))
}

impl Core {
    /// Someone makes a location with a barcode. Gives its id.
    pub fn add_location(&self, project_id: &str, name: &str, barcode: &str) -> String {
        let world = &mut *self.world();
        let id = world.id();
        let (name, barcode) = (name.to_owned(), Some(barcode.to_owned()));
        world.locations.push(Location { id: id.clone(), project_id: project_id.to_owned(), name, barcode });
        id
    }
}
