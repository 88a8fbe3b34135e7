use crate::world::{PROJECT, SignedIn, Tenant, World};
use credentials::Secret;
use domain::ids::SiteId;
use domain::record::{RecordKey, RecordKind, RecordState};
use grants::{Grant, Tokens, grant};
use jiff::{SignedDuration, Timestamp};
use people::Role;
use serde_json::json;
use store::directory::{Blocked, Directory};
use store::hooks::{Hook, Hooks};
use store::lanes::{Lane, Link};
use store::table::item;
use store::{Condition, Table, keys};
use ulid::Ulid;

fn path(tenant: &Tenant) -> String {
    format!("/setup/{}/disconnect", tenant.connection.id)
}

/// A record of ours that stands in Procore, or is still on its way there.
async fn record(world: &World, tenant: &Tenant, kind: RecordKind, fact_id: &str, remote_id: Option<&str>) {
    let mut link: Link = serde_json::from_value(json!({
        "record": RecordKey { kind, site_id: tenant.site.clone(), fact_id: fact_id.into() },
        "project_id": PROJECT, "marker": format!("HHP-{fact_id}"), "state": RecordState::Synced, "remote_id": remote_id,
        "remote_url": format!("https://app.procore.com/{fact_id}"), "updated_at": Timestamp::UNIX_EPOCH,
    }))
    .unwrap();
    Lane { table: world.table.as_ref(), id: &tenant.connection.lane() }.put_link(&mut link).await.unwrap();
}

async fn with_records() -> (World, SignedIn) {
    let world = World::new().await;
    record(&world, &world.ours, RecordKind::Incident, "1", Some("51")).await;
    record(&world, &world.ours, RecordKind::Observation, "2", Some("52")).await;
    record(&world, &world.ours, RecordKind::Observation, "3", Some("53")).await;
    record(&world, &world.ours, RecordKind::Observation, "4", None).await;
    record(&world, &world.theirs, RecordKind::Observation, "5", Some("55")).await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    (world, manager)
}

async fn removing(world: &World) -> bool {
    Directory(world.table.as_ref()).removal(&world.ours.connection.lane()).await.unwrap().is_some()
}

#[tokio::test]
async fn before_it_is_decided_the_page_says_what_stays_what_goes_and_how_to_come_back() {
    let (world, manager) = with_records().await;
    let path = path(&world.ours);
    assert!(world.get(&manager, "/setup").await.body.contains(&path), "the overview leads there");
    let page = world.get(&manager, &path).await;
    assert_eq!(page.status, 200);
    for shown in [
        "1 incident, 2 observations",
        "HHP-1",
        "https://app.procore.com/3",
        "What stays in HardHat Pulse",
        "injuries, treatment, days away",
        "a hash stays",
        "Our hooks in Procore",
        "the same connection then",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    for hidden in ["HHP-4", "HHP-5", "The consent of"] {
        assert!(!page.body.contains(hidden), "{hidden}: {}", page.body);
    }
}

/// Kim lets the connection work with her access.
async fn consents(world: &World) {
    let ends_at = Timestamp::now() + SignedDuration::from_hours(1);
    let tokens = Tokens { access: Secret::new("access-of-kim"), ends_at, refresh: None };
    let lane = world.ours.connection.lane();
    world.grants.keep(&lane, "7", "kim@example.com", &tokens, Timestamp::now()).await.unwrap();
}

async fn has_a_hook(world: &World) {
    let hook = Hook { id: Some("90".into()), ..Hook::default() };
    let hooks = Hooks { own_user: None, projects: [(PROJECT.to_owned(), hook)].into() };
    let lane = world.ours.connection.lane();
    Lane { table: world.table.as_ref(), id: &lane }.put_hooks(&hooks).await.unwrap();
}

#[tokio::test]
async fn hooks_that_can_not_be_taken_away_are_among_what_stays() {
    let (world, manager) = with_records().await;
    let (path, lane) = (path(&world.ours), world.ours.connection.lane());
    consents(&world).await;
    has_a_hook(&world).await;
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("Our hooks in Procore, by which") && !page.contains("hooks-stay"), "{page}");

    // The consent is over: said before, with the way to have them taken away.
    let kept = grant(world.table.as_ref(), &lane).await.unwrap().unwrap();
    let over = Grant { ended: Some("Procore does not accept it".into()), ..kept };
    let key = keys::connection_grant(&lane.organization_id, &lane.connection_id);
    world.table.put(item(&key, &over).unwrap(), Condition::Always).await.unwrap();
    let page = world.get(&manager, &path).await.body;
    for shown in [
        "the consent of kim@example.com has ended, and without it we can't take them away",
        "An admin of your company can delete them",
        &format!("/sign-in/procore?connection={}&amp;next=%2Fsetup%2F", lane.connection_id),
        "Its keys are erased here",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("by which it tells us of changes, are removed"), "{page}");

    // Without a consent, where Procore does not let the app in.
    world.table.delete(&key, Condition::Always).await.unwrap();
    world.block(&world.ours).await;
    let page = world.get(&manager, &path).await.body;
    assert!(
        page.contains("unless Procore lets us in again at once: Procore says that the app is not connected."),
        "{page}"
    );

    // And when all is done.
    assert_eq!(world.post(&manager, &path, "confirm=yes").await.status, 303);
    let directory = Directory(world.table.as_ref());
    let removal = directory.removal(&lane).await.unwrap().unwrap();
    directory.end_removal(&removal, &[], 1, Timestamp::now()).await.unwrap();
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("One of our hooks stays there, too"), "{page}");
}

