//! A connection to Autodesk that works with a person's access instead of a service account: the same records, in that person's name,
//! renewed by refresh tokens that work once.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::history::{enumerate, violations};
use crash::world::World;
use domain::fact::FactKind;
use domain::ids::Provider;
use domain::record::{Mender, RecordKind, RecordState};
use jiff::SignedDuration;
use sandbox::faults::{Effect, Rule};
use serde_json::json;
use store::again;
use store::directory::Directory;
use store::facts::SiteFacts;

const PERSON: &str = "SBXMANAGER01";

async fn begun() -> World {
    let mut world = World::on(Provider::Acc, 1).await.unwrap();
    world.reread_every = Some(SignedDuration::from_mins(30));
    world.consent().await.unwrap();
    world
}

async fn asked() -> World {
    let world = begun().await;
    let message = world.message(vec![zone(1), detection(1), confirmed(incident(9, 1, &[]))]);
    world.route(&message, &Fault::never()).await.unwrap();
    world
}

fn logins(world: &World) -> usize {
    world.calls().iter().filter(|call| call.path == "/authentication/v2/token").count()
}

async fn one_of_each(world: &World, case: &str) {
    let issues = world.acc.issues(world.project());
    assert_eq!(issues.len(), 2, "{case}: {issues:#?}");
    assert!(issues.iter().all(|issue| issue.created_by == PERSON), "{case}: made in another name");
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    assert_eq!(link.state, RecordState::Synced, "{case}");
    assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
    violations(world, case);
}

#[tokio::test]
async fn records_are_made_once_in_the_persons_name_whatever_step_fails() {
    for mode in Mode::ALL {
        enumerate(mode, asked, async |world, case| one_of_each(&world, &case).await).await;
    }
}

#[tokio::test]
async fn what_people_do_comes_back_the_persons_own_edits_too() {
    let (world, never) = (asked().await, Fault::never());
    world.rest(&never).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(5));
    let there = world.shown(RecordKind::Incident)[0].id.clone();
    world.edit(RecordKind::Incident, &there, json!({"status": "closed"})).unwrap();
    let wrote = world.writes();
    world.reread(&never).await.unwrap();
    let facts =
        SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id };
    let fact = facts.get(FactKind::Incident, &id(9)).await.unwrap().unwrap();
    let account = fact.treatment.of_connection(&world.lane.connection_id).expect("an account");
    assert_eq!((account.status.as_deref(), world.writes()), (Some("closed"), wrote));
}

#[tokio::test]
async fn an_access_that_ends_is_renewed_once() {
    let (world, never) = (asked().await, Fault::never());
    world.rest(&never).await.unwrap();
    assert_eq!(logins(&world), 0, "the access that was given serves");
    for hour in 1..=3 {
        world.clock.advance(SignedDuration::from_mins(61));
        world.route(&world.message(vec![detection(10 + hour)]), &never).await.unwrap();
        world.rest(&never).await.unwrap();
        assert_eq!(logins(&world), usize::try_from(hour).unwrap());
    }
    assert_eq!(world.acc.issues(world.project()).len(), 5);
    violations(&world, "renewed");
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_blocks_with_words_and_is_not_tried_again() {
    let (world, never) = (asked().await, Fault::never());
    world.rest(&never).await.unwrap();
    world.clock.advance(SignedDuration::from_mins(61));
    world.faults().add(Rule::new(Effect::LostAfter).operation("fetchToken").times(1));
    world.route(&world.message(vec![detection(11)]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    assert_eq!(logins(&world), 1);
    let (organization, connection) = (&world.lane.organization_id, &world.lane.connection_id);
    let blocked = Directory(&world.table).connection(organization, connection).await.unwrap().unwrap().blocked.unwrap();
    assert_eq!(blocked.who, Mender::SafetyManager);
    assert!(blocked.what_to_do.contains("signs in with Autodesk again"), "{blocked:?}");
    // The person agrees again, and what waited goes out.
    world.consent().await.unwrap();
    let standing = Directory(&world.table).connection(organization, connection).await.unwrap().unwrap();
    again::connection(&world.table, &world.bell, &standing, world.clock_now()).await.unwrap();
    world.rest(&never).await.unwrap();
    assert_eq!((world.acc.issues(world.project()).len(), logins(&world)), (3, 1));
}

/// The look after a lost answer finds what was made in another name.
#[tokio::test]
async fn a_create_whose_answer_was_lost_is_found_after_the_name_changed() {
    let (world, never) = (World::on(Provider::Acc, 1).await.unwrap(), Fault::never());
    world.faults().add(Rule::new(Effect::LostAfter).operation("createIssue").times(1));
    world.route(&world.message(vec![zone(1), detection(1)]), &never).await.unwrap();
    let soon = world.clock_now() + SignedDuration::from_secs(30);
    world.rest_until(&never, Some(soon)).await.unwrap();
    world.consent().await.unwrap();
    world.rest(&never).await.unwrap();
    assert_eq!(world.acc.issues(world.project()).len(), 1, "made twice");
    violations(&world, "another name");
}
