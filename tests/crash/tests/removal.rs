//! A removed connection, its lane killed or lied to at every step: in the end nothing of it is left to do, nothing that came from
//! the platform is left here, and what we made there stays.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::on_each_platform;
use crash::world::World;
use domain::fact::FactKind;
use domain::ids::Provider;
use domain::record::RecordKind;
use jiff::SignedDuration;
use sandbox::faults::{Effect, Rule};
use sandbox::procore::PersonEdit;
use serde_json::json;
use store::directory::Directory;
use store::facts::SiteFacts;
use store::lanes::Lane;
use sync::clock::Clock;

on_each_platform!(
    hooks_are_made_once_whatever_step_fails_and_mended_when_broken,
    a_removed_connections_hooks_go_whatever_step_fails,
    a_hook_that_may_not_be_removed_is_told_of_whatever_step_fails,
);

/// An incident with an injury that came back, an observation, and a detection that still waits.
async fn begun() -> World {
    let mut world = World::new(1).await.unwrap();
    world.reread_every = Some(SignedDuration::from_mins(30));
    world.consent().await.unwrap();
    let never = Fault::never();
    world.route(&world.message(vec![zone(1), detection(1), confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    let incident_id = world.procore.incidents(world.project_id)[0].id;
    let fields = json!({"incident_id": incident_id, "filing_type": "lost_time", "work_days_absent": 3,
        "treatment_facility": "Mercy Clinic"});
    let edit = PersonEdit { kind: "injury".into(), action: None, id: None, project_id: Some(world.project_id), fields };
    world.procore.person_edit(&edit).unwrap();
    world.reread(&never).await.unwrap();
    world.route(&world.message(vec![detection(2)]), &never).await.unwrap();
    world
}

async fn remove(world: &World) {
    let directory = Directory(&world.table);
    let (organization, connection) = (&world.lane.organization_id, &world.lane.connection_id);
    let connection = directory.connection(organization, connection).await.unwrap().unwrap();
    directory.begin_removal(&connection, world.clock.now()).await.unwrap();
}

#[tokio::test]
async fn a_removed_connection_leaves_nothing_behind_whatever_step_fails() {
    for mode in Mode::ALL {
        for at in 0.. {
            let (world, case) = (begun().await, format!("{mode:?} at step {at}"));
            assert_eq!(world.procore.hooks().len(), 1, "{case}");
            remove(&world).await;
            let fault = Fault::new(at, mode);
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            assert!(world.todos().await.unwrap().is_empty(), "{case}: todos are left");
            assert!(world.procore.hooks().is_empty(), "{case}: a hook is left");
            assert!(!world.procore.calls_of("oauthRevoke").is_empty(), "{case}: the consent was not taken back");
            assert!(grants::grant(&world.table, &world.lane).await.unwrap().is_none(), "{case}: a consent is left");
            let directory = Directory(&world.table);
            assert!(directory.removal(&world.lane).await.unwrap().is_none(), "{case}");
            assert!(directory.route(&world.lane, &world.site_id).await.unwrap().is_none(), "{case}");
            assert!(directory.projects(&world.lane).await.unwrap().is_empty(), "{case}");
            let kept = world.table.dump().into_iter().map(|item| serde_json::Value::Object(item).to_string());
            let kept = kept.collect::<String>();
            assert!(!kept.contains("Mercy Clinic"), "{case}: something of theirs is left");
            assert!(!kept.contains("work_days") && !kept.contains("injuries/"), "{case}: what they changed is left");
            assert_eq!(world.procore.incidents(world.project_id).len(), 1, "{case}: what we made stays");
            assert_eq!(world.procore.observations(world.project_id).len(), 1, "{case}");
            let link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
            assert!(!link.written.is_empty() && link.read.is_none(), "{case}: the base of a later merge");
            if !fault.struck() {
                assert!(at > 10, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_was_sent_and_not_marked_as_read_is_erased_too() {
    let (world, never) = (begun().await, Fault::never());
    let mut link = world.link(RecordKind::Incident, id(9)).await.unwrap().unwrap();
    link.read = None;
    Lane { table: &world.table, id: &world.lane }.put_link(&mut link).await.unwrap();
    remove(&world).await;
    world.rest(&never).await.unwrap();
    let kept = world.table.dump().into_iter().map(|item| serde_json::Value::Object(item).to_string());
    assert!(!kept.collect::<String>().contains("Mercy Clinic"));
}

/// Takes the connection away while the login host refuses to take the consent back, `times` or always.
async fn removed_while_refused(times: Option<u64>) -> World {
    let (world, never) = (begun().await, Fault::never());
    let down = Effect::Status { status: 503, shape: Default::default(), retry_after: None, message: None, done: false };
    let rule = Rule::new(down).path("/oauth/revoke");
    world.procore.faults().add(times.map_or(rule.clone(), |times| rule.times(times)));
    remove(&world).await;
    world.rest(&never).await.unwrap();
    assert!(Directory(&world.table).removal(&world.lane).await.unwrap().is_none(), "it never ends");
    assert!(grants::grant(&world.table, &world.lane).await.unwrap().is_none(), "a consent is left");
    assert!(world.procore.hooks().is_empty(), "a hook is left");
    world
}

#[tokio::test]
async fn a_consent_that_is_not_taken_back_at_once_is_tried_again() {
    let began = crash::facts::at();
    let world = removed_while_refused(Some(3)).await;
    assert_eq!(world.procore.calls_of("oauthRevoke").len(), 4);
    assert!(world.clock.now() < began + SignedDuration::from_hours(2), "minutes, not hours");
}

#[tokio::test]
async fn a_login_host_that_never_answers_does_not_hold_the_removal_for_ever() {
    let began = crash::facts::at();
    let world = removed_while_refused(None).await;
    let tried = world.procore.calls_of("oauthRevoke").len();
    assert!((10..40).contains(&tried), "tried {tried} times");
    let took = world.clock.now().duration_since(began);
    assert!((24..36).contains(&took.as_hours()), "{took:?}");
}

#[tokio::test]
async fn connected_again_it_knows_its_records_and_reads_them_back() {
    let (world, never) = (begun().await, Fault::never());
    remove(&world).await;
    world.rest(&never).await.unwrap();
    world.connect_again().await.unwrap();
    world.route(&world.message(vec![confirmed(incident(9, 2, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    world.reread(&never).await.unwrap();
    assert_eq!(world.procore.incidents(world.project_id).len(), 1, "no second record");
    let facts =
        SiteFacts { table: &world.table, organization_id: &world.lane.organization_id, site_id: &world.site_id };
    let fact = facts.get(FactKind::Incident, &id(9)).await.unwrap().unwrap();
    assert_eq!(fact.treatment.days_away(), Some(3));
}

async fn hooks_are_made_once_whatever_step_fails_and_mended_when_broken(on: Provider) {
    for mode in Mode::ALL {
        for at in 0.. {
            let mut world = World::on(on, 1).await.unwrap();
            world.reread_every = Some(SignedDuration::from_mins(30));
            let (fault, case) = (Fault::new(at, mode), format!("{mode:?} at step {at}"));
            let never = Fault::never();
            world.route(&world.message(vec![zone(1), confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            // Trouble with a hook is tried again at a later run.
            world.reread(&never).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            let hooks = world.hooks();
            assert_eq!(hooks.len(), world.hooks_each(), "{case}: {hooks:?}");
            let address = format!("/hooks/{}/{}", on.as_str(), world.lane.connection_id);
            assert!(hooks.iter().all(|(_, url, active)| url.ends_with(&address) && *active), "{case}: {hooks:?}");
            crash::history::violations(&world, &case);
            if !fault.struck() {
                assert!(at > 20, "only {at} steps");
                world.deactivate_hook(&hooks[0].0);
                for _ in 0..50 {
                    world.reread(&never).await.unwrap();
                }
                assert!(world.hooks().iter().all(|(_, _, active)| *active), "mended within a day");
                assert_eq!(world.hooks().len(), world.hooks_each());
                break;
            }
        }
    }
}

async fn a_removed_connections_hooks_go_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        for at in 0.. {
            let mut world = World::on(on, 1).await.unwrap();
            world.reread_every = Some(SignedDuration::from_mins(30));
            let (fault, case, never) = (Fault::new(at, mode), format!("{mode:?} at step {at}"), Fault::never());
            world.route(&world.message(vec![zone(1), detection(1)]), &never).await.unwrap();
            world.rest(&never).await.unwrap();
            assert_eq!(world.hooks().len(), world.hooks_each(), "{case}");
            remove(&world).await;
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            assert!(world.hooks().is_empty(), "{case}: a hook is left");
            assert!(Directory(&world.table).removal(&world.lane).await.unwrap().is_none(), "{case}");
            assert_eq!(world.shown(RecordKind::Observation).len(), 1, "{case}: what we made stays");
            if !fault.struck() {
                assert!(at > 10, "only {at} steps");
                break;
            }
        }
    }
}

async fn a_hook_that_may_not_be_removed_is_told_of_whatever_step_fails(on: Provider) {
    for mode in Mode::ALL {
        for at in 0.. {
            let mut world = World::on(on, 1).await.unwrap();
            world.reread_every = Some(SignedDuration::from_mins(30));
            let (fault, case, never) = (Fault::new(at, mode), format!("{mode:?} at step {at}"), Fault::never());
            world.route(&world.message(vec![zone(1), detection(1)]), &never).await.unwrap();
            world.rest(&never).await.unwrap();
            let refused = Effect::Status {
                status: 403,
                shape: Default::default(),
                retry_after: None,
                message: None,
                done: false,
            };
            world.faults().add(Rule::new(refused).method("DELETE"));
            remove(&world).await;
            world.rest(&fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            assert_eq!(world.hooks().len(), world.hooks_each(), "{case}: no hook stays");
            let directory = Directory(&world.table);
            assert!(directory.removal(&world.lane).await.unwrap().is_none(), "{case}: it never ends");
            let removed = directory.removed(&world.lane).await.unwrap().unwrap_or_else(|| panic!("{case}: no note"));
            assert_eq!(removed.hooks_left, 1, "{case}");
            if !fault.struck() {
                assert!(at > 10, "only {at} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn who_agreed_that_we_work_with_their_access_is_no_user_of_ours() {
    let (mut world, never) = (World::new(1).await.unwrap(), Fault::never());
    world.reread_every = Some(SignedDuration::from_mins(30));
    world.route(&world.message(vec![zone(1), confirmed(incident(9, 1, &[]))]), &never).await.unwrap();
    world.rest(&never).await.unwrap();
    assert!(own_user(&world).await.is_some(), "the service account's own events are dropped at the door");
    // From then on that person's edits in Procore come under the name that we work with, and are news.
    world.consent().await.unwrap();
    world.reread(&never).await.unwrap();
    assert_eq!(own_user(&world).await, None);
    for _ in 0..50 {
        world.consent().await.unwrap();
        world.reread(&never).await.unwrap();
    }
    assert_eq!(own_user(&world).await, None, "nor is it noted when hooks are looked after");
}

async fn own_user(world: &World) -> Option<String> {
    Lane { table: &world.table, id: &world.lane }.hooks().await.unwrap().own_user
}
