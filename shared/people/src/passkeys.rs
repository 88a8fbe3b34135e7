//! Passkeys: how people whom a link let in sign in again. Who signs in at a platform has none here: at each sign-in the platform
//! says what they may see, and a passkey would go on without asking it.
use crate::cookie::Cookie;
use crate::relying_party::{Asked, Credential, RelyingParty, credential_id, synced};
use crate::sign_in::UNDER_WAY_FOR;
use crate::{Opened, People, PeopleError, Person, Visitor, token};
use axum::http::{HeaderMap, HeaderValue};
use domain::ids::{OrganizationId, PersonId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::table::{Query, get_as, item, read};
use store::{Condition, TableError, keys};

/// From the question to the browser until its answer.
pub const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(5);
pub const MOST_PASSKEYS: usize = 10;

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Passkey {
    /// SHA-256 of the credential's id.
    pub id: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// Whether it can be on several devices of its owner.
    pub synced: bool,
}

/// What the browser is asked. The answer names `state`, and comes with the cookie.
#[derive(Debug)]
pub struct Question {
    pub state: String,
    pub options: Value,
    pub set_cookie: HeaderValue,
}

/// Why a passkey was not added, or lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyRefusal {
    #[error("This took too long, or was begun in another browser. Load the page again and press the button once more.")]
    NotOurs,
    #[error("What your browser sent could not be read. Load the page again; if it happens again, use another browser.")]
    Unreadable,
    #[error(
        "The passkey could not be checked, so nothing was changed. Press the button once more and confirm with your \
         fingerprint, face or PIN; if it happens again, ask a manager of your organization for an invitation."
    )]
    NotProven,
    #[error(
        "This passkey is not known here; perhaps it was removed. Delete it on your device, and ask a manager of your \
         organization for an invitation."
    )]
    Unknown,
    #[error("This account signs in with Procore, which says each time what it may see. Press Sign in with Procore.")]
    AtPlatform,
    #[error("This passkey was added before. Use it to sign in, or choose another device.")]
    Known,
    #[error("An account has up to 10 passkeys. Remove one that you no longer use, then add this one.")]
    TooMany,
    #[error("Passkeys do not work at this address. Open HardHat Pulse by its name, not by a number.")]
    NoDomain,
}

/// A passkey about to be added, in one session.
#[derive(Serialize, Deserialize)]
struct Adding {
    session: String,
    kept: String,
}

#[derive(Serialize, Deserialize)]
struct SigningIn {
    kept: String,
}

#[derive(Serialize, Deserialize)]
struct Owner {
    organization_id: OrganizationId,
    person_id: PersonId,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    credential_id: String,
    transports: u8,
    public_key: String,
    state: String,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
}

impl Kept {
    fn credential(&self) -> Credential {
        Credential {
            id: self.credential_id.clone(),
            transports: self.transports,
            public_key: self.public_key.clone(),
            state: self.state.clone(),
        }
    }
}

impl Person {
    /// Whether a passkey may let them in: nobody else must be asked what they may see.
    pub fn may_have_passkeys(&self) -> bool {
        self.projects.is_none()
    }
}

impl People {
    /// Whether passkeys work at our address at all.
    pub fn offers_passkeys(&self) -> bool {
        self.url.domain().is_some()
    }

    pub async fn passkeys(&self, person: &Person) -> Result<Vec<Passkey>, PeopleError> {
        let mut found = Vec::new();
        for kept in self.kept_passkeys(person).await? {
            let Kept { credential_id, state, created_at, last_used_at, .. } = kept;
            found.push(Passkey { id: token::hash(&credential_id), synced: synced(&state)?, created_at, last_used_at });
        }
        found.sort_by_key(|passkey| passkey.created_at);
        Ok(found)
    }

    async fn kept_passkeys(&self, person: &Person) -> Result<Vec<Kept>, PeopleError> {
        let (pk, prefix) = keys::passkeys(&person.organization_id, &person.id);
        let items = self.table.query(Query::prefix(pk, prefix, MOST_PASSKEYS * 2)).await?;
        Ok(items.into_iter().map(|item| read("a passkey", item)).collect::<Result<_, _>>()?)
    }

    /// Asks this browser for a new passkey of the visitor; `name` is what it shows with it.
    pub async fn ask_for_passkey(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
        name: &str,
    ) -> Result<Result<Question, PasskeyRefusal>, PeopleError> {
        if !visitor.person.may_have_passkeys() {
            return Ok(Err(PasskeyRefusal::AtPlatform));
        }
        let Some(party) = RelyingParty::new(&self.url) else { return Ok(Err(PasskeyRefusal::NoDomain)) };
        let known: Vec<Credential> = self.kept_passkeys(&visitor.person).await?.iter().map(Kept::credential).collect();
        if known.len() >= MOST_PASSKEYS {
            return Ok(Err(PasskeyRefusal::TooMany));
        }
        let Asked { options, kept } = party.ask_to_add(&visitor.person, name, &known)?;
        let (state, browser) = (token::fresh()?, self.browser(headers)?);
        let adding = Adding { session: visitor.session.id.clone(), kept };
        self.bind(&keys::passkey_adding(&token::hash(&state)), &browser, adding, ANSWER_WITHIN).await?;
        Ok(Ok(self.question(state, options, &browser)))
    }

    fn question(&self, state: String, options: Value, browser: &str) -> Question {
        // As long as other sign-ins of this browser need it.
        Question { state, options, set_cookie: Cookie::SignIn.set(&self.url, browser, UNDER_WAY_FOR) }
    }

