//! What the people of a project do to its issues, for tests in the same process; the pages do the same over HTTP.

use serde_json::{Map, Value};

use super::state::World;
use super::{Core, issues, pages};

/// There is no such issue, or it can't be done.
#[derive(Debug)]
pub struct Undone(pub String);

impl Core {
    fn act(
        &self,
        issue_id: &str,
        act: impl FnOnce(&mut World, &str) -> Result<(), crate::reply::Reply>,
    ) -> Result<(), Undone> {
        let done = {
            let world = &mut *self.world();
            let issue = world.issues.iter().find(|issue| issue.id == issue_id);
            let project = issue.and_then(|issue| world.projects.iter().find(|one| one.id == issue.project_id));
            let person = project.and_then(|project| pages::person(world, project)).map(|user| user.id.clone());
            let person = person.ok_or_else(|| Undone(format!("nobody sees an issue {issue_id}")))?;
            act(world, &person).map_err(|reply| Undone(format!("{} {:?}", reply.status, reply.body())))
        };
        self.waiting.notify_one();
        done
    }

    /// The project's first person changes members of an issue.
    pub fn person_edits(&self, issue_id: &str, fields: Map<String, Value>) -> Result<(), Undone> {
        let now = self.clock.stamp();
        self.act(issue_id, |world, person| issues::edit(world, issue_id, person, fields, now))
    }

    pub fn person_comments(&self, issue_id: &str, text: &str) -> Result<(), Undone> {
        let now = self.clock.stamp();
        self.act(issue_id, |world, person| {
            issues::comment(world, issue_id, person, text.to_owned(), now);
            Ok(())
        })
    }

    /// Or restores it.
    pub fn person_deletes(&self, issue_id: &str, deleted: bool) -> Result<(), Undone> {
        let now = self.clock.stamp();
        self.act(issue_id, |world, person| issues::set_deleted(world, issue_id, person, deleted, now))
    }
}
