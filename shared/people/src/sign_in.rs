//! A sign-in at a platform, under way. What stands in `state` is a random text; all it means is kept here, bound to the browser
//! that began by a cookie, good once and for minutes. A second sign-in in another tab of the same browser disturbs none.
use crate::cookie::Cookie;
use crate::{Identity, People, PeopleError, Person, Visitor, token};
use axum::http::{HeaderMap, HeaderValue};
use domain::ids::{ConnectionId, OrganizationId, PersonId, Provider};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};
use store::table::{get_as, item};
use store::{Condition, Key, TableError, keys};

/// A person needs so long at most to log in at the platform and to agree.
pub const UNDER_WAY_FOR: SignedDuration = SignedDuration::from_mins(15);
/// And so long to choose an organization.
pub const CHOICE_FOR: SignedDuration = SignedDuration::from_mins(10);

/// The mapped projects that a person can list, by connection.
pub type Projects = BTreeMap<ConnectionId, BTreeSet<String>>;

/// A sign-in that somebody began here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnderWay {
    pub provider: Provider,
    /// A path of ours to go to afterwards.
    pub next: String,
    /// Who was signed in here already: the identity becomes theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already: Option<Already>,
    /// The connection that is to work with the person's consent, where it is asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Already {
    pub organization_id: OrganizationId,
    pub person_id: PersonId,
    pub session: String,
}

/// What the browser is sent away with.
#[derive(Debug)]
pub struct Begun {
    pub state: String,
    pub set_cookie: HeaderValue,
}

/// Why an answer that came back counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOurs {
    /// Never begun here, or ended already.
    Unknown,
    TooOld,
    /// Begun in another browser: perhaps somebody's trick, so it is left as it is.
    OtherBrowser,
}

/// Who signed in, with the organizations that they may enter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub identity: Identity,
    pub label: String,
    pub next: String,
    pub organizations: Vec<(OrganizationId, Projects)>,
    /// The platform's access token, sealed; see `oauth-callback`.
    pub sealed_token: String,
    pub token_ends_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Bound<T> {
    #[serde(flatten)]
    value: T,
    /// Hash of the browser's cookie.
    browser: String,
    ends_at: Timestamp,
    expires_at: i64,
}

impl People {
    /// Notes a sign-in that begins in this browser.
    pub async fn begin_sign_in(
        &self,
        headers: &HeaderMap,
        provider: Provider,
        next: &str,
        visitor: Option<&Visitor>,
        connection: Option<ConnectionId>,
    ) -> Result<Begun, PeopleError> {
        let already = visitor.map(|visitor| Already {
            organization_id: visitor.session.organization_id.clone(),
            person_id: visitor.person.id.clone(),
            session: visitor.session.id.clone(),
        });
        let under_way = UnderWay { provider, next: crate::local(next).to_owned(), already, connection };
        let browser = self.browser(headers)?;
        let state = token::fresh()?;
        self.bind(&keys::sign_in(&token::hash(&state)), &browser, under_way, UNDER_WAY_FOR).await?;
        Ok(Begun { state, set_cookie: Cookie::SignIn.set(&self.url, &browser, UNDER_WAY_FOR) })
    }

    /// Takes the sign-in that a `state` stands for. It can be taken once.
    pub async fn end_sign_in(
        &self,
        headers: &HeaderMap,
        state: &str,
    ) -> Result<Result<UnderWay, NotOurs>, PeopleError> {
        self.take(headers, state, keys::sign_in).await
    }

    /// Lets a person choose among organizations; gives the code for the page's form.
    pub async fn offer_choice(&self, headers: &HeaderMap, choice: Choice) -> Result<String, PeopleError> {
        let browser = Cookie::SignIn.read(&self.url, headers).unwrap_or_default();
        let code = token::fresh()?;
        self.bind(&keys::choice(&token::hash(&code)), &browser, choice, CHOICE_FOR).await?;
        Ok(code)
    }

    pub async fn take_choice(&self, headers: &HeaderMap, code: &str) -> Result<Result<Choice, NotOurs>, PeopleError> {
        self.take(headers, code, keys::choice).await
    }

    /// The text by which this browser is known, or a new one.
    pub(crate) fn browser(&self, headers: &HeaderMap) -> Result<String, PeopleError> {
        match Cookie::SignIn.read(&self.url, headers).filter(|text| token::plausible(text)) {
            Some(known) => Ok(known),
            None => token::fresh(),
        }
    }

    pub(crate) async fn bind(
        &self,
        key: &Key,
        browser: &str,
        value: impl Serialize,
        life: SignedDuration,
    ) -> Result<(), PeopleError> {
        let ends_at = self.now() + life;
        let bound = Bound { value, browser: token::hash(browser), ends_at, expires_at: ends_at.as_second() };
        Ok(self.table.put(item(key, &bound)?, Condition::Absent).await?)
    }

    pub(crate) async fn take<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        text: &str,
        key: impl Fn(&str) -> Key,
    ) -> Result<Result<T, NotOurs>, PeopleError> {
        if !token::plausible(text) {
            return Ok(Err(NotOurs::Unknown));
        }
        let key = key(&token::hash(text));
        let Some(bound) = get_as::<Bound<T>>(self.table(), "a sign-in under way", &key).await? else {
            return Ok(Err(NotOurs::Unknown));
        };
        let browser = Cookie::SignIn.read(&self.url, headers).map(|text| token::hash(&text));
        if !browser.is_some_and(|browser| token::same(&browser, &bound.browser)) {
            return Ok(Err(NotOurs::OtherBrowser));
        }
        // Of two answers at once, one takes it.
        match self.table.delete(&key, Condition::Equals("browser", bound.browser.into())).await {
            Ok(()) if bound.ends_at <= self.now() => Ok(Err(NotOurs::TooOld)),
            Ok(()) => Ok(Ok(bound.value)),
            Err(TableError::Condition(_)) => Ok(Err(NotOurs::Unknown)),
            Err(error) => Err(error.into()),
        }
    }

    /// The person who began, if they are still somebody there.
    pub async fn who_began(&self, already: &Already) -> Result<Option<Person>, PeopleError> {
        self.person(&already.organization_id, &already.person_id).await
    }

    /// Ends the session in which a sign-in began, now that there is a new one; and where a link's person turned out to be
    /// somebody known, ends that person: nobody is here twice.
    pub async fn merge(&self, already: &Already, into: &Person) -> Result<(), PeopleError> {
        self.end_session(&already.organization_id, &already.person_id, &already.session).await?;
        let same_place = already.organization_id == into.organization_id && already.person_id != into.id;
        match self.who_began(already).await?.filter(|person| same_place && person.identity.is_none()) {
            Some(double) => self.remove(&double.organization_id, &double.id).await.map(drop),
            None => Ok(()),
        }
    }
}
