//! The client: with which service account's token a call goes to Autodesk, and in which region's header.
use crate::assertion;
use crate::errors::{AccManners, not_granted, refused_credentials, without_credentials};
use crate::rates;
use crate::request::{Request, Tool};
use async_trait::async_trait;
use credentials::{Parameters, Secret};
use domain::autodesk::Region;
use grants::{Grants, ServiceAccount, ServiceAccounts};
use jiff::Timestamp;
use platform::lists::As;
use platform::{
    Answer, Bearer, Broken, CredentialError, CredentialSource, Credentials, Issuer, Manners, ParameterCredentials,
    Reply, SetupError, Timeouts, Tokens, Wire, host,
};
use reqwest::{Client, RequestBuilder};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::Table;
use store::lanes::LaneId;
use sync::app_limit::{AppLimit, TableLimit};
use sync::budget::Admission;
use sync::target::{Block, Call, TargetError};

/// Where Autodesk itself is, and where its people read issues; a sandbox has both under one address.
const PRODUCTION: &str = "https://developer.api.autodesk.com";
const PAGES: &str = "https://acc.autodesk.com";
const PAGES_EMEA: &str = "https://acc.autodesk.eu";
pub(crate) const TOKEN_PATH: &str = "/authentication/v2/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// `data:create` makes hooks, `account:read` lists projects with their time zones.
pub(crate) const SCOPES: [&str; 4] = ["data:read", "data:write", "data:create", "account:read"];

/// Where Autodesk Platform Services are: production, or a sandbox.
#[derive(Debug, Clone)]
pub struct Hosts {
    aps: String,
    profiles: String,
}

impl Hosts {
    /// From the template's `ApsUrl`.
    pub fn new(aps_url: &str) -> Result<Self, SetupError> {
        let aps = host("ApsUrl", aps_url)?;
        Ok(Self { profiles: aps.clone(), aps })
    }

    /// Who a person is says another host, the template's `AutodeskProfileUrl`.
    pub fn with_profiles(self, profile_url: &str) -> Result<Self, SetupError> {
        Ok(Self { profiles: host("AutodeskProfileUrl", profile_url)?, ..self })
    }

    pub(crate) fn aps(&self) -> &str {
        &self.aps
    }

    /// Where an account's people read its issues.
    pub(crate) fn pages(&self, region: Region) -> &str {
        match (self.aps.as_str(), region) {
            (PRODUCTION, Region::Emea) => PAGES_EMEA,
            (PRODUCTION, _) => PAGES,
            (sandbox, _) => sandbox,
        }
    }
}

/// Autodesk allows 100 to an app, whoever its customers are; clocks of our processes differ.
const FORMS_A_MINUTE: u32 = 90;

/// The client: one per process.
pub struct Acc {
    wire: Wire,
    hosts: Hosts,
    app: Arc<dyn CredentialSource>,
    accounts: Arc<dyn ServiceAccounts>,
    grants: Option<Arc<dyn Grants>>,
    /// What all customers' calls of Forms share.
    forms: Option<Arc<dyn AppLimit>>,
    /// By whose they are.
    tokens: Mutex<BTreeMap<Whose, Arc<Tokens>>>,
}

/// The lane, and the region: which service account serves them may change, but is one at a time. A token that a lane got is no
/// other's, whatever the accounts say.
type Whose = (Option<LaneId>, Region);

impl Acc {
    pub fn new(
        hosts: Hosts,
        app: Arc<dyn CredentialSource>,
        accounts: Arc<dyn ServiceAccounts>,
    ) -> Result<Self, SetupError> {
        Self::with_timeouts(hosts, app, accounts, Timeouts::default())
    }

