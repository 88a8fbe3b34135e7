//! A project that was mapped to another site: what stands there of the site before stays in sight, for those who see the project.
use crate::world::{DETECTION, PROJECT, SignedIn, World};
use domain::ids::{Provider, SiteId};
use domain::record::RecordState;
use people::{Identity, Role};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::directory::{Directory, Site};
use store::mapping::{self, Wanted};
use ulid::Ulid;

const UNSENT: &str = "01JD0000000000000000000009";

/// Our project goes to a new site, after a record of ours was refused there.
async fn moved() -> World {
    let world = World::new().await;
    world.link(&world.ours, DETECTION, RecordState::Failed).await;
    let (directory, lane) = (Directory(world.table.as_ref()), world.ours.connection.lane());
    let id = SiteId::new(Ulid::from_parts(1, 9));
    let mut site: Site = serde_json::from_value(json!({
        "id": id, "organization_id": world.ours.organization, "name": "South Tower", "time_zone": "America/Denver",
        "created_at": world.people.now(),
    }))
    .unwrap();
    directory.put_site(&mut site).await.unwrap();
    let standing = directory.project(&lane, PROJECT).await.unwrap();
    let settings =
        standing.clone().map(|project| domain::settings::ProjectSettings { site_id: id, ..project.settings });
    let wanted = Wanted { project_id: PROJECT.into(), name: None, settings: settings.unwrap(), standing };
    let (table, bell) = (world.table.as_ref(), world.bell.as_ref());
    mapping::apply(table, bell, &world.ours.connection, wanted, world.people.now()).await.unwrap();
    world.bell.take();
    world
}

/// Someone who signed in at Procore and can list these projects there.
async fn lists(world: &World, user: &str, projects: &[&str]) -> SignedIn {
    let projects: BTreeSet<String> = projects.iter().map(|project| (*project).to_owned()).collect();
    let listed = BTreeMap::from([(world.ours.connection.id.clone(), projects)]);
    let identity = Identity { provider: Provider::Procore, user_id: user.into() };
    let person = world.people.vouched(&world.ours.organization, &identity, user, None, listed).await.unwrap();
    world.open(&person).await
}

#[tokio::test]
async fn records_of_the_site_before_are_listed_and_tried_again() {
    let world = moved().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let (status, old) = (world.ours.project(), &world.ours.site);
    let page = world.get(&manager, &status).await.body;
    for shown in
        ["Status of South Tower", "of North Tower 1, which the project was mapped to before", "Try all of these again"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let activity = world.get(&manager, &format!("{status}/activity?site={old}")).await.body;
    assert!(activity.contains("Their words") && activity.contains("Use ours"), "{activity}");
    assert!(!world.get(&manager, &format!("{status}/activity")).await.body.contains("Their words"));
    let other = world.get(&manager, &format!("{status}/activity?site={}", world.theirs.site)).await;
    assert_eq!(other.status, 404);

    let named = format!("site={old}&kind=observation&id={DETECTION}");
    let decided = world.post(&manager, &format!("{status}/conflicts"), &format!("{named}&field=name&use=theirs")).await;
    assert_eq!(decided.status, 303, "{}", decided.body);
    let twice = world.post(&manager, &format!("{status}/conflicts"), &format!("{named}&field=name&use=ours")).await;
    assert!(twice.status == 409 && twice.body.contains("Decided meanwhile"), "{}", twice.body);
    assert_eq!(world.post(&manager, &format!("{status}/again"), &named).await.status, 303);
    assert_eq!(world.state(&world.ours, DETECTION).await, RecordState::Pending);
    assert_eq!(world.bell.take(), [world.ours.connection.lane()]);
}

#[tokio::test]
async fn who_sees_the_project_sees_what_its_records_are_about_and_nothing_else_of_the_site_before() {
    let world = moved().await;
    let page = |id: &str| format!("/sites/{}/detections/{id}", world.ours.site);
    let (theirs, others) = (lists(&world, "7", &[PROJECT]).await, lists(&world, "8", &["8600000002"]).await);
    assert_eq!(world.get(&theirs, &page(DETECTION)).await.status, 200);
    assert_eq!(world.get(&theirs, &format!("/detections/{DETECTION}")).await.headers["location"], page(DETECTION));
    assert!(world.get(&theirs, &world.ours.project()).await.body.contains("North Tower 1"));
    for path in [page(UNSENT), format!("/sites/{}/reports", world.ours.site), page(&"9".repeat(5_000))] {
        assert_eq!(world.get(&theirs, &path).await.status, 404, "{path}");
    }
    for path in [page(DETECTION), format!("/detections/{DETECTION}"), world.ours.project()] {
        assert_eq!(world.get(&others, &path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_detection_in_an_incident_of_the_project_is_seen_with_it() {
    let world = World::new().await;
    let incident = "01JD00000000000000000000A1";
    world.incident_of(&world.ours, incident, false, &[DETECTION]).await;
    let page = format!("/sites/{}/detections/{DETECTION}", world.ours.site);
    let who = lists(&world, "7", &[PROJECT]).await;
    assert_eq!(world.get(&who, &page).await.status, 200);
    Directory(world.table.as_ref()).delete_route(&world.ours.connection.lane(), &world.ours.site).await.unwrap();
    assert_eq!(world.get(&who, &page).await.status, 404, "nothing of it stands in the project");
    world.link_of(&world.ours, domain::record::RecordKind::Incident, incident, RecordState::Synced).await;
    assert_eq!(world.get(&who, &page).await.status, 200);
}
