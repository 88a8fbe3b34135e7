//! A connection that works with a person's consent: refresh tokens that work once, many callers, lost answers.
use crate::site::{Noted, Site, project_of, timeouts};
use async_trait::async_trait;
use credentials::{MemoryParameters, MemoryVault, Secret};
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::record::WorkClass;
use futures::future::join_all;
use grants::{GrantError, Grants, RefreshError, Refresher, TableGrants, Tokens, grant};
use jiff::{SignedDuration, Timestamp};
use procore::lists::Lists;
use procore::{Hosts, ParameterCredentials, Procore, ProcoreTarget};
use sandbox::faults::{Effect, Rule};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::lanes::LaneId;
use store::memory::MemoryTable;
use sync::target::{Call, Target, TargetError};

struct World {
    site: Site,
    table: Arc<MemoryTable>,
    vault: Arc<MemoryVault>,
    lane: LaneId,
}

impl World {
    /// A connection with the consent of somebody who can do everything there.
    async fn new() -> Self {
        let site = Site::start().await;
        let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
        let connection_id = ConnectionId::derive(&organization_id, Provider::Procore, &site.company().to_string());
        let lane = LaneId { organization_id, connection_id, provider: Provider::Procore };
        let world = Self { site, table: Arc::default(), vault: Arc::default(), lane };
        let code = world.code().await;
        let tokens = world.client().exchange_code(&code, "http://localhost", Timestamp::now()).await.unwrap();
        world.keep(&tokens).await;
        world
    }

    async fn code(&self) -> Secret {
        self.site.sandbox.set(|settings| settings.consent_as = Some("company.admin@example.com".to_owned()));
        let url = self.client().consent_url("http://localhost", "s").await.unwrap();
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.get(url).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap();
        Secret::new(back.strip_prefix("http://localhost?code=").unwrap().split('&').next().unwrap())
    }

    async fn keep(&self, tokens: &Tokens) {
        self.grants().keep(&self.lane, "7", "company.admin@example.com", tokens, Timestamp::now()).await.unwrap();
    }

    /// As another process has it: nothing remembered.
    fn grants(&self) -> TableGrants {
        TableGrants::new(self.table.clone(), self.vault.clone())
    }

    fn client(&self) -> Procore {
        let parameters = Arc::new(MemoryParameters::of([("/id", "sandbox-client"), ("/secret", "sandbox-secret")]));
        let (client_id, client_secret) = ("/id".into(), "/secret".into());
        let credentials = Arc::new(ParameterCredentials { parameters, client_id, client_secret });
        let url = self.site.sandbox.url();
        let hosts = Hosts::new(url, url, "https://app.example.com/").unwrap();
        Procore::with_timeouts(hosts, credentials, timeouts()).unwrap()
    }

    async fn token(&self, now: Timestamp) -> Result<Option<Secret>, GrantError> {
        self.grants().token(&self.lane, &self.client(), None, now).await
    }

    /// How often the login host was asked.
    fn asked(&self) -> usize {
        self.site.sandbox.calls_of("oauthToken").len()
    }

    async fn works(&self, token: &Secret) -> bool {
        Lists { procore: &self.client(), meter: &self.site.meter }.me(token).await.is_ok()
    }

    /// What a lane's run does: one look-up in the project.
    async fn run(&self, client: Procore) -> Result<Value, TargetError> {
        let meter = Noted { lane: Some(self.lane.clone()), ..Noted::default() };
        let target = ProcoreTarget::new(client.with_grants(Arc::new(self.grants())));
        let project = project_of(self.site.company(), self.site.id());
        target.find(Call { class: WorkClass::Incident, meter: &meter }, &project, "hazards").await
    }
}

fn over() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(5_400)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_runs_at_once_renew_once_and_none_loses_the_connection() {
    let world = World::new().await;
    // The strictest reading: who presents a used token ends the consent.
    world.site.sandbox.set(|settings| settings.reused_refresh_ends_grant = true);
    let before = world.asked();
    for round in 1..=3u32 {
        let now = Timestamp::now() + SignedDuration::from_secs(5_400) * i32::try_from(round).unwrap();
        let outcomes = join_all((0..50).map(|_| world.token(now))).await;
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Ok(Some(_)))), "nobody has a token");
        let mut given = BTreeSet::new();
        for outcome in outcomes {
            match outcome {
                Ok(Some(token)) => {
                    given.insert(token.expose().to_owned());
                }
                // Told to come again, not that anything is wrong.
                Err(GrantError::Later(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        // One for all: none of them is a token that a second renewal has ended.
        assert_eq!(given.len(), 1);
        for token in given {
            assert!(world.works(&Secret::new(token)).await);
        }
        assert_eq!(world.asked() - before, round as usize, "one renewal a round");
        let after = join_all((0..50).map(|_| world.token(now))).await;
        assert!(after.iter().all(|outcome| matches!(outcome, Ok(Some(_)))));
    }
    assert_eq!(grant(world.table.as_ref(), &world.lane).await.unwrap().unwrap().ended, None);
}

#[tokio::test]
async fn a_lost_answer_ends_the_grant_and_is_never_asked_again() {
    for effect in [Effect::LostAfter, Effect::LostBefore] {
        let world = World::new().await;
        let before = world.asked();
        world.site.sandbox.faults().add(Rule::new(effect).path("/oauth/token").times(1));
        for _ in 0..3 {
            let outcome = world.token(over()).await;
            assert!(matches!(&outcome, Err(GrantError::SignInAgain(why)) if why.contains("lost")), "{outcome:?}");
        }
        assert_eq!(world.asked() - before, 1);
        // The lane is told who acts; a new consent mends it.
        let Err(TargetError::Connection(block)) = world.run(world.client()).await else { panic!("not blocked") };
        assert!(block.what_to_do.contains("signs in with Procore again"), "{block:?}");
        let code = world.code().await;
        let tokens = world.client().exchange_code(&code, "http://localhost", Timestamp::now()).await.unwrap();
        world.keep(&tokens).await;
        world.run(world.client()).await.unwrap();
    }
}

#[tokio::test]
async fn who_died_while_renewing_is_not_followed_by_a_second_try() {
    let world = World::new().await;
    world.site.sandbox.faults().add(Rule::new(Effect::DelayBefore { ms: 60_000 }).path("/oauth/token").times(1));
    let before = world.asked();
    {
        // Dropped after it claimed the renewal and sent it.
        let dying = world.token(over());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(200), dying).await.is_err());
    }
    assert!(matches!(world.token(over()).await, Err(GrantError::Later(_))));
    let later = over() + SignedDuration::from_secs(91);
    let outcome = world.token(later).await;
    assert!(matches!(&outcome, Err(GrantError::SignInAgain(why)) if why.contains("lost")), "{outcome:?}");
    assert!(world.asked() - before <= 1);
}

