//! Todos and links.
use domain::ids::{ConnectionId, OrganizationId, Provider, SiteId};
use domain::record::{RecordKey, RecordKind, RecordState, WorkClass};
use jiff::{SignedDuration, Timestamp};
use store::lanes::{Lane, LaneId, Link, Todo};
use store::{Table, TableError};

/// A lane of its own for each name.
pub fn lane(name: &str) -> LaneId {
    let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
    let connection_id = ConnectionId::derive(&organization_id, Provider::Procore, name);
    LaneId { organization_id, connection_id, provider: Provider::Procore }
}

fn now() -> Timestamp {
    "2026-11-24T16:00:00Z".parse().expect("a time")
}

fn record(kind: RecordKind, milliseconds: u64) -> RecordKey {
    let fact_id = ulid::Ulid::from_parts(milliseconds, 1).to_string();
    RecordKey { kind, site_id: SiteId::new(ulid::Ulid::from_parts(2, 2)), fact_id }
}

fn todo(kind: RecordKind, milliseconds: u64, token: &str) -> Todo {
    Todo::new(record(kind, milliseconds), now(), token.into())
}

pub async fn a_todo_asked_for_during_handling_is_not_lost(table: &dyn Table, prefix: &str) {
    let id = lane(&format!("{prefix}-todo"));
    let lane = Lane { table, id: &id };
    lane.ask(&[todo(RecordKind::Observation, 1, "first")]).await.expect("ask");
    let mut handled = lane.ready(10).await.expect("ready").remove(0);
    assert!(lane.begin(&mut handled).await.expect("begin"));
    assert_eq!(lane.ready(10).await.expect("ready")[0].attempts, 1, "the attempt is noted");
    lane.ask(&[todo(RecordKind::Observation, 1, "second")]).await.expect("ask again");
    lane.finish(&handled).await.expect("finish");
    let left = lane.ready(10).await.expect("ready");
    assert_eq!((left.len(), left[0].token.as_str(), left[0].attempts), (1, "second", 0));
    assert!(!lane.begin(&mut handled).await.expect("begin"), "a stale todo is not begun");
    lane.put_off(&left[0], now() + SignedDuration::from_mins(1), "later".into(), true).await.expect("put off");
    assert!(lane.ready(10).await.expect("ready").is_empty());
    let waiting = lane.waiting(10).await.expect("waiting");
    assert_eq!((waiting.len(), waiting[0].tries), (1, 1));
    lane.finish(&waiting[0]).await.expect("finish");
    assert!(lane.waiting(10).await.expect("waiting").is_empty());
}

pub async fn todos_come_by_class_then_time_and_waiting_ones_by_class_then_next_try(table: &dyn Table, prefix: &str) {
    let id = lane(&format!("{prefix}-order"));
    let lane = Lane { table, id: &id };
    let asked = [(RecordKind::Observation, 5), (RecordKind::Observation, 3), (RecordKind::Incident, 9)];
    let todos: Vec<Todo> = asked.iter().map(|(kind, at)| todo(*kind, *at, "t")).collect();
    lane.ask(&todos).await.expect("ask");
    let order: Vec<_> =
        lane.ready(10).await.expect("ready").iter().map(|t| (t.record.kind, t.at.as_millisecond())).collect();
    let expected = [(RecordKind::Incident, 9), (RecordKind::Observation, 3), (RecordKind::Observation, 5)];
    assert_eq!(order, expected);
    let at = |minutes| now() + SignedDuration::from_mins(minutes);
    for (todo, minutes) in lane.ready(10).await.expect("ready").iter().zip([30, 10, 20]) {
        lane.put_off(todo, at(minutes), "later".into(), false).await.expect("put off");
    }
    // The incident was put off the longest, and still comes before the observations.
    let next: Vec<_> = lane.waiting(10).await.expect("waiting").iter().filter_map(|t| t.next_try).collect();
    assert_eq!(next, [at(30), at(10), at(20)]);
    for (class, minutes, count) in [
        (WorkClass::Observation, 9, 0),
        (WorkClass::Observation, 10, 1),
        (WorkClass::Observation, 20, 2),
        (WorkClass::Incident, 29, 0),
        (WorkClass::Incident, 30, 1),
        (WorkClass::Summary, 60, 0),
    ] {
        let overdue = lane.overdue(class, at(minutes), 10).await.expect("overdue");
        assert_eq!(overdue.len(), count, "{class:?} after {minutes} minutes");
    }
    assert_eq!(lane.next_try(WorkClass::Observation).await.expect("next"), Some(at(10)));
    assert_eq!(lane.next_try(WorkClass::Incident).await.expect("next"), Some(at(30)));
    assert_eq!(lane.next_try(WorkClass::Reread).await.expect("next"), None);
    for todo in lane.waiting(10).await.expect("waiting") {
        lane.finish(&todo).await.expect("finish");
    }
}

pub async fn a_link_is_written_only_as_read(table: &dyn Table, prefix: &str) {
    let id = lane(&format!("{prefix}-link"));
    let lane = Lane { table, id: &id };
    let mut link = Link {
        record: record(RecordKind::Incident, 4),
        project_id: "8600000071".into(),
        marker: "HHP-7F3K9Q2M".into(),
        state: RecordState::Pending,
        reason: None,
        who: None,
        waits_for_project: false,
        remote_id: None,
        remote_url: None,
        gave_status: None,
        answered_at: None,
        intent_at: Some(now()),
        first_intent_at: Some(now()),
        looks: 0,
        looked_at: None,
        sweep_at: None,
        sweeps: 0,
        written: Default::default(),
        conflicts: vec![],
        read: None,
        steps: Default::default(),
        updated_at: now(),
        version: 0,
    };
    let mut other = link.clone();
    lane.put_link(&mut link).await.expect("put");
    assert_eq!(lane.link(&link.record).await.expect("get"), Some(link.clone()));
    assert!(matches!(lane.put_link(&mut other).await, Err(TableError::Condition(_))), "a second one is refused");
    link.state = RecordState::Synced;
    lane.put_link(&mut link).await.expect("put at the version read");
    let mut stale = Link { version: 1, ..link.clone() };
    assert!(matches!(lane.put_link(&mut stale).await, Err(TableError::Condition(_))), "a stale one is refused");
    let links = lane.links(None, 10).await.expect("links");
    assert_eq!(links.len(), 1);
    assert!(lane.links(Some(&links[0].0), 10).await.expect("links").is_empty());
}
