//! Persons and sessions in the table.
use crate::cookie::Cookie;
use crate::platform_token::SIGNED_IN_AT;
use crate::session::{Kept, Opened, SESSION_LIFE, Session};
use crate::sign_in::Projects;
use crate::{Identity, PeopleError, Person, PublicUrl, Role, Visitor, token};
use axum::http::HeaderMap;
use domain::ids::{ConnectionId, OrganizationId, PersonId, Provider};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::directory::Directory;
use store::table::{Query, get_as, item, read};
use store::{Condition, Key, Table, TableError, keys};

pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// `last_seen_at` moves at most this often.
const SEEN_NOTED_EACH: SignedDuration = SignedDuration::from_hours(1);
const MOST: usize = 1_000;

/// Everybody who may look, behind one handle that is cheap to clone.
#[derive(Clone)]
pub struct People {
    pub(crate) table: Arc<dyn Table>,
    pub(crate) clock: Clock,
    pub(crate) url: PublicUrl,
}

#[derive(Serialize, Deserialize)]
struct Pointer {
    person_id: PersonId,
}

impl People {
    pub fn new(table: Arc<dyn Table>, clock: Clock, url: PublicUrl) -> Self {
        Self { table, clock, url }
    }

    pub fn url(&self) -> &PublicUrl {
        &self.url
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub fn table(&self) -> &dyn Table {
        self.table.as_ref()
    }

    pub fn directory(&self) -> Directory<'_> {
        Directory(self.table())
    }

    // ---- persons

    pub async fn person(&self, organization: &OrganizationId, id: &PersonId) -> Result<Option<Person>, PeopleError> {
        Ok(get_as(self.table(), "a person", &keys::person(organization, id)).await?)
    }

    pub async fn people(&self, organization: &OrganizationId) -> Result<Vec<Person>, PeopleError> {
        let (pk, prefix) = keys::people(organization);
        let items = self.table.query(Query::prefix(pk, prefix, MOST)).await?;
        Ok(items.into_iter().map(|item| read("a person", item)).collect::<Result<_, _>>()?)
    }

    /// Someone new, whom no platform vouches for.
    pub async fn add(&self, organization: &OrganizationId, role: Role, label: &str) -> Result<Person, PeopleError> {
        let mut person = self.unnamed(organization, role, label)?;
        self.put(&mut person).await?;
        tracing::info!(organization_id = %organization, person_id = %person.id, role = role.as_str(), "a person was added");
        Ok(person)
    }

    fn unnamed(&self, organization: &OrganizationId, role: Role, label: &str) -> Result<Person, PeopleError> {
        let now = self.now();
        let ulid = token::fresh_ulid(now)?;
        Ok(Person {
            id: PersonId::new(ulid),
            organization_id: organization.clone(),
            role,
            label: label.to_owned(),
            identity: None,
            projects: None,
            created_at: now,
            last_seen_at: Some(now),
            version: 0,
        })
    }

    /// Creates or changes a person; conditional on the version read.
    pub async fn put(&self, person: &mut Person) -> Result<(), PeopleError> {
        let condition = match person.version {
            0 => Condition::Absent,
            version => Condition::Equals("version", version.into()),
        };
        person.version += 1;
        Ok(self.table.put(item(&keys::person(&person.organization_id, &person.id), person)?, condition).await?)
    }

    /// Whom a platform's user is here.
    pub async fn by_identity(
        &self,
        organization: &OrganizationId,
        identity: &Identity,
    ) -> Result<Option<Person>, PeopleError> {
        let key = keys::identity(organization, identity.provider, &identity.user_id);
        match get_as::<Pointer>(self.table(), "an identity", &key).await? {
            Some(pointer) => self.person(organization, &pointer.person_id).await,
            None => Ok(None),
        }
    }

    /// Where a platform's user is somebody already.
    pub async fn organizations_of(&self, identity: &Identity) -> Result<Vec<OrganizationId>, PeopleError> {
        let (pk, prefix) = keys::user_organizations(identity.provider, &identity.user_id);
        let found = self.table.query(Query::prefix(pk, prefix, MOST)).await?;
        let ids = found.iter().filter_map(|item| item.get("sk")?.as_str()?.strip_prefix(prefix));
        Ok(ids.filter_map(|id| id.parse().ok()).collect())
    }

