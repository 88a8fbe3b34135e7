//! Autodesk Construction Cloud as a target of the lane: incidents and observations are issues of the project's Safety subtype.
//!
//! - [`form`], [`forms`], [`templates`]: a site's day as a form of its date
//! - [`issue`]: what an issue says and how Autodesk shows it; [`limits`]: within Autodesk's lengths; pure
//! - [`project`], [`subtypes`], [`required`], [`locations`]: what rendering needs from Autodesk
//! - [`records`]: the calls on issues and their comments; [`told`]: what people did, read back; [`hooks`]: what tells us of it
//!
//! Never written: who is assigned, watchers, dates, and on an update the status, which people own. Injuries and treatment have no
//! place in an issue, so none come back.
mod form;
mod forms;
mod hooks;
mod issue;
mod limits;
mod locations;
mod project;
mod records;
pub(crate) mod required;
pub(crate) mod subtypes;
pub(crate) mod templates;
mod told;

use crate::client::Acc;
use crate::ids::{AccountId, ProjectId};
use async_trait::async_trait;
use domain::autodesk::Region;
use domain::ids::Provider;
use domain::merge::Fields;
use domain::record::{Mender, RecordKind};
use domain::treatment::Account;
use jiff::Timestamp;
use platform::known::Known;
use serde_json::Value;
use std::collections::BTreeSet;
use sync::target::{
    Block, Call, Catalog, FoundHook, Project, Proof, Remote, Rendered, Rereading, Seen, SideWrite, Standing, Statuses,
    Subject, SubjectBody, Target, TargetError,
};

const OPEN: &str = "open";
const CLOSED: &str = "closed";

/// Puts incidents and observations into Autodesk Construction Cloud.
pub struct AccTarget {
    acc: Acc,
}

impl AccTarget {
    pub fn new(acc: Acc) -> Self {
        Self { acc }
    }
}

/// A project with its account and region. What is no id never gets into an address.
#[derive(Debug, Clone)]
pub(crate) struct At {
    pub(crate) account: AccountId,
    pub(crate) project: ProjectId,
    pub(crate) region: Region,
}

impl At {
    fn of(project: &Project) -> Result<Self, TargetError> {
        let wrong = |what: &str, text: &str| {
            TargetError::Project(Block {
                reason: format!("The {what} {text:?} is no id of Autodesk's."),
                who: Mender::SafetyManager,
                what_to_do: format!("Choose the Autodesk {what} again in the settings."),
            })
        };
        Ok(Self {
            account: project.account.parse().map_err(|_| wrong("account", &project.account))?,
            project: project.id.parse().map_err(|_| wrong("project", &project.id))?,
            // Autodesk's own default.
            region: project.region.unwrap_or(Region::Us),
        })
    }

    /// An address of Issues.
    pub(crate) fn issues(&self, rest: &str) -> String {
        format!("/construction/issues/v1/projects/{}/{rest}", self.project.bare())
    }
}

/// A form has no comments, and is closed by people.
fn issues_only(kind: RecordKind) -> Result<(), TargetError> {
    match kind {
        RecordKind::Incident | RecordKind::Observation => Ok(()),
        RecordKind::DailySummary => {
            Err(TargetError::Refused { words: "a form takes no comment from HardHat Pulse".into() })
        }
    }
}

#[async_trait]
impl Target for AccTarget {
    fn provider(&self) -> Provider {
        Provider::Acc
    }

    fn statuses(&self, kind: RecordKind) -> Statuses {
        match kind {
            RecordKind::Incident | RecordKind::Observation => Statuses { open: OPEN, closed: CLOSED },
            RecordKind::DailySummary => Statuses { open: forms::DRAFT, closed: forms::SUBMITTED },
        }
    }

    /// A form's values go in once it stands.
    /// Forms have a limit that all customers share.
    fn one_at_a_time(&self, kind: RecordKind) -> bool {
        kind == RecordKind::DailySummary
    }

    fn created_with(&self, kind: RecordKind, field: &str) -> bool {
        kind != RecordKind::DailySummary || form::made_with(field)
    }

    fn rereading(&self) -> Rereading {
        Rereading::Changes
    }

    fn announces(&self, kind: RecordKind) -> bool {
        kind != RecordKind::DailySummary
    }

    fn proof(&self) -> Proof {
        Proof::Signature
    }

    fn comments_apart(&self) -> bool {
        true
    }

    fn overflow(&self, subject: &Subject, _: &Project) -> Option<String> {
        issue::overflow(subject)
    }

    fn render(&self, subject: &Subject, project: &Project, catalog: &Catalog, now: Timestamp) -> Rendered {
        let known = Known { catalog, now };
        let rendered = match &subject.body {
            SubjectBody::Summary { day, .. } => form::render(subject, day, project, known),
            _ => issue::render(subject, project, known),
        };
        rendered.map_or_else(Rendered::from, Rendered::Fields)
    }