#[tokio::test]
async fn a_login_host_that_can_not_be_reached_costs_nothing() {
    let world = World::new().await;
    let nowhere = Hosts::new("http://127.0.0.1:9", world.site.sandbox.url(), "https://app.example.com").unwrap();
    let parameters = Arc::new(MemoryParameters::of([("/id", "sandbox-client"), ("/secret", "sandbox-secret")]));
    let (client_id, client_secret) = ("/id".into(), "/secret".into());
    let credentials = Arc::new(ParameterCredentials { parameters, client_id, client_secret });
    let client = Procore::with_timeouts(nowhere, credentials, timeouts()).unwrap();
    let outcome = world.grants().token(&world.lane, &client, None, over()).await;
    assert!(matches!(outcome, Err(GrantError::Later(_))), "{outcome:?}");
    assert!(world.token(over()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_consent_that_the_person_took_back_blocks_with_words() {
    let world = World::new().await;
    world.run(world.client()).await.unwrap();
    world.site.sandbox.burn_refresh_tokens();
    world.site.sandbox.expire_tokens();
    let Err(TargetError::Connection(block)) = world.run(world.client()).await else { panic!("not blocked") };
    assert!(block.reason.contains("may no longer act"), "{block:?}");
}

#[tokio::test]
async fn a_token_that_ended_early_is_renewed_once() {
    let world = World::new().await;
    world.site.sandbox.expire_tokens();
    let before = world.asked();
    world.run(world.client()).await.unwrap();
    world.run(world.client()).await.unwrap();
    assert_eq!(world.asked() - before, 1);
}

#[tokio::test]
async fn disconnecting_takes_the_consent_back() {
    let world = World::new().await;
    let token = world.token(Timestamp::now()).await.unwrap().unwrap();
    let kept = format!("{:?}", world.table.dump());
    assert!(!kept.contains(token.expose()));
    assert!(world.grants().revoke(&world.lane, &world.client(), Timestamp::now()).await.unwrap());
    assert!(!world.works(&token).await);
    assert!(grant(world.table.as_ref(), &world.lane).await.unwrap().is_none());
    assert!(!world.grants().revoke(&world.lane, &world.client(), Timestamp::now()).await.unwrap(), "none is left");
    // Without a grant the service account serves.
    assert!(world.token(Timestamp::now()).await.unwrap().is_none());
    world.run(world.client()).await.unwrap();
}

/// A login host during whose answer the manager agrees anew.
struct AgreedMeanwhile<'a>(&'a World, Tokens);

#[async_trait]
impl Refresher for AgreedMeanwhile<'_> {
    async fn refresh(&self, refresh: &Secret, now: Timestamp) -> Result<Tokens, RefreshError> {
        self.0.client().refresh(refresh, now).await
    }

    async fn revoke(&self, token: &Secret, now: Timestamp) -> Result<(), RefreshError> {
        self.0.client().revoke(token, now).await?;
        self.0.keep(&self.1).await;
        Ok(())
    }
}

#[tokio::test]
async fn a_consent_given_anew_while_the_old_one_is_taken_back_stays() {
    let world = World::new().await;
    let code = world.code().await;
    let anew = world.client().exchange_code(&code, "http://localhost", Timestamp::now()).await.unwrap();
    let taken = world.grants().revoke(&world.lane, &AgreedMeanwhile(&world, anew.clone()), Timestamp::now()).await;
    assert!(matches!(taken, Err(GrantError::Later(_))), "{taken:?}");
    assert_eq!(world.token(Timestamp::now()).await.unwrap(), Some(anew.access));
}

#[tokio::test]
async fn another_organizations_grant_opens_nothing() {
    let world = World::new().await;
    let mut theirs = world.lane.clone();
    theirs.organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 2));
    assert!(world.grants().token(&theirs, &world.client(), None, Timestamp::now()).await.unwrap().is_none());
}
