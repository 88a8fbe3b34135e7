//! The set-up beside a strict Procore: company, projects, mapping.
use crate::world::{SignedIn, World};
use domain::ids::{ConnectionId, Provider};
use people::Role;
use sandbox::procore::{Options, Running, Sandbox};
use serde_json::json;
use std::collections::BTreeSet;
use store::directory::{Connection, Directory, Project};
use store::summaries;

const MANAGER: &str = "regional.safety@example.com";

pub struct Beside {
    pub world: World,
    pub sandbox: Running,
    pub connection: Connection,
}

impl Beside {
    pub async fn start() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.set(|settings| settings.check_answers = true);
        let world = World::beside(sandbox.url()).await;
        let company = sandbox.companies()[0].id.to_string();
        let organization_id = world.ours.organization.clone();
        let id = ConnectionId::derive(&organization_id, Provider::Procore, &company);
        let connection = serde_json::from_value(json!({
            "id": id, "organization_id": organization_id, "provider": "procore", "account": company,
            "created_at": "2026-11-24T16:00:00Z",
        }))
        .unwrap();
        Self { world, sandbox, connection }
    }

    /// With the company connected, and its first project mapped to our site.
    pub async fn connected() -> Self {
        let mut beside = Self::start().await;
        let directory = Directory(beside.world.table.as_ref());
        directory.put_connection(&mut beside.connection).await.unwrap();
        let mut project: Project = serde_json::from_value(json!({
            "project_id": beside.project().to_string(), "settings": {"site_id": beside.world.ours.site},
            "mapped_at": "2026-11-24T16:00:00Z",
        }))
        .unwrap();
        directory.put_project(&beside.connection.lane(), &mut project).await.unwrap();
        beside
    }

    pub fn company(&self) -> i64 {
        self.connection.account.parse().unwrap()
    }

    pub fn project(&self) -> i64 {
        self.named("Tower A")
    }

    fn named(&self, name: &str) -> i64 {
        self.sandbox.projects(self.company()).iter().find(|project| project.name == name).unwrap().id
    }

    pub async fn manager(&self, login: &str) -> SignedIn {
        let manager = self.world.sign_in(&self.world.ours, Role::Manager).await;
        self.world.tokens.give(&manager, self.sandbox.person_token(login));
        manager
    }

    pub fn projects_path(&self) -> String {
        format!("/setup/{}/projects", self.connection.id)
    }

    async fn kept(&self, project: i64) -> Option<Project> {
        Directory(self.world.table.as_ref()).project(&self.connection.lane(), &project.to_string()).await.unwrap()
    }
}

#[tokio::test]
async fn a_company_is_chosen_by_name_and_never_by_default() {
    let beside = Beside::start().await;
    let world = &beside.world;
    let by_link = world.sign_in(&world.ours, Role::Manager).await;
    let page = world.get(&by_link, "/setup/connect").await.body;
    assert!(
        page.contains("/sign-in/procore?next=%2Fsetup%2Fconnect") && !page.contains("Sandbox Contractor"),
        "{page}"
    );
    assert_eq!(world.post(&by_link, "/setup/connect", &format!("company={}", beside.company())).await.status, 422);

    let manager = beside.manager(MANAGER).await;
    let page = world.get(&manager, "/setup/connect").await.body;
    assert!(page.contains("Second Sandbox Contractor") && !page.contains("Third Sandbox Contractor"), "{page}");
    assert!(page.contains("type=\"radio\"") && !page.contains(" checked"));
    let none = world.post(&manager, "/setup/connect", "").await;
    assert!(
        none.status == 422 && none.body.contains("href=\"#company\"") && none.body.contains("id=\"company-error\"")
    );
    let foreign = beside.sandbox.companies()[2].id;
    assert_eq!(world.post(&manager, "/setup/connect", &format!("company={foreign}")).await.status, 422);

    let directory = Directory(world.table.as_ref());
    directory.put_connection(&mut beside.connection.clone()).await.unwrap();
    let standing = directory.connection(&world.ours.organization, &beside.connection.id).await.unwrap().unwrap();
    directory.begin_removal(&standing, "2026-11-24T16:00:00Z".parse().unwrap()).await.unwrap();
    let early = world.post(&manager, "/setup/connect", &format!("company={}", beside.company())).await;
    assert!(early.status == 422 && early.body.contains("still being cleared up"), "{}", early.body);
    let removal = directory.removal(&standing.lane()).await.unwrap().unwrap();
    directory.end_removal(&removal, &[], 0, removal.at).await.unwrap();

    let made = world.post(&manager, "/setup/connect", &format!("company={}", beside.company())).await;
    assert_eq!(made.headers["location"].to_str().unwrap(), beside.projects_path(), "{}", made.body);
    let kept = directory.connection(&world.ours.organization, &beside.connection.id).await.unwrap().unwrap();
    assert_eq!(kept.name.as_deref(), Some("Sandbox Contractor"));
    assert!(world.get(&manager, "/setup").await.body.contains("Go on with the set-up: choose projects"));
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.get(&viewer, "/setup/connect").await.status, 403);
}

