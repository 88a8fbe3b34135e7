//! The access token of who signed in at a platform: kept with the session, sealed, for its remaining life, so that pages can
//! ask the platform what this person can list there. Never the refresh token: when it ends, the person signs in again.
use crate::{People, PeopleError, Session, Visitor};
use credentials::{Context, Secret, Vault};
use domain::ids::Provider;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::table::{get_as, item};
use store::{Condition, keys};

#[derive(Serialize, Deserialize)]
struct Kept {
    sealed: String,
    ends_at: Timestamp,
    expires_at: i64,
}

/// Where a session may have a token.
pub(crate) const SIGNED_IN_AT: [Provider; 2] = [Provider::Procore, Provider::Acc];

fn context(session: &Session, provider: Provider) -> Context {
    let what = match provider {
        Provider::Procore => "person-token",
        Provider::Acc | Provider::Webhook => "person-token-autodesk",
    };
    Context::new(&session.organization_id, what).with("session", &session.id)
}

impl People {
    /// Keeps a token with a session that was just opened.
    pub async fn keep_platform_token(
        &self,
        vault: &dyn Vault,
        session: &Session,
        provider: Provider,
        token: &Secret,
        ends_at: Timestamp,
    ) -> Result<(), PeopleError> {
        let ends_at = ends_at.min(session.expires_at);
        let sealed = vault.seal(&context(session, provider), token).await?;
        let kept = Kept { sealed, ends_at, expires_at: ends_at.as_second() };
        Ok(self.table.put(item(&keys::session_token(&session.id, provider), &kept)?, Condition::Always).await?)
    }

    /// Gives a session the tokens of another one of the same person.
    pub(crate) async fn copy_platform_tokens(
        &self,
        vault: &dyn Vault,
        from: &Session,
        to: &Session,
    ) -> Result<(), PeopleError> {
        for provider in SIGNED_IN_AT {
            if let Some((token, ends_at)) = self.kept_token(vault, from, provider).await? {
                self.keep_platform_token(vault, to, provider, &token, ends_at).await?;
            }
        }
        Ok(())
    }

    async fn kept_token(
        &self,
        vault: &dyn Vault,
        session: &Session,
        provider: Provider,
    ) -> Result<Option<(Secret, Timestamp)>, PeopleError> {
        let key = keys::session_token(&session.id, provider);
        match get_as::<Kept>(self.table(), "a session's token", &key).await? {
            Some(kept) if kept.ends_at > self.now() => {
                Ok(Some((vault.open(&context(session, provider), &kept.sealed).await?, kept.ends_at)))
            }
            _ => Ok(None),
        }
    }

    /// The token of the visitor's own session. `None`: they did not sign in at the platform, or too long ago: the page sends
    /// them to sign in there (again).
    pub async fn platform_token(
        &self,
        vault: &dyn Vault,
        visitor: &Visitor,
        provider: Provider,
    ) -> Result<Option<Secret>, PeopleError> {
        Ok(self.kept_token(vault, &visitor.session, provider).await?.map(|(token, _)| token))
    }
}
