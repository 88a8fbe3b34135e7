//! Webhook endpoints on pages: made, tested, changed, followed, mended, removed; by the rules of the API.
use crate::world::{DETECTION, PROJECT, PUBLIC, SignedIn, World};
use credentials::MemoryVault;
use domain::webhook::Platform;
use domain::webhook::message::Content;
use jiff::{SignedDuration, Timestamp};
use people::Role;
use serde_json::Value;
use store::bus::MemoryBus;
use store::endpoints::{Disabled, Endpoint, EndpointState, Endpoints};
use store::messages::{MessageLane, Todo};
use sync::clock::SystemClock;
use webhook::lane::Engine;

const NEW: &str = "/setup/webhooks/new";

async fn endpoints(world: &World) -> Vec<Endpoint> {
    Endpoints(world.table.as_ref()).list(&world.ours.organization).await.unwrap()
}

async fn one(world: &World) -> Endpoint {
    let mut all = endpoints(world).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn path(endpoint: &Endpoint) -> String {
    format!("/setup/webhooks/{}", endpoint.id)
}

/// As someone fills it in who wants all.
fn form(press: u128, rest: &str) -> String {
    let press = ulid::Ulid::from_parts(1_790_000_000_000, press);
    format!("version={press}&platform=fieldwire&where=all&which=all&min_priority=3&daily_summary=1&{rest}")
}

const GOOD: &str = "name=Relay&url=https%3A%2F%2Fhooks.example.com%2Fpulse%3Fsig%3Dabcdefghij&token=T0ken";

/// An endpoint of the manager's organization.
async fn make(world: &World, manager: &SignedIn) -> Endpoint {
    let answer = world.post(manager, NEW, &form(1, GOOD)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = Endpoints(world.table.as_ref()).list(&manager.session.organization_id).await.unwrap();
    all.into_iter().next().unwrap()
}

/// As the lane's function would.
async fn run(world: &World, endpoint: &Endpoint) {
    let engine = Engine {
        table: world.table.as_ref(),
        bell: world.bell.as_ref(),
        bus: &MemoryBus::default(),
        vault: &MemoryVault::default(),
        post: world.post.as_ref(),
        clock: &SystemClock,
        public_url: PUBLIC,
        run_for: SignedDuration::from_secs(20),
    };
    engine.run(&endpoint.lane()).await.unwrap();
}

/// What is between two texts.
fn between<'a>(body: &'a str, before: &str, after: &str) -> &'a str {
    body.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(text, _)| text).expect(before)
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[tokio::test]
async fn someone_chooses_a_platform_enters_an_address_and_sees_the_secret_once() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    assert!(world.get(&manager, "/setup").await.body.contains("href=\"/setup/webhooks/new\""));
    let choice = world.get(&manager, NEW).await.body;
    for platform in Platform::ALL {
        assert!(choice.contains(&format!("{NEW}?platform={}", platform.as_str())), "{choice}");
    }
    let page = world.get(&manager, &format!("{NEW}?platform=fieldwire")).await.body;
    assert!(page.contains("API access") && page.contains("name=\"url\""), "{page}");
    let made = world.post(&manager, NEW, &form(1, GOOD)).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let secret = between(&made.body, "<code id=\"secret\">", "</code>").to_owned();
    assert!(secret.starts_with("whsec_") && !made.body.contains("T0ken"));
    let endpoint = one(&world).await;
    assert_eq!((endpoint.platform, endpoint.state), (Platform::Fieldwire, EndpointState::Untested));
    // The same press once more makes no second one, and shows nothing again.
    let again = world.post(&manager, NEW, &form(1, GOOD)).await;
    let there = again.headers["location"].to_str().unwrap();
    assert_eq!((again.status, there), (303, format!("{}?made", path(&endpoint)).as_str()));
    assert_eq!(one(&world).await, endpoint);
    let told = world.get(&manager, there).await.body;
    assert!(told.contains("was made before by the same form") && !told.contains(&secret), "{told}");
    assert!(!world.get(&manager, &path(&endpoint)).await.body.contains("was made before"));
    run(&world, &endpoint).await;
    let status = world.get(&manager, &path(&endpoint)).await.body;
    assert!(status.contains("Active") && status.contains("Test event") && status.contains("Delivered"), "{status}");
    assert!(!status.contains(&secret) && !status.contains("T0ken") && !status.contains("abcdefghij"), "{status}");
    assert!(world.get(&manager, "/setup").await.body.contains("Status of Relay"));
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_entered_stays() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    for (rest, field, words) in [
        ("name=&url=https%3A%2F%2Fhooks.example.com%2F", "name", "Name: it must have 1 to"),
        ("name=Relay&url=http%3A%2F%2Fhooks.example.com%2F", "url", "must begin with https://"),
        ("name=Relay&url=https%3A%2F%2Finside.example.com%2F", "url", "the internet can't reach"),
        ("name=Relay&url=https%3A%2F%2Fhooks.example.com%2F&token=a+b", "token", "without blanks"),
    ] {
        let page = world.post(&manager, NEW, &form(1, rest)).await;
        assert_eq!(page.status, 422, "{rest}");
        assert!(unescaped(&page.body).contains(words), "{words}: {}", page.body);
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")) && page.body.contains(&format!("id=\"{field}-error\""))
        );
    }
    let none = form(1, GOOD).replace("where=all", "where=these");
    let page = world.post(&manager, NEW, &none).await;
    assert!(page.status == 422 && page.body.contains("Sites: choose one at least"), "{}", page.body);
    assert!(page.body.contains("value=\"Relay\""));
    let foreign = format!("{none}&site={}", world.theirs.site);
    assert_eq!(world.post(&manager, NEW, &foreign).await.status, 422);
    assert!(endpoints(&world).await.is_empty() && world.bell.take().is_empty());
}