#[tokio::test]
async fn where_the_app_is_missing_the_step_goes_to_an_admin_and_no_connection_is_made() {
    let beside = Beside::start().await;
    let world = &beside.world;
    let manager = beside.manager("no.app@example.com").await;
    let company = beside.sandbox.companies()[2].id;
    let page = world.post(&manager, "/setup/connect", &format!("company={company}")).await;
    assert_eq!(page.status, 422);
    for shown in
        ["App is not installed", &format!("https://install.example.com/{company}"), "mailto:?subject=Please%20install"]
    {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert_eq!(Directory(world.table.as_ref()).connections(&world.ours.organization).await.unwrap().len(), 1);
    // The admin did it, and the same page goes on.
    beside.sandbox.install(company);
    assert_eq!(world.post(&manager, "/setup/connect", &format!("company={company}")).await.status, 303);
}

#[tokio::test]
async fn a_blocked_connection_is_connected_again_on_the_same_page() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    let directory = Directory(world.table.as_ref());
    let mut blocked = beside.connection.clone();
    blocked.blocked = serde_json::from_value(json!({
        "reason": "Procore says that the app is not connected.", "who": "platform_admin", "what_to_do": "Install it again.",
        "since": "2026-11-24T16:00:00Z",
    }))
    .unwrap();
    directory.put_connection(&mut blocked).await.unwrap();
    let manager = beside.manager(MANAGER).await;
    let page = world.get(&manager, "/setup/connect").await.body;
    assert!(page.contains("Install it again.") && page.contains("Send this step to my Procore admin"), "{page}");
    assert_eq!(world.post(&manager, "/setup/connect", &format!("company={}", beside.company())).await.status, 303);
    let kept = directory.connection(&world.ours.organization, &beside.connection.id).await.unwrap().unwrap();
    assert!(kept.blocked.is_none() && beside.kept(beside.project()).await.is_some());
}

#[tokio::test]
async fn projects_that_can_not_be_chosen_say_why_and_name_no_other_customer() {
    let beside = Beside::connected().await;
    let (world, directory) = (&beside.world, Directory(beside.world.table.as_ref()));
    let (depot, hospital) = (beside.named("Depot B"), beside.named("Hospital C"));
    let seed = sandbox::procore::ProjectSeed::new("Silo E", "America/Chicago", "Central Time (US & Canada)");
    let silo = beside.sandbox.add_project(beside.company(), &seed).unwrap();
    beside.sandbox.set_permitted_projects(beside.company(), Some(BTreeSet::from([beside.project(), hospital, silo])));
    beside.sandbox.set_project_active(hospital, false);
    let mut theirs = beside.connection.clone();
    theirs.organization_id = world.theirs.organization.clone();
    assert!(directory.claim_project(&theirs, &silo.to_string()).await.unwrap());
    let manager = beside.manager("company.admin@example.com").await;
    let page = world.get(&manager, &beside.projects_path()).await.body;
    for shown in [
        "North Tower 1 is sent to it already.",
        "HardHat Pulse may not use it.",
        "It is not active in Procore.",
        "Another organization sends to it",
        "No project can be chosen.",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("Contractor 2") && !page.contains(world.theirs.organization.as_str()));
    for closed in [depot, hospital, silo, 1] {
        let form = format!("project={closed}&site={}", world.ours.site);
        assert_eq!(world.post(&manager, &beside.projects_path(), &form).await.status, 422, "{closed}");
        assert!(beside.kept(closed).await.is_none());
    }
    beside.sandbox.set_connected(beside.company(), false);
    let gone = world.get(&manager, &beside.projects_path()).await.body;
    assert!(gone.contains("App is not installed") && gone.contains("mailto:?"), "{gone}");
}

