//! A project that the platform refuses (it left the app's permitted list, a permission was taken away) pauses by itself: its
//! records wait with words and cost no calls, other projects go on, and all that waits follows by itself afterwards.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, zone};
use crash::fault::{Fault, Mode};
use crash::history::{enumerate, route, violations};
use crash::world::World;
use domain::event::Event;
use domain::ids::SiteId;
use domain::record::{Mender, RecordKind, RecordState};
use domain::settings::ProjectSettings;
use jiff::SignedDuration;
use sandbox::procore::Level;
use std::collections::BTreeSet;
use store::directory::Directory;
use store::lanes::{Lane, Link};
use store::mapping::{self, MapError, Wanted};
use store::removal;
use sync::clock::Clock;

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

fn company(world: &World) -> i64 {
    world.procore.companies()[0].id
}

fn permit(world: &World, projects: &[i64]) {
    assert!(world.procore.set_permitted_projects(company(world), Some(BTreeSet::from_iter(projects.iter().copied()))));
}

async fn pass(world: &World, time: SignedDuration) {
    let end = world.clock.now() + time;
    world.rest_until(&Fault::never(), Some(end)).await.unwrap();
    // Idle time, in which nothing was due.
    world.clock.advance(end.duration_since(world.clock.now()));
}

/// Calls that Procore forbade.
fn forbidden(world: &World) -> usize {
    world.procore.calls().iter().filter(|call| call.status == Some(403)).count()
}

async fn links(world: &World) -> Vec<Link> {
    let lane = Lane { table: &world.table, id: &world.lane };
    lane.links(None, 1_000).await.unwrap().into_iter().map(|(_, link)| link).collect()
}

fn blocked(links: &[Link]) -> usize {
    links.iter().filter(|link| link.state == RecordState::Blocked).count()
}

async fn route_to(world: &World, site: &SiteId, events: Vec<Event>) {
    let mut message = world.message(events);
    message.site_id = site.clone();
    world.route(&message, &Fault::never()).await.unwrap();
}

/// A world whose project is not permitted, with work in it.
async fn shut_out(events: Vec<Event>) -> World {
    let world = World::new(1).await.unwrap();
    permit(&world, &[]);
    route(&world, events).await;
    pass(&world, SignedDuration::from_mins(1)).await;
    world
}

#[tokio::test]
async fn a_project_off_the_permitted_list_pauses_by_itself_and_goes_on_when_it_is_back() {
    let mut world = World::new(1).await.unwrap();
    (world.at_once, world.reread_every) = (6, Some(HALF_AN_HOUR));
    let (site, project) = world.map_another().await.unwrap();
    permit(&world, &[project]);
    let first = std::iter::once(zone(1)).chain((1..=20).map(detection)).chain([confirmed(incident(900, 1, &[]))]);
    route(&world, first.collect()).await;
    route_to(&world, &site, std::iter::once(zone(1)).chain((1..=5).map(detection)).collect()).await;
    pass(&world, SignedDuration::from_mins(1)).await;
    assert_eq!(world.procore.observations(project).len(), 5, "the other project goes on");
    let stopped: Vec<Link> = links(&world).await.into_iter().filter(|l| l.state == RecordState::Blocked).collect();
    assert_eq!(stopped.len(), 21);
    for link in &stopped {
        assert!(link.reason.as_ref().unwrap().contains("permitted projects"), "{link:?}");
        assert_eq!(link.who, Some(Mender::PlatformAdmin));
    }
    let lane = &world.lane;
    let connection =
        Directory(&world.table).connection(&lane.organization_id, &lane.connection_id).await.unwrap().unwrap();
    assert!(connection.blocked.is_none(), "only the project is paused");
    // Those that were under way side by side; from then on one record of each kind, each half hour, and the timed re-read.
    let told = forbidden(&world);
    assert!(told <= 8, "{told} calls forbidden");
    for n in 21..=40 {
        route(&world, vec![detection(n)]).await;
        pass(&world, SignedDuration::from_secs(60)).await;
    }
    assert_eq!(blocked(&links(&world).await), 41);
    assert!(forbidden(&world) <= told + 2, "{} calls forbidden", forbidden(&world));
    pass(&world, SignedDuration::from_hours(5)).await;
    let each_half_hour = forbidden(&world) - told;
    assert!(each_half_hour <= 11 * 3, "{each_half_hour} calls forbidden in five hours");
    route_to(&world, &site, vec![detection(6)]).await;
    pass(&world, SignedDuration::from_mins(1)).await;
    assert_eq!(world.procore.observations(project).len(), 6);
    permit(&world, &[project, world.project_id]);
    pass(&world, HALF_AN_HOUR + SignedDuration::from_mins(2)).await;
    assert_eq!(blocked(&links(&world).await), 0, "nobody pressed anything");
    assert_eq!(world.procore.observations(world.project_id).len(), 40);
    assert_eq!(world.procore.incidents(world.project_id).len(), 1);
    assert!(world.todos().await.unwrap().is_empty());
    violations(&world, "permitted again");
    // Nothing of it is left: the lane is as idle as before.
    let calls = world.procore.calls().len();
    world.reread_every = None;
    pass(&world, SignedDuration::from_hours(3)).await;
    assert!(world.procore.calls().len() <= calls + 3, "{} calls", world.procore.calls().len() - calls);
}

