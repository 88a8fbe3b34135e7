//! Every table key is built here. The organization is part of every key that a tenant's data stands at; what is found without
//! knowing the organization (an edge, an API key, a site by its id) are pointers whose ids are ours and unique everywhere.
use crate::table::{Key, instant};
use domain::fact::FactKind;
use domain::ids::{ApiKeyId, ConnectionId, EdgeId, EndpointId, OrganizationId, PersonId, Provider, SiteId};
use domain::record::{RecordKey, RecordKind, WorkClass};
use jiff::Timestamp;
use jiff::civil::Date;

fn organization_pk(organization: &OrganizationId) -> String {
    format!("ORG#{organization}")
}

fn site_pk(organization: &OrganizationId, site: &SiteId) -> String {
    format!("ORG#{organization}#SITE#{site}")
}

pub fn lane_pk(organization: &OrganizationId, connection: &ConnectionId) -> String {
    format!("ORG#{organization}#CONN#{connection}")
}

// ---- directory

pub fn organization(id: &OrganizationId) -> Key {
    Key::new(organization_pk(id), "ORG")
}

pub fn site(organization: &OrganizationId, site: &SiteId) -> Key {
    Key::new(organization_pk(organization), format!("SITE#{site}"))
}

pub fn sites(organization: &OrganizationId) -> (String, &'static str) {
    (organization_pk(organization), "SITE#")
}

/// Which organization a site belongs to.
pub fn site_owner(site: &SiteId) -> Key {
    Key::new(format!("SITE#{site}"), "OWNER")
}

pub fn edge(edge: &EdgeId) -> Key {
    Key::new(format!("EDGE#{edge}"), "EDGE")
}

/// An API key by the hash of its text.
pub fn api_key(sha256: &str) -> Key {
    Key::new(format!("KEY#{sha256}"), "KEY")
}

pub fn api_key_listing(organization: &OrganizationId, id: &ApiKeyId) -> Key {
    Key::new(organization_pk(organization), format!("KEY#{id}"))
}

pub fn api_key_listings(organization: &OrganizationId) -> (String, &'static str) {
    (organization_pk(organization), "KEY#")
}

pub fn connection(organization: &OrganizationId, connection: &ConnectionId) -> Key {
    Key::new(lane_pk(organization, connection), "CONNECTION")
}

/// Which organization a connection belongs to.
pub fn connection_owner(connection: &ConnectionId) -> Key {
    Key::new(format!("CONN#{connection}"), "OWNER")
}

pub fn connection_listing(organization: &OrganizationId, connection: &ConnectionId) -> Key {
    Key::new(organization_pk(organization), format!("CONN#{connection}"))
}

pub fn connection_listings(organization: &OrganizationId) -> (String, &'static str) {
    (organization_pk(organization), "CONN#")
}

pub fn project(organization: &OrganizationId, connection: &ConnectionId, project: &str) -> Key {
    Key::new(lane_pk(organization, connection), format!("PROJECT#{project}"))
}

pub fn projects(organization: &OrganizationId, connection: &ConnectionId) -> (String, &'static str) {
    (lane_pk(organization, connection), "PROJECT#")
}

/// One platform project is mapped by one organization at most, whoever else can see it.
pub fn project_claim(provider: Provider, account: &str, project: &str) -> Key {
    Key::new(format!("CLAIM#{}#{account}#{project}", provider.as_str()), "CLAIM")
}

pub const ROUTE: &str = "ROUTE#";

/// The one project that a site goes to in a connection.
pub fn route(organization: &OrganizationId, site: &SiteId, connection: &ConnectionId) -> Key {
    Key::new(site_pk(organization, site), format!("{ROUTE}{connection}"))
}

pub fn routes(organization: &OrganizationId, site: &SiteId) -> (String, &'static str) {
    (site_pk(organization, site), ROUTE)
}

/// A webhook endpoint; what it is sent stands in its lane's partition.
pub fn endpoint(organization: &OrganizationId, id: &EndpointId) -> Key {
    Key::new(organization_pk(organization), format!("ENDPOINT#{id}"))
}

pub fn endpoints(organization: &OrganizationId) -> (String, &'static str) {
    (organization_pk(organization), "ENDPOINT#")
}

