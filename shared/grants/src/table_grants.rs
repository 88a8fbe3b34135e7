//! Grants in the table. What is read is kept in this process for a while, so that a run asks the table once, not at each call.
use crate::kept::{Grant, LONGEST_RENEWAL, Renewing, Step, renew_at};
use crate::{GrantError, Grants, RefreshError, Refresher, Tokens};
use async_trait::async_trait;
use credentials::{Context, Secret, Vault};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::lanes::LaneId;
use store::table::{get_as, item};
use store::{Condition, Table, TableError, keys};

/// So long a process may not see that a connection got, or lost, its grant.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(60);
/// What came back is written in so many tries: it exists nowhere else.
const KEEP_TRIES: usize = 4;
const KNOWN_AT_MOST: usize = 1_000;

pub struct TableGrants {
    table: Arc<dyn Table>,
    vault: Arc<dyn Vault>,
    remembered: SignedDuration,
    known: Mutex<HashMap<LaneId, (Option<Secret>, Timestamp)>>,
    /// Callers of this process wait for one another; those of others are told "later".
    asking: tokio::sync::Mutex<()>,
}

fn context(lane: &LaneId) -> Context {
    Context::new(&lane.organization_id, "grant").with("connection_id", &lane.connection_id)
}

/// A connection's grant as it is kept, for pages.
pub async fn grant(table: &dyn Table, lane: &LaneId) -> Result<Option<Grant>, TableError> {
    get_as(table, "a grant", &key(lane)).await
}