#[tokio::test]
async fn a_preview_shows_the_last_event_of_the_customers_own_and_sends_nothing() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let page = world.post(&manager, NEW, &form(1, &format!("{GOOD}&do=preview"))).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let payload: Value =
        serde_json::from_str(&unescaped(between(&page.body, "aria-label=\"Message\">", "</pre>"))).unwrap();
    assert_eq!(payload["data"]["detection_id"], DETECTION);
    assert_eq!(payload["data"]["ready"]["category"], "Safety");
    // The token that was typed in stays in its field, or it would be lost with the next press; it stands nowhere else.
    assert!(
        page.body.contains("name=\"token\" value=\"T0ken\"") && page.body.matches("T0ken").count() == 1,
        "{}",
        page.body
    );
    assert!(!page.body.contains("W-4711"), "{}", page.body);
    assert!(page.body.contains("Authorization: Bearer &lt;your token&gt;"));
    assert!(page.body.contains("value=\"Relay\""), "what was entered stays");
    // What the form leaves out is not shown either: then it is the test event.
    let high = form(1, &format!("{GOOD}&do=preview")).replace("min_priority=3", "min_priority=5");
    let page = world.post(&manager, NEW, &high).await;
    assert!(page.body.contains("this is the test event") && page.body.contains("ping.v1"), "{}", page.body);
    assert!(endpoints(&world).await.is_empty() && world.post.got().is_empty() && world.bell.take().is_empty());
    let endpoint = make(&world, &manager).await;
    let page = world.get(&manager, &format!("{}/preview", path(&endpoint))).await;
    assert!(page.status == 200 && page.body.contains(DETECTION), "{}", page.body);
}

