//! A project in the sandbox, the target that writes to it, and a meter that notes what it is asked and told.
use acc::{
    Acc, AccTarget, CredentialError, Hosts, ParameterCredentials, ParameterServiceAccounts, ServiceAccount,
    ServiceAccounts, Timeouts,
};
use async_trait::async_trait;
use credentials::{MemoryParameters, Secret};
use domain::autodesk::Region;
use domain::merge::Fields;
use domain::record::{RecordKind, WorkClass};
use jiff::Timestamp;
use sandbox::aps::{Issue, Options, Running, SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_KEY_ID, Sandbox};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use store::lanes::LaneId;
pub use subjects::*;
use sync::target::{Call, Project, Remote, Rendered, Subject, Target};

pub const SERVICE: &str = "SBXSERVICE01";
pub const OBSERVATION: RecordKind = RecordKind::Observation;
pub const INCIDENT: RecordKind = RecordKind::Incident;

pub struct Site {
    pub sandbox: Running,
    pub target: AccTarget,
    pub project: Project,
    pub meter: Noted,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(service_account()).await
    }

    /// With this service account in every region.
    pub async fn with(account: serde_json::Value) -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.set(|settings| settings.check_answers = true);
        let project = project_of(&sandbox, 0);
        Self { target: target(sandbox.url(), &account.to_string()), project, meter: Noted::default(), sandbox }
    }

    /// The same for the project with this place in the seed.
    pub fn at(&mut self, project: usize) {
        self.project = project_of(&self.sandbox, project);
    }

    pub fn call(&self) -> Call<'_> {
        Call { class: WorkClass::Incident, meter: &self.meter }
    }

    pub async fn rendered(&self, subject: &Subject) -> Rendered {
        subjects::rendered(&self.target, self.call(), &self.project, subject).await
    }

    pub async fn fields(&self, subject: &Subject) -> Fields {
        match self.rendered(subject).await {
            Rendered::Fields(fields) => fields,
            other => panic!("{other:?}"),
        }
    }

    pub async fn made(&self, kind: RecordKind, subject: &Subject) -> Remote {
        let fields = self.fields(subject).await;
        self.target.create(self.call(), &self.project, kind, &fields).await.unwrap()
    }

    /// All issues of the project, deleted ones too.
    pub fn issues(&self) -> Vec<Issue> {
        self.sandbox.issues(&self.project.id)
    }

    pub fn calls_of(&self, operation: &str) -> usize {
        let of = |call: &&sandbox::journal::CallRecord| call.operation_id.as_deref() == Some(operation);
        self.sandbox.calls().iter().filter(of).count()
    }

    /// What every test ends with.
    pub fn assert_clean(&self) {
        assert_eq!(self.sandbox.violations(), []);
        assert_eq!(self.sandbox.own_problems(), Vec::<String>::new());
    }
}

pub fn service_account() -> serde_json::Value {
    json!({"id": SERVICE, "key_id": SERVICE_ACCOUNT_KEY_ID, "private_key": SERVICE_ACCOUNT_KEY})
}

pub fn target(url: &str, account: &str) -> AccTarget {
    let (client_id, client_secret) = ("/t/aps/client-id", "/t/aps/client-secret");
    let parameters = Arc::new(MemoryParameters::of([
        (client_id, "sandbox-client"),
        (client_secret, "sandbox-secret"),
        ("/t/aps/us/service-account", account),
        ("/t/aps/emea/service-account", account),
    ]));
    let accounts = ParameterServiceAccounts::new(parameters.clone(), "t");
    let app = ParameterCredentials { parameters, client_id: client_id.into(), client_secret: client_secret.into() };
    AccTarget::new(client(url, app, Arc::new(accounts)))
}

pub fn client(url: &str, app: ParameterCredentials<MemoryParameters>, accounts: Arc<dyn ServiceAccounts>) -> Acc {
    let hosts = Hosts::new(url).unwrap();
    let (read, write) = (Duration::from_millis(600), Duration::from_millis(600));
    let timeouts = Timeouts { connect: Duration::from_secs(3), read, write };
    Acc::with_timeouts(hosts, Arc::new(app), accounts, timeouts).unwrap()
}

fn project_of(sandbox: &Running, at: usize) -> Project {
    let project = sandbox.projects()[at].clone();
    let account = sandbox.accounts().into_iter().find(|account| account.id == project.account_id).unwrap();
    let region = Some(account.region.parse::<Region>().unwrap());
    Project { account: account.id, id: project.id, settings: settings(), region }
}

/// A customer's own service account for one lane, the app's for all others.
pub struct OneLanesOwn {
    pub lane: LaneId,
    pub key_id: String,
}

#[async_trait]
impl ServiceAccounts for OneLanesOwn {
    async fn of(&self, lane: Option<&LaneId>, _: Region, _: Timestamp) -> Result<ServiceAccount, CredentialError> {
        let own = lane == Some(&self.lane);
        Ok(ServiceAccount {
            id: SERVICE.into(),
            key_id: if own { self.key_id.clone() } else { SERVICE_ACCOUNT_KEY_ID.into() },
            private_key: Secret::new(SERVICE_ACCOUNT_KEY),
            customers_own: own,
        })
    }
}
