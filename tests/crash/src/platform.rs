//! The platforms' sandboxes, as a world sees them: what stands there in one form, and what people do there.
use crate::world::WorldError;
use acc::{Acc, AccTarget, ParameterServiceAccounts};
use async_trait::async_trait;
use credentials::{MemoryParameters, MemoryVault, Secret};
use domain::autodesk::Region;
use domain::ids::Provider;
use domain::record::RecordKind;
use grants::{TableGrants, TableServiceAccounts};
use jiff::Timestamp;
use procore::{CredentialError, CredentialSource, Credentials, Procore, ProcoreTarget};
use sandbox::faults::Faults;
use sandbox::journal::{CallRecord, Violation};
use sandbox::{aps, procore as procore_sandbox};
use serde_json::{Value, json};
use std::ops::Deref;
use std::sync::Arc;
use store::Table;
use store::memory::MemoryTable;
use sync::target::Target;

/// What a world of another platform has not.
#[derive(Default)]
pub struct Only<T>(Option<T>);

impl<T> Deref for Only<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "a test that asks the wrong platform shows nothing")]
    fn deref(&self) -> &T {
        self.0.as_ref().expect("this world is another platform's")
    }
}

impl<T> From<T> for Only<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

/// A record as people see it there.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: String,
    pub title: String,
    pub text: String,
    pub status: String,
    /// Autodesk: comments. Procore: the responses to an observation.
    pub comments: Vec<String>,
    pub created_at: Timestamp,
}

/// One organization's account and project there.
pub struct Platform {
    pub procore: Only<procore_sandbox::Running>,
    pub acc: Only<aps::Running>,
    pub provider: Provider,
    pub account: String,
    pub region: Option<Region>,
    /// Of the account, the world's own first.
    pub projects: Vec<String>,
    pub target: Box<dyn Target>,
    pub grants: Arc<TableGrants>,
}

/// The app's own client, known to both sandboxes.
struct SandboxClient;

#[async_trait]
impl CredentialSource for SandboxClient {
    async fn get(&self) -> Result<Credentials, CredentialError> {
        Ok(Credentials { client_id: "sandbox-client".into(), client_secret: Secret::new("sandbox-secret") })
    }
}

impl Platform {
    /// `account`: the place in the sandbox's seed.
    pub async fn start(
        provider: Provider,
        account: usize,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        table: &MemoryTable,
    ) -> Result<Self, WorldError> {
        match provider {
            Provider::Acc => Self::acc(account, Arc::new(now), table).await,
            Provider::Procore | Provider::Webhook => Self::procore(account, Arc::new(now), table).await,
        }
    }

    async fn procore(
        company: usize,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        table: &MemoryTable,
    ) -> Result<Self, WorldError> {
        let options = procore_sandbox::Options { now, ..Default::default() };
        let sandbox = procore_sandbox::Sandbox::start(options).await?;
        let url = sandbox.url().to_owned();
        let grants = grants(table);
        let client = Procore::new(procore::Hosts::new(&url, &url, &url)?, Arc::new(SandboxClient))?;
        let company = sandbox.companies().get(company).map(|company| company.id).ok_or(WorldError::Empty)?;
        Ok(Self {
            provider: Provider::Procore,
            account: company.to_string(),
            region: None,
            projects: sandbox.projects(company).iter().map(|project| project.id.to_string()).collect(),
            target: Box::new(ProcoreTarget::new(client.with_grants(grants.clone()))),
            grants,
            procore: sandbox.into(),
            acc: Only(None),
        })
    }

    async fn acc(
        account: usize,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        table: &MemoryTable,
    ) -> Result<Self, WorldError> {
        let sandbox = aps::Sandbox::start(aps::Options { now, ..Default::default() }).await?;
        sandbox.set(|settings| settings.check_answers = true);
        let key = json!({"id": SERVICE_ACCOUNT, "key_id": aps::SERVICE_ACCOUNT_KEY_ID, "private_key": aps::SERVICE_ACCOUNT_KEY});
        let key = key.to_string();
        let parameters =
            MemoryParameters::of([("/t/aps/us/service-account", &key), ("/t/aps/emea/service-account", &key)]);
        let shared = ParameterServiceAccounts::new(Arc::new(parameters), "t");
        let (table_, vault) = (Arc::new(table.clone()), Arc::new(MemoryVault::default()));
        let accounts = TableServiceAccounts::new(table_, vault, shared);
        let client = Acc::new(acc::Hosts::new(sandbox.url())?, Arc::new(SandboxClient), Arc::new(accounts))?;
        let grants = grants(table);
        let client = client.sharing_forms(Arc::new(table.clone())).with_grants(grants.clone());
        let account = sandbox.accounts().get(account).cloned().ok_or(WorldError::Empty)?;
        let usable = |project: &aps::Project| {
            project.account_id == account.id && project.platform == "acc" && project.status == "active"
        };
        let projects = sandbox.projects().into_iter().filter(usable).map(|project| project.id);
        Ok(Self {
            provider: Provider::Acc,
            region: account.region.parse().ok(),
            projects: projects.collect(),
            target: Box::new(AccTarget::new(client)),
            grants,
            account: account.id,
            procore: Only(None),
            acc: sandbox.into(),
        })
    }