    async fn find(&self, call: Call<'_>, project: &Project, need: &str) -> Result<Value, TargetError> {
        let at = At::of(project)?;
        match need {
            project::NEED => project::find(&self.acc, call, &at).await,
            subtypes::NEED => subtypes::find(&self.acc, call, &at).await,
            locations::NEED => locations::find(&self.acc, call, &at).await,
            templates::NEED => templates::find(&self.acc, call, &at).await,
            need => match required::items(need) {
                Some(items) => required::find(&self.acc, call, &at, &items).await,
                None => Err(TargetError::Refused {
                    words: format!("there is nothing called {need:?} to look up in Autodesk"),
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
        let at = At::of(project)?;
        match kind {
            RecordKind::DailySummary => forms::create(&self.acc, call, &at, fields).await,
            RecordKind::Incident | RecordKind::Observation => records::create(&self.acc, call, &at, fields).await,
        }
    }

    async fn read(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<Remote>, TargetError> {
        let at = At::of(project)?;
        match kind {
            RecordKind::DailySummary => forms::read(&self.acc, call, &at, id).await,
            RecordKind::Incident | RecordKind::Observation => records::read(&self.acc, call, &at, id).await,
        }
    }

    async fn update(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        send: &Fields,
    ) -> Result<Remote, TargetError> {
        let at = At::of(project)?;
        match kind {
            RecordKind::DailySummary => {
                let chosen = project.settings.mapping.form_template_id.as_deref();
                forms::update(&self.acc, call, &at, chosen, remote, send).await
            }
            RecordKind::Incident | RecordKind::Observation => records::update(&self.acc, call, &at, remote, send).await,
        }
    }

    async fn look(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        let at = At::of(project)?;
        match kind {
            RecordKind::DailySummary => {
                let form = form::form_id(&project.id, marker);
                Ok(forms::read(&self.acc, call, &at, &form).await?.into_iter().collect())
            }
            RecordKind::Incident | RecordKind::Observation => records::look(&self.acc, call, &at, marker, since).await,
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
        let at = At::of(project)?;
        match (kind, write.status) {
            (RecordKind::DailySummary, Some(status)) if write.comment.is_empty() => {
                forms::set_status(&self.acc, call, &at, remote, status).await
            }
            _ => {
                issues_only(kind)?;
                records::side_write(&self.acc, call, &at, &remote.id, write).await
            }
        }
    }

    async fn close_double(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        double: &Remote,
        note: &str,
    ) -> Result<(), TargetError> {
        issues_only(kind)?;
        records::close_double(&self.acc, call, &At::of(project)?, &double.id, note).await
    }

    async fn told(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
    ) -> Result<Account, TargetError> {
        match kind {
            RecordKind::DailySummary => Ok(Account::default()),
            RecordKind::Incident | RecordKind::Observation => {
                told::of_record(&self.acc, call, &At::of(project)?, remote).await
            }
        }
    }

    /// Not asked for: a project is read by its changes.
    async fn told_all(&self, _: Call<'_>, _: &Project) -> Result<Vec<Standing>, TargetError> {
        Ok(Vec::new())
    }

    async fn changed(&self, call: Call<'_>, project: &Project, since: Timestamp) -> Result<Vec<Remote>, TargetError> {
        told::changed(&self.acc, call, &At::of(project)?, since).await
    }

    /// An issue has no injuries.
    async fn discarded(&self, _: Call<'_>, _: &Project, _: &str) -> Result<BTreeSet<String>, TargetError> {
        Ok(BTreeSet::new())
    }

    async fn by_consent(&self, call: Call<'_>) -> Result<bool, TargetError> {
        self.acc.by_consent(call).await
    }

    async fn own_user(&self, call: Call<'_>, project: &Project) -> Result<String, TargetError> {
        let own = self.acc.own_ids(call, At::of(project)?.region).await?;
        Ok(own.into_iter().next().unwrap_or_default())
    }

    async fn hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        known: Option<&str>,
    ) -> Result<Option<FoundHook>, TargetError> {
        hooks::find(&self.acc, call, &At::of(project)?, url, known).await
    }

    async fn mend_hook(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        secret: &str,
        standing: Option<String>,
    ) -> Result<String, TargetError> {
        hooks::mend(&self.acc, call, &At::of(project)?, url, secret, standing).await
    }

    async fn drop_hooks(
        &self,
        call: Call<'_>,
        project: &Project,
        url: &str,
        known: Option<&str>,
    ) -> Result<(), TargetError> {
        hooks::drop(&self.acc, call, &At::of(project)?, url, known).await
    }

    async fn let_go(&self, call: Call<'_>) -> Result<(), TargetError> {
        self.acc.let_go(call).await
    }

    async fn commented(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
        marker: &str,
    ) -> Result<Seen, TargetError> {
        issues_only(kind)?;
        records::commented(&self.acc, call, &At::of(project)?, id, marker).await
    }
}
