//! The pages over in-memory twins, with a mapped site and people of two organizations.
use acc::Acc;
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use credentials::{MemoryParameters, MemoryVault, Secret};
use domain::arrival::{ArrivalEntry, ArrivalLine, CommitMark};
use domain::fact::{Fact, FactBody, FactKind};
use domain::ids::{ConnectionId, OrganizationId, Provider, SiteId};
use domain::record::{Mender, RecordKey, RecordKind, RecordState};
use grants::{ParameterServiceAccounts, TableGrants, TableServiceAccounts};
use jiff::{SignedDuration, Timestamp};
use people::{Identity, People, PeopleError, Person, PublicUrl, Role, Session, Visitor};
use procore::{Hosts, Procore};
use sandbox::aps::{SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_KEY_ID};
use serde_json::{Value, json};
use setup_ui::{AppState, Origins, PersonTokens, Platform, Services, app};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::bell::MemoryBell;
use store::directory::{Blocked, Connection, Directory, Organization, Project, Site};
use store::facts::SiteFacts;
use store::footage::MemoryFootage;
use store::lanes::{Lane, Link};
use store::memory::MemoryTable;
use tower::ServiceExt;
use ulid::Ulid;
use webhook::Guard;
use webhook::names::MemoryNames;
use webhook::post::{MemoryPost, Reply};

pub const PUBLIC: &str = "https://pulse.example.com";
pub const PROJECT: &str = "8600000001";
pub const DETECTION: &str = "01JD0000000000000000000002";

pub struct World {
    pub app: Router,
    pub table: Arc<MemoryTable>,
    pub bell: Arc<MemoryBell>,
    pub people: People,
    pub tokens: Arc<Tokens>,
    /// What test events were sent to.
    pub post: Arc<MemoryPost>,
    /// As another function of ours keeps them.
    pub grants: TableGrants,
    now: Arc<Mutex<Timestamp>>,
    pub ours: Tenant,
    pub theirs: Tenant,
}

pub struct Tenant {
    pub organization: OrganizationId,
    pub site: SiteId,
    pub connection: Connection,
}

impl Tenant {
    pub fn project(&self) -> String {
        format!("/setup/{}/projects/{PROJECT}", self.connection.id)
    }
}

pub struct SignedIn {
    cookie: String,
    pub session: Session,
}

