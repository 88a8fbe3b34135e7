//! What the lane is told when an answer is late, lost, refused or asks to wait.
use crate::site::{OBSERVATION, Site, detection, observation_subject};
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Effect, Rule, Shape};
use serde_json::json;
use std::sync::atomic::Ordering;
use sync::target::{SideWrite, Target, TargetError};

fn status(status: u16, retry_after: Option<u64>, done: bool) -> Effect {
    Effect::Status { status, shape: Shape::Flat, retry_after, message: Some("x".into()), done }
}

#[tokio::test]
async fn a_create_is_unclear_exactly_where_it_may_have_been_done() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    for (effect, unclear, made) in [
        (Effect::LostAfter, true, 1),
        (Effect::LostBefore, true, 0),
        (Effect::DelayAfter { ms: 2000 }, true, 1),
        (status(500, None, true), true, 1),
        (status(502, None, false), true, 0),
        (status(408, None, false), true, 0),
        (status(409, None, false), false, 0),
        (status(400, None, false), false, 0),
    ] {
        let before = site.issues().len();
        site.sandbox.faults().add(Rule::new(effect.clone()).operation("createIssue").times(1));
        let error = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap_err();
        assert_eq!(matches!(error, TargetError::Unclear { .. }), unclear, "{effect:?}: {error:?}");
        assert_eq!(site.issues().len() - before, made, "{effect:?}");
    }
    assert_eq!(site.calls_of("createIssue"), 8, "one request each, no retry");
}

#[tokio::test]
async fn other_writes_are_unclear_too_and_reads_are_just_not_done() {
    let site = Site::start().await;
    let subject = observation_subject(detection());
    let fields = site.fields(&subject).await;
    let made = site.made(OBSERVATION, &subject).await;
    site.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("patchIssue").times(1));
    let update = site.target.update(site.call(), &site.project, OBSERVATION, &made, &fields).await;
    assert!(matches!(update, Err(TargetError::Unclear { .. })), "{update:?}");
    site.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("createComment").times(1));
    let write = SideWrite { comment: "c".into(), status: None };
    let commented = site.target.side_write(site.call(), &site.project, OBSERVATION, &made, &write).await;
    assert!(matches!(commented, Err(TargetError::Unclear { .. })), "{commented:?}");
    assert_eq!(site.sandbox.comments(&made.id).len(), 1);
    for effect in [Effect::LostBefore, Effect::DelayBefore { ms: 2000 }, status(500, None, false)] {
        site.sandbox.faults().add(Rule::new(effect.clone()).method("GET").times(1));
        let read = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await;
        assert!(matches!(read, Err(TargetError::NotDone { .. })), "{effect:?}: {read:?}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_autodesks_words() {
    let site = Site::start().await;
    let mut fields = site.fields(&observation_subject(detection())).await;
    fields.insert("issueSubtypeId".into(), json!("5a0db0c5-0000-4000-8000-00000000ffff"));
    let refused = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await;
    let Err(TargetError::Refused { words }) = &refused else { panic!("{refused:?}") };
    assert!(words.contains("the issue subtype does not exist"), "{words}");
}

#[tokio::test]
async fn a_used_up_minute_pauses_everything_for_as_long_as_autodesk_says() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    site.sandbox.set(|settings| settings.issues_per_minute = 1);
    site.sandbox.advance(60);
    let mut paused = None;
    for _ in 0..3 {
        if let Err(error) = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await {
            paused = Some(error);
            break;
        }
    }
    let Some(TargetError::Paused { until, everything: true }) = paused else { panic!("{paused:?}") };
    let wait = until.duration_since(Timestamp::now());
    assert!(wait > SignedDuration::ZERO && wait <= SignedDuration::from_secs(60), "{wait:?}");
    assert_eq!(site.meter.last().pause_until, Some(until));
}

#[tokio::test]
async fn each_request_is_asked_for_and_a_pause_sends_nothing() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    let asked = site.meter.asked.load(Ordering::SeqCst);
    assert_eq!(asked, 4, "project, subtypes, demanded fields, locations: tokens are no calls of the budget");
    *site.meter.pause_from.lock().unwrap() = Some(asked);
    let paused = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await;
    assert!(matches!(paused, Err(TargetError::Paused { .. })), "{paused:?}");
    assert_eq!(site.calls_of("createIssue"), 0);
}
