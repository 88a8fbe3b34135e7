//! What people add in Procore comes back: by the timed re-read, or because someone asked; killed or lied to at every step, it is
//! in the incident in the end, and nothing of it goes back to Procore.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, retracted, zone};
use crash::fault::{Fault, Mode};
use crash::world::World;
use domain::fact::{Fact, FactKind};
use domain::record::{RecordKey, RecordKind, RecordState};
use jiff::SignedDuration;
use sandbox::faults::{Effect, Rule, Shape};
use sandbox::procore::{Level, PersonEdit};
use serde_json::{Value, json};
use store::conflicts::{self, Choice};
use store::directory::Directory;
use store::facts::SiteFacts;
use store::lanes::{Lane, Todo};
use sync::clock::Clock;

async fn begun() -> World {
    let mut world = World::new(1).await.unwrap();
    world.reread_every = Some(SignedDuration::from_mins(30));
    let never = Fault::never();
    world.route(&world.message(vec![zone(1), confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    world
}

async fn fact(world: &World) -> Fact {
    let facts =
        SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id };
    facts.get(FactKind::Incident, &id(9)).await.unwrap().unwrap()
}

fn remote(world: &World) -> i64 {
    world.procore.incidents(world.project_id)[0].id
}

fn person(world: &World, kind: &str, action: &str, of: Option<i64>, fields: Value) -> i64 {
    let (kind, action) = (kind.to_owned(), Some(action.to_owned()));
    let edit = PersonEdit { kind, action, id: of, project_id: Some(world.project_id), fields };
    world.procore.person_edit(&edit).unwrap()
}

fn injure(world: &World, fields: Value) -> i64 {
    let mut fields = fields;
    fields["incident_id"] = remote(world).into();
    person(world, "injury", "create", None, fields)
}

fn lost_time(days: u32) -> Value {
    json!({"filing_type": "lost_time", "work_days_absent": days, "treated_in_er": true,
        "treatment_facility": "Mercy Clinic", "description": "<p>Sprained wrist</p>"})
}

/// Calls that changed something in Procore.
fn writes(world: &World) -> usize {
    world.procore.calls().iter().filter(|call| call.method != "GET" && !call.path.starts_with("/oauth")).count()
}

fn rest_calls(world: &World) -> usize {
    world.procore.calls().iter().filter(|call| call.path.starts_with("/rest")).count()
}

async fn ask(world: &World) {
    let record = RecordKey { kind: RecordKind::Incident, site_id: world.site_id.clone(), fact_id: id(9) };
    let todo = Todo::read_back(record, jiff::Timestamp::UNIX_EPOCH, store::bell::fresh_token());
    Lane { table: &world.table, id: &world.lane }.ask(&[todo]).await.unwrap();
    store::due::arm(&world.table, &world.lane, fact(world).await.received_at).await.unwrap();
}

#[tokio::test]
async fn an_injury_comes_back_by_the_timed_re_read_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let (world, case) = (begun().await, format!("{mode:?} at step {at}"));
            injure(&world, lost_time(3));
            let (fault, wrote) = (Fault::new(at, mode), writes(&world));
            world.reread(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            // A read that failed is made up for at the next one.
            world.reread(&Fault::never()).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            let fact = fact(&world).await;
            assert_eq!((fact.treatment.days_away(), fact.treatment.revision), (Some(3), 1), "{case}");
            assert_eq!(writes(&world), wrote, "{case}: something was written to Procore");
            assert!(world.procore.violations().is_empty(), "{case}: {:?}", world.procore.violations());
            if !fault.struck() {
                assert!(at > 8, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_injury_comes_back_when_asked_for_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let (world, case) = (begun().await, format!("{mode:?} at step {at}"));
            injure(&world, lost_time(3));
            let (fault, wrote) = (Fault::new(at, mode), writes(&world));
            ask(&world).await;
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            let fact = fact(&world).await;
            assert_eq!((fact.treatment.days_away(), fact.treatment.revision), (Some(3), 1), "{case}");
            assert_eq!(writes(&world), wrote, "{case}: something was written to Procore");
            assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
            if !fault.struck() {
                assert!(at > 8, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_we_wrote_ourselves_is_no_news_and_an_unchanged_record_costs_three_lists() {
    let (world, never) = (begun().await, Fault::never());
    let (before, calls) = (fact(&world).await, rest_calls(&world));
    world.reread(&never).await.unwrap();
    assert_eq!(fact(&world).await, before, "our own record is no news");
    assert_eq!(rest_calls(&world) - calls, 3);
    injure(&world, lost_time(3));
    world.reread(&never).await.unwrap();
    let (told, calls, wrote) = (fact(&world).await, rest_calls(&world), writes(&world));
    world.reread(&never).await.unwrap();
    assert_eq!((fact(&world).await, writes(&world)), (told, wrote));
    assert_eq!(rest_calls(&world) - calls, 3);
    assert!(!serde_json::to_string(&fact(&world).await).unwrap().contains("example.com"), "a person came along");
}

#[tokio::test]
async fn several_injuries_a_status_and_a_deleted_injury_come_back() {
    let (world, never) = (begun().await, Fault::never());
    let first = injure(&world, lost_time(3));
    let second = injure(&world, json!({"filing_type": "restricted_work", "work_days_restricted": 5}));
    world.reread(&never).await.unwrap();
    let told = fact(&world).await.treatment;
    assert_eq!(
        (told.injuries().count(), told.days_away(), told.days_restricted_or_transferred()),
        (2, Some(3), Some(5))
    );
    assert_eq!(told.injuries().next().unwrap().1.description.as_deref(), Some("Sprained wrist"));
    person(&world, "incident", "update", Some(remote(&world)), json!({"status": "closed"}));
    person(&world, "injury", "delete", Some(first), json!({}));
    person(&world, "injury", "update", Some(second), json!({"work_days_restricted": 9}));
    world.reread(&never).await.unwrap();
    let told = fact(&world).await.treatment;
    assert_eq!((told.injuries().count(), told.days_away(), told.days_restricted_or_transferred()), (1, None, Some(9)));
    let account = told.of_connection(&world.lane.connection_id).unwrap();
    assert_eq!(account.status.as_deref(), Some("closed"));
    assert_eq!(told.history.last().unwrap().source, "procore");
}

/// We made it, so that we see it still.
#[tokio::test]
async fn an_incident_that_somebody_made_private_is_read_as_before() {
    let (world, never) = (begun().await, Fault::never());
    person(&world, "incident", "update", Some(remote(&world)), json!({"private": true}));
    injure(&world, lost_time(3));
    world.reread(&never).await.unwrap();
    assert_eq!(fact(&world).await.treatment.days_away(), Some(3));
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    assert_eq!(link.state, RecordState::Synced);
    assert!(world.procore.violations().is_empty());
}

#[tokio::test]
async fn reading_is_never_deleting() {
    let (world, never) = (begun().await, Fault::never());
    injure(&world, lost_time(3));
    world.reread(&never).await.unwrap();
    let before = fact(&world).await;
    // The list answers with an error, then with a gap, then the tool is switched off.
    let broken = Effect::Status { status: 500, shape: Shape::default(), retry_after: None, message: None, done: false };
    let rule = world.procore.faults().add(Rule::new(broken).operation("listInjuries"));
    world.reread(&never).await.unwrap();
    assert_eq!(fact(&world).await, before, "a failed read");
    world.procore.faults().remove(rule);
    world.procore.set(|settings| settings.list_lag_seconds = 100_000_000);
    world.reread(&never).await.unwrap();
    assert_eq!(fact(&world).await, before, "lists that show nothing");
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    assert_eq!(link.state, RecordState::Synced, "the record itself still shows");
    world.procore.set(|settings| settings.list_lag_seconds = 0);
    world.procore.set_tool(world.project_id, "incidents", false);
    world.reread(&never).await.unwrap();
    assert_eq!(fact(&world).await, before, "a forbidden read");
    world.procore.set_tool(world.project_id, "incidents", true);
    world.procore.set_service_level(world.procore.companies()[0].id, Level::ReadOnly);
    injure_more(&world, &never).await;
}

/// Reading needs no right to write.
async fn injure_more(world: &World, never: &std::sync::Arc<Fault>) {
    injure(world, lost_time(4));
    world.reread(never).await.unwrap();
    assert_eq!(fact(world).await.treatment.days_away(), Some(7));
}

#[tokio::test]
async fn a_record_that_was_thrown_away_is_blocked_with_words_and_synced_when_it_is_back() {
    let (world, never) = (begun().await, Fault::never());
    injure(&world, lost_time(3));
    world.reread(&never).await.unwrap();
    let (before, id_there) = (fact(&world).await, remote(&world));
    person(&world, "incident", "delete", Some(id_there), json!({}));
    world.reread(&never).await.unwrap();
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    assert_eq!(link.state, RecordState::Blocked);
    assert!(link.reason.unwrap().contains("Restore it"));
    assert_eq!(fact(&world).await, before);
    let calls = rest_calls(&world);
    world.reread(&never).await.unwrap();
    assert_eq!(rest_calls(&world) - calls, 3, "it is not looked for again and again");
    person(&world, "incident", "restore", Some(id_there), json!({}));
    world.reread(&never).await.unwrap();
    assert_eq!(world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap().state, RecordState::Synced);
    assert_eq!(fact(&world).await, before);
}

#[tokio::test]
async fn a_later_revision_and_a_retraction_leave_treatment_where_it_is() {
    let (world, never) = (begun().await, Fault::never());
    injure(&world, lost_time(3));
    world.reread(&never).await.unwrap();
    world.route(&world.message(vec![confirmed(incident(9, 2, &[])), retracted(9, 3)]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    world.reread(&never).await.unwrap();
    let told = fact(&world).await.treatment;
    assert_eq!(told.days_away(), Some(3));
    assert_eq!(told.of_connection(&world.lane.connection_id).unwrap().status.as_deref(), Some("closed"));
    let injuries = world.procore.injuries(world.project_id);
    assert_eq!(
        (injuries.len(), world.procore.alerts().len()),
        (1, 1),
        "nothing of ours about injuries, nobody paged by us"
    );
}

async fn conflicting() -> World {
    let (world, never) = (begun().await, Fault::never());
    let title = json!({"title": "Struck by a load, crew 4", "description": "As told by the crew"});
    person(&world, "incident", "update", Some(remote(&world)), title);
    world.route(&world.message(vec![confirmed(incident(9, 2, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    world
}

async fn settle(world: &World, field: &str, choice: Choice) {
    press(world, field, choice).await;
    world.rest(&Fault::never()).await.unwrap();
}

/// Decides, and the lane has not run yet.
async fn press(world: &World, field: &str, choice: Choice) {
    let record = RecordKey { kind: RecordKind::Incident, site_id: world.site_id.clone(), fact_id: id(9) };
    let (organization, id) = (&world.lane.organization_id, &world.lane.connection_id);
    let connection = Directory(&world.table).connection(organization, id).await.unwrap().unwrap();
    let now = world.clock.now();
    let settled = conflicts::settle(&world.table, &world.bell, &connection, &record, (field, choice), now).await;
    assert!(settled.unwrap().is_some());
}

async fn conflicts_left(world: &World) -> Vec<String> {
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    link.conflicts.into_iter().map(|conflict| conflict.field).collect()
}

#[tokio::test]
async fn a_conflict_stays_until_someone_decides_and_ours_is_sent_once() {
    let world = conflicting().await;
    let standing = || world.procore.incidents(world.project_id)[0].clone();
    assert_eq!(standing().description.as_deref(), Some("As told by the crew"));
    assert_eq!(conflicts_left(&world).await, ["description"]);
    settle(&world, "description", Choice::Ours).await;
    assert!(standing().description.unwrap().contains("2026-002"));
    assert!(conflicts_left(&world).await.is_empty());
    assert_eq!(standing().title.as_deref(), Some("Struck by a load, crew 4"), "of this we had no news");
    let wrote = writes(&world);
    world.reread(&Fault::never()).await.unwrap();
    assert_eq!(writes(&world), wrote);
}

/// Nobody decided, and the person writes again: our news is not forgotten over it.
#[tokio::test]
async fn a_conflict_follows_the_persons_later_edits_and_ends_where_they_put_our_words_back() {
    let (world, never) = (begun().await, Fault::never());
    let before = world.procore.incidents(world.project_id)[0].description.clone().unwrap();
    let edit = |words: &str| person(&world, "incident", "update", Some(remote(&world)), json!({"description": words}));
    edit("As told by the crew");
    world.route(&world.message(vec![confirmed(incident(9, 2, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    edit("As told by the foreman");
    ask(&world).await;
    world.rest(&never).await.unwrap();
    let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    assert_eq!(link.conflicts.len(), 1, "{:?}", link.conflicts);
    assert_eq!(link.conflicts[0].theirs, json!("As told by the foreman"));
    let wrote = writes(&world);
    ask(&world).await;
    world.rest(&never).await.unwrap();
    assert_eq!(writes(&world), wrote, "theirs stands while nobody decides");
    edit(&before);
    ask(&world).await;
    world.rest(&never).await.unwrap();
    let standing = world.procore.incidents(world.project_id)[0].description.clone().unwrap();
    assert!(standing.contains("2026-002"), "{standing}");
    assert!(conflicts_left(&world).await.is_empty());
}

#[tokio::test]
async fn kept_theirs_stands_against_later_revisions_too() {
    let world = conflicting().await;
    settle(&world, "description", Choice::Theirs).await;
    assert!(conflicts_left(&world).await.is_empty());
    let never = Fault::never();
    world.route(&world.message(vec![confirmed(incident(9, 3, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    let standing = world.procore.incidents(world.project_id)[0].clone();
    assert_eq!(standing.description.as_deref(), Some("As told by the crew"));
    assert_eq!(conflicts_left(&world).await, ["description"], "later news is a conflict again");
}

#[tokio::test]
async fn the_last_decision_that_was_pressed_before_the_lane_ran_wins() {
    let world = conflicting().await;
    press(&world, "description", Choice::Ours).await;
    settle(&world, "description", Choice::Theirs).await;
    let standing = || world.procore.incidents(world.project_id)[0].description.clone();
    assert_eq!(standing().as_deref(), Some("As told by the crew"));
    assert!(conflicts_left(&world).await.is_empty());
    let never = Fault::never();
    world.route(&world.message(vec![confirmed(incident(9, 3, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    assert_eq!(standing().as_deref(), Some("As told by the crew"));
    press(&world, "description", Choice::Ours).await;
    settle(&world, "description", Choice::Ours).await;
    assert!(standing().unwrap().contains("2026-003"), "{:?}", standing());
}

#[tokio::test]
async fn ours_does_not_overwrite_what_a_person_changed_after_it_was_shown() {
    let world = conflicting().await;
    person(&world, "incident", "update", Some(remote(&world)), json!({"description": "Changed once more"}));
    settle(&world, "description", Choice::Ours).await;
    let standing = world.procore.incidents(world.project_id)[0].clone();
    assert_eq!(standing.description.as_deref(), Some("Changed once more"));
    assert_eq!(conflicts_left(&world).await, ["description"]);
}

#[tokio::test]
async fn an_observations_status_comes_back_and_its_own_close_is_no_news() {
    let (world, never) = (begun().await, Fault::never());
    world.route(&world.message(vec![detection(1)]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    let facts =
        SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id };
    let observation = world.procore.observations(world.project_id)[0].id;
    world.reread(&never).await.unwrap();
    let untold = facts.get(FactKind::Detection, &id(1)).await.unwrap().unwrap();
    assert!(untold.treatment.is_untold());
    world.clock.advance(SignedDuration::from_secs(5));
    person(&world, "observation", "update", Some(observation), json!({"status": "ready_for_review"}));
    world.reread(&never).await.unwrap();
    let told = facts.get(FactKind::Detection, &id(1)).await.unwrap().unwrap();
    let account = told.treatment.of_connection(&world.lane.connection_id).unwrap();
    assert_eq!(account.status.as_deref(), Some("ready_for_review"));
    world.reread(&never).await.unwrap();
    assert_eq!(facts.get(FactKind::Detection, &id(1)).await.unwrap().unwrap(), told);
}
