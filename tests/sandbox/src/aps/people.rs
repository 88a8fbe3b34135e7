//! What the people of a project do to its issues, for tests in the same process; the pages do the same over HTTP.

use serde_json::{Map, Value};

use super::forms::Template;
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

    /// Someone fills in a form, submits it or opens it again.
    pub fn person_writes_form(
        &self,
        form_id: &str,
        fields: Map<String, Value>,
        status: Option<&str>,
    ) -> Result<(), Undone> {
        let now = self.clock.stamp();
        let world = &mut *self.world();
        let form = world.forms.iter_mut().find(|form| form.id == form_id);
        let form = form.ok_or_else(|| Undone(format!("there is no form {form_id}")))?;
        form.fields.extend(fields);
        form.status = status.map_or_else(|| form.status.clone(), str::to_owned);
        form.updated_at = now;
        Ok(())
    }

    /// What a template's fields are, for whoever sets one up.
    pub fn templates(&self, project_id: &str) -> Vec<Template> {
        self.world().templates.iter().filter(|template| template.project_id == project_id).cloned().collect()
    }

    /// Someone gives all templates of a project another type.
    pub fn set_template_type(&self, project_id: &str, kind: &str) {
        let world = &mut *self.world();
        let of_project = world.templates.iter_mut().filter(|template| template.project_id == project_id);
        of_project.for_each(|template| kind.clone_into(&mut template.template_type));
    }

    /// Or restores it.
    pub fn person_deletes(&self, issue_id: &str, deleted: bool) -> Result<(), Undone> {
        let now = self.clock.stamp();
        self.act(issue_id, |world, person| issues::set_deleted(world, issue_id, person, deleted, now))
    }
}