    /// The person whom a platform vouches for: the one known by that identity; else `already` (who signed in here by a link
    /// and now at the platform too), who gets the identity; else someone new, with the role that nobody had to give them.
    /// A role is raised by this, never lowered: where `already` is another person, their role carries over, and what they see. `projects` is what
    /// they can list there; it limits who was not let in by a link.
    pub async fn vouched(
        &self,
        organization: &OrganizationId,
        identity: &Identity,
        label: &str,
        already: Option<Person>,
        projects: Projects,
    ) -> Result<Person, PeopleError> {
        let mut person = match (self.by_identity(organization, identity).await?, already) {
            (Some(mut known), already) => {
                // Whom a link let in sees what the link opens.
                if already.as_ref().is_some_and(|already| already.projects.is_none()) {
                    known.projects = None;
                }
                known.role = known.role.max(already.map_or(Role::Viewer, |already| already.role));
                if let Some(before) = known.projects.take() {
                    known.projects = Some(self.listed_now(organization, identity.provider, before, projects).await?);
                }
                known
            }
            (None, Some(already)) if already.identity.is_none() => already,
            (None, already) => {
                let role = already.map_or(Role::Viewer, |already| already.role);
                Person { projects: Some(projects), ..self.unnamed(organization, role, label)? }
            }
        };
        person.identity = Some(identity.clone());
        label.clone_into(&mut person.label);
        self.put(&mut person).await?;
        // After the person: a pointer always leads to somebody.
        let pointer = Pointer { person_id: person.id.clone() };
        for key in pointers(organization, identity) {
            self.table.put(item(&key, &pointer)?, Condition::Always).await?;
        }
        Ok(person)
    }

    /// What someone can list: of this platform what it says now, of others what was known.
    async fn listed_now(
        &self,
        organization: &OrganizationId,
        provider: Provider,
        mut known: Projects,
        listed: Projects,
    ) -> Result<Projects, PeopleError> {
        let connections = Directory(self.table()).connections(organization).await?;
        let others = connections.iter().filter(|connection| connection.provider != provider);
        let others: BTreeSet<&ConnectionId> = others.map(|connection| &connection.id).collect();
        known.retain(|id, _| others.contains(id));
        known.extend(listed);
        Ok(known)
    }

    pub async fn change_role(
        &self,
        organization: &OrganizationId,
        id: &PersonId,
        role: Role,
    ) -> Result<Option<Person>, PeopleError> {
        let Some(mut person) = self.person(organization, id).await? else { return Ok(None) };
        person.role = role;
        self.put(&mut person).await?;
        tracing::info!(organization_id = %organization, person_id = %id, role = role.as_str(), "a role was changed");
        Ok(Some(person))
    }

