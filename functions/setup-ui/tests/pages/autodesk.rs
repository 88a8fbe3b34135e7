//! The set-up beside a strict Autodesk: account, projects, issue type, test record, status.
use crate::world::{INVITED, SignedIn, World};
use acc::{Acc, AccTarget};
use credentials::{MemoryParameters, MemoryVault, Secret};
use domain::autodesk::Region;
use domain::ids::{ConnectionId, Provider};
use domain::record::RecordState;
use grants::{ParameterServiceAccounts, Tokens};
use jiff::{SignedDuration, Timestamp};
use people::Role;
use sandbox::aps::{Options, Running, SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_KEY_ID, Sandbox};
use serde_json::json;
use std::sync::Arc;
use store::bus::MemoryBus;
use store::directory::{Connection, Directory, Project};
use store::hooks::{Hook, Hooks};
use store::lanes::{Lane, Rereads};
use store::outbox::MemoryOutbox;
use sync::clock::SystemClock;
use sync::lane::Engine;

const PATH: &str = "/setup/connect/autodesk";
const MANAGER: &str = "safety.manager@example.com";
const PRESS: &str = "01JDTEST000000000000000001";

struct Beside {
    world: World,
    sandbox: Running,
}

impl Beside {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.set(|settings| settings.check_answers = true);
        let world = World::beside_both("http://127.0.0.1:9", sandbox.url()).await;
        Self { world, sandbox }
    }

    async fn manager(&self) -> SignedIn {
        let manager = self.world.sign_in(&self.world.ours, Role::Manager).await;
        self.world.tokens.give_at(Provider::Acc, &manager, self.sandbox.person_token(MANAGER).unwrap());
        manager
    }

    fn account(&self) -> String {
        self.sandbox.accounts()[0].id.clone()
    }

    fn project(&self, name: &str) -> String {
        self.sandbox.projects().into_iter().find(|project| project.name == name).unwrap().id
    }

    fn id(&self) -> ConnectionId {
        ConnectionId::derive(&self.world.ours.organization, Provider::Acc, &self.account())
    }

    fn projects_path(&self) -> String {
        format!("/setup/{}/projects", self.id())
    }

    async fn kept(&self) -> Option<Connection> {
        Directory(self.world.table.as_ref()).connection(&self.world.ours.organization, &self.id()).await.unwrap()
    }

    async fn mapped(&self, project: &str) -> Option<Project> {
        let lane = self.kept().await.unwrap().lane();
        Directory(self.world.table.as_ref()).project(&lane, project).await.unwrap()
    }

    /// Connected, with Tower A mapped to our site.
    async fn connected(&self, manager: &SignedIn) -> String {
        let (world, tower) = (&self.world, self.project("Tower A"));
        let made = world.post(manager, PATH, &format!("account={}", self.account())).await;
        assert_eq!(made.status, 303, "{}", made.body);
        let form = format!("project={tower}&site={}", world.ours.site);
        let mapped = world.post(manager, &self.projects_path(), &form).await;
        assert_eq!(mapped.status, 303, "{}", mapped.body);
        world.bell.take();
        format!("{}/{tower}", self.projects_path())
    }

    fn subtype(&self, title: &str) -> String {
        let tower = self.project("Tower A");
        let found = self.sandbox.subtypes().into_iter().find(|each| each.project_id == tower && each.title == title);
        found.unwrap().id
    }

    fn clean(&self) {
        assert_eq!(self.sandbox.violations(), []);
        assert_eq!(self.sandbox.own_problems(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_account_is_chosen_by_name_among_ones_own_and_never_by_default() {
    let beside = Beside::start().await;
    let world = &beside.world;
    let by_link = world.sign_in(&world.ours, Role::Manager).await;
    let page = world.get(&by_link, PATH).await.body;
    assert!(page.contains("/sign-in/autodesk?next=%2Fsetup%2Fconnect%2Fautodesk"), "{page}");
    assert!(!page.contains("Sandbox Builders") && page.contains("an issue has no place for them"), "{page}");
    let form = format!("account={}", beside.account());
    assert_eq!(world.post(&by_link, PATH, &form).await.status, 422, "nobody claims an account that they did not show");

    let manager = beside.manager().await;
    let page = world.get(&manager, PATH).await.body;
    assert!(page.contains("Sandbox Builders (US)") && page.contains("Sandbox Builders Europe (EMEA)"), "{page}");
    assert!(page.contains("type=\"radio\"") && !page.contains(" checked"), "{page}");
    for none in ["", "account=5a0db0c5-0000-4000-8000-0000000000ff"] {
        let refused = world.post(&manager, PATH, none).await;
        assert!(refused.status == 422 && refused.body.contains("id=\"account-error\""), "{}", refused.body);
    }
    let emea = beside.sandbox.accounts()[1].id.clone();
    let refused = world.post(&manager, PATH, &format!("account={emea}")).await;
    assert!(refused.status == 422 && refused.body.contains("no service account of its own"), "{}", refused.body);

    let made = world.post(&manager, PATH, &form).await;
    assert_eq!(made.headers["location"].to_str().unwrap(), beside.projects_path(), "{}", made.body);
    let kept = beside.kept().await.unwrap();
    assert_eq!((kept.name.as_deref(), kept.region), (Some("Sandbox Builders"), Some(Region::Us)));
    assert!(world.get(&manager, "/setup").await.body.contains("Autodesk, Sandbox Builders"));
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.get(&viewer, PATH).await.status, 403);
    beside.clean();
}

#[tokio::test]
async fn a_service_account_of_ones_own_is_checked_sealed_and_never_shown() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    let form = format!("account={}&way=own&id=", beside.account());
    let wrong = world.post(&manager, PATH, &format!("{form}a%20b&key_id=&private_key=nonsense")).await;
    assert_eq!(wrong.status, 422);
    for field in ["id", "key_id", "private_key"] {
        assert!(wrong.body.contains(&format!("id=\"{field}-error\"")), "{field}: {}", wrong.body);
    }
    assert!(!wrong.body.contains("nonsense"));
    let key: String = form_urlencoded::byte_serialize(SERVICE_ACCOUNT_KEY.as_bytes()).collect();
    let own = format!("{form}SBXSERVICE01&key_id={SERVICE_ACCOUNT_KEY_ID}&private_key={key}");
    assert_eq!(world.post(&manager, PATH, &own).await.status, 303);
    let kept = beside.kept().await.unwrap().service_account.unwrap();
    assert!(kept.id == "SBXSERVICE01" && !kept.sealed_private_key.contains("PRIVATE"));
    let page = world.get(&manager, &beside.projects_path()).await.body;
    assert!(page.contains("Map Tower A") && !page.contains(INVITED), "{page}");
    let again = world.post(&manager, PATH, &own).await;
    assert!(again.status == 422 && again.body.contains("connected already"), "{}", again.body);
}

/// What `oauth-callback` keeps when a manager agreed.
async fn agrees(beside: &Beside, connection: &Connection) {
    let (access, refresh) = beside.sandbox.person_consents(MANAGER).unwrap();
    let ends_at = Timestamp::now() + SignedDuration::from_hours(400 * 24);
    let tokens = Tokens { access: Secret::new(access), ends_at, refresh: Some(Secret::new(refresh)) };
    let grants = &beside.world.grants;
    grants.keep(&connection.lane(), "SBXMANAGER01", MANAGER, &tokens, Timestamp::now()).await.unwrap();
}

#[tokio::test]
async fn a_manager_may_connect_with_their_own_access_where_there_is_no_service_account_too() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    let page = world.get(&manager, PATH).await.body;
    assert!(
        page.contains("Connect with my own access") && page.contains("Custom Integrations for this, too"),
        "{page}"
    );
    let emea = beside.sandbox.accounts()[1].id.clone();
    let made = world.post(&manager, PATH, &format!("account={emea}&way=consent")).await;
    let id = ConnectionId::derive(&world.ours.organization, Provider::Acc, &emea);
    let asks = format!("/sign-in/autodesk?connection={id}&next=%2Fsetup%2F{id}%2Fprojects");
    assert_eq!((made.status, made.headers["location"].to_str().unwrap()), (303, asks.as_str()), "{}", made.body);
    let directory = Directory(world.table.as_ref());
    let kept = directory.connection(&world.ours.organization, &id).await.unwrap().unwrap();
    agrees(&beside, &kept).await;
    let page = world.get(&manager, &format!("/setup/{id}/projects")).await.body;
    assert!(page.contains("Map Torre Norte"), "{page}");
    for path in [PATH, "/setup"] {
        let page = world.get(&manager, path).await.body;
        assert!(page.contains(&format!("Works with the consent of {MANAGER}.")), "{path}: {page}");
    }
    // Nothing else could go on there.
    let stays = world.post(&manager, &format!("/setup/{id}/consent/end"), "").await;
    assert!(
        stays.status == 409 && stays.body.contains("no service account in Autodesk's region EMEA"),
        "{}",
        stays.body
    );
    assert!(grants::grant(world.table.as_ref(), &kept.lane()).await.unwrap().is_some());

    beside.connected(&manager).await;
    let kept = beside.kept().await.unwrap();
    agrees(&beside, &kept).await;
    let ended = world.post(&manager, &format!("/setup/{}/consent/end", kept.id), "").await;
    assert_eq!(ended.headers["location"].to_str().unwrap(), PATH, "{}", ended.body);
    assert_eq!(grants::grant(world.table.as_ref(), &kept.lane()).await.unwrap(), None);
    let revoked = beside.sandbox.calls().iter().filter(|call| call.path.ends_with("/revoke")).count();
    assert_eq!(revoked, 1);
    beside.clean();
}

