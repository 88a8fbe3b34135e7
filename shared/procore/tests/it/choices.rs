//! Companies, projects and pick lists as someone who sets up a connection sees them.
use crate::site::{Noted, Site, Wrong};
use credentials::{MemoryParameters, Secret};
use domain::record::Mender;
use procore::lists::{As, ListError, Lists, Project};
use procore::{Hosts, Procore};
use sandbox::faults::{Effect, Rule};
use sandbox::limits::Limits;
use sandbox::procore::{PersonSeed, ProjectSeed};
use std::collections::BTreeSet;
use std::sync::Arc;

fn client(site: &Site) -> Procore {
    let parameters = MemoryParameters::of([
        ("/t/procore/client-id", "sandbox-client"),
        ("/t/procore/client-secret", "sandbox-secret"),
    ]);
    let hosts = Hosts::new(site.sandbox.url(), site.sandbox.url(), "https://app.example.com/").unwrap();
    Procore::of_stack(hosts, Arc::new(parameters), "t").unwrap()
}

fn person(site: &Site, login: &str) -> Secret {
    Secret::new(site.sandbox.person_token(login))
}

fn names(projects: &[Project]) -> Vec<&str> {
    projects.iter().map(|project| project.name.as_str()).collect()
}

fn company(site: &Site, place: usize) -> String {
    site.sandbox.companies()[place].id.to_string()
}

#[tokio::test]
async fn a_person_chooses_among_their_own_companies_by_name() {
    let site = Site::start().await;
    let procore = client(&site);
    let lists = Lists { procore: &procore, meter: &site.meter };
    let found = lists.companies(&person(&site, "regional.safety@example.com")).await.unwrap();
    let shown: Vec<(&str, bool, Option<bool>)> =
        found.iter().map(|company| (company.name.as_str(), company.active, company.own)).collect();
    assert_eq!(shown, [("Sandbox Contractor", true, Some(true)), ("Second Sandbox Contractor", true, Some(true))]);
    assert_eq!(found[0].id, company(&site, 0));
    assert_eq!(site.sandbox.calls_of("listCompanies")[0].company_id, None);
    site.assert_clean();
}

#[tokio::test]
async fn the_app_sees_what_was_permitted_and_a_person_what_lists_them() {
    let site = Site::start().await;
    let ids: Vec<i64> = site.sandbox.projects(site.company()).iter().map(|project| project.id).collect();
    site.sandbox.set_permitted_projects(site.company(), Some(BTreeSet::from([ids[0], ids[1]])));
    site.sandbox.set_project_active(ids[1], false);
    let login = "guest@example.com".to_owned();
    site.sandbox.add_person(&PersonSeed {
        login: login.clone(),
        name: "Guest".into(),
        job_title: String::new(),
        companies: [site.company()].into(),
        projects: Some([ids[1], ids[2]].into()),
        admin: false,
    });
    let procore = client(&site);
    let lists = Lists { procore: &procore, meter: &site.meter };
    let own = company(&site, 0);
    let app = lists.projects(&own, As::App).await.unwrap();
    assert_eq!(names(&app), ["Depot B", "Tower A"]);
    assert_eq!(app.iter().map(|project| project.active).collect::<Vec<_>>(), [false, true]);
    assert_eq!(app[0].tz_name.as_deref(), Some("America/Chicago"));
    let guest = person(&site, &login);
    assert_eq!(names(&lists.projects(&own, As::Person(&guest)).await.unwrap()), ["Depot B", "Hospital C"]);
    let hospital = ids[2].to_string();
    assert_eq!(lists.project(&own, &hospital, As::App).await.unwrap(), None);
    let shown = lists.project(&own, &hospital, As::Person(&guest)).await.unwrap().unwrap();
    assert_eq!(shown.tz_name.as_deref(), Some("America/New_York"));
    site.assert_clean();
}

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    let site = Site::start().await;
    site.sandbox.set_limits(Limits { per_hour: 10_000, per_ten_seconds: 10_000 });
    for number in 0..230 {
        let seed = ProjectSeed::new(&format!("House {number:03}"), "Europe/London", "London");
        site.sandbox.add_project(site.company(), &seed).unwrap();
    }
    let procore = client(&site);
    let lists = Lists { procore: &procore, meter: &site.meter };
    assert_eq!(lists.projects(&company(&site, 0), As::App).await.unwrap().len(), 233);
    site.sandbox.faults().add(Rule::new(Effect::LostBefore).operation("listProjects").skip(1).times(1));
    assert!(matches!(lists.projects(&company(&site, 0), As::App).await, Err(ListError::Later { .. })));
    site.assert_clean();
}