    /// Keeps a passkey that the browser made for the visitor.
    pub async fn add_passkey(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
        state: &str,
        answer: &str,
    ) -> Result<Result<(), PasskeyRefusal>, PeopleError> {
        let adding = match self.take::<Adding>(headers, state, keys::passkey_adding).await? {
            Ok(adding) if token::same(&adding.session, &visitor.session.id) => adding,
            _ => return Ok(Err(PasskeyRefusal::NotOurs)),
        };
        // What was so at the question need not be so any more.
        let person = &visitor.person;
        if !person.may_have_passkeys() {
            return Ok(Err(PasskeyRefusal::AtPlatform));
        }
        let Some(party) = RelyingParty::new(&self.url) else { return Ok(Err(PasskeyRefusal::NoDomain)) };
        let Credential { id, transports, public_key, state } = match party.added(&adding.kept, answer)? {
            Ok(credential) => credential,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if self.kept_passkeys(person).await?.len() >= MOST_PASSKEYS {
            return Ok(Err(PasskeyRefusal::TooMany));
        }
        let hash = token::hash(&id);
        let created_at = self.now();
        let kept = Kept { credential_id: id, transports, public_key, state, created_at, last_used_at: None };
        let owner = Owner { organization_id: person.organization_id.clone(), person_id: person.id.clone() };
        let puts = vec![
            (item(&keys::passkey_owner(&hash), &owner)?, Condition::Absent),
            (item(&keys::passkey(&person.organization_id, &person.id, &hash), &kept)?, Condition::Absent),
        ];
        match self.table.put_together(puts).await {
            Ok(()) => {}
            Err(TableError::Condition(_)) => return Ok(Err(PasskeyRefusal::Known)),
            Err(error) => return Err(error.into()),
        }
        tracing::info!(organization_id = %person.organization_id, person_id = %person.id, "a passkey was added");
        Ok(Ok(()))
    }

    /// Asks this browser for any passkey of ours.
    pub async fn ask_to_sign_in(&self, headers: &HeaderMap) -> Result<Result<Question, PasskeyRefusal>, PeopleError> {
        let Some(party) = RelyingParty::new(&self.url) else { return Ok(Err(PasskeyRefusal::NoDomain)) };
        let Asked { options, kept } = party.ask_to_sign_in()?;
        let (state, browser) = (token::fresh()?, self.browser(headers)?);
        let key = keys::passkey_sign_in(&token::hash(&state));
        self.bind(&key, &browser, SigningIn { kept }, ANSWER_WITHIN).await?;
        Ok(Ok(self.question(state, options, &browser)))
    }

    /// Opens a session for the owner of the passkey that answered.
    pub async fn sign_in_by_passkey(
        &self,
        headers: &HeaderMap,
        state: &str,
        answer: &str,
    ) -> Result<Result<Opened, PasskeyRefusal>, PeopleError> {
        let Ok(SigningIn { kept: asked }) = self.take(headers, state, keys::passkey_sign_in).await? else {
            return Ok(Err(PasskeyRefusal::NotOurs));
        };
        let Some(party) = RelyingParty::new(&self.url) else { return Ok(Err(PasskeyRefusal::NoDomain)) };
        let Some(id) = credential_id(answer) else { return Ok(Err(PasskeyRefusal::Unreadable)) };
        let hash = token::hash(&id);
        let Some((person, mut kept)) = self.owner_of(&hash).await? else { return Ok(Err(PasskeyRefusal::Unknown)) };
        let state = match party.proven(&asked, answer, &person, &kept.credential())? {
            Ok(state) => state,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !person.may_have_passkeys() {
            return Ok(Err(PasskeyRefusal::AtPlatform));
        }
        // Of two uses with one counter, one counts; and one that was removed meanwhile stays so.
        let before = Condition::Equals("state", std::mem::replace(&mut kept.state, state).into());
        kept.last_used_at = Some(self.now());
        let key = keys::passkey(&person.organization_id, &person.id, &hash);
        match self.table.put(item(&key, &kept)?, before).await {
            Ok(()) => Ok(Ok(self.open(&person).await?)),
            Err(TableError::Condition(_)) => Ok(Err(PasskeyRefusal::NotProven)),
            Err(error) => Err(error.into()),
        }
    }

    async fn owner_of(&self, hash: &str) -> Result<Option<(Person, Kept)>, PeopleError> {
        let owner = get_as::<Owner>(self.table(), "a passkey's owner", &keys::passkey_owner(hash)).await?;
        let Some(Owner { organization_id, person_id }) = owner else { return Ok(None) };
        let key = keys::passkey(&organization_id, &person_id, hash);
        let Some(kept) = get_as(self.table(), "a passkey", &key).await? else { return Ok(None) };
        Ok(self.person(&organization_id, &person_id).await?.map(|person| (person, kept)))
    }

    /// Takes a passkey away; `false` if the person has none of this id. What lets in goes first.
    pub async fn remove_passkey(&self, person: &Person, id: &str) -> Result<bool, PeopleError> {
        let key = keys::passkey(&person.organization_id, &person.id, id);
        if self.table.get(&key).await?.is_none() {
            return Ok(false);
        }
        let theirs = Condition::Equals("person_id", person.id.as_str().into());
        match self.table.delete(&keys::passkey_owner(id), theirs).await {
            Ok(()) | Err(TableError::Condition(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.table.delete(&key, Condition::Always).await?;
        tracing::info!(organization_id = %person.organization_id, person_id = %person.id, "a passkey was removed");
        Ok(true)
    }
}
