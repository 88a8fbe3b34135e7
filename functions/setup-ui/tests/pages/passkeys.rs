use crate::authenticator::Authenticator;
use crate::world::{Answer, PUBLIC, SignedIn, World};
use axum::body::Body;
use axum::http::Request;
use domain::ids::Provider;
use jiff::SignedDuration;
use people::passkeys::ANSWER_WITHIN;
use people::{Identity, Role};
use serde_json::Value;
use std::collections::BTreeMap;

/// A browser: its cookies, by name.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    fn of(who: &SignedIn) -> Self {
        let (name, value) = who.cookie().split_once('=').unwrap();
        Self(BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    async fn send(&mut self, world: &World, request: axum::http::request::Builder, body: String) -> Answer {
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = world.send(request.header("cookie", cookies.join("; ")).body(Body::from(body)).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.send(world, Request::get(path), String::new()).await
    }

    async fn post(&mut self, world: &World, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        self.send(world, Request::post(path).header("origin", PUBLIC).header("content-type", kind), body).await
    }

    async fn ask(&mut self, world: &World, path: &str, csrf: &str) -> (String, Value) {
        let answer = self.post(world, path, &[("csrf", csrf)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let question: Value = serde_json::from_str(&answer.body).unwrap();
        (question["state"].as_str().unwrap().to_owned(), question["options"].clone())
    }

    async fn add(&mut self, world: &World, who: &SignedIn, authenticator: &mut Authenticator) -> Answer {
        let (state, options) = self.ask(world, "/people/passkeys/question", &who.session.csrf).await;
        let credential = authenticator.make(&options);
        let fields = [("csrf", who.session.csrf.as_str()), ("state", &state), ("credential", &credential)];
        self.post(world, "/people/passkeys", &fields).await
    }

    async fn sign_in(&mut self, world: &World, authenticator: &mut Authenticator) -> Answer {
        let (state, options) = self.ask(world, "/sign-in/passkey/question", "").await;
        self.answer(world, &state, &authenticator.prove(&options)).await
    }

    async fn answer(&mut self, world: &World, state: &str, credential: &str) -> Answer {
        let path = "/sign-in/passkey?next=%2Fdetections%2F1";
        self.post(world, path, &[("state", state), ("credential", credential)]).await
    }
}

fn problem(answer: &Answer) -> String {
    assert!(answer.headers["content-type"] == "application/json", "{}", answer.body);
    assert!(!answer.headers.contains_key("set-cookie"), "nobody is let in by a refusal");
    serde_json::from_str::<Value>(&answer.body).unwrap()["problem"].as_str().unwrap().to_owned()
}

async fn enrolled(world: &World, number: u8) -> (SignedIn, Authenticator) {
    let who = world.sign_in(&world.ours, Role::Manager).await;
    let mut authenticator = Authenticator::new(number, PUBLIC);
    let added = Browser::of(&who).add(world, &who, &mut authenticator).await;
    assert_eq!((added.status, added.body.as_str()), (200, r#"{"next":"/people?added=1"}"#));
    (who, authenticator)
}

#[tokio::test]
async fn who_came_by_a_link_adds_a_passkey_and_signs_in_with_it_again_and_again() {
    let world = World::new().await;
    let made = world.people.make_link(&world.ours.organization, Role::Viewer, "Foreman <b>", None).await.unwrap();
    let mut browser = Browser::default();
    assert_eq!(browser.post(&world, made.url.strip_prefix(PUBLIC).unwrap(), &[]).await.status, 303);
    let overview = browser.get(&world, "/setup").await.body;
    assert!(overview.contains("How you sign in next time") && overview.contains("/passkey.js"), "{overview}");
    let csrf = overview.split("data-csrf=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();

    let (state, options) = browser.ask(&world, "/people/passkeys/question", &csrf).await;
    assert_eq!(
        (&options["rp"]["id"], &options["user"]["name"]),
        (&"pulse.example.com".into(), &"Foreman <b>, Contractor 1".into())
    );
    let mut authenticator = Authenticator::new(7, PUBLIC);
    let credential = authenticator.make(&options);
    let fields = [("csrf", csrf.as_str()), ("state", &state), ("credential", &credential)];
    assert_eq!(browser.post(&world, "/people/passkeys", &fields).await.status, 200);
    assert!(!browser.get(&world, "/setup").await.body.contains("How you sign in next time"));
    let people = browser.get(&world, "/people?added=1").await.body;
    assert!(people.contains("The passkey was added") && people.contains("not used yet"), "{people}");

    for _ in 0..2 {
        let mut another = Browser::default();
        let page = another.get(&world, "/sign-in?next=%2Fdetections%2F1").await.body;
        assert!(page.contains("data-answer=\"/sign-in/passkey?next=%2Fdetections%2F1\""), "{page}");
        let answer = another.sign_in(&world, &mut authenticator).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"next":"/detections/1"}"#));
        let overview = another.get(&world, "/setup").await;
        assert!(overview.status == 200 && overview.body.contains("Foreman") && overview.body.contains("(viewer)"));
        assert!(another.get(&world, "/people").await.body.contains("last used 2026-11-24"));
    }
}

#[tokio::test]
async fn an_answer_counts_once_in_its_own_browser_and_for_minutes() {
    let world = World::new().await;
    let (_, mut authenticator) = enrolled(&world, 1).await;
    let mut browser = Browser::default();
    let (state, options) = browser.ask(&world, "/sign-in/passkey/question", "").await;
    let credential = authenticator.prove(&options);
    let other = Browser::default().answer(&world, &state, &credential).await;
    assert!(other.status == 403 && problem(&other).contains("another browser"), "{}", other.body);
    assert_eq!(browser.answer(&world, &state, &credential).await.status, 200);
    let again = browser.answer(&world, &state, &credential).await;
    assert!(again.status == 403 && problem(&again).contains("took too long"));

    let (state, options) = browser.ask(&world, "/sign-in/passkey/question", "").await;
    world.pass(ANSWER_WITHIN + SignedDuration::from_secs(1));
    let late = browser.answer(&world, &state, &authenticator.prove(&options)).await;
    assert!(late.status == 403 && problem(&late).contains("took too long"));
}

#[tokio::test]
async fn what_is_not_proven_lets_nobody_in() {
    let world = World::new().await;
    let (_, mut right) = enrolled(&world, 1).await;
    // Another key under the same id; another site's answer; no fingerprint; a counter that stood still, as a copy's would.
    let mut forged = Authenticator::new(1, PUBLIC);
    let mut browser = Browser::default();
    let (_, options) = browser.ask(&world, "/sign-in/passkey/question", "").await;
    right.prove(&options);
    let owner = serde_json::from_str::<Value>(&right.prove(&options)).unwrap()["response"]["userHandle"].clone();
    forged.make(&serde_json::json!({
        "challenge": "AAAAAAAAAAAAAAAAAAAAAA", "user": {"id": owner}, "authenticatorSelection": {"userVerification": "required"}
    }));
    assert!(problem(&browser.sign_in(&world, &mut forged).await).contains("could not be checked"));
    let wrong = |change: fn(&mut Authenticator), back: fn(&mut Authenticator)| (change, back);
    for (change, back) in [
        wrong(|a| a.origin = "https://evil.example".into(), |a| a.origin = PUBLIC.into()),
        wrong(|a| a.domain = "evil.example".into(), |a| a.domain = "pulse.example.com".into()),
        wrong(|a| a.flags &= !0b100, |a| a.flags |= 0b100),
        wrong(|a| a.count = 0, |a| a.count = 50),
    ] {
        change(&mut right);
        let answer = browser.sign_in(&world, &mut right).await;
        assert!(answer.status == 403 && problem(&answer).contains("could not be checked"), "{}", answer.body);
        back(&mut right);
    }
    let mut stranger = Authenticator::new(9, PUBLIC);
    stranger.make(&serde_json::json!({
        "challenge": "AAAAAAAAAAAAAAAAAAAAAA", "user": {"id": owner}, "authenticatorSelection": {"userVerification": "required"}
    }));
    assert!(problem(&browser.sign_in(&world, &mut stranger).await).contains("not known here"));
    let (state, _) = browser.ask(&world, "/sign-in/passkey/question", "").await;
    assert!(problem(&browser.answer(&world, &state, "{}").await).contains("could not be read"));
    assert_eq!(browser.sign_in(&world, &mut right).await.status, 200);
}

#[tokio::test]
async fn a_new_passkey_is_taken_only_from_the_session_that_was_asked() {
    let world = World::new().await;
    let (manager, mut known) = enrolled(&world, 1).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let mut browser = Browser::of(&manager);
    let (state, options) = browser.ask(&world, "/people/passkeys/question", &manager.session.csrf).await;
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1, "a device is asked for one only");
    let credential = Authenticator::new(2, PUBLIC).make(&options);
    // The same browser, signed in as somebody else by now.
    let mut switched = Browser::of(&viewer);
    switched.0.insert("__Host-hhp_signin".into(), browser.0["__Host-hhp_signin"].clone());
    let fields = [("csrf", viewer.session.csrf.as_str()), ("state", &state), ("credential", &credential)];
    assert!(problem(&switched.post(&world, "/people/passkeys", &fields).await).contains("took too long"));
    // Without the form's token, or from elsewhere, there is not even a question.
    assert_eq!(browser.post(&world, "/people/passkeys/question", &[("csrf", "x")]).await.status, 403);
    let elsewhere = world.post_from(
        &manager,
        "/people/passkeys/question",
        format!("csrf={}", manager.session.csrf),
        "https://evil.example",
    );
    assert_eq!(elsewhere.await.status, 403);
    // A key of another origin, and one whose id somebody has.
    let mut foreign = Authenticator::new(3, "https://evil.example");
    assert!(problem(&browser.add(&world, &manager, &mut foreign).await).contains("could not be checked"));
    let taken = Browser::of(&viewer).add(&world, &viewer, &mut Authenticator::new(1, PUBLIC)).await;
    assert!(problem(&taken).contains("added before"));
    assert_eq!(Browser::default().sign_in(&world, &mut known).await.status, 200, "it still lets its owner in");
}

#[tokio::test]
async fn a_removed_passkey_or_person_is_out_at_once() {
    let world = World::new().await;
    let (manager, mut authenticator) = enrolled(&world, 1).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let theirs = world.sign_in(&world.theirs, Role::Manager).await;
    let page = world.get(&manager, "/people").await.body;
    let id = page.split("name=\"passkey\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/people/{}/passkeys/remove", manager.session.person_id);
    let body = format!("passkey={id}");
    assert_eq!(world.post(&viewer, &path, &body).await.status, 403);
    assert_eq!(world.post(&theirs, &path, &body).await.status, 404);
    let mixed = format!("/people/{}/passkeys/remove", theirs.session.person_id);
    assert_eq!(world.post(&theirs, &mixed, &body).await.status, 404);
    assert_eq!(Browser::default().sign_in(&world, &mut authenticator).await.status, 200);
    assert_eq!(world.post(&manager, &path, &body).await.status, 303);
    assert!(problem(&Browser::default().sign_in(&world, &mut authenticator).await).contains("not known here"));
    assert_eq!(world.post(&manager, &path, &body).await.status, 404, "once");

    let mut again = Authenticator::new(4, PUBLIC);
    assert_eq!(Browser::of(&viewer).add(&world, &viewer, &mut again).await.status, 200);
    let remove = format!("/people/{}/remove", viewer.session.person_id);
    assert_eq!(world.post(&manager, &remove, "").await.status, 303);
    assert!(problem(&Browser::default().sign_in(&world, &mut again).await).contains("not known here"));
    let left = format!("{:?}", world.table.dump());
    assert!(!left.contains("PASSKEY#") && !left.contains(viewer.session.person_id.as_str()), "{left}");
}

#[tokio::test]
async fn whom_procore_vouches_for_is_led_back_to_procore() {
    let world = World::new().await;
    let identity = Identity { provider: Provider::Procore, user_id: "8600000002".into() };
    let organization = &world.ours.organization;
    let vouched = world.people.vouched(organization, &identity, "ana@example.com", None, Default::default()).await;
    let opened = world.people.open(&vouched.unwrap()).await.unwrap();
    let cookie = opened.set_cookie.to_str().unwrap().split(';').next().unwrap();
    let (name, value) = cookie.split_once('=').unwrap();
    let mut browser = Browser(BTreeMap::from([(name.to_owned(), value.to_owned())]));
    assert!(!browser.get(&world, "/people").await.body.contains("add-passkey"));
    let asked = browser.post(&world, "/people/passkeys/question", &[("csrf", &opened.session.csrf)]).await;
    assert!(asked.status == 403 && problem(&asked).contains("Sign in with Procore"));
}