#[tokio::test]
async fn a_project_is_mapped_to_the_suggested_site_or_to_a_new_one() {
    let beside = Beside::start().await;
    let world = &beside.world;
    let directory = Directory(world.table.as_ref());
    directory.put_connection(&mut beside.connection.clone()).await.unwrap();
    let seed =
        sandbox::procore::ProjectSeed::new("North Tower 1 (24-017)", "America/Chicago", "Central Time (US & Canada)");
    let north = beside.sandbox.add_project(beside.company(), &seed).unwrap();
    let manager = beside.manager("company.admin@example.com").await;
    let path = beside.projects_path();
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("Suggested: its name is alike (1, north, tower), on the same clock."), "{page}");
    assert!(page.contains(&format!("value=\"{}\" selected", world.ours.site)));
    // Only a webhook takes this site's summary so far, at an hour of its own.
    let ours = directory.site(&world.ours.organization, &world.ours.site).await.unwrap().unwrap();
    summaries::set_hour(world.table.as_ref(), &ours, "15:30", jiff::Timestamp::now()).await.unwrap();
    let mapped = world.post(&manager, &path, &format!("project={north}&site={}", world.ours.site)).await;
    assert_eq!(
        mapped.headers["location"].to_str().unwrap(),
        format!("{path}/{north}/settings?setup=1"),
        "{}",
        mapped.body
    );
    let kept = beside.kept(north).await.unwrap();
    assert_eq!((kept.name.as_deref(), &kept.settings.site_id), (Some("North Tower 1 (24-017)"), &world.ours.site));
    assert_eq!(kept.settings.daily_summary.at, "15:30");
    let hour = summaries::hour_of(world.table.as_ref(), &world.ours.organization, &world.ours.site).await.unwrap();
    assert_eq!(hour, "15:30", "mapping a project leaves the site's hour alone");
    assert_eq!(world.bell.take(), [beside.connection.lane()]);

    let depot = beside.named("Depot B");
    let bad = world.post(&manager, &path, &format!("project={depot}&site=new&name=&time_zone=CST")).await;
    assert_eq!(bad.status, 422);
    for field in ["name", "zone"] {
        assert!(bad.body.contains(&format!("id=\"{field}-{depot}-error\"")), "{field}: {}", bad.body);
    }
    // Pressed twice at once, and once more: one site.
    let sites = directory.sites(&world.ours.organization).await.unwrap().len();
    let form = format!("project={depot}&site=new&name=Depot+B&time_zone=America/Chicago");
    let (first, second) = tokio::join!(world.post(&manager, &path, &form), world.post(&manager, &path, &form));
    assert!([first.status, second.status].contains(&303), "{} {}", first.body, second.body);
    let again = world.post(&manager, &path, &form).await;
    assert_eq!(again.status, 303, "{}", again.body);
    assert_eq!(directory.sites(&world.ours.organization).await.unwrap().len(), sites + 1);
    let site = beside.kept(depot).await.unwrap().settings.site_id;
    let site = directory.site(&world.ours.organization, &site).await.unwrap().unwrap();
    assert_eq!((site.name.as_str(), site.time_zone.as_str()), ("Depot B", "America/Chicago"));
    let (status, step) = (format!("{path}/{depot}"), "Go on with the set-up: ");
    // Whoever closes the page goes on where they were, from the overview too.
    for (save, next) in
        [(None, "What is sent"), (Some("settings"), "Hour and shifts"), (Some("schedule"), "Test record")]
    {
        if let Some(save) = save {
            let site = directory.site(&world.ours.organization, &site.id).await.unwrap().unwrap();
            let version = beside.kept(depot).await.unwrap().version;
            let form =
                format!("version={version}&site_version={}&which=all&min_priority=3&at=17:00&setup=1", site.version);
            let saved = world.post(&manager, &format!("{status}/{save}"), &form).await;
            assert_eq!(saved.status, 303, "{save}: {}", saved.body);
        }
        for page in ["/setup", &status] {
            let page = world.get(&manager, page).await.body;
            assert!(page.contains(&format!("{step}{next}")), "{next}: {page}");
        }
    }
}

