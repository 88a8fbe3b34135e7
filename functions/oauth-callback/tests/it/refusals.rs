//! Each way that a sign-in can end otherwise: a page with words and a next step, and nobody signed in.
use crate::world::{Answer, Browser, PUBLIC, World};
use jiff::SignedDuration;
use people::Role;
use people::sign_in::UNDER_WAY_FOR;
use sandbox::faults::{Effect, Rule};

const NO_APP: &str = "no.app@example.com";

async fn ready() -> (World, String) {
    let world = World::new().await;
    let (organization, company) = (world.organization(1).await, world.company(0));
    world.connect(&organization, company, &world.projects(company)).await;
    (world, format!("superintendent+{company}@example.com"))
}

#[track_caller]
fn refused(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(words), "{words}: {}", answer.body);
    assert!(answer.body.contains("id=\"onward\"") && answer.body.contains("mailto:contact@hardhatpulse.com"));
    assert!(!answer.headers.contains_key("set-cookie"));
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn who_does_not_agree_is_told_so_and_may_begin_again() {
    let (world, login) = ready().await;
    let mut browser = Browser::default();
    let back = world.agreed(&mut browser, &login, "%2Fsetup").await;
    let state = back.split("state=").nth(1).unwrap();
    let denied = world.get(&mut browser, &format!("/oauth/procore/callback?error=access_denied&state={state}")).await;
    refused(&denied, 403, "You did not agree");
    assert!(denied.body.contains("/sign-in?next=%2Fsetup"), "{}", denied.body);
    refused(&world.get(&mut browser, &back).await, 400, "not known");
}

#[tokio::test]
async fn an_answer_counts_once_in_time_and_in_its_own_browser() {
    let (world, login) = ready().await;
    let mut browser = Browser::default();
    let back = world.agreed(&mut browser, &login, "%2Fsetup").await;
    // Somebody else's browser, with a sign-in of its own under way too: it can neither use the answer nor spoil it.
    let mut other = Browser::default();
    world.agreed(&mut other, &login, "%2Fsetup").await;
    refused(&world.get(&mut other, &back).await, 400, "another browser");
    refused(&world.get(&mut Browser::default(), &back).await, 400, "another browser");
    assert_eq!(world.get(&mut browser.clone(), &back).await.status, 303);
    refused(&world.get(&mut browser, &back).await, 400, "not known");

    let late = world.agreed(&mut browser, &login, "%2Fsetup").await;
    world.pass(UNDER_WAY_FOR + SignedDuration::from_secs(1));
    refused(&world.get(&mut browser, &late).await, 400, "took too long");
    for nonsense in ["", "?state=x&code=y", "?code=y", "?state=&error=server_error"] {
        refused(&world.get(&mut browser, &format!("/oauth/procore/callback{nonsense}")).await, 400, "not known");
    }
    assert!(world.visitor(&browser).await.is_none());
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_disturb_each_other() {
    let (world, login) = ready().await;
    let mut browser = Browser::default();
    let first = world.agreed(&mut browser, &login, "%2Fone").await;
    let second = world.agreed(&mut browser, &login, "%2Ftwo").await;
    assert_eq!(world.get(&mut browser.clone(), &first).await.location(), "/one");
    assert_eq!(world.get(&mut browser, &second).await.location(), "/two");
}

#[tokio::test]
async fn a_code_that_procore_refuses_lets_nobody_in() {
    let (world, login) = ready().await;
    let mut browser = Browser::default();
    let back = world.agreed(&mut browser, &login, "%2Fsetup").await;
    let state = back.split("state=").nth(1).unwrap();
    let forged = world.get(&mut browser, &format!("/oauth/procore/callback?code=forged&state={state}")).await;
    refused(&forged, 400, "did not accept this sign-in");
    let back = world.agreed(&mut browser, &login, "%2Fsetup").await;
    world.sandbox.advance(601);
    refused(&world.get(&mut browser, &back).await, 400, "did not accept this sign-in");
}

#[tokio::test]
async fn while_procore_does_not_answer_nobody_is_let_in_and_nothing_is_asked_twice() {
    let (world, login) = ready().await;
    for path in ["/oauth/token", "/rest/v1.0/me", "/rest/v1.0/companies", "/rest/v1.1/projects"] {
        for effect in [Effect::LostAfter, Effect::LostBefore] {
            let mut browser = Browser::default();
            let back = world.agreed(&mut browser, &login, "%2Fsetup").await;
            let calls = world.sandbox.calls().len();
            world.sandbox.faults().add(Rule::new(effect).path(path).times(1));
            refused(&world.get(&mut browser, &back).await, 503, "Procore does not answer");
            let asked = world.sandbox.calls().into_iter().skip(calls).filter(|call| call.path.contains(path)).count();
            assert!(asked <= 1, "{path} was asked {asked} times");
        }
    }
}

#[tokio::test]
async fn our_own_credentials_refused_is_ours_to_mend() {
    let (world, login) = ready().await;
    let mut browser = Browser::default();
    let back = world.agreed(&mut browser, &login, "%2Fsetup").await;
    world.parameters.set("/secret", "a-secret-gone-bad");
    let answer = world.get(&mut browser, &back).await;
    refused(&answer, 503, "ours to mend");
    assert!(!answer.body.contains("a-secret-gone-bad"));
}

#[tokio::test]
async fn who_has_no_connected_company_or_project_is_told_whom_to_ask() {
    let (world, _) = ready().await;
    refused(&world.sign_in(&mut Browser::default(), NO_APP).await, 403, "no company that you belong to");
    let elsewhere = format!("superintendent+{}@example.com", world.company(1));
    refused(&world.sign_in(&mut Browser::default(), &elsewhere).await, 403, "no company that you belong to");
    // Of the company, but none of the mapped projects lists this person.
    let organization = world.organization(2).await;
    world.connect(&organization, world.company(1), &[]).await;
    refused(&world.sign_in(&mut Browser::default(), &elsewhere).await, 403, "none of the projects");
    assert_eq!(world.people.people(&organization).await.unwrap(), []);
}

#[tokio::test]
async fn who_has_left_the_company_is_out_though_they_were_a_manager() {
    let world = World::new().await;
    let organization = world.organization(1).await;
    let mut browser = world.by_link(&organization, Role::Manager).await;
    let login = format!("superintendent+{}@example.com", world.company(0));
    world.sign_in(&mut browser, &login).await;
    // The organization's company is another one by now.
    world.connect(&organization, world.company(1), &world.projects(world.company(1))).await;
    refused(&world.sign_in(&mut Browser::default(), &login).await, 403, "no company that you belong to");
}

#[tokio::test]
async fn a_sign_in_leads_nowhere_but_to_us() {
    let (world, login) = ready().await;
    let mut browser = Browser::default();
    let back = world.agreed(&mut browser, &login, "https%3A%2F%2Fevil.example").await;
    assert_eq!(world.get(&mut browser, &back).await.location(), "/setup");
    let begun = world.get(&mut browser, "/sign-in/procore").await;
    let exact = form_urlencoded_of(&format!("{PUBLIC}/oauth/procore/callback"));
    assert!(begun.location().contains(&format!("redirect_uri={exact}&state=")), "{}", begun.location());
}

fn form_urlencoded_of(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F")
}
