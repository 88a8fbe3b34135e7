//! Who may do what, and whether a written reference points at something that exists.

use super::call::{Call, Fields};
use super::reply::Refusal;
use super::state::{Level, World};

/// Who changes a record: the app's service account, a person through an app, or a person in the browser.
#[derive(Clone, Debug)]
pub(crate) struct Editor {
    pub(crate) user_id: i64,
    /// None for a person in the browser.
    pub(crate) client_id: Option<String>,
    pub(crate) company_id: i64,
    pub(crate) now: jiff::Timestamp,
    pub(crate) level: Level,
}

impl Editor {
    pub(crate) fn of(world: &World, call: &Call) -> Self {
        let level = match world.companies.get(&call.company_id) {
            Some(company) if call.actor.service_account => company.service_level,
            _ => Level::Admin,
        };
        let client_id = Some(call.actor.client_id.clone());
        Self { user_id: call.actor.user_id, client_id, company_id: call.company_id, now: call.now, level }
    }

    pub(crate) fn may_create(&self) -> Result<(), Refusal> {
        match self.level {
            Level::ReadOnly => Err(Refusal::forbidden("You do not have permission to perform this action.")),
            Level::Standard | Level::Admin => Ok(()),
        }
    }

    /// Standard edits what it made itself.
    pub(crate) fn may_edit(&self, created_by: i64) -> Result<(), Refusal> {
        match self.level {
            Level::Admin => Ok(()),
            Level::Standard if created_by == self.user_id => Ok(()),
            _ => Err(Refusal::forbidden("You do not have permission to perform this action.")),
        }
    }

    pub(crate) fn must_be_admin(&self) -> Result<(), Refusal> {
        match self.level {
            Level::Admin => Ok(()),
            _ => Err(Refusal::forbidden("You do not have permission to perform this action.")),
        }
    }

    pub(crate) fn sees_private(&self, created_by: i64) -> bool {
        self.level == Level::Admin || created_by == self.user_id
    }
}

/// A location of the same project.
pub(crate) fn location(world: &World, project_id: i64, fields: &Fields<'_>) -> Result<Option<i64>, Refusal> {
    let Some(id) = fields.id("location_id") else { return Ok(None) };
    match world.locations.get(&id) {
        Some(location) if location.project_id == project_id => Ok(Some(id)),
        _ => Err(Refusal::field("location", "must exist")),
    }
}

/// An active entry of one of the company's lists.
pub(crate) fn entry(
    world: &World,
    company: i64,
    list: &str,
    member: &str,
    fields: &Fields<'_>,
) -> Result<Option<i64>, Refusal> {
    let Some(id) = fields.id(member) else { return Ok(None) };
    match world.entries.get(&id) {
        Some(entry) if entry.company_id == company && entry.list == list && entry.active => Ok(Some(id)),
        _ => Err(Refusal::field(member.trim_end_matches("_id"), "must exist")),
    }
}

/// Somebody in the company's directory.
pub(crate) fn person(world: &World, company: i64, member: &str, fields: &Fields<'_>) -> Result<Option<i64>, Refusal> {
    let Some(id) = fields.id(member) else { return Ok(None) };
    match world.people.get(&id) {
        Some(person) if person.is_in(company) => Ok(Some(id)),
        _ => Err(Refusal::field(member.trim_end_matches("_id"), "must exist")),
    }
}
