//! The access token of who signed in at a platform: kept with the session, sealed, for its remaining life, so that pages can
//! ask the platform what this person can list there. Never the refresh token: when it ends, the person signs in again.
use crate::{People, PeopleError, Session, Visitor};
use credentials::{Context, Secret, Vault};
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

fn context(session: &Session) -> Context {
    Context::new(&session.organization_id, "person-token").with("session", &session.id)
}

impl People {
    /// Keeps a token with a session that was just opened.
    pub async fn keep_platform_token(
        &self,
        vault: &dyn Vault,
        session: &Session,
        token: &Secret,
        ends_at: Timestamp,
    ) -> Result<(), PeopleError> {
        let ends_at = ends_at.min(session.expires_at);
        let sealed = vault.seal(&context(session), token).await?;
        let kept = Kept { sealed, ends_at, expires_at: ends_at.as_second() };
        Ok(self.table.put(item(&keys::session_token(&session.id), &kept)?, Condition::Always).await?)
    }

    /// Gives a session the token of another one of the same person.
    pub(crate) async fn copy_platform_token(
        &self,
        vault: &dyn Vault,
        from: &Session,
        to: &Session,
    ) -> Result<(), PeopleError> {
        match get_as::<Kept>(self.table(), "a session's token", &keys::session_token(&from.id)).await? {
            Some(kept) if kept.ends_at > self.now() => {
                let token = vault.open(&context(from), &kept.sealed).await?;
                self.keep_platform_token(vault, to, &token, kept.ends_at).await
            }
            _ => Ok(()),
        }
    }

    /// The token of the visitor's own session. `None`: they did not sign in at a platform, or too long ago: the page sends
    /// them to sign in there (again).
    pub async fn platform_token(&self, vault: &dyn Vault, visitor: &Visitor) -> Result<Option<Secret>, PeopleError> {
        let key = keys::session_token(&visitor.session.id);
        match get_as::<Kept>(self.table(), "a session's token", &key).await? {
            Some(kept) if kept.ends_at > self.now() => {
                Ok(Some(vault.open(&context(&visitor.session), &kept.sealed).await?))
            }
            _ => Ok(None),
        }
    }
}