impl TableGrants {
    pub fn new(table: Arc<dyn Table>, vault: Arc<dyn Vault>) -> Self {
        let (known, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { table, vault, remembered: REMEMBERED, known, asking }
    }

    /// For pages: whoever has just agreed sees it at once.
    pub fn without_memory(self) -> Self {
        Self { remembered: SignedDuration::ZERO, ..self }
    }

    async fn of(&self, lane: &LaneId) -> Result<Option<Grant>, TableError> {
        grant(self.table.as_ref(), lane).await
    }

    /// Keeps what a person agreed to just now; it takes the place of what was there.
    pub async fn keep(
        &self,
        lane: &LaneId,
        user_id: &str,
        label: &str,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<(), GrantError> {
        let mut grant = Grant {
            user_id: user_id.to_owned(),
            label: label.to_owned(),
            sealed_access: String::new(),
            granted_at: now,
            renew_at: now,
            ends_at: now,
            sealed_refresh: None,
            renewing: None,
            ended: None,
            turn: 0,
        };
        grant = self.with_tokens(lane, grant, tokens, now).await?;
        for _ in 0..KEEP_TRIES {
            // Conditional, so that whoever renews the old one at this moment finds its turn gone.
            let standing = self.of(lane).await?.map(|standing| standing.turn);
            let condition = standing.map_or(Condition::Absent, |turn| Condition::Equals("turn", turn.into()));
            grant.turn = standing.unwrap_or_default() + 1;
            match self.table.put(item(&key(lane), &grant)?, condition).await {
                Err(TableError::Condition(_)) => {}
                outcome => {
                    outcome?;
                    self.forget(lane);
                    tracing::info!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, "a person's grant was kept");
                    return Ok(());
                }
            }
        }
        Err(GrantError::Later("the grant is being renewed at this moment".into()))
    }

    /// Forgets what is kept of a connection that is no more, also where the platform does not take it back.
    pub async fn drop_kept(&self, lane: &LaneId) -> Result<(), TableError> {
        self.table.delete(&key(lane), Condition::Always).await?;
        self.forget(lane);
        Ok(())
    }

    async fn with_tokens(
        &self,
        lane: &LaneId,
        grant: Grant,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Grant, GrantError> {
        let context = context(lane);
        let sealed_refresh = match &tokens.refresh {
            Some(refresh) => Some(self.vault.seal(&context, refresh).await?),
            None => None,
        };
        let sealed_access = self.vault.seal(&context, &tokens.access).await?;
        let renew_at = renew_at(now, tokens.ends_at);
        Ok(Grant { sealed_access, sealed_refresh, renew_at, ends_at: tokens.ends_at, ..grant })
    }

    /// Writes a grant if nobody changed it since `grant.turn` was read. `None`: somebody did.
    async fn put(&self, lane: &LaneId, mut grant: Grant) -> Result<Option<Grant>, TableError> {
        let read = grant.turn;
        grant.turn += 1;
        match self.table.put(item(&key(lane), &grant)?, Condition::Equals("turn", read.into())).await {
            Ok(()) => Ok(Some(grant)),
            Err(TableError::Condition(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn renew(
        &self,
        lane: &LaneId,
        grant: Grant,
        refresher: &dyn Refresher,
        now: Timestamp,
    ) -> Result<Secret, GrantError> {
        let Some(sealed) = grant.sealed_refresh.clone() else {
            return self.end(lane, grant, "the access ended, and there is nothing to renew it with").await;
        };
        // Before the claim, and sealing tried as well: a key service that is down must cost nothing. The data key is warm then.
        let refresh = self.vault.open(&context(lane), &sealed).await?;
        self.vault.seal(&context(lane), &refresh).await?;
        let claim = Grant { renewing: Some(Renewing { since: now }), ..grant };
        let Some(claim) = self.put(lane, claim).await? else {
            return Err(GrantError::Later("another run renews the access at this moment".into()));
        };
        match refresher.refresh(&refresh, now).await {
            Ok(tokens) => {
                let renewed = Grant { renewing: None, ..claim };
                let renewed = self.with_tokens(lane, renewed, &tokens, now).await?;
                self.keep_renewed(lane, renewed).await?;
                Ok(tokens.access)
            }
            Err(RefreshError::NotSent(why)) => {
                self.put(lane, Grant { renewing: None, ..claim }).await?;
                Err(GrantError::Later(why))
            }
            Err(RefreshError::Burnt(why)) => self.end(lane, claim, &why).await,
        }
    }

    /// The new tokens stand in the table before anybody uses them.
    async fn keep_renewed(&self, lane: &LaneId, renewed: Grant) -> Result<(), GrantError> {
        let mut last = None;
        for _ in 0..KEEP_TRIES {
            match self.put(lane, renewed.clone()).await {
                Ok(Some(_)) => return Ok(()),
                // Ours, written by a try whose answer was lost; or the person signed in again meanwhile, and theirs stands.
                Ok(None) => {
                    let ours = self.of(lane).await?.is_some_and(|kept| kept.sealed_access == renewed.sealed_access);
                    let why = "the person signed in again at this moment";
                    return if ours { Ok(()) } else { Err(GrantError::Later(why.into())) };
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(|| GrantError::Later("the new access could not be kept".into()), GrantError::from))
    }

    /// Notes that a grant is over: nobody tries with it again.
    async fn end(&self, lane: &LaneId, grant: Grant, why: &str) -> Result<Secret, GrantError> {
        tracing::warn!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, reason = why, "a person's grant is over");
        let ended = Grant { ended: Some(why.to_owned()), renewing: None, ..grant };
        match self.put(lane, ended).await? {
            Some(_) => Err(GrantError::SignInAgain(why.to_owned())),
            None => Err(GrantError::Later("the access was changed at this moment".into())),
        }
    }

    fn remember(&self, lane: &LaneId, token: Option<Secret>, until: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_AT_MOST {
            known.clear();
        }
        known.insert(lane.clone(), (token, until));
    }

    fn remembered(&self, lane: &LaneId, refused: Option<&Secret>, now: Timestamp) -> Option<Option<Secret>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, until) = known.get(lane)?;
        (now < *until && (token.is_none() || token.as_ref() != refused)).then(|| token.clone())
    }

    fn forget(&self, lane: &LaneId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(lane);
    }
}

fn key(lane: &LaneId) -> store::Key {
    keys::connection_grant(&lane.organization_id, &lane.connection_id)
}

#[async_trait]
impl Grants for TableGrants {
    async fn token(
        &self,
        lane: &LaneId,
        refresher: &dyn Refresher,
        refused: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Option<Secret>, GrantError> {
        if let Some(known) = self.remembered(lane, refused, now) {
            return Ok(known);
        }
        let _one = self.asking.lock().await;
        if let Some(known) = self.remembered(lane, refused, now) {
            return Ok(known);
        }
        let Some(grant) = self.of(lane).await? else {
            self.remember(lane, None, now + self.remembered);
            return Ok(None);
        };
        let access = self.vault.open(&context(lane), &grant.sealed_access).await?;
        let until = grant.renew_at.min(now + self.remembered);
        match grant.step(refused == Some(&access), now) {
            Step::Use => {
                self.remember(lane, Some(access.clone()), until);
                Ok(Some(access))
            }
            Step::Renew => {
                let access = self.renew(lane, grant, refresher, now).await?;
                self.remember(lane, Some(access.clone()), now + self.remembered);
                Ok(Some(access))
            }
            Step::Wait => Err(GrantError::Later("another run renews the access at this moment".into())),
            Step::Lost => {
                let seconds = LONGEST_RENEWAL.as_secs();
                let why = format!("a renewal was begun and not ended within {seconds} seconds, so its answer is lost");
                self.end(lane, grant, &why).await.map(Some)
            }
            Step::Over => Err(GrantError::SignInAgain(grant.ended.unwrap_or_default())),
        }
    }

    async fn user_id(&self, lane: &LaneId) -> Result<Option<String>, GrantError> {
        Ok(self.of(lane).await?.map(|grant| grant.user_id))
    }

    async fn revoke(&self, lane: &LaneId, refresher: &dyn Refresher, now: Timestamp) -> Result<bool, GrantError> {
        let Some(grant) = self.of(lane).await? else { return Ok(false) };
        let sealed = grant.sealed_refresh.as_ref().unwrap_or(&grant.sealed_access);
        let token = self.vault.open(&context(lane), sealed).await?;
        match refresher.revoke(&token, now).await {
            Ok(()) => {}
            Err(error) => return Err(GrantError::Later(error.to_string())),
        }
        // What a person agreed to meanwhile is another consent, and stays.
        match self.table.delete(&key(lane), Condition::Equals("turn", grant.turn.into())).await {
            Err(TableError::Condition(_)) => {
                return Err(GrantError::Later("the access was changed at this moment".into()));
            }
            outcome => outcome?,
        }
        self.forget(lane);
        tracing::info!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, "a person's grant was taken back");
        Ok(true)
    }
}
