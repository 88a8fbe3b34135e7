use crate::world::{Browser, PUBLIC, World};
use domain::ids::Provider;
use jiff::SignedDuration;
use people::Role;
use std::collections::BTreeSet;

fn superintendent(company: i64) -> String {
    format!("superintendent+{company}@example.com")
}

#[tokio::test]
async fn who_can_list_a_mapped_project_enters_as_a_viewer_of_it() {
    let world = World::new().await;
    let (organization, company) = (world.organization(1).await, world.company(0));
    let mapped = world.projects(company)[..2].to_vec();
    let connection = world.connect(&organization, company, &mapped).await;
    let mut browser = Browser::default();
    let answer = world.sign_in(&mut browser, &superintendent(company)).await;
    assert_eq!((answer.status, answer.location()), (303, "/setup?a=b"));
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap()).collect();
    assert!(cookies[0].contains("; HttpOnly; Secure; SameSite=None; Partitioned"), "{cookies:?}");
    let visitor = world.visitor(&browser).await.unwrap();
    assert_eq!((visitor.session.role, &visitor.session.organization_id), (Role::Viewer, &organization));
    assert_eq!(visitor.session.label, superintendent(company));
    let projects = visitor.person.projects.clone().unwrap();
    assert_eq!(projects[&connection], mapped.iter().cloned().collect::<BTreeSet<_>>());
    assert!(!visitor.sees_project(&connection, &world.projects(company)[2]), "not mapped, so not theirs to see");

    // The token goes with the session and opens only there; the table holds none in plain text, and no refresh token at all.
    let token = world.people.platform_token(world.vault.as_ref(), &visitor, Provider::Procore).await.unwrap().unwrap();
    assert!(!world.kept().contains(token.expose()) && !world.kept().contains("refresh"));
    let mut other = visitor.clone();
    other.session.id = "0".repeat(64);
    assert!(world.people.platform_token(world.vault.as_ref(), &other, Provider::Procore).await.unwrap().is_none());
    world.pass(SignedDuration::from_secs(5_401));
    assert!(world.people.platform_token(world.vault.as_ref(), &visitor, Provider::Procore).await.unwrap().is_none());
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn a_setup_links_person_gets_the_identity_and_comes_back_by_it() {
    let world = World::new().await;
    let organization = world.organization(1).await;
    let mut browser = world.by_link(&organization, Role::Manager).await;
    let before = world.visitor(&browser).await.unwrap();
    let login = superintendent(world.company(0));
    assert_eq!(world.sign_in(&mut browser, &login).await.status, 303);
    let after = world.visitor(&browser).await.unwrap();
    assert_eq!((&after.person.id, after.session.role), (&before.person.id, Role::Manager));
    assert_ne!(after.session.id, before.session.id);
    assert!(world.people.sessions(&after.person).await.unwrap().iter().all(|session| session.id != before.session.id));

    // Another day, another browser, nothing connected yet: set-up goes on.
    let mut later = Browser::default();
    assert_eq!(world.sign_in(&mut later, &login).await.status, 303);
    let back = world.visitor(&later).await.unwrap();
    assert_eq!((back.person.id, back.session.role), (before.person.id, Role::Manager));
}

#[tokio::test]
async fn a_link_raises_who_was_known_as_a_viewer_and_nobody_is_here_twice() {
    let world = World::new().await;
    let (organization, company) = (world.organization(1).await, world.company(0));
    world.connect(&organization, company, &world.projects(company)).await;
    let mut first = Browser::default();
    world.sign_in(&mut first, &superintendent(company)).await;
    let viewer = world.visitor(&first).await.unwrap();
    let mut invited = world.by_link(&organization, Role::Manager).await;
    world.sign_in(&mut invited, &superintendent(company)).await;
    let manager = world.visitor(&invited).await.unwrap();
    assert_eq!((&manager.person.id, manager.session.role), (&viewer.person.id, Role::Manager));
    assert_eq!(world.people.people(&organization).await.unwrap().len(), 1);
}

#[tokio::test]
async fn somebody_else_at_a_browser_left_signed_in_gets_nothing_of_it() {
    let world = World::new().await;
    let (organization, company) = (world.organization(1).await, world.company(0));
    world.connect(&organization, company, &world.projects(company)).await;
    let mut browser = world.by_link(&organization, Role::Manager).await;
    world.sign_in(&mut browser, &format!("safety.manager+{company}@example.com")).await;
    world.sign_in(&mut browser, &superintendent(company)).await;
    let visitor = world.visitor(&browser).await.unwrap();
    assert_eq!(
        (visitor.session.label.as_str(), visitor.session.role),
        (superintendent(company).as_str(), Role::Viewer)
    );
}