#[tokio::test]
async fn who_shows_no_sign_in_at_procore_sees_and_maps_nothing_but_what_is_mapped() {
    let beside = Beside::connected().await;
    let (world, path) = (&beside.world, beside.projects_path());
    let by_link = world.sign_in(&world.ours, Role::Manager).await;
    let page = world.get(&by_link, &path).await.body;
    assert!(page.contains("Tower A") && !page.contains("Depot B"), "{page}");
    assert!(page.contains("You are not signed in at Procore") && page.contains("/sign-in/procore?next="), "{page}");
    let depot = format!("project={}&site=new&name=X&time_zone=America/Chicago", beside.named("Depot B"));
    assert_eq!(world.post(&by_link, &path, &depot).await.status, 422);
    assert!(beside.kept(beside.named("Depot B")).await.is_none());
}

/// Whoever chose the wrong site puts it right on the same page.
#[tokio::test]
async fn a_mapped_project_is_given_another_site_and_keeps_its_settings() {
    let beside = Beside::connected().await;
    let (world, directory) = (&beside.world, Directory(beside.world.table.as_ref()));
    let (manager, tower) = (beside.manager("company.admin@example.com").await, beside.project());
    let path = beside.projects_path();
    let settings = format!("{path}/{tower}/settings");
    assert_eq!(world.post(&manager, &settings, "version=1&which=all&min_priority=5").await.status, 303);
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("Map Tower A to another site") && page.contains("nothing new of North Tower 1"), "{page}");
    let same = format!("project={tower}&site={}", world.ours.site);
    let same = world.post(&manager, &path, &same).await;
    assert!(same.status == 422 && same.body.contains(&format!("id=\"site-{tower}-error\"")), "{}", same.body);

    let form = format!("project={tower}&site=new&name=South+Tower&time_zone=America/Denver");
    let moved = world.post(&manager, &path, &form).await;
    assert_eq!(moved.headers["location"].to_str().unwrap(), format!("{settings}?setup=1"), "{}", moved.body);
    let kept = beside.kept(tower).await.unwrap();
    assert_eq!((kept.settings.observations.min_priority, kept.settings.site_id == world.ours.site), (5, false));
    let lane = beside.connection.lane();
    assert!(directory.route(&lane, &world.ours.site).await.unwrap().is_none(), "the former site goes there no more");
    assert_eq!(directory.route(&lane, &kept.settings.site_id).await.unwrap().unwrap().project_id, tower.to_string());
    let page = world.get(&manager, &path).await.body;
    assert!(page.contains("South Tower is sent to it already."), "{page}");
}