    /// Takes a person away: first the record, without which no session of theirs opens anything, then the rest.
    pub async fn remove(&self, organization: &OrganizationId, id: &PersonId) -> Result<bool, PeopleError> {
        let Some(person) = self.person(organization, id).await? else { return Ok(false) };
        self.table.delete(&keys::person(organization, id), Condition::Always).await?;
        if let Some(identity) = &person.identity {
            for key in pointers(organization, identity) {
                let ours = Condition::Equals("person_id", id.as_str().into());
                match self.table.delete(&key, ours).await {
                    Ok(()) | Err(TableError::Condition(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        for session in self.sessions(&person).await? {
            self.close(&session).await?;
        }
        for passkey in self.passkeys(&person).await? {
            self.remove_passkey(&person, &passkey.id).await?;
        }
        tracing::info!(organization_id = %organization, person_id = %id, "a person was removed");
        Ok(true)
    }

    // ---- sessions

    pub async fn open(&self, person: &Person) -> Result<Opened, PeopleError> {
        self.open_in(person, Cookie::Session, self.now() + SESSION_LIFE).await
    }

    pub(crate) async fn open_in(
        &self,
        person: &Person,
        cookie: Cookie,
        ends_at: Timestamp,
    ) -> Result<Opened, PeopleError> {
        let (text, csrf, now) = (token::fresh()?, token::fresh()?, self.now());
        let kept = Kept {
            organization_id: person.organization_id.clone(),
            person_id: person.id.clone(),
            csrf,
            created_at: now,
            ends_at,
            expires_at: ends_at.as_second(),
        };
        let id = token::hash(&text);
        let listing = keys::session_listing(&person.organization_id, &person.id, &id);
        self.table.put(item(&listing, &kept)?, Condition::Absent).await?;
        self.table.put(item(&keys::session(&id), &kept)?, Condition::Absent).await?;
        tracing::info!(organization_id = %person.organization_id, person_id = %person.id, "a session was opened");
        Ok(Opened {
            session: session(id, kept, person),
            set_cookie: cookie.set(&self.url, &text, ends_at.duration_since(now)),
        })
    }

    /// Who sends these headers, if anybody who is signed in.
    pub async fn visitor(&self, headers: &HeaderMap) -> Result<Option<Visitor>, PeopleError> {
        match Cookie::Session.read(&self.url, headers).filter(|text| token::plausible(text)) {
            Some(text) => self.visitor_by(token::hash(&text)).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn visitor_by(&self, id: String) -> Result<Option<Visitor>, PeopleError> {
        let Some(kept) = get_as::<Kept>(self.table(), "a session", &keys::session(&id)).await? else {
            return Ok(None);
        };
        if kept.ends_at <= self.now() {
            return Ok(None);
        }
        let Some(mut person) = self.person(&kept.organization_id, &kept.person_id).await? else { return Ok(None) };
        let now = self.now();
        if person.last_seen_at.is_none_or(|at| at + SEEN_NOTED_EACH <= now) {
            person.last_seen_at = Some(now);
            // A note for people: that it can't be written now is no reason to refuse the page.
            let mut noted = person.clone();
            match self.put(&mut noted).await {
                Ok(()) => person = noted,
                Err(error) => tracing::warn!(person_id = %person.id, error = %error, "a visit was not noted"),
            }
        }
        Ok(Some(Visitor { session: session(id, kept, &person), person }))
    }

    /// A person's sessions that have not ended.
    pub async fn sessions(&self, person: &Person) -> Result<Vec<Session>, PeopleError> {
        let (pk, prefix) = keys::session_listings(&person.organization_id, &person.id);
        let mut sessions = Vec::new();
        for found in self.table.query(Query::prefix(pk, prefix.as_str(), MOST)).await? {
            let id = found.get("sk").and_then(|sk| sk.as_str()?.strip_prefix(&prefix)).unwrap_or_default().to_owned();
            let kept: Kept = read("a session", found)?;
            if kept.ends_at > self.now() {
                sessions.push(session(id, kept, person));
            }
        }
        Ok(sessions)
    }

    /// Ends a session.
    pub async fn close(&self, session: &Session) -> Result<(), PeopleError> {
        self.end_session(&session.organization_id, &session.person_id, &session.id).await
    }

    /// Ends a session by its id: what lets in goes first.
    pub(crate) async fn end_session(
        &self,
        organization: &OrganizationId,
        person: &PersonId,
        id: &str,
    ) -> Result<(), PeopleError> {
        self.table.delete(&keys::session(id), Condition::Always).await?;
        for provider in SIGNED_IN_AT {
            self.table.delete(&keys::session_token(id, provider), Condition::Always).await?;
        }
        Ok(self.table.delete(&keys::session_listing(organization, person, id), Condition::Always).await?)
    }
}

/// By what a platform's user is found: within an organization, and the organizations they are somebody in.
fn pointers(organization: &OrganizationId, identity: &Identity) -> [Key; 2] {
    let Identity { provider, user_id } = identity;
    [keys::identity(organization, *provider, user_id), keys::user_organization(*provider, user_id, organization)]
}

fn session(id: String, kept: Kept, person: &Person) -> Session {
    Session {
        id,
        organization_id: kept.organization_id,
        person_id: kept.person_id,
        role: person.role,
        label: person.label.clone(),
        identity: person.identity.clone(),
        csrf: kept.csrf,
        created_at: kept.created_at,
        expires_at: kept.ends_at,
    }
}