#[tokio::test]
async fn who_belongs_to_several_organizations_chooses_one() {
    let world = World::new().await;
    let (first, second, third) =
        (world.organization(1).await, world.organization(2).await, world.organization(3).await);
    let company = world.company(0);
    let projects = world.projects(company);
    world.connect(&first, company, &projects[..1]).await;
    world.connect(&second, company, &projects[1..2]).await;
    // Shares the company, but maps nothing that anybody could list.
    world.connect(&third, company, &[]).await;
    let mut browser = Browser::default();
    let page = world.sign_in(&mut browser, &superintendent(company)).await;
    assert!(page.status == 200 && page.body.contains("Contractor 1") && page.body.contains("Contractor 2"));
    assert!(!page.body.contains("Contractor 3") && world.visitor(&browser).await.is_none());
    let code = page.body.split("name=\"choice\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = |organization: &dyn std::fmt::Display| format!("choice={code}&organization={organization}");

    assert_eq!(
        world.post(&mut browser, "/oauth/procore/choose", "https://evil.example", &form(&second)).await.status,
        403
    );
    let stolen = world.post(&mut Browser::default(), "/oauth/procore/choose", PUBLIC, &form(&second)).await;
    assert!(stolen.status == 400 && stolen.body.contains("another browser"), "{}", stolen.body);
    let chosen = world.post(&mut browser, "/oauth/procore/choose", PUBLIC, &form(&second)).await;
    assert_eq!((chosen.status, chosen.location()), (303, "/setup?a=b"));
    let visitor = world.visitor(&browser).await.unwrap();
    assert_eq!(visitor.session.organization_id, second);
    assert!(world.people.platform_token(world.vault.as_ref(), &visitor, Provider::Procore).await.unwrap().is_some());
    assert_eq!(world.post(&mut browser, "/oauth/procore/choose", PUBLIC, &form(&first)).await.status, 400, "once");
}

#[tokio::test]
async fn an_organization_that_was_not_offered_can_not_be_chosen() {
    let world = World::new().await;
    let (first, second, third) =
        (world.organization(1).await, world.organization(2).await, world.organization(3).await);
    let company = world.company(0);
    let projects = world.projects(company);
    world.connect(&first, company, &projects[..1]).await;
    world.connect(&second, company, &projects[1..2]).await;
    world.connect(&third, world.company(1), &world.projects(world.company(1))).await;
    let mut browser = Browser::default();
    let page = world.sign_in(&mut browser, &superintendent(company)).await;
    let code = page.body.split("name=\"choice\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("choice={code}&organization={third}");
    assert_eq!(world.post(&mut browser, "/oauth/procore/choose", PUBLIC, &form).await.status, 404);
    assert!(world.visitor(&browser).await.is_none());
}

#[tokio::test]
async fn where_the_app_was_taken_away_only_its_managers_still_get_in() {
    let world = World::new().await;
    let (organization, company) = (world.organization(1).await, world.company(0));
    world.connect(&organization, company, &world.projects(company)).await;
    let mut manager = world.by_link(&organization, Role::Manager).await;
    let login = format!("safety.manager+{company}@example.com");
    world.sign_in(&mut manager, &login).await;
    world.sandbox.set_connected(company, false);
    let refused = world.sign_in(&mut Browser::default(), &superintendent(company)).await;
    assert!(refused.status == 403 && refused.body.contains("None of your projects"), "{}", refused.body);
    let mut again = Browser::default();
    assert_eq!(world.sign_in(&mut again, &login).await.status, 303);
    assert_eq!(world.visitor(&again).await.unwrap().session.role, Role::Manager);
}

#[tokio::test]
async fn a_frame_is_not_led_to_procores_login() {
    let world = World::new().await;
    for (asked, led) in [
        ("next=%2Fsetup%2Fconnect", "/sign-in?again=1&next=%2Fsetup%2Fconnect"),
        ("next=https%3A%2F%2Fevil.example", "/sign-in?again=1&next=%2Fsetup"),
        (
            "connection=c%26d&next=%2Fsetup",
            "/sign-in/tab?path=%2Fsign-in%2Fprocore%3Fconnection%3Dc%2526d%26next%3D%252Fsetup",
        ),
    ] {
        let answer = world.framed(&format!("/sign-in/procore?{asked}")).await;
        assert_eq!((answer.status, answer.location()), (303, led));
        assert!(!answer.headers.contains_key("set-cookie"), "nothing is under way");
    }
    // Nor to Autodesk's.
    let answer = world.framed("/sign-in/autodesk?next=%2Fsetup").await;
    let led = "/sign-in/tab?path=%2Fsign-in%2Fautodesk%3Fnext%3D%252Fsetup";
    assert_eq!((answer.status, answer.location()), (303, led));
}