#[tokio::test]
async fn the_page_stays_when_nothing_is_left_to_say() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = path(&world.ours);
    assert_eq!(world.post(&manager, &path, "confirm=yes").await.status, 303);
    let directory = Directory(world.table.as_ref());
    let removal = directory.removal(&world.ours.connection.lane()).await.unwrap().unwrap();
    directory.end_removal(&removal, &[], 0, Timestamp::now()).await.unwrap();
    for _ in 0..2 {
        let page = world.get(&manager, &path).await;
        assert_eq!(page.status, 200);
        for shown in ["Everything is cleared up", "Nothing: no record of ours stands there", "Connect Procore"] {
            assert!(page.body.contains(shown), "{shown}: {}", page.body);
        }
        assert!(!page.body.contains("hooks-stay"), "{}", page.body);
    }
    let theirs = world.sign_in(&world.theirs, Role::Manager).await;
    assert_eq!(world.get(&theirs, &path).await.status, 404);
}

#[tokio::test]
async fn whose_consent_is_revoked_is_said_where_there_is_one() {
    let (world, manager) = with_records().await;
    consents(&world).await;
    let page = world.get(&manager, &path(&world.ours)).await.body;
    assert!(page.contains("The consent of kim@example.com is revoked") && !page.contains("access-of-kim"), "{page}");
}

#[tokio::test]
async fn without_the_ticked_box_nothing_is_removed() {
    let (world, manager) = with_records().await;
    for body in ["", "confirm=", "confirm=no"] {
        let answer = world.post(&manager, &path(&world.ours), body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.body.contains("tick the box") && answer.body.contains("aria-invalid"), "{}", answer.body);
    }
    world.connection(&world.ours).await;
    assert!(!removing(&world).await && world.bell.take().is_empty());
}

