//! A test record goes through the very lane, once per press, and into no report.
use crate::wizard::Beside;
use crate::world::client;
use domain::fact::FactKind;
use jiff::SignedDuration;
use people::Role;
use procore::ProcoreTarget;
use store::bus::MemoryBus;
use store::facts::SiteFacts;
use store::outbox::MemoryOutbox;
use sync::clock::SystemClock;
use sync::lane::{Engine, Report};

const PRESS: &str = "01JDTEST000000000000000001";

async fn run(beside: &Beside) -> Report {
    let (world, target) = (&beside.world, ProcoreTarget::new(client(beside.sandbox.url())));
    let engine = Engine {
        table: world.table.as_ref(),
        bell: world.bell.as_ref(),
        bus: &MemoryBus::default(),
        outbox: &MemoryOutbox::default(),
        vault: &credentials::MemoryVault::default(),
        reread_every: None,
        target: &target,
        clock: &SystemClock,
        public_url: "https://pulse.example.com",
        unclear_wait: SignedDuration::from_secs(1),
        run_for: SignedDuration::from_secs(20),
        cut_off: SignedDuration::from_secs(55),
        at_once: 2,
    };
    engine.run(&beside.connection.lane()).await.unwrap()
}

#[tokio::test]
async fn one_press_is_one_record_that_closes_itself_and_is_no_fact() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("/setup/{}/projects/{}/test", beside.connection.id, beside.project());
    let page = world.get(&manager, &path).await;
    assert!(page.body.contains("name=\"press\" value=\"01"), "{}", page.body);
    let form = format!("press={PRESS}&setup=1");
    for _ in 0..2 {
        let sent = world.post(&manager, &path, &form).await;
        assert_eq!(
            sent.headers["location"].to_str().unwrap(),
            format!("{path}?press={PRESS}&setup=1"),
            "{}",
            sent.body
        );
    }
    assert!(!world.bell.take().is_empty());
    let waits = world.get(&manager, &format!("{path}?press={PRESS}&setup=1")).await.body;
    assert!(waits.contains("It is on its way") && waits.contains("id=\"look-again\""), "{waits}");
    run(&beside).await;
    run(&beside).await;

    let made = beside.sandbox.observations(beside.project());
    assert_eq!(made.len(), 1);
    assert!(made[0].name.starts_with("TEST - HardHat Pulse [HHP-"), "{}", made[0].name);
    assert_eq!(serde_json::to_value(&made[0]).unwrap()["status"], "closed");
    assert_eq!(beside.sandbox.response_logs(made[0].id).len(), 1);
    assert!(beside.sandbox.mails().is_empty() && beside.sandbox.violations().is_empty());
    let arrived = world.get(&manager, &format!("{path}?press={PRESS}")).await.body;
    assert!(arrived.contains("It works") && arrived.contains("closed already"), "{arrived}");

    let facts =
        SiteFacts { table: world.table.as_ref(), organization_id: &world.ours.organization, site_id: &world.ours.site };
    assert!(facts.get(FactKind::Detection, PRESS).await.unwrap().is_none());
    assert_eq!(facts.last_arrival().await.unwrap().unwrap().number, 1);
    let about = world.get(&manager, &format!("/sites/{}/detections/{PRESS}", world.ours.site)).await;
    assert!(about.status == 200 && about.body.contains("Nothing happened on"), "{}", about.body);
}

#[tokio::test]
async fn a_test_that_can_not_arrive_says_why_and_who_can_mend_it() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    beside.sandbox.set_tool(beside.project(), "observations", false);
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("/setup/{}/projects/{}/test", beside.connection.id, beside.project());
    world.post(&manager, &path, &format!("press={PRESS}")).await;
    run(&beside).await;
    let page = world.get(&manager, &format!("{path}?press={PRESS}")).await.body;
    assert!(
        page.contains("It did not arrive") && page.contains("not active") && page.contains("try it again"),
        "{page}"
    );
    let other = world.sign_in(&world.theirs, Role::Manager).await;
    assert_eq!(world.get(&other, &format!("{path}?press={PRESS}")).await.status, 404);
    assert_eq!(world.post(&other, &path, &format!("press={PRESS}")).await.status, 404);
    assert_eq!(world.post(&manager, &path, "press=x").await.status, 400);
}
