//! The due index and the due item.
use crate::lanes::lane;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use store::Table;
use store::due::{Owner, Reason, arm, change, get, move_on, overdue, shards};

async fn due_lanes(table: &dyn Table, now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    for shard in shards() {
        for (_, due) in overdue(table, &shard, now, 100, &BTreeSet::new()).await.expect("overdue") {
            let due = due.expect("a due item that reads");
            if let Owner::Lane(lane) = &due.owner {
                found.push((due.at(), lane.connection_id.to_string()));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

pub async fn the_index_gives_what_is_due_soonest_first(table: &dyn Table, prefix: &str) {
    let start: Timestamp = "2020-01-01T00:00:00Z".parse().expect("a time");
    let minutes = |n| start + SignedDuration::from_mins(n);
    let lanes: Vec<_> = (0..3).map(|n| lane(&format!("{prefix}-due-{n}"))).collect();
    for (n, lane) in (0..).zip(&lanes) {
        change(table, lane, |reasons| {
            reasons.insert(Reason::NextTry, minutes(10 - n));
        })
        .await
        .expect("change");
    }
    let ours = |found: Vec<String>| -> Vec<usize> {
        let place = |id: &String| lanes.iter().position(|lane| lane.connection_id.as_str() == id);
        found.iter().filter_map(place).collect()
    };
    assert_eq!(ours(due_lanes(table, minutes(7)).await), Vec::<usize>::new());
    assert_eq!(ours(due_lanes(table, minutes(9)).await), [2, 1]);
    assert_eq!(ours(due_lanes(table, minutes(10)).await), [2, 1, 0]);
    let due = get(table, &lanes[2]).await.expect("get");
    move_on(table, &due, minutes(10)).await.expect("move on");
    assert_eq!(ours(due_lanes(table, minutes(19)).await), [1, 0]);
    assert_eq!(ours(due_lanes(table, minutes(20)).await), [1, 0, 2]);
    for lane in &lanes {
        change(table, lane, BTreeMap::clear).await.expect("clear");
    }
    assert_eq!(ours(due_lanes(table, minutes(60)).await), Vec::<usize>::new());
}

pub async fn a_change_is_conditional_and_the_least_reason_counts(table: &dyn Table, prefix: &str) {
    let lane = lane(&format!("{prefix}-arm"));
    let now: Timestamp = "2020-01-01T00:00:00Z".parse().expect("a time");
    arm(table, &lane, now).await.expect("arm");
    let armed = get(table, &lane).await.expect("get");
    assert_eq!(armed.at(), Some(now + SignedDuration::from_mins(10)));
    arm(table, &lane, now + SignedDuration::from_mins(5)).await.expect("arm again");
    assert_eq!(get(table, &lane).await.expect("get"), armed, "an earlier arm stands, and costs no write");
    change(table, &lane, |reasons| {
        reasons.insert(Reason::Pause, now + SignedDuration::from_mins(1));
    })
    .await
    .expect("change");
    move_on(table, &armed, now).await.expect("a stale move is no error");
    let due = get(table, &lane).await.expect("get");
    assert_eq!(due.at(), Some(now + SignedDuration::from_mins(1)), "and changes nothing");
    change(table, &lane, |reasons| reasons.retain(|reason, _| *reason != Reason::Rung)).await.expect("disarm");
    assert_eq!(get(table, &lane).await.expect("get").reasons.len(), 1);
    change(table, &lane, BTreeMap::clear).await.expect("clear");
}
