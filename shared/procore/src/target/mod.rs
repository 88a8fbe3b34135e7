//! Procore as a target of the lane.
//!
//! - [`incident`] and [`observation`]: what a record says and how Procore shows it; pure
//! - [`note`]: the same of a day's note in the Daily Log, and whether its day still takes one
//! - [`types`], [`hazards`], [`location`]: what rendering needs from Procore, by name and path, never by an id of ours
//! - [`told`]: what people added, read back; [`hooks`]: what tells us of it
//! - [`records`]: the calls on records: create, read, update, look, comment
//!
//! Never written: `filing_type` and injuries (a filing type can page executives, nested injuries double), `private`, and on an
//! update the status, which people own. Never called: `send_unsent`.
pub(crate) mod hazards;
mod hooks;
mod incident;
mod kind;
mod location;
pub(crate) mod names;
mod note;
mod observation;
mod records;
mod remote;
mod told;
pub(crate) mod types;

use crate::client::Procore;
use async_trait::async_trait;
use domain::event::Zone;
use domain::ids::Provider;
use domain::merge::Fields;
use domain::record::{Mender, RecordKind};
use domain::treatment::Account;
use jiff::Timestamp;
use jiff::civil::Date;
use kind::Kind;
use platform::known::Known;
use serde_json::Value;
use std::collections::BTreeSet;
use sync::target::{
    Block, Call, Catalog, FoundHook, Project, Remote, Rendered, Seen, SideWrite, Standing, Statuses, Subject,
    SubjectBody, Target, TargetError,
};

/// Puts incidents, observations and daily notes into Procore.
pub struct ProcoreTarget {
    procore: Procore,
}

impl ProcoreTarget {
    pub fn new(procore: Procore) -> Self {
        Self { procore }
    }
}

/// Account and project as Procore's numbers. What isn't one never gets into an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) company: i64,
    pub(crate) project: i64,
}

impl At {
    fn of(project: &Project) -> Result<Self, TargetError> {
        let number = |what: &str, text: &str| {
            let number = text.parse::<i64>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| {
                TargetError::Project(Block {
                    reason: format!("The {what} {text:?} is not one of Procore's numbers."),
                    who: Mender::SafetyManager,
                    what_to_do: format!("Choose the Procore {what} again in the settings."),
                })
            })
        };
        Ok(Self { company: number("company", &project.account)?, project: number("project", &project.id)? })
    }
}

/// What a zone is called, and its path of locations.
fn zone_name(subject: &Subject) -> &str {
    subject.zone.as_ref().map_or(&subject.zone_id, |zone| &zone.name)
}

fn zone_path(subject: &Subject) -> Vec<String> {
    subject.zone.as_ref().map_or_else(|| vec![subject.zone_id.clone()], Zone::path)
}

#[async_trait]
impl Target for ProcoreTarget {
    fn provider(&self) -> Provider {
        Provider::Procore
    }

    fn statuses(&self, kind: RecordKind) -> Statuses {
        match kind {
            RecordKind::Observation => Statuses { open: "initiated", closed: "closed" },
            RecordKind::Incident => Statuses { open: "open", closed: "closed" },
            RecordKind::DailySummary => Statuses { open: "approved", closed: "closed" },
        }
    }

    fn render(&self, subject: &Subject, project: &Project, catalog: &Catalog, now: Timestamp) -> Rendered {
        let known = Known { catalog, now };
        let rendered = match &subject.body {
            SubjectBody::Summary { day, .. } => Ok(note::render(subject, day)),
            SubjectBody::Trial { asked_at } => observation::trial(subject, *asked_at, &project.settings, known),
            SubjectBody::Incident(fact) => incident::render(subject, fact, &project.settings, known),
            SubjectBody::Observation(detection) => observation::render(subject, detection, &project.settings, known),
        };
        rendered.map_or_else(Rendered::from, Rendered::Fields)
    }

