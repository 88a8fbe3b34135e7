//! Links that let one person in: a setup link (from the operator; makes a manager) and an invite link (from a manager; makes a
//! manager or viewer). Each is good once and for some days. Opening one by GET changes nothing, so a mail scanner or a chat's
//! preview does not burn it; its button does.
use crate::{People, PeopleError, Person, Role, token};
use domain::ids::{OrganizationId, PersonId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::table::{get_as, item, read};
use store::{Condition, TableError, keys};

pub const SETUP_LINK_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A used link is remembered for so long, to say that it was used.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub organization_id: OrganizationId,
    pub role: Role,
    /// What the person is called on the page of people.
    pub label: String,
    /// Who invited; a setup link comes from the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<PersonId>,
    pub created_at: Timestamp,
    pub ends_at: Timestamp,
    #[serde(default)]
    pub used: bool,
    expires_at: i64,
}

/// A link just made. Its secret stands only here.
#[derive(Debug)]
pub struct Made {
    pub url: String,
    pub link: Link,
}

/// What a link is good for at the moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    Good(Link),
    Used,
    Expired,
    Unknown,
}

impl People {
    pub async fn make_link(
        &self,
        organization: &OrganizationId,
        role: Role,
        label: &str,
        invited_by: Option<&PersonId>,
    ) -> Result<Made, PeopleError> {
        let (secret, now) = (token::fresh()?, self.now());
        let ends_at = now + SETUP_LINK_LIFE;
        let link = Link {
            organization_id: organization.clone(),
            role,
            label: label.to_owned(),
            invited_by: invited_by.cloned(),
            created_at: now,
            ends_at,
            used: false,
            expires_at: (ends_at + REMEMBERED).as_second(),
        };
        self.table.put(item(&keys::entry_link(&token::hash(&secret)), &link)?, Condition::Absent).await?;
        tracing::info!(organization_id = %organization, role = role.as_str(), "a link to sign in was made");
        Ok(Made { url: self.url.at(&format!("/sign-in/link/{secret}")), link })
    }

    pub async fn link(&self, secret: &str) -> Result<Standing, PeopleError> {
        if !token::plausible(secret) {
            return Ok(Standing::Unknown);
        }
        let found = get_as::<Link>(self.table(), "a link", &keys::entry_link(&token::hash(secret))).await?;
        Ok(found.map_or(Standing::Unknown, |link| self.standing(link)))
    }

    fn standing(&self, link: Link) -> Standing {
        match link.used {
            true => Standing::Used,
            false if link.ends_at <= self.now() => Standing::Expired,
            false => Standing::Good(link),
        }
    }

    /// Uses a link up. Of two who press at once, one gets in. The link is burnt before the person is made: a crash between
    /// costs a new link, never a second person.
    pub async fn use_link(&self, secret: &str) -> Result<Result<Person, Standing>, PeopleError> {
        let mut link = match self.link(secret).await? {
            Standing::Good(link) => link,
            other => return Ok(Err(other)),
        };
        link.used = true;
        let key = keys::entry_link(&token::hash(secret));
        match self.table.put(item(&key, &link)?, Condition::Equals("used", false.into())).await {
            Ok(()) => Ok(Ok(self.add(&link.organization_id, link.role, &link.label).await?)),
            Err(TableError::Condition(standing)) => {
                let standing = standing.map(|item| read("a link", item)).transpose()?;
                Ok(Err(standing.map_or(Standing::Unknown, |link| self.standing(link))))
            }
            Err(error) => Err(error.into()),
        }
    }
}