#[tokio::test]
async fn a_test_shows_what_the_receiver_answered() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let endpoint = make(&world, &manager).await;
    let press = ulid::Ulid::from_parts(1_790_000_000_000, 7);
    let test = format!("{}/test", path(&endpoint));
    let sent = world.post(&manager, &test, &format!("press={press}")).await;
    let shown = world.get(&manager, sent.headers["location"].to_str().unwrap()).await.body;
    assert!(shown.contains("It works: the receiver took the test event"), "{shown}");
    let settings = format!("{}/settings", path(&endpoint));
    let wrong = form(0, GOOD).replace("T0ken", "wr0ng");
    let (_, rest) = wrong.split_once('&').unwrap();
    let saved = world.post(&manager, &settings, &format!("version={}&{rest}", endpoint.edition)).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let press = ulid::Ulid::from_parts(1_790_000_000_000, 8);
    let sent = world.post(&manager, &test, &format!("press={press}")).await;
    let shown = world.get(&manager, sent.headers["location"].to_str().unwrap()).await.body;
    assert!(shown.contains("The receiver did not take it") && shown.contains("does not accept the token"), "{shown}");
    assert!(!shown.contains("wr0ng"));
}

#[tokio::test]
async fn settings_are_changed_a_token_stays_or_goes_and_nobody_overwrites_anybody() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let endpoint = make(&world, &manager).await;
    let settings = format!("{}/settings", path(&endpoint));
    let page = world.get(&manager, &settings).await.body;
    assert!(page.contains("One is entered") && !page.contains("T0ken") && page.contains("sig=abcdefghij"), "{page}");
    let change = |edition: u64, rest: &str| {
        format!(
            "version={edition}&where=these&site={}&which=these&kind=fall&min_priority=4&name=Relay+2&url=https%3A%2F%2Fhooks.example.com%2Fpulse%3Fsig%3Dabcdefghij{rest}",
            world.ours.site
        )
    };
    assert_eq!(world.post(&manager, &settings, &change(1, "")).await.status, 303);
    let changed = one(&world).await;
    assert_eq!((changed.name.as_str(), changed.wants.min_priority, changed.wants.daily_summary), ("Relay 2", 4, false));
    assert_eq!(changed.wants.site_ids, Some(vec![world.ours.site.clone()]));
    assert!(changed.token.is_some() && changed.state == EndpointState::Untested);
    assert_eq!(world.post(&manager, &settings, &change(1, "")).await.status, 409, "somebody was faster");
    assert_eq!(world.post(&manager, &settings, &change(2, "&drop_token=1")).await.status, 303);
    assert_eq!(one(&world).await.token, None);
}

#[tokio::test]
async fn a_token_is_asked_for_anew_where_the_address_is_on_another_host() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let endpoint = make(&world, &manager).await;
    let settings = format!("{}/settings", path(&endpoint));
    let moved = |token: &str| {
        let form = form(0, GOOD).replace("hooks.example.com", "other.example.com");
        let (_, rest) = form.split_once('&').unwrap();
        format!("version={}&{}", endpoint.edition, rest.replace("&token=T0ken", token))
    };
    let page = world.post(&manager, &settings, &moved("")).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.body.contains("Token: it was entered for another host") && page.body.contains("id=\"token-error\""));
    assert!(page.body.contains("other.example.com"), "what was entered stays");
    assert_eq!(one(&world).await, endpoint);
    assert_eq!(world.post(&manager, &settings, &moved("&token=An0ther")).await.status, 303);
    assert_ne!(one(&world).await.url, endpoint.url);
    let status = world.get(&manager, &path(&endpoint)).await.body;
    assert!(status.contains("<dd>https://other.example.com/…</dd>") && !status.contains("pulse?"), "{status}");
}