    async fn find(&self, call: Call<'_>, project: &Project, need: &str) -> Result<Value, TargetError> {
        let at = At::of(project)?;
        match need {
            hazards::NEED => hazards::find(&self.procore, call, at).await,
            types::NEED => types::find(&self.procore, call, at).await,
            need => match location::path(need) {
                Some(path) => location::find(&self.procore, call, at, &path).await,
                None => Err(TargetError::Refused {
                    words: format!("there is nothing called {need:?} to look up in Procore"),
                }),
            },
        }
    }

    async fn create(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        fields: &Fields,
    ) -> Result<Remote, TargetError> {
        records::create(&self.procore, call, At::of(project)?, Kind::of(kind), fields).await
    }

    async fn read(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<Remote>, TargetError> {
        records::read(&self.procore, call, At::of(project)?, Kind::of(kind), id).await
    }

    async fn update(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        send: &Fields,
    ) -> Result<Remote, TargetError> {
        records::update(&self.procore, call, At::of(project)?, Kind::of(kind), remote, send).await
    }

    async fn look(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        records::look(&self.procore, call, At::of(project)?, Kind::of(kind), marker, since).await
    }

    async fn look_on(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        date: Date,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        match Kind::of(kind) {
            Kind::Note => note::look(&self.procore, call, At::of(project)?, marker, date).await,
            Kind::Incident | Kind::Observation => self.look(call, project, kind, marker, since).await,
        }
    }

    async fn side_write(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        write: &SideWrite,
    ) -> Result<Option<Timestamp>, TargetError> {
        records::side_write(&self.procore, call, At::of(project)?, Kind::of(kind), &remote.id, write).await?;
        // Its events name who did it.
        Ok(None)
    }

    async fn close_double(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        double: &Remote,
        note: &str,
    ) -> Result<(), TargetError> {
        records::close_double(&self.procore, call, At::of(project)?, Kind::of(kind), double, note).await
    }

    async fn told(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
    ) -> Result<Account, TargetError> {
        told::of_record(&self.procore, call, At::of(project)?, Kind::of(kind), remote).await
    }

    async fn told_all(&self, call: Call<'_>, project: &Project) -> Result<Vec<Standing>, TargetError> {
        told::of_project(&self.procore, call, At::of(project)?).await
    }

    async fn changed(&self, call: Call<'_>, project: &Project, since: Timestamp) -> Result<Vec<Remote>, TargetError> {
        records::changed(&self.procore, call, At::of(project)?, Kind::Observation, since).await
    }

    async fn discarded(&self, call: Call<'_>, project: &Project, id: &str) -> Result<BTreeSet<String>, TargetError> {
        told::discarded(&self.procore, call, At::of(project)?, id).await
    }

    async fn by_consent(&self, call: Call<'_>) -> Result<bool, TargetError> {
        self.procore.by_consent(call).await
    }

    async fn own_user(&self, call: Call<'_>, project: &Project) -> Result<String, TargetError> {
        hooks::own_user(&self.procore, call, At::of(project)?).await
    }

    async fn hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        _: Option<&str>,
    ) -> Result<Option<FoundHook>, TargetError> {
        hooks::find(&self.procore, call, At::of(project)?, url).await
    }

    async fn mend_hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        secret: &str,
        standing: Option<String>,
    ) -> Result<String, TargetError> {
        hooks::mend(&self.procore, call, At::of(project)?, url, secret, standing).await
    }

    async fn drop_hooks(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        _: Option<&str>,
    ) -> Result<(), TargetError> {
        hooks::drop(&self.procore, call, At::of(project)?, url).await
    }

    async fn let_go(&self, call: Call<'_>) -> Result<(), TargetError> {
        self.procore.let_go(call).await
    }

    async fn commented(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
        marker: &str,
    ) -> Result<Seen, TargetError> {
        records::commented(&self.procore, call, At::of(project)?, Kind::of(kind), id, marker).await
    }
}