/// Which organization a webhook endpoint belongs to.
pub fn endpoint_owner(id: &EndpointId) -> Key {
    Key::new(format!("ENDPOINT#{id}"), "OWNER")
}

/// An answer kept for a repeated Idempotency-Key.
pub fn idempotency(caller: &str, key_hash: &str) -> Key {
    Key::new(format!("IDEMPOTENCY#{caller}"), key_hash)
}

// ---- people

pub fn person(organization: &OrganizationId, id: &PersonId) -> Key {
    Key::new(organization_pk(organization), format!("PERSON#{id}"))
}

pub fn people(organization: &OrganizationId) -> (String, &'static str) {
    (organization_pk(organization), "PERSON#")
}

/// Who a platform's user is in an organization.
pub fn identity(organization: &OrganizationId, provider: Provider, user: &str) -> Key {
    Key::new(organization_pk(organization), format!("IDENTITY#{}#{user}", provider.as_str()))
}

/// A session by the hash of its token.
pub fn session(sha256: &str) -> Key {
    Key::new(format!("SESSION#{sha256}"), "SESSION")
}

pub fn session_listing(organization: &OrganizationId, person: &PersonId, sha256: &str) -> Key {
    Key::new(organization_pk(organization), format!("SESSION#{person}#{sha256}"))
}

/// The sessions of one person.
pub fn session_listings(organization: &OrganizationId, person: &PersonId) -> (String, String) {
    (organization_pk(organization), format!("SESSION#{person}#"))
}

/// What a platform of the person's gave this session to ask it with, sealed.
pub fn session_token(sha256: &str, provider: Provider) -> Key {
    let sk = match provider {
        Provider::Procore => "TOKEN".to_owned(),
        other => format!("TOKEN#{}", other.as_str()),
    };
    Key::new(format!("SESSION#{sha256}"), sk)
}

/// In which organizations a platform's user is somebody.
pub fn user_organization(provider: Provider, user: &str, organization: &OrganizationId) -> Key {
    Key::new(format!("USER#{}#{user}", provider.as_str()), format!("ORG#{organization}"))
}

pub fn user_organizations(provider: Provider, user: &str) -> (String, &'static str) {
    (format!("USER#{}#{user}", provider.as_str()), "ORG#")
}

/// Whose passkey a credential is, by the hash of its id: who signs in has named nobody yet.
pub fn passkey_owner(sha256: &str) -> Key {
    Key::new(format!("PASSKEY#{sha256}"), "OWNER")
}

pub fn passkey(organization: &OrganizationId, person: &PersonId, sha256: &str) -> Key {
    Key::new(organization_pk(organization), format!("PASSKEY#{person}#{sha256}"))
}

/// The passkeys of one person.
pub fn passkeys(organization: &OrganizationId, person: &PersonId) -> (String, String) {
    (organization_pk(organization), format!("PASSKEY#{person}#"))
}

/// A passkey about to be added, by the hash of a random text.
pub fn passkey_adding(sha256: &str) -> Key {
    Key::new(format!("SIGNIN#{sha256}"), "PASSKEY")
}

/// A sign-in by passkey under way, by the hash of a random text.
pub fn passkey_sign_in(sha256: &str) -> Key {
    Key::new(format!("SIGNIN#{sha256}"), "BY_PASSKEY")
}

/// A setup or invite link by the hash of its secret.
pub fn entry_link(sha256: &str) -> Key {
    Key::new(format!("ENTRY#{sha256}"), "ENTRY")
}

/// A sign-in under way, by the hash of its `state`.
pub fn sign_in(sha256: &str) -> Key {
    Key::new(format!("SIGNIN#{sha256}"), "SIGNIN")
}

/// Who signed in and may choose among several organizations, by the hash of a one-time code.
pub fn choice(sha256: &str) -> Key {
    Key::new(format!("SIGNIN#{sha256}"), "CHOICE")
}

/// A finished sign-in that a frame may take over, by the hash of its one-time code.
pub fn hand_over(sha256: &str) -> Key {
    Key::new(format!("HANDOVER#{sha256}"), "HANDOVER")
}

/// Which organizations have a connection to a platform's account.
pub fn account_organization(provider: Provider, account: &str, organization: &OrganizationId) -> Key {
    Key::new(format!("ACCOUNT#{}#{account}", provider.as_str()), format!("ORG#{organization}"))
}

