//! What is due is rung, whatever stands before it.
use domain::ids::{ConnectionId, OrganizationId, Provider};
use jiff::Timestamp;
use serde_json::json;
use store::bell::MemoryBell;
use store::bus::MemoryBus;
use store::due::{self, Reason};
use store::lanes::LaneId;
use store::memory::MemoryTable;
use store::table::{Key, item};
use store::{Condition, Table};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[tokio::test]
async fn items_that_do_not_read_hold_nobody_up_who_is_due_after_them() {
    let (table, bell, bus) = (MemoryTable::default(), MemoryBell::default(), MemoryBus::default());
    // More than a page, in each shard, and due before all others.
    for shard in due::shards() {
        for n in 0..150 {
            let broken = json!({"due_shard": shard, "due_at": "2026-11-24T15:00:00.000Z", "reasons": "none"});
            let key = Key::new(format!("ORG#o#CONN#{shard}{n}"), "DUE");
            table.put(item(&key, &broken).unwrap(), Condition::Always).await.unwrap();
        }
    }
    let lane = |n| LaneId {
        organization_id: OrganizationId::new(ulid::Ulid::from_parts(1, 1)),
        connection_id: ConnectionId::new(ulid::Ulid::from_parts(1, n)),
        provider: Provider::Procore,
    };
    for n in 0..20 {
        let due = |reasons: &mut std::collections::BTreeMap<Reason, Timestamp>| {
            reasons.insert(Reason::NextTry, at("2026-11-24T15:59:00Z"));
        };
        due::change(&table, &lane(n), due).await.unwrap();
    }
    let error = clock::tick(&table, &bell, &bus, at("2026-11-24T16:00:00Z")).await.unwrap_err();
    assert!(error.to_string().starts_with("600 of 620"), "{error}");
    assert_eq!(bell.take().len(), 20);
    // They were moved on; the broken ones are told of each minute.
    clock::tick(&table, &bell, &bus, at("2026-11-24T16:01:00Z")).await.unwrap_err();
    assert!(bell.take().is_empty());
}
