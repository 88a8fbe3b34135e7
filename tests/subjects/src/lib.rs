//! What tests of targets share: facts to render, and a meter that notes what it is asked and told.
#![expect(clippy::unwrap_used, reason = "a test that can't go on ends")]
use async_trait::async_trait;
use domain::event::{Classification, Detection, Frame, Incident, OshaLog, Worker, Zone};
use domain::fact::IncidentFact;
use domain::ids::SiteId;
use domain::record::{RecordKind, WorkClass};
use domain::settings::{Mapping, ProjectSettings};
use domain::summary::count::Day;
use domain::summary::report::{Previous, Report};
use domain::summary::window::Window;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Renders as the lane does: looks up what is needed until there are fields.
pub async fn rendered(target: &dyn Target, call: Call<'_>, project: &Project, subject: &Subject) -> Rendered {
    let (mut catalog, now) = (Catalog::default(), Timestamp::now());
    for _ in 0..5 {
        match target.render(subject, project, &catalog, now) {
            Rendered::Needs(need) => {
                let value = target.find(call, project, &need).await.unwrap();
                catalog.found.insert(need, Found { value, at: now });
            }
            done => return done,
        }
    }
    panic!("rendering never has what it needs: {catalog:?}");
}

pub fn settings() -> ProjectSettings {
    ProjectSettings {
        site_id: SiteId::new(ulid::Ulid::from_parts(1, 1)),
        observations: Default::default(),
        daily_summary: Default::default(),
        mapping: Mapping::default(),
    }
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

/// A day with so many alerts, and so many incidents.
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