    /// The app of a deployment: its OAuth client stands among the stack's parameters.
    pub fn of_stack<P: Parameters + 'static>(
        hosts: Hosts,
        parameters: Arc<P>,
        stack: &str,
        accounts: Arc<dyn ServiceAccounts>,
    ) -> Result<Self, SetupError> {
        let client_id = format!("/{stack}/aps/client-id");
        let client_secret = format!("/{stack}/aps/client-secret");
        Self::new(hosts, Arc::new(ParameterCredentials { parameters, client_id, client_secret }), accounts)
    }

    pub fn with_timeouts(
        hosts: Hosts,
        app: Arc<dyn CredentialSource>,
        accounts: Arc<dyn ServiceAccounts>,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let wire = Wire::new(timeouts, rates::answered)?;
        Ok(Self { wire, hosts, app, accounts, grants: None, forms: None, tokens: Mutex::default() })
    }

    /// Connections that work with a person's grant use that person's token, all others a service account's.
    pub fn with_grants(self, grants: Arc<dyn Grants>) -> Self {
        Self { grants: Some(grants), ..self }
    }

    /// The grant of whose lane it is, if it works with one.
    async fn granted(&self, call: Call<'_>, refused: Option<&Secret>) -> Result<Option<Secret>, TargetError> {
        let (Some(grants), Some(lane)) = (&self.grants, call.meter.lane()) else { return Ok(None) };
        grants.token(lane, self, refused, call.meter.now()).await.map_err(not_granted)
    }

    /// Whether a lane works with a person's grant.
    pub(crate) async fn by_consent(&self, call: Call<'_>) -> Result<bool, TargetError> {
        Ok(self.granted(call, None).await?.is_some())
    }

    /// Takes back the grant that a lane works with, if it works with one.
    pub(crate) async fn let_go(&self, call: Call<'_>) -> Result<(), TargetError> {
        if let (Some(grants), Some(lane)) = (&self.grants, call.meter.lane()) {
            grants.revoke(lane, self, call.meter.now()).await.map_err(not_granted)?;
        }
        Ok(())
    }

    /// In whose name the lane works, and worked before as far as is known: what it makes and says bears one of these ids, now the first.
    pub(crate) async fn own_ids(&self, call: Call<'_>, region: Region) -> Result<Vec<String>, TargetError> {
        let person = match (&self.grants, call.meter.lane()) {
            (Some(grants), Some(lane)) => grants.user_id(lane).await.map_err(not_granted)?,
            _ => None,
        };
        let account = self.account(call, region).await.map(|account| account.id);
        match (person, account) {
            (None, account) => Ok(vec![account?]),
            (Some(person), account) => Ok([person].into_iter().chain(account.ok()).collect()),
        }
    }

    /// In a deployment, where all customers' lanes run side by side.
    pub fn sharing_forms(self, table: Arc<dyn Table>) -> Self {
        Self { forms: Some(Arc::new(TableLimit::new(table, "acc-forms", FORMS_A_MINUTE))), ..self }
    }

    /// Whether the app may make this call now.
    async fn admitted(&self, call: Call<'_>, request: &Request) -> Result<(), TargetError> {
        let Some(forms) = self.forms.as_ref().filter(|_| request.ask.tool == Tool::Forms) else { return Ok(()) };
        match forms.admit(call.meter.lane(), call.meter.now()).await {
            Ok(Admission::Go) => Ok(()),
            Ok(Admission::Pause { until, everything }) => Err(TargetError::Paused { until, everything }),
            Err(error) => Err(TargetError::NotDone { why: error.to_string() }),
        }
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The service account that a lane works with.
    pub(crate) async fn account(&self, call: Call<'_>, region: Region) -> Result<ServiceAccount, TargetError> {
        self.accounts.of(call.meter.lane(), region, call.meter.now()).await.map_err(|error| match error {
            CredentialError::Missing(reason) | CredentialError::Unusable(reason) => {
                TargetError::Connection(without_credentials(reason))
            }
            CredentialError::Unavailable(why) => TargetError::NotDone { why },
        })
    }

    /// Sends one request and reads its answer as JSON.
    pub(crate) async fn send(&self, call: Call<'_>, request: &Request) -> Result<Reply, TargetError> {
        self.admitted(call, request).await?;
        let build = |http: &Client| self.built(http, request);
        let region = request.scope;
        let lane = call.meter.lane();
        if self.by_consent(call).await? {
            return platform::send::<AccManners>(&self.wire, call, request.ask, self, build).await;
        }
        // A lane of the app's own account shares its token with the others: the account's id is no secret, its token is one.
        let account = self.account(call, region).await?;
        let whose = (lane.filter(|_| account.customers_own).cloned(), region);
        let tokens = self.tokens_of(whose);
        let bearer =
            AccountBearer { acc: self, tokens, lane: lane.cloned(), region, customers_own: account.customers_own };
        platform::send::<AccManners>(&self.wire, call, request.ask, &bearer, build).await
    }

    /// Sends one request in a person's name. A token that is refused is not renewed here: the person signs in again.
    pub(crate) async fn send_for(&self, call: Call<'_>, request: &Request, who: As<'_>) -> Result<Reply, TargetError> {
        let As::Person(person) = who else { return self.send(call, request).await };
        let builder = self.built(&self.wire.http, request);
        let answer = platform::once::<AccManners>(&self.wire, call, request.ask, builder, person).await?;
        platform::conclude::<AccManners>(answer, request.ask, person)
    }

    /// A form to the login, with the app's credentials in the header, and in the header only: in both places they are refused.
    pub(crate) async fn post_form(
        &self,
        app: &Credentials,
        path: &str,
        form: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Answer, Broken> {
        let builder = self.wire.http.post(format!("{}{path}", self.hosts.aps));
        let builder = builder.basic_auth(&app.client_id, Some(app.client_secret.expose())).form(form);
        let answer = self.wire.exchange(builder.timeout(self.wire.timeouts.read), || now).await;
        tracing::debug!(path, status = answer.as_ref().map(|answer| answer.status).ok(), "Autodesk login");
        answer
    }

    pub(crate) async fn get_profile(&self, person: &Secret, now: Timestamp) -> Result<Answer, Broken> {
        let builder = self.wire.http.get(format!("{}/userinfo", self.hosts.profiles)).bearer_auth(person.expose());
        self.wire.exchange(builder.timeout(self.wire.timeouts.read), || now).await
    }

    /// The app's own OAuth client.
    pub(crate) async fn app(&self) -> Result<Credentials, CredentialError> {
        self.app.get().await
    }

    fn tokens_of(&self, whose: Whose) -> Arc<Tokens> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.entry(whose).or_default().clone()
    }

    fn built(&self, http: &Client, request: &Request) -> RequestBuilder {
        let builder =
            http.request(request.method.clone(), format!("{}{}", self.hosts.aps, request.path)).query(&request.query);
        let builder = match request.ask.tool.region_header() {
            Some(header) => builder.header(header, request.scope.as_str()),
            None => builder,
        };
        match &request.body {
            Some(body) => builder.json(body),
            None => builder,
        }
    }
}

