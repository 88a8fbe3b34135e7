//! What is never sent: seen in everything that a whole life of both kinds of records sends.
use crate::site::{MARKER, Site, WORKER, detection, incident, incident_subject, long_ago, observation_subject};
use domain::event::{Footage, Retraction};
use domain::record::RecordKind;
use serde_json::Value;
use sync::target::{SideWrite, Subject, SubjectBody, Target, TargetError};

async fn live(site: &Site, kind: RecordKind, subject: &Subject) {
    let fields = site.fields(subject).await;
    let made = site.target.create(site.call(), &site.project, kind, &fields).await.unwrap();
    let remote = site.target.read(site.call(), &site.project, kind, &made.id).await.unwrap().unwrap();
    site.target.update(site.call(), &site.project, kind, &remote, &fields).await.unwrap();
    site.target.look(site.call(), &site.project, kind, MARKER, long_ago()).await.unwrap();
    site.target.commented(site.call(), &site.project, kind, &made.id, MARKER).await.unwrap();
    let status = site.target.statuses(kind).closed;
    let write = SideWrite { comment: format!("Closed. [{MARKER}]"), status: Some(status) };
    site.target.side_write(site.call(), &site.project, kind, &made, &write).await.unwrap();
}

#[tokio::test]
async fn no_request_ever_carries_a_filing_type_a_worker_id_or_a_mail_to_everyone() {
    let site = Site::start().await;
    live(&site, RecordKind::Incident, &incident_subject(incident())).await;
    live(&site, RecordKind::Observation, &observation_subject(detection())).await;
    let calls = site.sandbox.calls();
    assert!(calls.iter().filter(|call| call.body.is_some()).count() >= 6, "the bodies are kept");
    for call in calls {
        let sent = format!("{} {} {}", call.path, call.query, call.body.clone().unwrap_or(Value::Null));
        for never in
            ["filing_type", "injuries", "send_unsent", "send_email", "run_configurable_validations", "private", WORKER]
        {
            assert!(!sent.contains(never), "{never} in {sent}");
        }
    }
    for create in
        site.sandbox.calls_of("createIncident").into_iter().chain(site.sandbox.calls_of("createObservationItem"))
    {
        assert!(!create.body.unwrap().to_string().contains("\"status\""));
    }
    site.assert_clean();
}

#[tokio::test]
async fn a_privacy_case_goes_out_without_role_trade_and_words() {
    let site = Site::start().await;
    let mut case = incident();
    case.privacy_case = true;
    let mut subject = incident_subject(case);
    if let SubjectBody::Incident(fact) = &mut subject.body {
        let incident_id = fact.incident_id.clone();
        fact.retraction = Some(Retraction { incident_id, revision: 2, reason: "Typed by someone".into() });
    }
    live(&site, RecordKind::Incident, &subject).await;
    for call in site.sandbox.calls() {
        let sent = call.body.map(|body| body.to_string()).unwrap_or_default();
        for never in ["Rigger", "Ironwork", "swung", "Typed by"] {
            assert!(!sent.contains(never), "{never} in {sent}");
        }
    }
    assert!(site.sandbox.incidents(site.id())[0].description.as_ref().unwrap().contains("RETRACTED"));
    site.assert_clean();
}

#[tokio::test]
async fn footage_goes_nowhere_only_a_link_to_a_page_of_ours() {
    let site = Site::start().await;
    let mut seen = detection();
    let (edge_path, s3_key) = ("/video/cam-7/1600.mp4".to_owned(), "footage/cam-7/1600.mp4".to_owned());
    seen.footage = Some(Footage { edge_path: Some(edge_path), s3_key: Some(s3_key) });
    live(&site, RecordKind::Observation, &observation_subject(seen)).await;
    let bodies = site.sandbox.calls().into_iter().filter_map(|call| call.body);
    let sent: String = bodies.map(|body| body.to_string()).collect();
    assert!(sent.contains("https://pulse.example.com/"), "no link in {sent}");
    for never in ["1600.mp4", "footage", "attachments", "prostore", "image"] {
        assert!(!sent.to_lowercase().contains(never), "{never} in {sent}");
    }
    site.assert_clean();
}

#[tokio::test]
async fn what_nobody_can_look_up_is_said_and_not_asked_for() {
    let site = Site::start().await;
    assert!(matches!(
        site.target.find(site.call(), &site.project, "location:[]").await,
        Err(TargetError::Refused { .. })
    ));
    assert_eq!(site.sandbox.calls().len(), 0);
}