#[tokio::test]
async fn types_and_hazards_say_which_are_switched_off() {
    let site = Site::start().await;
    let kinds = site.sandbox.observation_types(site.company());
    let violation = kinds.iter().find(|kind| kind.english_name == "Safety Violation").unwrap().id;
    site.sandbox.set_type_active(violation, false);
    let procore = client(&site);
    let lists = Lists { procore: &procore, meter: &site.meter };
    let own = company(&site, 0);
    let types = lists.observation_types(&own, &site.project.id, As::App).await.unwrap();
    assert_eq!(types.len(), kinds.len());
    assert!(types[..4].iter().all(|each| each.safety) && types[4..].iter().all(|each| !each.safety));
    let off: Vec<&str> = types.iter().filter(|each| !each.active).map(|each| each.name.as_str()).collect();
    assert_eq!(off, ["Safety Violation"]);
    let active = lists.hazards(&own, true, As::App).await.unwrap();
    assert!(active.iter().any(|each| each.name == "Falls") && active.iter().all(|each| each.active));
    let retired = lists.hazards(&own, false, As::App).await.unwrap();
    assert_eq!(
        retired.iter().map(|each| (each.name.as_str(), each.active)).collect::<Vec<_>>(),
        [("Retired entry", false)]
    );
    let spanish = site.sandbox.companies()[1].id;
    let torre = site.sandbox.projects(spanish)[0].id.to_string();
    let types = lists.observation_types(&spanish.to_string(), &torre, As::App).await.unwrap();
    assert_eq!(types.iter().filter(|each| each.safety).count(), 4);
    site.assert_clean();
}

#[tokio::test]
async fn why_a_list_is_not_there_is_told_apart() {
    let site = Site::start().await;
    let procore = client(&site);
    let lists = Lists { procore: &procore, meter: &site.meter };
    let without_app = lists.projects(&company(&site, 2), As::App).await.unwrap_err();
    let ListError::NotInstalled(block) = without_app else { panic!("{without_app:?}") };
    assert_eq!(block.who, Mender::PlatformAdmin);
    let manager = person(&site, "regional.safety@example.com");
    site.sandbox.expire_tokens();
    assert!(matches!(lists.companies(&manager).await, Err(ListError::SignInAgain)));
    // The app's own token is renewed instead.
    assert_eq!(lists.projects(&company(&site, 0), As::App).await.unwrap().len(), 3);
    let hosts = Hosts::new(site.sandbox.url(), site.sandbox.url(), "https://app.example.com/").unwrap();
    let wrong = Procore::new(hosts, Arc::new(Wrong)).unwrap();
    let refused = Lists { procore: &wrong, meter: &site.meter }.projects(&company(&site, 0), As::App).await;
    assert!(matches!(refused, Err(ListError::Refused(block)) if block.who == Mender::HardhatPulse));
    let paused = Noted { pause_from: std::sync::Mutex::new(Some(0)), ..Noted::default() };
    let waits = Lists { procore: &procore, meter: &paused }.projects(&company(&site, 0), As::App).await.unwrap_err();
    assert!(waits.to_string().contains("limit of calls"), "{waits}");
    for id in ["", "1/../2", "-1"] {
        assert!(lists.projects(id, As::App).await.is_err(), "{id}");
    }
    site.assert_clean();
}

#[tokio::test]
async fn a_person_is_known_by_their_token_and_by_the_active_projects_that_they_list() {
    let site = Site::start().await;
    let procore = client(&site);
    let lists = Lists { procore: &procore, meter: &site.meter };
    let login = "regional.safety@example.com";
    let token = person(&site, login);
    assert_eq!(lists.me(&token).await.unwrap().login, login);
    let ids: Vec<i64> = site.sandbox.projects(site.company()).iter().map(|project| project.id).collect();
    site.sandbox.set_project_active(ids[0], false);
    let listed = lists.project_ids(&company(&site, 0), &token).await.unwrap();
    assert_eq!(listed, BTreeSet::from([ids[1].to_string()]), "the first is not active, the third not theirs");
    assert!(matches!(lists.me(&Secret::new("no token")).await, Err(ListError::SignInAgain)));
}
