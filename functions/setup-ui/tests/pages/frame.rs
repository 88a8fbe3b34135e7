//! From a frame to a window and back. A real browser's part in it is the browser test's.
use crate::world::{Answer, PUBLIC, World};
use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use people::Role;
use people::hand_over::HAND_OVER_FOR;

impl World {
    async fn framed(&self, path: &str) -> Answer {
        self.send(Request::get(path).header("sec-fetch-dest", "iframe").body(Body::empty()).unwrap()).await
    }

    async fn take_over(&self, code: &str, origin: &str) -> Answer {
        let request = Request::post("/sign-in/frame?next=%2Fdetections%2F1").header("origin", origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(format!("code={code}"))).unwrap()).await
    }
}

fn code(page: &Answer) -> String {
    page.body.split("data-code=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_frame_offers_a_window_and_a_new_tab() {
    let world = World::new().await;
    let page = world.framed("/sign-in?next=%2Fdetections%2F1").await;
    assert!(page.body.contains("data-path=\"/sign-in/hand-over\"") && page.body.contains("target=\"_blank\""));
    assert!(page.body.contains("href=\"/detections/1\""), "{}", page.body);
    let script = page.body.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = world.framed(script).await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(script.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn a_code_opens_one_session_for_the_frame_soon_after() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let code = code(&world.get(&manager, "/sign-in/hand-over").await);
    assert!(!format!("{:?}", world.table.dump()).contains(&code));
    assert_eq!(world.take_over(&code, "https://app.procore.com").await.status, 403);
    let taken = world.take_over(&code, PUBLIC).await;
    assert_eq!((taken.status, taken.headers["location"].to_str().unwrap()), (303, "/detections/1"));
    let set = taken.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("; HttpOnly; Secure; SameSite=None; Partitioned"), "{set}");
    let person = world.people.person(&world.ours.organization, &manager.session.person_id).await.unwrap().unwrap();
    assert_eq!(world.people.sessions(&person).await.unwrap().len(), 2);
    for again in [code.as_str(), "", "nonsense"] {
        let answer = world.take_over(again, PUBLIC).await;
        assert!(answer.headers["location"].to_str().unwrap().starts_with("/sign-in?next="), "{again}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

/// What a person may see is asked of the platform at each sign-in, so that handing over makes no session longer.
#[tokio::test]
async fn a_session_that_is_taken_over_ends_when_the_first_one_does() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    world.pass(jiff::SignedDuration::from_hours(23));
    let code = code(&world.get(&manager, "/sign-in/hand-over").await);
    let taken = world.take_over(&code, PUBLIC).await;
    let set = taken.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("; Max-Age=3600;"), "{set}");
    let person = world.people.person(&world.ours.organization, &manager.session.person_id).await.unwrap().unwrap();
    assert_eq!(world.people.sessions(&person).await.unwrap().len(), 2);
    world.pass(jiff::SignedDuration::from_mins(61));
    assert!(world.people.sessions(&person).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_is_to_sign_in_at_procore_again_does_so_in_the_window() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let ask = |path: &str| Request::get(path).header("cookie", manager.cookie());
    let again = ask("/sign-in?again=1&next=%2Fsetup%2Fconnect").header("sec-fetch-dest", "iframe");
    let page = world.send(again.body(Body::empty()).unwrap()).await;
    assert!(page.body.contains("data-path=\"/sign-in/procore?next=%2Fsign-in%2Fhand-over\""), "{}", page.body);
    let outside = world.send(ask("/sign-in?again=1&next=%2Fsetup").body(Body::empty()).unwrap()).await;
    assert_eq!(outside.headers["location"], "/setup");

    // What the frame had before ends when it takes over.
    let code = code(&world.get(&manager, "/sign-in/hand-over").await);
    let framed = world.sign_in(&world.ours, Role::Manager).await;
    let take = Request::post("/sign-in/frame?next=%2Fsetup").header("origin", PUBLIC).header("cookie", framed.cookie());
    let take = take.header("content-type", "application/x-www-form-urlencoded");
    let taken = world.send(take.body(Body::from(format!("code={code}"))).unwrap()).await;
    assert_eq!(taken.headers["location"], "/setup");
    assert_eq!(world.get(&framed, "/setup").await.status, 303, "the old one is over");
    assert_eq!(world.get(&manager, "/setup").await.status, 200);
}

#[tokio::test]
async fn a_step_at_procore_that_does_not_come_back_to_the_frame_has_a_tab() {
    let world = World::new().await;
    let path = "%2Fsign-in%2Fprocore%3Fconnection%3Dc%26next%3D%252Fsetup";
    let page = world.framed(&format!("/sign-in/tab?path={path}")).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("href=\"/sign-in/procore?connection=c&amp;next=%2Fsetup\" target=\"_blank\""),
        "{}",
        page.body
    );
    for elsewhere in ["", "%2Fsetup", "https%3A%2F%2Fevil.example", "%2F%2Fevil.example"] {
        assert_eq!(world.framed(&format!("/sign-in/tab?path={elsewhere}")).await.status, 404, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_code_that_is_old_or_whose_session_ended_opens_nothing() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let old = code(&world.get(&manager, "/sign-in/hand-over").await);
    world.pass(HAND_OVER_FOR + SignedDuration::from_secs(1));
    let ended = code(&world.get(&manager, "/sign-in/hand-over").await);
    world.people.close(&manager.session).await.unwrap();
    for code in [old, ended] {
        assert!(!world.take_over(&code, PUBLIC).await.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn codes_are_made_in_windows_only() {
    let world = World::new().await;
    assert_eq!(world.framed("/sign-in/hand-over").await.status, 303, "nobody is signed in");
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let request = Request::get("/sign-in/hand-over").header("sec-fetch-dest", "iframe");
    let answer = world.send(request.header("cookie", manager.cookie()).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 404);
}