#[tokio::test]
async fn all_that_waits_follows_whatever_step_fails() {
    for mode in Mode::ALL {
        let begin = async || {
            let world = shut_out(vec![zone(1), detection(1), detection(2), detection(3)]).await;
            permit(&world, &[world.project_id]);
            world
        };
        enumerate(mode, begin, async |world, case| {
            assert_eq!(world.procore.observations(world.project_id).len(), 3, "{case}");
            let links = links(&world).await;
            assert!(links.iter().all(|link| link.state == RecordState::Synced), "{case}: {links:?}");
            violations(&world, &case);
        })
        .await;
    }
}

#[tokio::test]
async fn a_persons_retry_asks_at_once_and_takes_the_others_along() {
    let world = shut_out(vec![zone(1), detection(1), detection(2), detection(3)]).await;
    let told = forbidden(&world);
    world.again(RecordKind::Observation, id(2)).await.unwrap();
    pass(&world, SignedDuration::from_mins(1)).await;
    assert_eq!((blocked(&links(&world).await), forbidden(&world)), (3, told + 1), "asked, and refused");
    permit(&world, &[world.project_id]);
    world.again(RecordKind::Observation, id(2)).await.unwrap();
    pass(&world, SignedDuration::from_mins(1)).await;
    assert_eq!(world.procore.observations(world.project_id).len(), 3);
    violations(&world, "retried");
}

/// A link keeps its project: what waits there can be sent there, though the project is mapped to another site by now.
#[tokio::test]
async fn what_waits_of_a_site_of_before_is_sent_when_someone_tries_it_again() {
    let world = shut_out(vec![zone(1), detection(1)]).await;
    let (directory, lane) = (Directory(&world.table), &world.lane);
    let connection = directory.connection(&lane.organization_id, &lane.connection_id).await.unwrap().unwrap();
    let mut site = directory.site(&lane.organization_id, &world.site_id).await.unwrap().unwrap();
    (site.id, site.version) = (SiteId::new(ulid::Ulid::from_parts(4, 1)), 0);
    directory.put_site(&mut site).await.unwrap();
    let standing = directory.project(lane, world.project()).await.unwrap().unwrap();
    let settings = ProjectSettings { site_id: site.id, ..standing.settings.clone() };
    let wanted = Wanted { project_id: world.project().to_owned(), name: None, settings, standing: Some(standing) };
    mapping::apply(&world.table, &world.bell, &connection, wanted, world.clock.now()).await.unwrap();
    permit(&world, &[world.project_id]);
    world.again(RecordKind::Observation, id(1)).await.unwrap();
    pass(&world, SignedDuration::from_mins(1)).await;
    assert_eq!(world.procore.observations(world.project_id).len(), 1);
    assert_eq!(blocked(&links(&world).await), 0);
    violations(&world, "of a site of before");
}

