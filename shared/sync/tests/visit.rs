//! Calls of pages count in the lane's budget, whatever the lane did meanwhile.
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use store::lanes::{Lane, LaneId};
use store::memory::MemoryTable;
use sync::budget::{Admission, Answered, Budget};
use sync::clock::SystemClock;
use sync::target::Meter;
use sync::visit::PageMeter;

const READ: SignedDuration = SignedDuration::from_secs(8);

fn lane_id() -> LaneId {
    let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
    let connection_id = ConnectionId::derive(&organization_id, Provider::Procore, "7");
    LaneId { organization_id, connection_id, provider: Provider::Procore }
}

#[tokio::test]
async fn a_pages_calls_are_added_to_what_the_lane_used_meanwhile() {
    let (table, id) = (MemoryTable::default(), lane_id());
    let lane = Lane { table: &table, id: &id };
    let meter = PageMeter::open(&table, &id, &SystemClock).await.unwrap();
    for _ in 0..3 {
        assert_eq!(meter.before(WorkClass::ReadBack, READ).await, Admission::Go);
    }
    let mut lanes_own = Budget::of(Provider::Procore);
    for _ in 0..5 {
        lanes_own.admit(WorkClass::Observation, Timestamp::now());
    }
    lane.put_budget(&lanes_own).await.unwrap();
    meter.close().await.unwrap();
    assert_eq!(lane.budget::<Budget>().await.unwrap().unwrap().calls, 8);
}

#[tokio::test]
async fn a_pause_that_a_page_was_told_of_holds_the_lane() {
    let (table, id) = (MemoryTable::default(), lane_id());
    let meter = PageMeter::open(&table, &id, &SystemClock).await.unwrap();
    assert_eq!(meter.before(WorkClass::ReadBack, READ).await, Admission::Go);
    let until = Timestamp::now() + SignedDuration::from_mins(10);
    meter.after(Answered { pause_until: Some(until), ..Answered::default() });
    assert!(matches!(meter.before(WorkClass::ReadBack, READ).await, Admission::Pause { .. }));
    meter.close().await.unwrap();
    let kept: Budget = Lane { table: &table, id: &id }.budget().await.unwrap().unwrap();
    assert_eq!((kept.paused_until(Timestamp::now()), kept.calls), (Some(until), 1));
}

#[tokio::test]
async fn without_a_connection_nothing_is_kept() {
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    assert_eq!(meter.before(WorkClass::ReadBack, READ).await, Admission::Go);
    meter.close().await.unwrap();
}
