use crate::world::{DETECTION, PROJECT, World};
use domain::record::{RecordKey, RecordKind, RecordState};
use people::Role;
use serde_json::json;
use store::lanes::{Lane, Todo};

const FAILED: [&str; 2] = ["01JD0000000000000000000003", "01JD0000000000000000000004"];

#[tokio::test]
async fn one_record_or_all_that_need_someone_are_tried_again() {
    let world = World::new().await;
    for id in FAILED {
        world.link(&world.ours, id, RecordState::Failed).await;
    }
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let (status, again) = (world.ours.project(), format!("{}/again", world.ours.project()));
    let page = world.get(&manager, &status).await.body;
    assert!(page.contains("retry-all") && page.contains("safety manager of your organization"), "{page}");
    assert!(!world.get(&viewer, &status).await.body.contains("<form"));
    assert_eq!(world.post(&viewer, &again, "").await.status, 403);

    let one = world.post(&manager, &again, &format!("kind=observation&id={}", FAILED[0])).await;
    assert_eq!((one.status, one.headers["location"].to_str().unwrap()), (303, status.as_str()));
    assert_eq!(world.state(&world.ours, FAILED[0]).await, RecordState::Pending);
    assert_eq!(world.state(&world.ours, FAILED[1]).await, RecordState::Failed);
    assert_eq!(world.bell.take(), [world.ours.connection.lane()]);

    world.post(&manager, &again, "").await;
    assert_eq!(world.state(&world.ours, FAILED[1]).await, RecordState::Pending);
    assert!(world.get(&manager, &status).await.body.contains("no record waits for a person"));
}

#[tokio::test]
async fn as_many_wait_as_are_listed() {
    let world = World::new().await;
    let (viewer, status) = (world.sign_in(&world.ours, Role::Viewer).await, world.ours.project());
    let (id, now) = (world.ours.connection.lane(), world.people.now());
    let lane = Lane { table: world.table.as_ref(), id: &id };
    let record = |fact_id: &str| RecordKey {
        kind: RecordKind::Observation,
        site_id: world.ours.site.clone(),
        fact_id: fact_id.to_owned(),
    };
    // Both stand at the platform; there is a comment to send for one, and people may have changed the other.
    let todos = [
        Todo::new(record(DETECTION), now, store::bell::fresh_token()),
        Todo::read_back(record(FAILED[0]), now, store::bell::fresh_token()),
    ];
    for todo in &todos {
        world.link(&world.ours, &todo.record.fact_id, RecordState::Synced).await;
    }
    assert!(world.get(&viewer, &status).await.body.contains("<dt>Waiting</dt><dd>0</dd>"));
    lane.ask(&todos).await.unwrap();
    let page = world.get(&viewer, &status).await.body;
    for shown in ["<dt>Waiting</dt><dd>2</dd>", "is sent as soon as its turn comes", "what people changed is read"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test]
async fn one_press_tries_hundreds_again() {
    let world = World::new().await;
    let id = |n: usize| format!("01JD00000000000000000{n:05}");
    for n in 0..120 {
        let state = if n % 2 == 0 { RecordState::Failed } else { RecordState::Blocked };
        world.link(&world.ours, &id(n), state).await;
    }
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let status = world.ours.project();
    assert!(world.get(&manager, &status).await.body.contains("And 70 more, under activity."));
    assert_eq!(world.post(&manager, &format!("{status}/again"), "").await.status, 303);
    for n in 0..120 {
        assert_eq!(world.state(&world.ours, &id(n)).await, RecordState::Pending, "{n}");
    }
    let lane = world.ours.connection.lane();
    assert_eq!(Lane { table: world.table.as_ref(), id: &lane }.ready(500).await.unwrap().len(), 120);
    assert_eq!(world.bell.take(), [lane]);
}

#[tokio::test]
async fn a_blocked_connection_says_why_and_is_tried_again() {
    let world = World::new().await;
    world.block(&world.ours).await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let page = world.get(&manager, "/setup").await.body;
    for shown in ["is not connected", "An admin of your company in Procore", "Install it again.", "Nothing is lost"] {
        assert!(page.contains(shown), "{shown}");
    }
    let path = format!("/setup/{}/again", world.ours.connection.id);
    assert_eq!(world.post(&manager, &path, "").await.status, 303);
    assert!(world.connection(&world.ours).await.blocked.is_none());
    assert_eq!(world.bell.take(), [world.ours.connection.lane()]);
}

#[tokio::test]
async fn a_project_that_procore_refuses_says_which_records_wait_and_the_others_go_on() {
    let world = World::new().await;
    let lane = world.ours.connection.lane();
    let lane = Lane { table: world.table.as_ref(), id: &lane };
    let mut blocks = lane.project_blocks().await.unwrap();
    let block = serde_json::from_value(json!({
        "reason": "Procore does not let HardHat Pulse do this in the project.", "who": "platform_admin",
        "what_to_do": "A Procore admin adds it to the permitted projects.", "since": "2026-11-24T16:00:00Z",
        "next_probe": "2026-11-24T17:00:00Z",
    }));
    blocks.insert(PROJECT, RecordKind::Incident, block.unwrap());
    lane.put_project_blocks(&mut blocks).await.unwrap();
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let page = world.get(&viewer, &world.ours.project()).await.body;
    for shown in [
        "Incidents of this project wait",
        "An admin of your company in Procore",
        "adds it to the permitted projects",
        "2026-11-24 11:00:00 CST",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("Observations of this project wait") && !page.contains("Nothing is being sent"), "{page}");
}

#[tokio::test]
async fn a_conflict_is_shown_with_both_values_and_decided_by_a_manager() {
    let world = World::new().await;
    world.link(&world.ours, FAILED[0], RecordState::Synced).await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let (activity, conflicts) =
        (format!("{}/activity", world.ours.project()), format!("{}/conflicts", world.ours.project()));
    for page in [&activity, &world.ours.project()] {
        let page = world.get(&manager, page).await.body;
        for shown in ["Their words", "Ours", "Use ours", "Keep theirs"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
    }
    let seen = world.get(&viewer, &activity).await.body;
    assert!(seen.contains("Their words") && !seen.contains("Use ours"), "{seen}");
    let form = |choice: &str| format!("kind=observation&id={}&field=name&use={choice}", FAILED[0]);
    assert_eq!(world.post(&viewer, &conflicts, &form("ours")).await.status, 403);
    assert_eq!(world.post(&manager, &conflicts, &form("both")).await.status, 404);
    assert!(world.bell.take().is_empty());
    assert_eq!(world.post(&manager, &conflicts, &form("ours")).await.status, 303);
    assert_eq!(world.bell.take(), [world.ours.connection.lane()]);
    assert_eq!(world.post(&manager, &conflicts, &form("theirs")).await.status, 303);
    assert!(!world.get(&manager, &activity).await.body.contains("Their words"));
    let foreign = format!("{}/conflicts", world.theirs.project());
    assert_eq!(world.post(&manager, &foreign, &form("theirs")).await.status, 404);
}