#[tokio::test]
async fn projects_say_why_they_can_not_be_chosen_and_a_zone_is_suggested() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    beside.connected(&manager).await;
    let depot = beside.project("Depot B");
    beside.sandbox.set_member(&depot, "SBXSERVICE01", false);
    let page = world.get(&manager, &beside.projects_path()).await.body;
    for shown in [
        "North Tower 1 is sent to it already.",
        "It is a BIM 360 project",
        "It is archived or not active in Autodesk",
        "service account is no member of it yet",
        INVITED,
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("Torre Norte"), "of another account");
    for name in ["Old Hospital", "Closed Bridge", "Depot B"] {
        let form = format!("project={}&site=new&name=X&time_zone=America/Chicago", beside.project(name));
        assert_eq!(world.post(&manager, &beside.projects_path(), &form).await.status, 422, "{name}");
    }
    beside.sandbox.set_member(&depot, "SBXSERVICE01", true);
    beside.sandbox.set_member(&beside.project("Tower A"), "SBXMANAGER01", false);
    let page = world.get(&manager, &beside.projects_path()).await.body;
    assert!(
        page.contains("Map Depot B") && !page.contains("Tower A"),
        "who is no member of a project is not told of it"
    );
    beside.clean();
}

/// HardHat Pulse's service account is a member of projects that are nobody's business here.
#[tokio::test]
async fn who_shows_no_sign_in_at_autodesk_sees_and_maps_nothing_but_what_is_mapped() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    beside.connected(&manager).await;
    let (by_link, path) = (world.sign_in(&world.ours, Role::Manager).await, beside.projects_path());
    let page = world.get(&by_link, &path).await.body;
    assert!(page.contains("Tower A") && !page.contains("Depot B"), "{page}");
    assert!(page.contains("You are not signed in at Autodesk") && page.contains("/sign-in/autodesk?next="), "{page}");
    let depot = format!("project={}&site=new&name=X&time_zone=America/Chicago", beside.project("Depot B"));
    let refused = world.post(&by_link, &path, &depot).await;
    assert!(refused.status == 422 && !refused.body.contains("Depot B"), "{}", refused.body);
    assert_eq!(world.post(&manager, &path, &depot).await.status, 303);
    // A project's day as a record that is blocked each day would hide what people must mend.
    assert!(!beside.mapped(&beside.project("Depot B")).await.unwrap().settings.daily_summary.enabled);
    beside.clean();
}

