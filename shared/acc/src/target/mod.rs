//! Autodesk Construction Cloud as a target of the lane: incidents and observations are issues of the project's Safety subtype.
//!
//! - [`issue`]: what an issue says and how Autodesk shows it; [`limits`]: within Autodesk's lengths; pure
//! - [`project`], [`subtypes`], [`required`]: what rendering needs from Autodesk
//! - [`records`]: the calls on issues and their comments; [`told`]: what people did, read back; [`hooks`]: what tells us of it
//!
//! Never written: who is assigned, watchers, dates, and on an update the status, which people own. Injuries and treatment have no
//! place in an issue, so none come back.
mod hooks;
mod issue;
mod limits;
mod project;
mod records;
pub(crate) mod required;
pub(crate) mod subtypes;
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
    Subject, Target, TargetError,
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

fn no_summaries() -> Block {
    Block {
        reason: "This version of HardHat Pulse puts no daily summaries into Autodesk.".into(),
        who: Mender::HardhatPulse,
        what_to_do: "Nothing: the summary can be read in HardHat Pulse.".into(),
    }
}

/// Whether there is such a record here.
fn issues_only(kind: RecordKind) -> Result<(), TargetError> {
    match kind {
        RecordKind::Incident | RecordKind::Observation => Ok(()),
        RecordKind::DailySummary => Err(TargetError::Project(no_summaries())),
    }
}

#[async_trait]
impl Target for AccTarget {
    fn provider(&self) -> Provider {
        Provider::Acc
    }

    fn statuses(&self, _: RecordKind) -> Statuses {
        Statuses { open: OPEN, closed: CLOSED }
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
        match subject.kind {
            RecordKind::DailySummary => Rendered::Blocked(no_summaries()),
            RecordKind::Incident | RecordKind::Observation => {
                issue::render(subject, project, Known { catalog, now }).map_or_else(Rendered::from, Rendered::Fields)
            }
        }
    }

    async fn find(&self, call: Call<'_>, project: &Project, need: &str) -> Result<Value, TargetError> {
        let at = At::of(project)?;
        match need {
            project::NEED => project::find(&self.acc, call, &at).await,
            subtypes::NEED => subtypes::find(&self.acc, call, &at).await,
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
        issues_only(kind)?;
        records::create(&self.acc, call, &At::of(project)?, fields).await
    }

    async fn read(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<Remote>, TargetError> {
        issues_only(kind)?;
        records::read(&self.acc, call, &At::of(project)?, id).await
    }

    async fn update(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        send: &Fields,
    ) -> Result<Remote, TargetError> {
        issues_only(kind)?;
        records::update(&self.acc, call, &At::of(project)?, remote, send).await
    }

    async fn look(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<Remote>, TargetError> {
        issues_only(kind)?;
        records::look(&self.acc, call, &At::of(project)?, marker, since).await
    }

    async fn side_write(
        &self,
        call: Call<'_>,
        project: &Project,
        kind: RecordKind,
        remote: &Remote,
        write: &SideWrite,
    ) -> Result<Option<Timestamp>, TargetError> {
        issues_only(kind)?;
        records::side_write(&self.acc, call, &At::of(project)?, &remote.id, write).await
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
        issues_only(kind)?;
        told::of_record(&self.acc, call, &At::of(project)?, remote).await
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

    /// A service account's doings are ours.
    async fn by_consent(&self, _: Call<'_>) -> Result<bool, TargetError> {
        Ok(false)
    }

    async fn own_user(&self, call: Call<'_>, project: &Project) -> Result<String, TargetError> {
        Ok(self.acc.account(call, At::of(project)?.region).await?.id)
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

    async fn let_go(&self, _: Call<'_>) -> Result<(), TargetError> {
        Ok(())
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