impl SignedIn {
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// Tokens by session.
#[derive(Default)]
pub struct Tokens(Mutex<BTreeMap<(String, &'static str), Secret>>);

impl Tokens {
    pub fn give(&self, who: &SignedIn, token: String) {
        self.give_at(Provider::Procore, who, token);
    }

    pub fn give_at(&self, provider: Provider, who: &SignedIn, token: String) {
        self.0.lock().unwrap().insert((who.session.id.clone(), provider.as_str()), Secret::new(token));
    }
}

#[async_trait]
impl PersonTokens for Tokens {
    async fn of(&self, visitor: &Visitor, provider: Provider) -> Result<Option<Secret>, PeopleError> {
        Ok(self.0.lock().unwrap().get(&(visitor.session.id.clone(), provider.as_str())).cloned())
    }
}

/// Whom an Autodesk project's admin invites.
pub const INVITED: &str = "hardhat-pulse@sandbox-client.adskserviceaccount.autodesk.com";

fn parameters() -> Arc<MemoryParameters> {
    let account = json!({"id": "SBXSERVICE01", "key_id": SERVICE_ACCOUNT_KEY_ID, "private_key": SERVICE_ACCOUNT_KEY});
    Arc::new(MemoryParameters::of([
        ("/t/procore/client-id", "sandbox-client"),
        ("/t/procore/client-secret", "sandbox-secret"),
        ("/t/aps/client-id", "sandbox-client"),
        ("/t/aps/client-secret", "sandbox-secret"),
        ("/t/aps/us/service-account", &account.to_string()),
        ("/t/aps/us/service-account-email", INVITED),
    ]))
}

pub fn client(url: &str) -> Procore {
    let hosts = Hosts::new(url, url, "https://app.procore.com").unwrap();
    Procore::of_stack(hosts, parameters(), "t").unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T16:03:05Z".parse().unwrap()
}

impl World {
    /// Without Procore: whatever is asked of it is not reached.
    pub async fn new() -> Self {
        Self::beside("http://127.0.0.1:9").await
    }

    pub async fn beside(procore_url: &str) -> Self {
        Self::beside_both(procore_url, "http://127.0.0.1:9").await
    }

    pub async fn beside_both(procore_url: &str, aps_url: &str) -> Self {
        let (table, bell) = (Arc::new(MemoryTable::default()), Arc::new(MemoryBell::default()));
        let time = Arc::new(Mutex::new(now()));
        let clock = time.clone();
        let people =
            People::new(table.clone(), Arc::new(move || *clock.lock().unwrap()), PublicUrl::new(PUBLIC).unwrap());
        let vault = Arc::new(MemoryVault::default());
        let own = Arc::new(TableGrants::new(table.clone(), vault.clone()).without_memory());
        let grants = TableGrants::new(table.clone(), vault.clone());
        let origins =
            Origins::new(PUBLIC, "https://sandbox.procore.com", "https://login.procore.com", aps_url).unwrap();
        let tokens = Arc::new(Tokens::default());
        let shared = ParameterServiceAccounts::new(parameters(), "t");
        let accounts = Arc::new(TableServiceAccounts::new(table.clone(), vault.clone(), shared));
        let platform = Platform {
            acc: Arc::new(
                Acc::of_stack(acc::Hosts::new(aps_url).unwrap(), parameters(), "t", accounts)
                    .unwrap()
                    .with_grants(own.clone()),
            ),
            parameters: parameters(),
            stack: "t".into(),
            procore: Arc::new(client(procore_url).with_grants(own.clone())),
            tokens: tokens.clone(),
            grants: own,
            install_url: "https://install.example.com/{company}".into(),
            patience: Duration::ZERO,
        };
        let post = Arc::new(MemoryPost::answering(|got| {
            let refused = got.token.as_deref() == Some("wr0ng");
            Reply { status: Some(if refused { 401 } else { 200 }), retry_after: None }
        }));
        let services = Services {
            origins,
            people: people.clone(),
            bell: bell.clone(),
            platform,
            vault,
            footage: Arc::new(MemoryFootage),
            guard: Guard::new(false, &[PUBLIC]),
            names: Arc::new(MemoryNames),
            post: post.clone(),
        };
        let app = app(AppState::new(services));
        let (ours, theirs) = (tenant(&table, 1, "11").await, tenant(&table, 2, "22").await);
        Self { app, table, bell, people, tokens, post, grants, now: time, ours, theirs }
    }

    pub fn pass(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }

    pub async fn sign_in(&self, tenant: &Tenant, role: Role) -> SignedIn {
        let person = self.people.add(&tenant.organization, role, "ana@example.com").await.unwrap();
        self.open(&person).await
    }

    /// Somebody who signed in at Procore, where they can list these projects.
    pub async fn lists(&self, tenant: &Tenant, projects: &[&str], role: Role) -> SignedIn {
        let identity = Identity { provider: Provider::Procore, user_id: format!("7{}", projects.len()) };
        let listed = projects.iter().map(|project| (*project).to_owned()).collect();
        let projects = [(tenant.connection.id.clone(), listed)].into();
        let person = self.people.vouched(&tenant.organization, &identity, "kim@example.com", None, projects).await;
        let person = person.unwrap();
        self.people.change_role(&tenant.organization, &person.id, role).await.unwrap();
        self.open(&person).await
    }

    pub async fn open(&self, person: &Person) -> SignedIn {
        let opened = self.people.open(person).await.unwrap();
        let cookie = opened.set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        SignedIn { cookie, session: opened.session }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&self, who: &SignedIn, path: &str) -> Answer {
        self.send(Request::get(path).header("cookie", &who.cookie).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, who: &SignedIn, path: &str, body: &str) -> Answer {
        let body = format!("csrf={}&{body}", who.session.csrf);
        self.post_from(who, path, body, PUBLIC).await
    }

    pub async fn post_from(&self, who: &SignedIn, path: &str, body: String, origin: &str) -> Answer {
        let request = Request::post(path)
            .header("cookie", &who.cookie)
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub async fn link(&self, tenant: &Tenant, fact_id: &str, state: RecordState) {
        self.link_of(tenant, RecordKind::Observation, fact_id, state).await;
    }

    pub async fn link_of(&self, tenant: &Tenant, kind: RecordKind, fact_id: &str, state: RecordState) {
        let id = tenant.connection.lane();
        let mut link: Link = serde_json::from_value(json!({
            "record": RecordKey { kind, site_id: tenant.site.clone(), fact_id: fact_id.into() },
            "project_id": PROJECT, "marker": format!("HHP-{}", fact_id.get(18..).unwrap_or(fact_id)), "state": state,
            "reason": (state == RecordState::Failed).then_some("type_id: <b>must</b> be active"),
            "who": (state == RecordState::Failed).then_some(Mender::SafetyManager),
            "remote_url": "https://app.procore.com/1", "updated_at": now(),
            "conflicts": [{"field": "name", "ours": "Ours", "theirs": "Their words"}],
        }))
        .unwrap();
        Lane { table: self.table.as_ref(), id: &id }.put_link(&mut link).await.unwrap();
    }

    /// A confirmed incident; gives the tenant's connection.
    pub async fn incident(&self, tenant: &Tenant, id: &str, privacy_case: bool) -> ConnectionId {
        self.incident_of(tenant, id, privacy_case, &[]).await
    }

    /// The same, made of detections.
    pub async fn incident_of(
        &self,
        tenant: &Tenant,
        id: &str,
        privacy_case: bool,
        detections: &[&str],
    ) -> ConnectionId {
        let fact: Fact = serde_json::from_value(json!({
            "body": {"kind": "incident", "data": {"incident_id": id, "revision": 1, "incident": {
                "incident_id": id, "revision": 1, "occurred_at": now(), "confirmed_at": now(), "recordable": true,
                "incident_type": "fall", "classification": "injury", "privacy_case": privacy_case,
                "osha_log": {"year": 2026, "case_number": "2026-001"}, "zone_id": "z1",
                "worker": {"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"}, "detection_ids": detections,
            }}},
            "arrival": 1, "part": 0, "event_id": "e1", "event_time": now(), "received_at": now(),
            "origin": {"webhook_id": "w", "edge_id": format!("edge_{}", Ulid::from_parts(1, 3)), "timestamp": 0,
                "signature": "v1,x", "sha256": "00"},
        }))
        .unwrap();
        let facts =
            SiteFacts { table: self.table.as_ref(), organization_id: &tenant.organization, site_id: &tenant.site };
        facts.put_many(&[fact], None).await.unwrap();
        tenant.connection.id.clone()
    }

    pub async fn zone(&self, tenant: &Tenant, id: &str, name: &str) {
        let fact: Fact = serde_json::from_value(json!({
            "body": {"kind": "zone", "data": {"zone_id": id, "revision": 1, "name": name, "kind": "exclusion", "required_ppe": [],
                "active": true}},
            "arrival": 1, "part": 0, "event_id": "e1", "event_time": now(), "received_at": now(),
            "origin": {"webhook_id": "w", "edge_id": format!("edge_{}", Ulid::from_parts(1, 3)), "timestamp": 0,
                "signature": "v1,x", "sha256": "00"},
        }))
        .unwrap();
        let facts =
            SiteFacts { table: self.table.as_ref(), organization_id: &tenant.organization, site_id: &tenant.site };
        facts.put_many(&[fact], None).await.unwrap();
    }

    /// Merges what a source told of an incident.
    pub async fn tell(&self, tenant: &Tenant, id: &str, source: Value, account: Value) {
        let facts =
            SiteFacts { table: self.table.as_ref(), organization_id: &tenant.organization, site_id: &tenant.site };
        let mut fact = facts.get(FactKind::Incident, id).await.unwrap().unwrap();
        let update = json!({"source": source, "told": {"all": account}, "order": 1, "at": now()});
        fact.treatment.apply(&serde_json::from_value(update).unwrap());
        facts.put_many(&[fact], None).await.unwrap();
    }

    /// Says where a detection's footage lies in the bucket.
    pub async fn footage(&self, tenant: &Tenant, key: &str) {
        let facts =
            SiteFacts { table: self.table.as_ref(), organization_id: &tenant.organization, site_id: &tenant.site };
        let mut fact = facts.get(FactKind::Detection, DETECTION).await.unwrap().unwrap();
        if let FactBody::Detection(detection) = &mut fact.body {
            detection.footage = serde_json::from_value(json!({"s3_key": key})).unwrap();
        }
        facts.put_many(&[fact], None).await.unwrap();
    }

    pub async fn state(&self, tenant: &Tenant, fact_id: &str) -> RecordState {
        let id = tenant.connection.lane();
        let key = RecordKey { kind: RecordKind::Observation, site_id: tenant.site.clone(), fact_id: fact_id.into() };
        Lane { table: self.table.as_ref(), id: &id }.link(&key).await.unwrap().unwrap().state
    }

    pub async fn block(&self, tenant: &Tenant) {
        let mut connection = self.connection(tenant).await;
        connection.blocked = Some(Blocked {
            reason: "Procore says that the app is not connected.".into(),
            who: Mender::PlatformAdmin,
            what_to_do: "Install it again.".into(),
            since: now(),
        });
        Directory(self.table.as_ref()).put_connection(&mut connection).await.unwrap();
    }

    pub async fn connection(&self, tenant: &Tenant) -> Connection {
        let found = Directory(self.table.as_ref()).connection(&tenant.organization, &tenant.connection.id).await;
        found.unwrap().unwrap()
    }
}

async fn tenant(table: &Arc<MemoryTable>, number: u64, company: &str) -> Tenant {
    let directory = Directory(table.as_ref());
    let organization = OrganizationId::new(Ulid::from_parts(number, 1));
    let site = SiteId::new(Ulid::from_parts(number, 2));
    let new = Organization { id: organization.clone(), name: format!("Contractor {number}"), created_at: now() };
    directory.put_organization(&new).await.unwrap();
    let mut place: Site = serde_json::from_value(json!({
        "id": site, "organization_id": organization, "name": format!("North Tower {number}"),
        "time_zone": "America/Chicago", "created_at": now(),
    }))
    .unwrap();
    directory.put_site(&mut place).await.unwrap();
    let id = ConnectionId::derive(&organization, Provider::Procore, company);
    let mut connection: Connection = serde_json::from_value(json!({
        "id": id, "organization_id": organization, "provider": Provider::Procore, "account": company, "created_at": now(),
    }))
    .unwrap();
    directory.put_connection(&mut connection).await.unwrap();
    let mut project: Project = serde_json::from_value(json!({
        "project_id": PROJECT, "settings": {"site_id": site}, "mapped_at": now(),
    }))
    .unwrap();
    directory.put_project(&connection.lane(), &mut project).await.unwrap();
    let fact: Fact = serde_json::from_value(json!({
        "body": {"kind": "detection", "data": {
            "detection_id": DETECTION, "detected_at": "2026-11-24T16:00:00Z", "kind": "zone_breach", "priority": 4,
            "zone_id": "z1", "camera_id": "cam-7", "worker": {"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"},
            "frame": {"captured_at": "2026-11-24T16:00:00Z", "index": 12},
            "footage": {"edge_path": "/footage/cam-7/1600.mp4"},
        }},
        "arrival": 1, "part": 0, "event_id": "e1", "event_time": now(), "received_at": now(),
        "origin": {"webhook_id": "w", "edge_id": format!("edge_{}", Ulid::from_parts(number, 3)), "timestamp": 0,
            "signature": "v1,x", "sha256": "00"},
    }))
    .unwrap_or_else(|error| panic!("{error}"));
    let facts = SiteFacts { table: table.as_ref(), organization_id: &organization, site_id: &site };
    let (arrived, lines) = (now() - SignedDuration::from_hours(1), vec![ArrivalLine::of(&fact)]);
    let entry = ArrivalEntry::after(&CommitMark::default(), fact.message_id(), arrived, lines);
    facts.put_many(&[fact], None).await.unwrap();
    facts.commit(&entry).await.unwrap();
    Tenant { organization, site, connection }
}
