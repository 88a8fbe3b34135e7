//! Looking for records by marker: every page, both bins, nothing but ours.
use crate::site::{MARKER, Site, detection, incident, incident_subject, long_ago, observation_subject};
use domain::record::RecordKind;
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Effect, Rule};
use serde_json::json;
use sync::target::{Target, TargetError};

const BOTH: [RecordKind; 2] = [RecordKind::Incident, RecordKind::Observation];

async fn fill(site: &Site, kind: RecordKind, others: usize) -> String {
    let (subject, title) = match kind {
        RecordKind::Incident => (incident_subject(incident()), "title"),
        _ => (observation_subject(detection()), "name"),
    };
    let mut fields = site.fields(&subject).await;
    for number in 0..others {
        fields.insert(title.into(), json!(format!("Other {number} [{MARKER}X]")));
        site.target.create(site.call(), &site.project, kind, &fields).await.unwrap();
    }
    fields.insert(title.into(), json!(format!("Ours [{MARKER}]")));
    site.target.create(site.call(), &site.project, kind, &fields).await.unwrap().id
}

#[tokio::test]
async fn a_marker_is_found_on_the_last_of_many_pages() {
    let site = Site::start().await;
    site.sandbox.set_limits(sandbox::limits::Limits { per_hour: 10_000, per_ten_seconds: 10_000 });
    for kind in BOTH {
        let ours = fill(&site, kind, 205).await;
        let found = site.target.look(site.call(), &site.project, kind, MARKER, long_ago()).await.unwrap();
        assert_eq!(found.iter().map(|each| each.id.as_str()).collect::<Vec<_>>(), [ours.as_str()]);
    }
    assert_eq!(site.sandbox.calls_of("listIncidents").len(), 3);
    assert_eq!(site.sandbox.calls_of("listObservationItems").len(), 3);
    site.assert_clean();
}

#[tokio::test]
async fn what_was_made_before_the_window_is_not_found_and_search_is_never_used() {
    let site = Site::start().await;
    for kind in BOTH {
        fill(&site, kind, 0).await;
        let later = Timestamp::now() + SignedDuration::from_mins(10);
        assert_eq!(site.target.look(site.call(), &site.project, kind, MARKER, later).await.unwrap(), []);
        let skewed = Timestamp::now() + SignedDuration::from_mins(4);
        assert_eq!(site.target.look(site.call(), &site.project, kind, MARKER, skewed).await.unwrap().len(), 1);
    }
    for call in site.sandbox.calls() {
        assert!(!call.query.contains("query") && !call.query.contains("search"), "{call:?}");
    }
    site.assert_clean();
}

#[tokio::test]
async fn a_look_that_broke_off_is_an_error_and_not_an_empty_one() {
    let site = Site::start().await;
    site.sandbox.set_limits(sandbox::limits::Limits { per_hour: 10_000, per_ten_seconds: 10_000 });
    fill(&site, RecordKind::Incident, 101).await;
    site.sandbox.faults().add(Rule::new(Effect::LostBefore).operation("listIncidents").skip(1).times(1));
    let look = || site.target.look(site.call(), &site.project, RecordKind::Incident, MARKER, long_ago());
    assert!(matches!(look().await, Err(TargetError::NotDone { .. })));
    site.sandbox.faults().add(Rule::new(Effect::LostBefore).operation("listRecycledIncidents").times(1));
    assert!(matches!(look().await, Err(TargetError::NotDone { .. })));
    assert_eq!(look().await.unwrap().len(), 1);
    site.assert_clean();
}
