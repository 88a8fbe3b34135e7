//! A project in the sandbox, the target that writes to it, and a meter that notes what it is asked and told.
use async_trait::async_trait;
use credentials::{MemoryParameters, Secret};
use domain::event::{Classification, Detection, Frame, Incident, OshaLog, Worker, Zone};
use domain::fact::IncidentFact;
use domain::ids::SiteId;
use domain::merge::Fields;
use domain::record::{RecordKind, WorkClass};
use domain::settings::{Mapping, ProjectSettings};
use domain::summary::count::Day;
use domain::summary::report::{Previous, Report};
use domain::summary::window::Window;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use procore::{
    CredentialError, CredentialSource, Credentials, Hosts, ParameterCredentials, Procore, ProcoreTarget, Timeouts,
};
use sandbox::procore::{Options, Running, Sandbox};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::lanes::LaneId;
use sync::budget::{Admission, Answered};
use sync::target::{Call, Catalog, Found, Meter, Project, Rendered, Subject, SubjectBody, Target};

pub const WORKER: &str = "W-4711";
pub const MARKER: &str = "HHP-7F3K9Q2M";

#[derive(Default)]
pub struct Noted {
    pub asked: AtomicUsize,
    pub answers: Mutex<Vec<Answered>>,
    /// Refuses from the call with this number on.
    pub pause_from: Mutex<Option<usize>>,
    pub lane: Option<LaneId>,
}

impl Noted {
    pub fn last(&self) -> Answered {
        *self.answers.lock().unwrap().last().expect("an answer")
    }
}

#[async_trait]
impl Meter for Noted {
    async fn before(&self, _: WorkClass, _: SignedDuration) -> Admission {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        match *self.pause_from.lock().unwrap() {
            Some(from) if number >= from => Admission::Pause { until: Timestamp::MAX, everything: false },
            _ => Admission::Go,
        }
    }

    fn after(&self, answered: Answered) {
        self.answers.lock().unwrap().push(answered);
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn lane(&self) -> Option<&LaneId> {
        self.lane.as_ref()
    }
}

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

    /// Renders as the lane does: looks up what is needed until there are fields.
    pub async fn rendered(&self, subject: &Subject) -> Rendered {
        let (mut catalog, now) = (Catalog::default(), Timestamp::now());
        for _ in 0..5 {
            match self.target.render(subject, &self.project, &catalog, now) {
                Rendered::Needs(need) => {
                    let value = self.target.find(self.call(), &self.project, &need).await.unwrap();
                    catalog.found.insert(need, Found { value, at: now });
                }
                done => return done,
            }
        }
        panic!("rendering never has what it needs: {catalog:?}");
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
    let site_id = SiteId::new(ulid::Ulid::from_parts(1, 1));
    let settings = ProjectSettings {
        site_id,
        observations: Default::default(),
        daily_summary: Default::default(),
        mapping: Mapping::default(),
    };
    Project { account: company.to_string(), id: project.to_string(), settings }
}

fn worker() -> Worker {
    Worker { worker_id: WORKER.into(), role: "Rigger".into(), trade: "Ironwork".into() }
}

pub fn long_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

pub fn incident() -> Incident {
    Incident {
        incident_id: "01JD0000000000000000000001".into(),
        revision: 1,
        occurred_at: "2026-11-24T16:00:00.250Z".parse().unwrap(),
        confirmed_at: "2026-11-24T16:30:00Z".parse().unwrap(),
        recordable: true,
        incident_type: "struck_by".into(),
        classification: Classification::Injury,
        outcome: None,
        privacy_case: false,
        osha_log: OshaLog { year: 2026, case_number: "2026-017".into() },
        zone_id: "z1".into(),
        worker: worker(),
        detection_ids: vec![],
        summary: Some("Load < 5 t & swung while being landed".into()),
    }
}

pub fn detection() -> Detection {
    Detection {
        detection_id: "01JD0000000000000000000002".into(),
        detected_at: "2026-11-24T16:00:00Z".parse().unwrap(),
        kind: "zone_breach".into(),
        priority: 4,
        zone_id: "z1".into(),
        camera_id: "cam-7".into(),
        missing_ppe: vec!["hard_hat".into()],
        confidence: Some(0.9),
        worker: Some(worker()),
        frame: Frame { captured_at: "2026-11-24T16:00:00Z".parse().unwrap(), index: None },
        footage: None,
    }
}

pub fn incident_subject(incident: Incident) -> Subject {
    let fact = IncidentFact {
        incident_id: incident.incident_id.clone(),
        revision: incident.revision,
        incident: Some(incident),
        retraction: None,
        former_detection_ids: vec![],
    };
    subject(RecordKind::Incident, SubjectBody::Incident(fact))
}

pub fn observation_subject(detection: Detection) -> Subject {
    subject(RecordKind::Observation, SubjectBody::Observation(detection))
}

/// A day with so many alerts, and one recordable incident where it is said so.
pub fn day_subject(date: &str, alerts: u64, incidents: u64) -> Subject {
    let date: jiff::civil::Date = date.parse().unwrap();
    let end = date.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp() + SignedDuration::from_hours(23);
    let window = Window { from: end - SignedDuration::from_hours(24), to: end };
    let report = Report {
        date,
        time_zone: "America/Chicago".into(),
        window,
        alerts,
        confirmed_incidents: incidents,
        recordable_incidents: 0,
        zone_breaches: 0,
        ppe: Default::default(),
        by_kind: Default::default(),
        by_zone: vec![],
        previous: Previous::nothing(date.yesterday().unwrap(), window),
    };
    let day = Box::new(Day { report, recordable: vec![] });
    Subject {
        fact_id: date.to_string(),
        zone: None,
        zone_id: String::new(),
        ..subject(RecordKind::DailySummary, SubjectBody::Summary { day, revision: 1 })
    }
}

fn subject(kind: RecordKind, body: SubjectBody) -> Subject {
    let zone: Zone = serde_json::from_value(json!({
        "zone_id": "z1", "revision": 1, "name": "Crane 2", "kind": "lifting", "active": true,
        "location_path": ["Tower A", "Level 3", "Crane 2"],
    }))
    .unwrap();
    Subject {
        kind,
        fact_id: "01JD0000000000000000000001".into(),
        marker: MARKER.into(),
        link: "https://pulse.example.com/r/1".into(),
        time_zone: TimeZone::get("America/Chicago").unwrap(),
        zone: Some(zone),
        zone_id: "z1".into(),
        body,
    }
}