#[tokio::test]
async fn the_issue_type_is_suggested_kept_by_its_id_and_what_it_demands_is_asked_for() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    let path = format!("{}/settings", beside.connected(&manager).await);
    let (hazard, miss, tower) =
        (beside.subtype("Safety Hazard"), beside.subtype("Near Miss"), beside.project("Tower A"));
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("Suggested (Safety Hazard)") && page.contains("optgroup label=\"Quality\""), "{page}");
    assert!(!page.contains("Observation types of this project"), "{page}");
    let field = beside.sandbox.require_attribute(&tower, &miss, "Responsible trade");
    let form = format!("version=1&which=all&min_priority=2&mapping=1&issue_subtype_id:issues={miss}");
    let asked = world.post(&manager, &path, &form).await;
    assert_eq!(asked.status, 422);
    assert!(asked.body.contains("Responsible trade: Autodesk demands it"), "{}", asked.body);
    assert!(asked.body.contains(&format!("name=\"custom_attributes:{field}\"")), "{}", asked.body);
    let saved = world.post(&manager, &path, &format!("{form}&custom_attributes:{field}=Ironwork")).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let settings = beside.mapped(&tower).await.unwrap().settings;
    assert_eq!(settings.mapping.issue_subtype_id.as_deref(), Some(miss.as_str()));
    assert_eq!(settings.mapping.custom_attributes, [(field, "Ironwork".to_owned())].into());
    assert_eq!(settings.observations.min_priority, 2);
    let foreign = form.replace(&miss, "5a0db0c5-0000-4000-8000-0000000000ff").replace("version=1", "version=2");
    let refused = world.post(&manager, &path, &foreign).await;
    assert!(
        refused.status == 422 && refused.body.contains("Issue type: choose one of those listed."),
        "{}",
        refused.body
    );

    beside.sandbox.set_subtype_active(&miss, false);
    let gone = world.get(&manager, &path).await.body;
    assert!(gone.contains("No issue type with the id") && gone.contains("No longer there"), "{gone}");
    let back = world.post(&manager, &path, &form.replace("version=1", "version=2").replace(&miss, &hazard)).await;
    assert_eq!(back.status, 303, "{}", back.body);
    // The hour is kept by the same rules.
    let schedule = path.replace("/settings", "/schedule");
    let page = world.get(&manager, &schedule).await.body;
    assert!(page.contains("a form of the date is made"), "{page}");
    let hour = world.post(&manager, &schedule, "version=3&site_version=1&summary=on&at=06:30").await;
    assert_eq!(hour.status, 303, "{}", hour.body);
    assert_eq!(beside.mapped(&tower).await.unwrap().settings.daily_summary.at, "06:30");
    beside.clean();
}