pub fn account_organizations(provider: Provider, account: &str) -> (String, &'static str) {
    (format!("ACCOUNT#{}#{account}", provider.as_str()), "ORG#")
}

// ---- facts

pub fn fact_prefix(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Detection => "DET#",
        FactKind::Incident => "INC#",
        FactKind::Zone => "ZONE#",
        FactKind::Worker => "WORKER#",
        FactKind::PpeSample => "PPE#",
    }
}

pub fn fact(organization: &OrganizationId, site: &SiteId, kind: FactKind, id: &str) -> Key {
    Key::new(site_pk(organization, site), format!("{}{id}", fact_prefix(kind)))
}

pub fn facts(organization: &OrganizationId, site: &SiteId, kind: FactKind) -> (String, &'static str) {
    (site_pk(organization, site), fact_prefix(kind))
}

/// That an incident once named a detection: a hint for the lane, which looks at the incident itself.
pub fn membership(organization: &OrganizationId, site: &SiteId, detection: &str, incident: &str) -> Key {
    Key::new(site_pk(organization, site), format!("MEMBER#{detection}#{incident}"))
}

pub fn memberships(organization: &OrganizationId, site: &SiteId, detection: &str) -> (String, String) {
    (site_pk(organization, site), format!("MEMBER#{detection}#"))
}

/// An injury as the API was told it.
pub fn injury(organization: &OrganizationId, site: &SiteId, incident: &str, source: &str, remote_id: &str) -> Key {
    Key::new(site_pk(organization, site), format!("INJURY#{incident}#{source}#{remote_id}"))
}

pub fn injuries(organization: &OrganizationId, site: &SiteId, incident: &str) -> (String, String) {
    (site_pk(organization, site), format!("INJURY#{incident}#"))
}

/// What contradicts a fact that stands: kept aside.
pub fn contradiction(organization: &OrganizationId, site: &SiteId, message_id: &str, index: usize) -> Key {
    Key::new(format!("{}#ASIDE", site_pk(organization, site)), format!("{message_id}#{index:04}"))
}

pub fn arrival(organization: &OrganizationId, site: &SiteId, number: u64) -> Key {
    Key::new(format!("{}#LOG", site_pk(organization, site)), format!("{number:012}"))
}

/// That an entry of the arrival log tells of a day (in UTC) long gone by, or still to come.
pub fn stray(organization: &OrganizationId, site: &SiteId, day: Date, number: u64) -> Key {
    Key::new(format!("{}#STRAY", site_pk(organization, site)), format!("{day}#{number:012}"))
}

/// When a site's day is cut off, and what was cut last.
pub fn summary_state(organization: &OrganizationId, site: &SiteId) -> Key {
    Key::new(site_pk(organization, site), "SUMMARY")
}

/// A site's day as counted.
pub fn summary(organization: &OrganizationId, site: &SiteId, date: Date) -> Key {
    Key::new(site_pk(organization, site), format!("SUMMARY#{date}"))
}

/// When a site must be looked at.
pub fn site_due(organization: &OrganizationId, site: &SiteId) -> Key {
    Key::new(site_pk(organization, site), "DUE")
}

/// What was counted of a site's day so far.
pub fn tally(organization: &OrganizationId, site: &SiteId, date: Date) -> Key {
    Key::new(site_pk(organization, site), format!("TALLY#{date}"))
}

// ---- lanes

fn record(key: &RecordKey) -> String {
    let kind = match key.kind {
        RecordKind::Incident => "incident",
        RecordKind::Observation => "observation",
        RecordKind::DailySummary => "daily_summary",
    };
    format!("{kind}#{}#{}", key.site_id, key.fact_id)
}

pub const READY: &str = "TODO#READY#";
pub const WAITING: &str = "TODO#WAIT#";
pub const LINK: &str = "LINK#";

/// A ready todo, sorted by class, then by whether it killed runs before, then by the fact's own time.
pub fn ready_todo(lane_pk: &str, class: WorkClass, record_key: &RecordKey, at: Timestamp) -> Key {
    Key::new(lane_pk, format!("{READY}{}#{}#{}", class.rank(), instant(at), record(record_key)))
}