#[tokio::test]
async fn kinds_are_mapped_by_name_and_what_is_switched_off_is_flagged() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    let manager = beside.manager(MANAGER).await;
    let path = format!("{}/{}/settings", beside.projects_path(), beside.project());
    let types = beside.sandbox.observation_types(beside.company());
    let id = |name: &str| types.iter().find(|each| each.english_name == name).unwrap().id;
    let falls = beside.sandbox.entries(beside.company(), "hazards");
    let falls = falls.iter().find(|each| each.name == "Falls").unwrap().id;
    let page = world.get(&manager, &path).await.body;
    for shown in ["Default (Safety Violation)", "Default (Near-Miss)", "Default (Falls)", "optgroup label=\"Quality\""]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let kinds = "which=these&kind=zone_breach&min_priority=3&mapping=1";
    let form = format!(
        "version=1&{kinds}&observation_types:zone_breach={}&observation_types:fall=&hazards:struck_by={falls}",
        id("Safety Notice")
    );
    let saved = world.post(&manager, &path, &form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let mapping = beside.kept(beside.project()).await.unwrap().settings.mapping;
    assert_eq!(mapping.observation_types, [("zone_breach".to_owned(), id("Safety Notice").to_string())].into());
    assert_eq!(mapping.hazards, [("struck_by".to_owned(), falls.to_string())].into());

    beside.sandbox.set_type_active(id("Safety Notice"), false);
    let flagged = world.get(&manager, &path).await.body;
    assert!(flagged.contains("Safety Notice is switched off in Procore."), "{flagged}");
    assert!(flagged.contains("aria-describedby=\"observation_types-zone_breach-flag\""));
    for (field, value) in [("observation_types:fall", "999"), ("hazards:fall", "999"), ("observation_types:fall", "x")]
    {
        let refused = world.post(&manager, &path, &format!("version=2&{kinds}&{field}={value}")).await;
        assert_eq!(refused.status, 422, "{field}");
        let id = field.replace(':', "-");
        assert!(refused.body.contains(&format!("href=\"#{id}\"")), "{id}: {}", refused.body);
    }
    let added =
        world.post(&manager, &path, &format!("version=2&{kinds}&another=gas_leak&another_incident=burn&do=add")).await;
    assert!(added.body.contains("name=\"observation_types:gas_leak\"") && added.body.contains("name=\"hazards:burn\""));
    let defaults =
        world.post(&manager, &path, &format!("version=2&{kinds}&hazards:struck_by={falls}&do=defaults")).await;
    assert!(defaults.status == 200 && !defaults.body.contains(&format!("value=\"{falls}\" selected")));
    assert!(beside.kept(beside.project()).await.unwrap().settings.mapping.hazards.contains_key("struck_by"));
    assert_eq!(world.post(&manager, &path, &format!("version=2&{kinds}")).await.status, 303);
    assert_eq!(beside.kept(beside.project()).await.unwrap().settings.mapping, Default::default());

    beside.sandbox.set_connected(beside.company(), false);
    let dark = world.get(&manager, &path).await.body;
    assert!(dark.contains("stays as it is") && !dark.contains("name=\"mapping\""), "{dark}");
    assert!(beside.sandbox.violations().is_empty());
}

#[tokio::test]
async fn an_incident_type_goes_by_its_number_and_a_wrong_one_is_said_at_its_field() {
    let beside = Beside::connected().await;
    let world = &beside.world;
    let manager = beside.manager(MANAGER).await;
    let path = format!("{}/{}/settings", beside.projects_path(), beside.project());
    let form = "version=1&which=all&min_priority=3&mapping=1&incident_types:fall=";
    let wrong = world.post(&manager, &path, &format!("{form}General")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("Incident type: enter the number that Procore gave it, in digits, or leave it empty."));
    assert!(
        wrong.body.contains("href=\"#incident_types-fall\"") && wrong.body.contains("value=\"General\""),
        "{}",
        wrong.body
    );
    assert_eq!(world.post(&manager, &path, &format!("{form}8600000077")).await.status, 303);
    let page = world.get(&manager, &path).await;
    assert!(page.body.contains("name=\"incident_types:fall\" value=\"8600000077\""), "{}", page.body);
    assert!(page.body.contains("<details open"), "what is set is not hidden");
}