#[tokio::test]
async fn what_was_sent_of_a_site_is_shown_to_who_sees_the_site_alone() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let endpoint = make(&world, &manager).await;
    assert_eq!(world.post(&manager, &format!("{}/recover", path(&endpoint)), "since=24").await.status, 303);
    run(&world, &endpoint).await;
    let status = path(&endpoint);
    assert!(world.get(&manager, &status).await.body.contains(&format!("/detections/{DETECTION}")));
    // From now on it is for no site that the other one can't see: none.
    let all = Endpoints(world.table.as_ref());
    let narrowed = all.change(&endpoint.organization_id, &endpoint.id, |endpoint| {
        endpoint.wants.site_ids = Some(Vec::new());
        true
    });
    narrowed.await.unwrap();
    let shown = world.get(&manager, &status).await.body;
    assert!(shown.contains(&format!("/detections/{DETECTION}")), "{shown}");
    let lane_id = endpoint.lane();
    let lane = MessageLane { table: world.table.as_ref(), id: &lane_id };
    let row = lane.deliveries_after(0, 10).await.unwrap().into_iter().find(|row| row.subject_id == DETECTION).unwrap();
    let retry = format!("{status}/deliveries/{}/retry", row.message_id);
    assert!(!shown.contains(&retry), "it can't be sent again");
    let whole = format!("{status}/deliveries/{}", row.message_id);
    assert!(shown.contains(&format!("href=\"{whole}\"")), "{shown}");
    let page = world.get(&manager, &whole).await.body;
    assert!(page.contains("webhook-signature") && page.contains("&quot;Rigger&quot;"), "{page}");
    assert!(page.contains("answered 200 after"), "{page}");
    world.incident_of(&world.ours, "01JDPRIVATE00000000000001A", true, &[DETECTION]).await;
    let page = world.get(&manager, &whole).await.body;
    assert!(page.contains("became part of a privacy case") && !page.contains("Rigger"), "{page}");
    let refused = world.post(&manager, &retry, "").await;
    assert!(refused.status == 409 && refused.body.contains("not for the message"), "{}", refused.body);
    let content = Content::Detection { site_id: world.ours.site.clone(), detection_id: DETECTION.into() };
    lane.ask(&[Todo::new(row.message_id.clone(), content, Timestamp::UNIX_EPOCH, "token".into())]).await.unwrap();
    assert!(world.get(&manager, &status).await.body.contains("1 message waits to be sent"));
    let limited = world.lists(&world.ours, &[], Role::Manager).await;
    let shown = world.get(&limited, &status).await;
    assert!(
        shown.status == 200 && ![DETECTION, &row.message_id, "to be sent"].iter().any(|of| shown.body.contains(of)),
        "{}",
        shown.body
    );
    assert_eq!(world.post(&limited, &retry, "").await.status, 404);
}

#[tokio::test]
async fn whom_their_projects_limit_sends_nothing_of_later_sites() {
    // Today's one site is theirs to see.
    let world = World::new().await;
    let limited = world.lists(&world.ours, &[PROJECT], Role::Manager).await;
    assert_eq!(world.post(&limited, NEW, &form(1, GOOD)).await.status, 422, "without a site");
    let chosen = format!("{GOOD}&site={}", world.ours.site);
    assert_eq!(world.post(&limited, NEW, &form(1, &chosen)).await.status, 200);
    let (endpoint, only) = (one(&world).await, Some(vec![world.ours.site.clone()]));
    assert_eq!(endpoint.wants.site_ids, only);
    let form = form(0, &chosen);
    let (_, rest) = form.split_once('&').unwrap();
    let change = format!("version={}&{rest}", endpoint.edition);
    assert_eq!(world.post(&limited, &format!("{}/settings", path(&endpoint)), &change).await.status, 303);
    let changed = one(&world).await;
    assert_eq!((changed.edition, changed.wants.site_ids), (endpoint.edition + 1, only));
}

