//! A connection that works with a person's consent, from the first step on; beside a strict Procore.
use crate::wizard::Beside;
use crate::world::SignedIn;
use credentials::Secret;
use grants::{Tokens, grant};
use jiff::{SignedDuration, Timestamp};
use people::Role;
use std::collections::BTreeSet;
use store::directory::Directory;
use store::table::item;
use store::{Condition, Table, keys};

const ADMIN: &str = "company.admin@example.com";

/// What `oauth-callback` keeps when a manager agreed.
async fn agrees(beside: &Beside, login: &str) {
    let ends_at = Timestamp::now() + SignedDuration::from_hours(400 * 24);
    let tokens = Tokens { access: Secret::new(beside.sandbox.person_token(login)), ends_at, refresh: None };
    let (lane, now) = (beside.connection.lane(), Timestamp::now());
    beside.world.grants.keep(&lane, "7", login, &tokens, now).await.unwrap();
}

async fn manager_by_link(beside: &Beside) -> SignedIn {
    beside.world.sign_in(&beside.world.ours, Role::Manager).await
}

#[tokio::test]
async fn a_manager_may_connect_with_their_own_access() {
    let beside = Beside::start().await;
    let world = &beside.world;
    let manager = beside.manager(ADMIN).await;
    let page = world.get(&manager, "/setup/connect").await.body;
    for shown in ["Connect with my own access", "your name stands at each record", "what we recommend"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let none = world.post(&manager, "/setup/connect", "way=consent").await;
    assert!(none.status == 422 && none.body.contains("company-error"), "{}", none.body);

    let form = format!("company={}&way=consent", beside.connection.account);
    let made = world.post(&manager, "/setup/connect", &form).await;
    let asks = format!("/sign-in/procore?connection={0}&next=%2Fsetup%2F{0}%2Fprojects", beside.connection.id);
    assert_eq!((made.status, made.headers["location"].to_str().unwrap()), (303, asks.as_str()), "{}", made.body);
    let directory = Directory(world.table.as_ref());
    assert!(directory.connection(&world.ours.organization, &beside.connection.id).await.unwrap().is_some());
    assert_eq!(grant(world.table.as_ref(), &beside.connection.lane()).await.unwrap(), None, "nobody has agreed yet");
}

#[tokio::test]
async fn without_the_app_nobodys_access_is_enough() {
    let beside = Beside::start().await;
    let world = &beside.world;
    let manager = beside.manager("no.app@example.com").await;
    let form = format!("company={}&way=consent", beside.sandbox.companies()[2].id);
    let page = world.post(&manager, "/setup/connect", &form).await;
    assert!(page.status == 422 && page.body.contains("App is not installed"), "{}", page.body);
    assert_eq!(Directory(world.table.as_ref()).connections(&world.ours.organization).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_pages_list_what_the_person_sees_who_agreed() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    // The app's own account may use nothing.
    beside.sandbox.set_permitted_projects(beside.company(), Some(BTreeSet::new()));
    let manager = beside.manager(ADMIN).await;
    let page = world.get(&manager, &beside.projects_path()).await.body;
    assert!(page.contains("No project can be chosen") && page.contains("Let it work with my own access"), "{page}");

    agrees(&beside, ADMIN).await;
    let page = world.get(&manager, &beside.projects_path()).await.body;
    assert!(page.contains("Map Depot B") && page.contains("Map Hospital C"), "{page}");
    let settings = format!("{}/{}/settings", beside.projects_path(), beside.project());
    assert!(world.get(&manager, &settings).await.body.contains("Default (Safety Violation)"));
    // Connecting the same company again leaves it at the consent.
    let again = world.post(&manager, "/setup/connect", &format!("company={}", beside.connection.account)).await;
    assert_eq!(again.status, 303, "{}", again.body);
    for path in ["/setup", "/setup/connect"] {
        let page = world.get(&manager, path).await.body;
        assert!(page.contains(&format!("Works with the consent of {ADMIN}.")), "{path}: {page}");
    }
    // Somebody else sees there what both can see.
    let guest = beside.manager("regional.safety@example.com").await;
    let page = world.get(&guest, &beside.projects_path()).await.body;
    assert!(!page.contains("permitted projects"), "{page}");
    assert!(beside.sandbox.violations().is_empty());
}

#[tokio::test]
async fn a_consent_that_ended_says_who_can_mend_it() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    agrees(&beside, ADMIN).await;
    let lane = beside.connection.lane();
    let mut over = grant(world.table.as_ref(), &lane).await.unwrap().unwrap();
    over.ended = Some("Procore does not accept what stands for the person's consent".into());
    let key = keys::connection_grant(&lane.organization_id, &lane.connection_id);
    world.table.put(item(&key, &over).unwrap(), Condition::Always).await.unwrap();
    let manager = beside.manager(ADMIN).await;
    let page = world.get(&manager, &beside.projects_path()).await.body;
    assert!(page.contains("may no longer act in Procore for the person who connected it"), "{page}");
    assert!(page.contains("signs in with Procore again"), "{page}");
    let connect = world.get(&manager, "/setup/connect").await.body;
    let ask = format!("/sign-in/procore?connection={}&amp;next=%2Fsetup%2Fconnect", beside.connection.id);
    assert!(connect.contains(&ask) && connect.contains("Sign in with Procore again"), "{connect}");
}

#[tokio::test]
async fn the_consent_is_taken_back_where_the_apps_own_account_can_go_on() {
    let beside = Beside::connected().await;
    let (world, lane) = (&beside.world, beside.connection.lane());
    agrees(&beside, ADMIN).await;
    let end = format!("/setup/{}/consent/end", beside.connection.id);
    let manager = manager_by_link(&beside).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.post(&viewer, &end, "").await.status, 403);
    let stranger = world.sign_in(&world.theirs, Role::Manager).await;
    assert_eq!(world.post(&stranger, &end, "").await.status, 404);

    beside.sandbox.set_permitted_projects(beside.company(), Some(BTreeSet::new()));
    let early = world.post(&manager, &end, "").await;
    assert_eq!(early.status, 409);
    assert!(early.body.contains("permitted projects") && early.body.contains("Nothing was changed"), "{}", early.body);
    assert!(grant(world.table.as_ref(), &lane).await.unwrap().is_some());
    world.bell.take();

    beside.sandbox.set_permitted_projects(beside.company(), None);
    let ended = world.post(&manager, &end, "").await;
    assert_eq!((ended.status, ended.headers["location"].to_str().unwrap()), (303, "/setup/connect"), "{}", ended.body);
    assert_eq!(grant(world.table.as_ref(), &lane).await.unwrap(), None);
    assert_eq!(beside.sandbox.calls_of("oauthRevoke").len(), 1);
    assert_eq!(world.bell.take(), [lane]);
    assert!(world.get(&manager, "/setup/connect").await.body.contains("It works with the app's own account now."));
}