/// Who saves a mapping while a colleague disconnects: the project is kept from nobody.
#[tokio::test]
async fn a_mapping_that_a_removal_overtook_leaves_nothing() {
    let world = World::new(1).await.unwrap();
    let (directory, lane) = (Directory(&world.table), &world.lane);
    let connection = directory.connection(&lane.organization_id, &lane.connection_id).await.unwrap().unwrap();
    let settings = directory.project(lane, world.project()).await.unwrap().unwrap().settings;
    removal::remove(&world.table, &world.bell, &connection, world.clock.now()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let wanted = Wanted { project_id: world.project().to_owned(), name: None, settings, standing: None };
    let late = mapping::apply(&world.table, &world.bell, &connection, wanted, world.clock.now()).await;
    assert!(matches!(late, Err(MapError::Stale)), "{late:?}");
    assert_eq!(directory.claimant(&connection, world.project()).await.unwrap(), None);
    assert_eq!(directory.project(lane, world.project()).await.unwrap(), None);
    assert!(directory.route(lane, &world.site_id).await.unwrap().is_none());
}

/// Reading may go on where writing is refused, so that a read alone opens nothing.
#[tokio::test]
async fn a_permission_that_was_taken_away_holds_writes_until_it_is_back() {
    let mut world = World::new(1).await.unwrap();
    world.reread_every = Some(HALF_AN_HOUR);
    route(&world, vec![zone(1), confirmed(incident(900, 1, &[])), detection(1)]).await;
    pass(&world, SignedDuration::from_mins(1)).await;
    world.procore.set_service_level(company(&world), Level::ReadOnly);
    route(&world, vec![confirmed(incident(900, 2, &[])), detection(2), detection(3)]).await;
    pass(&world, SignedDuration::from_mins(1)).await;
    assert_eq!(blocked(&links(&world).await), 3);
    let unchanged = world.link(RecordKind::Observation, id(1)).await.unwrap().unwrap();
    assert_eq!(unchanged.state, RecordState::Synced);
    let told = forbidden(&world);
    pass(&world, SignedDuration::from_hours(3)).await;
    assert!(forbidden(&world) - told <= 7 * 2, "{} calls forbidden in three hours", forbidden(&world) - told);
    assert_eq!(blocked(&links(&world).await), 3);
    world.procore.set_service_level(company(&world), Level::Admin);
    pass(&world, HALF_AN_HOUR + SignedDuration::from_mins(2)).await;
    assert_eq!(blocked(&links(&world).await), 0);
    assert_eq!(world.procore.observations(world.project_id).len(), 3);
    violations(&world, "permission back");
}

#[tokio::test]
async fn what_was_mended_there_counts_when_retry_is_pressed_whatever_was_known_before() {
    let world = World::new(1).await.unwrap();
    let types = world.procore.observation_types(company(&world));
    let all_active = |active| types.iter().for_each(|each| assert!(world.procore.set_type_active(each.id, active)));
    all_active(false);
    route(&world, vec![zone(1), detection(1)]).await;
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(blocked(&links(&world).await), 1);
    // Pressed before anything was mended, it says the same.
    pass(&world, SignedDuration::from_mins(1)).await;
    world.again(RecordKind::Observation, id(1)).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(blocked(&links(&world).await), 1);
    all_active(true);
    pass(&world, SignedDuration::from_mins(1)).await;
    world.again(RecordKind::Observation, id(1)).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(world.procore.observations(world.project_id).len(), 1);
    assert_eq!(blocked(&links(&world).await), 0);
}
