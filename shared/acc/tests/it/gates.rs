//! Who may ask: tokens, keys, membership, whose project it is.
use crate::site::{OBSERVATION, OneLanesOwn, SERVICE, Site, client, detection, observation_subject, service_account};
use acc::{AccTarget, ParameterCredentials};
use credentials::MemoryParameters;
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::record::Mender;
use sandbox::faults::{Effect, Rule};
use serde_json::json;
use std::sync::Arc;
use store::lanes::LaneId;
use sync::target::{Block, Rendered, Target, TargetError};

fn connection_block(error: &TargetError) -> &Block {
    let TargetError::Connection(block) = error else { panic!("{error:?}") };
    block
}

async fn read(site: &Site) -> TargetError {
    let id = "5a0db0c5-0000-4000-8000-00000000ffff";
    site.target.read(site.call(), &site.project, OBSERVATION, id).await.unwrap_err()
}

#[tokio::test]
async fn one_token_serves_many_calls_and_a_stale_one_is_renewed_without_a_second_create() {
    let site = Site::start().await;
    site.made(OBSERVATION, &observation_subject(detection())).await;
    site.sandbox.faults().add(
        Rule::new(Effect::Status {
            status: 401,
            shape: sandbox::faults::Shape::Flat,
            retry_after: None,
            message: None,
            done: false,
        })
        .operation("createIssue")
        .times(1),
    );
    site.made(OBSERVATION, &observation_subject(detection())).await;
    assert_eq!((site.issues().len(), site.calls_of("fetchToken")), (2, 2));
    site.assert_clean();
}

#[tokio::test]
async fn keys_that_are_none_and_keys_that_are_refused_are_ours_to_mend_and_never_shown() {
    let with = |member: &str, value: &str| {
        let mut account = service_account();
        account[member] = json!(value);
        account
    };
    let pem = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
    for (account, said) in [
        (with("private_key", "no key at all"), "is not PEM"),
        (with("private_key", pem), "no RSA key"),
        (with("key_id", "another"), "invalid_grant"),
        (with("id", "SBXANOTHER01"), "invalid_grant"),
        (json!({"id": SERVICE}), "is not a JSON object"),
        (json!("c2VjcmV0"), "is not a JSON object"),
    ] {
        let site = Site::with(account).await;
        let error = read(&site).await;
        let block = connection_block(&error);
        assert!(block.who == Mender::HardhatPulse && block.reason.contains(said), "{said}: {block:?}");
        let words = format!("{error:?} {error}");
        for secret in ["no key at all", "c2VjcmV0", "BEGIN", "sandbox-secret"] {
            assert!(!words.contains(secret), "{words}");
        }
    }
}

