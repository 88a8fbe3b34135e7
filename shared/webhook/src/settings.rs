//! An endpoint as someone sets it (contracts 6.3), for the API and the pages alike: everything wrong is told at once.
use crate::guard::Guard;
use crate::names::Names;
use credentials::Secret;
use domain::fields::{Checks, Members};
use domain::ids::SiteId;
use domain::settings::check::{kinds, priority};
use domain::validate::FieldError;
use domain::webhook::{Format, Platform, Wants};
use serde_json::Value;
use std::collections::BTreeSet;
use url::{Host, Url};

const LONGEST_TOKEN: usize = 2_048;

/// What an endpoint is made of, and what may be changed of it. `organization_id` is for whoever may name one.
pub const MEMBERS: [&str; 10] = [
    "organization_id",
    "platform",
    "name",
    "url",
    "token",
    "site_ids",
    "min_priority",
    "kinds",
    "daily_summary",
    "format",
];
const CHANGEABLE: [&str; 9] =
    ["name", "url", "token", "site_ids", "min_priority", "kinds", "daily_summary", "format", "state"];

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct New {
    pub platform: Platform,
    pub name: String,
    pub url: Secret,
    pub token: Option<Secret>,
    pub wants: Wants,
    pub format: Format,
}

/// What is to change; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub url: Option<Secret>,
    /// `Some(None)`: no token any more.
    pub token: Option<Option<Secret>>,
    pub site_ids: Option<Option<Vec<SiteId>>>,
    pub min_priority: Option<u8>,
    pub kinds: Option<domain::settings::Kinds>,
    pub daily_summary: Option<bool>,
    pub format: Option<Format>,
    /// A disabled endpoint is tried again.
    pub activate: bool,
}

impl Change {
    pub fn apply(&self, wants: &mut Wants) {
        if let Some(site_ids) = &self.site_ids {
            wants.site_ids.clone_from(site_ids);
        }
        if let Some(kinds) = &self.kinds {
            wants.kinds.clone_from(kinds);
        }
        wants.min_priority = self.min_priority.unwrap_or(wants.min_priority);
        wants.daily_summary = self.daily_summary.unwrap_or(wants.daily_summary);
    }
}

/// Reads settings. `sites` are those of the organization that whoever sets it may name.
pub struct Reader<'a> {
    pub guard: &'a Guard,
    pub names: &'a dyn Names,
    pub sites: &'a BTreeSet<SiteId>,
}

impl Reader<'_> {
    pub async fn new_endpoint(&self, body: &Value) -> Result<New, Vec<FieldError>> {
        let mut checks = Checks::default();
        let Some(members) = Members::of(body, "", &MEMBERS, &mut checks) else {
            return Err(checks.done().err().unwrap_or_default());
        };
        let platform = members.required("platform", &mut checks).and_then(|_| platform(&members, &mut checks));
        let name = members.required_name("name", &mut checks);
        members.required("url", &mut checks);
        let change = self.members(&members, &mut checks).await;
        checks.done()?;
        let mut wants = Wants::default();
        change.apply(&mut wants);
        let missing = |name: &str| vec![FieldError { pointer: format!("/{name}"), detail: "is required".into() }];
        Ok(New {
            platform: platform.ok_or_else(|| missing("platform"))?,
            name: name.ok_or_else(|| missing("name"))?,
            url: change.url.ok_or_else(|| missing("url"))?,
            token: change.token.flatten(),
            wants,
            format: change.format.unwrap_or_default(),
        })
    }

    pub async fn change(&self, body: &Value) -> Result<Change, Vec<FieldError>> {
        let mut checks = Checks::default();
        let mut change = Change::default();
        if let Some(members) = Members::of(body, "", &CHANGEABLE, &mut checks) {
            change = self.members(&members, &mut checks).await;
            if members.get("name").is_some() {
                change.name = members.required_name("name", &mut checks);
            }
            if let Some(state) = members.given("state") {
                change.activate = state.as_str() == Some("active");
                if !change.activate {
                    let detail = "can be set to `active` only, which tries a disabled endpoint again";
                    checks.fail(members.pointer("state"), detail);
                }
            }
        }
        checks.done()?;
        Ok(change)
    }

    async fn members(&self, members: &Members<'_>, checks: &mut Checks) -> Change {
        Change {
            name: None,
            url: self.url(members, checks).await,
            token: token(members, checks),
            site_ids: self.site_ids(members, checks),
            min_priority: members
                .given("min_priority")
                .and_then(|value| priority(value, &members.pointer("min_priority"), checks)),
            kinds: members.given("kinds").and_then(|value| kinds(value, &members.pointer("kinds"), checks)),
            daily_summary: daily_summary(members, checks),
            format: format(members, checks),
            activate: false,
        }
    }

    /// As entered, and where its name leads to at this moment.
    async fn url(&self, members: &Members<'_>, checks: &mut Checks) -> Option<Secret> {
        members.given("url")?;
        let text = members.required_text("url", checks)?;
        match self.reachable(text).await {
            Ok(url) => Some(Secret::new(url)),
            Err(refusal) => {
                checks.fail(members.pointer("url"), refusal.to_string());
                None
            }
        }
    }

    async fn reachable(&self, text: &str) -> Result<Url, crate::Refusal> {
        let url = self.guard.check(text)?;
        if let Some(Host::Domain(host)) = url.host() {
            match self.guard.addresses(self.names, host).await {
                // A developer's machine may be offline; what is sent there fails with these words.
                Err(crate::Refusal::Unknown) if self.guard.allows_private() => {}
                found => drop(found?),
            }
        }
        Ok(url)
    }

    fn site_ids(&self, members: &Members<'_>, checks: &mut Checks) -> Option<Option<Vec<SiteId>>> {
        if members.get("site_ids")?.is_null() {
            return Some(None);
        }
        members.site_ids(self.sites, checks).map(Some)
    }
}

fn platform(members: &Members<'_>, checks: &mut Checks) -> Option<Platform> {
    let given = members.given("platform").and_then(Value::as_str);
    let found = Platform::ALL.into_iter().find(|platform| Some(platform.as_str()) == given);
    if found.is_none() {
        checks.fail(members.pointer("platform"), "must be trimble_connect, fieldwire or own");
    }
    found
}

fn format(members: &Members<'_>, checks: &mut Checks) -> Option<Format> {
    let given = members.given("format")?.as_str();
    let found = Format::ALL.into_iter().find(|format| Some(format.as_str()) == given);
    if found.is_none() {
        checks.fail(members.pointer("format"), "must be cloudevents, json or teams");
    }
    found
}

fn daily_summary(members: &Members<'_>, checks: &mut Checks) -> Option<bool> {
    let given = members.given("daily_summary")?.as_bool();
    if given.is_none() {
        checks.fail(members.pointer("daily_summary"), "must be true or false");
    }
    given
}

/// As it stands in a header.
fn token(members: &Members<'_>, checks: &mut Checks) -> Option<Option<Secret>> {
    if members.get("token")?.is_null() {
        return Some(None);
    }
    let text = members.required_text("token", checks)?;
    let fits = (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        checks.fail(members.pointer("token"), "must have 1 to 2,048 letters, digits and signs, without blanks");
    }
    fits.then(|| Some(Secret::new(text)))
}
