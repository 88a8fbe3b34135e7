//! What the lane is told when an answer is late, lost, refused or asks to wait.
use crate::site::{Site, detection, incident, incident_subject, observation_subject};
use domain::record::RecordKind;
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Effect, Rule, Shape};
use sandbox::limits::Limits;
use std::sync::atomic::Ordering;
use sync::target::{SideWrite, Target, TargetError};

const INCIDENT: RecordKind = RecordKind::Incident;

fn status(status: u16, shape: Shape, retry_after: Option<u64>, message: &str, done: bool) -> Effect {
    Effect::Status { status, shape, retry_after, message: Some(message.into()), done }
}

#[tokio::test]
async fn a_create_is_unclear_exactly_where_it_may_have_been_done() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    for (effect, unclear, made) in [
        (Effect::LostAfter, true, 1),
        (Effect::LostBefore, true, 0),
        (Effect::DelayAfter { ms: 2000 }, true, 1),
        (status(500, Shape::List, None, "x", true), true, 1),
        (status(502, Shape::Text, None, "<html>", false), true, 0),
        (status(408, Shape::Flat, None, "x", false), true, 0),
        (status(409, Shape::Flat, None, "x", false), false, 0),
        (status(422, Shape::Fields, None, "x", false), false, 0),
    ] {
        let before = site.sandbox.incidents(site.id()).len();
        site.sandbox.faults().add(Rule::new(effect.clone()).operation("createIncident").times(1));
        let error = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err();
        assert_eq!(matches!(error, TargetError::Unclear { .. }), unclear, "{effect:?}: {error:?}");
        assert_eq!(site.sandbox.incidents(site.id()).len() - before, made, "{effect:?}");
    }
    assert_eq!(site.sandbox.calls_of("createIncident").len(), 8, "one request each, no retry");
}

#[tokio::test]
async fn other_writes_are_unclear_too_and_reads_are_just_not_done() {
    let site = Site::start().await;
    let subject = observation_subject(detection());
    let fields = site.fields(&subject).await;
    let made = site.target.create(site.call(), &site.project, RecordKind::Observation, &fields).await.unwrap();
    site.sandbox.faults().add(Rule::new(Effect::LostAfter).method("PATCH").times(1));
    let update = site.target.update(site.call(), &site.project, RecordKind::Observation, &made, &fields).await;
    assert!(matches!(update, Err(TargetError::Unclear { .. })), "{update:?}");
    site.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("createObservationResponseLog").times(1));
    let write = SideWrite { comment: "c".into(), status: None };
    let commented = site.target.side_write(site.call(), &site.project, RecordKind::Observation, &made, &write).await;
    assert!(matches!(commented, Err(TargetError::Unclear { .. })), "{commented:?}");
    assert_eq!(site.sandbox.response_logs(made.id.parse().unwrap()).len(), 1);
    for effect in [Effect::LostBefore, Effect::DelayBefore { ms: 2000 }, status(500, Shape::List, None, "x", false)] {
        site.sandbox.faults().add(Rule::new(effect.clone()).method("GET").times(1));
        let read = site.target.read(site.call(), &site.project, RecordKind::Observation, &made.id).await;
        assert!(matches!(read, Err(TargetError::NotDone { .. })), "{effect:?}: {read:?}");
    }
    // Finding or making a location twice is harmless.
    site.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("findOrCreateLocation").times(1));
    let found = site.target.find(site.call(), &site.project, "location:[\"Roof\"]").await;
    assert!(matches!(found, Err(TargetError::NotDone { .. })), "{found:?}");
    site.assert_clean();
}

#[tokio::test]
async fn a_host_that_is_away_was_surely_not_asked() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    let away = crate::site::target(&url, std::sync::Arc::new(crate::site::Wrong));
    let error = away.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err();
    assert!(matches!(error, TargetError::NotDone { .. }), "{error:?}");
}

#[tokio::test]
async fn the_platforms_words_come_through_in_every_shape() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    for (shape, expected) in [
        (Shape::Flat, "is bad"),
        (Shape::List, "is bad"),
        (Shape::Fields, "is bad"),
        (Shape::Envelope, "base: is bad"),
        (Shape::Text, "is bad"),
    ] {
        site.sandbox
            .faults()
            .add(Rule::new(status(422, shape, None, "is bad", false)).operation("createIncident").times(1));
        match site.target.create(site.call(), &site.project, INCIDENT, &fields).await {
            Err(TargetError::Refused { words }) => assert!(words.ends_with(expected), "{shape:?}: {words}"),
            other => panic!("{shape:?}: {other:?}"),
        }
    }
    let mut wrong = fields.clone();
    wrong.insert("location_id".into(), serde_json::json!(1));
    let refused = site.target.create(site.call(), &site.project, INCIDENT, &wrong).await;
    assert!(matches!(&refused, Err(TargetError::Refused { words }) if words == "location: must exist"), "{refused:?}");
    site.assert_clean();
}

#[tokio::test]
async fn a_full_window_pauses_and_its_end_is_learnt() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    let told = site.meter.last();
    assert!(
        told.limit.is_some() && told.remaining.is_some() && told.reset.is_some() && told.pause_until.is_none(),
        "{told:?}"
    );
    site.sandbox.set_limits(Limits { per_hour: 0, per_ten_seconds: 25 });
    let error = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err();
    let TargetError::Paused { until, everything: true } = error else { panic!("{error:?}") };
    let told = site.meter.last();
    assert_eq!((told.pause_until, told.remaining), (Some(until), Some(0)));
    assert!(until > Timestamp::now() - SignedDuration::from_secs(1) && site.sandbox.incidents(site.id()).is_empty());
}

#[tokio::test]
async fn a_busy_platform_pauses_reads_and_leaves_writes_unclear() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    site.sandbox.faults().add(Rule::new(Effect::Down { cut: false, retry_after: Some(90) }).path("/rest/"));
    let error = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unclear { retry_after: Some(wait), .. } if wait == SignedDuration::from_secs(90))
    );
    assert!(site.meter.last().pause_until.is_some());
    let error = site.target.read(site.call(), &site.project, INCIDENT, "8600000001").await.unwrap_err();
    assert!(matches!(error, TargetError::Paused { everything: true, .. }), "{error:?}");
}

#[tokio::test]
async fn what_the_meter_holds_back_is_not_sent() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    *site.meter.pause_from.lock().unwrap() = Some(site.meter.asked.load(Ordering::SeqCst));
    let calls = site.sandbox.calls().len();
    let error = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap_err();
    assert!(matches!(error, TargetError::Paused { everything: false, .. }), "{error:?}");
    assert_eq!(site.sandbox.calls().len(), calls);
}