#[tokio::test]
async fn a_region_without_a_service_account_says_so() {
    let mut site = Site::start().await;
    site.project.region = Some(domain::autodesk::Region::Jpn);
    let error = read(&site).await;
    assert!(connection_block(&error).reason.contains("/t/aps/jpn/service-account"), "{error:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_refused_at_the_login_and_blocks_with_words() {
    let site = Site::start().await;
    // Autodesk's clock is an hour ahead: the statement is over before it arrives.
    site.sandbox.advance(3600);
    assert!(connection_block(&read(&site).await).reason.contains("invalid_grant"));
}

#[tokio::test]
async fn a_login_host_that_is_down_is_waited_for() {
    let site = Site::start().await;
    for effect in [Effect::Down { cut: true, retry_after: None }, Effect::Down { cut: false, retry_after: None }] {
        site.sandbox.faults().add(Rule::new(effect.clone()).operation("fetchToken").times(1));
        let error = read(&site).await;
        assert!(matches!(error, TargetError::NotDone { .. }), "{effect:?}: {error:?}");
    }
    site.made(OBSERVATION, &observation_subject(detection())).await;
}

#[tokio::test]
async fn a_customers_own_account_is_used_for_its_lane_only_and_is_theirs_to_mend() {
    let mut site = Site::start().await;
    let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
    let connection_id = ConnectionId::derive(&organization_id, Provider::Acc, "a");
    let lane = LaneId { organization_id, connection_id, provider: Provider::Acc };
    let parameters = Arc::new(MemoryParameters::of([("/i", "sandbox-client"), ("/s", "sandbox-secret")]));
    let app = ParameterCredentials { parameters, client_id: "/i".into(), client_secret: "/s".into() };
    let accounts = OneLanesOwn { lane: lane.clone(), key_id: "revoked".into() };
    site.target = AccTarget::new(client(site.sandbox.url(), app, Arc::new(accounts)));
    // The app's token, got first, is not lent to the lane that has an account of its own.
    site.made(OBSERVATION, &observation_subject(detection())).await;
    site.meter.lane = Some(lane);
    let error = read(&site).await;
    assert_eq!(connection_block(&error).who, Mender::SafetyManager);
}

#[tokio::test]
async fn a_project_of_another_account_is_refused_although_the_service_account_sees_it() {
    let mut site = Site::start().await;
    let ours = site.project.clone();
    site.at(4);
    site.made(OBSERVATION, &observation_subject(detection())).await;
    site.project.account = ours.account;
    let Rendered::Blocked(block) = site.rendered(&observation_subject(detection())).await else {
        panic!("not blocked")
    };
    assert!(block.what_to_do.contains("another account"), "{block:?}");
    site.assert_clean();
}

#[tokio::test]
async fn projects_that_have_no_issues_are_said_to_have_none() {
    let mut site = Site::start().await;
    for (at, said) in [(2, "BIM 360"), (3, "no such active project")] {
        site.at(at);
        let Rendered::Blocked(block) = site.rendered(&observation_subject(detection())).await else {
            panic!("not blocked")
        };
        assert!(block.reason.contains(said), "{block:?}");
    }
    site.at(0);
    site.sandbox.set_member(&site.project.id, SERVICE, false);
    let Rendered::Blocked(block) = site.rendered(&observation_subject(detection())).await else {
        panic!("not blocked")
    };
    assert_eq!(block.who, Mender::PlatformAdmin);
    let error = site.target.read(site.call(), &site.project, OBSERVATION, "5a0db0c5").await.unwrap_err();
    let TargetError::Project(block) = &error else { panic!("{error:?}") };
    assert!(block.what_to_do.contains("service account") && block.what_to_do.contains("Issues"), "{block:?}");
    site.assert_clean();
}

#[tokio::test]
async fn ids_take_either_form_and_never_more_than_an_id_gets_into_an_address() {
    let mut site = Site::start().await;
    site.project.id = format!("b.{}", site.project.id);
    site.project.account = format!("b.{}", site.project.account);
    site.made(OBSERVATION, &observation_subject(detection())).await;
    let read = site.target.read(site.call(), &site.project, OBSERVATION, "1/../../x").await;
    assert!(matches!(read, Err(TargetError::Refused { .. })), "{read:?}");
    for id in ["", "x", "b.", "a/b/c/d/e/f/g", "5a0db0c5-0000?x=1"] {
        site.project.id = id.into();
        let read = site.target.read(site.call(), &site.project, OBSERVATION, "5a0db0c5").await;
        assert!(matches!(read, Err(TargetError::Project(_))), "{id}: {read:?}");
    }
    site.assert_clean();
}

#[tokio::test]
async fn a_wrong_secret_is_ours_to_mend() {
    let site = Site::start().await;
    let parameters = Arc::new(MemoryParameters::of([
        ("/i", "sandbox-client"),
        ("/s", "not-the-secret"),
        ("/t/aps/us/service-account", &service_account().to_string()),
    ]));
    let accounts = acc::ParameterServiceAccounts::new(parameters.clone(), "t");
    let app = ParameterCredentials { parameters, client_id: "/i".into(), client_secret: "/s".into() };
    let wrong = AccTarget::new(client(site.sandbox.url(), app, Arc::new(accounts)));
    let error = wrong.read(site.call(), &site.project, OBSERVATION, "5a0db0c5").await.unwrap_err();
    let block = connection_block(&error);
    assert!(block.who == Mender::HardhatPulse && block.reason.contains("invalid_client"), "{block:?}");
    assert!(!format!("{error:?} {error}").contains("not-the-secret"));
}