#[tokio::test]
async fn a_form_template_is_chosen_by_name_and_its_fields_are_found_by_their_labels() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    let path = format!("{}/schedule", beside.connected(&manager).await);
    let tower = beside.project("Tower A");
    let templates = beside.sandbox.templates(&tower);
    let (daily, pdf) = (&templates[0], templates.iter().find(|template| template.is_pdf).unwrap());
    let page = world.get(&manager, &path).await.body;
    assert!(
        page.contains("The first one for daily reports (HardHat Pulse daily)") && !page.contains(&pdf.id),
        "{page}"
    );
    assert!(page.contains("All figures stand in the form's notes") && page.contains("PPE compliance"), "{page}");
    let form = |version: u8, template: &str| {
        format!("version={version}&site_version=1&summary=on&at=17:00&form_template={template}")
    };
    let refused = world.post(&manager, &path, &form(1, &pdf.id)).await;
    assert!(refused.status == 422 && refused.body.contains("id=\"form_template-error\""), "{}", refused.body);
    assert_eq!(world.post(&manager, &path, &form(1, &daily.id)).await.status, 303);
    let settings = beside.mapped(&tower).await.unwrap().settings;
    assert!(settings.daily_summary.enabled);
    assert_eq!(settings.mapping.form_template_id.as_deref(), Some(daily.id.as_str()));
    let found: Vec<&str> = settings.mapping.form_fields.keys().map(String::as_str).collect();
    assert_eq!(found, ["alerts", "summary"]);
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("Filled in beside the notes: Alerts, Summary."), "{page}");
    // What else is changed leaves it, and the first one for daily reports is none of its own.
    assert_eq!(world.post(&manager, &path, &form(2, "")).await.status, 303);
    let mapping = beside.mapped(&tower).await.unwrap().settings.mapping;
    assert_eq!((mapping.form_template_id, mapping.form_fields.len()), (None, 0));
    // Who submits it is asked, and nobody does unless it is ticked.
    assert!(!page.contains("name=\"submit_form\" value=\"on\" checked"), "{page}");
    let ticked = format!("{}&submit_form=on", form(3, &daily.id));
    assert_eq!(world.post(&manager, &path, &ticked).await.status, 303);
    assert!(beside.mapped(&tower).await.unwrap().settings.mapping.submit_form);
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("name=\"submit_form\" value=\"on\" checked"), "{page}");
    assert_eq!(world.post(&manager, &path, &form(4, "")).await.status, 303);
    assert!(!beside.mapped(&tower).await.unwrap().settings.mapping.submit_form);
    beside.sandbox.set_template_type(&tower, "pg.template_type.quality");
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("no template for daily reports"), "{page}");
    beside.clean();
}

