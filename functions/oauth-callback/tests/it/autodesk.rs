//! Who is here already lets this session see what they belong to at Autodesk.
use crate::world::{Browser, World};
use credentials::Secret;
use domain::ids::{OrganizationId, Provider};
use grants::{TableGrants, Tokens};
use people::Role;
use sandbox::faults::{Effect, Rule};
use serde_json::json;
use store::directory::{Connection, Directory, Project};

const MANAGER: &str = "safety.manager@example.com";
const PATH: &str = "/sign-in/autodesk?next=%2Fsetup%2Fconnect%2Fautodesk";

async fn ready() -> (World, OrganizationId, Browser) {
    let world = World::new().await;
    let organization = world.organization(1).await;
    let browser = world.by_link(&organization, Role::Manager).await;
    (world, organization, browser)
}

#[tokio::test]
async fn the_token_is_kept_sealed_with_the_session_that_began_and_lists_accounts() {
    let (world, _, mut browser) = ready().await;
    let back = world.agreed_at_autodesk(&mut browser, MANAGER, PATH).await;
    let mut other = world.by_link(&world.organization(2).await, Role::Manager).await;
    assert_eq!(world.get(&mut other, &back).await.status, 400, "another browser");
    let answer = world.get(&mut browser, &back).await;
    assert_eq!((answer.status, answer.location()), (303, "/setup/connect/autodesk"), "{}", answer.body);
    let visitor = world.visitor(&browser).await.unwrap();
    let vault = world.vault.as_ref();
    let token = world.people.platform_token(vault, &visitor, Provider::Acc).await.unwrap().unwrap();
    assert!(!world.kept().contains(token.expose()), "in plain text");
    assert!(world.people.platform_token(vault, &visitor, Provider::Procore).await.unwrap().is_none());
    assert_eq!(world.get(&mut browser, &back).await.status, 400, "it counts once");
}

#[tokio::test]
async fn nobody_comes_in_by_it_and_who_does_not_agree_goes_on() {
    let (world, _, mut browser) = ready().await;
    let nobody = world.get(&mut Browser::default(), PATH).await;
    assert!(nobody.status == 303 && nobody.location().starts_with("/sign-in?next="), "{}", nobody.location());
    let back = world.agreed_at_autodesk(&mut browser, MANAGER, PATH).await;
    let state = back.split("state=").nth(1).unwrap();
    // A sign-in at Autodesk is none at Procore.
    let procore = world.get(&mut browser, &format!("/oauth/procore/callback?code=x&state={state}")).await;
    assert_eq!(procore.status, 400);
    let back = world.agreed_at_autodesk(&mut browser, MANAGER, PATH).await;
    let state = back.split("state=").nth(1).unwrap();
    let denied = world.get(&mut browser, &format!("/oauth/acc/callback?error=access_denied&state={state}")).await;
    assert!(denied.status == 403 && denied.body.contains("In Autodesk you chose not"), "{}", denied.body);
    assert!(denied.body.contains("href=\"/setup/connect/autodesk\""), "{}", denied.body);
}

#[tokio::test]
async fn the_mapped_projects_that_they_are_a_member_of_are_theirs_to_see() {
    let (world, organization, _) = ready().await;
    let account = world.aps.accounts()[0].clone();
    let directory = Directory(world.table.as_ref());
    let mut connection = Connection::new(organization.clone(), Provider::Acc, &account.id, world.people.now());
    connection.region = Some(account.region.parse().unwrap());
    directory.put_connection(&mut connection).await.unwrap();
    let projects: Vec<String> = world.aps.projects()[..2].iter().map(|project| project.id.clone()).collect();
    for (number, id) in (1u128..).zip(&projects) {
        let site = domain::ids::SiteId::new(ulid::Ulid::from_parts(9, number));
        let mut project: Project = serde_json::from_value(json!({
            "project_id": id, "settings": {"site_id": site}, "mapped_at": world.people.now(),
        }))
        .unwrap();
        directory.put_project(&connection.lane(), &mut project).await.unwrap();
    }
    world.aps.set_member(&projects[1], "SBXMANAGER01", false);
    // Someone whom Procore vouches for sees no more than what is listed to them.
    let identity = people::Identity { provider: Provider::Procore, user_id: "7".into() };
    let person = world.people.vouched(&organization, &identity, "kim", None, Default::default()).await.unwrap();
    let mut browser = world.opened(&person).await;
    let back = world.agreed_at_autodesk(&mut browser, MANAGER, PATH).await;
    assert_eq!(world.get(&mut browser, &back).await.status, 303);
    let visitor = world.visitor(&browser).await.unwrap();
    assert!(visitor.sees_project(&connection.id, &projects[0]));
    assert!(!visitor.sees_project(&connection.id, &projects[1]));
    // What Procore lists at the next sign-in says nothing of Autodesk.
    world.people.vouched(&organization, &identity, "kim", None, Default::default()).await.unwrap();
    assert!(world.visitor(&browser).await.unwrap().sees_project(&connection.id, &projects[0]));
}

async fn connected(world: &World, organization: &OrganizationId, account: &str) -> Connection {
    let mut connection = Connection::new(organization.clone(), Provider::Acc, account, world.people.now());
    connection.region = Some("US".parse().unwrap());
    Directory(world.table.as_ref()).put_connection(&mut connection).await.unwrap();
    connection
}

fn for_connection(connection: &Connection) -> String {
    format!("/sign-in/autodesk?connection={}&next=%2Fsetup", connection.id)
}

