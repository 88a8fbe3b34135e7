//! A connection as it is shown: the account in its platform's own terms.
use domain::autodesk::Region;
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::record::{Mender, RecordKind};
use jiff::Timestamp;
use serde::Serialize;
use store::directory::Connection;
use store::hooks::Hooks;
use store::lanes::Link;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct View {
    id: ConnectionId,
    organization_id: OrganizationId,
    provider: Provider,
    #[serde(flatten)]
    account: AccountView,
    pub(super) state: &'static str,
    reason: Option<String>,
    who: Option<Mender>,
    what_to_do: Option<String>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    polling_only: Vec<PollingOnly>,
}

/// A project in which no hook could be made: what people change there comes back by the timed re-read.
#[derive(Serialize, ToSchema)]
struct PollingOnly {
    project_id: String,
    reason: String,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum AccountView {
    Procore {
        company_id: String,
    },
    Acc {
        account_id: String,
        region: Option<Region>,
        #[serde(skip_serializing_if = "Option::is_none")]
        service_account: Option<ServiceAccountView>,
    },
}

/// Never a key.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ServiceAccountView {
    /// The app's own: whom an account's admin invites.
    Shared {
        email: String,
    },
    Own {
        id: String,
        key_id: String,
    },
}

impl From<Connection> for View {
    fn from(connection: Connection) -> Self {
        let Connection { id, organization_id, provider, account, blocked, created_at, .. } = connection;
        let account = match provider {
            Provider::Procore | Provider::Webhook => AccountView::Procore { company_id: account },
            Provider::Acc => {
                let own = connection.service_account;
                let service_account = own.map(|own| ServiceAccountView::Own { id: own.id, key_id: own.key_id });
                AccountView::Acc { account_id: account, region: connection.region, service_account }
            }
        };
        let state = if blocked.is_some() { "blocked" } else { "active" };
        let (reason, who, what_to_do) = match blocked {
            Some(blocked) => (Some(blocked.reason), Some(blocked.who), Some(blocked.what_to_do)),
            None => (None, None, None),
        };
        Self {
            id,
            organization_id,
            provider,
            account,
            state,
            reason,
            who,
            what_to_do,
            created_at,
            polling_only: Vec::new(),
        }
    }
}

impl View {
    pub fn hooked(mut self, hooks: Hooks) -> Self {
        let troubled = hooks.projects.into_iter();
        self.polling_only =
            troubled.filter_map(|(project_id, hook)| Some(PollingOnly { project_id, reason: hook.trouble? })).collect();
        self
    }

    /// Names the address that the account's admin invites.
    pub fn inviting(mut self, email: Option<String>) -> Self {
        if let (AccountView::Acc { service_account: service_account @ None, .. }, Some(email)) =
            (&mut self.account, email)
        {
            *service_account = Some(ServiceAccountView::Shared { email });
        }
        self
    }
}

/// What is told of a removed connection: the records that stay at the platform.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedConnection)]
pub struct Removed {
    #[serde(flatten)]
    pub(super) connection: View,
    /// The newest are named, as far as there is room.
    pub(super) stays: Vec<Stays>,
    pub(super) stays_total: usize,
    /// More stay than were counted.
    pub(super) stays_more: bool,
    pub(super) erased: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StayingRecord)]
pub struct Stays {
    kind: RecordKind,
    id: String,
    marker: String,
    remote_id: String,
    remote_url: Option<String>,
}

impl Stays {
    pub fn of(link: Link) -> Option<Self> {
        let (kind, id) = (link.record.kind, link.record.fact_id);
        Some(Self { kind, id, marker: link.marker, remote_id: link.remote_id?, remote_url: link.remote_url })
    }
}