fn target(url: &str) -> AccTarget {
    let account = json!({"id": "SBXSERVICE01", "key_id": SERVICE_ACCOUNT_KEY_ID, "private_key": SERVICE_ACCOUNT_KEY});
    let parameters = Arc::new(MemoryParameters::of([
        ("/t/aps/client-id", "sandbox-client"),
        ("/t/aps/client-secret", "sandbox-secret"),
        ("/t/aps/us/service-account", account.to_string().as_str()),
    ]));
    let accounts = Arc::new(ParameterServiceAccounts::new(parameters.clone(), "t"));
    AccTarget::new(Acc::of_stack(acc::Hosts::new(url).unwrap(), parameters, "t", accounts).unwrap())
}

#[tokio::test]
async fn a_test_record_arrives_and_the_pages_speak_of_autodesk() {
    let beside = Beside::start().await;
    let (world, manager) = (&beside.world, beside.manager().await);
    let status = beside.connected(&manager).await;
    let test = format!("{status}/test");
    assert_eq!(world.post(&manager, &test, &format!("press={PRESS}")).await.status, 303);
    let target = target(beside.sandbox.url());
    let engine = Engine {
        table: world.table.as_ref(),
        bell: world.bell.as_ref(),
        bus: &MemoryBus::default(),
        outbox: &MemoryOutbox::default(),
        vault: &MemoryVault::default(),
        reread_every: None,
        target: &target,
        clock: &SystemClock,
        public_url: "https://pulse.example.com",
        unclear_wait: SignedDuration::from_secs(1),
        run_for: SignedDuration::from_secs(20),
        cut_off: SignedDuration::from_secs(55),
        at_once: 2,
    };
    let lane = beside.kept().await.unwrap().lane();
    for _ in 0..2 {
        engine.run(&lane).await.unwrap();
    }
    let issues = beside.sandbox.issues(&beside.project("Tower A"));
    assert_eq!(issues.len(), 1, "{issues:?}");
    let links = Lane { table: world.table.as_ref(), id: &lane }.links(None, 10).await.unwrap();
    assert_eq!(links[0].1.state, RecordState::Synced, "{links:?}");
    let page = world.get(&manager, &format!("{test}?press={PRESS}")).await.body;
    assert!(page.contains("It works: the test record stands in Autodesk"), "{page}");
    let page = world.get(&manager, &status).await.body;
    assert!(page.contains("In Autodesk: Tower A") && !page.contains("Procore"), "{page}");
    assert!(!page.contains("by polling only"), "{page}");
    let trouble = Hook { trouble: Some("A project admin makes it one, too.".into()), ..Hook::default() };
    let hooks = Hooks { projects: [(beside.project("Tower A"), trouble)].into(), ..Hooks::default() };
    Lane { table: world.table.as_ref(), id: &lane }.put_hooks(&hooks).await.unwrap();
    for shown in [status.clone(), format!("{test}?setup=1")] {
        let page = world.get(&manager, &shown).await.body;
        assert!(page.contains("by polling only") && page.contains("A project admin makes it one, too."), "{page}");
    }
    let refused = [(beside.project("Tower A"), "Autodesk shows no such project (404).".to_owned())].into();
    let rereads = Rereads { refused, ..Rereads::default() };
    Lane { table: world.table.as_ref(), id: &lane }.put_rereads(&rereads).await.unwrap();
    let page = world.get(&manager, &status).await.body;
    assert!(page.contains("Changes do not come back") && !page.contains("by polling only"), "{page}");
    let activity = world.get(&manager, &format!("{status}/activity")).await.body;
    assert!(activity.contains("In Autodesk") && !activity.contains("Procore"), "{activity}");
    let leaving = world.get(&manager, &format!("/setup/{}/disconnect", lane.connection_id)).await.body;
    assert!(leaving.contains("What stays in Autodesk") && !leaving.contains("Procore"), "{leaving}");
    beside.clean();
}