#[tokio::test]
async fn disconnecting_takes_it_away_at_once_and_says_how_far_it_is() {
    let (world, manager) = with_records().await;
    let path = path(&world.ours);
    let answer = world.post(&manager, &path, "confirm=yes").await;
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (303, path.as_str()));
    assert_eq!(world.bell.take(), [world.ours.connection.lane()], "its lane clears up");
    assert!(removing(&world).await);
    assert_eq!(world.get(&manager, &world.ours.project()).await.status, 404);
    assert!(!world.get(&manager, "/setup").await.body.contains(world.ours.connection.id.as_str()));
    let page = world.get(&manager, &path).await;
    assert_eq!(page.status, 200);
    for shown in ["Being disconnected", "for up to a day", "1 incident, 2 observations", "Connect Procore"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    // Pressed twice.
    assert_eq!(world.post(&manager, &path, "confirm=yes").await.status, 303);

    let directory = Directory(world.table.as_ref());
    let removal = directory.removal(&world.ours.connection.lane()).await.unwrap().unwrap();
    directory.end_removal(&removal, &[], 0, Timestamp::now()).await.unwrap();
    let page = world.get(&manager, &path).await;
    assert_eq!(page.status, 200);
    for shown in ["Everything is cleared up", "1 incident, 2 observations"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert_eq!(world.post(&manager, &path, "confirm=yes").await.status, 303, "pressed once more");
    world.connection(&world.theirs).await;
}

#[tokio::test]
async fn a_change_at_the_same_moment_does_not_hold_it() {
    let (world, _) = with_records().await;
    let as_read = world.connection(&world.ours).await;
    let mut blocked = as_read.clone();
    blocked.blocked = Some(Blocked {
        reason: "x".into(),
        who: domain::record::Mender::PlatformAdmin,
        what_to_do: "y".into(),
        since: Timestamp::UNIX_EPOCH,
    });
    Directory(world.table.as_ref()).put_connection(&mut blocked).await.unwrap();
    let (table, bell) = (world.table.as_ref(), world.bell.as_ref());
    let stays = store::removal::remove(table, bell, &as_read, Timestamp::now()).await.unwrap();
    assert_eq!(stays.records.len(), 3);
    let gone = Directory(table).connection(&as_read.organization_id, &as_read.id).await.unwrap();
    assert!(gone.is_none() && removing(&world).await);
}

#[tokio::test]
async fn only_a_manager_of_the_organization_disconnects() {
    let (world, manager) = with_records().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let own = path(&world.ours);
    assert_eq!(world.get(&viewer, &own).await.status, 403);
    assert_eq!(world.post(&viewer, &own, "confirm=yes").await.status, 403);
    assert!(!world.get(&viewer, "/setup").await.body.contains(&own), "a viewer is not led there");
    let foreign = path(&world.theirs);
    for path in [foreign.as_str(), "/setup/nothing/disconnect"] {
        assert_eq!(world.get(&manager, path).await.status, 404, "{path}");
        assert_eq!(world.post(&manager, path, "confirm=yes").await.status, 404, "{path}");
    }
    let stale = format!("csrf={}&confirm=yes", viewer.session.csrf);
    assert_eq!(world.post_from(&manager, &own, stale, crate::world::PUBLIC).await.status, 403);
    let token = format!("csrf={}&confirm=yes", manager.session.csrf);
    assert_eq!(world.post_from(&manager, &own, token, "https://evil.example").await.status, 403);
    world.connection(&world.ours).await;
    world.connection(&world.theirs).await;
}

#[tokio::test]
async fn who_does_not_see_all_that_goes_there_disconnects_nothing() {
    let (world, _) = with_records().await;
    let own = path(&world.ours);
    let limited = world.lists(&world.ours, &[], Role::Manager).await;
    let page = world.get(&limited, &own).await;
    assert!(page.body.contains("Ask a manager who sees all of them"), "{}", page.body);
    assert!(
        page.status == 200 && !page.body.contains("id=\"disconnect\"") && !page.body.contains("HHP-1"),
        "{}",
        page.body
    );
    let refused = world.post(&limited, &own, "confirm=yes").await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("Ask a manager who sees all of them"), "{}", refused.body);
    assert!(!removing(&world).await && world.bell.take().is_empty());
    let lists_all = world.lists(&world.ours, &[PROJECT], Role::Manager).await;
    // What stays there of a site that is not theirs is taken away, too.
    let Tenant { organization, connection, .. } = &world.ours;
    let former = Tenant {
        organization: organization.clone(),
        site: SiteId::new(Ulid::from_parts(7, 7)),
        connection: connection.clone(),
    };
    record(&world, &former, RecordKind::Incident, "6", Some("56")).await;
    assert_eq!(world.post(&lists_all, &own, "confirm=yes").await.status, 403);
    let all = world.sign_in(&world.ours, Role::Manager).await;
    assert_eq!(world.post(&all, &own, "confirm=yes").await.status, 303);
    assert!(removing(&world).await);
}
