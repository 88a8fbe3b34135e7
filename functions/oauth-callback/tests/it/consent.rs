//! A manager lets a connection work with their own consent.
use crate::world::{Browser, World};
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::record::Mender;
use grants::grant;
use jiff::Timestamp;
use people::Role;
use store::directory::{Blocked, Connection, Directory};

struct Ready {
    world: World,
    organization: OrganizationId,
    connection: ConnectionId,
    login: String,
}

async fn ready() -> Ready {
    let world = World::new().await;
    let (organization, company) = (world.organization(1).await, world.company(0));
    let connection = world.connect(&organization, company, &world.projects(company)).await;
    Ready { world, organization, connection, login: format!("safety.manager+{company}@example.com") }
}

impl Ready {
    fn path(&self) -> String {
        format!("/sign-in/procore?connection={}&next=%2Fsetup", self.connection)
    }

    async fn kept(&self) -> Connection {
        let found = Directory(self.world.table.as_ref()).connection(&self.organization, &self.connection).await;
        found.unwrap().unwrap()
    }

    async fn grant(&self) -> Option<grants::Grant> {
        grant(self.world.table.as_ref(), &self.kept().await.lane()).await.unwrap()
    }
}

#[tokio::test]
async fn a_managers_consent_is_kept_and_lifts_the_block() {
    let ready = ready().await;
    let mut blocked = ready.kept().await;
    let (reason, what_to_do) = ("The consent ended.".to_owned(), "Sign in again.".to_owned());
    blocked.blocked = Some(Blocked { reason, who: Mender::SafetyManager, what_to_do, since: Timestamp::now() });
    Directory(ready.world.table.as_ref()).put_connection(&mut blocked).await.unwrap();
    let mut browser = ready.world.by_link(&ready.organization, Role::Manager).await;
    let before = ready.world.visitor(&browser).await.unwrap();
    let back = ready.world.agreed_at(&mut browser, &ready.login, &ready.path()).await;
    let answer = ready.world.get(&mut browser, &back).await;
    assert_eq!((answer.status, answer.location()), (303, "/setup"), "{}", answer.body);
    assert!(ready.world.sandbox.calls_of("oauthRevoke").is_empty());
    let kept = ready.grant().await.unwrap();
    assert_eq!((kept.label.as_str(), kept.ended), (ready.login.as_str(), None));
    assert!(kept.sealed_refresh.is_some());
    assert_eq!(ready.kept().await.blocked, None);
    assert!(!ready.world.bell.take().is_empty(), "the lane was not rung");
    // The same session goes on, and can ask Procore now.
    let after = ready.world.visitor(&browser).await.unwrap();
    assert_eq!(after.session.id, before.session.id);
    assert!(
        ready
            .world
            .people
            .platform_token(ready.world.vault.as_ref(), &after, Provider::Procore)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn who_does_not_agree_changes_nothing_and_goes_on() {
    let ready = ready().await;
    let mut browser = ready.world.by_link(&ready.organization, Role::Manager).await;
    let back = ready.world.agreed_at(&mut browser, &ready.login, &ready.path()).await;
    let state = back.split("state=").nth(1).unwrap();
    let path = format!("/oauth/procore/callback?error=access_denied&state={state}");
    let denied = ready.world.get(&mut browser, &path).await;
    assert_eq!(denied.status, 403);
    assert!(denied.body.contains("Nothing was changed") && denied.body.contains("href=\"/setup\""), "{}", denied.body);
    assert_eq!(ready.grant().await, None);
    assert!(ready.world.visitor(&browser).await.is_some(), "who was signed in still is");
}

#[tokio::test]
async fn only_a_manager_of_the_connections_organization_may() {
    let ready = ready().await;
    let other = ready.world.organization(2).await;
    let mut stranger = ready.world.by_link(&other, Role::Manager).await;
    assert_eq!(ready.world.get(&mut stranger, &ready.path()).await.status, 404);
    let mut viewer = ready.world.by_link(&ready.organization, Role::Viewer).await;
    assert_eq!(ready.world.get(&mut viewer, &ready.path()).await.status, 403);
    let nobody = ready.world.get(&mut Browser::default(), &ready.path()).await;
    assert_eq!((nobody.status, nobody.location()), (303, "/sign-in?next=%2Fsetup"));
    // Who lost the role between going and coming back.
    let mut browser = ready.world.by_link(&ready.organization, Role::Manager).await;
    let back = ready.world.agreed_at(&mut browser, &ready.login, &ready.path()).await;
    let visitor = ready.world.visitor(&browser).await.unwrap();
    ready.world.people.change_role(&ready.organization, &visitor.person.id, Role::Viewer).await.unwrap();
    assert_eq!(ready.world.get(&mut browser, &back).await.status, 403);
    assert_eq!(ready.grant().await, None);
}

#[tokio::test]
async fn a_link_from_elsewhere_begins_no_consent() {
    let ready = ready().await;
    let mut browser = ready.world.by_link(&ready.organization, Role::Manager).await;
    let answer = ready.world.linked(&mut browser, &ready.path()).await;
    assert!(answer.status == 403 && answer.body.contains("a page that is not ours"), "{}", answer.body);
    // To sign in, one may come from anywhere.
    assert_eq!(ready.world.linked(&mut browser, "/sign-in/procore?next=%2Fsetup").await.status, 303);
}

#[tokio::test]
async fn who_sees_some_of_the_projects_decides_nothing_for_all() {
    let ready = ready().await;
    let identity = people::Identity { provider: Provider::Procore, user_id: "77".into() };
    let people = &ready.world.people;
    let limited = people.vouched(&ready.organization, &identity, "kim", None, Default::default()).await.unwrap();
    let limited = people.change_role(&ready.organization, &limited.id, Role::Manager).await.unwrap().unwrap();
    let mut browser = ready.world.opened(&limited).await;
    let answer = ready.world.get(&mut browser, &ready.path()).await;
    assert!(answer.status == 403 && answer.body.contains("a manager who sees all of them"), "{}", answer.body);
}

#[tokio::test]
async fn somebody_of_another_company_can_not_consent_for_this_one() {
    let ready = ready().await;
    let mut browser = ready.world.by_link(&ready.organization, Role::Manager).await;
    let login = format!("safety.manager+{}@example.com", ready.world.company(1));
    let back = ready.world.agreed_at(&mut browser, &login, &ready.path()).await;
    let answer = ready.world.get(&mut browser, &back).await;
    assert!(answer.status == 403 && answer.body.contains("do not belong to this company"), "{}", answer.body);
    assert_eq!(ready.grant().await, None);
    assert_eq!(ready.world.sandbox.calls_of("oauthRevoke").len(), 1, "what nobody needs is taken back");
}

#[tokio::test]
async fn a_connections_id_is_derived_so_another_tenants_is_not_guessed_into() {
    let ready = ready().await;
    let other = ready.world.organization(2).await;
    let theirs = ConnectionId::derive(&other, Provider::Procore, &ready.world.company(0).to_string());
    let mut browser = ready.world.by_link(&ready.organization, Role::Manager).await;
    let path = format!("/sign-in/procore?connection={theirs}&next=%2Fsetup");
    assert_eq!(ready.world.get(&mut browser, &path).await.status, 404);
}
