//! What people do to a record at any platform comes back, killed or lied to at every step, and nothing of it goes back there:
//! status everywhere, comments where the platform gives them.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::history::violations;
use crash::on_each_platform;
use crash::world::World;
use domain::fact::{Fact, FactKind};
use domain::ids::Provider;
use domain::record::{RecordKind, RecordState};
use domain::treatment::Account;
use jiff::SignedDuration;
use serde_json::json;
use store::due::Reason;
use store::facts::SiteFacts;

on_each_platform!(
    a_status_comes_back_by_the_timed_re_read_whatever_step_fails,
    a_status_comes_back_when_asked_for_whatever_step_fails,
    our_own_writes_are_no_news_and_cause_none,
    a_record_that_was_thrown_away_is_blocked_with_words_and_synced_when_it_is_back,
    a_platform_that_does_not_answer_changes_nothing_here,
);

async fn begun(on: Provider) -> World {
    let mut world = World::on(on, 1).await.unwrap();
    world.reread_every = Some(SignedDuration::from_mins(30));
    let never = Fault::never();
    world.route(&world.message(vec![zone(1), confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    // People come later than ours.
    world.clock.advance(SignedDuration::from_secs(5));
    world
}

async fn fact(world: &World, kind: FactKind, n: u128) -> Fact {
    let facts =
        SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id };
    facts.get(kind, &id(n)).await.unwrap().unwrap()
}

async fn told(world: &World) -> Option<Account> {
    fact(world, FactKind::Incident, 9).await.treatment.of_connection(&world.lane.connection_id).cloned()
}

fn remote(world: &World) -> String {
    world.shown(RecordKind::Incident)[0].id.clone()
}

fn close(world: &World) {
    world.edit(RecordKind::Incident, &remote(world), json!({"status": "closed"})).unwrap();
}

async fn closed(world: &World, wrote: usize, case: &str) {
    let told = told(world).await.unwrap_or_else(|| panic!("{case}: nothing came back"));
    assert_eq!(told.status.as_deref(), Some("closed"), "{case}");
    assert_eq!(world.writes(), wrote, "{case}: something was written there");
    assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
    violations(world, case);
}

async fn a_status_comes_back_by_the_timed_re_read_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        for at in 0.. {
            let (world, case) = (begun(on).await, format!("{mode:?} at step {at}"));
            close(&world);
            let (fault, wrote) = (Fault::new(at, mode), world.writes());
            world.reread(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            // A read that failed is made up for at the next one.
            world.reread(&Fault::never()).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            closed(&world, wrote, &case).await;
            if !fault.struck() {
                assert!(at > 8, "only {at} steps");
                break;
            }
        }
    }
}

async fn a_status_comes_back_when_asked_for_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        for at in 0.. {
            let (world, case) = (begun(on).await, format!("{mode:?} at step {at}"));
            close(&world);
            let (fault, wrote) = (Fault::new(at, mode), world.writes());
            world.ask_back(RecordKind::Incident, id(9)).await.unwrap();
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            closed(&world, wrote, &case).await;
            if !fault.struck() {
                assert!(at > 8, "only {at} steps");
                break;
            }
        }
    }
}

