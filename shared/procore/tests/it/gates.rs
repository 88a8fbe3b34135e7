//! Tokens, the company header, and who must act when Procore lets us no further.
use crate::site::{Site, Wrong, detection, incident, incident_subject, observation_subject, target};
use domain::record::{Mender, RecordKind};
use sandbox::faults::{Effect, Rule, Shape};
use sandbox::procore::Level;
use std::collections::BTreeSet;
use std::sync::Arc;
use sync::target::{Block, Target, TargetError};

const INCIDENT: RecordKind = RecordKind::Incident;

fn project_block(error: TargetError) -> Block {
    match error {
        TargetError::Project(block) => block,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_token_serves_many_calls_and_companies() {
    let mut site = Site::start().await;
    site.fields(&incident_subject(incident())).await;
    site.at(1, 0);
    site.fields(&observation_subject(detection())).await;
    assert_eq!(site.sandbox.calls_of("oauthToken").len(), 1);
    for call in site.sandbox.calls().into_iter().filter(|call| call.path.starts_with("/rest/")) {
        assert!(call.company_id.is_some(), "{call:?}");
    }
    site.assert_clean();
}

#[tokio::test]
async fn an_expired_token_is_replaced_and_the_create_is_done_once() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    site.sandbox.expire_tokens();
    site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    assert_eq!(site.sandbox.incidents(site.id()).len(), 1);
    let statuses: Vec<_> = site.sandbox.calls_of("createIncident").iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(401), Some(201)]);
    assert_eq!(site.sandbox.calls_of("oauthToken").len(), 2);
    site.assert_clean();
}

#[tokio::test]
async fn a_401_in_spite_of_a_fresh_token_is_for_us_to_mend() {
    let site = Site::start().await;
    let unauthorized =
        Effect::Status { status: 401, shape: Shape::Flat, retry_after: None, message: None, done: false };
    site.sandbox.faults().add(Rule::new(unauthorized).path("/rest/"));
    let error = site.target.read(site.call(), &site.project, INCIDENT, "8600000001").await.unwrap_err();
    assert!(matches!(&error, TargetError::Connection(block) if block.who == Mender::HardhatPulse), "{error:?}");
    assert_eq!(site.sandbox.calls_of("showIncident").len(), 2);
}

#[tokio::test]
async fn refused_credentials_block_without_repeating_the_secret() {
    let site = Site::start().await;
    let target = target(site.sandbox.url(), Arc::new(Wrong));
    let error = target.read(site.call(), &site.project, INCIDENT, "8600000001").await.unwrap_err();
    assert!(matches!(&error, TargetError::Connection(block) if block.who == Mender::HardhatPulse), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("not-the-secret"));
    assert!(site.sandbox.calls().iter().all(|call| call.path == "/oauth/token"));
}

#[tokio::test]
async fn a_login_host_that_is_down_is_waited_for() {
    let site = Site::start().await;
    for effect in [
        Effect::Down { cut: true, retry_after: None },
        Effect::Down { cut: false, retry_after: None },
        Effect::DelayBefore { ms: 2000 },
    ] {
        site.sandbox.faults().add(Rule::new(effect.clone()).operation("oauthToken").times(1));
        let error = site.target.read(site.call(), &site.project, INCIDENT, "8600000001").await.unwrap_err();
        assert!(matches!(error, TargetError::NotDone { .. }), "{effect:?}: {error:?}");
    }
    assert!(site.target.read(site.call(), &site.project, INCIDENT, "8600000001").await.unwrap().is_none());
}

#[tokio::test]
async fn a_removed_app_stops_the_connection() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    site.sandbox.set_connected(site.company(), false);
    let error = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err();
    let TargetError::Connection(block) = &error else { panic!("{error:?}") };
    assert_eq!(block.who, Mender::PlatformAdmin);
    assert!(block.what_to_do.contains("App Management"), "{block:?}");
}

#[tokio::test]
async fn what_is_missing_in_a_project_is_named() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    let create = || async {
        project_block(site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err())
    };
    site.sandbox.set_service_level(site.company(), Level::ReadOnly);
    assert!(create().await.what_to_do.contains("Incidents: Standard"));
    site.sandbox.set_service_level(site.company(), Level::Standard);
    site.sandbox.set_tool(site.id(), "incidents", false);
    assert!(create().await.reason.contains("not active"));
    site.sandbox.set_tool(site.id(), "incidents", true);
    site.sandbox.set_permitted_projects(site.company(), Some(BTreeSet::new()));
    assert_eq!(create().await.who, Mender::PlatformAdmin);
    site.sandbox.set_permitted_projects(site.company(), None);
    site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    site.assert_clean();
}

#[tokio::test]
async fn a_project_that_is_not_shown_is_never_taken_for_a_missing_record() {
    let mut site = Site::start().await;
    site.project.id = "8609999999".into();
    for kind in [INCIDENT, RecordKind::Observation] {
        let error = site.target.read(site.call(), &site.project, kind, "8600000001").await.unwrap_err();
        project_block(error);
        let since = jiff::Timestamp::now();
        project_block(site.target.look(site.call(), &site.project, kind, "HHP-7F3K9Q2M", since).await.unwrap_err());
    }
}

#[tokio::test]
async fn ids_that_are_no_numbers_never_get_into_an_address() {
    let mut site = Site::start().await;
    let read = site.target.read(site.call(), &site.project, INCIDENT, "1/../../x").await;
    assert!(matches!(read, Err(TargetError::Refused { .. })), "{read:?}");
    for id in ["", "0", "-1", "1/incidents/2", "99999999999999999999"] {
        site.project.id = id.into();
        let block = project_block(site.target.read(site.call(), &site.project, INCIDENT, "1").await.unwrap_err());
        assert_eq!(block.who, Mender::SafetyManager);
    }
    assert_eq!(site.sandbox.calls().len(), 0);
}

#[tokio::test]
async fn without_the_list_of_hazards_an_incident_goes_without_one() {
    let site = Site::start().await;
    let forbidden = Effect::Status { status: 403, shape: Shape::Flat, retry_after: None, message: None, done: false };
    site.sandbox.faults().add(Rule::new(forbidden).operation("listHazards"));
    let fields = site.fields(&incident_subject(incident())).await;
    assert!(!fields.contains_key("hazard_id"));
    site.assert_clean();
}
