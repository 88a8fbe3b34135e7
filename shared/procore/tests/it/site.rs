//! A project in the sandbox, the target that writes to it, and a meter that notes what it is asked and told.
use async_trait::async_trait;
use credentials::{MemoryParameters, Secret};
use domain::merge::Fields;
use domain::record::WorkClass;
use procore::{
    CredentialError, CredentialSource, Credentials, Hosts, ParameterCredentials, Procore, ProcoreTarget, Timeouts,
};
use sandbox::procore::{Options, Running, Sandbox};
use std::sync::Arc;
use std::time::Duration;
pub use subjects::*;
use sync::target::{Call, Project, Rendered, Subject};

/// Credentials that a test can make wrong.
pub struct Wrong;

#[async_trait]
impl CredentialSource for Wrong {
    async fn get(&self) -> Result<Credentials, CredentialError> {
        Ok(Credentials { client_id: "sandbox-client".into(), client_secret: Secret::new("not-the-secret") })
    }
}

pub struct Site {
    pub sandbox: Running,
    pub target: ProcoreTarget,
    pub project: Project,
    pub meter: Noted,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.set(|settings| settings.check_answers = true);
        let company = sandbox.companies()[0].id;
        let project = sandbox.projects(company)[0].id;
        let parameters = Arc::new(MemoryParameters::of([
            ("/t/client-id", "sandbox-client"),
            ("/t/client-secret", "sandbox-secret"),
        ]));
        let (client_id, client_secret) = ("/t/client-id".into(), "/t/client-secret".into());
        let target = target(sandbox.url(), Arc::new(ParameterCredentials { parameters, client_id, client_secret }));
        Self { target, project: project_of(company, project), meter: Noted::default(), sandbox }
    }

    /// The same for the company and project with these places in the seed.
    pub fn at(&mut self, company: usize, project: usize) {
        let company = self.sandbox.companies()[company].id;
        self.project = project_of(company, self.sandbox.projects(company)[project].id);
    }

    pub fn id(&self) -> i64 {
        self.project.id.parse().unwrap()
    }

    pub fn company(&self) -> i64 {
        self.project.account.parse().unwrap()
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

    /// What every test ends with.
    pub fn assert_clean(&self) {
        assert_eq!(self.sandbox.violations(), []);
        assert_eq!(self.sandbox.own_problems(), Vec::<String>::new());
        assert_eq!((self.sandbox.mails().len(), self.sandbox.alerts().len()), (0, 0));
    }
}

pub fn target(url: &str, credentials: Arc<dyn CredentialSource>) -> ProcoreTarget {
    let hosts = Hosts::new(url, url, "https://app.example.com/").unwrap();
    ProcoreTarget::new(Procore::with_timeouts(hosts, credentials, timeouts()).unwrap())
}

pub fn timeouts() -> Timeouts {
    Timeouts { connect: Duration::from_secs(3), read: Duration::from_millis(600), write: Duration::from_millis(600) }
}

pub fn project_of(company: i64, project: i64) -> Project {
    Project { account: company.to_string(), id: project.to_string(), settings: settings(), region: None }
}