/// A waiting todo, sorted by class, then by its next try, so that no class hides behind another.
pub fn waiting_todo(lane_pk: &str, class: WorkClass, next_try: Timestamp, record_key: &RecordKey) -> Key {
    Key::new(lane_pk, format!("{}{}#{}", waiting_of(class), instant(next_try), record(record_key)))
}

pub fn waiting_of(class: WorkClass) -> String {
    format!("{WAITING}{}#", class.rank())
}

pub fn link(lane_pk: &str, record_key: &RecordKey) -> Key {
    Key::new(lane_pk, format!("{LINK}{}", record(record_key)))
}

pub fn links_of_kind(kind: RecordKind) -> String {
    format!("{LINK}{}#", kind.as_str())
}

/// When each project of a lane was last read again.
pub fn rereads(lane_pk: &str) -> Key {
    Key::new(lane_pk, "REREADS")
}

/// Projects that a lane leaves alone.
pub fn project_blocks(lane_pk: &str) -> Key {
    Key::new(lane_pk, "BLOCKS")
}

/// What is left to clear up behind a removed connection.
pub fn removal(lane_pk: &str) -> Key {
    Key::new(lane_pk, "REMOVAL")
}

/// That a connection was removed, and is cleared up behind.
pub fn removed(lane_pk: &str) -> Key {
    Key::new(lane_pk, "REMOVED")
}

/// The hooks of a lane at its platform.
pub fn hooks(lane_pk: &str) -> Key {
    Key::new(lane_pk, "HOOKS")
}

/// Which record of ours stands at the platform under an id.
pub fn remote(lane_pk: &str, kind: RecordKind, id: &str) -> Key {
    Key::new(lane_pk, format!("REMOTE#{}#{id}", kind.as_str()))
}

/// A delivery that was taken.
pub fn seen(lane_pk: &str, delivery: &str) -> Key {
    Key::new(lane_pk, format!("SEEN#{delivery}"))
}

pub fn due(lane_pk: &str) -> Key {
    Key::new(lane_pk, "DUE")
}

/// A person's consent that a connection works with, where it has no service account.
pub fn connection_grant(organization: &OrganizationId, connection: &ConnectionId) -> Key {
    Key::new(lane_pk(organization, connection), "GRANT")
}

/// A platform's limit on the whole app: of no organization, and nothing of one is in it.
pub fn app_limit(name: &str) -> Key {
    Key::new("APP", format!("LIMIT#{name}"))
}

pub fn budget(lane_pk: &str) -> Key {
    Key::new(lane_pk, "BUDGET")
}

pub fn catalog(lane_pk: &str, project: &str) -> Key {
    Key::new(lane_pk, format!("CATALOG#{project}"))
}

pub const TRIAL: &str = "TRIAL#";

/// A test record that someone asked for.
pub fn trial(lane_pk: &str, id: &str) -> Key {
    Key::new(lane_pk, format!("{TRIAL}{id}"))
}

// ---- webhook endpoints' lanes

/// A message that is to be sent now, in the order in which messages go out.
pub fn ready_message(lane_pk: &str, order: &str, message_id: &str) -> Key {
    Key::new(lane_pk, format!("{READY}{order}#{message_id}"))
}

/// A message that waits for its next try.
pub fn waiting_message(lane_pk: &str, next_try: Timestamp, message_id: &str) -> Key {
    Key::new(lane_pk, format!("{WAITING}{}#{message_id}", instant(next_try)))
}

/// What a message says, the same at each try.
pub fn message(lane_pk: &str, message_id: &str) -> Key {
    Key::new(lane_pk, format!("MESSAGE#{message_id}"))
}

pub const DELIVERY: &str = "DELIVERY#";

/// What came of a message, in the order of their numbers.
pub fn delivery(lane_pk: &str, sequence: u64) -> Key {
    Key::new(lane_pk, format!("{DELIVERY}{sequence:020}"))
}

/// The last number that a message of the endpoint got.
pub fn sequence(lane_pk: &str) -> Key {
    Key::new(lane_pk, "SEQUENCE")
}

/// Since when an endpoint has taken nothing.
pub fn health(lane_pk: &str) -> Key {
    Key::new(lane_pk, "HEALTH")
}

/// A recovery that someone asked for.
pub fn recovery(lane_pk: &str) -> Key {
    Key::new(lane_pk, "RECOVERY")
}
