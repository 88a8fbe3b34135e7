use crate::world::{Answer, PUBLIC, World};
use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use people::Role;
use people::links::SETUP_LINK_LIFE;

impl World {
    async fn open_page(&self, path: &str, cookie: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn press(&self, path: &str, origin: &str) -> Answer {
        let request = Request::post(path).header("origin", origin);
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(Body::empty()).unwrap())
            .await
    }

    /// The path of a link just made.
    async fn link_path(&self, role: Role) -> String {
        let made = self.people.make_link(&self.ours.organization, role, "Setup link", None).await.unwrap();
        made.url.strip_prefix(PUBLIC).unwrap().to_owned()
    }
}

fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_setup_link_signs_one_person_in_once() {
    let world = World::new().await;
    let path = world.link_path(Role::Manager).await;
    for _ in 0..2 {
        // A scanner that opens the link takes nothing away.
        let page = world.open_page(&path, None).await;
        assert!(page.status == 200 && page.body.contains("Sign in for Contractor 1"), "{}", page.body);
        assert!(!page.headers.contains_key("set-cookie"));
    }
    let pressed = world.press(&format!("{path}?next=%2Fdetections%2F1"), PUBLIC).await;
    assert_eq!((pressed.status, pressed.headers["location"].to_str().unwrap()), (303, "/detections/1"));
    let set = pressed.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("; HttpOnly; Secure; SameSite=None; Partitioned"), "{set}");
    let cookie = cookie(&pressed);
    let overview = world.open_page("/setup", Some(&cookie)).await;
    assert!(overview.status == 200 && overview.body.contains("North Tower 1") && overview.body.contains("(manager)"));
    // Used up, for everybody.
    for answer in [world.press(&path, PUBLIC).await, world.open_page(&path, None).await] {
        assert!(answer.status == 410 && answer.body.contains("was used"), "{}", answer.body);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn a_link_is_burnt_only_by_its_own_button() {
    let world = World::new().await;
    let path = world.link_path(Role::Viewer).await;
    assert_eq!(world.press(&path, "https://evil.example").await.status, 403);
    let away = world.press(&format!("{path}?next=https%3A%2F%2Fevil.example"), PUBLIC).await;
    assert_eq!(away.headers["location"], "/setup");
    let viewer = world.open_page("/setup", Some(&cookie(&away))).await;
    assert!(viewer.body.contains("(viewer)"));
}

#[tokio::test]
async fn who_is_in_already_does_not_burn_a_colleagues_link() {
    let world = World::new().await;
    let (first, second) = (world.link_path(Role::Manager).await, world.link_path(Role::Viewer).await);
    let cookie = cookie(&world.press(&first, PUBLIC).await);
    let page = world.open_page(&second, Some(&cookie)).await;
    assert!(page.body.contains("signed in for Contractor 1 already") && !page.body.contains("id=\"use-link\""));
    assert_eq!(world.press(&second, PUBLIC).await.status, 303, "it was still good");
}

#[tokio::test]
async fn links_too_old_or_never_made_say_what_to_do() {
    let world = World::new().await;
    let path = world.link_path(Role::Manager).await;
    world.pass(SETUP_LINK_LIFE + SignedDuration::from_secs(1));
    let old = world.open_page(&path, None).await;
    assert!(old.status == 410 && old.body.contains("too old") && old.body.contains("contact@hardhatpulse.com"));
    for nonsense in ["/sign-in/link/x", "/sign-in/link/%3Cscript%3E"] {
        let answer = world.open_page(nonsense, None).await;
        assert!(answer.status == 410 && !answer.body.contains("<script>"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_sign_in_page_offers_procore_and_leads_back() {
    let world = World::new().await;
    let page = world.open_page("/sign-in?next=%2Fdetections%2F1", None).await;
    assert!(page.body.contains("href=\"/sign-in/procore?next=%2Fdetections%2F1\""), "{}", page.body);
    let page = world.open_page("/sign-in?next=https%3A%2F%2Fevil.example", None).await;
    assert!(!page.body.contains("evil.example"));
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    assert_eq!(world.post_from(&manager, "/sign-out", "csrf=x".into(), PUBLIC).await.status, 403);
    assert_eq!(world.get(&manager, "/sign-in?next=%2Fsetup").await.headers["location"], "/setup");
    let out = world.post(&manager, "/sign-out", "").await;
    assert_eq!((out.status, out.headers["location"].to_str().unwrap()), (303, "/sign-in?out=1"));
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    // The cookie, kept by somebody, opens nothing any more.
    assert_eq!(world.get(&manager, "/setup").await.status, 303);
    assert!(world.get(&manager, "/sign-in?out=1").await.body.contains("You are signed out"));
}
