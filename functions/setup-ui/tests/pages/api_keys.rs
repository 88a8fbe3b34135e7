//! API keys on pages: made with the key shown once, limited, found again by hash, revoked.
use crate::world::{PROJECT, PUBLIC, SignedIn, World};
use jiff::SignedDuration;
use people::{Role, token};
use store::directory::{ApiKey, Directory};

const PATH: &str = "/setup/api-keys";

async fn keys(world: &World) -> Vec<ApiKey> {
    Directory(world.table.as_ref()).api_keys(&world.ours.organization).await.unwrap()
}

async fn make(world: &World, manager: &SignedIn, press: u128, rest: &str) -> String {
    let press = ulid::Ulid::from_parts(1_790_000_000_000, press);
    let answer = world.post(manager, PATH, &format!("press={press}&{rest}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn shown(page: &str) -> String {
    let at = page.find("id=\"secret\">").expect("a key on the page") + "id=\"secret\">".len();
    page[at..].split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let page = make(&world, &manager, 1, "name=Dashboard&scope=read&where=all&life=90").await;
    let text = shown(&page);
    assert!(text.starts_with("hhp_") && text.len() == 68, "{text}");
    assert!(page.contains(PUBLIC));
    let all = keys(&world).await;
    let [key] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (key.name.as_str(), key.scopes.as_slice(), &key.site_ids),
        ("Dashboard", ["read".to_owned()].as_slice(), &None)
    );
    assert_eq!(key.expires_at, Some(world.people.now() + SignedDuration::from_hours(24 * 90)));
    let found = Directory(world.table.as_ref()).api_key(&token::hash(&text)).await.unwrap().unwrap();
    assert_eq!(found.id, key.id);
    assert!(!serde_json::to_string(&world.table.dump()).unwrap().contains(&text));
    let list = world.get(&manager, PATH).await.body;
    assert!(
        list.contains("Dashboard") && list.contains("Never") && !list.contains(&text) && !list.contains(&key.sha256)
    );

    // The page is loaded again: the key that was shown stays good.
    let press = ulid::Ulid::from_parts(1_790_000_000_000, 1);
    let form = format!("press={press}&name=Dashboard&scope=read&where=all&life=90");
    let again = world.post(&manager, PATH, &form).await;
    assert_eq!((again.status, again.headers["location"].to_str().unwrap()), (303, "/setup/api-keys?made"));
    assert_eq!(keys(&world).await.len(), 1);
    assert!(Directory(world.table.as_ref()).api_key(&token::hash(&text)).await.unwrap().is_some());
    let page = world.get(&manager, "/setup/api-keys?made").await.body;
    assert!(page.contains("If you did not copy it, revoke it and make another"), "{page}");
}

#[tokio::test]
async fn a_key_may_be_for_some_sites_and_ends_when_it_should() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let rest = format!("name=P6&scope=read&scope=treatment%3Awrite&where=these&site={}&life=30", world.ours.site);
    make(&world, &manager, 2, &rest).await;
    let key = keys(&world).await.remove(0);
    assert_eq!(key.site_ids, Some(vec![world.ours.site.clone()]));
    assert_eq!(key.scopes, ["read", "treatment:write"]);
    world.pass(SignedDuration::from_hours(24 * 31));
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    assert!(world.get(&manager, PATH).await.body.contains("Expired"));
    let answer = world.post(&manager, &format!("{PATH}/{}/revoke", key.id), "").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(keys(&world).await.is_empty());
    assert!(world.get(&manager, &format!("{PATH}?revoked")).await.body.contains("The key was revoked"));
}

#[tokio::test]
async fn what_is_wrong_is_told_at_once_and_nothing_is_made() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let press = ulid::Ulid::from_parts(1_790_000_000_000, 3);
    let rest = format!("press={press}&name=&scope=everything&where=these&site={}&life=365", world.theirs.site);
    let answer = world.post(&manager, PATH, &rest).await;
    assert_eq!(answer.status, 422);
    for sentence in ["Name: it ", "What it may do: choose one at least.", "Sites: choose one at least"] {
        assert!(answer.body.contains(sentence), "{sentence}: {}", answer.body);
    }
    assert_eq!(
        world.post(&manager, PATH, &format!("press={press}&name=x&scope=read&where=all&life=9999")).await.status,
        400
    );
    assert!(keys(&world).await.is_empty());
}

#[tokio::test]
async fn a_viewer_sees_no_keys() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.get(&viewer, PATH).await.status, 403);
    assert!(!world.get(&viewer, "/setup").await.body.contains(PATH));
}

#[tokio::test]
async fn what_each_platform_can_show_is_what_the_docs_say() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let page = world.get(&viewer, "/setup/capabilities").await;
    assert_eq!(page.status, 200);
    for row in domain::capabilities::ROWS {
        assert!(page.body.contains(row.feature), "{}", row.feature);
        for cell in row.cells {
            assert!(page.body.contains(&cell.words()), "{}", cell.words());
        }
    }
}

#[tokio::test]
async fn whom_their_projects_limit_gives_away_no_later_site() {
    // Today's one site is theirs to see.
    let world = World::new().await;
    let limited = world.lists(&world.ours, &[PROJECT], Role::Manager).await;
    assert!(!world.get(&limited, PATH).await.body.contains("All sites, and those to come"));
    let press = ulid::Ulid::from_parts(1_790_000_000_000, 4);
    let all = format!("press={press}&name=x&scope=read&where=all&life=30");
    assert_eq!(world.post(&limited, PATH, &all).await.status, 422, "without a site");
    make(&world, &limited, 4, &format!("name=x&scope=read&where=all&site={}&life=30", world.ours.site)).await;
    assert_eq!(keys(&world).await.remove(0).site_ids, Some(vec![world.ours.site.clone()]));
}
