//! Procore's frame has cookies of its own, so a session opened in a window of its own is not seen there. The window hands its
//! opener a one-time code, and the frame takes over with it: a session of its own for the same person, which ends when the first one does.
use crate::cookie::Cookie;
use crate::{Opened, People, PeopleError, Visitor, token};
use credentials::Vault;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::table::{get_as, item};
use store::{Condition, TableError, keys};

/// From one window to another on the same screen.
pub const HAND_OVER_FOR: SignedDuration = SignedDuration::from_mins(1);

#[derive(Serialize, Deserialize)]
struct Kept {
    session: String,
    ends_at: Timestamp,
    expires_at: i64,
}

impl People {
    /// A code for the session of this visitor.
    pub async fn hand_over(&self, visitor: &Visitor) -> Result<String, PeopleError> {
        let (code, ends_at) = (token::fresh()?, self.now() + HAND_OVER_FOR);
        let kept = Kept { session: visitor.session.id.clone(), ends_at, expires_at: ends_at.as_second() };
        self.table.put(item(&keys::hand_over(&token::hash(&code)), &kept)?, Condition::Absent).await?;
        Ok(code)
    }

    /// Opens a session by a code, with what the first one may ask the platform with. `None`: unknown, used, too old, or the
    /// first session has ended.
    pub async fn take_over(&self, vault: &dyn Vault, code: &str) -> Result<Option<Opened>, PeopleError> {
        if !token::plausible(code) {
            return Ok(None);
        }
        let key = keys::hand_over(&token::hash(code));
        let Some(kept) = get_as::<Kept>(self.table(), "a hand-over", &key).await? else { return Ok(None) };
        match self.table.delete(&key, Condition::Equals("session", kept.session.clone().into())).await {
            Ok(()) => {}
            Err(TableError::Condition(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if kept.ends_at <= self.now() {
            return Ok(None);
        }
        let Some(first) = self.visitor_by(kept.session).await? else { return Ok(None) };
        // Not a day of its own: else one sign-in, handed over again and again, would never be asked of the platform again.
        let opened = self.open_in(&first.person, Cookie::FrameSession, first.session.expires_at).await?;
        self.copy_platform_tokens(vault, &first.session, &opened.session).await?;
        Ok(Some(opened))
    }
}
