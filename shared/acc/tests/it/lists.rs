//! What someone who sets up chooses from.
use crate::site::{Site, client, service_account};
use acc::lists::{As, ListError, Lists};
use acc::{Acc, ParameterCredentials, ParameterServiceAccounts};
use credentials::{MemoryParameters, Secret};
use domain::autodesk::Region;
use sandbox::faults::{Effect, Rule, Shape};
use std::sync::Arc;

const MANAGER: &str = "safety.manager@example.com";

fn acc(site: &Site) -> Acc {
    let account = service_account().to_string();
    let parameters = Arc::new(MemoryParameters::of([
        ("/id", "sandbox-client"),
        ("/secret", "sandbox-secret"),
        ("/t/aps/us/service-account", account.as_str()),
    ]));
    let accounts = ParameterServiceAccounts::new(parameters.clone(), "t");
    let app = ParameterCredentials { parameters, client_id: "/id".into(), client_secret: "/secret".into() };
    client(site.sandbox.url(), app, Arc::new(accounts))
}

#[tokio::test]
async fn a_person_lists_the_accounts_that_they_belong_to_with_their_regions() {
    let site = Site::start().await;
    let acc = acc(&site);
    let lists = Lists { acc: &acc, meter: &site.meter };
    let listed = async |email: &str| {
        let token = Secret::new(site.sandbox.person_token(email).unwrap());
        let accounts = lists.accounts(As::Person(&token)).await.unwrap();
        accounts.into_iter().map(|account| (account.name, account.region)).collect::<Vec<_>>()
    };
    let theirs = [("Sandbox Builders".to_owned(), Region::Us), ("Sandbox Builders Europe".to_owned(), Region::Emea)];
    assert_eq!(listed(MANAGER).await, theirs);
    assert!(listed("outsider@example.com").await.is_empty(), "200 with a warning is none");
    let dead = lists.accounts(As::Person(&Secret::new("dead"))).await;
    assert!(matches!(dead, Err(ListError::SignInAgain)), "{dead:?}");
    site.assert_clean();
}

#[tokio::test]
async fn projects_come_with_their_zone_and_with_the_reason_why_not_where_account_admin_is_open() {
    let site = Site::start().await;
    let acc = acc(&site);
    let lists = Lists { acc: &acc, meter: &site.meter };
    let listed = async || {
        let projects = lists.projects(&site.project.account, Region::Us, As::App).await.unwrap();
        let seen = projects.into_iter().map(|p| (p.name, p.active, p.unsupported.is_some(), p.tz_name));
        seen.collect::<Vec<_>>()
    };
    let zone = |name: &str| Some(name.to_owned());
    assert_eq!(
        listed().await,
        [
            ("Closed Bridge".to_owned(), false, false, zone("America/Denver")),
            ("Depot B".to_owned(), true, false, None),
            ("Old Hospital".to_owned(), true, true, zone("America/New_York")),
            ("Tower A".to_owned(), true, false, zone("America/Los_Angeles")),
        ]
    );
    let closed = Effect::Status { status: 403, shape: Shape::Flat, retry_after: None, message: None, done: false };
    site.sandbox.faults().add(Rule::new(closed).operation("adminListProjects"));
    assert_eq!(
        listed().await,
        [
            ("Depot B".to_owned(), true, false, None),
            ("Old Hospital".to_owned(), true, true, None),
            ("Tower A".to_owned(), true, false, None),
        ]
    );
    site.assert_clean();
}

#[tokio::test]
async fn issue_types_come_with_what_each_and_the_type_above_it_demands() {
    let site = Site::start().await;
    let acc = acc(&site);
    let lists = Lists { acc: &acc, meter: &site.meter };
    let subtype = |title: &str| {
        let mine = |each: &sandbox::aps::Subtype| each.project_id == site.project.id && each.title == title;
        site.sandbox.subtypes().into_iter().find(mine).unwrap()
    };
    let (hazard, miss) = (subtype("Safety Hazard"), subtype("Near Miss"));
    site.sandbox.require_attribute(&site.project.id, &hazard.type_id, "Shift");
    site.sandbox.require_attribute(&site.project.id, &miss.id, "Trade");
    let types = lists.issue_types(&site.project.account, &site.project.id, Region::Us).await.unwrap();
    assert_eq!(types.suggested().map(|each| each.id.as_str()), Some(hazard.id.as_str()));
    let demanded = |id: &str| types.required[id].iter().map(|each| each.title.as_str()).collect::<Vec<_>>();
    assert_eq!(demanded(&hazard.id), ["Shift"]);
    assert_eq!(demanded(&miss.id), ["Shift", "Trade"]);
    assert_eq!((types.subtypes.len(), types.required.len()), (4, 2));
    site.assert_clean();
}