#[tokio::test]
async fn one_that_was_switched_off_says_why_and_is_tried_again_and_what_was_missed_is_sent() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let made = make(&world, &manager).await;
    run(&world, &made).await;
    let off = Endpoints(world.table.as_ref())
        .change(&made.organization_id, &made.id, |endpoint| {
            endpoint.state = EndpointState::Disabled;
            endpoint.disabled =
                Some(Disabled { reason: "It answered 410 Gone.".into(), since: Timestamp::UNIX_EPOCH, told: true });
            true
        })
        .await
        .unwrap()
        .unwrap();
    let page = world.get(&manager, &path(&off)).await.body;
    assert!(page.contains("Nothing is being sent") && page.contains("It answered 410 Gone."), "{page}");
    assert!(world.get(&manager, "/setup").await.body.contains("It answered 410 Gone."));
    assert_eq!(world.post(&manager, &format!("{}/recover", path(&off)), "since=24").await.status, 409);
    assert_eq!(world.post(&manager, &format!("{}/again", path(&off)), "").await.status, 303);
    assert_eq!(one(&world).await.state, EndpointState::Active);
    assert_eq!(world.post(&manager, &format!("{}/recover", path(&off)), "since=24").await.status, 303);
    assert_eq!(world.post(&manager, &format!("{}/recover", path(&off)), "since=9999").await.status, 400);
    run(&world, &off).await;
    let page = world.get(&manager, &path(&off)).await.body;
    assert!(page.contains("Detection") && page.contains(&format!("/detections/{DETECTION}")), "{page}");
    let lane_id = off.lane();
    let lane = MessageLane { table: world.table.as_ref(), id: &lane_id };
    let rows = lane.deliveries_after(0, 10).await.unwrap();
    let before = world.post.got().len();
    let retry = format!("{}/deliveries/{}/retry", path(&off), rows[0].message_id);
    assert_eq!(world.post(&manager, &retry, "").await.status, 303);
    run(&world, &off).await;
    assert_eq!(world.post.got().len(), before + 1);
    let missing = format!("{}/deliveries/msg_00000000000000000000000000/retry", path(&off));
    assert_eq!(world.post(&manager, &missing, "").await.status, 404);
}

#[tokio::test]
async fn a_new_secret_is_shown_once_and_a_removed_endpoint_is_gone() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let endpoint = make(&world, &manager).await;
    let page = world.post(&manager, &format!("{}/rotate-secret", path(&endpoint)), "").await.body;
    let secret = between(&page, "<code id=\"secret\">", "</code>");
    assert!(page.contains("the one before"), "{page}");
    assert_eq!(one(&world).await.secrets.len(), 2);
    assert!(!world.get(&manager, &path(&endpoint)).await.body.contains(secret));
    assert_eq!(world.post(&manager, &format!("{}/remove", path(&endpoint)), "").await.status, 303);
    assert!(endpoints(&world).await.is_empty());
    assert_eq!(world.get(&manager, &path(&endpoint)).await.status, 404);
}

#[tokio::test]
async fn nobody_elses_endpoint_exists_and_a_viewer_sees_its_state_alone() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let endpoint = make(&world, &manager).await;
    let (viewer, stranger) =
        (world.sign_in(&world.ours, Role::Viewer).await, world.sign_in(&world.theirs, Role::Manager).await);
    let overview = world.get(&viewer, "/setup").await.body;
    assert!(overview.contains("Relay") && !overview.contains(&path(&endpoint)), "{overview}");
    assert!(!world.get(&stranger, "/setup").await.body.contains("Relay"));
    for rest in ["", "/settings", "/preview"] {
        assert_eq!(world.get(&stranger, &format!("{}{rest}", path(&endpoint))).await.status, 404, "{rest}");
        assert_eq!(world.get(&viewer, &format!("{}{rest}", path(&endpoint))).await.status, 403, "{rest}");
    }
    let delivery = "/deliveries/msg_00000000000000000000000000/retry";
    for rest in ["/settings", "/test", "/again", "/rotate-secret", "/remove", "/recover", delivery] {
        assert_eq!(world.post(&stranger, &format!("{}{rest}", path(&endpoint)), "").await.status, 404, "{rest}");
        assert_eq!(world.post(&viewer, &format!("{}{rest}", path(&endpoint)), "").await.status, 403, "{rest}");
    }
    assert_eq!(one(&world).await, endpoint);
    // The same press by somebody of another organization makes one of their own.
    assert_eq!(world.post(&stranger, NEW, &form(1, GOOD)).await.status, 200);
    let theirs = Endpoints(world.table.as_ref()).list(&world.theirs.organization).await.unwrap();
    assert!(theirs.len() == 1 && theirs[0].id != endpoint.id);
    assert_eq!(world.post(&viewer, NEW, &form(9, GOOD)).await.status, 403);
}