/// A person's token, by the grant that the connection works with.
#[async_trait]
impl Bearer for Acc {
    async fn token(&self, call: Call<'_>, refused: Option<&Secret>) -> Result<Secret, TargetError> {
        let changed = || TargetError::NotDone { why: "the connection's consent was taken back at this moment".into() };
        self.granted(call, refused).await?.ok_or_else(changed)
    }

    async fn forget(&self, _: &Secret) {}
}

/// A service account's token.
struct AccountBearer<'a> {
    acc: &'a Acc,
    tokens: Arc<Tokens>,
    lane: Option<LaneId>,
    region: Region,
    customers_own: bool,
}

#[async_trait]
impl Bearer for AccountBearer<'_> {
    async fn token(&self, call: Call<'_>, refused: Option<&Secret>) -> Result<Secret, TargetError> {
        if let Some(refused) = refused {
            self.tokens.forget(refused).await;
        }
        self.tokens.get(self, call.meter.now()).await
    }

    async fn forget(&self, token: &Secret) {
        self.tokens.forget(token).await;
    }
}

#[async_trait]
impl Issuer for AccountBearer<'_> {
    fn name(&self) -> &'static str {
        AccManners::NAME
    }

    async fn issue(&self, now: Timestamp) -> Result<Result<Answer, Broken>, CredentialError> {
        let app = self.acc.app.get().await?;
        let account = self.acc.accounts.of(self.lane.as_ref(), self.region, now).await?;
        let address = format!("{}{TOKEN_PATH}", self.acc.hosts.aps);
        let assertion = assertion::sign(&account, &app.client_id, &address, &SCOPES, now)
            .map_err(|error| CredentialError::Unusable(error.to_string()))?;
        let scope = SCOPES.join(" ");
        let form = [("grant_type", GRANT), ("assertion", assertion.expose()), ("scope", scope.as_str())];
        Ok(self.acc.post_form(&app, TOKEN_PATH, &form, now).await)
    }

    fn refused(&self, code: &str) -> Block {
        refused_credentials(code, self.customers_own)
    }

    fn none(&self, reason: String) -> Block {
        without_credentials(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_issues_where_their_region_is() {
        let production = Hosts::new("https://developer.api.autodesk.com/").unwrap();
        assert_eq!(production.pages(Region::Us), "https://acc.autodesk.com");
        assert_eq!(production.pages(Region::Emea), "https://acc.autodesk.eu");
        assert_eq!(Hosts::new("http://127.0.0.1:9200").unwrap().pages(Region::Emea), "http://127.0.0.1:9200");
    }
}