#[tokio::test]
async fn a_manager_lets_a_connection_work_with_their_own_access() {
    let (world, organization, mut browser) = ready().await;
    let connection = connected(&world, &organization, &world.aps.accounts()[0].id).await;
    let path = for_connection(&connection);
    let back = world.agreed_at_autodesk(&mut browser, MANAGER, &path).await;
    let answer = world.get(&mut browser, &back).await;
    assert_eq!((answer.status, answer.location()), (303, "/setup"), "{}", answer.body);
    let kept = grants::grant(world.table.as_ref(), &connection.lane()).await.unwrap().unwrap();
    assert_eq!((kept.user_id.as_str(), kept.label.as_str(), kept.ended), ("SBXMANAGER01", MANAGER, None));
    assert!(kept.sealed_refresh.is_some());
    assert!(!world.bell.take().is_empty(), "the lane was not rung");
    assert_eq!(world.aps.violations(), []);
    // The code works once.
    assert_eq!(world.get(&mut browser, &back).await.status, 400);

    let back = world.agreed_at_autodesk(&mut browser, MANAGER, &path).await;
    let state = back.split("state=").nth(1).unwrap();
    let denied = world.get(&mut browser, &format!("/oauth/acc/callback?error=access_denied&state={state}")).await;
    assert!(denied.status == 403 && denied.body.contains("works with what it had before"), "{}", denied.body);
}

#[tokio::test]
async fn nobody_consents_for_an_account_or_a_connection_that_is_not_theirs() {
    let (world, organization, mut browser) = ready().await;
    let elsewhere = connected(&world, &organization, "5a0db0c5-0000-4000-8000-0000000000ff").await;
    let back = world.agreed_at_autodesk(&mut browser, MANAGER, &for_connection(&elsewhere)).await;
    let answer = world.get(&mut browser, &back).await;
    assert!(answer.status == 403 && answer.body.contains("do not belong to this account"), "{}", answer.body);
    assert_eq!(grants::grant(world.table.as_ref(), &elsewhere.lane()).await.unwrap(), None);
    let revoked = world.aps.calls().iter().filter(|call| call.path.ends_with("/revoke")).count();
    assert_eq!(revoked, 2, "what nobody needs is taken back");

    let ours = connected(&world, &organization, &world.aps.accounts()[0].id).await;
    let other = world.organization(2).await;
    let mut stranger = world.by_link(&other, people::Role::Manager).await;
    assert_eq!(world.get(&mut stranger, &for_connection(&ours)).await.status, 404);
    let mut viewer = world.by_link(&organization, people::Role::Viewer).await;
    assert_eq!(world.get(&mut viewer, &for_connection(&ours)).await.status, 403);
    // Nor does a sign-in at the other platform do for it.
    let path = format!("/sign-in/procore?connection={}&next=%2Fsetup", ours.id);
    assert_eq!(world.get(&mut browser, &path).await.status, 404);
}

#[tokio::test]
async fn a_connection_that_is_removed_meanwhile_keeps_nobodys_access() {
    for revokes in [true, false] {
        let (world, organization, mut browser) = ready().await;
        let connection = connected(&world, &organization, &world.aps.accounts()[0].id).await;
        let back = world.agreed_at_autodesk(&mut browser, MANAGER, &for_connection(&connection)).await;
        world.aps.faults().add(Rule::new(Effect::DelayAfter { ms: 300 }).path("/userinfo").times(1));
        if !revokes {
            world.aps.faults().add(Rule::new(Effect::Down { cut: false, retry_after: None }).path("/revoke"));
        }
        let asked = || world.aps.calls().iter().any(|call| call.path.ends_with("/userinfo"));
        let removed = async {
            while !asked() {
                tokio::task::yield_now().await;
            }
            let directory = Directory(world.table.as_ref());
            directory.begin_removal(&connection, world.people.now()).await.unwrap();
            let removal = directory.removal(&connection.lane()).await.unwrap().unwrap();
            directory.end_removal(&removal, &[], 0, world.people.now()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(world.get(&mut browser, &back), removed);
        assert_eq!(answer.status, 404, "{}", answer.body);
        assert_eq!(grants::grant(world.table.as_ref(), &connection.lane()).await.unwrap(), None);
        assert!(world.aps.calls().iter().any(|call| call.path.ends_with("/revoke")), "nobody asked Autodesk");
    }
}

#[tokio::test]
async fn what_a_consent_left_behind_serves_no_connection_that_is_made_later() {
    let (world, organization, _) = ready().await;
    let grants = TableGrants::new(world.table.clone(), world.vault.clone());
    let mut connection = Connection::new(organization, Provider::Acc, &world.aps.accounts()[0].id, world.people.now());
    let ends_at = world.people.now() + jiff::SignedDuration::from_hours(1);
    let tokens = Tokens { access: Secret::new("t"), ends_at, refresh: None };
    grants.keep(&connection.lane(), "u", "kim", &tokens, world.people.now()).await.unwrap();
    let directory = Directory(world.table.as_ref());
    directory.put_connection(&mut connection).await.unwrap();
    assert_eq!(grants::grant(world.table.as_ref(), &connection.lane()).await.unwrap(), None);
    // One that stands keeps its own, also where it is made a second time.
    grants.keep(&connection.lane(), "u", "kim", &tokens, world.people.now()).await.unwrap();
    let mut again = Connection { version: 0, ..connection.clone() };
    assert!(directory.put_connection(&mut again).await.is_err());
    directory.put_connection(&mut connection).await.unwrap();
    assert!(grants::grant(world.table.as_ref(), &connection.lane()).await.unwrap().is_some());
}
