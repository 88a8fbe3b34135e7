//! Sessions, links and what a person sees, over the table's twin; pages asked by HTTP.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic, in its helpers too")]
use axum::body::Body;
use axum::extract::FromRef;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::{Router, routing::get};
use domain::ids::{OrganizationId, Provider};
use jiff::{SignedDuration, Timestamp};
use people::links::Standing;
use people::{Identity, Opened, People, PublicUrl, Role, SESSION_LIFE, Visitor};
use std::sync::{Arc, Mutex};
use store::memory::MemoryTable;
use tower::ServiceExt;

struct World {
    people: People,
    table: Arc<MemoryTable>,
    now: Arc<Mutex<Timestamp>>,
}

#[derive(Clone)]
struct Pages(People);

impl FromRef<Pages> for People {
    fn from_ref(pages: &Pages) -> People {
        pages.0.clone()
    }
}

impl World {
    fn new() -> Self {
        let now = Arc::new(Mutex::new("2026-11-24T16:03:05Z".parse::<Timestamp>().unwrap()));
        let (table, clock) = (Arc::new(MemoryTable::default()), now.clone());
        let url = PublicUrl::new("https://pulse.example").unwrap();
        let people = People::new(table.clone(), Arc::new(move || *clock.lock().unwrap()), url);
        Self { people, table, now }
    }

    fn pass(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }

    async fn page(&self, path: &str, cookie: Option<&str>) -> (StatusCode, HeaderMap) {
        let manager = |visitor: Visitor| async move { visitor.require(Role::Manager).map(|()| "in") };
        let app = Router::new()
            .route("/any", get(|visitor: Visitor| async move { visitor.session.label }))
            .route("/manager", get(manager))
            .with_state(Pages(self.people.clone()));
        let mut request = Request::get(path);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        (response.status(), response.headers().clone())
    }
}

fn organization(n: u128) -> OrganizationId {
    OrganizationId::new(ulid::Ulid::from_parts(1, n))
}

fn cookie(opened: &Opened) -> String {
    opened.set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_without_a_session_leads_to_the_sign_in_and_back() {
    let world = World::new();
    let (status, headers) = world.page("/any?a=b", None).await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/sign-in?next=%2Fany%3Fa%3Db")
    );
    let stranger = format!("__Host-hhp_session={}", "A".repeat(43));
    assert_eq!(world.page("/any", Some(&stranger)).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_lets_in_by_role_until_it_ends_or_is_revoked() {
    let world = World::new();
    let viewer = world.people.add(&organization(1), Role::Viewer, "Foreman").await.unwrap();
    let opened = world.people.open(&viewer).await.unwrap();
    let cookie = cookie(&opened);
    assert_eq!(world.page("/any", Some(&cookie)).await.0, StatusCode::OK);
    assert_eq!(world.page("/manager", Some(&cookie)).await.0, StatusCode::FORBIDDEN);
    // A role counts from the next page on.
    world.people.change_role(&organization(1), &viewer.id, Role::Manager).await.unwrap();
    assert_eq!(world.page("/manager", Some(&cookie)).await.0, StatusCode::OK);
    // The table holds nothing that opens a session.
    let token = cookie.split_once('=').unwrap().1;
    assert!(!format!("{:?}", world.table.dump()).contains(token));
    world.pass(SESSION_LIFE);
    assert_eq!(world.page("/any", Some(&cookie)).await.0, StatusCode::SEE_OTHER);

    let again = world.people.open(&viewer).await.unwrap();
    world.people.close(&again.session).await.unwrap();
    assert_eq!(world.page("/any", Some(&self::cookie(&again))).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_removed_person_is_out_at_once_and_leaves_nothing() {
    let world = World::new();
    let identity = Identity { provider: Provider::Procore, user_id: "8600000001".into() };
    let person =
        world.people.vouched(&organization(1), &identity, "a@example.com", None, Default::default()).await.unwrap();
    let opened = world.people.open(&person).await.unwrap();
    // Another organization's id removes nobody.
    assert!(!world.people.remove(&organization(2), &person.id).await.unwrap());
    assert_eq!(world.page("/any", Some(&cookie(&opened))).await.0, StatusCode::OK);
    assert!(world.people.remove(&organization(1), &person.id).await.unwrap());
    assert_eq!(world.page("/any", Some(&cookie(&opened))).await.0, StatusCode::SEE_OTHER);
    assert_eq!(world.table.dump(), Vec::<store::Item>::new());
}

#[tokio::test]
async fn a_link_lets_one_person_in_once() {
    let world = World::new();
    let made = world.people.make_link(&organization(1), Role::Manager, "Setup link", None).await.unwrap();
    let secret = made.url.rsplit('/').next().unwrap().to_owned();
    assert!(!format!("{:?}", world.table.dump()).contains(&secret));
    // Looking burns nothing.
    for _ in 0..3 {
        assert!(matches!(world.people.link(&secret).await.unwrap(), Standing::Good(_)));
    }
    let person = world.people.use_link(&secret).await.unwrap().unwrap();
    assert_eq!((person.role, person.organization_id), (Role::Manager, organization(1)));
    assert_eq!(world.people.use_link(&secret).await.unwrap(), Err(Standing::Used));
    assert_eq!(world.people.people(&organization(1)).await.unwrap().len(), 1);

    let late = world.people.make_link(&organization(1), Role::Viewer, "x", None).await.unwrap();
    world.pass(people::links::SETUP_LINK_LIFE);
    let secret = late.url.rsplit('/').next().unwrap();
    assert_eq!(world.people.use_link(secret).await.unwrap(), Err(Standing::Expired));
    assert_eq!(world.people.use_link("nonsense").await.unwrap(), Err(Standing::Unknown));
}

#[tokio::test]
async fn who_came_by_a_link_and_signs_in_at_the_platform_stays_one_person() {
    let world = World::new();
    let identity = Identity { provider: Provider::Procore, user_id: "8600000001".into() };
    let by_link = world.people.add(&organization(1), Role::Manager, "Setup link").await.unwrap();
    let vouched = world
        .people
        .vouched(&organization(1), &identity, "a@example.com", Some(by_link.clone()), Default::default())
        .await
        .unwrap();
    assert_eq!((&vouched.id, vouched.role), (&by_link.id, Role::Manager));
    let next =
        world.people.vouched(&organization(1), &identity, "a@example.com", None, Default::default()).await.unwrap();
    assert_eq!((next.id, next.role), (by_link.id, Role::Manager));
    // Whom a link lets in is somebody who was known by their projects alone.
    let viewer = Identity { provider: Provider::Procore, user_id: "8600000002".into() };
    let known =
        world.people.vouched(&organization(1), &viewer, "b@example.com", None, Default::default()).await.unwrap();
    assert!(known.projects.is_some());
    let invited = world.people.add(&organization(1), Role::Manager, "Invitation").await.unwrap();
    let raised = world
        .people
        .vouched(&organization(1), &viewer, "b@example.com", Some(invited), Default::default())
        .await
        .unwrap();
    assert_eq!((raised.id, raised.role, raised.projects), (known.id, Role::Manager, None), "sees all, and may invite");
    // In another organization the same user is somebody else, and nobody made them a manager there.
    let other =
        world.people.vouched(&organization(2), &identity, "a@example.com", None, Default::default()).await.unwrap();
    assert_ne!(other.id, vouched.id);
    assert_eq!(other.role, Role::Viewer);
}