    /// Records of one kind that are not in the recycle bin, in the order in which they were made.
    pub fn records(&self, kind: RecordKind, project: &str) -> Vec<Shown> {
        match (self.provider, kind) {
            (Provider::Acc, RecordKind::DailySummary) => self.forms(project),
            (Provider::Acc, kind) => self.issues(kind, project),
            (_, RecordKind::DailySummary) => self.notes(number(project)),
            (_, RecordKind::Incident) => self.incidents(number(project)),
            (_, _) => self.observations(number(project)),
        }
    }

    fn issues(&self, kind: RecordKind, project: &str) -> Vec<Shown> {
        let issues = self.acc.issues(project).into_iter().filter(|issue| issue.deleted.is_none());
        let shown = issues.map(|issue| Shown {
            title: issue.text("title").unwrap_or_default().to_owned(),
            text: issue.text("description").unwrap_or_default().to_owned(),
            status: issue.text("status").unwrap_or_default().to_owned(),
            comments: self.acc.comments(&issue.id).into_iter().map(|comment| comment.body).collect(),
            created_at: issue.created_at,
            id: issue.id,
        });
        // Both are issues: an incident's title says so.
        let is_incident = |shown: &Shown| {
            let words = ["Recordable incident: ", "Incident: "];
            words.iter().any(|word| shown.title.starts_with(word))
        };
        shown.filter(|shown| is_incident(shown) == (kind == RecordKind::Incident)).collect()
    }

    /// By their dates.
    fn forms(&self, project: &str) -> Vec<Shown> {
        let text = |form: &aps::Form, name: &str| form.fields[name].as_str().unwrap_or_default().to_owned();
        let forms = self.acc.forms(project).into_iter().map(|form| Shown {
            title: text(&form, "formDate"),
            text: text(&form, "notes"),
            status: form.status.clone(),
            comments: Vec::new(),
            created_at: form.created_at,
            id: form.id,
        });
        forms.collect()
    }

    fn notes(&self, project: i64) -> Vec<Shown> {
        let notes = self.procore.notes(project).into_iter().map(|note| Shown {
            id: note.id.to_string(),
            title: note.date.to_string(),
            text: note.fields["comment"].as_str().unwrap_or_default().to_owned(),
            status: String::new(),
            comments: Vec::new(),
            created_at: note.created_at,
        });
        notes.collect()
    }

    fn incidents(&self, project: i64) -> Vec<Shown> {
        let incidents = self.procore.incidents(project).into_iter();
        let shown = incidents.map(|incident| Shown {
            id: incident.id.to_string(),
            title: incident.title.unwrap_or_default(),
            text: incident.description.unwrap_or_default(),
            status: incident.status,
            comments: Vec::new(),
            created_at: incident.created_at,
        });
        shown.collect()
    }

    fn observations(&self, project: i64) -> Vec<Shown> {
        let observations = self.procore.observations(project).into_iter();
        let shown = observations.map(|observation| Shown {
            comments: self.procore.response_logs(observation.id).into_iter().map(|log| log.comment).collect(),
            id: observation.id.to_string(),
            title: observation.name,
            text: observation.description.unwrap_or_default(),
            status: observation.status,
            created_at: observation.created_at,
        });
        shown.collect()
    }

    pub fn violations(&self) -> Vec<Violation> {
        match self.provider {
            Provider::Acc => self.acc.violations(),
            _ => self.procore.violations(),
        }
    }

    /// Answers that the platform's document does not allow, where the sandbox looks.
    pub fn own_problems(&self) -> Vec<String> {
        match self.provider {
            Provider::Acc => self.acc.own_problems(),
            _ => self.procore.own_problems(),
        }
    }

    pub fn calls(&self) -> Vec<CallRecord> {
        match self.provider {
            Provider::Acc => self.acc.calls(),
            _ => self.procore.calls(),
        }
    }

    /// Calls that changed something there.
    pub fn writes(&self) -> usize {
        let signing_in =
            |call: &CallRecord| call.path.starts_with("/oauth") || call.path.starts_with("/authentication");
        self.calls().iter().filter(|call| call.method != "GET" && !signing_in(call)).count()
    }

    pub fn faults(&self) -> &Faults {
        match self.provider {
            Provider::Acc => self.acc.faults(),
            _ => self.procore.faults(),
        }
    }