async fn our_own_writes_are_no_news_and_cause_none(on: Provider) {
    let (world, never) = (begun(on).await, Fault::never());
    world.route(&world.message(vec![detection(1)]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    // A comment and a status of ours.
    world.route(&world.message(vec![confirmed(incident(9, 2, &[1]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    let wrote = world.writes();
    for _ in 0..3 {
        world.reread(&never).await.unwrap();
    }
    assert!(told(&world).await.is_none(), "our own record is no news");
    let observation = fact(&world, FactKind::Detection, 1).await.treatment;
    let status = observation.of_connection(&world.lane.connection_id).and_then(|account| account.status.clone());
    assert!(status.is_none_or(|status| status == "closed") && observation.injuries().count() == 0);
    assert_eq!(world.writes(), wrote, "nothing is written after a read");
}

async fn a_record_that_was_thrown_away_is_blocked_with_words_and_synced_when_it_is_back(on: Provider) {
    let (world, never) = (begun(on).await, Fault::never());
    let there = remote(&world);
    world.delete(RecordKind::Incident, &there).unwrap();
    world.reread(&never).await.unwrap();
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    assert_eq!(link.state, RecordState::Blocked);
    assert!(link.reason.unwrap().contains("Restore it"));
    world.clock.advance(SignedDuration::from_secs(5));
    world.restore(RecordKind::Incident, &there).unwrap();
    world.reread(&never).await.unwrap();
    assert_eq!(world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap().state, RecordState::Synced);
    assert_eq!(world.shown(RecordKind::Incident).len(), 1);
}

async fn a_platform_that_does_not_answer_changes_nothing_here(on: Provider) {
    let (world, never) = (begun(on).await, Fault::never());
    close(&world);
    world.reread(&never).await.unwrap();
    let before = fact(&world, FactKind::Incident, 9).await;
    let down = sandbox::faults::Effect::Down { cut: true, retry_after: None };
    let rule = world.faults().add(sandbox::faults::Rule::new(down));
    let soon = world.clock_now() + SignedDuration::from_hours(2);
    world.rest_until(&never, Some(soon)).await.unwrap();
    assert_eq!(fact(&world, FactKind::Incident, 9).await, before);
    world.faults().remove(rule);
    world.rest(&never).await.unwrap();
    assert_eq!(fact(&world, FactKind::Incident, 9).await, before);
}

/// One poll's news: an edited issue, one that was deleted, one that was only talked about.
#[tokio::test]
async fn a_poll_takes_in_all_that_happened_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let (world, case) = (begun(Provider::Acc).await, format!("{mode:?} at step {at}"));
            let never = Fault::never();
            world.route(&world.message(vec![detection(1), detection(2)]), &never).await.unwrap();
            world.rest(&never).await.unwrap();
            world.clock.advance(SignedDuration::from_secs(5));
            let mut there = Vec::new();
            for n in [1, 2] {
                let link = world.link(RecordKind::Observation, id(n)).await.unwrap().unwrap();
                there.push(link.remote_id.unwrap());
            }
            close(&world);
            world.acc.person_comments(&there[0], "Barrier moved.").unwrap();
            world.delete(RecordKind::Observation, &there[1]).unwrap();
            let (fault, wrote) = (Fault::new(at, mode), world.writes());
            world.reread(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            world.reread(&never).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            closed(&world, wrote, &case).await;
            let account = fact(&world, FactKind::Detection, 1).await.treatment;
            let account =
                account.of_connection(&world.lane.connection_id).unwrap_or_else(|| panic!("{case}: no comment"));
            assert_eq!(account.comments, ["Barrier moved."], "{case}");
            let gone = world.link(RecordKind::Observation, id(2)).await.unwrap().unwrap();
            assert_eq!(gone.state, RecordState::Blocked, "{case}");
            if !fault.struck() {
                assert!(at > 12, "only {at} steps");
                break;
            }
        }
    }
}

/// A list may show a change only some time after it was made.
#[tokio::test]
async fn what_a_poll_came_too_early_for_is_taken_in_by_the_next() {
    let (world, never) = (begun(Provider::Acc).await, Fault::never());
    world.reread(&never).await.unwrap();
    let due = store::due::get(&world.table, &world.lane).await.unwrap().reasons[&Reason::Reread];
    world.clock.move_to(due - SignedDuration::from_secs(30));
    close(&world);
    world.lag(60);
    world.reread(&never).await.unwrap();
    assert!(told(&world).await.is_none(), "the list did not lag");
    let wrote = world.writes();
    world.reread(&never).await.unwrap();
    closed(&world, wrote, "by the next poll").await;
}

/// Autodesk gives comments; Procore's incidents have none.
#[tokio::test]
async fn a_persons_comments_come_back_without_a_name_and_ours_do_not() {
    let (world, never) = (begun(Provider::Acc).await, Fault::never());
    world.acc.person_comments(&remote(&world), "Toe board is up again.").unwrap();
    let wrote = world.writes();
    world.reread(&never).await.unwrap();
    let account = told(&world).await.expect("an account");
    assert_eq!(account.comments, ["Toe board is up again."]);
    assert!(!serde_json::to_string(&account).unwrap().contains("SBX"), "a person came along");
    assert_eq!(world.writes(), wrote);
    // A second one, though a comment may not count as a change of its issue.
    world.acc.person_comments(&remote(&world), "Checked.").unwrap();
    world.reread(&never).await.unwrap();
    assert_eq!(told(&world).await.unwrap().comments.len(), 2);
}