    /// Our hooks there: id, address, and whether it rings.
    pub fn hooks(&self) -> Vec<(String, String, bool)> {
        match self.provider {
            Provider::Acc => {
                let hooks = self.acc.hooks().into_iter();
                hooks.map(|hook| (hook.id, hook.callback_url, hook.status == "active")).collect()
            }
            _ => {
                let hooks = self.procore.hooks().into_iter();
                hooks.map(|hook| (hook.id.to_string(), hook.destination_url, hook.active)).collect()
            }
        }
    }

    /// How many of them one project has.
    pub fn hooks_each(&self) -> usize {
        if self.provider == Provider::Acc { 3 } else { 1 }
    }

    /// As when the platform gave up on our address.
    pub fn deactivate_hook(&self, id: &str) {
        match self.provider {
            Provider::Acc => self.acc.deactivate_hook(id),
            _ => self.procore.deactivate_hook(number(id)),
        };
    }

    /// Someone who may do all there: their id, login, a token, and what renews it.
    #[expect(clippy::unwrap_used, reason = "the sandbox's own seed")]
    pub fn person(&self) -> (&'static str, &'static str, String, Option<String>) {
        match self.provider {
            Provider::Acc => {
                const WHO: &str = "safety.manager@example.com";
                let (access, refresh) = self.acc.person_consents(WHO).unwrap();
                ("SBXMANAGER01", WHO, access, Some(refresh))
            }
            _ => {
                const WHO: &str = "company.admin@example.com";
                ("7", WHO, self.procore.person_token(WHO), None)
            }
        }
    }

    /// How old a record must be before lists and recycle bin show it.
    pub fn lag(&self, seconds: i64) {
        match self.provider {
            Provider::Acc => self.acc.set(|settings| settings.list_lag_seconds = seconds),
            _ => {
                self.procore.set(|settings| (settings.list_lag_seconds, settings.bin_lag_seconds) = (seconds, seconds))
            }
        }
    }

    /// The app's secret is another from now on, or again the one that we have.
    pub fn change_secret(&self, changed: bool) {
        let secret = if changed { "another-secret" } else { "sandbox-secret" }.to_owned();
        match self.provider {
            Provider::Acc => self.acc.set_client(aps::Client { secret, ..Default::default() }),
            _ => self.procore.set_client(procore_sandbox::Client { secret, ..Default::default() }),
        }
    }

    /// A status between open and closed, that only people give.
    pub fn between(&self) -> &'static str {
        match self.provider {
            Provider::Acc => "in_review",
            _ => "ready_for_review",
        }
    }

    /// A person changes a record: members by the platform's names.
    pub fn edit(&self, kind: RecordKind, id: &str, fields: Value) -> Result<(), WorldError> {
        match self.provider {
            Provider::Acc if kind == RecordKind::DailySummary => {
                let fields = fields.as_object().cloned().unwrap_or_default();
                self.acc.person_writes_form(id, fields, None).map_err(|error| WorldError::Edit(error.0))
            }
            Provider::Acc => {
                let fields = fields.as_object().cloned().unwrap_or_default();
                self.acc.person_edits(id, fields).map_err(|error| WorldError::Edit(error.0))
            }
            _ => self.person_edit(kind, "update", id, fields),
        }
    }

    /// A person deletes it.
    pub fn delete(&self, kind: RecordKind, id: &str) -> Result<(), WorldError> {
        match self.provider {
            Provider::Acc => self.acc.person_deletes(id, true).map_err(|error| WorldError::Edit(error.0)),
            _ => self.person_edit(kind, "delete", id, Value::Null),
        }
    }

    /// And puts it back.
    pub fn restore(&self, kind: RecordKind, id: &str) -> Result<(), WorldError> {
        match self.provider {
            Provider::Acc => self.acc.person_deletes(id, false).map_err(|error| WorldError::Edit(error.0)),
            _ => self.person_edit(kind, "restore", id, Value::Null),
        }
    }

    fn person_edit(&self, kind: RecordKind, action: &str, id: &str, fields: Value) -> Result<(), WorldError> {
        let kind = match kind {
            RecordKind::Incident => "incident",
            RecordKind::Observation => "observation",
            RecordKind::DailySummary => "note",
        };
        let kind = kind.to_owned();
        let (action, id) = (Some(action.to_owned()), Some(number(id)));
        let edit = procore_sandbox::PersonEdit { kind, action, id, project_id: None, fields };
        self.procore.person_edit(&edit).map(drop).map_err(|error| WorldError::Edit(error.to_string()))
    }
}

const SERVICE_ACCOUNT: &str = "SBXSERVICE01";

fn grants(table: &MemoryTable) -> Arc<TableGrants> {
    let table: Arc<dyn Table> = Arc::new(table.clone());
    Arc::new(TableGrants::new(table, Arc::new(MemoryVault::default())))
}

/// Procore's ids are numbers.
pub fn number(id: &str) -> i64 {
    id.parse().unwrap_or_default()
}
